package store

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"zombiezen.com/go/sqlite"

	"govor/hub/protocol"
)

// maxProofs is how many members proofs remembers, about 350 bytes each. All of a crowd that comes back after a restart are
// to be among them.
const maxProofs = 1 << 15

// proofs remembers who was proved, for they are again with every page and every connection. What it says is what the file
// says: Apply forgets whom it changes before it returns. Its methods may be called from any goroutine.
type proofs struct {
	mu      sync.RWMutex // guards the fields below
	changes uint64       // how often something was forgotten
	byID    map[protocol.MemberID]*proof
	byNum   map[int64]*proof
}

// proof is a member with those of its logins that were found good.
type proof struct {
	num    int64
	member Member
	logins []string
}

// find is what Prove says of a login that is good, or of a member without regard to logins.
func (p *proofs) find(id protocol.MemberID, login string) (m Member, ok bool) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	known := p.byID[id]
	if known == nil || login != "" && !slices.Contains(known.logins, login) {
		return Member{}, false
	}
	return known.member, true
}

// now is what add wants to have from before the read.
func (p *proofs) now() uint64 {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.changes
}

// add remembers what was read, unless something was forgotten since: it may have been read before that. login is a good one
// of the member, or "".
func (p *proofs) add(since uint64, num int64, m Member, login string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.changes != since {
		return
	}
	if p.byID == nil {
		p.byID, p.byNum = make(map[protocol.MemberID]*proof), make(map[int64]*proof)
	}
	known := p.byID[m.ID]
	if known == nil {
		for _, other := range p.byID {
			if len(p.byID) < maxProofs {
				break
			}
			p.dropLocked(other)
		}
		known = &proof{num: num, member: m}
		p.byID[m.ID], p.byNum[num] = known, known
	}
	if login != "" && !slices.Contains(known.logins, login) {
		known.logins = append(known.logins, login)
	}
}

func (p *proofs) dropLocked(known *proof) {
	delete(p.byID, known.member.ID)
	delete(p.byNum, known.num)
}

// forget forgets members by their numbers.
func (p *proofs) forget(nums []int64) {
	if len(nums) == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.changes++
	for _, num := range nums {
		if known := p.byNum[num]; known != nil {
			p.dropLocked(known)
		}
	}
}

// clear forgets everybody.
func (p *proofs) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.changes++
	p.byID, p.byNum = nil, nil
}

// What a member's row says of it, for scanProof.
const (
	proofColumns = "m.num, m.id, m.name, m.key, m.generation, m.password <> '', " +
		"EXISTS (SELECT 1 FROM names n WHERE n.key = m.key AND n.member = m.num)"
	numProofColumns = 7
)

func scanProof(stmt *sqlite.Stmt) (num int64, m Member) {
	stmt.ColumnBytes(1, m.ID[:])
	m.Name, m.NameKey, m.Generation = stmt.ColumnText(2), stmt.ColumnText(3), stmt.ColumnInt64(4)
	m.Claimed, m.Holds = stmt.ColumnBool(5), stmt.ColumnBool(6)
	return stmt.ColumnInt64(0), m
}

// readProof is Prove without what is remembered.
func (s *Store) readProof(ctx context.Context, id protocol.MemberID, login string) (num int64, m Member, good, ok bool, err error) {
	const query = "SELECT " + proofColumns + ", EXISTS (SELECT 1 FROM logins l WHERE l.id = +? AND l.member = m.num)" +
		" FROM members m WHERE m.id = +?"
	err = s.readers.do(ctx, query, func(stmt *sqlite.Stmt) error {
		stmt.BindText(1, login)
		stmt.BindBytes(2, id[:])
		var err error
		if ok, err = stmt.Step(); ok {
			num, m = scanProof(stmt)
			good = stmt.ColumnBool(numProofColumns)
		}
		return err
	})
	if err != nil {
		return 0, Member{}, false, false, fmt.Errorf("read a member: %w", err)
	}
	return num, m, good, ok, nil
}

// readProofs has proofs remember those who are logged in, or some of them if they are too many: when a server starts again,
// they come back at once. It takes 2 us for each, a tenth of what Prove does.
func (s *Store) readProofs(w *writer) error {
	stmt, _, err := w.conn.PrepareTransient("SELECT " + proofColumns + ", l.id FROM logins l CROSS JOIN members m ON m.num = l.member LIMIT ?")
	if err != nil {
		return err
	}
	defer func() { _ = stmt.Finalize() }()
	stmt.BindInt64(1, maxProofs)
	s.proofs.clear()
	since := s.proofs.now()
	for {
		more, err := stmt.Step()
		if err != nil || !more {
			return err
		}
		num, m := scanProof(stmt)
		s.proofs.add(since, num, m, stmt.ColumnText(numProofColumns))
	}
}
