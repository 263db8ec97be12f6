package socket

import (
	"encoding/binary"
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

// verdict is how a connection ends.
type verdict struct {
	code   int
	reason string
	echo   bool // the other side closed; ours is the answer
}

// appendFrame appends the close frame of the verdict.
func (v verdict) appendFrame(dst []byte) []byte {
	switch {
	case v.code == closeNoStatus:
		return appendClose(dst, 0, "")
	case v.echo:
		return appendClose(dst, v.code, "") // only the code is theirs to hear again
	default:
		return appendClose(dst, v.code, v.reason)
	}
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

// restOfFrame is how many bytes are missing to the end of a frame after n bytes of b were written; b begins rest bytes
// before the end of a frame and ends with one.
func restOfFrame(b []byte, rest, n int) int {
	if n == len(b) {
		return max(0, rest-n)
	}
	for rest < n {
		rest += frameEnd(b[rest:])
	}
	return rest - n
}

// parseClose reads the payload of a close frame and says what is wrong with it, if anything; no payload is code 1005
// (RFC 6455 §7.1.5).
func parseClose(payload []byte) (code int, reason, bad string) {
	if len(payload) == 0 {
		return closeNoStatus, "", ""
	}
	if len(payload) == 1 {
		return 0, "", "a close frame of one byte"
	}
	code = int(binary.BigEndian.Uint16(payload))
	if !mayReceive(code) {
		return 0, "", "a close code that must not be sent"
	}
	if !utf8.Valid(payload[2:]) {
		return 0, "", "the reason of a close frame is not UTF-8"
	}
	return code, string(payload[2:]), ""
}

// mayReceive tells the close codes that may stand in a frame (RFC 6455 §7.4 and the registry of IANA).
func mayReceive(code int) bool {
	return code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006 || code >= 3000 && code <= 4999
}
