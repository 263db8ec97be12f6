//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// comeback bounds how long the program may take to start or to stop.
const comeback = 12 * time.Second

// build builds the server.
func build(ctx context.Context, o options, dir string) (string, error) {
	if o.binary != "" {
		return filepath.Abs(o.binary)
	}
	binary := filepath.Join(dir, "govor")
	args := []string{"build", "-o", binary}
	tags := "torture" // the clock can be set
	if o.mutant != "" {
		tags += ",mutant_" + o.mutant
	}
	args = append(args, "-tags", tags)
	out, err := exec.CommandContext(ctx, "go", append(args, "govor")...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build the server: %w\n%s", err, out)
	}
	return binary, nil
}

// trace is the file in which strace notes a life.
func (w *world) trace(l life) string { return filepath.Join(w.dir, fmt.Sprintf("trace-%d", l.n)) }

// clock is the file that says by how much the server's clock is wrong.
func (w *world) clock() string { return filepath.Join(w.dir, "clock") }

// setClock makes the server's clock wrong. The file is replaced as a whole, because it is read all the time.
func (w *world) setClock(by time.Duration) error {
	next := w.clock() + ".next"
	if err := os.WriteFile(next, []byte(by.String()), 0o600); err != nil {
		return err
	}
	return os.Rename(next, w.clock())
}

// process is one process of the server, perhaps under strace.
type process struct {
	cmd    *exec.Cmd
	pid    int // of the server itself
	log    *logFile
	exited chan struct{} // closed when it has ended; then code is set
	code   int
}

// start runs the server on the world's address and returns when it is ready.
func (w *world) start(ctx context.Context, l life) (*process, error) {
	args := []string{
		w.binary, "--listen", w.addr, "--data-dir", w.data, "--log-format", "json", "--no-limits", "--ring-bytes", l.ring,
		"--stall-timeout", l.stall, "--presence-grace", "1s", "--event-loop", map[string]string{"portable": "off", "loop": "on"}[l.driver],
	}
	traced := true
	const strace = "strace -f --seccomp-bpf -qq -y -s 0 -e signal=none -e trace=pwrite64,fdatasync,fsync,ftruncate"
	command := append(strings.Fields(strace), "-o", w.trace(l))
	switch l.disk {
	case diskTraced:
	case diskSlow:
		command = append(command, "-e", "inject=pwrite64,fsync,fdatasync:delay_enter=3000")
	case diskSick:
		command = append(command, "-e", "inject=fsync,fdatasync:error=EIO:delay_enter=20000:when=10+6")
	case diskDead:
		command = append(command, "-e", "inject=fsync,fdatasync:error=EIO:when=20+")
	case diskLocked:
		command = append(command, "-e", "inject=pwrite64,ftruncate,fsync,fdatasync:error=EROFS:when=60..200")
	default:
		traced, command = false, nil
	}
	args = append(command, args...)
	cmd := exec.Command(args[0], args[1:]...)
	p := &process{cmd: cmd, log: w.log, exited: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = w.log, w.log
	cmd.Env = append(os.Environ(), "GOVOR_TORTURE_CLOCK="+w.clock())
	if traced {
		cmd.Env = append(cmd.Env, "GODEBUG=asyncpreemptoff=1") // a preempted thread would stop in strace each time
	}
	cmd.WaitDelay = 3 * time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the server: %w", err)
	}
	go p.wait()
	if err := w.awaitReady(ctx, p, w.log.starts()); err != nil {
		p.kill()
		return nil, err
	}
	p.pid = cmd.Process.Pid
	if traced {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", p.pid, p.pid))
		if err == nil {
			p.pid, err = strconv.Atoi(strings.TrimSpace(string(b)))
		}
		if err != nil {
			p.kill()
			return nil, fmt.Errorf("find the traced server: %w", err)
		}
	}
	return p, nil
}

func (p *process) wait() {
	err := p.cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		p.code = exit.ExitCode()
	} else if err != nil && !errors.Is(err, exec.ErrWaitDelay) {
		p.code = -2
	}
	close(p.exited)
}

// awaitReady waits until the server has started once more than before, and says that it is ready.
func (w *world) awaitReady(ctx context.Context, p *process, before int) error {
	client := http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for deadline := time.Now().Add(comeback); ; {
		select {
		case <-p.exited:
			return &violation{restart, fmt.Sprintf("the program does not start: exit code %d, and the log ends with\n%s", p.code, w.log.tail())}
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(10 * time.Millisecond):
		}
		if w.log.starts() > before {
			if resp, err := client.Get("http://" + w.addr + "/readyz"); err == nil {
				resp.Body.Close()
				if resp.StatusCode == http.StatusOK {
					return nil
				}
			}
		}
		if time.Now().After(deadline) {
			return &violation{restart, fmt.Sprintf("the program is not ready after %v, and the log ends with\n%s", comeback, w.log.tail())}
		}
	}
}

// kill ends the process at once.
func (p *process) kill() {
	if p.pid != 0 {
		_ = syscall.Kill(p.pid, syscall.SIGKILL)
	}
	if p.pid != p.cmd.Process.Pid { // strace writes its last lines when what it traces has gone
		select {
		case <-p.exited:
			return
		case <-time.After(2 * time.Second):
		}
	}
	_ = p.cmd.Process.Kill()
	<-p.exited
}

// terminate ends the process as an operator does.
func (p *process) terminate(tail func() string) error {
	_ = syscall.Kill(p.pid, syscall.SIGTERM)
	select {
	case <-p.exited:
	case <-time.After(comeback):
		_ = syscall.Kill(p.pid, syscall.SIGQUIT)
		<-time.After(time.Second)
		return &violation{restart, fmt.Sprintf("the program has not ended %v after TERM, and the log ends with\n%s", comeback, tail())}
	}
	if p.code != 0 {
		return &violation{restart, fmt.Sprintf("the exit code after TERM is %d, and the log ends with\n%s", p.code, tail())}
	}
	return nil
}

// logFile is what all processes of the server wrote.
type logFile struct {
	mu      sync.Mutex // guards the fields below
	f       *os.File
	last    []byte // the end of it
	started int
	never   string // what must never be in it and was
}

// Write implements io.Writer.
func (l *logFile) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.started += bytes.Count(b, []byte(`"msg":"started"`))
	for _, never := range []string{"DATA RACE", "panic:", "panicked", "fatal error:"} {
		if l.never == "" && bytes.Contains(b, []byte(never)) {
			l.never = never
		}
	}
	if l.last = append(l.last, b...); len(l.last) > 16<<10 {
		l.last = bytes.Clone(l.last[len(l.last)-8<<10:])
	}
	return l.f.Write(b)
}

func (l *logFile) starts() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.started
}

func (l *logFile) tail() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.last[max(0, len(l.last)-3000):])
}

// check tells of what must never happen, whatever was tested.
func (l *logFile) check() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.never != "" {
		return &violation{restart, fmt.Sprintf("the program's log has %q, see %s", l.never, l.f.Name())}
	}
	return nil
}
