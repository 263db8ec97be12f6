//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// world is one run: the server's files and address, the clients, and what they were told.
type world struct {
	// Fixed at construction.
	o       options
	dir     string // of this run; removed in the end
	data    string // the server's data directory
	binary  string
	addr    string
	can     abilities
	log     *logFile
	ledger  *ledger
	mounted bool
	seeded  bool // there are rooms in the file that are none of ours

	calm      atomic.Bool  // nothing goes wrong on wires any more, and nobody says anything new
	over      atomic.Bool  // the server is told to end
	listening atomic.Int64 // not 0 while connections must not be refused; another number each time
	wires     wireCounts
	running   sync.WaitGroup // clients
	stop      context.CancelFunc
	clients   []*client
	ends      map[string]int // of lives, by how they ended
	recovered []time.Duration
	erasing   time.Duration // from when everything was quiet until no deleted text was in any file
}

// smallDisk is the size of the disk that gets full: enough for half an hour of what is said.
const smallDisk = 768 << 20

func newWorld(o options) (*world, error) {
	dir, err := os.MkdirTemp("", "govor-torture-")
	if err != nil {
		return nil, err
	}
	w := &world{
		o: o, dir: dir, data: filepath.Join(dir, "data"), ledger: newLedger(),
		ends: map[string]int{}, stop: func() {},
	}
	if err := w.prepare(); err != nil {
		return nil, errors.Join(err, w.close(false))
	}
	return w, nil
}

func (w *world) prepare() (err error) {
	f, err := os.Create(filepath.Join(w.dir, "server.log"))
	if err != nil {
		return err
	}
	w.log = &logFile{f: f}
	if err := os.Mkdir(w.data, 0o700); err != nil {
		return err
	}
	if err := syscall.Mount("govor-torture", w.data, "tmpfs", syscall.MS_NOSUID|syscall.MS_NODEV, fmt.Sprintf("size=%d,mode=700", smallDisk)); err == nil {
		w.mounted, w.can.full = true, true
	} else {
		fmt.Printf("left out: the full disk, because a small tmpfs cannot be mounted (%v)\n", err)
	}
	if err := exec.Command("strace", "--seccomp-bpf", "-f", "-qq", "-e", "trace=pwrite64", "-o", "/dev/null", "true").Run(); err == nil {
		w.can.trace = true
	} else {
		fmt.Printf("left out: power cuts and slow or failing disks, because strace does not work (%v)\n", err)
	}
	w.can.restart = true
	if w.binary, err = build(context.Background(), w.o, w.dir); err != nil {
		return err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	w.addr = ln.Addr().String()
	return ln.Close()
}

// close ends everything; what may explain a failure is kept.
func (w *world) close(failed bool) error {
	w.stop()
	w.running.Wait()
	if w.log != nil {
		_ = w.log.f.Close()
	}
	if failed || w.o.keep {
		kept := filepath.Join(w.dir, "kept")
		_ = os.Mkdir(kept, 0o700)
		for _, name := range []string{"govor.db", "govor.db-wal"} {
			_ = copyFile(filepath.Join(w.data, name), filepath.Join(kept, name))
		}
		fmt.Printf("the file, the log and the trace are in %s\n", w.dir)
	}
	if w.mounted {
		if err := syscall.Unmount(w.data, 0); err != nil {
			_ = syscall.Unmount(w.data, syscall.MNT_DETACH)
		}
	}
	if failed || w.o.keep {
		return nil
	}
	return os.RemoveAll(w.dir)
}

// inPeace runs do in a world of one life, in which nothing goes wrong with the server. before, if not nil, may fill the
// data directory.
func inPeace(ctx context.Context, o options, ring string, before func(context.Context, *world) error, do func(context.Context, *world, *process) error) (err error) {
	w, err := newWorld(o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close(err != nil)) }()
	if before != nil {
		if err := before(ctx, w); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	w.ledger.broken = cancel
	l := life{n: 1, driver: o.driver, disk: diskWell, ring: ring, stall: "1m"}
	if l.driver == "" {
		l.driver = "loop"
	}
	p, err := w.start(ctx, l)
	if err != nil {
		return err
	}
	defer p.kill()
	return first(ctx, do(ctx, w, p))
}

// live runs the server for one life and looks at the file when it has ended.
func (w *world) live(ctx context.Context, l life) error {
	fmt.Println(l)
	p, err := w.start(ctx, l)
	if err != nil {
		return err
	}
	defer p.kill()
	if err := w.wait(ctx, p, l.length/2); err != nil {
		return err
	}
	if err := w.setClock(l.clock); err != nil {
		return err
	}
	if err := w.wait(ctx, p, l.length/2); err != nil {
		return err
	}
	if l.disk == diskFull {
		if err := w.fill(ctx, p); err != nil {
			return err
		}
	}
	switch l.end {
	case endTerm:
		err = p.terminate(w.log.tail)
	case endRestart:
		if err = w.replace(ctx, p); err == nil {
			err = w.wait(ctx, p, 500*time.Millisecond)
		}
		p.kill()
	default:
		p.kill()
		if l.end == endPower {
			err = w.cutPower(l)
		}
	}
	w.ends[l.end]++
	if err := errors.Join(err, w.log.check()); err != nil {
		return err
	}
	return w.look(ctx, false)
}

// wait lets a life go on. It must not end by itself.
func (w *world) wait(ctx context.Context, p *process, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-p.exited:
		return &violation{restart, fmt.Sprintf("the program ended by itself with %d, and the log ends with\n%s", p.code, w.log.tail())}
	}
}

