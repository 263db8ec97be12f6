package hub

import (
	"encoding/binary"
	"slices"

	"govor/hub/line"
	"govor/hub/protocol"
)

// Sizes of a ring's segments. A room that says little holds little.
const (
	minSegment = 512
	maxSegment = 64 << 10
)

// DefaultRingBytes bounds a ring where the configuration does not say otherwise.
const DefaultRingBytes = 1 << 20

// ring holds the last frames of a room in one format, as bytes that are ready for a socket: server frames are unmasked
// (RFC 6455 §5.1), so one encoding serves everyone. Bytes that were appended never change, and segments are left to the
// garbage collector; so what take returned may be written without a lock, for as long as it takes.
//
// Offsets are absolute: they count every byte that was ever appended. All fields are guarded by the room's mu.
type ring struct {
	format protocol.Format
	max    int // bytes that are kept at most, besides the last segment

	segments []*segment
	size     int     // bytes in segments
	usual    int     // bytes that were there at once of late: so much should find room in one segment, and go out in one write
	end      int64   // offset after the last byte
	members  int     // all seats
	seats    []*seat // those that are told one by one, in no order; each knows its place
	late     int     // of seats, those that are behind
	shares   []*share
	behind   int // seats that are known to have not taken everything, and shares in which there may be some
}

// segment is a run of frames; no frame lies in two.
type segment struct {
	start int64 // offset of buf[0]
	buf   []byte
	last  int64 // number of the room's last event when the last frame was appended
}

func newRing(f protocol.Format, limit int) *ring {
	if limit <= 0 {
		limit = DefaultRingBytes
	}
	return &ring{format: f, max: limit}
}

// add makes t one of the ring's seats.
func (r *ring) add(t *seat) {
	list := r.listOf(t)
	t.place = int32(len(*list)) //nolint:gosec // sessions are fewer than descriptors
	*list = append(*list, t)
	r.members++
}

// drop takes t out. It is not behind.
func (r *ring) drop(t *seat) {
	r.members--
	if t.share != nil {
		t.share.drop(t)
		return
	}
	last := len(r.seats) - 1
	r.seats[t.place] = r.seats[last]
	r.seats[t.place].place = t.place
	r.seats[last] = nil
	r.seats = r.seats[:last]
}

// listOf is where t stands.
func (r *ring) listOf(t *seat) *[]*seat {
	if t.share != nil {
		return &t.share.seats
	}
	return &r.seats
}

// shareOf returns the share of a feeder. There are as many as event loops.
func (r *ring) shareOf(room *room, f line.Feeder) *share {
	for _, h := range r.shares {
		if h.feeder == f {
			return h
		}
	}
	h := &share{ring: r, room: room, feeder: f}
	r.shares = append(r.shares, h)
	return h
}

// all returns every seat.
func (r *ring) all() []*seat {
	list := slices.Clone(r.seats)
	for _, h := range r.shares {
		list = append(list, h.seats...)
	}
	return list
}

// append adds one frame with the payload; last is the room's last number from now on.
func (r *ring) append(payload []byte, last int64) {
	need := frameLen(len(payload))
	s := r.tail(need)
	s.buf = appendFrame(s.buf, payload)
	s.last = last
	r.size += need
	r.end += int64(need)
	for r.size > r.max && len(r.segments) > 1 {
		r.size -= len(r.segments[0].buf)
		r.segments[0] = nil
		r.segments = r.segments[1:]
	}
}

// tail returns a segment with room for need more bytes.
func (r *ring) tail(need int) *segment {
	grow := min(max(r.usual+r.usual/4, minSegment), maxSegment)
	if n := len(r.segments); n > 0 {
		s := r.segments[n-1]
		if cap(s.buf)-len(s.buf) >= need {
			return s
		}
		grow = min(2*cap(s.buf), maxSegment)
	}
	s := &segment{start: r.end, buf: make([]byte, 0, max(grow, need))}
	r.segments = append(r.segments, s)
	return s
}

// first is the offset of the oldest byte that is still there.
func (r *ring) first() int64 {
	if len(r.segments) == 0 {
		return r.end
	}
	return r.segments[0].start
}

// from returns the bytes from offset to the end of its segment, and the number of the last event in them. There are
// none at the end; the caller has made sure that offset ≥ first().
func (r *ring) from(offset int64) (b []byte, last int64) {
	for i := len(r.segments) - 1; i >= 0; i-- {
		s := r.segments[i]
		if offset >= s.start {
			return s.buf[offset-s.start : len(s.buf) : len(s.buf)], s.last
		}
	}
	return nil, 0
}

// fallBehind notes that t has not taken everything; it has not been behind.
func (r *ring) fallBehind(t *seat) {
	t.behind = true
	r.behind++
	if t.share == nil {
		r.late++
	}
}

// catchUp notes that t is not behind, if it has been.
func (r *ring) catchUp(t *seat) {
	if !t.behind {
		return
	}
	t.behind = false
	r.behind--
	if t.share == nil {
		r.late--
	}
	r.giveBack()
}

// giveBack gives the bytes back when nobody is behind.
func (r *ring) giveBack() {
	if r.behind == 0 {
		r.usual = max(r.size, r.usual/2)
		r.segments, r.size = nil, 0
	}
}

// clear gives all bytes back; a seat whose cursor is before the end has missed something then.
func (r *ring) clear() { r.segments, r.size = nil, 0 }

// frameLen is the length of a frame with n bytes of payload.
func frameLen(n int) int {
	switch {
	case n < 126:
		return 2 + n
	case n <= 0xffff:
		return 4 + n
	default:
		return 10 + n
	}
}

// appendFrame appends a whole, unmasked text frame (RFC 6455 §5.2).
func appendFrame(dst, payload []byte) []byte {
	const finText = 0x81
	switch n := len(payload); {
	case n < 126:
		dst = append(dst, finText, byte(n))
	case n <= 0xffff:
		dst = binary.BigEndian.AppendUint16(append(dst, finText, 126), uint16(n))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, finText, 127), uint64(n))
	}
	return append(dst, payload...)
}
