package protocol

import (
	"fmt"
	"time"
)

// Code is the stable name of an error. Programs compare codes; messages may change.
type Code string

// The codes there are. README.md says for each what a client should do.
const (
	CodeBadFrame     Code = "bad_frame"     // not JSON, or not the JSON of a command
	CodeUnknownType  Code = "unknown_type"  // a command that this server does not know
	CodeBadID        Code = "bad_id"        // an id is missing or not allowed
	CodeIDReused     Code = "id_reused"     // the id was used before for something else
	CodeEmpty        Code = "empty"         // nothing to send
	CodeTooLong      Code = "too_long"      // text over the limit
	CodeBadText      Code = "bad_text"      // not UTF-8
	CodeBadName      Code = "bad_name"      // a name that is not allowed
	CodeNameTaken    Code = "name_taken"    // a name that somebody else has
	CodeBadRoom      Code = "bad_room"      // a room name that is not allowed
	CodeNoRoom       Code = "no_room"       // there is no such room, or one may not know of it
	CodeRoomClosed   Code = "room_closed"   // nobody writes here any more
	CodeNotInRoom    Code = "not_in_room"   // this session has not joined that room
	CodeNoTarget     Code = "no_target"     // there is no such message
	CodeNotYours     Code = "not_yours"     // the message is somebody else's
	CodeForbidden    Code = "forbidden"     // this member, or this origin, may not
	CodeBanned       Code = "banned"        // this member, name or address may not come in
	CodeMuted        Code = "muted"         // this member may not write
	CodeReadOnly     Code = "read_only"     // only hosts write in this room
	CodeSlowMode     Code = "slow_mode"     // the next message of this member in this room may come later
	CodeNoMember     Code = "no_member"     // there is nobody of that name
	CodeLastOwner    Code = "last_owner"    // there would be no owner any more
	CodeBadCommand   Code = "bad_command"   // a command that is not written as it should be
	CodeBadToken     Code = "bad_token"     // a token that is not valid, or no longer
	CodeNeedPassword Code = "need_password" // the name, or the server, wants a password
	CodeBadPassword  Code = "bad_password"  // not the name's password; or one that cannot become one
	CodeBadInvite    Code = "bad_invite"    // an invite or sign-in link that is not valid, or no longer
	CodeTooFast      Code = "too_fast"      // over the rate for too long
	CodeTooMany      Code = "too_many"      // connections, rooms, unfinished sends
	CodeUnavailable  Code = "unavailable"   // cannot be stored now; send it again with the same id
	CodeInternal     Code = "internal"      // our mistake; the log has the cause
)

// Error is an error that is the client's to know: a stable code, and a sentence in English. Everything else that
// goes wrong is internal, and only the log sees it.
type Error struct {
	Code       Code
	Message    string
	RetryAfter time.Duration // how long to wait before trying again; 0 = not said
	Suggestion string        // for CodeNameTaken: a name that is free
	ID         string        // the id of what was refused, if it had one
	Room       string        // the room it was meant for, if any
	Why        string        // for CodeBanned and CodeMuted: the reason that the host gave
}

// Errorf makes an Error.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Error is the code and the sentence.
func (e *Error) Error() string { return string(e.Code) + ": " + e.Message }

// About returns a copy of e that names what was refused.
func (e *Error) About(room, id string) *Error {
	c := *e
	c.Room, c.ID = room, id
	return &c
}

// Close codes (RFC 6455 §7.4) with which the server ends a connection.
const (
	CloseNormal      = 1000 // the client left
	CloseGoingAway   = 1001 // logged out, or replaced by a newer connection with the same token
	CloseProtocol    = 1002 // a frame that RFC 6455 does not allow
	CloseUnsupported = 1003 // a binary frame
	CloseBadText     = 1007 // text that is not UTF-8
	ClosePolicy      = 1008 // too_fast for 30 s, forbidden
	CloseTooBig      = 1009 // a frame over the limit
	CloseInternal    = 1011 // our mistake
	CloseRestart     = 1012 // the server stops or restarts; the reason is written by RestartReason
	CloseTryAgain    = 1013 // unavailable, or a slow consumer; everything unacknowledged may be sent again
)

// RestartReason is the reason of a 1012 close: clients try again at a random moment within spread.
func RestartReason(spread time.Duration) string {
	return fmt.Sprintf("restart retry-within-ms=%d", spread.Milliseconds())
}

// ParseRestartReason reads what RestartReason wrote; ok is false for any other text.
func ParseRestartReason(s string) (spread time.Duration, ok bool) {
	var ms int64
	if n, err := fmt.Sscanf(s, "restart retry-within-ms=%d", &ms); n != 1 || err != nil || ms < 0 || ms > 3_600_000 {
		return 0, false
	}
	return time.Duration(ms) * time.Millisecond, true
}
