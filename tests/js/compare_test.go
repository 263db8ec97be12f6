package js

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"testing"
	"time"

	"govor/hub/protocol"
	"govor/views"
)

// TestLiveAndHistoryAreTheSame is the contract between views and the scripts: a live message, once decorated, is what
// the template renders for history.
func TestLiveAndHistoryAreTheSame(t *testing.T) {
	v, err := views.New("/static/x")
	if err != nil {
		t.Fatal(err)
	}
	for _, locale := range []string{views.Russian, views.English} {
		t.Run(locale, func(t *testing.T) {
			me, other := protocol.NewMemberID(), protocol.NewMemberID()
			events := conversation(me, other)
			page := views.RoomPage{Page: v.Page(locale), Room: "lobby", Me: me, Name: "Мария", Live: true}
			var live []string
			for i := range events {
				live = append(live, string(v.Format(locale).Append(nil, protocol.Message{Event: &events[i]})))
			}
			frames, err := json.Marshal(live)
			if err != nil {
				t.Fatal(err)
			}
			full := page
			full.Messages = events
			pages := map[string][]byte{"/live": frames, "/empty": render(t, v, page), "/history": render(t, v, full)}
			report(t, open(t, serve(t, pages)+"/page/compare.html"))
		})
	}
}

// conversation has everything that decoration looks at: both members, pauses on both sides of the limit of a group,
// days of this and another year.
func conversation(me, other protocol.MemberID) []protocol.Event {
	noon := time.Now().Truncate(24 * time.Hour).Add(12 * time.Hour)
	yesterday := noon.AddDate(0, 0, -1)
	said := []struct {
		at   time.Time
		who  protocol.MemberID
		text string
	}{
		{noon.AddDate(-1, 0, -3), other, "год назад"},
		{noon.AddDate(0, 0, -9), me, "**давно**"},
		{yesterday, other, "вчера"},
		{yesterday.Add(5 * time.Minute), other, "в группе"},
		{yesterday.Add(10*time.Minute + time.Millisecond), other, "не в группе: на миллисекунду позже"},
		{yesterday.Add(11 * time.Minute), me, "`я`"},
		{yesterday.Add(12 * time.Minute), me, "и я\nещё раз"},
		{noon.Add(-12*time.Hour - time.Second), me, "перед полуночью"},
		{noon.Add(-12*time.Hour + time.Second), me, "после полуночи"},
		{noon, other, "👍"},
		{noon, other, "@Мария и **@Пётр**: `@Мария`"},
		{noon, me, "я, @Мария, и @Пётр"},
		{noon, me, "/me машет"},
		{noon, me, "после действия"},
		{noon, other, "/me ловит @Мария"},
		{noon, other, "<script>alert(1)</script> & \"так\""},
	}
	called := func(key string) (protocol.MemberID, bool) {
		m, ok := map[string]protocol.MemberID{"мария": me, "пётр": other}[key]
		return m, ok
	}
	events := make([]protocol.Event, len(said))
	for i, s := range said {
		name := map[protocol.MemberID]string{me: "Мария", other: "Пётр"}[s.who]
		events[i] = protocol.Event{
			Room: "lobby", Kind: protocol.KindMessage, V: protocol.Version, ID: "id-" + strconv.Itoa(i), Member: s.who, Name: name,
			At: s.at.UnixMilli(), Body: s.text, Mentions: protocol.FindMentions(s.text, called), Seq: int64(i + 1), RoomID: 2, Ordinal: int64(i + 1),
		}
	}
	events[5].Changed, events[5].ChangedAt = 40, noon.UnixMilli()
	return events
}

func render(t *testing.T, v *views.Views, page views.RoomPage) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := v.Render(&b, "room", page, views.Layout); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// handle serves what is in memory.
func handle(mux *http.ServeMux, pages map[string][]byte) {
	for path, body := range pages {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) })
	}
}
