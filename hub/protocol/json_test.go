package protocol

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

var (
	testMember = MemberID{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
	testAt     = time.Date(2026, 11, 23, 9, 4, 5, 678_000_000, time.UTC)
)

func testEvent(body string) *Event {
	return &Event{
		Room: "lobby", Kind: KindMessage, V: 1, ID: "0198c0de-0000-7000-8000-000000000001", Member: testMember, Name: "Иван",
		NameKey: "иван", At: testAt.UnixMilli(), Body: body, Seq: 41, Pos: 1234, RoomID: 1, Ordinal: 40,
	}
}

func goldenFrames() map[string]Frame {
	edited, erased := testEvent("привет, мир"), testEvent("")
	edited.Changed = 43
	edited.Mentions = Mentions("a:" + testMember.String() + ",b:" + MemberID{9}.String())
	erased.Changed, erased.Erased = 44, true
	return map[string]Frame{
		"welcome":        Welcome{Session: "s1", Member: testMember, Name: "Иван", Token: "t.o-k_en", MaxText: 8000},
		"welcome-login":  Welcome{Session: "s1", Member: testMember, Name: "Иван", MaxText: 8000},
		"joined":         Joined{Room: "lobby", After: 40, Last: 41, Online: 2, People: []Person{{testMember, "Иван", RoleOwner}, {MemberID{}, "Пётр <b>", RoleNone}}},
		"joined-empty":   Joined{Room: "lobby"},
		"reset":          Reset{Room: "lobby", Reason: ResetMismatch, After: 0, Last: 41},
		"message":        Message{testEvent("привет")},
		"message-escape": Message{testEvent("a\"b\\c\n\r\t\x00\x1b\u2028</script> & \xff🦊\u007f")},
		"message-edited": Message{edited},
		"message-erased": Message{erased},
		"deleted": Message{&Event{
			Room: "lobby", Kind: KindDeletion, V: 1, ID: "d1", Member: testMember, Name: "Иван <b>", At: testAt.UnixMilli(), Seq: 44,
			Target: 41, Of: erased, Taken: "gone",
		}},
		"edited": Message{&Event{
			Room: "lobby", Kind: KindEdit, V: 1, ID: "e1", Member: testMember, Name: "Иван", At: testAt.UnixMilli(), Seq: 43,
			Target: 41, Body: "старая \"правка\"", Of: edited, Taken: "gone",
		}},
		"edited-erased": Message{&Event{
			Room: "lobby", Kind: KindEdit, V: 1, ID: "e1", Member: testMember, Name: "Иван", At: testAt.UnixMilli(), Seq: 43,
			Target: 41, Of: erased,
		}},
		"presence":         &Presence{Room: "lobby", Online: 2, Joined: []string{"Иван"}, JoinedCount: 12, Left: []string{"Пётр"}, LeftCount: 1, At: testAt},
		"people":           People{Room: "lobby", Online: 2, People: []Person{{testMember, "Иван", RoleOwner}}},
		"people-none":      People{Room: "lobby"},
		"presence-renamed": &Presence{Room: "lobby", Online: 2, Renamed: []Rename{{testMember, "Иван", "Ваня <b>"}}, At: testAt},
		"presence-none":    &Presence{Room: "lobby", At: testAt.In(time.FixedZone("", 3*3600))},
		"ack":              Receipt{Room: "lobby", ID: "a1", Seq: 41},
		"ack-duplicate":    Receipt{Room: "lobby", ID: "a1", Seq: 41, Duplicate: true},
		"error":            Errorf(CodeNoRoom, "there is no room <x>").About("x", "a1"),
		"error-taken":      &Error{Code: CodeNameTaken, Message: "taken", Suggestion: "Иван-2", RetryAfter: 1500 * time.Millisecond},
		"error-banned":     &Error{Code: CodeBanned, Message: "you are banned", Why: "<спам>", RetryAfter: time.Hour},
		"notice-you":       &Notice{Action: ActionKick, You: true, Member: testMember, Name: "Иван", By: "Мария", Why: "<спам>", At: testAt},
		"notice-slow":      &Notice{Action: ActionSlow, Room: "lobby", By: "Мария", Slow: 10 * time.Second, At: testAt},
		"notice-role":      &Notice{Action: ActionRole, Room: "lobby", Member: testMember, Name: "Иван", Role: RoleOwner, At: testAt},
		"left":             Left{Room: "lobby"},
		"pong":             Pong{},
	}
}

func TestJSONFramesAreGolden(t *testing.T) {
	for name, frame := range goldenFrames() {
		t.Run(name, func(t *testing.T) {
			got := JSON{}.Append([]byte("before"), frame)
			if !bytes.HasPrefix(got, []byte("before")) {
				t.Fatalf("Append changed what was there: %s", got)
			}
			got = got[len("before"):]
			if !json.Valid(got) || bytes.ContainsAny(got, "\n\r") {
				t.Errorf("not one line of JSON: %s", got)
			}
			file := filepath.Join("testdata", name+".json")
			if *update {
				if err := os.WriteFile(file, append(got, '\n'), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if string(got)+"\n" != string(want) {
				t.Errorf("Append = %s\nwant     %s", got, want)
			}
		})
	}
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) != len(goldenFrames()) {
		t.Errorf("%d golden files for %d frames, %v", len(files), len(goldenFrames()), err)
	}
}

func TestJSONSaysNothingOfOtherKinds(t *testing.T) {
	for _, kind := range []Kind{KindRoom, KindMember, KindLogout} {
		e := testEvent("{}")
		e.Kind = kind
		if got := (JSON{}).Append(nil, Message{e}); len(got) != 0 {
			t.Errorf("an event of kind %s became %s", kind, got)
		}
	}
}

func ptr(n int64) *int64 { return &n }

func TestDecodeCommand(t *testing.T) {
	tests := []struct {
		in   string
		want Command
	}{
		{`{"type":"hello"}`, Hello{}},
		{`{"type":"hello","token":"t","rooms":{"lobby":{"after":40,"id":"a"},"b":{},"c":{"after":0},"d":null}}`, Hello{
			Token: "t", Rooms: map[string]Resume{"lobby": {ptr(40), "a"}, "b": {}, "c": {ptr(0), ""}, "d": {}},
		}},
		{`{"type":"send","id":"a","text":"привет"}`, Send{ID: "a", Text: "привет"}},
		{`{"type":"send","room":"b","text":""}`, Send{Room: "b"}},
		{` {"text":"a\u0000\"\\","type":"send","future":{"x":[1]}} ` + "\n", Send{Text: "a\x00\"\\"}},
		{`{"type":"send","text":"\ud800"}`, Send{Text: "\ufffd"}},
		{`{"type":"join","room":"b"}`, Join{Room: "b"}},
		{`{"type":"join","room":"b","after":7,"id":"x"}`, Join{Room: "b", Resume: Resume{ptr(7), "x"}}},
		{`{"type":"leave","room":"b"}`, Leave{Room: "b"}},
		{`{"type":"ping"}`, Ping{}},
		{`{"type":"edit","room":"b","id":"x","seq":7,"text":"да"}`, Edit{Room: "b", ID: "x", Seq: 7, Text: "да"}},
	}
	for _, tt := range tests {
		got, err := JSON{}.Decode([]byte(tt.in))
		if err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("Decode(%s) = %#v, %v, want %#v", tt.in, got, err, tt.want)
		}
	}
}

func TestDecodeCommandSaysWhatIsWrong(t *testing.T) {
	long := strings.Repeat("я", 1000)
	tests := []struct {
		in, says string
		code     Code
		room, id string
	}{
		{``, "JSON", CodeBadFrame, "", ""},
		{`привет`, "JSON", CodeBadFrame, "", ""},
		{`{`, "JSON", CodeBadFrame, "", ""},
		{`{"type":"ping"}{"type":"ping"}`, "JSON", CodeBadFrame, "", ""},
		{`null`, `"type"`, CodeBadFrame, "", ""},
		{`{}`, `"type"`, CodeBadFrame, "", ""},
		{`[]`, "object", CodeBadFrame, "", ""},
		{`"ping"`, "object", CodeBadFrame, "", ""},
		{`{"type":"send","id":"a","room":"b"}`, "text", CodeBadFrame, "b", "a"},
		{`{"type":"send","id":"a","text":null}`, "text", CodeBadFrame, "", "a"},
		{`{"type":"send","id":"a","text":5}`, `"text"`, CodeBadFrame, "", "a"},
		{`{"type":"send","text":[],"id":"a"}`, `"text"`, CodeBadFrame, "", "a"},
		{`{"type":"send","id":7,"text":"x"}`, `"id"`, CodeBadFrame, "", ""},
		{`{"type":"hello","rooms":["lobby"]}`, `"rooms"`, CodeBadFrame, "", ""},
		{`{"type":"hello","rooms":{"lobby":{"after":"40"}}}`, `after`, CodeBadFrame, "", ""},
		{`{"type":"join","room":"b","after":1.5}`, `"after"`, CodeBadFrame, "b", ""},
		{`{"type":"join","room":"b","after":1e99}`, `"after"`, CodeBadFrame, "b", ""},
		{`{"type":"edit","id":"a","text":"x"}`, "seq", CodeBadFrame, "", "a"},
		{`{"type":"edit","id":"a","seq":1}`, "text", CodeBadFrame, "", "a"},
		{`{"type":"dance","id":"a","room":"b"}`, "dance", CodeUnknownType, "b", "a"},
		{`{"type":"message","text":"x"}`, "message", CodeUnknownType, "", ""},
		{`{"type":"` + long + `","id":"` + long + `"}`, "яяя", CodeUnknownType, "", long[:MaxIDLen] + "…"},
	}
	for _, tt := range tests {
		got, err := JSON{}.Decode([]byte(tt.in))
		if err == nil {
			t.Errorf("Decode(%.80s) = %#v, want an error", tt.in, got)
			continue
		}
		if got != nil || err.Code != tt.code || !strings.Contains(err.Message, tt.says) || err.ID != tt.id || err.Room != tt.room {
			t.Errorf("Decode(%.80s) = %#v, %#v, want %s about %q %q that says %q", tt.in, got, err, tt.code, tt.room, tt.id, tt.says)
		}
		if len(err.Message) > 300 || strings.Contains(err.Message, "Go ") {
			t.Errorf("Decode(%.80s) says %q", tt.in, err.Message)
		}
	}
}

func FuzzDecodeCommand(f *testing.F) {
	for _, s := range []string{`{"type":"hello","token":"t","rooms":{"lobby":{"after":40,"id":"a"}}}`, `{"type":"send","id":"a","text":"b"}`, `{"type":"x"}`, `[`, "\xff"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		before := bytes.Clone(data)
		c, err := DecodeCommand(data)
		if (c == nil) == (err == nil) {
			t.Fatalf("DecodeCommand = %#v, %v, want one of them", c, err)
		}
		if !bytes.Equal(before, data) {
			t.Fatal("DecodeCommand changed its input")
		}
		if err != nil && !json.Valid(JSON{}.Append(nil, err)) {
			t.Fatalf("%#v cannot be sent", err)
		}
	})
}

