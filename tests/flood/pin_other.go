//go:build !linux

package main

import (
	"errors"
	"os/exec"
	"time"
)

const (
	serverCore = 0
	talkCore   = 1
)

var errLinux = errors.New("only on Linux can a program be kept to a core")

func startOn(int, *exec.Cmd) error { return errLinux }

func pinTo(int) error { return errLinux }

func hurry() error { return errLinux }

func yield() error { return errLinux }

func steer(int, int) (func(), error) { return nil, errLinux }

func cpuOf(int) time.Duration { return 0 }
