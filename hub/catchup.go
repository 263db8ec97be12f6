package hub

import (
	"context"
	"fmt"
	"sync"

	lru "github.com/hashicorp/golang-lru/v2/simplelru"
	"golang.org/x/sync/singleflight"

	"govor/hub/mutant"
	"govor/hub/protocol"
	"govor/hub/store"
)

const (
	blockEvents     = 256       // events in one block at most
	blockBytes      = 256 << 10 // a block ends after the event that passes this
	blockCacheBytes = 32 << 20
	catchupWorkers  = 4
)

// catchups is the queue of seats that wait for a block from the store. Workers take them in order, so that a session
// with much to read does not hold up one with little. A seat is in it at most once: it is added only when its state
// becomes loading, and leaves that state only through a worker.
type catchups struct {
	mu     sync.Mutex
	ready  *sync.Cond // on mu
	queue  []*seat
	closed bool
}

func newCatchups() *catchups {
	c := &catchups{}
	c.ready = sync.NewCond(&c.mu)
	return c
}

// add may be called with a room's lock held.
func (c *catchups) add(s *seat) {
	c.mu.Lock()
	c.queue = append(c.queue, s)
	c.mu.Unlock()
	c.ready.Signal()
}

// work loads blocks until close.
func (c *catchups) work() {
	for {
		c.mu.Lock()
		for len(c.queue) == 0 && !c.closed {
			c.ready.Wait()
		}
		if c.closed {
			c.mu.Unlock()
			return
		}
		s := c.queue[0]
		c.queue[0] = nil
		c.queue = c.queue[1:]
		c.mu.Unlock()
		s.load()
	}
}

func (c *catchups) close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.ready.Broadcast()
}

// blocks are encoded runs of history, shared by all who catch up: ten thousand resumes after a restart are not ten
// thousand reads.
type blocks struct {
	store  *store.Store
	flight singleflight.Group

	mu    sync.Mutex // guards the fields below
	cache *lru.LRU[blockKey, block]
	size  int
}

// blockKey names a block. What an event later changed is in no block that was read before.
type blockKey struct {
	room, format string
	after, upto  int64
	changed      int64 // number of the room's last event that changed earlier ones
}

type block struct {
	frames []byte
	last   int64 // number of the last event in it, or passed over by it
}

func newBlocks(s *store.Store) *blocks {
	b := &blocks{store: s}
	b.cache, _ = lru.NewLRU(1<<16, func(_ blockKey, v block) { b.size -= v.cost() }) // the error is for a size ≤ 0
	return b
}

// cost counts the entry itself too: empty blocks must not gather.
func (b block) cost() int { return len(b.frames) + 128 }

// get returns the frames of events after the number after, up to pin at most, and the number they reach. The bytes are
// shared. Permission is asked at every block.
func (b *blocks) get(ctx context.Context, m protocol.MemberID, room string, f protocol.Format, after, pin int64) ([]byte, int64, error) {
	if ok, err := b.store.MayRead(ctx, m, room); err != nil {
		return nil, 0, fmt.Errorf("ask for permission: %w", err)
	} else if !ok {
		return nil, 0, protocol.Errorf(protocol.CodeNoRoom, "there is no room %s", room)
	}
	stored, _ := b.store.Room(room)
	if mutant.Active == mutant.Stale {
		stored.Changed = 0
	}
	key := blockKey{room, f.Key(), after, min(pin, after+blockEvents), stored.Changed}
	b.mu.Lock()
	v, ok := b.cache.Get(key)
	b.mu.Unlock()
	if ok {
		return v.frames, v.last, nil
	}
	got, err, _ := b.flight.Do(fmt.Sprint(key), func() (any, error) { return b.read(ctx, key, f) })
	if err != nil {
		return nil, 0, err
	}
	v = got.(block) //nolint:errcheck,forcetypeassert // read returns nothing else
	return v.frames, v.last, nil
}

func (b *blocks) read(ctx context.Context, key blockKey, f protocol.Format) (block, error) {
	events, err := b.store.Events(ctx, key.room, key.after, key.upto, blockEvents)
	if err != nil {
		return block{}, fmt.Errorf("read a block of history: %w", err)
	}
	v := block{last: key.upto}
	var payload []byte
	for i := range events {
		payload = f.Append(payload[:0], protocol.Message{Event: &events[i]})
		if len(payload) > 0 {
			v.frames = appendFrame(v.frames, payload)
		}
		if len(v.frames) >= blockBytes {
			v.last = events[i].Seq
			break
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.cache.Add(key, v)
	b.size += v.cost()
	for b.size > blockCacheBytes {
		b.cache.RemoveOldest()
	}
	return v, nil
}

// forget drops what was read of a room.
func (b *blocks) forget(room string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, key := range b.cache.Keys() {
		if key.room == room {
			b.cache.Remove(key)
		}
	}
}
