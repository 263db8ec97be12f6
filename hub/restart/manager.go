package restart

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"go.uber.org/zap"
)

// Manager hears who asks for a restart, and talks to the service manager.
type Manager struct {
	// Fixed at construction.
	log     *zap.Logger
	getenv  func(string) string
	dataDir func() (string, error)
	program *Program
	asked   <-chan os.Signal
}

// NewManager makes one; from now on asking for a restart does not end the process. dataDir reads the settings anew and
// says where the next program will find its data.
func NewManager(log *zap.Logger, getenv func(string) string, dataDir func() (string, error)) (*Manager, error) {
	asked := askedFor()
	program, err := self()
	if err != nil {
		return nil, err
	}
	return &Manager{log: log, getenv: getenv, dataDir: dataDir, program: program, asked: asked}, nil
}

// Next serves until there is a reason to stop: ctx has ended, failed says why serving has, or there is a program to go on
// with, for which the socket of ln is then kept.
func (m *Manager) Next(ctx context.Context, failed <-chan error, ln *Listener) (*Program, error) {
	for {
		select {
		case <-ctx.Done():
			return nil, nil //nolint:nilnil // an end is neither
		case err := <-failed:
			return nil, err
		case <-m.asked:
			if next := m.successor(ctx, ln); next != nil {
				return next, nil
			}
		}
	}
}

// successor is the program to restart with; nil if it could not go on. Serving is not disturbed.
func (m *Manager) successor(ctx context.Context, ln *Listener) *Program {
	m.log.Info("restart asked for")
	m.Tell(Reloading, "restarting")
	var version string
	dir, err := m.dataDir()
	if err == nil {
		version, err = m.program.check(ctx, dir)
	}
	if err == nil {
		err = ln.keep()
	}
	if err != nil {
		m.log.Error("restart cancelled, going on", zap.Error(err))
		m.Tell(Ready, "restart cancelled: "+err.Error())
		return nil
	}
	m.log.Info("restarting", zap.String("program", m.program.path), zap.String("next", version))
	return m.program
}

// Tell tells the service manager, if there is one, how this process is.
func (m *Manager) Tell(state, status string) {
	if err := notify(m.getenv, state, status); err != nil {
		m.log.Warn("the service manager does not know", zap.String("state", state), zap.Error(err))
	}
}

// UntilSignal returns a context that ends with the first signal to stop. The second one ends the program at once. After
// cancel every one of them does.
func UntilSignal(ctx context.Context) (_ context.Context, cancel context.CancelFunc) {
	ctx, end := context.WithCancel(ctx)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	go func() { // ends with done
		for first := true; ; first = false {
			select {
			case <-signals:
				if !first {
					os.Exit(1)
				}
				end()
			case <-done:
				return
			}
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(done)
		end()
	}
}
