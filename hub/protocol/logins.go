package protocol

import (
	"encoding/json"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/secure/precis"
)

// The kinds of events about who may prove to be whom, all in $server and at version 1.
const (
	KindLogin    Kind = "login"    // a member logged in on a device and holds its name; Body is a LoginBody
	KindPassword Kind = "password" // a member's name got a password, another one, or none; Body is a PasswordBody
	KindRevoke   Kind = "revoke"   // one login ended; Body is a RevokeBody
	KindInvite   Kind = "invite"   // an invite link was made or revoked; Body is an InviteBody
)

// HeldForever is the end of the hold of a name that has a password, Unix milliseconds.
const HeldForever = int64(1) << 53

// Limits of what proves a member.
const (
	MinPasswordLen = 8    // characters
	MaxPasswordLen = 1024 // bytes; a bound for the work, not a rule
	MaxLabelLen    = 60   // characters of what a login or an invite is called
	MaxLogins      = 32   // logins of one member; the one that was not used for longest makes room
)

// How a login came to be.
const (
	LoginByPage  = "page"  // a browser, with a cookie
	LoginByWord  = "word"  // a program that sent name and password
	LoginByToken = "token" // a token that was made for a program
)

// LoginBody is the body of a KindLogin event, as JSON. The name itself is in the event.
type LoginBody struct {
	Login    string `json:"login"` // its id
	How      string `json:"how"`
	Label    string `json:"label"`              // for its owner
	Until    int64  `json:"until"`              // the name is held until then, Unix milliseconds; longer with a password
	Replaces string `json:"replaces,omitempty"` // a login that this one takes the place of
	Invite   string `json:"invite,omitempty"`   // id of the invite link by which a new member comes
	Hash     string `json:"hash,omitempty"`     // the password that the name gets; see TakeHash
}

// PasswordBody is the body of a KindPassword event, as JSON.
type PasswordBody struct {
	Set   bool   `json:"set"`            // false: the name has none any more
	Until int64  `json:"until"`          // without one the name is held until then, Unix milliseconds
	Keep  string `json:"keep,omitempty"` // the login that stays; all others end
	Hash  string `json:"hash,omitempty"` // see TakeHash
}

// RevokeBody is the body of a KindRevoke event, as JSON.
type RevokeBody struct {
	Login string `json:"login"`
}

// InviteBody is the body of a KindInvite event, as JSON.
type InviteBody struct {
	Invite  string `json:"invite"` // its id; proves nothing
	Label   string `json:"label,omitempty"`
	Until   int64  `json:"until,omitempty"` // Unix milliseconds
	Uses    int64  `json:"uses,omitempty"`  // how often it may be used
	Revoked bool   `json:"revoked,omitempty"`
}

// TakeHash takes the hash of a password out of the body of an event, if one is in it. Hashes are kept in one place, the
// store's members: no log, no room and nothing that is read back has them.
func (e *Event) TakeHash() (hash string) {
	if e.Kind != KindLogin && e.Kind != KindPassword {
		return ""
	}
	var found struct {
		Hash string `json:"hash"`
	}
	if !strings.Contains(e.Body, `"hash"`) || json.Unmarshal([]byte(e.Body), &found) != nil {
		return ""
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal([]byte(e.Body), &fields) != nil {
		return ""
	}
	delete(fields, "hash")
	b, err := json.Marshal(fields) // in the order of their names
	if err != nil {
		return ""
	}
	e.Body = string(b)
	return found.Hash
}

// CheckPassword says whether s may become a password, and returns it as it is hashed (RFC 8265, OpaqueString): the same
// word typed on another keyboard is the same. There are no rules but a length.
func CheckPassword(s string) (string, *Error) {
	word, err := precis.OpaqueString.String(s)
	switch {
	case len(s) > MaxPasswordLen:
		return "", Errorf(CodeBadPassword, "a password has at most %d bytes", MaxPasswordLen)
	case err != nil:
		return "", Errorf(CodeBadPassword, "a password has no control characters")
	case utf8.RuneCountInString(word) < MinPasswordLen:
		return "", Errorf(CodeBadPassword, "a password has at least %d characters", MinPasswordLen)
	}
	return word, nil
}

// CheckLabel makes s fit to be shown as what a login or an invite is called.
func CheckLabel(s string) string {
	s = CleanText(strings.Join(strings.Fields(s), " "))
	if r := []rune(s); len(r) > MaxLabelLen {
		s = strings.TrimSpace(string(r[:MaxLabelLen]))
	}
	return s
}
