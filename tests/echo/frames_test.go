package main

import (
	"bytes"
	"strings"
	"testing"
)

// The families 1, 2, 5 and 10 of Autobahn's cases: what is allowed comes back, however it is cut.
func TestMessagesComeBack(t *testing.T) {
	eachDriver(t, func(t *testing.T, addr string) {
		for _, op := range []byte{opText, opBinary} {
			for _, n := range []int{0, 1, 125, 126, 127, 128, 65535, 65536, 65537} {
				payload := bytes.Repeat([]byte{'*'}, n)
				if op == opBinary {
					payload = bytes.Repeat([]byte{0xfe}, n)
				}
				whole := frame(fin|op, payload)
				l := dial(t, addr)
				l.raw(whole)
				l.want(op, payload)
				l.chopped(whole, 997)
				l.want(op, payload)
				l.raw(fragments(op, payload, 1300))
				l.want(op, payload)
				l.leave()
			}
		}
	})
}

func TestPingsAreAnswered(t *testing.T) {
	eachDriver(t, func(t *testing.T, addr string) {
		for _, payload := range []string{"", "Hello, world!", "\x00\xff\xfe\xfd\xfc\xfb\x00\xff", strings.Repeat("\xfe", 125)} {
			for _, size := range []int{1, 1 << 10} {
				l := dial(t, addr)
				l.chopped(join(frame(fin|opPong, nil), frame(fin|opPong, []byte("unasked")), frame(fin|opPing, []byte(payload))), size)
				l.want(opPong, []byte(payload))
				l.leave()
			}
		}
		l := dial(t, addr)
		var pings []byte
		for i := range 10 {
			pings = append(pings, frame(fin|opPing, []byte{'a' + byte(i)})...)
		}
		for _, size := range []int{1 << 10, 1} {
			l.chopped(pings, size)
			for i := range 10 {
				l.want(opPong, []byte{'a' + byte(i)})
			}
		}
		l.leave()
	})
}

func TestFragmentsAreOneMessage(t *testing.T) {
	one, two, ping := []byte("fragment1"), []byte("fragment2"), []byte("ping payload")
	both := append(bytes.Clone(one), two...)
	eachDriver(t, func(t *testing.T, addr string) {
		for _, op := range []byte{opText, opBinary} {
			for _, size := range []int{1, 3, 1 << 10} {
				l := dial(t, addr)
				l.chopped(join(frame(op, one), frame(fin, two)), size)
				l.want(op, both)
				l.chopped(join(frame(op, one), frame(fin|opPing, ping), frame(fin, two)), size)
				l.want(opPong, ping)
				l.want(op, both)
				l.chopped(join(frame(op, nil), frame(0, nil), frame(fin, nil)), size)
				l.want(op, nil)
				l.chopped(join(frame(op, nil), frame(0, two), frame(fin, nil)), size)
				l.want(op, two)
				l.leave()
			}
		}
		l := dial(t, addr) // five fragments and two pings, with a pause after each ping
		l.raw(join(frame(opText, one), frame(0, two), frame(fin|opPing, one)))
		l.want(opPong, one)
		l.raw(join(frame(0, one), frame(0, two), frame(fin|opPing, two)))
		l.want(opPong, two)
		l.raw(frame(fin, one))
		l.want(opText, bytes.Join([][]byte{one, two, one, two, one}, nil))
		l.leave()
	})
}

// The families 3, 4 and the rest of 2 and 5: what is not allowed fails the connection (1002), and no ping after it is
// answered.
func TestFramesThatAreNotAllowedFailTheConnection(t *testing.T) {
	text, ping := []byte("Hello, world!"), frame(fin|opPing, nil)
	tests := map[string][]byte{
		"ping of 126 bytes":                       frame(fin|opPing, bytes.Repeat([]byte{0xfe}, 126)),
		"reserved bit 1":                          frame(fin|0x40|opText, text),
		"reserved bit 2, after a message":         join(frame(fin|opText, text), frame(fin|0x20|opText, text), ping),
		"reserved bits 2 and 3, after a message":  join(frame(fin|opText, text), frame(fin|0x30|opText, text), ping),
		"reserved bit 1, after a message":         join(frame(fin|opText, text), frame(fin|0x40|opText, text), ping),
		"reserved bits 1 and 3, binary":           frame(fin|0x50|opBinary, bytes.Repeat([]byte{0xff}, 100)),
		"reserved bits 1 and 2, ping":             frame(fin|0x60|opPing, text),
		"reserved bits, close":                    frame(fin|0x70|opClose, []byte{0x03, 0xe8}),
		"fragmented ping":                         join(frame(opPing, text), frame(fin, text), ping),
		"fragmented pong":                         join(frame(opPong, text), frame(fin, text), ping),
		"continuation of nothing, final":          join(frame(fin, text), frame(fin|opText, text)),
		"continuation of nothing":                 join(frame(0, text), frame(fin|opText, text)),
		"continuation of nothing after a message": join(frame(opText, text), frame(fin, text), frame(0, text), frame(fin|opText, text)),
		"continuation, text, continuation":        join(frame(0, text), frame(opText, text), frame(fin, text)),
		"text inside a message":                   join(frame(opText, text), frame(fin|opText, text)),
		"unmasked":                                {fin | opText, 1, 'a'},
		"length not in the shortest form":         {fin | opText, 0xfe, 0, 5, 0, 0, 0, 0},
		"length with the first bit":               {fin | opText, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0},
	}
	for _, op := range []byte{3, 4, 5, 6, 7, 11, 12, 13, 14, 15} {
		name := "opcode " + string("0123456789ABCDEF"[op])
		tests[name] = frame(fin|op, nil)
		tests[name+" with a payload"] = frame(fin|op, text)
		tests[name+", after a message"] = join(frame(fin|opText, text), frame(fin|op, text), ping)
	}
	eachDriver(t, func(t *testing.T, addr string) {
		for name, stream := range tests {
			for _, size := range []int{1, 1 << 10} {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					l := dial(t, addr)
					l.chopped(stream, size)
					l.wantClosed(1002)
				})
			}
		}
	})
}
