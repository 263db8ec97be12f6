package socket

import (
	"encoding/binary"
	"fmt"
	"time"
	"unicode/utf8"

	"govor/hub/line"
)

// pulse is what a connection remembers of what it has read, also while nothing comes.
type pulse struct {
	heard time.Duration // when the last frame came, counted from the connection's or the loop's beginning
	spent time.Duration // when the allowance of control and tiny frames is whole again
}

// allow counts a control or tiny frame and tells whether it is within the allowance, see Limits.ControlRate.
func (p *pulse) allow(now time.Duration, perSecond int) bool {
	if perSecond <= 0 {
		return true
	}
	cost := time.Second / time.Duration(perSecond)
	p.spent = max(p.spent, now)
	if p.spent-now > controlBurst*time.Second-cost {
		return false
	}
	p.spent += cost
	return true
}

// eventKind says what came of some bytes.
type eventKind uint8

const (
	evNothing  eventKind = iota // all bytes are used, and more are needed
	evMessage                   // data is a whole message
	evPing                      // data is to be sent back
	evEnd                       // the connection ends as end says; from now on everything is skipped
	evAnswered                  // while skipping: the other side's close frame came
)

// event is what a parser found. data may lie in the bytes that were parsed, which are changed, or be given away.
type event struct {
	kind   eventKind
	kept   bool // data is the caller's to keep
	binary bool // the message is a binary one
	data   []byte
	end    verdict
}

// parser reads the frames of a client from bytes as they come, however they are cut. It holds memory for what has come
// of an unfinished frame or message only.
type parser struct {
	pulse    *pulse
	limit    int64 // bytes of a message
	binary   bool  // binary messages are taken, too
	controls int   // control and tiny frames a second

	head    [14]byte // of the frame at hand
	have    uint8    // bytes of head that have come
	phase   uint8    // where in the mask the payload goes on
	whole   bool     // head has come
	inside  bool     // a message has begun and its last frame has not come
	bytes   bool     // it is a binary one
	skip    bool     // after the verdict: only the other side's close frame is looked for
	blind   bool     // and not even that can be found any more
	frames  int      // that have come whole
	tiny    int      // of the message, tiny fragments
	left    int64    // bytes of the frame's payload that have not come, when head has
	begun   time.Duration
	message []byte
	valid   int // of message, so many bytes are known to be UTF-8, if it has to be
	control []byte
}

// idle tells whether nothing is unfinished.
func (p *parser) idle() bool { return p.have == 0 && !p.inside && !p.skip }

// discard makes the parser skip everything up to the other side's close frame.
func (p *parser) discard() {
	p.skip, p.message, p.valid, p.control = true, nil, 0, nil
	p.inside, p.begun = false, 0
}

// next parses b up to the first event and returns how many bytes that took. Without an event it has taken all of b.
func (p *parser) next(b []byte, now time.Duration) (n int, ev event) {
	for n < len(b) || p.whole && p.left == 0 {
		if p.blind {
			return len(b), event{}
		}
		if !p.whole {
			used, ev := p.readHead(b[n:])
			n += used
			if ev.kind == evNothing && p.whole && !p.skip {
				ev = p.begin(now)
			}
			if ev.kind != evNothing {
				return n, ev
			}
			continue
		}
		chunk := b[n : n+int(min(int64(len(b)-n), p.left))] // left may be as long as an int64 can say
		n += len(chunk)
		p.left -= int64(len(chunk))
		if ev := p.readPayload(chunk); ev.kind != evNothing {
			return n, ev
		}
	}
	return n, event{}
}

// end is the event of a verdict.
func (p *parser) end(code int, reason string) event {
	p.discard()
	return event{kind: evEnd, end: verdict{code: code, reason: reason}}
}

func (p *parser) op() byte      { return p.head[0] & 0x0f }
func (p *parser) final() bool   { return p.head[0]&0x80 != 0 }
func (p *parser) masked() bool  { return p.head[1]&0x80 != 0 }
func (p *parser) isClose() bool { return p.op() == opClose }

// headLen is how many bytes the head has, as far as is known.
func (p *parser) headLen() uint8 {
	n := uint8(2)
	if p.have < n {
		return n
	}
	switch p.head[1] & 0x7f {
	case 126:
		n += 2
	case 127:
		n += 8
	}
	if p.masked() {
		n += 4
	}
	return n
}

// readHead takes bytes up to the end of the frame's head, at most.
func (p *parser) readHead(b []byte) (used int, ev event) {
	for used < len(b) && p.have < p.headLen() {
		p.head[p.have] = b[used]
		p.have++
		used++
		if p.have == 2 && !p.skip {
			if bad := p.checkStart(); bad != "" {
				return used, p.end(closeProtocol, bad)
			}
		}
	}
	if p.have == p.headLen() {
		p.whole, p.phase = true, 0
		return used, p.readLength()
	}
	return used, event{}
}

// checkStart looks at the first two bytes of a frame and says what is wrong with them, if anything.
func (p *parser) checkStart() string {
	control := p.op() >= opClose
	switch op := p.op(); {
	case p.head[0]&0x70 != 0:
		return "reserved bits are set"
	case op > opBinary && op < opClose || op > opPong:
		return "unknown opcode"
	case !p.masked():
		return "frames from a client must be masked"
	case control && !p.final():
		return "control frames must not be fragmented"
	case control && p.head[1]&0x7f > maxControlPayload:
		return "control frames have at most 125 bytes"
	}
	return ""
}

