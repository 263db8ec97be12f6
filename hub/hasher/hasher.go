// Package hasher makes and compares hashes of passwords in processes of their own, which give way to everybody else. A hash
// wants a processor and 19 MiB for a moment: beside the chat it would keep whoever talks waiting, by Go's scheduler and by
// its garbage, however few are made at a time. The system lets the chat go first when processes are apart.
//
// The process is the program itself with the command Command; it ends when it is not needed for a while, and with the
// server. Where none can be started, hashes are made here; so is one that gets no processor there for too long, since who
// gives way to everybody may wait for ever where others leave nothing.
package hasher

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/alexedwards/argon2id"
	"go.uber.org/zap"
)

// Command is what the program is called with to be such a process. It is none for people.
const Command = "hash-passwords"

// params are those of OWASP for 19 MiB; a hash carries its own, so they may change.
var params = argon2id.Params{Memory: 19 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// order is what is asked of a process, a line of JSON each; with a hash it is compared with.
type order struct {
	Word string `json:"word"`
	Hash string `json:"hash,omitempty"`
}

// result is what comes back, in the same way.
type result struct {
	Hash  string `json:"hash,omitempty"`
	Same  bool   `json:"same,omitempty"`
	Error string `json:"error,omitempty"`
}

func (o order) do() result {
	var r result
	var err error
	if o.Hash == "" {
		r.Hash, err = argon2id.CreateHash(o.Word, &params)
	} else {
		r.Same, err = argon2id.ComparePasswordAndHash(o.Word, o.Hash)
	}
	if err != nil {
		r.Error = err.Error()
	}
	return r
}

// Serve is the work of the process: it does what in asks for until in ends.
func Serve(in io.Reader, out io.Writer) error {
	signal.Ignore(os.Interrupt, syscall.SIGTERM) // a signal to all of the server's: it still needs this one, and ends it
	giveWay()
	orders, results := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var o order
		switch err := orders.Decode(&o); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("read an order: %w", err)
		}
		if err := results.Encode(o.do()); err != nil {
			return fmt.Errorf("write a result: %w", err)
		}
	}
}

// Bounds of a process.
const (
	patience = 2 * time.Second // for one hash, which takes a fiftieth of that; and for its end
	keep     = time.Minute     // it waits so long for the next
)

// Hasher makes and compares hashes. There is a process for each that is made at the same time: how many that may be is the
// caller's. Its methods may be called from any goroutine.
type Hasher struct {
	// Fixed at construction.
	program  string // "" = there is none
	patience time.Duration
	log      *zap.Logger

	mu     sync.Mutex // guards the fields below
	idle   []*worker
	closed bool
}

// New starts nothing yet. program is the path of this program; "" has hashes made here.
func New(program string, log *zap.Logger) *Hasher {
	return &Hasher{program: program, patience: patience, log: log}
}

// Hash makes a hash of a password.
func (h *Hasher) Hash(password string) (string, error) {
	r, err := h.ask(order{Word: password})
	return r.Hash, err
}

// Same compares a password with a hash, which is none of "".
func (h *Hasher) Same(password, hash string) (bool, error) {
	r, err := h.ask(order{password, hash})
	return r.Same, err
}

// ask has an order done by a process, or here if there is none that can.
func (h *Hasher) ask(o order) (result, error) {
	r, err := h.elsewhere(o)
	if err != nil {
		h.log.Warn("no process for passwords, hashing beside the chat", zap.Error(err))
	}
	if err != nil || h.program == "" {
		r = o.do()
	}
	if r.Error != "" {
		return result{}, errors.New(r.Error)
	}
	return r, nil
}

func (h *Hasher) elsewhere(o order) (result, error) {
	if h.program == "" {
		return result{}, nil
	}
	w, err := h.take()
	if err != nil {
		return result{}, err
	}
	r, err := w.ask(o)
	if err != nil {
		w.end()
		return result{}, err
	}
	h.put(w)
	return r, nil
}

func (h *Hasher) take() (*worker, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, errors.New("the server is stopping")
	}
	for len(h.idle) > 0 {
		w := h.idle[len(h.idle)-1]
		h.idle = h.idle[:len(h.idle)-1]
		if w.timer.Stop() {
			return w, nil
		} // it is being ended
	}
	return start(h.program, h.patience)
}

// put keeps the process for a while.
func (h *Hasher) put(w *worker) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		w.end()
		return
	}
	w.timer = time.AfterFunc(keep, w.end)
	h.idle = append(h.idle, w)
}

// Close ends the processes that nobody waits for, and the others when they are done. To close none does nothing.
func (h *Hasher) Close() {
	if h == nil {
		return
	}
	h.mu.Lock()
	idle := h.idle
	h.idle, h.closed = nil, true
	h.mu.Unlock()
	for _, w := range idle {
		w.timer.Stop()
		w.end()
	}
}

// worker is a process. One goroutine at a time uses it.
type worker struct {
	cmd      *exec.Cmd
	patience time.Duration
	in       io.WriteCloser
	out      *bufio.Reader
	timer    *time.Timer // ends it; set while it is idle
	once     sync.Once
}

func start(program string, patience time.Duration) (*worker, error) {
	w := &worker{cmd: exec.Command(program, Command), patience: patience} //nolint:noctx // the path is our own, and end ends it
	w.cmd.Env = []string{}
	var err error
	if w.in, err = w.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("start a process for passwords: %w", err)
	}
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start a process for passwords: %w", err)
	}
	w.out = bufio.NewReader(out)
	if err := w.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start a process for passwords: %w", err)
	}
	return w, nil
}

func (w *worker) ask(o order) (r result, err error) {
	kill := time.AfterFunc(w.patience, func() { _ = w.cmd.Process.Kill() })
	defer kill.Stop()
	if err := json.NewEncoder(w.in).Encode(o); err != nil {
		return r, fmt.Errorf("ask a process for passwords: %w", err)
	}
	line, err := w.out.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &r)
	}
	if err != nil {
		return r, fmt.Errorf("hear from a process for passwords: %w", err)
	}
	return r, nil
}

// end waits until the process is gone. It may be called more than once.
func (w *worker) end() {
	w.once.Do(func() {
		_ = w.in.Close()
		kill := time.AfterFunc(w.patience, func() { _ = w.cmd.Process.Kill() })
		defer kill.Stop()
		_ = w.cmd.Wait()
	})
}
