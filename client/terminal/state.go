package terminal

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/gofrs/flock"
)

// stateDir is where the client keeps what it has to remember, "" if the system names no place. It is a folder of its
// own: the server's data directory may be its parent.
func stateDir(getenv func(string) string) string {
	if dir := getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "govor", "client")
	}
	if runtime.GOOS == "windows" {
		if dir := getenv("LocalAppData"); dir != "" {
			return filepath.Join(dir, "govor", "client")
		}
		return ""
	}
	if home := getenv("HOME"); filepath.IsAbs(home) {
		return filepath.Join(home, ".local", "state", "govor", "client")
	}
	return ""
}

// identity is the token by which one server recognises one name again. A second client that runs at the same time under
// the same name gets none and becomes another member: with the token it would end the first one's session. A nil
// identity remembers nothing.
type identity struct {
	path string
	lock *flock.Flock
}

// savedToken is the content of the file. Server and name are for people: the file's name has their hash.
type savedToken struct {
	Server string `json:"server"`
	Name   string `json:"name"`
	Token  string `json:"token"`
	Member string `json:"member,omitempty"` // whom the token proves
}

// openIdentity opens what is remembered for a name at a server; nil when dir is "" or another client has it now.
func openIdentity(dir, server, name string) (*identity, error) {
	if dir == "" {
		return nil, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make state directory: %w", err)
	}
	sum := sha256.Sum256([]byte(server + "\x00" + name))
	path := filepath.Join(dir, "token-"+hex.EncodeToString(sum[:12])+".json")
	lock := flock.New(path+".lock", flock.SetPermissions(0o600))
	locked, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock token: %w", err)
	}
	if !locked {
		return nil, nil
	}
	return &identity{path: path, lock: lock}, nil
}

// load returns what was saved, nothing if there is none that can be read.
func (i *identity) load() savedToken {
	var s savedToken
	if i == nil {
		return s
	}
	data, err := os.ReadFile(i.path)
	if err != nil || json.Unmarshal(data, &s) != nil {
		return savedToken{}
	}
	return s
}

// save replaces the token at once and completely, readable by its owner only; none removes it.
func (i *identity) save(s savedToken) error {
	if i == nil {
		return nil
	}
	if s.Token == "" {
		if err := os.Remove(i.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("drop token: %w", err)
		}
		return nil
	}
	data, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("encode token: %w", err)
	}
	if err := replaceFile(i.path, append(data, '\n')); err != nil {
		return fmt.Errorf("save token: %w", err)
	}
	return nil
}

func (i *identity) close() {
	if i != nil {
		_ = i.lock.Unlock()
	}
}

// replaceFile writes a file that only its owner reads, so that there is the old one or the new one and nothing between.
func replaceFile(path string, data []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	if _, err = f.Write(data); err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
