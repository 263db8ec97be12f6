package hub

import (
	"context"
	"fmt"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"govor/hub/protocol"
)

const (
	maxSuffix   = 99 // the last number that is tried behind a taken name
	suffixAgain = time.Second
	maxSuffixes = 4096 // names whose numbers are remembered
)

// suffixes remembers up to which number the names that look like one were taken a moment ago: each costs up to half a
// millisecond to find out, and who connects as the hundredth of a name would have all of them looked up each time.
type suffixes struct{ taken *lru.Cache[string, suffix] }

type suffix struct {
	n  int       // those below it were taken
	at time.Time // when they were looked at
}

func newSuffixes() (suffixes, error) {
	taken, err := lru.New[string, suffix](maxSuffixes)
	if err != nil {
		return suffixes{}, fmt.Errorf("make memory of suffixes: %w", err)
	}
	return suffixes{taken}, nil
}

// suffixName gives m the first free of name-2 … name-99, then a guest's name.
func (h *Hub) suffixName(ctx context.Context, m *Member, name string) error {
	look, now := protocol.LookOf(name), h.now()
	from, known := h.suffixes.taken.Get(look)
	if age := now.Sub(from.at); !known || age < 0 || age > suffixAgain {
		from = suffix{2, now}
	}
	for ; from.n <= maxSuffix; from.n++ {
		shown, key, bad := protocol.CheckName(protocol.WithSuffix(name, from.n))
		if bad != nil {
			break
		}
		m.Name, m.NameKey = shown, key
		free, err := h.isFree(ctx, *m)
		if err != nil {
			return err
		}
		if free {
			h.suffixes.taken.Add(look, from)
			return nil
		}
	}
	h.suffixes.taken.Add(look, from)
	return h.randomName(ctx, m)
}
