package store

import (
	"context"
	"errors"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"zombiezen.com/go/sqlite"
)

const (
	passivePages    = 12000                  // not yet merged pages of the write-ahead log from which they are merged, beside the writer
	restartBytes    = 64 << 20               // of the log from which the writer waits for the rest to be merged
	truncateBytes   = 128 << 20              // of its file from which it is cut as well
	restartPatience = 200 * time.Millisecond // waiting for readers meanwhile; our own are shorter
	restartPause    = 2 * time.Second        // after that was in vain
	checkpointGap   = 20 * time.Millisecond  // between two looks
	roomBytes       = 256 << 10              // of the log's file that are there before they are needed
	extendBytes     = 512 << 10              // by which it is made longer
	frameBytes      = 4096 + 24              // of a page in the log

	// Erased text is in the log, and in what the log covers of the database, until the log is cut.
	eraseDelay = 5 * time.Second // others may be erased meanwhile
	eraseAgain = 2 * time.Second // after it was in vain
)

// checkpointer merges the write-ahead log into the database: not in a commit, which would then wait for it, but in a
// goroutine with a connection of its own.
type checkpointer struct {
	// Fixed at construction.
	store *Store
	wake  chan struct{} // capacity 1
	stop  context.CancelFunc
	done  chan struct{}
	bytes atomic.Int64
	wipe  chan struct{} // capacity 1: something was erased

	left bool // something was erased before the program began, and may be in the log

	// Owned by the goroutine.
	busy   time.Time // when a restart was in vain
	failed string    // why the last look failed, "" when it did not

	mu      sync.Mutex // guards the fields below; taken after Store.writing
	conn    *sqlite.Conn
	observe func(time.Duration)
}

func newCheckpointer(s *Store) *checkpointer {
	ctx, stop := context.WithCancel(context.Background()) // ended by close
	c := &checkpointer{
		store: s, wake: make(chan struct{}, 1), wipe: make(chan struct{}, 1), stop: stop, done: make(chan struct{}),
		left: !s.skeletons.latest.IsZero(),
	}
	go c.run(ctx)
	return c
}

// OnCheckpoint has f called with the duration of every checkpoint from now on, from the goroutine that does them.
func (s *Store) OnCheckpoint(f func(time.Duration)) {
	s.checkpoints.mu.Lock()
	defer s.checkpoints.mu.Unlock()
	s.checkpoints.observe = f
}

// WALBytes is how much the write-ahead log held when it was last looked at.
func (s *Store) WALBytes() int64 { return s.checkpoints.bytes.Load() }

// nudge says that something was committed.
func (c *checkpointer) nudge() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// erase says that the log holds text that was erased.
func (c *checkpointer) erase() {
	select {
	case c.wipe <- struct{}{}:
	default:
	}
}

// close ends the goroutine and its connection.
func (c *checkpointer) close() {
	c.stop()
	<-c.done
	c.disconnect()
}

// disconnect closes the connection; the next look opens another one.
func (c *checkpointer) disconnect() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.disconnectLocked()
}

func (c *checkpointer) disconnectLocked() {
	if c.conn != nil {
		_ = c.conn.Close()
		c.conn = nil
	}
}

func (c *checkpointer) run(ctx context.Context) {
	defer close(c.done)
	var wiping <-chan time.Time // when what was erased leaves the log; nil = nothing was
	if c.left {
		wiping = time.After(0) // the program may have been killed before that, and be killed again soon
	}
	for {
		select {
		case <-c.wake:
			c.note(c.look(ctx))
		case <-c.wipe:
			if wiping == nil {
				wiping = time.After(eraseDelay)
			}
		case <-wiping:
			wiping = nil
			if done, err := c.cut(ctx); !done {
				c.note(err)
				wiping = time.After(eraseAgain)
			}
		case <-ctx.Done():
			return
		}
		select {
		case <-time.After(checkpointGap):
		case <-ctx.Done():
			return
		}
	}
}

// note logs an error when it is another one than last time.
func (c *checkpointer) note(err error) {
	was := c.failed
	c.failed = ""
	if err == nil || errors.Is(err, context.Canceled) {
		return
	}
	c.store.suspect(err)
	if c.failed = err.Error(); c.failed != was {
		c.store.log.Error("write-ahead log is not merged", zap.Error(err))
	}
}

