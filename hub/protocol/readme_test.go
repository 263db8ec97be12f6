package protocol

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// What the examples of README.md mean, by their label.
var (
	readmeCommands = map[string]Command{
		"hello": Hello{Token: "eyJtIjoi.c2ln", Rooms: map[string]Resume{
			"lobby": {ptr(40), "0198c0de-0000-7000-8000-000000000028"}, "планы": {},
		}},
		"send":      Send{ID: "0198c0de-0000-7000-8000-000000000029", Text: "привет"},
		"send-room": Send{Room: "планы", ID: "0198c0de-0000-7000-8000-00000000002a", Text: "завтра\nв девять"},
		"edit":      Edit{ID: "0198c0de-0000-7000-8000-00000000002e", Seq: 41, Text: "привет всем"},
		"delete":    Delete{Room: "lobby", ID: "0198c0de-0000-7000-8000-00000000002d", Seq: 41},
		"act": Act{
			ID: "0198c0de-0000-7000-8000-00000000003e", Action: ActionMute, Name: "Пётр", For: 10 * time.Minute, Why: "спам",
		},
		"act-line": Act{
			ID: "0198c0de-0000-7000-8000-00000000003f", Action: ActionMute, Name: "Пётр", For: 10 * time.Minute, Why: "спам",
		},
		"nick":  Nick{Name: "Ваня"},
		"who":   Who{Room: "планы"},
		"join":  Join{Room: "планы", Resume: Resume{ptr(7), "0198c0de-0000-7000-8000-000000000007"}},
		"leave": Leave{Room: "планы"},
		"ping":  Ping{},
		"read":  Read{Room: "lobby", Seq: 41},
		"watch": Watch{Rooms: map[string]Resume{"планы": {After: ptr(7)}}},
	}
	readmeFrames = map[string]Frame{
		"welcome": Welcome{
			Session: "0198c0de-0000-7000-8000-0000000000aa", Member: testMember, Name: "Иван", Token: "eyJtIjoi.c2ln", MaxText: DefaultMaxText,
		},
		"joined": Joined{Room: "lobby", After: 40, Last: 41, Online: 2, People: []Person{
			{testMember, "Иван", RoleModerator}, {MemberID{16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1}, "Пётр", RoleNone},
		}},
		"reset": Reset{Room: "lobby", Reason: ResetAhead, After: 0, Last: 3},
		"message": Message{&Event{
			Room: "lobby", Kind: KindMessage, Seq: 41, ID: "0198c0de-0000-7000-8000-000000000029", Member: testMember, Name: "Иван",
			Body: "привет", At: testAt.UnixMilli(),
		}},
		"message-mentions": Message{&Event{
			Room: "lobby", Kind: KindMessage, Seq: 42, ID: "0198c0de-0000-7000-8000-00000000002b", Name: "Пётр",
			Member: MemberID{16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1},
			Body:   "@Иван, привет", Mentions: Mentions("иван:" + testMember.String()), At: time.Date(2026, 11, 23, 9, 4, 6, 0, time.UTC).UnixMilli(),
		}},
		"message-me": Message{&Event{
			Room: "lobby", Kind: KindMessage, Seq: 43, ID: "0198c0de-0000-7000-8000-00000000002c", Name: "Пётр",
			Member: MemberID{16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1},
			Body:   "/me машет рукой", At: time.Date(2026, 11, 23, 9, 4, 6, 0, time.UTC).UnixMilli(),
		}},
		"message-erased": Message{&Event{
			Room: "lobby", Kind: KindMessage, Seq: 40, ID: "0198c0de-0000-7000-8000-000000000028", Member: testMember, Name: "Иван",
			At: time.Date(2026, 11, 23, 9, 4, 1, 0, time.UTC).UnixMilli(), Changed: 44, Erased: true,
		}},
		"edited": Message{&Event{
			Room: "lobby", Kind: KindEdit, Seq: 43, ID: "0198c0de-0000-7000-8000-00000000002e", Member: testMember, Name: "Иван",
			Target: 41, Body: "привет всем", At: time.Date(2026, 11, 23, 9, 4, 30, 0, time.UTC).UnixMilli(),
		}},
		"deleted": Message{&Event{
			Room: "lobby", Kind: KindDeletion, Seq: 44, ID: "0198c0de-0000-7000-8000-00000000002d", Member: testMember, Name: "Иван",
			Target: 41, At: time.Date(2026, 11, 23, 9, 5, 0, 0, time.UTC).UnixMilli(),
		}},
		"ack":       Receipt{ID: "0198c0de-0000-7000-8000-000000000029", Room: "lobby", Seq: 41},
		"left":      Left{Room: "планы"},
		"pong":      Pong{},
		"news":      News{Room: "планы", Last: 12, Messages: 11, Mentions: 1},
		"read-mark": ReadMark{Room: "планы", Seq: 12, Messages: 11},
		"presence": &Presence{
			Room: "lobby", Online: 14, Joined: []string{"Анна"}, JoinedCount: 12, Left: []string{"Пётр"}, LeftCount: 1,
			At: time.Date(2026, 11, 23, 9, 4, 7, 0, time.UTC),
		},
		"people": People{Room: "планы", Online: 2, People: []Person{{testMember, "Иван", RoleModerator}, {MemberID{16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1}, "Пётр", RoleNone}}},
		"presence-renamed": &Presence{
			Room: "lobby", Online: 14, Renamed: []Rename{{testMember, "Иван", "Ваня"}}, At: time.Date(2026, 11, 23, 9, 4, 8, 0, time.UTC),
		},
		"notice": &Notice{
			Action: ActionMute, Room: "lobby", Member: MemberID{16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1}, Name: "Пётр",
			By: "Иван", Until: time.Date(2026, 11, 23, 9, 16, 0, 0, time.UTC), Why: "спам", At: time.Date(2026, 11, 23, 9, 6, 0, 0, time.UTC),
		},
		"error": CheckText(strings.Repeat("я", DefaultMaxText+1), 0).About("lobby", "0198c0de-0000-7000-8000-00000000002b"),
	}
)

