package hasher

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

// TestMain makes the test's own program one that hashes.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == Command {
		if Serve(os.Stdin, os.Stdout) != nil {
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

func TestHashIsRightWhereverItIsMade(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		program string
		lines   int // in the log
	}{"elsewhere": {self, 0}, "here": {"", 0}, "here, for there is no such program": {self + ".none", 4}} {
		t.Run(name, func(t *testing.T) {
			core, logs := observer.New(zapcore.WarnLevel)
			h := New(tt.program, zap.New(core))
			h.patience = time.Minute
			defer h.Close()
			hash, err := h.Hash("длинный \"пароль\"\n")
			if err != nil || !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
				t.Fatalf("Hash = %q, %v", hash, err)
			}
			if same, err := h.Same("длинный \"пароль\"\n", hash); !same || err != nil {
				t.Errorf("the right password: %v, %v", same, err)
			}
			if same, err := h.Same("длинный \"пароль\"", hash); same || err != nil {
				t.Errorf("a wrong password: %v, %v", same, err)
			}
			if _, err := h.Same("x", "no hash"); err == nil {
				t.Error("what is no hash is compared")
			}
			if logs.Len() != tt.lines {
				t.Errorf("%d lines in the log, want %d: %v", logs.Len(), tt.lines, logs.All())
			}
		})
	}
}

// Who waits for a process that gets nowhere is not kept waiting.
func TestHashIsMadeHereWhereItWouldTakeForEver(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("skipped: there are no scripts to be such a process")
	}
	program := filepath.Join(t.TempDir(), "idle")
	if err := os.WriteFile(program, []byte("#!/bin/sh\nexec sleep 600\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	core, logs := observer.New(zapcore.WarnLevel)
	h := New(program, zap.New(core))
	defer h.Close()
	began := time.Now()
	if hash, err := h.Hash("password"); err != nil || !strings.HasPrefix(hash, "$argon2id$") {
		t.Errorf("Hash = %q, %v", hash, err)
	}
	if took := time.Since(began); took > 5*patience {
		t.Errorf("it took %v", took)
	}
	if logs.Len() != 1 {
		t.Errorf("%d lines in the log, want 1: %v", logs.Len(), logs.All())
	}
}

// A process that is killed is replaced, and the one who waits for it gets an answer all the same.
func TestProcessThatDiesIsReplaced(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	core, logs := observer.New(zapcore.WarnLevel)
	h := New(self, zap.New(core))
	h.patience = time.Minute
	defer h.Close()
	hash, err := h.Hash("password")
	if err != nil {
		t.Fatal(err)
	}
	first := h.idle[0]
	_ = first.cmd.Process.Kill()
	if same, err := h.Same("password", hash); !same || err != nil {
		t.Errorf("after the death: %v, %v", same, err)
	}
	if same, err := h.Same("password", hash); !same || err != nil || h.idle[0] == first {
		t.Errorf("with the next one: %v, %v", same, err)
	}
	if logs.Len() != 1 {
		t.Errorf("%d lines in the log, want 1", logs.Len())
	}
}
