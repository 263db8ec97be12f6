package terminal

import (
	"fmt"
	"time"
)

var english = words{
	lobby:      "Lobby",
	youAre:     "You are %s",
	nameTaken:  "“%s” is taken",
	nameYours:  "if it is yours, say its password (--password-file)",
	wordNeeded: "A password is needed: put it on the first line of a file and say --password-file FILE, or set GOVOR_PASSWORD",
	wordWrong:  "The name or the password is wrong: look at --password-file or GOVOR_PASSWORD; a name without a password goes without",
	quitHint:   "Ctrl+C to quit",
	online:     "%d online",
	joined:     "%s joined",
	left:       "%s has left",
	renamed:    "%s is now %s",
	events: func(n, joined, left int) string {
		return fmt.Sprintf("%d events: %d joined, %d left", n, joined, left)
	},
	offline:       "No connection",
	retryIn:       "Retrying in %d s",
	retryNow:      "Connecting…",
	back:          "Back online",
	restart:       "Server is restarting, back in seconds",
	connecting:    "Connecting…",
	cannotConnect: "Cannot connect to %s: %s",
	waiting:       func(n int) string { return fmt.Sprintf("%d waiting to be sent", n) },
	notSent:       "Not sent: %s",
	notDelivered:  "Not sent (%d):",
	full:          "Too many messages wait to be sent",
	keptForNext: func(n int) string {
		if n == 1 {
			return "1 message not sent; it goes out when you start the client again"
		}
		return fmt.Sprintf("%d messages not sent; they go out when you start the client again", n)
	},
	leftWaiting:   func(n int) string { return fmt.Sprintf("%d from last time waiting to be sent", n) },
	failedHint:    "/retry sends again, /discard drops, /outbox lists",
	noSuchFailed:  "There is no failed message number %s; /outbox lists them",
	nothingFailed: "No message has failed",
	nothingWaits:  "No message waits to be sent",
	unsure:        "it may have arrived, look before you retry",
	keepProblem:   "What is typed cannot be kept on the disk: %s",
	gap:           "Part of the history is not shown",
	erased:        "Message deleted",
	edited:        "edited",
	today:         "Today",
	yesterday:     "Yesterday",
	date: func(t time.Time, withYear bool) string {
		if withYear {
			return t.Format("2 January 2006")
		}
		return t.Format("2 January")
	},
	told:         toldInEnglish,
	kicked:       "Access denied",
	replaced:     "You are now connected in another window",
	closed:       "Connection closed",
	noSuchServer: "%s answers, but it is not Govor (%s)",
	pastedLines:  "%d lines pasted, Enter sends them as one message",
	tooLong:      "Too long by %d characters",
	help: `/me ACTION: what you do, for example /me waves
/nick NAME: another name
/who: who is here
/join ROOM: go to another room
/leave: back to the lobby
/outbox, /retry [N], /discard [N]: what was not sent; send it again or drop it
hosts: /kick /mute /unmute /ban /unban /close /open /slow /mod /unmod /owner
//TEXT: a text that begins with a slash
Tab completes names and commands, ↑ brings back what was typed, Alt+Enter begins a line, Ctrl+C quits`,
	noCommand:  "There is no command %s; /help lists them, // begins a text with a slash",
	needAction: "Type what you do: /me waves",
	needName:   "Type a name: /nick Name",
	needRoom:   "Type a room: /join room",
	leaveLobby: "One does not leave the lobby; Ctrl+C quits",
	already:    "You are in %s already",
	here:       "%d here",
	more:       "and %d more",
	slowMode:   "Slow mode. The next message in %s",
	tooFast:    "Too fast",
	seconds:    "%d s",
	byProxyOnly: "The server does not let in directly: its reverse proxy says who one is. Connect to the proxy's address by --server, " +
		"with the name and the password that it knows (--password-file or GOVOR_PASSWORD)",
	proxyRefused: "%s does not let you in (%d), perhaps a proxy before the chat. Look at the name and the password for it: --password-file or GOVOR_PASSWORD",
	stateProblem: "The state directory cannot be used, the name will not be remembered: %s",

	usage: `Govor's console client.

  govor client NAME [flags]
  go run client/client.go NAME [flags]

A line after > and Enter is a message, Ctrl+C quits; /help lists commands, such
as /join ROOM, and // begins a message with a slash. What could not be sent is
kept and goes out first when the client is started again with the same server,
name and room. These lines are for the client itself:

  /outbox       list what is not sent, with numbers for what has failed
  /retry [N]    send what has failed again, all of it or number N
  /discard [N]  drop what has failed, all of it or number N

Owners and moderators keep order with /kick, /mute, /unmute, /ban, /unban,
/close, /open, /slow, /mod and /unmod, as README.md says. A space before a line
makes a message of it.

When input or output is not a terminal, every line of the input is a message,
and at its end the client waits for the receipts: echo done | govor client ci
Such lines are not kept: exit code 6 says that some are to be sent again.

%s
Environment: GOVOR_SERVER, GOVOR_NAME, GOVOR_ROOM, GOVOR_LANG (ru, en);
GOVOR_PASSWORD, the password of the name or of the server: it has no flag, since
others on this machine can read command lines.
Exit codes: 0 fine, 1 another error, 2 wrong usage, 3 cannot connect, 4 name
or password refused, 5 access denied, 6 not everything delivered,
130 interrupted with messages unsent.
`,
	noName:      "A name is needed: govor client NAME",
	badArgument: "One argument too many, %q: a name of several words goes into quotes",
	badServer:   "This is not the address of a server: %q; http://, https://, ws://, wss:// or host:port is",
	badRoom:     "This cannot be the name of a room: %q",
	badName:     "Name: 1–32 characters, no leading or trailing spaces or control characters",
	badWordFile: "--password-file: %s",
	emptyLine:   "its first line is empty",
	badColor:    "--color is auto, always or never",
	badHistory:  "--history is 0 to %d",
	badTimeout:  "--timeout is not negative",
	seeHelp:     "Help: govor client --help",

	flagServer:        "`URL` of the server",
	flagName:          "`NAME`, the same as the first argument",
	flagRoom:          "`ROOM` to be in",
	flagWordFile:      "`FILE` with the password on its first line",
	flagHistory:       "begin with the last `N` messages (terminal: 50)",
	flagJSON:          "write messages as lines of JSON",
	flagPlain:         "a message per line, no prompt, no colour",
	flagSimple:        "a prompt > and lines above it, as usual",
	flagColor:         "`WHEN` to colour: auto, always or never",
	flagTimeout:       "give up after `TIME` unconnected (0: never)",
	flagNoHistoryFile: "do not keep what was typed, not even what is unsent",
	flagVersion:       "show the version",
	flagHelp:          "this help",
}
