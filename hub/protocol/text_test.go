package protocol

import (
	"strings"
	"testing"
	"time"
	"unicode"
)

func TestTextFormatWritesLines(t *testing.T) {
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	message := func(body string) Frame {
		return Message{&Event{Kind: KindMessage, Name: "Иван", Body: body, Seq: 1}}
	}
	tests := map[string]struct {
		frame Frame
		want  string
	}{
		"welcome":            {Welcome{Name: "Иван"}, "You are Иван"},
		"message":            {message("привет"), "Иван: привет"},
		"action":             {message("/me машет\nи ещё"), "** Иван машет\n** Иван и ещё"},
		"no action":          {message(" /me x"), "Иван:  /me x"},
		"action edited":      {Message{&Event{Kind: KindEdit, Name: "Иван", Body: "/me машет", Target: 1}}, "* Иван edited a message: Иван машет"},
		"lines":              {message("раз\nдва\r\nтри"), "Иван: раз\nИван: два\nИван: три"},
		"empty line":         {message("раз\n\nтри\n"), "Иван: раз\nИван: \nИван: три\nИван: "},
		"tab":                {message("a\tb"), "Иван: a\tb"},
		"carriage return":    {message("a\rb"), "Иван: a\ufffdb"},
		"vertical tab":       {message("a\vПётр: b"), "Иван: a\ufffdПётр: b"},
		"NEL":                {message("a\u0085Пётр: b"), "Иван: a\ufffdПётр: b"},
		"line separator":     {message("a\u2028Пётр: b"), "Иван: a\ufffdПётр: b"},
		"paragraph":          {message("a\u2029b"), "Иван: a\ufffdb"},
		"escape":             {message("\x1b[2J\x1b]0;title\a"), "Иван: \ufffd[2J\ufffd]0;title\ufffd"},
		"C1":                 {message("\u009b31m"), "Иван: \ufffd31m"},
		"bidi override":      {message("\u202eабв\u202c"), "Иван: \ufffdабв\ufffd"},
		"bidi isolate":       {message("\u2066a\u2069\u200f\u061c"), "Иван: \ufffda\ufffd\ufffd\ufffd"},
		"forged":             {message("ку\nПётр: отдай деньги\n* система"), "Иван: ку\nИван: Пётр: отдай деньги\nИван: * система"},
		"joiners stay":       {message("👨\u200d👩"), "Иван: 👨\u200d👩"},
		"erased":             {Message{&Event{Kind: KindMessage, Name: "Иван", Erased: true, Changed: 2}}, "* a message of Иван was deleted"},
		"edit":               {Message{&Event{Kind: KindEdit, Name: "Иван", Body: "раз\nПётр: два", Target: 1}}, "* Иван edited a message: раз\n* Иван edited a message: Пётр: два"},
		"old edit":           {Message{&Event{Kind: KindEdit, Name: "Иван", Body: "раз", Target: 1, Of: &Event{Body: "три"}}}, "* Иван edited a message: три"},
		"edit of nothing":    {Message{&Event{Kind: KindEdit, Name: "Иван", Target: 1, Of: &Event{Erased: true}}}, ""},
		"deletion":           {Message{&Event{Kind: KindDeletion, Name: "Иван", Target: 1, Taken: "gone"}}, "* Иван deleted a message"},
		"another kind":       {Message{&Event{Kind: KindRoom, Body: "{}"}}, ""},
		"joined":             {&Presence{Joined: []string{"Иван"}, JoinedCount: 1, At: at}, "* Иван has joined"},
		"left":               {&Presence{Left: []string{"Иван"}, LeftCount: 1, At: at}, "Иван has left"},
		"many":               {&Presence{Joined: []string{"a", "b"}, JoinedCount: 7, Left: []string{"c"}, LeftCount: 3}, "* a has joined\n* b has joined\n* 5 more have joined\nc has left\n* 2 more have left"},
		"renamed":            {&Presence{Renamed: []Rename{{Was: "Пётр", Name: "Петя"}}, Left: []string{"c"}, LeftCount: 1}, "* Пётр is now Петя\nc has left"},
		"who":                {People{Room: "lobby", Online: 3, People: []Person{{Name: "Анна"}, {Name: "Иван"}}}, "* here: Анна, Иван and 1 more"},
		"moved":              {Moved{Room: "планы"}, "* you are in планы now"},
		"nobody":             {&Presence{Online: 3}, ""},
		"reset":              {Reset{Room: "lobby", Reason: ResetAhead}, "* some of the history cannot be shown"},
		"error":              {Errorf(CodeTooLong, "too long\nby 3"), "* error too_long: too long\ufffdby 3"},
		"error for a moment": {&Error{Code: CodeTooFast, Message: "slow down", RetryAfter: 400 * time.Millisecond}, "* error too_fast: slow down (try again in 1s)"},
		"error with delay":   {&Error{Code: CodeTooFast, Message: "slow down", RetryAfter: 30 * time.Second}, "* error too_fast: slow down (try again in 30s)"},
		"kicked":             {&Notice{Action: ActionKick, By: "Мария", Name: "Пётр", You: true, Why: "спам\n* x"}, "* Мария removed you from the chat: спам\ufffd* x"},
		"muted":              {&Notice{Action: ActionMute, By: "Мария", Name: "Пётр", At: at, Until: at.Add(time.Hour)}, "* Мария muted Пётр for 1h"},
		"banned":             {&Notice{Action: ActionBan, Name: "Пётр", At: at}, "* the server banned Пётр"},
		"addresses banned":   {&Notice{Action: ActionBan, By: "Мария", At: at}, "* Мария banned addresses"},
		"unbanned":           {&Notice{Action: ActionUnban, By: "Мария", Name: "Пётр"}, "* Мария lifted the ban of Пётр"},
		"unmuted":            {&Notice{Action: ActionUnmute, By: "Мария", Name: "Пётр"}, "* Мария unmuted Пётр"},
		"owner":              {&Notice{Action: ActionRole, Name: "Пётр", You: true, Role: RoleOwner}, "* the server made you an owner"},
		"moderator":          {&Notice{Action: ActionRole, By: "Мария", Name: "Пётр", Role: RoleModerator}, "* Мария made Пётр a moderator"},
		"no role":            {&Notice{Action: ActionRole, By: "Мария", Name: "Пётр"}, "* Мария took the role from Пётр"},
		"closed":             {&Notice{Action: ActionClose, By: "Мария", Room: "lobby", Why: "ночь"}, "* Мария closed this room: only hosts can write: ночь"},
		"opened":             {&Notice{Action: ActionOpen, By: "Мария", Room: "lobby"}, "* Мария opened this room: everybody can write"},
		"slow":               {&Notice{Action: ActionSlow, By: "Мария", Room: "lobby", Slow: 10 * time.Second}, "* Мария set slow mode: one message in 10s"},
		"not slow":           {&Notice{Action: ActionSlow, By: "Мария", Room: "lobby"}, "* Мария ended slow mode"},
		"host deleted":       {&Notice{Action: ActionDelete, By: "Мария", Name: "Пётр", You: true, Why: "спам"}, "* Мария deleted a message of yours: спам"},
		"error and why":      {&Error{Code: CodeMuted, Message: "you are muted", Why: "спам", RetryAfter: time.Minute}, "* error muted: you are muted: спам (try again in 1m0s)"},
		"no receipts":        {Receipt{Room: "lobby", ID: "a", Seq: 1}, ""},
		"no joined":          {Joined{Room: "lobby"}, ""},
		"no pong":            {Pong{}, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := string(Text{}.Append([]byte("before|"), tt.frame)); got != "before|"+tt.want {
				t.Errorf("Append = %q, want %q after what was there", got, tt.want)
			}
		})
	}
}

