package protocol

import (
	"strconv"
	"strings"
)

// Help asks what can be typed in plain text; a Usage answers.
type Help struct{}

// Go leaves the room for another one, "" for the lobby; a Moved answers. It is for clients that are in one room at a time.
type Go struct {
	Room string
}

// Usage says what can be typed in plain text.
type Usage struct{}

// Moved says in which room one is now.
type Moved struct {
	Room string
}

func (Help) command() {}
func (Go) command()   {}
func (Usage) frame()  {}
func (Moved) frame()  {}

// usage is what plain text says of itself.
var usage = []string{
	"a line is a message; a space before it makes a message of what would be a command",
	"/me ACTION: you do something",
	"/nick NAME: another name",
	"/who: who is here",
	"/join ROOM: go to another room",
	"/leave: back to the lobby",
	"/help: this",
	"hosts: /kick /mute /unmute /ban /unban /close /open /slow /mod /unmod /owner",
}

// parseLine reads a line of plain text that is a command of everybody; ok is false for all others. /me is a message.
func parseLine(line string) (c Command, ok bool, bad *Error) {
	word, rest := cutCommand(line)
	needs := func(what string) (Command, bool, *Error) {
		return nil, true, Errorf(CodeBadCommand, "the command is: %s %s", word, what)
	}
	switch word {
	case "/help":
		return Help{}, true, nil
	case "/who":
		return Who{}, true, nil
	case "/leave":
		return Go{}, true, nil
	case "/nick":
		if rest == "" {
			return needs("NAME")
		}
		return Nick{Name: rest}, true, nil
	case "/join":
		if rest == "" {
			return needs("ROOM")
		}
		return Go{Room: strings.TrimPrefix(rest, "#")}, true, nil
	}
	return nil, false, nil
}

// appendHere writes who is in a room.
func appendHere(dst []byte, p People) []byte {
	dst = append(dst, "* here: "...)
	for i, person := range p.People {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = append(dst, person.Name...)
	}
	if more := p.Online - len(p.People); more > 0 {
		dst = append(append(append(dst, " and "...), strconv.Itoa(more)...), " more"...)
	}
	return dst
}
