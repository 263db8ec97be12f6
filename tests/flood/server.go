package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"time"
)

// server is the program under the flood.
type server struct {
	cmd  *exec.Cmd
	addr string
}

var openAt = regexp.MustCompile(`http://(\S+)`)

func startServer(binary, data string) (*server, error) {
	cmd := exec.Command(binary, "--listen", "127.0.0.1:0", "--data-dir", data, "--log-level", "error",
		"--metrics-listen", metricsAddr, "--pprof")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := startOn(serverCore, cmd); err != nil {
		return nil, fmt.Errorf("start the program: %w", err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if m := openAt.FindStringSubmatch(lines.Text()); m != nil {
			go func() { // ends with the program
				for lines.Scan() {
				}
			}()
			return &server{cmd, m[1]}, nil
		}
	}
	_ = cmd.Wait()
	return nil, errors.New("the program did not start")
}

// metricsAddr is where the server has its profiles.
const metricsAddr = "127.0.0.5:8099"

// profile writes what the server spends its time on.
func (s *server) profile(path string, duration time.Duration) {
	resp, err := http.Get(fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", metricsAddr, max(1, int(duration.Seconds())-1)))
	if err == nil {
		defer resp.Body.Close()
		var b []byte
		if b, err = io.ReadAll(resp.Body); err == nil {
			err = os.WriteFile(path, b, 0o600)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "flood: no profile:", err)
	}
}

func (s *server) stop() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}