// No text may begin a line of its own, whatever it holds: each line begins with the author's name.
func FuzzTextCannotForgeALine(f *testing.F) {
	f.Add("ку\nПётр: привет")
	f.Add("a\r\n\r\n* x\u2028\u0085\x1b[1A")
	f.Fuzz(func(t *testing.T, body string) {
		out := string(Text{}.Append(nil, Message{&Event{Kind: KindMessage, Name: "Иван", Body: body}}))
		for line := range strings.SplitSeq(out, "\n") {
			if !strings.HasPrefix(line, "Иван: ") {
				t.Fatalf("%q became %q: the line %q is not the author's", body, out, line)
			}
		}
		edited := string(Text{}.Append(nil, Message{&Event{Kind: KindEdit, Name: "Иван", Body: body}}))
		for line := range strings.SplitSeq(edited, "\n") {
			if !strings.HasPrefix(line, "* Иван edited a message: ") {
				t.Fatalf("an edit to %q became %q: the line %q is not the author's", body, edited, line)
			}
		}
		for _, r := range out {
			if r != '\n' && r != '\t' && unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == 0x2028 || r == 0x2029 {
				t.Fatalf("%q became %q with %U", body, out, r)
			}
		}
	})
}

func TestTextFormatTakesTheFrameAsTheMessage(t *testing.T) {
	for in, want := range map[string]string{
		"привет": "привет", "привет\n": "привет", "привет\r\n": "привет", "a\nb": "a\nb", "a\n\n": "a\n", `{"type":"ping"}`: `{"type":"ping"}`, "": "",
	} {
		c, err := Text{}.Decode([]byte(in))
		if err != nil || c != (Send{Text: want}) {
			t.Errorf("Decode(%q) = %#v, %v, want a send of %q", in, c, err, want)
		}
	}
}

