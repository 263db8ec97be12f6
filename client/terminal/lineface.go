package terminal

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"govor/hub/protocol"
)

// lineFace is for pipes: what happens in the room goes to out, a line each; what concerns this client goes to notes.
type lineFace struct {
	// Fixed at construction.
	out, notes io.Writer
	paint      *painter // of out
	noteLook   palette
	json       bool
	input      chan typed

	// Owned by the client's loop.
	offline bool
}

// newLineFace starts to read in; the goroutine ends with the input, or with the program.
func newLineFace(in io.Reader, out, notes io.Writer, p *painter, noteLook palette, asJSON bool, guard func()) *lineFace {
	f := &lineFace{out: out, notes: notes, paint: p, noteLook: noteLook, json: asJSON, input: make(chan typed)}
	go func() {
		defer guard()
		f.read(in)
	}()
	return f
}

// read makes a message of every line that is not empty.
func (f *lineFace) read(in io.Reader) {
	r := bufio.NewReader(in)
	for {
		line, err := r.ReadString('\n')
		line = strings.TrimRight(line, "\r\n")
		if strings.TrimSpace(line) != "" {
			f.input <- typed{text: strings.ToValidUTF8(line, "\uFFFD")}
		}
		if err != nil {
			f.input <- typed{end: endOfInput}
			return
		}
	}
}

func (f *lineFace) typed() <-chan typed       { return f.input }
func (f *lineFace) member(name string, _ int) { f.paint.me = name }
func (f *lineFace) people([]string)           {}
func (f *lineFace) back()                     { f.note(good, f.paint.words.back) }

func (f *lineFace) message(e *protocol.Event, raw []byte) {
	if f.json {
		f.print(string(safeJSON(raw)))
		return
	}
	f.print(f.paint.plain(e)...)
}

func (f *lineFace) presence(p *protocol.Presence) {
	if f.json {
		return
	}
	for _, line := range f.paint.presence(p) {
		f.print(f.paint.system(f.paint.look.dim, line, 0)...)
	}
}

func (f *lineFace) notice(kind noticeKind, text string) { f.note(kind, text) }

// status says once that there is no connection.
func (f *lineFace) status(kind noticeKind, text string) {
	if kind == warning && !f.offline {
		f.note(kind, text)
	}
	f.offline = kind == warning
}

// print writes whole lines at once. Whoever reads them may have gone: then SIGPIPE ends the program.
func (f *lineFace) print(lines ...string) {
	_, _ = io.WriteString(f.out, strings.Join(lines, "\n")+"\n")
}

func (f *lineFace) note(kind noticeKind, text string) {
	_, _ = fmt.Fprintln(f.notes, f.noteLook.set(f.noteLook.notice(kind), "* "+text))
}

// safeJSON is the same value on one line without any character that a terminal would obey: they are escaped.
func safeJSON(raw []byte) []byte {
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		return []byte("null") // it was decoded before
	}
	compact := b.Bytes()
	out := make([]byte, 0, len(compact))
	for len(compact) > 0 {
		r, n := utf8.DecodeRune(compact)
		char := string(compact[:n])
		if protocol.CleanText(char) == char && r != utf8.RuneError {
			out = append(out, char...)
		} else {
			out = fmt.Appendf(out, `\u%04x`, r) // all that CleanText replaces is below U+10000
		}
		compact = compact[n:]
	}
	return out
}
