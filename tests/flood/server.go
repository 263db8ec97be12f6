package main

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"regexp"
)

// server is the program under the flood.
type server struct {
	cmd  *exec.Cmd
	addr string
}

var openAt = regexp.MustCompile(`http://(\S+)`)

func startServer(binary, data string) (*server, error) {
	cmd := exec.Command(binary, "--listen", "127.0.0.1:0", "--data-dir", data, "--log-level", "error")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
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

func (s *server) stop() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}
