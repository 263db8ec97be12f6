package protocol

import "testing"

func TestDoing(t *testing.T) {
	for text, want := range map[string]string{
		"/me машет рукой": "машет рукой", "/me   да": "да", "/me раз\nдва": "раз\nдва", "/me /me": "/me", "/me `x` ": "`x` ",
		"/me": "", "/me ": "", "/me  \n ": "", "/me\nx": "", "/meow": "", " /me x": "", "x /me y": "", "/ME x": "", "": "", "/me\u00a0x": "",
	} {
		what, ok := Doing(text)
		if ok != (want != "") || ok && what != want {
			t.Errorf("Doing(%q) = %q, %v, want %q", text, what, ok, want)
		}
	}
}
