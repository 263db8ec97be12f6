package terminal

import (
	"fmt"
	"net/http"
	"os"
	"strings"

	"govor/hub/protocol"
)

// readPassword is the first line of a file, else GOVOR_PASSWORD; "" if there is neither. It is never on a command line,
// which every user of the machine can read.
func readPassword(path string, w *words, getenv func(string) string) (string, error) {
	if path == "" {
		return getenv("GOVOR_PASSWORD"), nil
	}
	data, err := os.ReadFile(path) //nolint:gosec // the path is the user's own
	if err != nil {
		return "", &usageError{fmt.Sprintf(w.badWordFile, protocol.CleanText(err.Error()))}
	}
	line, _, _ := strings.Cut(string(data), "\n")
	if line = strings.TrimSuffix(line, "\r"); line == "" {
		return "", &usageError{fmt.Sprintf(w.badWordFile, w.emptyLine)}
	}
	return line, nil
}

// credentials are the headers that prove who connects: name and password (RFC 7617), the name's or the server's.
func credentials(o *options) http.Header {
	h := http.Header{"User-Agent": {"govor client"}}
	if o.password != "" {
		r := http.Request{Header: h}
		r.SetBasicAuth(o.name, o.password)
	}
	return h
}

// introduce is what a new connection says first. With a password, the server's first word tells whether that alone makes
// one the member of before: then the token stays unsaid, since presenting it ends this member's other connections. The
// server's own password makes guests, whom the token alone recognises.
func (c *client) introduce() {
	if c.opts.password == "" || c.who.token == "" {
		c.hello(c.who.token)
		return
	}
	c.who.waits = true
}

// proved hears the first welcome of a connection that waits for it.
func (c *client) proved(f protocol.Welcome) {
	c.who.waits = false
	c.who.byPassword = clean(f.Name)
	token := c.who.token
	if f.Member.String() == c.who.member {
		token = ""
	}
	c.hello(token)
}

// foreign tells whether the token that was kept is somebody else's than the name's that the password has proved: that name
// was claimed after the token was given.
func (c *client) foreign(f protocol.Welcome) bool {
	return c.opts.password != "" && !c.room.ever && sameName(c.who.byPassword, c.opts.name) && !sameName(f.Name, c.opts.name)
}

func sameName(a, b string) bool {
	_, x, badA := protocol.CheckName(a)
	_, y, badB := protocol.CheckName(b)
	return badA == nil && badB == nil && x == y
}

// locked handles a refusal for want of the right password; it tells whether it was one. Trying again would not help.
func (c *client) locked(r *refusal) bool {
	switch {
	case r.err == nil:
		return false
	case r.err.Code == protocol.CodeNeedPassword:
		c.face.notice(failure, c.words.wordNeeded)
	case r.err.Code == protocol.CodeBadPassword:
		c.face.notice(failure, c.words.wordWrong)
	default:
		return false
	}
	c.finish(exitName)
	return true
}