// readLength finds how long the payload is; the form must be the shortest that can say it (RFC 6455 §5.2).
func (p *parser) readLength() event {
	shortest := true
	switch n := p.head[1] & 0x7f; n {
	case 126:
		p.left = int64(binary.BigEndian.Uint16(p.head[2:]))
		shortest = p.left >= 126
	case 127:
		length := binary.BigEndian.Uint64(p.head[2:])
		if length>>63 != 0 {
			p.blind = true
			if p.skip {
				return event{}
			}
			return p.end(closeProtocol, "the first bit of a length must be 0")
		}
		p.left = int64(length)
		shortest = length > 0xffff
	default:
		p.left = int64(n)
	}
	if !shortest && !p.skip {
		return p.end(closeProtocol, "a length must be written in the shortest form")
	}
	return event{}
}

// begin looks at a frame whose head has come.
func (p *parser) begin(now time.Duration) event {
	p.pulse.heard = now
	control := p.op() >= opClose
	if control || p.isTiny() {
		if !p.pulse.allow(now, p.controls) {
			return p.end(closePolicy, line.TooManyControls)
		}
	}
	if control {
		return event{}
	}
	switch op := p.op(); {
	case op == opContinuation && !p.inside:
		return p.end(closeProtocol, "a continuation of nothing")
	case op != opContinuation && p.inside:
		return p.end(closeProtocol, "a new message inside another")
	case op == opBinary && !p.binary:
		return p.end(closeUnsupported, "messages here are text")
	case p.left > p.limit-int64(len(p.message)):
		return p.end(closeTooBig, fmt.Sprintf("a message here has at most %d bytes", p.limit))
	}
	if !p.inside {
		p.inside, p.bytes, p.begun = true, p.op() == opBinary, max(1, now)
	}
	return event{}
}

// isTiny tells whether the fragment at hand counts as control frames do: one that is empty, or one of a great many in a message
// that are hardly more.
func (p *parser) isTiny() bool {
	if p.final() || p.left >= tinyFragment {
		return false
	}
	if !p.inside {
		p.tiny = 0
	}
	p.tiny++
	return p.left == 0 || p.tiny > freeTiny
}

// readPayload takes the next bytes of a payload, perhaps the last.
func (p *parser) readPayload(chunk []byte) event {
	last := p.left == 0
	if last {
		defer p.nextFrame()
	}
	if p.skip {
		if last && p.isClose() {
			return event{kind: evAnswered}
		}
		return event{}
	}
	unmask(chunk, p.head[p.have-4:p.have], p.phase)
	p.phase = (p.phase + uint8(len(chunk)&3)) & 3
	if p.op() >= opClose {
		return p.readControl(chunk, last)
	}
	ev := event{kind: evMessage, data: chunk, binary: p.bytes}
	whole := last && p.final()
	if !whole || len(p.message) > 0 {
		p.message = append(p.message, chunk...)
		ev.data, ev.kept = p.message, true
	}
	if !p.bytes && !p.checkText(ev.data, whole) {
		return p.end(closeBadText, "the text is not UTF-8")
	}
	if !whole {
		return event{}
	}
	p.message, p.valid = nil, 0
	p.inside, p.begun = false, 0
	return ev
}

// checkText tells whether b, all that has come of a text, can be UTF-8, and whether it is if it is whole. What was
// looked at before is not looked at again: a long message that goes wrong ends where it does.
func (p *parser) checkText(b []byte, whole bool) bool {
	end := len(b)
	if !whole {
		for tail := range min(len(b)-p.valid, utf8.UTFMax-1) { // the last character may be cut
			if at := len(b) - 1 - tail; utf8.RuneStart(b[at]) {
				if !utf8.FullRune(b[at:]) {
					end = at
				}
				break
			}
		}
	}
	ok := utf8.Valid(b[p.valid:end])
	p.valid = end
	return ok
}

// nextFrame is called at the end of a frame.
func (p *parser) nextFrame() { p.have, p.whole, p.frames = 0, false, p.frames+1 }

func (p *parser) readControl(chunk []byte, last bool) event {
	if !last || len(p.control) > 0 {
		p.control = append(p.control, chunk...)
		chunk = p.control
	}
	if !last {
		return event{}
	}
	p.control = nil
	switch p.op() {
	case opPing:
		return event{kind: evPing, data: chunk}
	case opClose:
		code, reason, bad := parseClose(chunk)
		if bad != "" {
			return p.end(closeProtocol, bad)
		}
		p.discard()
		return event{kind: evEnd, end: verdict{code: code, reason: reason, echo: true}}
	}
	return event{}
}

// unmask takes the mask off bytes of a payload; phase is where in the mask they begin.
func unmask(b, mask []byte, phase uint8) {
	k := [4]byte{mask[phase&3], mask[(phase+1)&3], mask[(phase+2)&3], mask[(phase+3)&3]}
	m := uint64(binary.LittleEndian.Uint32(k[:]))
	m |= m << 32
	for len(b) >= 8 {
		binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)^m)
		b = b[8:]
	}
	for i := range b {
		b[i] ^= k[i&3]
	}
}
