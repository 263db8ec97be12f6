package restart

import (
	"errors"
	"net"
	"sync"
)

// joined is a listener that accepts from several.
type joined struct {
	// Fixed at construction.
	all   []net.Listener
	ready chan arrived // capacity 0; closed when all are closed and what they have accepted was taken
	once  sync.Once    // begins accept
}

// arrived is a connection, or why there is none.
type arrived struct {
	conn net.Conn
	err  error
}

func newJoined(all []net.Listener) *joined { return &joined{all: all, ready: make(chan arrived)} }

// accept has each listener accept in a goroutine that ends when it is closed.
func (j *joined) accept() {
	var running sync.WaitGroup
	for _, ln := range j.all {
		running.Go(func() {
			for {
				c, err := ln.Accept()
				if errors.Is(err, net.ErrClosed) {
					return
				}
				j.ready <- arrived{c, err} // after an error whoever accepts waits a little
			}
		})
	}
	go func() { // ends after the last of them
		running.Wait()
		close(j.ready)
	}()
}

// Accept implements net.Listener. After Close it returns what had been accepted before, and then net.ErrClosed.
func (j *joined) Accept() (net.Conn, error) {
	j.once.Do(j.accept)
	a, ok := <-j.ready
	if !ok {
		return nil, net.ErrClosed
	}
	return a.conn, a.err
}

// Close implements net.Listener.
func (j *joined) Close() error {
	var err error
	for _, ln := range j.all {
		err = errors.Join(err, ln.Close())
	}
	return err
}

// Addr implements net.Listener: that of the first.
func (j *joined) Addr() net.Addr { return j.all[0].Addr() }
