package socket

import (
	"encoding/binary"
	"errors"
	"io"
	"unicode/utf8"
)

// Opcodes of RFC 6455 §5.2.
const (
	opContinuation = 0x0
	opText         = 0x1
	opBinary       = 0x2
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xA
)

// maxControlPayload is what RFC 6455 §5.5 allows a control frame.
const maxControlPayload = 125

// appendControl appends a whole control frame as a server writes it, unmasked. The payload is cut to what is allowed.
func appendControl(dst []byte, op byte, payload []byte) []byte {
	if len(payload) > maxControlPayload {
		payload = payload[:maxControlPayload]
	}
	dst = append(dst, 0x80|op, byte(len(payload))) //nolint:gosec // at most 125
	return append(dst, payload...)
}

// appendClose appends a close frame; code 0 is one without a code. A long reason is cut at a character.
func appendClose(dst []byte, code int, reason string) []byte {
	if code == 0 {
		return appendControl(dst, opClose, nil)
	}
	for len(reason) > maxControlPayload-2 {
		_, n := utf8.DecodeLastRuneInString(reason)
		reason = reason[:len(reason)-n]
	}
	payload := binary.BigEndian.AppendUint16(make([]byte, 0, maxControlPayload), uint16(code)) //nolint:gosec // codes are four digits
	return appendControl(dst, opClose, append(payload, reason...))
}

// frameEnd returns where the first frame of b ends; b begins at a frame of a server and holds all of it.
func frameEnd(b []byte) int {
	if len(b) < 2 {
		return len(b)
	}
	n := 2 + int(b[1]&0x7f)
	switch b[1] & 0x7f {
	case 126:
		if len(b) < 4 {
			return len(b)
		}
		n = 4 + int(binary.BigEndian.Uint16(b[2:]))
	case 127:
		if len(b) < 10 {
			return len(b)
		}
		n = 10 + int(binary.BigEndian.Uint64(b[2:])) //nolint:gosec // our own frames are far smaller
	}
	return min(n, len(b))
}

// header is the beginning of a frame from a client.
type header struct {
	final  bool
	op     byte
	length int64
	mask   [4]byte
}

// control tells whether the frame is a close, a ping or a pong.
func (h header) control() bool { return h.op >= opClose }

// protocolError is something that RFC 6455 does not allow. Its text goes out as the reason of the close frame.
type protocolError string

func (e protocolError) Error() string { return string(e) }

// errEnd is the end of the stream between two frames, without a close frame.
var errEnd = errors.New("the stream ended without a close frame")

// readHeader reads the beginning of a frame into h. The error is a protocolError or of the connection; errEnd is an
// end before the first byte. buf is scratch: a local array would be allocated anew for each frame.
func readHeader(r io.Reader, buf *[14]byte, h *header) error {
	if _, err := io.ReadFull(r, buf[:2]); errors.Is(err, io.EOF) {
		return errEnd
	} else if err != nil {
		return err
	}
	h.final, h.op = buf[0]&0x80 != 0, buf[0]&0x0f
	h.length = int64(buf[1] & 0x7f)
	switch {
	case buf[0]&0x70 != 0:
		return protocolError("reserved bits are set")
	case h.op > opBinary && h.op < opClose || h.op > opPong:
		return protocolError("unknown opcode")
	case buf[1]&0x80 == 0:
		return protocolError("frames from a client must be masked")
	case h.control() && !h.final:
		return protocolError("control frames must not be fragmented")
	case h.control() && h.length > maxControlPayload:
		return protocolError("control frames have at most 125 bytes")
	}
	if err := readLength(r, buf, h); err != nil {
		return err
	}
	if _, err := io.ReadFull(r, buf[:4]); err != nil {
		return err
	}
	copy(h.mask[:], buf[:4])
	return nil
}

// readLength reads the extended length, if there is one; it must be the shortest that can say it (RFC 6455 §5.2).
func readLength(r io.Reader, buf *[14]byte, h *header) error {
	switch h.length {
	case 126:
		if _, err := io.ReadFull(r, buf[:2]); err != nil {
			return err
		}
		h.length = int64(binary.BigEndian.Uint16(buf[:2]))
		if h.length < 126 {
			return protocolError("a length must be written in the shortest form")
		}
	case 127:
		if _, err := io.ReadFull(r, buf[:8]); err != nil {
			return err
		}
		n := binary.BigEndian.Uint64(buf[:8])
		if n>>63 != 0 {
			return protocolError("the first bit of a length must be 0")
		}
		if n <= 0xffff {
			return protocolError("a length must be written in the shortest form")
		}
		h.length = int64(n)
	}
	return nil
}

// unmask takes the mask off a payload that begins at the frame's first byte.
func unmask(b []byte, mask [4]byte) {
	m := uint64(binary.LittleEndian.Uint32(mask[:]))
	m |= m << 32
	for len(b) >= 8 {
		binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)^m)
		b = b[8:]
	}
	for i := range b {
		b[i] ^= mask[i&3]
	}
}

// parseClose reads the payload of a close frame; no payload is code 1005 (RFC 6455 §7.1.5).
func parseClose(payload []byte) (code int, reason string, err error) {
	if len(payload) == 0 {
		return closeNoStatus, "", nil
	}
	if len(payload) == 1 {
		return 0, "", protocolError("a close frame of one byte")
	}
	code = int(binary.BigEndian.Uint16(payload))
	if !mayReceive(code) {
		return 0, "", protocolError("a close code that must not be sent")
	}
	if !utf8.Valid(payload[2:]) {
		return 0, "", protocolError("the reason of a close frame is not UTF-8")
	}
	return code, string(payload[2:]), nil
}

// mayReceive tells the close codes that may stand in a frame (RFC 6455 §7.4 and the registry of IANA).
func mayReceive(code int) bool {
	return code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006 || code >= 3000 && code <= 4999
}
