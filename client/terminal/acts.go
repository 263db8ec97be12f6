package terminal

import (
	"fmt"
	"strings"
	"time"

	"govor/hub/protocol"
)

// act does what a host types: the server does it, or says why not. It is for a person only, as all that is not said to the
// room. It tells whether the text was a command of hosts.
func (c *client) act(text string) bool {
	_, ok, bad := protocol.ParseAct(text)
	if !ok || !c.patient {
		return false
	}
	switch {
	case bad != nil:
		c.face.notice(failure, c.words.errorText(bad))
	case c.link == nil || !c.room.taking:
		c.face.notice(failure, c.words.offline)
	default:
		if c.acting == nil {
			c.acting = make(map[string]bool)
		}
		id := protocol.NewID()
		c.acting[id] = true
		c.command("act", map[string]string{"id": id, "room": c.opts.room, "line": text})
	}
	return true
}

// acted takes the answer to an act, and tells whether it was one; e is nil for a receipt.
func (c *client) acted(id string, e *protocol.Error) bool {
	if !c.acting[id] {
		return false
	}
	delete(c.acting, id)
	if e != nil {
		c.face.notice(failure, c.words.errorText(e))
	}
	return true
}

// told shows what a host did, to this member or in this room.
func (c *client) told(n *protocol.Notice) {
	if !n.You && n.Room != "" && n.Room != c.opts.room {
		return
	}
	kind := aside
	if n.You {
		kind = warning
	}
	c.face.notice(kind, c.words.told(n))
}

// toldInEnglish is the line of plain text, which a face begins with its own mark.
func toldInEnglish(n *protocol.Notice) string {
	return strings.TrimPrefix(string(protocol.Text{}.Append(nil, n)), "* ")
}

// toldInRussian says the same.
func toldInRussian(n *protocol.Notice) string {
	by, whom, you := n.By, "участнику "+protocol.CleanText(n.Name), "участника "+protocol.CleanText(n.Name)
	if by == "" {
		by = "сервер"
	}
	switch {
	case n.You:
		whom, you = "вам", "вас"
	case n.Name == "":
		whom, you = "с адресов", "адреса"
	}
	text := map[protocol.Action]string{
		protocol.ActionKick: "отключает " + you + " от чата", protocol.ActionMute: "запрещает " + whom + " писать",
		protocol.ActionUnmute: "снова разрешает " + whom + " писать", protocol.ActionBan: "закрывает доступ " + whom,
		protocol.ActionUnban: "возвращает доступ " + whom, protocol.ActionClose: "закрывает комнату: пишут только ведущие",
		protocol.ActionOpen: "открывает комнату для всех", protocol.ActionDelete: "удаляет сообщение",
	}[n.Action]
	switch {
	case n.Action == protocol.ActionDelete && n.You:
		text = "удаляет ваше сообщение"
	case n.Action == protocol.ActionRole && n.Role == protocol.RoleNone:
		text = "снимает роль с " + you
	case n.Action == protocol.ActionRole:
		text = "делает " + you + map[protocol.Role]string{protocol.RoleOwner: " владельцем", protocol.RoleModerator: " ведущим"}[n.Role]
	case n.Action == protocol.ActionSlow && n.Slow == 0:
		text = "выключает медленный режим"
	case n.Action == protocol.ActionSlow:
		text = "включает медленный режим: одно сообщение в " + protocol.Span(n.Slow)
	}
	text = protocol.CleanText(by) + " " + text
	if d := n.For(); d > 0 {
		text += " на " + protocol.Span(d.Round(time.Second))
	}
	if n.Why != "" {
		text += fmt.Sprintf(": %s", protocol.CleanText(n.Why))
	}
	return text
}
