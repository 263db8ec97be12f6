package store

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"zombiezen.com/go/sqlite"
)

const (
	passivePages  = 4000                  // not yet merged pages of the write-ahead log from which it is merged, beside the writer
	truncateBytes = 64 << 20              // length of the log from which the writer waits for it to be merged and cut
	checkpointGap = 20 * time.Millisecond // between two looks
	frameBytes    = 4096 + 24
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

	mu      sync.Mutex // guards the fields below; taken after Store.writing
	conn    *sqlite.Conn
	observe func(time.Duration)
}

func newCheckpointer(s *Store) *checkpointer {
	ctx, stop := context.WithCancel(context.Background()) // ended by close
	c := &checkpointer{store: s, wake: make(chan struct{}, 1), stop: stop, done: make(chan struct{})}
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
	for {
		select {
		case <-c.wake:
		case <-ctx.Done():
			return
		}
		if err := c.look(ctx); err != nil && ctx.Err() == nil {
			c.store.suspect(err)
			c.store.log.Error("checkpoint", zap.Error(err))
		}
		select {
		case <-time.After(checkpointGap):
		case <-ctx.Done():
			return
		}
	}
}

// look merges the log when there is enough of it.
func (c *checkpointer) look(ctx context.Context) error {
	log, merged, err := c.checkpoint("NOOP")
	if err != nil || log-merged < passivePages && log*frameBytes < truncateBytes {
		return err
	}
	if log, _, err = c.checkpoint("PASSIVE"); err != nil || log*frameBytes < truncateBytes {
		return err
	}
	// Under steady load the log is never merged to its end, so that it grows. With the writer waiting there is only a
	// little left to merge.
	if err := c.store.acquire(ctx); err != nil {
		return err
	}
	defer c.store.release()
	_, _, err = c.checkpoint("TRUNCATE")
	return err
}

// checkpoint runs one pragma and returns how many pages are in the log and how many of them are merged.
func (c *checkpointer) checkpoint(mode string) (log, merged int64, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer func() {
		if err != nil {
			c.disconnectLocked()
		}
	}()
	if c.conn == nil {
		if c.conn, err = dial(c.store.path, nil); err != nil {
			return 0, 0, err
		}
		c.conn.SetBusyTimeout(200 * time.Millisecond) // readers are shorter
	}
	start := time.Now()
	stmt, err := c.conn.Prepare("PRAGMA wal_checkpoint(" + mode + ")")
	if err != nil {
		return 0, 0, err
	}
	if _, err = stmt.Step(); err != nil {
		return 0, 0, err
	}
	log, merged = max(stmt.ColumnInt64(1), 0), max(stmt.ColumnInt64(2), 0)
	if err := stmt.Reset(); err != nil {
		return 0, 0, err
	}
	c.bytes.Store(log * frameBytes)
	if mode != "NOOP" && c.observe != nil {
		c.observe(time.Since(start))
	}
	return log, merged, nil
}
