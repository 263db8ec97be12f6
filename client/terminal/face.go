package terminal

import "govor/hub/protocol"

// face is what the person, or the pipe, sees of the client. Its methods are called by the client's loop only.
type face interface {
	// typed gives what was typed; the loop does not receive while too much waits to be sent.
	typed() <-chan typed
	// member says who one is now and how long a message may be.
	member(name string, maxText int)
	// people are the names to complete, the likeliest first.
	people(names []string)
	message(e *protocol.Event, raw []byte)
	presence(f *protocol.Presence)
	// notice is a line of the client itself.
	notice(kind noticeKind, text string)
	// status is what is true at the moment and may be shown as long as it is; "" = all is well.
	status(kind noticeKind, text string)
	// back ends a time without connection that status had shown.
	back()
}

// typed is a message, or the end of the input.
type typed struct {
	text string
	end  inputEnd
}

type inputEnd int

const (
	notEnded    inputEnd = iota
	endOfInput           // what was typed is still to be delivered
	interrupted          // leave at once
)

type noticeKind int

const (
	aside noticeKind = iota
	warning
	good
	failure
)

func (p *palette) notice(kind noticeKind) string {
	switch kind {
	case warning:
		return p.warn
	case good:
		return p.ok
	case failure:
		return p.danger
	default:
		return p.dim
	}
}
