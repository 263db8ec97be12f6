//go:build linux

package tests

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// mendedWithin is how long the program may take to go on once the fault is gone.
const mendedWithin = 5 * time.Second

// fault is what a disk does to a running program.
type fault struct {
	name      string
	dir       func(t *testing.T) string // where the data is; nil = anywhere
	begin     func(t *testing.T, s *server)
	end       func(t *testing.T, s *server)
	immediate bool // nothing more is stored from the first moment on
}

// tmpfs is a file system of its own, of a few MB.
func tmpfs(t *testing.T) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("skipped: only root can mount a small file system")
	}
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=8m,mode=700"); err != nil {
		t.Skipf("skipped: no small file system can be mounted here: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

func limitFiles(t *testing.T, s *server, bytes uint64) {
	t.Helper()
	limit := [2]uint64{bytes, ^uint64(0)}
	_, _, errno := syscall.RawSyscall6(syscall.SYS_PRLIMIT64, uintptr(s.cmd.Process.Pid), syscall.RLIMIT_FSIZE, uintptr(unsafe.Pointer(&limit)), 0, 0, 0)
	if errno != 0 {
		t.Fatalf("limit the size of files: %v", errno)
	}
}

func moved(name string) (begin, end func(t *testing.T, s *server)) {
	move := func(from, to string) func(t *testing.T, s *server) {
		return func(t *testing.T, s *server) {
			t.Helper()
			if err := os.Rename(filepath.Join(s.dir, from), filepath.Join(s.dir, to)); err != nil {
				t.Fatal(err)
			}
		}
	}
	return move(name, name+".away"), move(name+".away", name)
}

// lockMount has the kernel say EROFS to whoever opens the files for writing. It refuses to take a mount away from those
// who write to it already, so another one of the same files, which nobody may write to, is laid over it; and after an
// error of a write, which comes first, the program opens its files anew.
func lockMount(t *testing.T, s *server) {
	t.Helper()
	limitFiles(t, s, 1)
	if err := syscall.Mount(s.dir, s.dir, "", syscall.MS_BIND, ""); err != nil {
		t.Fatalf("bind: %v", err)
	}
	if err := syscall.Mount("", s.dir, "", syscall.MS_REMOUNT|syscall.MS_BIND|syscall.MS_RDONLY, ""); err != nil {
		t.Fatalf("make it read-only: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(s.dir, syscall.MNT_DETACH) })
	eventually(t, "the program meets the error", func() bool {
		return s.curl("/r/lobby/messages?name=ci", "x").status == http.StatusServiceUnavailable
	})
	limitFiles(t, s, ^uint64(0))
	if err := os.WriteFile(filepath.Join(s.dir, "x"), nil, 0o600); !errors.Is(err, syscall.EROFS) {
		t.Fatalf("writing there: %v, want EROFS", err)
	}
}

func unlockMount(t *testing.T, s *server) {
	t.Helper()
	if err := syscall.Unmount(s.dir, syscall.MNT_DETACH); err != nil {
		t.Fatal(err)
	}
}

func faults() []fault {
	all := []fault{
		{
			name: "disk full", dir: tmpfs,
			begin: func(t *testing.T, s *server) {
				t.Helper()
				f, err := os.Create(filepath.Join(s.dir, "filler"))
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				for _, size := range []int{1 << 20, 4 << 10, 1} {
					for err = nil; err == nil; {
						_, err = f.Write(make([]byte, size))
					}
				}
			},
			end: func(t *testing.T, s *server) {
				t.Helper()
				if err := os.Remove(filepath.Join(s.dir, "filler")); err != nil {
					t.Fatal(err)
				}
			},
		},
		{ // every write beyond the first page of any file fails with an error that is not "disk full"
			name:      "I/O error",
			begin:     func(t *testing.T, s *server) { t.Helper(); limitFiles(t, s, 1) },
			end:       func(t *testing.T, s *server) { t.Helper(); limitFiles(t, s, ^uint64(0)) },
			immediate: true,
		},
	}
	all = append(all, fault{name: "mounted read-only", dir: tmpfs, begin: lockMount, end: unlockMount, immediate: true})
	for _, name := range []string{"govor.db", "govor.db-wal"} {
		begin, end := moved(name)
		all = append(all, fault{name: name + " gone", begin: begin, end: end, immediate: true})
		all = append(all, fault{name: name + " replaced", begin: func(t *testing.T, s *server) {
			t.Helper()
			begin(t, s)
			if err := os.WriteFile(filepath.Join(s.dir, name), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}, end: end, immediate: true})
	}
	return all
}

// Whatever happens to the disk: senders get a clear answer, what was acknowledged is there, readers go on, readiness says
// so, and everything continues without a restart.
func TestStorageFaults(t *testing.T) {
	t.Parallel()
	for _, f := range faults() {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			dir := ""
			if f.dir != nil {
				dir = f.dir(t)
			} else {
				dir = t.TempDir()
			}
			s := startIn(t, dir, "127.0.0.1:0", "--no-limits")
			reader := s.joined("Анна")
			talk := startCrowd(s, 2)
			talk.reach(100)
			sender := s.joined("Иван")
			f.begin(t, s)
			eventually(t, "sends are refused", func() bool { talk.mu.Lock(); defer talk.mu.Unlock(); return talk.failed > 10 })
			acked := talk.end()

			id, refusal := refusedSend(t, sender, acked)
			if code, reason := sender.ended(); refusal.Code != "unavailable" || code != 1013 {
				t.Errorf("a send is answered %s, and the connection ends with %d %q; want unavailable and 1013", refusal.raw, code, reason)
			}
			if r := s.request("GET", "/readyz", ""); r.status != http.StatusServiceUnavailable || !strings.Contains(r.body, "not ready") || strings.Contains(r.body, dir) {
				t.Errorf("/readyz = %d %q", r.status, r.body)
			}
			if r := s.request("GET", "/healthz", ""); r.status != http.StatusOK {
				t.Errorf("/healthz = %d", r.status)
			}
			if got := s.list("after=0"); len(got) == 0 {
				t.Error("readers get nothing")
			}
			late := s.json("Пётр", "")
			late.send(map[string]any{"type": "hello", "rooms": map[string]any{"lobby": map[string]any{"after": 0}}})
			late.message()

			f.end(t, s)
			since := time.Now()
			again := s.json("", "")
			again.send(map[string]any{"type": "hello", "token": sender.welcome.Token})
			again.frame("joined")
			for n := 0; ; n++ { // as a client does: with the same id, until it is stored
				again.say(id, "сказано во время беды")
				a := again.answer(id)
				if a.Type == "ack" {
					acked[a.Seq] = "сказано во время беды"
					break
				}
				if time.Since(since) > mendedWithin {
					t.Fatalf("not mended after %v: %s", mendedWithin, a.raw)
				}
				again = s.json("", "")
				again.send(map[string]any{"type": "hello", "token": sender.welcome.Token})
				again.frame("joined")
			}
			t.Logf("stored again after %v", time.Since(since).Round(time.Millisecond))
			s.awaitReady()
			reader.where("what was said in between", func(m frame) bool { return m.ID == id })
			s.wantAll(acked)
			s.kill()
			s = s.again()
			s.wantAll(acked)
			s.stop()
			if out, code := govor(t, "check", "--data-dir", s.dir); code != 0 {
				t.Errorf("check: %s", out)
			}
		})
	}
}

// refusedSend sends until a send is refused; with a full disk a few small ones may find room.
func refusedSend(t *testing.T, c *jsonConn, acked map[int64]string) (id string, refusal frame) {
	t.Helper()
	for n := range 5000 {
		id, text := fmt.Sprintf("fault-%d", n), "сказано во время беды"
		c.say(id, text)
		a := c.answer(id)
		if a.Type != "ack" {
			return id, a
		}
		acked[a.Seq] = text
	}
	t.Fatal("nothing is refused")
	return "", frame{}
}

// A power cut leaves the files as they are at one instant: everything acknowledged before is in them.
func TestPowerCut(t *testing.T) {
	t.Parallel()
	s := start(t, "--no-limits")
	talk := startCrowd(s, 4)
	for round := range 3 {
		talk.reach(200 * (round + 1))
		before := talk.seen()
		if err := s.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		copied := t.TempDir()
		for _, name := range []string{"govor.db", "govor.db-wal"} {
			if out, err := exec.CommandContext(t.Context(), "cp", filepath.Join(s.dir, name), copied).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
		}
		if err := s.cmd.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		after := startIn(t, copied, "127.0.0.1:0", "--no-limits")
		after.wantAll(before)
		after.stop()
		if out, code := govor(t, "check", "--data-dir", copied); code != 0 {
			t.Errorf("check: %s", out)
		}
	}
	talk.end()
}
