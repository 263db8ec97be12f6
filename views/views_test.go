package views

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"govor/hub/protocol"
)

var update = flag.Bool("update", false, "write testdata anew")

var _ fiber.Views = (*Views)(nil)

func newViews(tb testing.TB) *Views {
	tb.Helper()
	v, err := New("/static/0123456789ab")
	if err != nil {
		tb.Fatal(err)
	}
	return v
}

func render(tb testing.TB, v *Views, s sample) string {
	tb.Helper()
	var b bytes.Buffer
	if err := v.Render(&b, s.template, s.data, Layout); err != nil {
		tb.Fatal(err)
	}
	return b.String()
}

// golden compares got with a file of testdata, or writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; look at the difference, then run with -update\n%s", name, firstDifference(got, string(want)))
	}
}

func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return "got:  " + g[i] + "\nwant: " + w[i]
		}
	}
	return "one has more lines"
}

func TestPages(t *testing.T) {
	v := newViews(t)
	for name, s := range samples(v) {
		golden(t, name+".golden.html", render(t, v, s))
	}
}

var inline = regexp.MustCompile(`(?i)<style|\sstyle=|<script(?:>|[^>]*>[^<])|\son[a-z]+=|javascript:`)

// The policy of the pages allows nothing inline.
func TestPagesHaveNothingInline(t *testing.T) {
	v := newViews(t)
	for name, s := range samples(v) {
		if found := inline.FindString(render(t, v, s)); found != "" {
			t.Errorf("%s has %q inline", name, found)
		}
	}
}

// Whoever points at a button that is only an icon is told what it does.
func TestIconsHaveTitles(t *testing.T) {
	v := newViews(t)
	buttons := regexp.MustCompile(`<(?:a|button)[^>]*class="[^"]*icon-button[^>]*>`)
	label, title := regexp.MustCompile(` aria-label="([^"]*)"`), regexp.MustCompile(` title="([^"]*)"`)
	n := 0
	for name, s := range samples(v) {
		for _, tag := range buttons.FindAllString(render(t, v, s), -1) {
			n++
			if l, m := label.FindStringSubmatch(tag), title.FindStringSubmatch(tag); !strings.Contains(tag, "person__act") && (l == nil || m == nil || l[1] != m[1]) {
				t.Errorf("%s: nobody knows what this does: %s", name, tag)
			}
		}
	}
	if n < 20 {
		t.Errorf("the test looks at %d buttons", n)
	}
}

func TestIDsAreUnique(t *testing.T) {
	v := newViews(t)
	id := regexp.MustCompile(`\sid="([^"]*)"`)
	for name, s := range samples(v) {
		seen := map[string]bool{}
		for _, m := range id.FindAllStringSubmatch(render(t, v, s), -1) {
			if seen[m[1]] || m[1] == "" {
				t.Errorf("%s: id %q is there twice, or empty", name, m[1])
			}
			seen[m[1]] = true
		}
	}
}

// Live messages are the markup of history without what depends on who looks.
func TestLiveMessageIsThatOfHistory(t *testing.T) {
	v := newViews(t)
	p := sampleRoom(samplePage(v, Russian))
	p.Zone = time.Local
	p.Me = protocol.MemberID{99}
	page := render(t, v, sample{"room", p})
	for i := range p.Messages {
		live := strings.TrimSpace(string(v.Format(Russian).Append(nil, protocol.Message{Event: &p.Messages[i]})))
		grouped := strings.Replace(live, `><span class="message__avatar"`, ` data-grouped><span class="message__avatar"`, 1)
		if !strings.Contains(page, live) && !strings.Contains(page, grouped) {
			t.Errorf("the page has message %d otherwise than the live stream:\n%s", p.Messages[i].Seq, live)
		}
	}
}

func TestGroupsAndDays(t *testing.T) {
	v := newViews(t)
	p := samplePage(v, Russian)
	p.Zone = time.FixedZone("", 3*3600)
	at := func(s string) int64 {
		when, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return when.UnixMilli()
	}
	event := func(member byte, when string) protocol.Event {
		return protocol.Event{Kind: protocol.KindMessage, Member: protocol.MemberID{member}, At: at(when), Name: "x", Body: "x"}
	}
	room := RoomPage{Page: p, Me: protocol.MemberID{2}, Messages: []protocol.Event{
		event(1, "2025-11-22T20:59:00Z"), // 23:59 in the zone of the page
		event(1, "2025-11-22T21:00:00Z"), // midnight
		event(1, "2026-11-22T10:00:00Z"),
		event(1, "2026-11-22T10:05:00Z"),
		event(1, "2026-11-22T10:10:01Z"),
		event(2, "2026-11-22T10:10:02Z"),
		event(2, "2026-11-22T10:10:03Z"),
		event(1, "2026-11-23T00:00:00Z"),
	}}
	var got []string
	for _, l := range room.lines() {
		switch {
		case l.Message == nil:
			got = append(got, l.Date+" "+l.Label)
		case l.Message.Grouped && l.Message.Own:
			got = append(got, "own grouped")
		case l.Message.Grouped:
			got = append(got, "grouped")
		case l.Message.Own:
			got = append(got, "own")
		default:
			got = append(got, "message")
		}
	}
	want := []string{
		"2025-11-22 22 ноября 2025 г.", " ", "message", "2025-11-23 23 ноября 2025 г.", "message", "2026-11-22 Вчера", "message",
		"grouped", "message", "own", "own grouped", "2026-11-23 Сегодня", "message",
	}
	if !slices.Equal(got, want) {
		t.Errorf("Lines =\n%q, want\n%q", got, want)
	}
}