func TestSpecificationExamplesAreTrue(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	commands, frames := 0, 0
	for _, m := range regexp.MustCompile("(?s)```json([^\n]*)\n(.*?)\n```").FindAllStringSubmatch(string(readme), -1) {
		side, label, _ := strings.Cut(strings.TrimSpace(m[1]), " ")
		example := m[2]
		switch side {
		case "client":
			commands++
			got, err := JSON{}.Decode([]byte(example))
			if want := readmeCommands[label]; err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("the example %q decodes to %#v, %v, want %#v", label, got, err, want)
			}
		case "server":
			frames++
			if got := string(JSON{}.Append(nil, readmeFrames[label])); got != example {
				t.Errorf("the example %q is\n%s\nbut the server sends\n%s", label, example, got)
			}
		default:
			t.Errorf("the example %q says neither client nor server: %s", label, example)
		}
	}
	if commands != len(readmeCommands) || frames != len(readmeFrames) {
		t.Errorf("the specification has %d examples of commands and %d of frames, want %d and %d", commands, frames, len(readmeCommands), len(readmeFrames))
	}
}

// Every code stands in the table of the specification, and nothing else does.
func TestSpecificationListsEveryCode(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("errors.go")
	if err != nil {
		t.Fatal(err)
	}
	listed := firstGroups(`(?m)^\| .([a-z_]+). \| \d{3} \|`, string(readme))
	known := firstGroups(`Code\w+ +Code = "([a-z_]+)"`, string(source))
	if len(known) == 0 || !slices.Equal(listed, known) {
		t.Errorf("the specification lists\n%v\nthe program has\n%v", listed, known)
	}
}

func firstGroups(pattern, text string) []string {
	var found []string
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		found = append(found, m[1])
	}
	slices.Sort(found)
	return found
}
