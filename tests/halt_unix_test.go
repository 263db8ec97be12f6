//go:build unix

package tests

import "syscall"

// halt makes the server take nothing, without a connection breaking, until goOn.
func (w *walk) halt() {
	w.t.Helper()
	w.signal(syscall.SIGSTOP)
}

func (w *walk) goOn() {
	w.t.Helper()
	w.signal(syscall.SIGCONT)
}

func (w *walk) signal(sig syscall.Signal) {
	w.t.Helper()
	if err := w.s.cmd.Process.Signal(sig); err != nil {
		w.t.Fatal(err)
	}
}
