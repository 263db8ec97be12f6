package protocol

import "time"

// Command is what a client asks for: one of Hello, Send, Edit, Delete, Act, Join, Leave, Read, Watch, Nick, Who,
// Ping; in plain text also Help, Go.
type Command interface{ command() }

// Hello introduces a connection: who it is (a token from an earlier welcome) and which rooms it goes on reading.
// It is the first command or is not sent at all.
type Hello struct {
	Token string            `json:"token"`
	Rooms map[string]Resume `json:"rooms"`
}

// Resume says where a client goes on in a room: the number and the id of the last event it has. Without After it
// reads from now on; After 0 is from the beginning.
type Resume struct {
	After *int64 `json:"after"`
	ID    string `json:"id"` // "" = not known, only the number is compared
}

// Send is a message to a room; Room is "" for the room of the connection's address.
type Send struct {
	Room string `json:"room"`
	ID   string `json:"id"`
	Text string `json:"text"`
}

// Edit gives a message another text; Room is "" for the room of the connection's address.
type Edit struct {
	Room string `json:"room"`
	ID   string `json:"id"`  // of the edit itself, so that a retry is recognised
	Seq  int64  `json:"seq"` // number of the message
	Text string `json:"text"`
}

// Delete takes the text of a message away; Room is "" for the room of the connection's address.
type Delete struct {
	Room string `json:"room"`
	ID   string `json:"id"`  // of the deletion itself, so that a retry is recognised
	Seq  int64  `json:"seq"` // number of the message
	Why  string `json:"why"` // told to the author, when a host deletes
}

// Join adds a room to the session.
type Join struct {
	Room string `json:"room"`
	Resume
}

// Leave takes a room from the session.
type Leave struct {
	Room string `json:"room"`
}

// Ping asks for a Pong: browsers cannot see the pings of RFC 6455.
type Ping struct{}

func (Hello) command()  {}
func (Send) command()   {}
func (Edit) command()   {}
func (Delete) command() {}
func (Join) command()   {}
func (Leave) command()  {}
func (Ping) command()   {}

// Frame is what a client gets: one of Welcome, Joined, Reset, Message, Presence, Receipt, *Error, *Notice,
// News, ReadMark, People, Left, Pong, Usage, Moved.
type Frame interface{ frame() }

// Welcome is the first frame of every connection, and comes again when a hello's token changed who it is.
type Welcome struct {
	Session string   // for the log; means nothing to a client
	Member  MemberID // who one is
	Name    string   // what one is called, perhaps with a suffix
	Token   string   // proves this member in a later hello; "" where a login cookie does
	MaxText int      // characters of a message
}

// Joined says that the session has a seat in a room: events after After follow, up to Last from the store, then live.
type Joined struct {
	Room   string
	After  int64    // everything after this number follows
	Last   int64    // the room's last number at this moment, 0 if there is none
	Online int      // members in the room, this one included
	People []Person // who is there, sorted by name, at most MaxPeople
}

// Person is a member as shown to others.
type Person struct {
	Member MemberID
	Name   string
	Role   Role
}

// Reset says that a client cannot go on where it was: what it has does not fit what is stored. What it has should be
// dropped or marked; events after After follow.
type Reset struct {
	Room   string
	Reason ResetReason
	After  int64
	Last   int64
}

// ResetReason is why a client cannot go on.
type ResetReason string

// The reasons there are.
const (
	ResetAhead    ResetReason = "ahead"    // the room has not come so far: the file was restored or replaced
	ResetMismatch ResetReason = "mismatch" // another event has that number: the same
	ResetPruned   ResetReason = "pruned"   // the room begins later: retention
)

// Message shows an event. The same value is encoded once per format for everybody; formats skip kinds that their
// clients do not see.
type Message struct{ *Event }

// MaxPeople bounds the names in one Joined or Presence frame.
const MaxPeople = 100

// Presence says who came and who left a room since the last such frame; at most one a second and room.
type Presence struct {
	Room        string
	Online      int      // members in the room now
	Joined      []string // names, at most MaxPresenceNames
	JoinedCount int      // how many there were
	Left        []string
	LeftCount   int
	Renamed     []Rename // at most MaxPresenceNames
	People      []Person // who is there now, sorted by name, at most MaxPeople
	At          time.Time
}

// Rename is that a member is called otherwise from now on.
type Rename struct {
	Member MemberID
	Was    string
	Name   string
}

// MaxPresenceNames bounds each list of Presence.
const MaxPresenceNames = 10

// Receipt is what the sender learns, and only the sender's session: the event is on disk at Seq.
type Receipt struct {
	Room      string
	ID        string
	Seq       int64
	Duplicate bool // it was stored before, by an earlier try; nothing new was stored
}

// Left answers Leave.
type Left struct{ Room string }

// Pong answers Ping.
type Pong struct{}

func (Welcome) frame()   {}
func (Joined) frame()    {}
func (Reset) frame()     {}
func (Message) frame()   {}
func (*Presence) frame() {}
func (Receipt) frame()   {}
func (*Error) frame()    {}
func (Left) frame()      {}
func (Pong) frame()      {}

// Format writes frames for one kind of client and reads its commands. Its methods may be called from any goroutine.
type Format interface {
	// Key names the format, and its language where it has one: the same for all who can share encoded frames.
	Key() string
	// Append appends the payload of one WebSocket text message to dst. Nothing is appended where this format has
	// nothing to say for f.
	Append(dst []byte, f Frame) []byte
	// Decode reads one WebSocket text message; data is valid UTF-8 and must not be kept. The error is a *Error,
	// with the id of what was refused if it could be read.
	Decode(data []byte) (Command, *Error)
}
