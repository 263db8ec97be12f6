// Package tests drives the whole program from outside: it is built once, and each test runs processes of its own on a
// free port with a data directory of their own. The tests share nothing with the program but its protocol, and nothing
// with the console client, so that one mistake is not made twice.
package tests

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// Fixed by TestMain.
var (
	serverBinary string
	clientBinary string
)

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "govor-tests-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	serverBinary = filepath.Join(dir, "govor"+exe())
	clientBinary = filepath.Join(dir, "client"+exe())
	for binary, pkg := range map[string]string{serverBinary: "govor", clientBinary: "govor/client"} {
		args := []string{"build", "-o", binary}
		if raceEnabled { // a race in the program fails its test, see server.checkLog
			args = append(args, "-race", "-gcflags=modernc.org/...=-race=false") // as in the Makefile
		}
		cmd := exec.Command("go", append(args, pkg)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build %s: %v\n%s", pkg, err, out)
			return 1
		}
	}
	defer closeBrowser()
	return m.Run()
}

func exe() string {
	if runtime.GOOS == "windows" {
		return ".exe"
	}
	return ""
}

// drivers are the ways in which the program moves bytes between sockets and the hub. What concerns the moving is
// tested with each of them.
var drivers = func() []driver {
	all := []driver{{"portable", []string{"--event-loop=off"}}}
	if runtime.GOOS == "linux" {
		all = append(all, driver{"loop", []string{"--event-loop=on"}})
	}
	return all
}()

type driver struct {
	name string
	args []string
}

// eachDriver runs the test with a fresh server of each driver.
func eachDriver(t *testing.T, test func(t *testing.T, s *server), args ...string) {
	t.Helper()
	t.Parallel()
	for _, d := range drivers {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			test(t, start(t, append(d.args, args...)...))
		})
	}
}
