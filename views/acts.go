package views

import (
	"slices"
	"time"

	"govor/hub/protocol"
)

// span writes how long something lasts in the largest unit that says it well: one of it, or two and more. It is rounded up,
// so that nobody is told to come back too early.
func (w *words) span(d time.Duration) string {
	for _, u := range []struct {
		key        string
		unit, step time.Duration
	}{{"span.d", 24 * time.Hour, time.Hour}, {"span.h", time.Hour, time.Minute}, {"span.m", time.Minute, time.Second}} {
		if up := roundUp(d, u.step); up == u.unit || up >= 2*u.unit {
			return w.must(u.key, "n", int(roundUp(up, u.unit)/u.unit))
		}
	}
	return w.must("span.s", "n", int(max(time.Second, roundUp(d, time.Second))/time.Second))
}

func roundUp(d, step time.Duration) time.Duration { return (d + step - 1) / step * step }

// because adds the reason, if there is one.
func (w *words) because(sentence, why string) string {
	if why == "" {
		return sentence
	}
	return w.must("act.why", "text", sentence, "why", why)
}

// by is who did something.
func (w *words) by(name string) string {
	if name == "" {
		return w.must("act.server")
	}
	return isolate(name)
}

// told are the sentences of a notice: to others, and to whom it was done.
type told struct{ others, you string }

var (
	acts = map[protocol.Action]told{
		protocol.ActionKick:   {"act.kick", "act.kick.you"},
		protocol.ActionMute:   {"act.mute", "act.mute.you"},
		protocol.ActionUnmute: {"act.unmute", "act.unmute.you"},
		protocol.ActionBan:    {"act.ban", "act.ban.you"},
		protocol.ActionUnban:  {"act.unban", "act.unban.you"},
		protocol.ActionDelete: {"act.delete", "act.delete.you"},
		protocol.ActionClose:  {"act.close", "act.close"},
		protocol.ActionOpen:   {"act.open", "act.open"},
		protocol.ActionSlow:   {"act.slow", "act.slow"},
	}
	roles = map[protocol.Role]told{
		protocol.RoleOwner:     {"act.role.owner", "act.role.owner.you"},
		protocol.RoleModerator: {"act.role.moderator", "act.role.moderator.you"},
		protocol.RoleNone:      {"act.role.none", "act.role.none.you"},
	}
	roleNames = map[protocol.Role]string{protocol.RoleOwner: "role.owner", protocol.RoleModerator: "role.moderator"}
)

// keyOf is the text for a notice.
func keyOf(n *protocol.Notice) string {
	keys := acts[n.Action]
	switch {
	case n.Action == protocol.ActionRole:
		keys = roles[n.Role]
	case n.Action == protocol.ActionSlow && n.Slow == 0:
		return "act.slow.off"
	case n.You || n.Name != "":
	case n.Action == protocol.ActionBan:
		return "act.ban.net"
	case n.Action == protocol.ActionUnban:
		return "act.unban.net"
	}
	if n.You {
		return keys.you
	}
	return keys.others
}

// notice is what a host did, for those who are told.
func (w *words) notice(n *protocol.Notice) string {
	text := w.must(keyOf(n), "by", w.by(n.By), "name", isolate(n.Name), "span", w.span(n.Slow), "room", w.roomTitle(n.Room))
	if d := n.For(); d > 0 {
		text = w.must("act.for", "text", text, "span", w.span(d))
	}
	return w.because(text, n.Why)
}

// refusal is the sentence for an error that has more to tell than its code.
func (w *words) refusal(e *protocol.Error) string {
	switch e.Code {
	case protocol.CodeBanned, protocol.CodeMuted:
		text := w.problem(e.Code)
		if e.RetryAfter > 0 {
			text = w.must("code.still", "text", text, "span", w.span(e.RetryAfter))
		}
		return w.because(text, e.Why)
	case protocol.CodeSlowMode:
		if e.RetryAfter > 0 {
			return w.must("composer.slowmode", "span", w.span(e.RetryAfter))
		}
	case protocol.CodeTooFast:
		if e.RetryAfter > 0 {
			return w.must("composer.slow", "span", w.span(e.RetryAfter))
		}
	case protocol.CodeTooMany:
		if e.RetryAfter > 0 {
			return w.must("code.too_many.for", "span", w.span(e.RetryAfter))
		}
	}
	return w.problem(e.Code)
}

// tell appends a notice as fragments of the page.
func (f *htmlFormat) tell(dst []byte, n *protocol.Notice) []byte {
	text := f.words.notice(n)
	line := news{words: f.words, At: n.At.UnixMilli(), Text: text, Kind: "act"}
	switch {
	case !n.You:
		dst = f.render(dst, "partials/system", line)
		switch n.Action {
		case protocol.ActionClose, protocol.ActionOpen:
			dst = f.render(dst, "partials/readonly", barrier{words: f.words, Closed: n.Action == protocol.ActionClose})
		case protocol.ActionSlow:
			dst = f.render(dst, "partials/slow", pace{f.words, n.Slow})
		}
		return dst
	case n.Action == protocol.ActionMute, n.Action == protocol.ActionUnmute:
		b := barrier{words: f.words}
		if n.Action == protocol.ActionMute {
			b.Muted, b.Until = text, n.Until
		}
		dst = f.render(dst, "partials/muted", b)
	case n.Action == protocol.ActionDelete:
		dst = f.render(dst, "partials/system", line)
	}
	return appendFacts(dst, "notice", text, "action", string(n.Action), "role", string(n.Role))
}

// barrier is what stands in the place of the composer for those who may not write.
type barrier struct {
	words *words

	Closed bool      // only hosts write here
	Muted  string    // why this member may not write, "" if it may
	Until  time.Time // until when; zero = until it is lifted
}

// T is the text of key.
func (b barrier) T(key string, args ...any) (string, error) { return b.words.T(key, args...) }

// UntilMS is the end in Unix milliseconds, 0 if there is none.
func (b barrier) UntilMS() int64 {
	if b.Until.IsZero() {
		return 0
	}
	return b.Until.UnixMilli()
}

// Barrier is what keeps the member of the page from writing.
func (p RoomPage) Barrier() barrier {
	b := barrier{words: p.words, Closed: p.HostsOnly}
	if p.Muted != nil {
		b.Muted, b.Until = p.words.refusal(p.Muted), time.Time{}
		if p.Muted.RetryAfter > 0 {
			b.Until = p.Now.Add(p.Muted.RetryAfter)
		}
	}
	return b
}

// IsHost tells that the member of the page may keep order.
func (p RoomPage) IsHost() bool { return p.Role.IsHost() }

// Pace is the choice of slow mode in the menu.
func (p RoomPage) Pace() pace { return pace{p.words, p.Slow} }

// pace is how long one waits in a room between two messages, to be chosen.
type pace struct {
	words *words
	slow  time.Duration
}

// paces are the waits that the menu offers.
var paces = []time.Duration{0, 5 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute, 5 * time.Minute}

// Choices are the waits to choose from, the present one among them.
func (p pace) Choices() []choice {
	waits := paces
	if !slices.Contains(waits, p.slow) {
		waits = append(slices.Clone(waits), p.slow)
	}
	list := make([]choice, len(waits))
	for i, d := range waits {
		list[i] = choice{Value: protocol.Span(d), Text: p.words.must("host.slow.off"), Chosen: d == p.slow}
		if d > 0 {
			list[i].Text = p.words.span(d)
		}
	}
	return list
}

// choice is one option of a list.
type choice struct {
	Value, Text string
	Chosen      bool
}
