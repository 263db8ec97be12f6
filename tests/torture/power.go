//go:build linux

package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
)

// Power cuts. kill -9 loses nothing that was written, because the system's cache outlives the process. So a life that
// ends by a power cut runs under strace, which notes every write to a file and every sync that came back; after kill -9
// what was written and not synced by then is overwritten with zeros, as a disk may hand back what never reached it.
// What was acknowledged must be in what is left.

// write is a range of a file that was written.
type write struct {
	path   string
	at     int64
	n      int64
	number int // in the order of completion
}

var (
	traceCall    = regexp.MustCompile(`^(\d+) +(pwrite64|fdatasync|fsync|ftruncate)\(\d+<([^>]*)>(?:, ""\.\.\., (\d+), (\d+)|, (\d+))?(\)| <unfinished| <detached)(?: += (-?\d+|\?))?`)
	traceResumed = regexp.MustCompile(`^(\d+) +<\.\.\. (pwrite64|fdatasync|fsync|ftruncate) resumed>.*\) += (-?\d+|\?)`)
)

// unsynced reads a trace and returns what was written and not synced at its end.
func unsynced(trace io.Reader) ([]write, error) {
	t := tracer{open: map[string]*call{}}
	lines := bufio.NewScanner(trace)
	for lines.Scan() {
		if m := traceCall.FindSubmatch(lines.Bytes()); m != nil {
			if err := t.enter(m); err != nil {
				return nil, err
			}
		} else if m := traceResumed.FindSubmatch(lines.Bytes()); m != nil {
			if c := t.open[string(m[1])]; c != nil {
				delete(t.open, string(m[1]))
				t.leave(c, string(m[3]))
			}
		} else if bytes.Contains(lines.Bytes(), []byte("pwrite64(")) {
			return nil, fmt.Errorf("read the trace: %q is not understood", lines.Text())
		}
	}
	for _, c := range t.open {
		t.leave(c, "?")
	}
	return t.dirty, lines.Err()
}

type tracer struct {
	open  map[string]*call // by thread
	dirty []write
	done  int // writes completed
}

type call struct {
	name string
	write
	before int // writes that were complete when a sync began
}

func (t *tracer) enter(m [][]byte) error {
	c := &call{name: string(m[2]), write: write{path: string(m[3])}, before: t.done}
	if c.name == "pwrite64" {
		var err error
		if c.n, err = strconv.ParseInt(string(m[4]), 10, 64); err != nil {
			return fmt.Errorf("read the trace: %w", err)
		}
		if c.at, err = strconv.ParseInt(string(m[5]), 10, 64); err != nil {
			return fmt.Errorf("read the trace: %w", err)
		}
	}
	if len(m[8]) == 0 {
		t.open[string(m[1])] = c
		return nil
	}
	t.leave(c, string(m[8]))
	return nil
}

// leave is the end of a call; "?" means that the process has ended in it.
func (t *tracer) leave(c *call, result string) {
	switch c.name {
	case "pwrite64":
		t.done++
		c.number = t.done
		if n, err := strconv.ParseInt(result, 10, 64); err == nil {
			c.n = n // less, if the disk was full; negative after an error
		}
		if c.n > 0 {
			t.dirty = append(t.dirty, c.write)
		}
	case "fdatasync", "fsync":
		if result != "0" {
			return
		}
		left := t.dirty[:0]
		for _, w := range t.dirty {
			if w.path != c.path || w.number > c.before {
				left = append(left, w)
			}
		}
		t.dirty = left
	}
}

// cutPower undoes what was not synced.
func (w *world) cutPower(l life) error {
	f, err := os.Open(w.trace(l))
	if err != nil {
		return err
	}
	defer f.Close()
	writes, err := unsynced(f)
	if err != nil {
		return err
	}
	rng := stream(w.o.seed, fmt.Sprint("power ", l.n))
	for _, d := range writes {
		if rng.Float64() >= l.lost {
			continue
		}
		if err := zero(d); err != nil {
			return err
		}
	}
	fmt.Printf("  %d writes were not synced\n", len(writes))
	return nil
}

func zero(d write) error {
	f, err := os.OpenFile(d.path, os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil // deleted since
	} else if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteAt(make([]byte, d.n), d.at)
	return err
}
