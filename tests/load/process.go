//go:build linux

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"govor/tests/load/generator"
)

// startPinned starts a command on one core. The core is the one of this thread for a moment, so that Go's runtime in the
// command sees one core from its first instruction.
func startPinned(cmd *exec.Cmd, core int) error {
	var before, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return fmt.Errorf("read the cores: %w", err)
	}
	one.Set(core)
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		return fmt.Errorf("pin to core %d: %w", core, err)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	err := cmd.Start()
	return errors.Join(err, unix.SchedSetaffinity(0, &before))
}

// server is a peer that runs.
type server struct {
	cmd  *exec.Cmd
	log  *os.File
	port int
	done chan error
}

const (
	startTimeout = 30 * time.Second
	stopTimeout  = 15 * time.Second
)

// serve starts a peer on the servers' core and waits until it accepts connections.
func (b *bench) serve(peer string) (*server, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	args := b.command(peer, addr)
	s := &server{cmd: exec.Command(args[0], args[1:]...), port: port, done: make(chan error, 1)}
	if s.log, err = os.OpenFile(b.path(peer+".log"), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600); err != nil {
		return nil, fmt.Errorf("open the log of %s: %w", peer, err)
	}
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	if err := startPinned(s.cmd, b.serverCore); err != nil {
		return nil, fmt.Errorf("start %s: %w", peer, err)
	}
	go func() { s.done <- s.cmd.Wait() }()
	for end := time.Now().Add(startTimeout); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		select {
		case err := <-s.done:
			return nil, fmt.Errorf("%s ended at its start, see %s: %w", peer, s.log.Name(), err)
		default:
		}
		if c, err := net.DialTimeout("tcp", addr, time.Second); err == nil {
			return s, c.Close()
		}
	}
	s.stop()
	return nil, fmt.Errorf("%s does not listen after %s, see %s", peer, startTimeout, s.log.Name())
}

// stop ends a peer, if need be by force.
func (s *server) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.done:
	case <-time.After(stopTimeout):
		_ = s.cmd.Process.Kill()
		<-s.done
	}
	_ = s.log.Close()
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	return port, l.Close()
}

// crowd is a generator that runs.
type crowd struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	errors strings.Builder
	killer *time.Timer
}

// gather starts a generator on the members' core and waits until everybody is connected.
func (b *bench) gather(spec generator.Spec) (*crowd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	c := &crowd{cmd: exec.Command(self, generateCommand)}
	c.cmd.Stderr = &c.errors
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("open pipe: %w", err)
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("open pipe: %w", err)
	}
	c.out = bufio.NewReader(out)
	if err := startPinned(c.cmd, b.loadCore); err != nil {
		return nil, fmt.Errorf("start the members: %w", err)
	}
	// Whatever happens, nothing hangs: the times of a run add up to this at most.
	limit := 2*time.Minute + spec.Idle + spec.Warm + spec.Measure + spec.Drain
	if spec.Background {
		limit = 10 * time.Minute
	}
	c.killer = time.AfterFunc(limit, func() { _ = c.cmd.Process.Kill() })
	if err := json.NewEncoder(c.in).Encode(spec); err != nil {
		return nil, errors.Join(fmt.Errorf("tell the members: %w", err), c.abandon())
	}
	if line, err := c.out.ReadString('\n'); err != nil || line != "ready\n" {
		return nil, errors.Join(errors.New("the members did not connect"), c.abandon())
	}
	return c, nil
}

// result waits for what the members saw; finish ends a crowd in the background first.
func (c *crowd) result(finish bool) (generator.Result, error) {
	var r generator.Result
	if finish {
		_ = c.in.Close()
	}
	err := json.NewDecoder(c.out).Decode(&r)
	if err != nil {
		return r, errors.Join(fmt.Errorf("read what the members saw: %w", err), c.abandon())
	}
	c.killer.Stop()
	if err := c.cmd.Wait(); err != nil {
		return r, fmt.Errorf("the members: %w", err)
	}
	return r, nil
}

// abandon ends a crowd by force and says what it had to say.
func (c *crowd) abandon() error {
	c.killer.Stop()
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait()
	return errors.New(strings.TrimSpace(c.errors.String()))
}
