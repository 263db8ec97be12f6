package terminal

import (
	"context"
	"io"
	"os"
	"strings"
	"testing"
)

// runPiped runs the whole client with pipes.
func runPiped(t *testing.T, input string, env map[string]string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	if env == nil {
		env = map[string]string{}
	}
	env["XDG_STATE_HOME"] = t.TempDir()
	pipe := func() (r, w *os.File) {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = r.Close() })
		return r, w
	}
	inR, inW := pipe()
	outR, outW := pipe()
	errR, errW := pipe()
	if _, err := io.WriteString(inW, input); err != nil {
		t.Fatal(err)
	}
	_ = inW.Close()
	read := func(r io.Reader) chan string {
		c := make(chan string, 1)
		go func() {
			data, err := io.ReadAll(r)
			if err != nil {
				t.Error(err)
			}
			c <- string(data)
		}()
		return c
	}
	out, notes := read(outR), read(errR)
	code = Run(context.Background(), args, inR, outW, errW, func(key string) string { return env[key] })
	_ = outW.Close()
	_ = errW.Close()
	return code, <-out, <-notes
}

func TestRunInAPipe(t *testing.T) {
	s := newFakeServer(t)
	code, out, notes := runPiped(t, "раз\r\nдва\n\xff\n", nil, "ci", "-s", s.srv.URL)
	if code != exitOK || !strings.Contains(out, "ci: раз\n") || !strings.Contains(out, "ci: \uFFFD\n") || !strings.Contains(notes, "* You are ci · Lobby") {
		t.Errorf("exit code %d, out %q, notes %q", code, out, notes)
	}
	if got := s.texts(); len(got) != 3 || got[0] != "раз" {
		t.Errorf("stored %q", got)
	}
	code, out, _ = runPiped(t, "", map[string]string{"GOVOR_NAME": "ci", "GOVOR_SERVER": s.srv.URL}, "--json", "--history=2")
	if code != exitOK || strings.Count(out, `{"type":"message"`) != 2 || strings.Count(out, "\n") != 2 {
		t.Errorf("exit code %d, out %q", code, out)
	}
}

func TestRunWithoutAServer(t *testing.T) {
	s := newFakeServer(t)
	s.stop()
	code, _, notes := runPiped(t, "пропало\n", nil, "ci", "-s", s.srv.URL, "--timeout=50ms")
	if code != exitNoConnection || !strings.Contains(notes, "Cannot connect to "+s.srv.URL) || !strings.Contains(notes, "* Not sent (1):\n  пропало") {
		t.Errorf("exit code %d, notes %q", code, notes)
	}
}

func TestRunUsage(t *testing.T) {
	for _, test := range []struct {
		args       []string
		code       int
		out, notes string
	}{
		{nil, exitUsage, "", "govor client NAME"},
		{[]string{"--nonsense"}, exitUsage, "", "unknown flag: --nonsense"},
		{[]string{"a:b"}, exitName, "", "Name: 1–32"},
		{[]string{"--help"}, exitOK, "--server URL", ""},
		{[]string{"--version"}, exitOK, "govor ", ""},
	} {
		code, out, notes := runPiped(t, "", nil, test.args...)
		if code != test.code || !strings.Contains(out, test.out) || !strings.Contains(notes, test.notes) {
			t.Errorf("%q: exit code %d, out %q, notes %q", test.args, code, out, notes)
		}
	}
}