// look merges the log when there is enough of it.
func (c *checkpointer) look(ctx context.Context) error {
	state, err := c.checkpoint("NOOP")
	if err == nil {
		c.extend(state.pages * frameBytes)
	}
	if err != nil || state.pages-state.merged < passivePages && state.pages*frameBytes < restartBytes {
		return err
	}
	if state, err = c.checkpoint("PASSIVE"); err != nil || state.pages*frameBytes < restartBytes {
		return err
	}
	return c.restart(ctx)
}

// extend adds zeros to the log's file, which SQLite takes for nothing, when commits have come near its end: what is written
// over is synced a quarter sooner than what makes a file longer. That the new blocks have been written ext4 notes in a thread
// of its own, which waits for a processor when there is none free. It goes on until the file is as long as the log may become.
// An error is no harm: SQLite makes it longer itself. Nor is a commit meanwhile, since the system looks for the end of the file
// and writes there at once; SQLite has its locks on other files, so that closing this one does not drop them.
func (c *checkpointer) extend(used int64) {
	path := c.store.path + "-wal"
	if fi, err := os.Stat(path); runtime.GOOS != "linux" || err != nil || fi.Size()-used >= roomBytes || fi.Size() >= restartBytes {
		return
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0) //nolint:gosec // our own
	if err != nil {
		return
	}
	if _, err := f.Write(make([]byte, extendBytes)); err == nil {
		_ = f.Sync() // now, or the next commit would wait for it
	}
	_ = f.Close()
}

// restart makes the writer wait until the log is merged to its end, which under steady load it never is, and begin it
// anew. That is quick after a passive checkpoint. The file keeps its length, because writing over it is cheaper than
// making it longer (a sync then has no lengths to write); only one that grew out of bounds is cut.
func (c *checkpointer) restart(ctx context.Context) error {
	if time.Since(c.busy) < restartPause {
		return nil
	}
	mode := "RESTART"
	if fi, err := os.Stat(c.store.path + "-wal"); err == nil && fi.Size() > truncateBytes {
		mode = "TRUNCATE"
	}
	if err := c.store.acquire(ctx); err != nil {
		return err
	}
	defer c.store.release()
	state, err := c.checkpoint(mode)
	if state.busy { // another process reads for long, a backup perhaps
		c.busy = time.Now()
	}
	return err
}

// cut takes what was erased out of the files: the log is merged to its end and cut to nothing, copies from before a
// migration are removed, and erased.jsonl is complete. It tells whether all of that is done; without an error the log
// was read by somebody for long.
func (c *checkpointer) cut(ctx context.Context) (done bool, err error) {
	if _, err := c.checkpoint("PASSIVE"); err != nil { // most of the work, beside the writer
		return false, err
	}
	if err := c.store.acquire(ctx); err != nil {
		return false, err
	}
	defer c.store.release()
	state, err := c.checkpoint("TRUNCATE")
	if err != nil {
		return false, err
	}
	if err := c.store.skeletons.flush(); err != nil {
		return false, err
	}
	return !state.busy, c.store.removeCopies()
}

// logState is what a checkpoint finds.
type logState struct {
	busy          bool  // it could not be done, or not to the end
	pages, merged int64 // in the log, and how many of them are in the database too
}

// checkpoint runs one pragma.
func (c *checkpointer) checkpoint(mode string) (state logState, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer func() {
		if err != nil {
			c.disconnectLocked()
		}
	}()
	if c.conn == nil {
		if c.conn, err = c.store.dial(nil); err != nil {
			return state, err
		}
		c.conn.SetBusyTimeout(restartPatience)
	}
	start := time.Now()
	stmt, err := c.conn.Prepare("PRAGMA wal_checkpoint(" + mode + ")")
	if err != nil {
		return state, err
	}
	if _, err = stmt.Step(); err != nil {
		return state, err
	}
	state = logState{busy: stmt.ColumnBool(0), pages: max(stmt.ColumnInt64(1), 0), merged: max(stmt.ColumnInt64(2), 0)}
	if err = stmt.Reset(); err != nil {
		return state, err
	}
	c.bytes.Store(state.pages * frameBytes)
	if mode != "NOOP" && c.observe != nil {
		c.observe(time.Since(start))
	}
	return state, nil
}
