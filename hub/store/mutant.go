package store

import "govor/hub/mutant"

// finish commits. The mutant answers first, see there.
func (t *transaction) finish(results []Result) error {
	if mutant.Active == mutant.EarlyAck && mutant.BeforeCommit != nil {
		mutant.BeforeCommit(results)
	}
	return run(t.commit)
}
