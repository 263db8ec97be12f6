package journal

import (
	"fmt"
	"runtime"
	"testing"

	"govor/hub/protocol"
)

// On one core an event loop reads a few members at a time and lets others go on in between. A batch waits for most of the
// members that it has just answered.
func TestBatchWaitsForThoseWhoAreAboutToWrite(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	const members, rounds, perTurn = 128, 20, 4
	r := newRig(t)
	answered := make(chan int, members)
	for m := range members {
		answered <- m
	}
	for said := 0; said < members*rounds; runtime.Gosched() {
		for n := range perTurn {
			if n > 0 && len(answered) == 0 {
				break
			}
			m := <-answered
			e := text(fmt.Sprintf("%d", said), "x")
			e.Member, e.Name, e.NameKey = protocol.MemberID{2, byte(m)}, fmt.Sprint("m", m), fmt.Sprint("m", m)
			r.Append(e, func(_ protocol.Receipt, err error) {
				if err != nil {
					t.Error(err)
				}
				answered <- m
			})
			said++
		}
	}
	for range members {
		<-answered
	}
	batches := float64(0)
	families, err := r.reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "chat_append_batch_events" {
			batches = float64(f.GetMetric()[0].GetHistogram().GetSampleCount())
		}
	}
	// Whoever waits only once, as long as there is somebody else to run, has 60.
	if mean := members * rounds / batches; mean < 80 {
		t.Errorf("a batch has %.0f events of %d that are said at once", mean, members)
	}
}
