package terminal

import (
	"context"
	"errors"
	"sync"
	"time"

	"govor/hub/protocol"
)

// pace is how long things take; tests are in a hurry.
type pace struct {
	dial    time.Duration // for one attempt to connect
	ping    time.Duration // between heartbeats
	silence time.Duration // a connection without any frame for so long is dead
	calm    time.Duration // a cut is shown when it has lasted so long
	steady  time.Duration // a connection that lasted so long was a good one
	echo    time.Duration // at the end: for the echo of what has a receipt
	goodbye time.Duration // for the close handshake
}

var usualPace = pace{
	dial: 10 * time.Second, ping: 15 * time.Second, silence: 40 * time.Second, calm: 2 * time.Second,
	steady: 10 * time.Second, echo: time.Second, goodbye: 150 * time.Millisecond,
}

// event is what a link tells the client's loop: up once, then frames, then err as the last.
type event struct {
	link  *link
	up    bool
	frame protocol.Frame
	raw   []byte
	err   error
}

// link is one attempt at a connection and, if it succeeds, the connection. Its goroutine dials and reads, a second one
// writes; both end when ctx ends, and done is closed when they have.
type link struct {
	// Fixed at construction.
	pace   pace
	events chan<- event
	queue  chan []byte   // commands to write; closed by nobody
	bye    chan struct{} // closed by close
	done   chan struct{}
	cancel context.CancelFunc

	once sync.Once // closes bye
}

// errOverrun ends a link whose server takes nothing.
var errOverrun = errors.New("the server takes nothing")

// newLink starts to connect.
func newLink(ctx context.Context, dial dialFunc, url string, p pace, events chan<- event, guard func()) *link {
	ctx, cancel := context.WithCancel(ctx)
	l := &link{
		pace: p, events: events, queue: make(chan []byte, 2*protocol.MaxUnacknowledged),
		bye: make(chan struct{}), done: make(chan struct{}), cancel: cancel,
	}
	go func() {
		defer close(l.done)
		defer guard()
		defer cancel()
		err := l.run(ctx, dial, url)
		l.tell(ctx, event{err: err})
	}()
	return l
}

func (l *link) run(ctx context.Context, dial dialFunc, url string) error {
	dialing, cancel := context.WithTimeout(ctx, l.pace.dial)
	w, err := dial(dialing, url)
	cancel()
	if err != nil {
		return err
	}
	var writer sync.WaitGroup
	writeCtx, stopWriter := context.WithCancel(ctx)
	writer.Go(func() { l.write(writeCtx, w) })
	defer writer.Wait()
	defer w.Abort()
	defer stopWriter()
	l.tell(ctx, event{up: true})
	return l.read(ctx, w)
}

func (l *link) read(ctx context.Context, w wire) error {
	for {
		reading, cancel := context.WithTimeout(ctx, l.pace.silence)
		data, err := w.Read(reading)
		cancel()
		if err != nil {
			return err
		}
		frame, err := protocol.DecodeFrame(data)
		if err != nil || frame == nil {
			continue // what this program does not understand is not for it
		}
		l.tell(ctx, event{frame: frame, raw: data})
	}
}

// write writes what is queued, and heartbeats. An error cuts the connection, so that read ends too.
func (l *link) write(ctx context.Context, w wire) {
	ticker := time.NewTicker(l.pace.ping)
	defer ticker.Stop()
	for {
		var data []byte
		select {
		case data = <-l.queue:
		case <-ticker.C:
			data = []byte(`{"type":"ping"}`)
		case <-l.bye:
			w.Close()
			return
		case <-ctx.Done():
			return
		}
		writing, cancel := context.WithTimeout(ctx, l.pace.silence)
		err := w.Write(writing, data)
		cancel()
		if err != nil {
			w.Abort()
			return
		}
	}
}

func (l *link) tell(ctx context.Context, e event) {
	e.link = l
	select {
	case l.events <- e:
	case <-l.bye: // nobody listens any more
	case <-ctx.Done():
	}
}

// send queues a command; it never blocks. A link whose queue is full is cut.
func (l *link) send(data []byte) error {
	select {
	case l.queue <- data:
		return nil
	default:
		l.cancel()
		return errOverrun
	}
}

// close says goodbye and waits for the end, but not long.
func (l *link) close() {
	l.once.Do(func() { close(l.bye) })
	select {
	case <-l.done:
		return
	case <-time.After(l.pace.goodbye):
	}
	l.cancel()
	select {
	case <-l.done:
	case <-time.After(l.pace.goodbye):
	}
}