func TestTextFormatTakesCommandsOfHosts(t *testing.T) {
	c, err := Text{}.Decode([]byte("/kick Пётр спам\r\n"))
	if want := (Act{Action: ActionKick, Name: "Пётр", Why: "спам"}); err != nil || c != want {
		t.Errorf("Decode = %#v, %v, want %#v", c, err, want)
	}
	if c, err := (Text{}).Decode([]byte("/slow")); err == nil || err.Code != CodeBadCommand || c != nil {
		t.Errorf("Decode = %#v, %v, want %s", c, err, CodeBadCommand)
	}
	if c, err := (Text{}).Decode([]byte(" /kick Пётр")); err != nil || c != (Send{Text: " /kick Пётр"}) {
		t.Errorf("Decode = %#v, %v, want a message", c, err)
	}
}

func TestRestartReason(t *testing.T) {
	for _, d := range []time.Duration{0, time.Second, 5 * time.Second, time.Hour} {
		if got, ok := ParseRestartReason(RestartReason(d)); !ok || got != d {
			t.Errorf("ParseRestartReason(RestartReason(%v)) = %v, %v", d, got, ok)
		}
	}
	for _, s := range []string{"", "restart", "restart retry-within-ms=", "restart retry-within-ms=-1", "restart retry-within-ms=99999999999", "slow consumer"} {
		if d, ok := ParseRestartReason(s); ok {
			t.Errorf("ParseRestartReason(%q) = %v", s, d)
		}
	}
}

func TestTextFormatReadsCommands(t *testing.T) {
	for line, want := range map[string]Command{
		"/help": Help{}, "/help me": Help{}, "/who\n": Who{}, "/leave": Go{}, "/nick Ваня Петров": Nick{Name: "Ваня Петров"},
		"/join #планы": Go{Room: "планы"}, "/join планы\r\n": Go{Room: "планы"}, "/me машет": Send{Text: "/me машет"},
		" /help": Send{Text: " /help"}, "/helpme": Send{Text: "/helpme"}, "/etc/passwd": Send{Text: "/etc/passwd"}, "//who": Send{Text: "//who"},
	} {
		if got, bad := (Text{}).Decode([]byte(line)); bad != nil || got != want {
			t.Errorf("%q is %#v, %v, want %#v", line, got, bad, want)
		}
	}
	for _, line := range []string{"/nick", "/nick  ", "/join"} {
		if got, bad := (Text{}).Decode([]byte(line)); bad == nil || bad.Code != CodeBadCommand || got != nil {
			t.Errorf("%q is %#v, %v", line, got, bad)
		}
	}
	help := string(Text{}.Append(nil, Usage{}))
	for _, word := range []string{"/me ", "/nick ", "/who", "/join ", "/leave", "/help", "/kick"} {
		if !strings.Contains(help, word) {
			t.Errorf("/help says nothing of %s:\n%s", word, help)
		}
	}
	for line := range strings.SplitSeq(help, "\n") {
		if !strings.HasPrefix(line, "* ") {
			t.Errorf("a line of /help is %q", line)
		}
	}
	for word := range actWords {
		if !strings.Contains(help, word) {
			t.Errorf("/help says nothing of %s", word)
		}
	}
}

// TestCleanTextReplacesWhatMisleads asks of every character there is.
func TestCleanTextReplacesWhatMisleads(t *testing.T) {
	t.Parallel()
	for r := range rune(unicode.MaxRune + 1) {
		want := string(r) // U+FFFD for what is none
		if r != '\t' && unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Bidi_Control) {
			want = "\ufffd"
		}
		if got := CleanText("a" + string(r) + "я"); got != "a"+want+"я" {
			t.Errorf("%U becomes %q", r, got)
		}
	}
	if got := CleanText("a\xffb"); got != "a\ufffdb" {
		t.Errorf("a byte that is no UTF-8: %q", got)
	}
}

func BenchmarkText(b *testing.B) {
	for name, text := range map[string]string{"latin": strings.Repeat("x", 7000), "cyrillic": strings.Repeat("щ", 7000)} {
		b.Run(name+"/decode", func(b *testing.B) {
			for data := []byte(text); b.Loop(); {
				if _, err := (Text{}).Decode(data); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/append", func(b *testing.B) {
			var dst []byte
			for m := (Message{Event: &Event{Kind: KindMessage, Name: "Иван", Body: text}}); b.Loop(); {
				dst = Text{}.Append(dst[:0], m)
			}
		})
	}
}