func TestCommandOfTheConsoleIsSafe(t *testing.T) {
	p := LoginPage{Page: newViews(t).Page(Russian), Server: "chat.example.org"}
	for name, want := range map[string]string{"": "Иван", "Мария": "Мария", "a b": "Иван", "$(id)": "Иван", "x;y": "Иван"} {
		p.Name = name
		if got := strings.Join(p.Command().Parts, " "); got != "go run client/client.go "+want+" --server chat.example.org" {
			t.Errorf("Command for %q = %q", name, got)
		}
	}
}

// Whoever has no password yet is not told that the old one is wrong.
func TestPasswordThatIsRefused(t *testing.T) {
	for claimed, want := range map[bool]string{false: "Пароль короче 8 символов", true: "Нынешний пароль неверен, или новый короче 8 символов"} {
		p := AccountPage{Page: newViews(t).Page(Russian), Form: "password", Error: protocol.CodeBadPassword, Claimed: claimed}
		if got := p.Problem("password"); got != want {
			t.Errorf("with a password: %v, it says %q, want %q", claimed, got, want)
		}
	}
}

// A moment is written by the page as a script writes it, which has a test with the same table.
func TestMoments(t *testing.T) {
	at := func(y, m, d int) time.Time { return time.Date(y, time.Month(m), d, 5, 2, 0, 0, time.UTC) }
	for locale, want := range map[string][]string{
		Russian: {"сегодня, 05:02", "вчера, 05:02", "23 ноября, 05:02", "23 ноября 2025 г., 05:02"},
		English: {"today, 05:02", "yesterday, 05:02", "23 November, 05:02", "23 November 2025, 05:02"},
	} {
		p := newViews(t).Page(locale)
		p.Now, p.Zone = at(2026, 11, 26), time.UTC
		for i, when := range []time.Time{at(2026, 11, 26), at(2026, 11, 25), at(2026, 11, 23), at(2025, 11, 23)} {
			if got := p.when(when); got.Text != want[i] || !strings.HasSuffix(got.Stamp, "T05:02:00.000Z") {
				t.Errorf("%s: %v is %+v, want %s", locale, when, got, want[i])
			}
		}
	}
}

func TestRenderFromManyGoroutines(t *testing.T) {
	v := newViews(t)
	all := samples(v)
	want := map[string]string{}
	for name, s := range all {
		want[name] = render(t, v, s)
	}
	e := said(1, maria, 9, 0, "**привет**")
	live := string(v.Format(Russian).Append(nil, protocol.Message{Event: &e}))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for name, s := range all {
				var b bytes.Buffer
				if err := v.Render(&b, s.template, s.data, Layout); err != nil || b.String() != want[name] {
					t.Errorf("%s is rendered otherwise beside others: %v", name, err)
				}
				if got := string(v.Format(Russian).Append(nil, protocol.Message{Event: &e})); got != live {
					t.Errorf("a message is rendered otherwise beside others")
				}
				v.Prerender(name, "")
			}
		})
	}
	wg.Wait()
}

func TestRenderFailsOnUnknownPage(t *testing.T) {
	if err := newViews(t).Render(io.Discard, "nowhere", nil, Layout); err == nil {
		t.Error("a page that does not exist gave no error")
	}
}

func BenchmarkRoomPage(b *testing.B) {
	v := newViews(b)
	p := sampleRoom(samplePage(v, Russian))
	for len(p.Messages) < 50 {
		p.Messages = append(p.Messages, p.Messages[len(p.Messages)-8])
	}
	for b.Loop() {
		_ = v.Render(io.Discard, "room", p, Layout)
	}
}

func BenchmarkLiveMessage(b *testing.B) {
	f := newViews(b).Format(Russian)
	e := said(1, maria, 9, 0, "Доброе утро! После обеда выкатываю **0.4**")
	var dst []byte
	for b.Loop() {
		dst = f.Append(dst[:0], protocol.Message{Event: &e})
	}
}
