package main

import (
	"strings"
	"testing"
)

// kosme is the Greek word that these cases are about.
const kosme = "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5"

// The family 6: text is UTF-8.
func TestValidTextComesBack(t *testing.T) {
	valid := []string{
		"", "Hello-µ@ßöäüàá-UTF-8!!", "hello$world", "hello¢world", "hello€world", "hello\U00024b62world", kosme,
		"κ", "κό", "\x00", "\u0080", "\u0800", "\U00010000", "\x7f", "\u07ff", "\uffff", "\U0010ffff", "\ud7ff", "\ue000", "\ufffd",
		"\ufff9", "\ufffa", "\ufffb", "\ufffc",
	}
	for plane := range rune(0x11) {
		valid = append(valid, string(plane<<16|0xfffe), string(plane<<16|0xffff))
	}
	eachDriver(t, func(t *testing.T, addr string) {
		l := dial(t, addr)
		for _, s := range valid {
			l.raw(frame(fin|opText, []byte(s)))
			l.want(opText, []byte(s))
			l.raw(fragments(opText, []byte(s), 1))
			l.want(opText, []byte(s))
			l.chopped(frame(fin|opText, []byte(s)), 1)
			l.want(opText, []byte(s))
		}
		l.raw(join(frame(opText, nil), frame(0, []byte(kosme)), frame(fin, nil)))
		l.want(opText, []byte(kosme))
		l.leave()
	})
}

// invalidText are the sequences of Markus Kuhn's table that are not UTF-8.
func invalidText() []string {
	cut := []string{
		"\xc0", "\xe0\x80", "\xf0\x80\x80", "\xf8\x80\x80\x80", "\xfc\x80\x80\x80\x80", "\xdf", "\xef\xbf", "\xf7\xbf\xbf",
		"\xfb\xbf\xbf\xbf", "\xfd\xbf\xbf\xbf\xbf",
	}
	all := append([]string{strings.Join(cut, "")}, cut...)
	var continuations strings.Builder
	for b := range 0xbf - 0x80 {
		continuations.WriteByte(byte(0x80 + b))
		if b < 6 {
			all = append(all, continuations.String())
		}
	}
	all = append(all, continuations.String(), "\xbf")
	for _, bounds := range [][2]byte{{0xc0, 0xdf}, {0xe0, 0xef}, {0xf0, 0xf7}, {0xf8, 0xfb}, {0xfc, 0xfd}} {
		var lonely strings.Builder
		for b := bounds[0]; b < bounds[1]; b++ {
			lonely.WriteString(string([]byte{b, ' '}))
		}
		all = append(all, lonely.String())
	}
	for i := 1; i < len(kosme); i++ {
		if i != 2 && i != 5 && i != 7 && i != 9 { // the ends of characters
			all = append(all, kosme[:i])
		}
	}
	return append(
		all, kosme+"\xed\xa0\x80edited", "\xf8\x88\x80\x80\x80", "\xfc\x84\x80\x80\x80\x80", "\xf7\xbf\xbf\xbf", "\xfb\xbf\xbf\xbf\xbf",
		"\xfd\xbf\xbf\xbf\xbf\xbf", "\xf4\x90\x80\x80", "\xfe", "\xff", "\xfe\xfe\xff\xff",
		"\xc0\xaf", "\xe0\x80\xaf", "\xf0\x80\x80\xaf", "\xf8\x80\x80\x80\xaf", "\xfc\x80\x80\x80\x80\xaf",
		"\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xf8\x87\xbf\xbf\xbf", "\xfc\x83\xbf\xbf\xbf\xbf",
		"\xc0\x80", "\xe0\x80\x80", "\xf0\x80\x80\x80", "\xf8\x80\x80\x80\x80", "\xfc\x80\x80\x80\x80\x80",
		"\xed\xa0\x80", "\xed\xad\xbf", "\xed\xae\x80", "\xed\xaf\xbf", "\xed\xb0\x80", "\xed\xbe\x80", "\xed\xbf\xbf",
		"\xed\xa0\x80\xed\xb0\x80", "\xed\xad\xbf\xed\xbf\xbf", "\xed\xaf\xbf\xed\xbf\xbf",
	)
}

func TestInvalidTextFailsTheConnection(t *testing.T) {
	eachDriver(t, func(t *testing.T, addr string) {
		for _, s := range invalidText() {
			for _, stream := range [][]byte{frame(fin|opText, []byte(s)), fragments(opText, []byte(s), 1)} {
				l := dial(t, addr)
				l.raw(stream)
				l.wantClosed(1007)
			}
			l := dial(t, addr) // but bytes are bytes
			l.raw(frame(fin|opBinary, []byte(s)))
			l.want(opBinary, []byte(s))
			l.leave()
		}
	})
}

// A text that has gone wrong fails at once, though its message and even its frame are not at their end.
func TestInvalidTextFailsWhereItGoesWrong(t *testing.T) {
	const wrong = "\xf4\x90\x80\x80"
	eachDriver(t, func(t *testing.T, addr string) {
		l := dial(t, addr)
		l.raw(join(frame(opText, []byte(kosme)), frame(0, []byte(wrong))))
		l.wantClosed(1007)
		l = dial(t, addr)
		l.raw(join(frame(opText, []byte(kosme+wrong[:1])), frame(0, []byte(wrong[1:2]))))
		l.wantClosed(1007)
		whole := frame(fin|opText, []byte(kosme+wrong+"edited"))
		for _, end := range []int{len(kosme) + len(wrong), len(kosme) + 2} { // of the payload; the second one is one byte into what is wrong
			l = dial(t, addr)
			l.raw(whole[:6+end])
			op, payload, err := l.read()
			if err != nil || op != opClose || len(payload) < 2 || string(payload[:2]) != "\x03\xef" {
				t.Errorf("read opcode %d %q, %v; want close 1007", op, payload, err)
			}
		}
	})
}
