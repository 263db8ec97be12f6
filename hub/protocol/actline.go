package protocol

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// actWords are the commands by which hosts act, as people type them in the page, the console and plain text. In plain
// text and on the page only these words make a command of a line; whatever else begins with a slash is left alone.
var actWords = map[string]struct {
	action Action
	role   Role
	usage  string
}{
	"/kick":   {ActionKick, RoleNone, "/kick NAME [WHY]"},
	"/mute":   {ActionMute, RoleNone, "/mute NAME [10m] [WHY]"},
	"/unmute": {ActionUnmute, RoleNone, "/unmute NAME"},
	"/ban":    {ActionBan, RoleNone, "/ban NAME [1d] [WHY], or an address for NAME, such as 203.0.113.0/24"},
	"/unban":  {ActionUnban, RoleNone, "/unban NAME"},
	"/slow":   {ActionSlow, RoleNone, "/slow 10s, or /slow 0"},
	"/close":  {ActionClose, RoleNone, "/close [WHY]"},
	"/open":   {ActionOpen, RoleNone, "/open"},
	"/mod":    {ActionRole, RoleModerator, "/mod NAME"},
	"/unmod":  {ActionRole, RoleNone, "/unmod NAME"},
	"/owner":  {ActionRole, RoleOwner, "/owner NAME"},
}

// ParseAct reads a line such as "/mute Иван 10m спам". ok is false for a line that is none of these commands; then it is a
// message, as is one that begins with a space. A name of several words stands in quotation marks. The error says how the
// command is written.
func ParseAct(line string) (a Act, ok bool, bad *Error) {
	word, rest := cutCommand(line)
	w, ok := actWords[word]
	if !ok {
		return Act{}, false, nil
	}
	usage := func() (Act, bool, *Error) {
		return Act{}, true, Errorf(CodeBadCommand, "the command is: %s", w.usage)
	}
	a = Act{Action: w.action, Role: w.role}
	switch w.action {
	case ActionClose, ActionOpen:
		a.Why = rest
		return a, true, a.Check()
	case ActionSlow:
		span, more := cutWord(rest)
		if a.For, ok = ParseSpan(span); !ok {
			return usage()
		}
		a.Why = more
		return a, true, a.Check()
	}
	if a.Name, rest, ok = cutName(rest); !ok {
		return usage()
	}
	if w.action == ActionBan || w.action == ActionUnban {
		if p, isNet := parseNet(a.Name); isNet {
			a.Net, a.Name = p, ""
		}
	}
	if w.action == ActionMute || w.action == ActionBan {
		if span, more := cutWord(rest); span != "" {
			if d, isSpan := ParseSpan(span); isSpan {
				a.For, rest = d, more
			}
		}
	}
	a.Why = rest
	return a, true, a.Check()
}

// cutCommand is cutWord of a line that begins with a slash. Of all others, which are messages, nothing more is looked at.
func cutCommand(line string) (word, rest string) {
	if !strings.HasPrefix(line, "/") {
		return "", ""
	}
	return cutWord(line)
}

// cutWord takes the first word off s.
func cutWord(s string) (word, rest string) {
	i := strings.IndexFunc(s, unicode.IsSpace)
	if i < 0 {
		return s, ""
	}
	return s[:i], strings.TrimSpace(s[i:])
}

// cutName takes a name off s: a word, perhaps after an @, or what stands in quotation marks, which no name holds.
func cutName(s string) (name, rest string, ok bool) {
	s = strings.TrimPrefix(s, "@")
	for _, marks := range [][2]string{{`"`, `"`}, {"«", "»"}, {"“", "”"}} {
		if in, found := strings.CutPrefix(s, marks[0]); found {
			name, rest, ok = strings.Cut(in, marks[1])
			return strings.TrimSpace(name), strings.TrimSpace(rest), ok && strings.TrimSpace(name) != ""
		}
	}
	name, rest = cutWord(s)
	return strings.TrimSuffix(name, ","), rest, name != ""
}

// spanUnits are the letters of units, in both languages of the page.
var spanUnits = map[string]time.Duration{
	"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour,
	"с": time.Second, "м": time.Minute, "ч": time.Hour, "д": 24 * time.Hour, "н": 7 * 24 * time.Hour,
}

// longestSpan is what a longer time is read as: nothing allows as much.
const longestSpan = 100 * 365 * 24 * time.Hour

// ParseSpan reads a time such as 30s, 10m, 2h, 7d, 2w or 0.
func ParseSpan(s string) (time.Duration, bool) {
	digits := strings.TrimRightFunc(s, unicode.IsLetter)
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return 0, false
	}
	unit, ok := spanUnits[strings.ToLower(s[len(digits):])]
	n, err := strconv.ParseInt(digits, 10, 64)
	switch {
	case s == digits && n == 0 && err == nil:
		return 0, true
	case !ok:
		return 0, false
	case err != nil || n > int64(longestSpan/unit):
		return longestSpan, true
	}
	return time.Duration(n) * unit, true
}

// Span writes a time as ParseSpan reads it, in its largest whole unit.
func Span(d time.Duration) string {
	for _, u := range []struct {
		letter string
		unit   time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}} {
		if d >= u.unit && d%u.unit == 0 {
			return fmt.Sprintf("%d%s", d/u.unit, u.letter)
		}
	}
	return fmt.Sprintf("%ds", d/time.Second)
}