// The strings that are written by hand are those that encoding/json would read back.
func FuzzAppendString(f *testing.F) {
	for _, s := range []string{"", "привет", "a\"b\\c\n\r\t\x00\x1f\x7f", "\xff\xfe", "a\xd0", "\u2028\u2029", "🦊\ufffd", "\xed\xa0\x80"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var got string
		if err := json.Unmarshal(appendString(nil, s), &got); err != nil {
			t.Fatalf("appendString(%q) = %s: %v", s, appendString(nil, s), err)
		}
		if want := string([]rune(s)); got != want { // each byte that is not UTF-8 becomes U+FFFD
			t.Fatalf("appendString(%q) reads back as %q, want %q", s, got, want)
		}
	})
}

func TestTimesReadBack(t *testing.T) {
	var frame struct{ At string }
	if err := json.Unmarshal(JSON{}.Append(nil, Message{testEvent("a")}), &frame); err != nil {
		t.Fatal(err)
	}
	if at, err := ParseTime(frame.At); err != nil || !at.Equal(testAt) {
		t.Errorf("ParseTime(%q) = %v, %v, want %v", frame.At, at, err, testAt)
	}
}

func BenchmarkEncode(b *testing.B) {
	formats := map[string]Format{"json": JSON{}, "text": Text{}}
	frame := Message{testEvent(strings.Repeat("Съешь ещё этих мягких булок, да выпей чаю. ", 3))}
	for name, format := range formats {
		b.Run(name, func(b *testing.B) {
			var dst []byte
			b.ReportAllocs()
			for b.Loop() {
				dst = format.Append(dst[:0], frame)
			}
			b.SetBytes(int64(len(dst)))
		})
	}
}
