package protocol

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
	"golang.org/x/text/secure/bidirule"
	"golang.org/x/text/secure/precis"
	"golang.org/x/text/unicode/bidi"
	"golang.org/x/text/unicode/norm"
)

// reservedNames are taken for ever: they would pass for the system.
var reservedNames = map[string]bool{
	"system": true, "server": true, "govor": true, "admin": true, "administrator": true, "owner": true, "moderator": true, "root": true,
	"система": true, "сервер": true, "говор": true, "админ": true, "администратор": true, "владелец": true, "ведущий": true, "модератор": true,
}

// CheckName says whether s may be a name. shown is how it is written (NFC, spaces at the ends refused, not cut); key is
// how two names are compared (RFC 8266, Nickname profile). Reserved names, and those that look like one, are CodeNameTaken.
// LooksOf says what else a name could be taken for.
func CheckName(s string) (shown, key string, err *Error) {
	if shown, key, err = CheckAnyName(s); err == nil && (reservedNames[key] || looksReserved(LooksOf(shown, key))) {
		return "", "", Errorf(CodeNameTaken, "the name %s is reserved", shown)
	}
	return shown, key, err
}

// CheckAnyName is CheckName for who may have a reserved name, too.
func CheckAnyName(s string) (shown, key string, err *Error) {
	if s == "" || !utf8.ValidString(s) || strings.TrimSpace(s) != s {
		return "", "", badName()
	}
	shown = norm.NFC.String(s)
	if utf8.RuneCountInString(shown) > MaxNameLen || len(shown) > 4*MaxNameLen || !allowedInName(shown) {
		return "", "", badName()
	}
	if isPlain(shown) {
		key = strings.ToLower(shown)
	} else {
		// The key is without width: a name must not forge with a full-width colon what it may not with a plain one.
		var perr error
		if key, perr = precis.Nickname.CompareKey(shown); perr != nil || key == "" || !allowedInName(key) {
			return "", "", badName()
		}
	}
	if key == shown {
		key = shown // one string for both: ten thousand sessions keep theirs
	}
	return shown, key, nil
}

// isPlain tells a name of which nothing is compared but the case: ASCII and the letters of today's Cyrillic, with single
// spaces. The profile says the same of it, forty times as slowly.
func isPlain(name string) bool {
	for _, r := range name {
		if (r < ' ' || r > '~') && (r < '\u0400' || r > '\u045f') {
			return false
		}
	}
	return !strings.Contains(name, "  ")
}

func badName() *Error {
	return Errorf(CodeBadName, "a name has 1 to %d characters, no space at its ends, no control characters, no colon and no * at its beginning", MaxNameLen)
}

// allowedInName says whether a name is visible and holds nothing with a meaning in lines, addresses or markup.
func allowedInName(name string) bool {
	visible := false
	for i, r := range name {
		if strings.ContainsRune(`:<>"'/@#,?!`+"`\\", r) || unicode.IsControl(r) || isBidiControl(r) || !unicode.IsGraphic(r) ||
			unicode.Is(unicode.Co, r) || isInkless(r) {
			return false
		}
		if i == 0 && (r == '*' || unicode.IsMark(r)) { // a mark would sit on the character before the name
			return false
		}
		visible = visible || unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsSymbol(r)
	}
	return visible
}

// isInkless tells letters, marks and symbols that nobody sees: with one of them a name is another and looks the same.
func isInkless(r rune) bool {
	switch r {
	case '\u2800', // Braille without dots
		'\u2d7f', '\U0001107f', // joiners of Tifinagh and Brahmi numbers
		'\ufffc', '\ufffd', // what stands for something else
		'\U00013441', '\U00013442', // blank hieroglyphs
		'\U00016fe4', // filler of Khitan
		'\U0001d159': // a note without a head
		return true
	}
	return false
}

// WithSuffix is name with "-n" at its end, cut by graphemes so that the whole keeps to MaxNameLen.
func WithSuffix(name string, n int) string {
	suffix := "-" + strconv.Itoa(n)
	room := MaxNameLen - len(suffix)
	for utf8.RuneCountInString(name) > room {
		cut := 0
		for g := uniseg.NewGraphemes(name); g.Next(); {
			if from, to := g.Positions(); to == len(name) {
				cut = from
			}
		}
		name = name[:cut]
	}
	return strings.TrimRightFunc(name, unicode.IsSpace) + suffix
}

// roomProfile is UsernameCaseMapped (RFC 8265) without its rule for right-to-left text, which x/text applies to all that
// is not ASCII: it would refuse "2026-планы".
var roomProfile = precis.NewIdentifier(precis.FoldWidth, precis.LowerCase(), precis.Norm(norm.NFC))

// CheckRoom says whether s may be the name of a room and returns it as it is written everywhere: lower case, NFC,
// 1–32 letters, digits, '-', '_' or '.', beginning with a letter or digit.
func CheckRoom(s string) (string, *Error) {
	if s == "" || !utf8.ValidString(s) || len(s) > 4*MaxNameLen {
		return "", badRoom()
	}
	room, err := roomProfile.String(s)
	if err != nil || utf8.RuneCountInString(room) > MaxNameLen {
		return "", badRoom()
	}
	if bidirule.DirectionString(room) != bidi.LeftToRight && !bidirule.ValidString(room) {
		return "", badRoom()
	}
	for i, r := range room {
		switch {
		case isInkless(r):
			return "", badRoom()
		case unicode.IsLetter(r), unicode.IsDigit(r):
		case i > 0 && (r == '-' || r == '_' || r == '.' || unicode.Is(unicode.M, r)):
		default:
			return "", badRoom()
		}
	}
	return room, nil
}

func badRoom() *Error {
	return Errorf(CodeBadRoom, "a room's name has 1 to %d letters, digits, - _ or ., and begins with a letter or digit", MaxNameLen)
}

// CheckText says whether s may be sent as a message: UTF-8, not only spaces, at most maxText characters
// (0 = DefaultMaxText).
func CheckText(s string, maxText int) *Error {
	if maxText <= 0 {
		maxText = DefaultMaxText
	}
	if !utf8.ValidString(s) {
		return Errorf(CodeBadText, "the text is not UTF-8")
	}
	if strings.TrimSpace(s) == "" {
		return Errorf(CodeEmpty, "there is nothing to send")
	}
	if n := utf8.RuneCountInString(s); n > maxText {
		return Errorf(CodeTooLong, "the text has %d characters, %d more than the limit of %d", n, n-maxText, maxText)
	}
	return nil
}
