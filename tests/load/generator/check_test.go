//go:build linux

package generator

import (
	"fmt"
	"testing"
	"time"
)

// crowdOf is a generator with connected members in two rooms, whose first members have each said n messages.
func crowdOf(n uint32) *generator {
	g := &generator{
		spec:    Spec{Members: 4, Rooms: 2, Publishers: 1},
		start:   time.Now(),
		run:     "abc",
		members: []int{2, 2},
		ofRoom:  make([][]*publisher, 2),
	}
	for i := range 4 {
		g.conns = append(g.conns, &conn{index: i, room: i % 2, state: ready, next: make([]uint32, 1)})
	}
	g.choosePublishers()
	for _, p := range g.publishers {
		p.next = n
		for i := range n {
			p.missing[i] = 2
		}
	}
	return g
}

func (g *generator) hears(member int, markers ...string) {
	for _, m := range markers {
		g.received(g.conns[member], fmt.Appendf(nil, `{"text":"@@%s@@ and so on"}`, m), 1)
	}
}

func TestEveryMessageIsChecked(t *testing.T) {
	whole := []string{"abc:0:0", "abc:0:1", "abc:0:2"}
	for _, c := range []struct {
		what                          string
		heard                         []string
		lost, duplicates, wrong, done int
	}{
		{"all of it", whole, 0, 0, 0, 3},
		{"several in one frame", []string{"abc:0:0@@ text @@abc:0:1", "abc:0:2"}, 0, 0, 0, 3},
		{"not the first", []string{"abc:0:1", "abc:0:2"}, 1, 0, 0, 0},
		{"not the one between", []string{"abc:0:0", "abc:0:2"}, 1, 0, 0, 1},
		{"not the last", []string{"abc:0:0", "abc:0:1"}, 1, 0, 0, 2},
		{"nothing", nil, 3, 0, 0, 0},
		{"one of them twice", []string{"abc:0:0", "abc:0:1", "abc:0:1", "abc:0:2"}, 0, 1, 0, 3},
		{"in another order", []string{"abc:0:1", "abc:0:0", "abc:0:2"}, 1, 1, 0, 0},
		{"what the other room was told", append([]string{"abc:1:0"}, whole...), 0, 0, 1, 3},
		{"what nobody said yet", append(whole, "abc:0:3"), 0, 0, 1, 3},
		{"what was said in another run", append(whole, "abd:0:3"), 0, 0, 1, 3},
		{"somebody who does not exist", append(whole, "abc:7:0"), 0, 0, 1, 3},
		{"a marker that is none", append(whole, "abc:0"), 0, 0, 1, 3},
	} {
		t.Run(c.what, func(t *testing.T) {
			g := crowdOf(3)
			g.hears(0, whole...)
			g.hears(2, c.heard...)
			g.hears(1, "abc:1:0", "abc:1:1", "abc:1:2")
			g.hears(3, "abc:1:0", "abc:1:1", "abc:1:2")
			g.verify()
			r := g.result
			if r.Expected != 12 || r.Lost != uint64(c.lost) || r.Duplicates != uint64(c.duplicates) || r.Wrong != uint64(c.wrong) {
				t.Errorf("expected %d, lost %d, twice %d, wrong %d", r.Expected, r.Lost, r.Duplicates, r.Wrong)
			}
			if done := g.publishers[0].done; done != uint32(c.done) {
				t.Errorf("%d messages are done, want %d", done, c.done)
			}
		})
	}
}

func TestServerFrames(t *testing.T) {
	long := append([]byte{0x81, 126, 1, 0}, make([]byte, 256)...)
	for _, c := range []struct {
		what string
		in   []byte
		size int
		bad  bool
	}{
		{"nothing", nil, 0, false},
		{"half a header", []byte{0x81}, 0, false},
		{"text", []byte{0x81, 2, 'h', 'i', 0x81}, 4, false},
		{"unfinished text", []byte{0x81, 3, 'h', 'i'}, 0, false},
		{"long text", long, 260, false},
		{"unfinished long text", long[:259], 0, false},
		{"unfinished length", long[:3], 0, false},
		{"masked", []byte{0x81, 0x82, 0, 0, 0, 0, 'h', 'i'}, 0, true},
		{"fragment", []byte{0x01, 2, 'h', 'i'}, 4, false},
		{"reserved bit", []byte{0xc1, 2, 'h', 'i'}, 0, true},
		{"far too long", []byte{0x81, 127, 0xff, 0, 0, 0, 0, 0, 0, 0}, 0, true},
	} {
		if _, _, size, err := serverFrame(c.in); size != c.size || (err != nil) != c.bad {
			t.Errorf("%s: size %d, %v", c.what, size, err)
		}
	}
}

func TestAMessageInPartsIsOne(t *testing.T) {
	g := crowdOf(2)
	frames := "\x01\x05@@abc\x8a\x00\x00\x03:0:\x80\x030@@" + "\x81\x0b@@abc:0:1@@"
	for cut := 1; cut <= len(frames); cut++ { // however it comes
		if n := g.consume(g.conns[0], []byte(frames[:cut]), 1); n > 0 {
			frames, cut = frames[n:], 0
		}
	}
	if got := g.conns[0].next[0]; got != 2 || g.result.Wrong != 0 {
		t.Errorf("%d messages, %d astray", got, g.result.Wrong)
	}
}

func TestThoseWhoDoNotReadAreSpread(t *testing.T) {
	s := Spec{Members: 1000, Stuck: 200}
	n := 0
	for i := range s.Members {
		if s.roleOf(i) == stuck {
			n++
		}
	}
	if n != 200 || s.roleOf(0) != ordinary || s.roleOf(4) != stuck || s.roleOf(999) != stuck {
		t.Errorf("%d are stuck", n)
	}
}

func TestIDsAscend(t *testing.T) {
	s := newIDSource()
	last := ""
	for range 1000 {
		id := string(s.appendID(nil))
		if len(id) != 36 || id[14] != '7' {
			t.Fatalf("id %q", id)
		}
		if last != "" && id[:14] < last[:14] {
			t.Fatalf("%q after %q", id, last)
		}
		if id == last {
			t.Fatalf("%q twice", id)
		}
		last = id
	}
}
