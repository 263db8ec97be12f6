package protocol

import "strings"

// doingSign is how a text begins that says what its author does.
const doingSign = "/me "

// Doing tells whether a text is an action ("/me машет рукой"), and what its author does. It is a message like any other,
// with the text as it was sent; only what is shown differs. A space before it makes a plain message of it.
func Doing(text string) (what string, ok bool) {
	rest, ok := strings.CutPrefix(text, doingSign)
	rest = strings.TrimLeft(rest, " ")
	return rest, ok && strings.TrimSpace(rest) != ""
}
