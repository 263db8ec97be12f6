package terminal

import (
	"fmt"
	"io"
	"strings"
	"sync"

	"govor/hub/protocol"
)

// screen is the face on a terminal: lines scroll up, and below them stand the status and the text that is being typed.
// Whatever is printed is written together with the text below it, so that a line being typed is never torn.
//
// Two goroutines use it: the client's loop prints, one of its own reads keys. It works on a terminal in raw mode; whoever
// made that ends it.
type screen struct {
	// Fixed at construction.
	in    io.Reader
	out   io.Writer
	size  func() (columns, rows int)
	words *words
	input chan typed
	stop  func() // Ctrl+Z: stops the program until it is continued; nil = cannot

	mu sync.Mutex // guards the fields below
	// What is there.
	paint    *painter
	edit     editor
	recall   *recall
	names    completion
	standing string // clean, without style
	kind     noticeKind
	hint     string // about the text being typed
	limit    int    // characters of a message
	closed   bool
	// How it was drawn last.
	drawn        []int // columns of each row, above to below
	cursor       int   // the row of the cursor, among drawn
	cursorColumn int
	columns      int // of the terminal
}

const (
	bracketedPasteOn  = "\x1b[?2004h"
	bracketedPasteOff = "\x1b[?2004l"
	wrapOff           = "\x1b[?7l"
	wrapOn            = "\x1b[?7h"
	eraseBelow        = "\x1b[J"
	clearScreen       = "\x1b[H\x1b[2J"
	bell              = "\a"
	maxEdit           = 1 << 16 // bytes of text that can be typed
	maxEditRows       = 10      // rows of it that are shown
)

// open draws the prompt and starts to read keys; the goroutine ends with in, or with the program: a read from a
// terminal cannot be interrupted.
func (s *screen) open(guard func()) {
	s.mu.Lock()
	s.write(bracketedPasteOn + s.redrawLocked(nil))
	s.mu.Unlock()
	go func() {
		defer guard()
		s.readKeys()
	}()
}

// close takes the prompt away; nothing is drawn after it.
func (s *screen) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.write(s.eraseLocked() + bracketedPasteOff)
		s.closed = true
	}
}

func (s *screen) readKeys() {
	var d keyDecoder
	buf := make([]byte, 4096)
	for {
		n, err := s.in.Read(buf)
		for _, k := range d.feed(buf[:n]) {
			if in, ok := s.key(k); ok {
				s.input <- in
			}
		}
		if err != nil {
			s.input <- typed{end: endOfInput}
			return
		}
	}
}

// key does what a key asks for, and returns what the client's loop has to know.
func (s *screen) key(k key) (typed, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return typed{}, false
	}
	if k.code != keyTab {
		s.names.reset()
	}
	s.hint = ""
	var in typed
	before := ""
	switch k.code {
	case keyInterrupt:
		return typed{end: interrupted}, true
	case keyEOF:
		if s.edit.text == "" {
			return typed{end: endOfInput}, true
		}
		s.edit.edit(key{code: keyDelete})
	case keyEnter:
		in = s.enterLocked()
	case keyTab:
		if !s.names.complete(&s.edit) {
			before = bell
		}
	case keyUp, keyDown:
		s.upDownLocked(k.code)
	case keyRedraw:
		before = clearScreen
		s.drawn, s.cursor = nil, 0
	case keySuspend:
		s.suspendLocked()
	default:
		s.changeLocked(k)
	}
	s.write(before + s.redrawLocked(nil))
	return in, in.text != ""
}

// changeLocked edits the text, within its bound.
func (s *screen) changeLocked(k key) {
	if len(s.edit.text)+len(k.text) > maxEdit {
		s.hint = fmt.Sprintf(s.words.tooLong, len(s.edit.text)+len(k.text)-maxEdit)
		return
	}
	s.edit.edit(k)
	if n := strings.Count(k.text, "\n") + strings.Count(k.text, "\r"); k.code == keyPaste && n >= 5 {
		s.hint = fmt.Sprintf(s.words.pastedLines, strings.Count(pasted(k.text), "\n")+1)
	}
}

// enterLocked takes the text if it can be sent; one that is too long stays to be shortened.
func (s *screen) enterLocked() typed {
	text := s.edit.text
	err := protocol.CheckText(text, s.limit)
	switch {
	case err == nil:
		s.recall.add(text)
		s.edit.set("")
		return typed{text: text}
	case err.Code == protocol.CodeEmpty:
		s.edit.set("")
	case err.Code == protocol.CodeTooLong:
		s.hint = fmt.Sprintf(s.words.tooLong, len([]rune(text))-max(s.limit, 1))
	default:
		s.hint = s.words.errorText(err)
	}
	return typed{}
}

// upDownLocked moves between the lines of the text, and beyond them through what was typed before.
func (s *screen) upDownLocked(code keyCode) {
	up := code == keyUp
	if up && s.edit.lineStart() > 0 {
		s.edit.at = s.edit.lineStart() - 1
		return
	}
	if !up && s.edit.lineEnd() < len(s.edit.text) {
		s.edit.at = s.edit.lineEnd() + 1
		s.edit.at = s.edit.lineEnd()
		return
	}
	entry, ok := "", false
	if up {
		entry, ok = s.recall.up(s.edit.text)
	} else {
		entry, ok = s.recall.down()
	}
	if ok {
		s.edit.set(entry)
	}
}

func (s *screen) suspendLocked() {
	if s.stop == nil {
		return
	}
	s.write(s.eraseLocked() + bracketedPasteOff)
	s.stop()
	s.write(bracketedPasteOn)
}

// resized draws for a new size.
func (s *screen) resized() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.write(s.redrawLocked(nil))
	}
}

func (s *screen) print(lines func(columns int) []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	columns, _ := s.sizeNow()
	s.write(s.redrawLocked(lines(columns)))
}

func (s *screen) typed() <-chan typed { return s.input }

func (s *screen) member(name string, maxText int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paint.me, s.limit = name, maxText
}

func (s *screen) people(names []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.names.names = append([]string(nil), names...)
}

func (s *screen) message(e *protocol.Event, _ []byte) {
	s.print(func(columns int) []string {
		lines := s.paint.message(e, columns)
		if rule := s.paint.rule(e.Time(), columns); rule != "" {
			lines = append([]string{rule}, lines...)
		}
		return lines
	})
}

func (s *screen) presence(f *protocol.Presence) {
	s.print(func(columns int) []string {
		var out []string
		for _, line := range s.paint.presence(f) {
			out = append(out, s.paint.system(s.paint.look.dim, line, columns)...)
		}
		return out
	})
}

func (s *screen) notice(kind noticeKind, text string) {
	s.print(func(columns int) []string {
		return s.paint.system(s.paint.look.notice(kind), text, columns)
	})
}

func (s *screen) status(kind noticeKind, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.kind == kind && s.standing == text {
		return
	}
	s.kind, s.standing = kind, text
	s.write(s.redrawLocked(nil))
}

// back leaves what the status said last in the log, and that it is over.
func (s *screen) back() {
	s.mu.Lock()
	kind, text := s.kind, s.standing
	s.kind, s.standing = aside, ""
	s.mu.Unlock()
	s.print(func(columns int) []string {
		var out []string
		if text != "" {
			out = s.paint.system(s.paint.look.notice(kind), text, columns)
		}
		return append(out, s.paint.system(s.paint.look.ok, s.words.back, columns)...)
	})
}
