package store

import (
	"errors"
	"fmt"

	"zombiezen.com/go/sqlite"

	"govor/hub/protocol"
)

// Reasons why a store is not opened; an OpenError says which, by errors.Is.
var (
	ErrLocked            = errors.New("the data directory is in use")
	ErrNetworkFileSystem = errors.New("the data directory is on a network file system")
	ErrNotWritable       = errors.New("the data directory cannot be written")
	ErrOlder             = errors.New("the database was written by an older version")
	ErrNewer             = errors.New("the database was written by a newer version")
	ErrNotThere          = errors.New("there is nothing to read")
	ErrCorrupted         = errors.New("the database is corrupted")
)

// Reasons why a store that was opened cannot be used.
var (
	ErrReplaced = errors.New("the database file was moved, deleted or replaced while it was open")
	ErrClosed   = errors.New("the store is closed")
)

// OpenError is why Open failed, with a sentence for whoever started the program.
type OpenError struct {
	Reason   error  // one of the Err values above
	Sentence string // what is wrong and what to do
	Cause    error  // what the system said, or nil
}

// Error is the sentence, and what the system said.
func (e *OpenError) Error() string {
	if e.Cause == nil {
		return e.Sentence
	}
	return e.Sentence + " (" + e.Cause.Error() + ")"
}

// Unwrap gives the reason and the cause to errors.Is.
func (e *OpenError) Unwrap() []error { return []error{e.Reason, e.Cause} }

func openError(reason, cause error, format string, args ...any) *OpenError {
	return &OpenError{Reason: reason, Sentence: fmt.Sprintf(format, args...), Cause: cause}
}

// UnknownEventError is an event that this program is too old for. Once Apply has met one it applies nothing any more:
// skipping it would make this node's rooms differ from every other node's.
type UnknownEventError struct {
	Kind protocol.Kind
	V    int
}

// Error names what is needed.
func (e *UnknownEventError) Error() string {
	return fmt.Sprintf("the journal holds an event %q of version %d; this program knows the kinds of version %d: install a newer one",
		e.Kind, e.V, protocol.Version)
}

// transient tells the errors after which a connection may be used on: nothing was written, and nothing is in doubt.
func transient(err error) bool {
	switch sqlite.ErrCode(err).ToPrimary() {
	case sqlite.ResultFull, sqlite.ResultBusy, sqlite.ResultLocked, sqlite.ResultInterrupt:
		return true
	default:
		return false
	}
}
