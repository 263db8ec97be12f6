//go:build !unix

package tests

func (w *walk) halt() { w.t.Skip("this system cannot halt a process") }

func (w *walk) goOn() {}
