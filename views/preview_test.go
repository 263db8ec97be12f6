package views

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"govor/hub/protocol"
)

// TestPreview writes the pages into the directory PREVIEW_DIR, to be looked at in a browser with public served as
// /static beside them.
func TestPreview(t *testing.T) {
	dir := os.Getenv("PREVIEW_DIR")
	if dir == "" {
		t.Skip("PREVIEW_DIR is not set")
	}
	v, err := New("/static")
	if err != nil {
		t.Fatal(err)
	}
	for name, page := range samples(v) {
		var b bytes.Buffer
		if err := v.Render(&b, page.template, page.data, Layout); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name+".html"), b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

type sample struct {
	template string
	data     any
}

var sampleNow = time.Date(2026, 11, 23, 18, 20, 0, 0, time.UTC)

func samplePage(v *Views, locale string) Page {
	p := v.Page(locale)
	p.Now, p.Zone = sampleNow, time.UTC
	return p
}

// samples are pages of every kind and state, the same at every call.
func samples(v *Views) map[string]sample {
	ru, en := samplePage(v, Russian), samplePage(v, English)
	login := LoginPage{Page: ru, Online: 9, Server: "chat.example.org:8000"}
	taken, bad, full, away := login, login, login, login
	taken.Name, taken.Error, taken.Suggestion = "Иван", protocol.CodeNameTaken, "Иван-2"
	bad.Name, bad.Error = " Иван", protocol.CodeBadName
	full.Name, full.Error = "Мария", protocol.CodeTooMany
	away.Page, away.Room = en, "design"
	empty := sampleRoom(ru)
	empty.Messages, empty.Room, empty.Event = nil, "design", 0
	back := sampleRoom(ru)
	empty.Server = "chat.example.org"
	back.Text, back.Error, back.MaxText = "Очень длинное сообщение", protocol.CodeTooLong, 20
	older := sampleRoom(en)
	older.Live, older.Older = false, 41
	return map[string]sample{
		"login": {"login", login}, "login-taken": {"login", taken}, "login-bad": {"login", bad}, "login-full": {"login", full},
		"login-en": {"login", away}, "room": {"room", sampleRoom(ru)}, "room-en": {"room", firstDay(en)},
		"room-empty": {"room", empty}, "room-back": {"room", back}, "room-older": {"room", older},
		"error":    {"error", ErrorPage{Page: ru, Status: 404, Requested: "/r/dezign"}},
		"error-en": {"error", ErrorPage{Page: en, Status: 500}},
		"help":     {"help", HelpPage{ru}}, "help-en": {"help", HelpPage{en}},
	}
}

var (
	maria = protocol.Person{Member: protocol.MemberID{1}, Name: "Мария"}
	anna  = protocol.Person{Member: protocol.MemberID{2}, Name: "Анна Ковалёва"}
	petr  = protocol.Person{Member: protocol.MemberID{3}, Name: "Пётр"}
	kost  = protocol.Person{Member: protocol.MemberID{4}, Name: "Константин Задунайский-Преображенский"}
	john  = protocol.Person{Member: protocol.MemberID{5}, Name: "John Park"}
	ci    = protocol.Person{Member: protocol.MemberID{6}, Name: "ci"}
)

func said(seq int64, who protocol.Person, hour, minute int, text string) protocol.Event {
	at := time.Date(2026, 11, 23, hour, minute, 0, 0, time.UTC).UnixMilli()
	return protocol.Event{
		Room: "lobby", RoomID: 1, Kind: protocol.KindMessage, V: 1, Seq: seq, ID: "id-" + who.Member.String()[:4] + "-" + time.UnixMilli(at).UTC().Format("1504"),
		Member: who.Member, Name: who.Name, At: at, Body: text, Mentions: protocol.FindMentions(text, called),
	}
}

// called is whose name a key is.
func called(key string) (protocol.MemberID, bool) {
	for _, p := range []protocol.Person{maria, anna, petr, kost, john} {
		if _, k, bad := protocol.CheckName(p.Name); bad == nil && k == key {
			return p.Member, true
		}
	}
	return protocol.MemberID{}, false
}

func sampleRoom(p Page) RoomPage {
	return RoomPage{
		Page: p, Room: "lobby", Me: maria.Member, Name: maria.Name, Live: true, Older: 40, Event: 48, EventID: "id-last",
		Messages: []protocol.Event{
			said(41, anna, 9, 41, "Доброе утро! После обеда выкатываю **0.4**, *черновик*: https://govor.example/notes/0.4 🙏"),
			said(42, petr, 9, 44, "> Перезапуск больше никто не замечает\n\nПроверил на живом, так и есть. Ключ `--drain 8s`\n\n```\n$ systemctl restart govor\nresume: 412 ok, 0 lost, 0 doubled\n```"),
			said(43, maria, 9, 52, "А если сеть пропала на час, `since=N` отдаст всё?"),
			said(44, kost, 9, 58, "@Мария да, по номерам: каждое ровно один раз. Либо честно скажет, что часть истории не показана."),
			said(45, kost, 9, 58, "🎉🚀"),
			said(46, maria, 9, 59, "Отлично"),
			said(47, maria, 10, 0, "Тогда список дел:\n\n1. повторить на двух узлах\n2. записать в ~~блокнот~~ README"),
			said(48, john, 10, 2, "Ran the torture test overnight: 1,000 kills, nothing lost. @Пётр, can I merge?"),
		},
		People: []protocol.Person{anna, ci, john, kost, maria, petr}, Online: 9, SendID: "0192f0c1-new",
	}
}

func firstDay(p Page) RoomPage {
	sam := protocol.Person{Member: protocol.MemberID{7}, Name: "Sam"}
	me := protocol.Person{Member: protocol.MemberID{1}, Name: "Maria"}
	lena := protocol.Person{Member: protocol.MemberID{8}, Name: "Лена"}
	return RoomPage{
		Page: p, Room: "lobby", Me: me.Member, Name: me.Name, Live: true, Event: 4, EventID: "id-last",
		Messages: []protocol.Event{
			said(1, sam, 18, 2, "Is this thing on?"),
			said(2, sam, 18, 2, "One command, and we have a chat. The link for everybody: http://192.168.1.20:8000"),
			said(3, me, 18, 4, "It is! And no sign-up, just a name 👌"),
			said(4, lena, 18, 5, "Привет! Зашла с телефона, всё работает"),
		},
		People: []protocol.Person{me, sam, lena}, Online: 3, SendID: "0192f0c1-new",
	}
}
