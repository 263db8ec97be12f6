package journal

import (
	"slices"

	"govor/hub/mutant"
	"govor/hub/protocol"
	"govor/hub/store"
)

// spoil does what the mutants of this package do with a batch before it is applied; in other builds nothing.
func (l *Local) spoil(batch []waiter) {
	switch mutant.Active {
	case mutant.Reorder:
		if !slices.ContainsFunc(batch, func(w waiter) bool { return w.event.Room == protocol.RoomServer }) {
			slices.Reverse(batch)
		}
	case mutant.EarlyAck:
		mutant.BeforeCommit = func(results any) { l.answerEarly(batch, results) }
	}
}

// answerEarly sends the receipts and leaves nothing to do after the commit.
func (l *Local) answerEarly(batch []waiter, results any) {
	early, _ := results.([]store.Result)
	for i := range early {
		if early[i].Err == nil {
			l.answer(&batch[i], receipt(&early[i].Event, early[i].Duplicate), nil, resultStored)
			batch[i].done = func(protocol.Receipt, error) {}
		}
	}
}
