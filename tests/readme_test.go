package tests

import (
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

func readFile(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// What the READMEs show happens: their transcripts are played against the program, in order.
func TestReadmeTranscriptsAreTrue(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"../README.md", "../README.ru.md"} {
		t.Run(strings.TrimPrefix(file, "../"), func(t *testing.T) {
			t.Parallel()
			s := start(t)
			blocks := regexp.MustCompile("(?s)```(\\w+)([^\n]*)\n(.*?)\n```").FindAllStringSubmatch(readFile(t, file), -1)
			if len(blocks) != 2 {
				t.Fatalf("%d transcripts, want 2", len(blocks))
			}
			for _, b := range blocks {
				switch b[1] {
				case "wscat":
					playWscat(t, s, strings.TrimSpace(b[2]), b[3])
				case "console":
					playConsole(t, s, b[3])
				default:
					t.Errorf("a block of %s is played by nobody", b[1])
				}
			}
		})
	}
}

// playWscat sends the lines that begin with > and waits for those that begin with <.
func playWscat(t *testing.T, s *server, address, transcript string) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil || u.Path != "/ws" {
		t.Fatalf("the address %q: %v", address, err)
	}
	c := s.dial(u.Query(), "", nil)
	for line := range strings.SplitSeq(transcript, "\n") {
		if said, ok := strings.CutPrefix(line, "> "); ok {
			c.write(said)
		} else if want, ok := strings.CutPrefix(line, "< "); ok {
			if got := c.next(want); got != want {
				t.Errorf("wscat shows %q, want %q", got, want)
			}
		}
	}
}

// playConsole runs the commands that begin with $ and compares what they print; … stands for anything.
func playConsole(t *testing.T, s *server, transcript string) {
	t.Helper()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("skipped: there is no curl")
	}
	for _, step := range strings.Split("\n"+transcript, "\n$ ")[1:] {
		command, want, _ := strings.Cut(step, "\n")
		if !strings.HasPrefix(command, "curl ") {
			t.Fatalf("the command %q is none of ours", command)
		}
		command = "curl -sS " + strings.ReplaceAll(command[len("curl "):], "localhost:8000", s.addr)
		got, err := exec.Command("sh", "-c", command).CombinedOutput()
		pattern := strings.ReplaceAll(regexp.QuoteMeta(want), "…", "[^\"]+")
		if err != nil || !regexp.MustCompile("^"+pattern+"\n$").Match(got) {
			t.Errorf("%s\nprints %s (%v)\nwant   %s", command, got, err, want)
		}
	}
}

// The tables of settings have what --help has, with the same defaults, in both languages.
func TestReadmesListEverySetting(t *testing.T) {
	t.Parallel()
	help := launch(t, "--help")
	help.wait()
	settings := map[string]string{}
	var order []string
	for _, m := range regexp.MustCompile(`(?m)^ +--([a-z-]+).*\n +GOVOR_[A-Z_]+(?:, default (.*))?$`).FindAllStringSubmatch(help.log.String(), -1) {
		settings[m[1]] = m[2]
		order = append(order, m[1])
	}
	if len(order) < 20 {
		t.Fatalf("--help lists only %v", order)
	}
	for _, file := range []string{"../README.md", "../README.ru.md"} {
		var listed []string
		for _, m := range regexp.MustCompile("(?m)^\\| `--([a-z-]+)` \\| (?:`(.*?)`)? ?\\|").FindAllStringSubmatch(readFile(t, file), -1) {
			listed = append(listed, m[1])
			if want := settings[m[1]]; m[2] != want && m[1] != "data-dir" {
				t.Errorf("%s: the default of --%s is %q, want %q", file, m[1], m[2], want)
			}
		}
		if strings.Join(listed, " ") != strings.Join(order, " ") {
			t.Errorf("%s lists\n%v\n--help lists\n%v", file, listed, order)
		}
	}
}

// Every file that the documents lead to is there.
func TestDocumentsLeadSomewhere(t *testing.T) {
	t.Parallel()
	for dir, files := range map[string][]string{
		"..":              {"README.md", "README.ru.md", "CHANGELOG.md", "SECURITY.md"},
		"../docs":         {"design.md"},
		"../hub/protocol": {"README.md"},
	} {
		for _, file := range files {
			for _, m := range regexp.MustCompile(`\]\(([^)#]+)|src="([^"]+)"`).FindAllStringSubmatch(readFile(t, dir+"/"+file), -1) {
				target := m[1] + m[2]
				if strings.Contains(target, "://") {
					continue
				}
				if _, err := os.Stat(dir + "/" + target); err != nil {
					t.Errorf("%s/%s leads to %s: %v", dir, file, target, err)
				}
			}
		}
	}
}
