package store

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// readers is a pool of connections that cannot write. A reader is taken for one bounded query, so that no transaction
// keeps the write-ahead log from being merged. The one that was used last is taken first: its cache has what is asked for
// again and again, and the others need none while one is enough.
type readers struct {
	// Fixed at construction.
	dial    func() (*sqlite.Conn, error)
	suspect func(error)   // told every error
	slots   chan struct{} // one for each connection that is in free
	closed  chan struct{} // closed by close
	once    sync.Once

	mu   sync.Mutex     // guards the field below
	free []*sqlite.Conn // a nil is a connection that is not open yet
}

func newReaders(dial func() (*sqlite.Conn, error), suspect func(error)) *readers {
	r := &readers{
		dial:    dial,
		suspect: suspect,
		slots:   make(chan struct{}, min(max(runtime.GOMAXPROCS(0), 4), 16)),
		closed:  make(chan struct{}),
	}
	r.fill()
	return r
}

// fill opens connections for all slots, which are empty. It does not wait for a read: one that is open goes on reading
// whatever becomes of the file's name. What cannot be opened now is opened when it is needed.
func (r *readers) fill() {
	for range cap(r.slots) {
		conn, err := r.dial()
		if err != nil {
			conn = nil
		}
		r.put(conn)
	}
}

// put gives a connection to whoever asks next.
func (r *readers) put(conn *sqlite.Conn) {
	r.mu.Lock()
	r.free = append(r.free, conn)
	r.mu.Unlock()
	r.slots <- struct{}{}
}

// pop takes the one that was put last, for a slot that was taken before.
func (r *readers) pop() *sqlite.Conn {
	r.mu.Lock()
	defer r.mu.Unlock()
	last := len(r.free) - 1
	conn := r.free[last]
	r.free = r.free[:last]
	return conn
}

// do runs read with a prepared statement of a reader. read may stop at any row; it must not keep the statement.
//
// A parameter of query is written +?. A bare one SQLite takes for a hint at the best plan: it compiles the statement anew when
// the hint has changed, and the binding clears all parameters before a statement is used again. That would be twenty times the
// work of reading a message.
func (r *readers) do(ctx context.Context, query string, read func(*sqlite.Stmt) error) (err error) {
	select {
	case <-r.closed:
		return ErrClosed
	default:
	}
	select {
	case <-r.slots:
	case <-r.closed:
		return ErrClosed
	case <-ctx.Done():
		return fmt.Errorf("wait for a reader: %w", ctx.Err())
	}
	conn := r.pop()
	defer func() {
		if err != nil && conn != nil && !transient(err) {
			_ = conn.Close()
			conn = nil
		}
		r.put(conn)
		r.suspect(err)
	}()
	if conn == nil {
		if conn, err = r.dial(); err != nil {
			return err
		}
	}
	stmt, err := conn.Prepare(query)
	if err != nil {
		return err
	}
	err = read(stmt)
	if rerr := stmt.Reset(); err == nil {
		err = rerr
	}
	return err
}

// shrink has the connections that nobody uses now give back the pages they remember. Whoever asks meanwhile waits for
// that, some milliseconds.
func (r *readers) shrink() {
	var conns []*sqlite.Conn
	for {
		select {
		case <-r.slots:
			conns = append(conns, r.pop())
			continue
		default:
		}
		break
	}
	for _, conn := range slices.Backward(conns) { // what was used last is to be the first again
		if conn != nil && shrink(conn) != nil {
			_ = conn.Close()
			conn = nil
		}
		r.put(conn)
	}
}

func shrink(conn *sqlite.Conn) error {
	return sqlitex.ExecuteTransient(conn, "PRAGMA shrink_memory", nil)
}

// seize waits for the reads in progress, closes all connections and keeps others waiting until free is called.
func (r *readers) seize() (free func()) {
	for range cap(r.slots) {
		<-r.slots
		if conn := r.pop(); conn != nil {
			_ = conn.Close()
		}
	}
	return r.fill
}

// close waits for the reads in progress and closes all connections; later reads are ErrClosed.
func (r *readers) close() {
	r.once.Do(func() {
		close(r.closed)
		r.seize()
	})
}
