package terminal

import (
	"strings"
	"time"

	"govor/hub/protocol"
)

// words is everything that the client says, in one language. Verbs of fmt stand for what is inserted.
type words struct {
	youAre, nameTaken, quitHint, online    string
	nameYours                              string
	wordNeeded, wordWrong                  string
	joined, left, renamed                  string
	events                                 func(n, joined, left int) string
	offline, retryIn, retryNow, back       string
	restart, connecting, cannotConnect     string
	waiting                                func(n int) string
	notSent, notDelivered, full            string
	keptForNext, leftWaiting               func(n int) string
	failedHint, noSuchFailed               string
	nothingFailed, nothingWaits            string
	keepProblem, unsure                    string
	gap, erased, edited, today, yesterday  string
	date                                   func(t time.Time, withYear bool) string
	kicked, replaced, closed, noSuchServer string
	pastedLines                            string

	usage, noName, badArgument, badServer, badRoom, badName, badColor, badHistory, badTimeout string
	seeHelp                                                                                   string
	flagServer, flagName, flagRoom, flagHistory, flagJSON, flagPlain, flagSimple, flagColor   string
	flagTimeout, flagNoHistoryFile, flagVersion, flagHelp                                     string
	flagWordFile, badWordFile, emptyLine                                                      string
	lobby                                                                                     string
	codes                                                                                     map[protocol.Code]string
	told                                                                                      func(*protocol.Notice) string
	tooLong                                                                                   string
	help, noCommand, needAction, needName, needRoom, leaveLobby, already, here, more          string
	slowMode, tooFast, seconds, byProxyOnly, proxyRefused                                     string
	stateProblem                                                                              string
}

// chooseWords picks the language: GOVOR_LANG, else the locale of messages.
func chooseWords(getenv func(string) string) *words {
	for _, key := range []string{"GOVOR_LANG", "LC_ALL", "LC_MESSAGES", "LANG"} {
		if s := strings.ToLower(getenv(key)); s != "" {
			if strings.HasPrefix(s, "ru") {
				return &russian
			}
			break
		}
	}
	return &english
}

// errorText is the sentence for an error of the server: ours in this language if there is one, else the server's.
func (w *words) errorText(e *protocol.Error) string {
	if s := w.codes[e.Code]; s != "" {
		return s + because(e)
	}
	if e.Message != "" {
		return protocol.CleanText(e.Message) + because(e)
	}
	return protocol.CleanText(string(e.Code))
}

// roomTitle is a room as people call it.
func (w *words) roomTitle(room string) string {
	if room == protocol.RoomLobby {
		return w.lobby
	}
	return protocol.CleanText(room)
}

// because is how long what a host did holds still, and the reason.
func because(e *protocol.Error) string {
	text := ""
	switch e.Code {
	case protocol.CodeBanned, protocol.CodeMuted, protocol.CodeSlowMode, protocol.CodeTooFast, protocol.CodeTooMany:
		if e.RetryAfter > 0 {
			text = " (" + protocol.Span(soon(e.RetryAfter)) + ")"
		}
	}
	if e.Why != "" {
		text += ": " + protocol.CleanText(e.Why)
	}
	return text
}

// soon is d as people say it: in seconds, from two minutes on in minutes, from two hours on in hours; never less than it is.
func soon(d time.Duration) time.Duration {
	unit := time.Second
	switch {
	case d > 2*time.Hour:
		unit = time.Hour
	case d > 2*time.Minute:
		unit = time.Minute
	}
	return (d + unit - 1).Truncate(unit)
}
