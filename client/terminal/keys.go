package terminal

import (
	"strings"
	"unicode/utf8"
)

// key is one key press, or a paste.
type key struct {
	code keyCode
	text string // for keyText and keyPaste
}

type keyCode int

const (
	keyNone keyCode = iota
	keyText
	keyPaste
	keyEnter
	keyNewline // Alt+Enter
	keyTab
	keyBackspace
	keyDelete
	keyLeft
	keyRight
	keyUp
	keyDown
	keyHome
	keyEnd
	keyWordLeft
	keyWordRight
	keyKillWord      // Ctrl+W
	keyKillWordRight // Alt+D
	keyKillToStart   // Ctrl+U
	keyKillToEnd     // Ctrl+K
	keyYank          // Ctrl+Y
	keyTranspose     // Ctrl+T
	keyRedraw        // Ctrl+L
	keyInterrupt     // Ctrl+C
	keyEOF           // Ctrl+D: the end on an empty line, else delete
	keySuspend       // Ctrl+Z
)

// controls are the keys that are one byte.
var controls = map[byte]keyCode{
	0x01: keyHome, 0x02: keyLeft, 0x03: keyInterrupt, 0x04: keyEOF, 0x05: keyEnd, 0x06: keyRight, 0x08: keyBackspace,
	'\t': keyTab, '\n': keyEnter, 0x0b: keyKillToEnd, 0x0c: keyRedraw, '\r': keyEnter, 0x0e: keyDown, 0x10: keyUp,
	0x14: keyTranspose, 0x15: keyKillToStart, 0x17: keyKillWord, 0x19: keyYank, 0x1a: keySuspend, 0x7f: keyBackspace,
}

// sequences are the keys that are CSI or SS3 sequences, without ESC and the bracket.
var sequences = map[string]keyCode{
	"A": keyUp, "B": keyDown, "C": keyRight, "D": keyLeft, "H": keyHome, "F": keyEnd, "1~": keyHome, "7~": keyHome,
	"4~": keyEnd, "8~": keyEnd, "3~": keyDelete, "1;5D": keyWordLeft, "1;3D": keyWordLeft, "5D": keyWordLeft,
	"1;5C": keyWordRight, "1;3C": keyWordRight, "5C": keyWordRight, "M": keyEnter,
}

// alts are the keys that come after an ESC.
var alts = map[byte]keyCode{
	'b': keyWordLeft, 'f': keyWordRight, 'd': keyKillWordRight, 0x7f: keyKillWord, 0x08: keyKillWord,
	'\r': keyNewline, '\n': keyNewline,
}

const (
	pasteBegin = "\x1b[200~"
	pasteEnd   = "\x1b[201~"
	maxPaste   = 1 << 20 // bytes; what is beyond belongs to nothing
)

// keyDecoder makes keys of what a terminal sends, however it is cut into pieces.
type keyDecoder struct {
	rest    []byte
	pasting bool
}

// feed adds what was read and returns the keys that are complete.
func (d *keyDecoder) feed(data []byte) []key {
	d.rest = append(d.rest, data...)
	var keys []key
	for len(d.rest) > 0 {
		k, n := d.next()
		if n == 0 {
			break
		}
		d.rest = d.rest[n:]
		if k.code != keyNone {
			keys = append(keys, k)
		}
	}
	return joinText(keys)
}

// joinText makes one key of the characters that were read at once: one redraw instead of many.
func joinText(keys []key) []key {
	out := keys[:0]
	for _, k := range keys {
		if n := len(out); k.code == keyText && n > 0 && out[n-1].code == keyText {
			out[n-1].text += k.text
			continue
		}
		out = append(out, k)
	}
	return out
}

// next reads one key from the front of rest; 0 bytes = incomplete.
func (d *keyDecoder) next() (key, int) {
	s := d.rest
	switch {
	case d.pasting:
		return d.paste()
	case s[0] == 0x1b:
		return d.escape()
	case s[0] < 0x20 || s[0] == 0x7f:
		return key{code: controls[s[0]]}, 1
	case !utf8.FullRune(s):
		return key{}, 0
	}
	r, n := utf8.DecodeRune(s)
	if r == utf8.RuneError && n == 1 || r >= 0x80 && r < 0xa0 {
		return key{}, n
	}
	return key{code: keyText, text: string(r)}, n
}

func (d *keyDecoder) paste() (key, int) {
	i := strings.Index(string(d.rest), pasteEnd)
	if i < 0 {
		if len(d.rest) > maxPaste {
			d.pasting = false
			return key{}, len(d.rest)
		}
		return key{}, 0
	}
	d.pasting = false
	text := strings.ToValidUTF8(string(d.rest[:i]), "\uFFFD")
	return key{code: keyPaste, text: text}, i + len(pasteEnd)
}

// escape reads ESC and what belongs to it. An ESC alone waits for the next key, with which it is Alt.
func (d *keyDecoder) escape() (key, int) {
	s := d.rest
	if len(s) == 1 {
		return key{}, 0
	}
	switch s[1] {
	case 0x1b:
		return key{}, 1
	case 'O':
		if len(s) < 3 {
			return key{}, 0
		}
		return key{code: sequences[string(s[2:3])]}, 3
	case '[':
		for i := 2; i < len(s); i++ {
			if s[i] >= 0x40 && s[i] <= 0x7e {
				if string(s[:i+1]) == pasteBegin {
					d.pasting = true
					return key{}, i + 1
				}
				return key{code: sequences[string(s[2:i+1])]}, i + 1
			}
			if s[i] < 0x20 || i > 32 {
				return key{}, i // not a sequence after all
			}
		}
		return key{}, 0
	}
	if code, ok := alts[s[1]]; ok {
		return key{code: code}, 2
	}
	return key{}, 1
}