// fill leaves no room on the disk for a second. Afterwards something must be stored again within five.
func (w *world) fill(ctx context.Context, p *process) error {
	ballast, err := os.Create(filepath.Join(w.data, "ballast"))
	if err != nil {
		return err
	}
	defer os.Remove(ballast.Name())
	for size := int64(64 << 20); size >= 4096; { // as large as can be, then the rest in smaller steps
		fi, err := ballast.Stat()
		if err == nil {
			err = syscall.Fallocate(int(ballast.Fd()), 0, fi.Size(), size)
		}
		if errors.Is(err, syscall.ENOSPC) {
			size /= 2
		} else if err != nil {
			return fmt.Errorf("fill the disk: %w", err)
		}
	}
	for full := time.Now(); time.Since(time.Unix(0, w.ledger.lastAck.Load())) < 300*time.Millisecond; {
		if err := w.wait(ctx, p, 10*time.Millisecond); err != nil { // there is a little room in the files of the database
			return err
		}
		if time.Since(full) > patience {
			return fmt.Errorf("a full disk keeps nobody from storing for %v", patience)
		}
	}
	if err := w.wait(ctx, p, time.Second); err != nil {
		return err
	}
	_ = ballast.Close()
	if err := os.Remove(ballast.Name()); err != nil {
		return err
	}
	free := time.Now()
	for w.ledger.lastAck.Load() < free.UnixNano() {
		if err := w.wait(ctx, p, 10*time.Millisecond); err != nil {
			return err
		}
		if time.Since(free) > 5*time.Second {
			return &violation{onDisk, "nothing was stored within 5 s after a full disk had room again"}
		}
	}
	w.recovered = append(w.recovered, time.Since(free))
	return nil
}

// patience bounds how long the clients may take to bring everything to an end when nothing goes wrong any more.
const patience = 20 * time.Second

// last is the life in which nothing goes wrong: everything is acknowledged and everybody sees everything.
func (w *world) last(ctx context.Context, lives *plan) error {
	l := lives.next()
	l.disk, l.end = diskWell, endTerm
	fmt.Printf("the last life: %s driver, nothing goes wrong\n", l.driver)
	w.calm.Store(true)
	p, err := w.start(ctx, l)
	if err != nil {
		return err
	}
	defer p.kill()
	if err := errors.Join(w.settle(ctx, p), w.awaitErased(ctx, p)); err != nil {
		return err
	}
	if err := p.terminate(w.log.tail); err != nil {
		return err
	}
	w.stop()
	w.running.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := w.log.check(); err != nil {
		return err
	}
	return w.look(ctx, true)
}

// settle waits until everything has a receipt and everybody has everything.
func (w *world) settle(ctx context.Context, p *process) error {
	for deadline := time.Now().Add(patience); ; {
		waiting := w.unfinished()
		if waiting == "" {
			return nil
		}
		if time.Now().After(deadline) {
			return &violation{noGap, fmt.Sprintf("%v after the last fault, %s", patience, waiting)}
		}
		if err := w.wait(ctx, p, 20*time.Millisecond); err != nil {
			return err
		}
	}
}

// report prints what was done.
func (w *world) report(took time.Duration) {
	l := w.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	slices.Sort(l.catch)
	p99, worst := time.Duration(0), time.Duration(0)
	if n := len(l.catch); n > 0 {
		p99, worst = l.catch[n*99/100], l.catch[n-1]
	}
	fmt.Printf("%v: %d messages said, %d receipts (%d of retries), %d shown; %d connections, %d cut, %d with lost answers, %d stalled\n",
		took.Round(time.Second), len(l.byText), l.receipts.Load(), l.duplicates.Load(), l.deliveries.Load(), w.wires.dials.Load(),
		w.wires.cuts.Load(), w.wires.swallows.Load(), w.wires.stalls.Load())
	fmt.Printf("ends: %v; from connecting to caught up: p99 %v, at most %v\n", w.ends, p99.Round(time.Millisecond), worst.Round(time.Millisecond))
	fmt.Printf("%d edits and %d deletions; what was deleted was in no file %v after the end\n", l.count(sayEdit), l.count(sayDelete), w.erasing.Round(100*time.Millisecond))
	if len(w.recovered) > 0 {
		fmt.Printf("stored again after a full disk within: %v\n", slices.Max(w.recovered).Round(time.Millisecond))
	}
	fmt.Println("every promise held")
}

func copyFile(from, to string) error {
	src, err := os.Open(from)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, src)
	return errors.Join(err, dst.Close())
}
