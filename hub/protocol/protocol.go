// Package protocol is what Govor's parts and its clients say to one another: events, the commands a client sends, the
// frames it gets, their limits, error and close codes, and two of the three formats (plain text and JSON; the HTML
// format is in package views, because it renders templates).
//
// README.md in this folder is the specification of the JSON protocol; the tests read its examples. The package knows
// nobody else of this module and keeps no state: every function may be called from any goroutine.
package protocol

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"time"

	"github.com/google/uuid"
)

// Subprotocols by which a client chooses its format; the empty string, or none, is plain text.
const (
	SubprotocolText = ""
	SubprotocolJSON = "govor.v1.json"
	SubprotocolHTML = "govor.v1.html"
)

// Rooms with a meaning of their own.
const (
	RoomServer = "$server" // holds events that belong to no room; clients never get it raw
	RoomLobby  = "lobby"   // exists from the start
)

// Limits that are part of the protocol. Those that an operator may change have their default here.
const (
	MaxIDLen          = 64    // bytes of an id
	MaxNameLen        = 32    // characters (code points) of a name or a room
	MaxUnacknowledged = 16    // sends that our own clients keep without a receipt
	DefaultMaxText    = 8000  // characters (code points) of a message
	DefaultMaxFrame   = 65536 // bytes of a frame from a client, fragments summed
	MaxRoomsPerHello  = 64    // rooms that one session may be in
)

// MemberID is a person: 128 random bits. It is public; it proves nothing. The zero value is nobody (the server).
type MemberID [16]byte

// NewMemberID makes a member that nobody has.
func NewMemberID() MemberID {
	var id MemberID
	_, _ = rand.Read(id[:]) // never fails: crypto/rand ends the program instead
	return id
}

// ParseMemberID reads what String wrote.
func ParseMemberID(s string) (MemberID, error) {
	var id MemberID
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(b) != len(id) {
		return id, errors.New("not a member id")
	}
	copy(id[:], b)
	return id, nil
}

// String writes the member as 22 characters of A-Za-z0-9_-.
func (m MemberID) String() string { return base64.RawURLEncoding.EncodeToString(m[:]) }

// IsZero tells whether this is nobody.
func (m MemberID) IsZero() bool { return m == MemberID{} }

// NewID makes an id for one thing to send: a UUIDv7, whose order by time keeps neighbours together on disk.
func NewID() string { return uuid.Must(uuid.NewV7()).String() }

// CheckID says whether s may be an id: 1–64 of A-Za-z0-9_-.
func CheckID(s string) *Error {
	if s == "" || len(s) > MaxIDLen {
		return Errorf(CodeBadID, "an id has 1 to %d characters, this one has %d", MaxIDLen, len(s))
	}
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' {
			continue
		}
		return Errorf(CodeBadID, "an id is made of A-Z a-z 0-9 _ - only")
	}
	return nil
}

// Kind is what happened.
type Kind string

// The kinds of events there are, each at version 1. A node that meets another one stops applying.
const (
	KindMessage  Kind = "message"  // in a room; Body is the text
	KindEdit     Kind = "edit"     // in a room; the message at Target has another text now: Body
	KindDeletion Kind = "deletion" // in a room; the text of the message at Target was taken away; no body
	KindRoom     Kind = "room"     // in $server; a room was opened; Body is a RoomBody
	KindMember   Kind = "member"   // in $server; a member took or refreshed a name; Body is a MemberBody
	KindLogout   Kind = "logout"   // in $server; a member's logins up to now ended; no body
)

// Version is the newest version of every kind that this program knows.
const Version = 1

// NameHold is how long a name stays with the member that took it with a KindMember event.
const NameHold = 7 * 24 * time.Hour

// RoomBody is the body of a KindRoom event, as JSON.
type RoomBody struct {
	Name string `json:"name"` // canonical, by CheckRoom
	Kind string `json:"kind"` // "public"; later "private", "direct"

	Looks Looks `json:"looks"` // what the name looks like (LooksOf)
}

// MemberBody is the body of a KindMember event, as JSON. The name itself is in the event.
type MemberBody struct {
	Until int64  `json:"until"`           // the name is held until then, Unix milliseconds; longer with a password
	Login string `json:"login,omitempty"` // the login that was used
}

// Event is one thing that happened in a room and must not be lost. Whoever appends fills the first block; the store
// fills the second when it applies the event, and the third when it reads the event back.
type Event struct {
	Room    string // canonical name, or RoomServer
	Kind    Kind
	V       int      // version of the kind
	ID      string   // unique together with Member, for ever
	Member  MemberID // the author
	Name    string   // the author's name, as shown
	NameKey string   // the author's name, as compared (CheckName)
	Looks   Looks    // what the author's name looks like (LooksOf); needed where it may be new
	Target  int64    // number of the event in the same room that this one changes, else 0
	At      int64    // Unix milliseconds, by the clock of the node that appended
	Body    string

	Mentions Mentions // whom Body names, of a KindMessage or KindEdit

	Seq     int64 // place in its room: 1, 2, 3 … without gaps
	Pos     int64 // place in this node's file; never leaves the node
	RoomID  int64 // number of the room, the same on every node
	Ordinal int64 // place among its room's messages, for KindMessage

	Changed   int64 // number of the event that last changed this one, else 0; Body is then as it is now
	ChangedAt int64 // its At
	Erased    bool  // the text was erased; Body is empty

	Of    *Event // what is at Target, as it is now; nil without a target
	Taken string // of a KindDeletion or KindEdit that Apply returns: the text that is gone, for caches to forget; never shown or written
}

// Present is the text that a KindEdit leaves its message with: that of the newest edit, also in an older one, so that
// nobody is told what has been replaced since.
func (e *Event) Present() string {
	if e.Of != nil {
		return e.Of.Body
	}
	return e.Body
}

// Named is whom the message at Target names after a KindEdit: as Present, those of the newest text.
func (e *Event) Named() Mentions {
	if e.Of != nil {
		return e.Of.Mentions
	}
	return e.Mentions
}

// Time is At as a time in UTC.
func (e *Event) Time() time.Time { return time.UnixMilli(e.At).UTC() }
