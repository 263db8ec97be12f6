//go:build linux

// Package generator is a cheap crowd of WebSocket clients, and a strict one: it talks, measures and checks what every
// one of its members gets.
//
// One thread, one epoll set, raw non-blocking sockets. It parses no JSON: each text it publishes carries a marker
// "@@run:publisher:sequence@@", which it looks for in whatever comes back. So any chat can be measured that delivers
// texts as they are.
package generator

import "time"

// Spec says what to do. All members of one generator do the same; for two kinds of rooms at once start two.
type Spec struct {
	// The server: its port on 127.0.0.1, and the process whose CPU and memory are sampled (0 = none).
	Port int
	PID  int
	Core int // the server's

	// Who connects: member i joins room i mod Rooms; the first Publishers members of each room talk.
	Members    int
	Rooms      int
	RoomPrefix string // a room is this and its number from 0
	NamePrefix string // a member is this and its number from 0
	Stuck      int    // so many of the members, spread over all, never read; they do not count as members then
	Slow       int    // so many of the members read SlowRate bytes a second while it is measured, and must get everything
	SlowRate   int
	Dialect    Dialect
	Cookies    []string // of the members in their order; fewer than members: those after them have none

	// What is said: in a closed loop of Window messages per publisher, each coming back to every member before it
	// counts as done; or, if Rate is not 0, so many messages a second over all publishers at the scheduled times.
	Publishers int
	Window     int
	Rate       float64
	Size       int  // bytes of a text
	Hostile    bool // texts that are hard on a Markdown parser

	// How long. Measure 0 means no talk; Background until the input ends, with nothing measured.
	Idle       time.Duration // silence after connecting, before memory is sampled
	Warm       time.Duration
	Measure    time.Duration
	Drain      time.Duration // at most, until everybody has everything
	Background bool
}

// Dialect is how to speak with one kind of server. Templates may hold {name} and {room}; Publish also {id}, a new
// UUIDv7, and {text}.
type Dialect struct {
	Path        string
	Subprotocol string
	Origin      bool   // send the header Origin, as a page does
	Hello       string // sent once connected; "" = nothing
	Joined      string // what the frame contains that says the member is in the room; "" = the handshake says it
	Stranger    string // what a frame contains to whom a cookie proved nothing; "" = that is not seen
	Publish     string
}

// Result is what was seen. Times are in microseconds, memory in KiB.
type Result struct {
	Connected         int
	ConnectErrors     int
	ConnectsPerSecond float64
	ConnectCPU        float64   // of the server, per connection
	Join              Quantiles // from dialing until in the room

	// Memory of the server before the first connection, after the silence, and at the end; TCP is all the kernel holds
	// for sockets of this machine.
	MemoryStart, MemoryIdle, MemoryEnd float64
	TCPStart, TCPIdle, TCPEnd          float64

	Seconds       float64 // measured
	Deliveries    uint64  // while measured
	PerSecond     float64
	CPU           float64 // of the server, per delivery
	ServerShare   float64 // of one core
	LoadShare     float64 // of one core
	OthersShare   float64 // of the server's core, what neither it nor idleness had: whoever disturbs
	FramesPerRead float64
	Latency       Quantiles // from sending (or its scheduled time) until one member has it
	Completion    Quantiles // … until every member has it

	// Of the whole run. Expected is what should have been delivered.
	Expected   uint64
	Lost       uint64 // what came later than its successor too
	Duplicates uint64 // of what one has, or what came too late
	Wrong      uint64 // in a room where it was not said, or from another run
	Stalls     int    // a second without progress of a publisher
	SlowLag    uint64 // messages that the slow members were behind when the measured time ended
	Closed     map[string]int
}

// Quantiles of times in microseconds.
type Quantiles struct{ P50, P99, P999, Max float64 }
