package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// The server's core, and the one of everybody else.
const (
	serverCore = 0
	talkCore   = 1
)

// startOn starts a command on one core: Go's runtime in it sees one core from its first instruction. It has no priority,
// whatever this process has.
func startOn(core int, cmd *exec.Cmd) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return fmt.Errorf("read the cores: %w", err)
	}
	if runtime.NumCPU() > 1 {
		if err := setCore(0, core); err != nil {
			return err
		}
		defer func() { _ = unix.SchedSetaffinity(0, &before) }()
	}
	attr, err := unix.SchedGetAttr(0, 0)
	if err != nil {
		return fmt.Errorf("read the priority: %w", err)
	}
	if attr.Policy != unix.SCHED_NORMAL {
		if err := setPolicy(0, unix.SCHED_NORMAL, 0); err != nil {
			return err
		}
		defer func() { _ = setPolicy(0, attr.Policy, attr.Priority) }()
	}
	return cmd.Start()
}

// pinTo has this process and those it starts run on one core.
func pinTo(core int) error {
	if runtime.NumCPU() == 1 {
		return nil
	}
	runtime.GOMAXPROCS(1)
	return eachThread(func(tid int) error { return setCore(tid, core) })
}

func setCore(tid, core int) error {
	var one unix.CPUSet
	one.Set(core)
	if err := unix.SchedSetaffinity(tid, &one); err != nil {
		return fmt.Errorf("keep to core %d: %w", core, err)
	}
	return nil
}

// hurry has this process run before everybody else on its core (SCHED_RR). Otherwise those who talk would wait for the flood
// there, though it gives way: up to the next tick of the clock, where the kernel is built so that nobody is interrupted
// before.
func hurry() error {
	return eachThread(func(tid int) error { return setPolicy(tid, unix.SCHED_RR, 1) })
}

// yield has this process run only while nobody else wants to (SCHED_IDLE).
func yield() error {
	return eachThread(func(tid int) error { return setPolicy(tid, unix.SCHED_IDLE, 0) })
}

// workqueues is the file that says on which cores the kernel does work that is bound to none.
const workqueues = "/sys/devices/virtual/workqueue/cpumask"

// scanners are the kernel's threads that look through memory, milliseconds in a row where nobody has a higher priority.
var scanners = []string{"kdamond", "kcompactd", "khugepaged", "ksmd"}

// steer has the kernel do such work on one core and look through memory on another one, until undo is called. What a disk has
// to do is among the first: on the core of the flood it would wait, and the server with it, up to the next tick of the clock.
func steer(core, other int) (undo func(), err error) {
	before, err := os.ReadFile(workqueues)
	if err == nil {
		err = os.WriteFile(workqueues, fmt.Appendf(nil, "%x", 1<<core), 0)
	}
	if err != nil {
		return nil, fmt.Errorf("keep the kernel's work on core %d: %w", core, err)
	}
	back := aside(other)
	return func() {
		back()
		if err := os.WriteFile(workqueues, before, 0); err != nil {
			fmt.Fprintf(os.Stderr, "flood: %s should be %s again: %v\n", workqueues, bytes.TrimSpace(before), err)
		}
	}, nil
}

// aside puts the scanners on a core until back is called; those that may not be moved stay.
func aside(core int) (back func()) {
	were := map[int]unix.CPUSet{}
	names, _ := filepath.Glob("/proc/[0-9]*/comm")
	for _, name := range names {
		comm, _ := os.ReadFile(name)
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(name)))
		if err != nil || !slices.ContainsFunc(scanners, func(s string) bool { return bytes.HasPrefix(comm, []byte(s)) }) {
			continue
		}
		var was unix.CPUSet
		if unix.SchedGetaffinity(pid, &was) == nil && setCore(pid, core) == nil {
			were[pid] = was
		}
	}
	return func() {
		for pid, was := range were {
			_ = unix.SchedSetaffinity(pid, &was)
		}
	}
}

// setPolicy says when a thread has its turn; 0 is the one that calls.
func setPolicy(tid int, policy, priority uint32) error {
	attr := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: policy, Priority: priority}
	if err := unix.SchedSetAttr(tid, &attr, 0); err != nil {
		return fmt.Errorf("set the priority: %w", err)
	}
	return nil
}

// cpuOf is the processor time that a process has taken.
func cpuOf(pid int) time.Duration {
	var ts unix.Timespec
	if unix.ClockGettime(int32(^pid)<<3|2, &ts) != nil {
		return 0
	}
	return time.Duration(ts.Nano())
}
