//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestUnsynced(t *testing.T) {
	tests := []struct {
		name  string
		trace string
		want  []int64 // offsets
	}{
		{"synced", "1 pwrite64(3</d/wal>, \"\"..., 24, 0) = 24\n1 fsync(3</d/wal>) = 0\n", nil},
		{"not synced", "1 pwrite64(3</d/wal>, \"\"..., 24, 0) = 24\n", []int64{0}},
		{"after the sync", "1 pwrite64(3</d/wal>, \"\"..., 24, 0) = 24\n1 fdatasync(3</d/wal>) = 0\n1 pwrite64(3</d/wal>, \"\"..., 8, 24) = 8\n", []int64{24}},
		{"another file", "1 pwrite64(3</d/wal>, \"\"..., 24, 0) = 24\n1 fsync(4</d/db>) = 0\n", []int64{0}},
		{"a failed sync", "1 pwrite64(3</d/wal>, \"\"..., 24, 0) = 24\n1 fsync(3</d/wal>) = -1 EIO (Input/output error) (INJECTED)\n", []int64{0}},
		{"a sync that did not come back", "1 pwrite64(3</d/wal>, \"\"..., 24, 0) = 24\n1 fsync(3</d/wal> <unfinished ...>\n", []int64{0}},
		{"a sync that came back late", "1 pwrite64(3</d/wal>, \"\"..., 24, 0) = 24\n1 fsync(3</d/wal> <unfinished ...>\n" +
			"2 pwrite64(3</d/wal>, \"\"..., 8, 24) = 8\n1 <... fsync resumed>) = 0\n", []int64{24}},
		{"a write that was under way", "1 pwrite64(3</d/wal>, \"\"..., 24, 0 <unfinished ...>\n2 fsync(3</d/wal>) = 0\n1 <... pwrite64 resumed>) = 24\n", []int64{0}},
		{"a write of no room", "1 pwrite64(3</d/wal>, \"\"..., 24, 0) = -1 ENOSPC (No space left on device)\n", nil},
		{"delayed", "1 pwrite64(3</d/wal>, \"\"..., 24, 0) = 24 (DELAYED)\n1 fsync(3</d/wal>) = 0 (DELAYED)\n", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			writes, err := unsynced(strings.NewReader(tt.trace))
			if err != nil {
				t.Fatal(err)
			}
			var got []int64
			for _, w := range writes {
				got = append(got, w.at)
			}
			if fmt.Sprint(got) != fmt.Sprint(tt.want) {
				t.Errorf("unsynced = %v, want %v", got, tt.want)
			}
		})
	}
	if _, err := unsynced(strings.NewReader("1 pwrite64(3, ...what?\n")); err == nil {
		t.Error("a line that is not understood is passed over")
	}
}

// told is a ledger of two messages, as it should be.
func told() (*ledger, []stored) {
	l := newLedger()
	l.broken = func(error) {}
	for n := 1; n <= 2; n++ {
		k := key{"M", fmt.Sprint("id-", n)}
		text := fmt.Sprint("text ", n)
		l.say(&said{key: k, kind: saySend, author: "w", n: n, room: "lobby", text: text})
		l.ack(k, "lobby", int64(n), false)
		l.show("r", "lobby", int64(n), shown{key: k, text: text})
	}
	l.say(&said{kind: saySend, author: "t", n: 1, room: "lobby", text: "line"})
	r := l.begin("t", "lobby", time.Now())
	l.line(r, "text 1")
	l.line(r, "text 2")
	return l, []stored{
		{key: key{"M", "id-1"}, room: "lobby", seq: 1, body: "text 1", kind: "message"},
		{key: key{"M", "id-2"}, room: "lobby", seq: 2, body: "text 2", kind: "message"},
	}
}

