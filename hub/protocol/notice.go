package protocol

import (
	"fmt"
	"time"
)

// noticeJSON is a notice as the JSON format writes it.
func noticeJSON(n *Notice) jsonFrame {
	j := jsonFrame{
		Type: "notice", Room: n.Room, At: n.At.UTC().Format(timeFormat), Action: n.Action, Name: n.Name, By: n.By, You: n.You,
		Role: n.Role, SlowMS: n.Slow.Milliseconds(), Why: n.Why,
	}
	if !n.Member.IsZero() {
		j.Member = n.Member.String()
	}
	if !n.Until.IsZero() {
		j.Until = n.Until.UTC().Format(timeFormat)
	}
	return j
}

// notice is the other direction of noticeJSON.
func (w *wireFrame) notice() (Frame, error) {
	n := &Notice{
		Action: w.Action, Room: w.Room, Name: w.Name, By: w.By, You: w.You, Role: w.Role,
		Slow: time.Duration(w.SlowMS) * time.Millisecond, Why: w.Why,
	}
	var err error
	if n.At, err = ParseTime(w.At); err != nil {
		return nil, fmt.Errorf("decode notice: %w", err)
	}
	if w.Member != "" {
		if n.Member, err = ParseMemberID(w.Member); err != nil {
			return nil, fmt.Errorf("decode notice: %w", err)
		}
	}
	if w.Until != "" {
		if n.Until, err = ParseTime(w.Until); err != nil {
			return nil, fmt.Errorf("decode notice: %w", err)
		}
	}
	return n, nil
}

// appendNotice writes a notice as a line of plain text.
func appendNotice(dst []byte, n *Notice) []byte {
	by, whom := n.By, n.Name
	if by == "" {
		by = "the server"
	}
	switch {
	case n.You:
		whom = "you"
	case whom == "":
		whom = "addresses"
	}
	dst = fmt.Appendf(dst, "* %s ", CleanText(by))
	whom = CleanText(whom)
	switch n.Action {
	case ActionKick:
		dst = fmt.Appendf(dst, "removed %s from the chat", whom)
	case ActionMute:
		dst = fmt.Appendf(dst, "muted %s", whom)
	case ActionUnmute:
		dst = fmt.Appendf(dst, "unmuted %s", whom)
	case ActionBan:
		dst = fmt.Appendf(dst, "banned %s", whom)
	case ActionUnban:
		dst = fmt.Appendf(dst, "lifted the ban of %s", whom)
	case ActionRole:
		dst = appendRole(dst, whom, n.Role)
	case ActionDelete:
		if dst = append(dst, "deleted a message"...); n.You {
			dst = append(dst, " of yours"...)
		}
	default:
		dst = appendRules(dst, n)
	}
	if d := n.For(); d > 0 {
		dst = fmt.Appendf(dst, " for %s", Span(d.Round(time.Second)))
	}
	if n.Why != "" {
		dst = fmt.Appendf(dst, ": %s", CleanText(n.Why))
	}
	return dst
}

func appendRole(dst []byte, whom string, r Role) []byte {
	switch r {
	case RoleOwner:
		return fmt.Appendf(dst, "made %s an owner", whom)
	case RoleModerator:
		return fmt.Appendf(dst, "made %s a moderator", whom)
	default:
		return fmt.Appendf(dst, "took the role from %s", whom)
	}
}

func appendRules(dst []byte, n *Notice) []byte {
	switch n.Action {
	case ActionClose:
		return append(dst, "closed this room: only hosts can write"...)
	case ActionOpen:
		return append(dst, "opened this room: everybody can write"...)
	}
	if n.Slow == 0 {
		return append(dst, "ended slow mode"...)
	}
	return fmt.Appendf(dst, "set slow mode: one message in %s", Span(n.Slow))
}
