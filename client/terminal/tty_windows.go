package terminal

import (
	"os"

	"golang.org/x/sys/windows"
)

// prepareOutput makes the console obey sequences.
func prepareOutput(out *os.File) func() {
	handle := windows.Handle(out.Fd())
	var mode uint32
	if windows.GetConsoleMode(handle, &mode) != nil {
		return func() {}
	}
	_ = windows.SetConsoleMode(handle, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING|windows.ENABLE_PROCESSED_OUTPUT)
	return func() { _ = windows.SetConsoleMode(handle, mode) }
}

// watch does nothing: the size is asked for at every change.
func (t *tty) watch(func()) (stop func()) { return func() {} }

// suspend does nothing: there are no jobs to stop.
func (t *tty) suspend() {}