func TestCompare(t *testing.T) {
	l, rows := told()
	if err := l.compare(rows, true); err != nil {
		t.Fatalf("what is as it should be: %v", err)
	}
	tests := []struct {
		name    string
		change  func(*ledger, []stored) []stored
		promise string
	}{
		{"lost", func(_ *ledger, r []stored) []stored { return r[:1] }, onDisk},
		{"doubled", func(_ *ledger, r []stored) []stored {
			return append(r, stored{key: r[0].key, room: "lobby", seq: 3, body: r[0].body, kind: "message"})
		}, exactlyOnce},
		{"another text", func(_ *ledger, r []stored) []stored { r[1].body = "text 3"; return r }, noGap},
		{"the texts changed places", func(_ *ledger, r []stored) []stored { r[0].body, r[1].body = r[1].body, r[0].body; return r }, noGap},
		{"another number", func(_ *ledger, r []stored) []stored { r[1].seq = 3; return r }, onDisk},
		{"another room", func(_ *ledger, r []stored) []stored { r[1].room = "side"; return r }, noGap},
		{"the other way round", func(_ *ledger, r []stored) []stored { r[0], r[1] = r[1], r[0]; return r }, inOrder},
		{"nobody said it", func(_ *ledger, r []stored) []stored {
			return append(r, stored{key: key{"X", "x"}, room: "lobby", seq: 3, body: "what?", kind: "message"})
		}, noGap},
		{"never answered", func(l *ledger, r []stored) []stored {
			l.say(&said{key: key{"M", "id-3"}, kind: saySend, author: "w", n: 3, room: "lobby", text: "text 3"})
			return r
		}, exactlyOnce},
		{"a line with a gap", func(l *ledger, r []stored) []stored {
			l.line(l.begin("t", "lobby", time.Now()), "text 2")
			l.line(l.runs[1], "text 1")
			return r
		}, noGap},
		{"a line that is not stored", func(l *ledger, r []stored) []stored { l.line(l.begin("t", "lobby", time.Now()), "line"); return r }, onDisk},
		{"shown and not stored", func(l *ledger, r []stored) []stored {
			l.shown["lobby"][3] = shown{key: key{"M", "id-3"}, text: "text 3"}
			return r
		}, onDisk},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l, rows := told()
			var v *violation
			if err := l.compare(tt.change(l, rows), true); !errors.As(err, &v) || v.promise != tt.promise {
				t.Errorf("compare = %v, want that %q does not hold", err, tt.promise)
			}
		})
	}
}

func TestWhatIsToldIsJudgedAtOnce(t *testing.T) {
	first := key{"M", "id-1"}
	tests := []struct {
		name    string
		tell    func(*ledger)
		promise string
	}{
		{"two numbers for one message", func(l *ledger) { l.ack(first, "lobby", 3, true) }, exactlyOnce},
		{"one number for two", func(l *ledger) {
			k := key{"M", "id-3"}
			l.say(&said{key: k, kind: saySend, author: "w", n: 3, room: "lobby", text: "text 3"})
			l.ack(k, "lobby", 2, false)
		}, onDisk},
		{"a receipt for nobody", func(l *ledger) { l.ack(key{"M", "x"}, "lobby", 3, false) }, exactlyOnce},
		{"a receipt of another room", func(l *ledger) { l.ack(first, "side", 1, false) }, onDisk},
		{"another event at a number", func(l *ledger) { l.show("r", "lobby", 1, shown{key: key{"M", "id-2"}, text: "text 2"}) }, noGap},
		{"shown again at another number", func(l *ledger) { l.show("r", "lobby", 3, shown{key: first, text: "text 1"}) }, exactlyOnce},
		{"a text that nobody said", func(l *ledger) { l.show("r", "lobby", 3, shown{key: key{"M", "id-3"}, text: "what?"}) }, noGap},
		{"nothing", func(l *ledger) {
			l.show("s", "lobby", 1, shown{key: first, text: "text 1"})
			l.ack(first, "lobby", 1, true)
		}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l, _ := told()
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			l.broken = cancel
			tt.tell(l)
			var v *violation
			promise := ""
			if errors.As(context.Cause(ctx), &v) {
				promise = v.promise
			}
			if promise != tt.promise {
				t.Errorf("%v, want %q", v, tt.promise)
			}
		})
	}
}

// The same seed is the same schedule, and every kind of fault is in it soon.
func TestPlan(t *testing.T) {
	can := abilities{trace: true, full: true, restart: true}
	a, b := newPlan(7, can, ""), newPlan(7, can, "")
	ends := map[string]bool{}
	for range 10 {
		l := a.next()
		if m := b.next(); l != m {
			t.Fatalf("%v and %v of the same seed", l, m)
		}
		ends[l.end], ends[l.disk] = true, true
	}
	for _, want := range []string{endKill, endTerm, endPower, endRestart, diskTraced, diskSlow, diskSick, diskDead, diskFull, diskLocked} {
		if !ends[want] {
			t.Errorf("%q is not in ten lives", want)
		}
	}
	if l := newPlan(8, abilities{}, "loop").next(); l.driver != "loop" || l.disk != diskWell {
		t.Errorf("where nothing can be done: %v", l)
	}
}
