package terminal

import (
	"fmt"
	"os"
	"sync"

	"golang.org/x/term"
)

// tty is the terminal in raw mode. Its methods may be called from any goroutine.
type tty struct {
	in, out *os.File

	mu    sync.Mutex // guards the fields below
	saved *term.State
	undo  func() // puts right what prepareOutput changed
}

func openTTY(in, out *os.File) (*tty, error) {
	t := &tty{in: in, out: out}
	if err := t.raw(); err != nil {
		return nil, err
	}
	return t, nil
}

func (t *tty) raw() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	saved, err := term.MakeRaw(int(t.in.Fd()))
	if err != nil {
		return fmt.Errorf("set the terminal to raw mode: %w", err)
	}
	t.saved, t.undo = saved, prepareOutput(t.out)
	return nil
}

// restore ends the raw mode; the second call does nothing.
func (t *tty) restore() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.saved != nil {
		_ = term.Restore(int(t.in.Fd()), t.saved)
		t.undo()
		t.saved = nil
	}
}

// size is (0, 0) when it is not known.
func (t *tty) size() (columns, rows int) {
	columns, rows, err := term.GetSize(int(t.out.Fd()))
	if err != nil {
		return 0, 0
	}
	return columns, rows
}
