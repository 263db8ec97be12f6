// Package mutant names the ways in which this program can be built to break a promise, so that the proof of the promises
// can be proved: `make torture MUTANT=x` builds with the tag mutant_x and must fail. Without such a tag Active is "", and
// every branch that asks for a mutant is removed by the compiler.
package mutant

// The mutants there are. Each is one branch, beside the code whose work it spoils.
const (
	NoIndex  = "noindex"  // store: the index that recognises a retry is not made, so a retry is stored again
	NoSync   = "nosync"   // store: commits are not synced, so a power cut loses what was acknowledged
	EarlyAck = "earlyack" // journal: receipts are sent before the commit
	Reorder  = "reorder"  // journal: a batch of messages is applied in reverse
	Seam     = "seam"     // hub: a seat's pin is one number too low, so that event is in neither part
	OnePage  = "onepage"  // hub: of what a seat missed, it gets the first block only
	NoEnd    = "noend"    // hub: a seat's end is ignored, so who logged out is shown what is said after that
	KeepText = "keeptext" // store: a deletion is noted, and leaves the text where it was
	Stale    = "stale"    // hub: a block of history that was read before a change is given after it, too
	GoOn     = "goon"     // journal: what a sender appended behind what failed is stored all the same
)

// BeforeCommit is what EarlyAck has the store call, with its []store.Result, before it commits.
var BeforeCommit func(results any) //nolint:gochecknoglobals // there is no other way through a contract that forbids it
