package terminal

import (
	"context"
	"io"
	"strings"
	"sync"
	"testing"
	"time"
)

// hasty is the usual pace for tests.
var hasty = pace{
	dial: 5 * time.Second, ping: 10 * time.Millisecond, silence: 5 * time.Second, calm: 20 * time.Millisecond,
	steady: time.Minute, echo: time.Second, goodbye: 150 * time.Millisecond,
}

// output is what a client wrote, to be waited for.
type output struct {
	mu      sync.Mutex
	changed *sync.Cond
	text    strings.Builder
	late    bool
}

func newOutput() *output {
	o := &output{}
	o.changed = sync.NewCond(&o.mu)
	return o
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.changed.Broadcast()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func (o *output) wait(t *testing.T, what string) {
	t.Helper()
	timer := time.AfterFunc(5*time.Second, func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.late = true
		o.changed.Broadcast()
	})
	defer timer.Stop()
	o.mu.Lock()
	defer o.mu.Unlock()
	for !strings.Contains(o.text.String(), what) {
		if o.late {
			t.Fatalf("waited in vain for %q in:\n%s", what, o.text.String())
		}
		o.changed.Wait()
	}
}

// piped is a client with a lineFace under test.
type piped struct {
	t          *testing.T
	in         *io.PipeWriter
	out, notes *output
	client     *client
	interrupt  context.CancelFunc
	code       chan int
}

// startPiped starts a client for s; args are as on the command line, change may adjust it before it runs.
func startPiped(t *testing.T, s *fakeServer, change func(c *client), args ...string) *piped {
	t.Helper()
	env := func(string) string { return "" }
	opts, err := parseOptions(append([]string{"-s", s.srv.URL}, args...), &russian, env)
	if err != nil {
		t.Fatal(err)
	}
	r, w := io.Pipe()
	p := &piped{t: t, in: w, out: newOutput(), notes: newOutput(), code: make(chan int, 1)}
	paint := &painter{words: &russian, now: time.Now, zone: time.UTC}
	guard := func() {}
	p.client = &client{
		opts: opts, words: &russian, dial: dialer(credentials(&opts)), now: time.Now, pace: hasty, guard: guard,
		random:  func() float64 { return 0.01 },
		face:    newLineFace(r, p.out, p.notes, paint, palette{}, opts.json, guard),
		history: max(0, opts.history),
	}
	if change != nil {
		change(p.client)
	}
	ctx, cancel := context.WithCancel(t.Context())
	p.interrupt = cancel
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.code <- p.client.run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
		_ = w.Close()
		_ = r.Close()
	})
	return p
}

func (p *piped) type_(lines ...string) {
	p.t.Helper()
	for _, line := range lines {
		if _, err := io.WriteString(p.in, line+"\n"); err != nil {
			p.t.Fatal(err)
		}
	}
}

func (p *piped) wantExit(want int) {
	p.t.Helper()
	select {
	case got := <-p.code:
		if got != want {
			p.t.Fatalf("exit code %d, want %d; notes:\n%s", got, want, p.notes)
		}
	case <-time.After(10 * time.Second):
		p.t.Fatalf("the client did not end; notes:\n%s", p.notes)
	}
}
