//go:build unix

package terminal

import (
	"os"
	"os/signal"
	"syscall"
	"time"
)

// prepareOutput has nothing to do: terminals of Unix obey sequences.
func prepareOutput(*os.File) func() { return func() {} }

// watch calls resized when the window has another size, until the function that it returns is called.
func (t *tty) watch(resized func()) (stop func()) {
	sizes := make(chan os.Signal, 1)
	quit, done := make(chan struct{}), make(chan struct{})
	signal.Notify(sizes, syscall.SIGWINCH)
	go func() {
		defer close(done)
		for {
			select {
			case <-sizes:
				resized()
			case <-quit:
				return
			}
		}
	}()
	return func() {
		signal.Stop(sizes)
		close(quit)
		<-done
	}
}

// unstoppable is after how long it is clear that there is no shell to continue a stopped job, so that the system did not
// stop it. A program that is stopped does not notice the time.
const unstoppable = 300 * time.Millisecond

// suspend gives the terminal back and stops the whole job, as the shell expects of Ctrl+Z; it returns when the job is
// continued.
func (t *tty) suspend() {
	t.restore()
	continued := make(chan os.Signal, 1)
	signal.Notify(continued, syscall.SIGCONT)
	defer signal.Stop(continued)
	if syscall.Kill(0, syscall.SIGTSTP) == nil {
		select {
		case <-continued:
		case <-time.After(unstoppable):
		}
	}
	_ = t.raw() // if it cannot be raw, keys still arrive, by the line
}
