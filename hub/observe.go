package hub

import (
	"encoding/json"

	"govor/hub/protocol"
)

// observe does what an event of the room $server asks of those who are connected.
func (h *Hub) observe(e *protocol.Event) {
	if e.Kind.IsAct() {
		h.observeAct(e)
		return
	}
	ended := func(Member) bool { return true }
	switch e.Kind {
	case protocol.KindMember:
		h.renamed(e)
		return
	case protocol.KindLogout:
	case protocol.KindRevoke:
		var body protocol.RevokeBody
		if json.Unmarshal([]byte(e.Body), &body) != nil {
			return
		}
		ended = func(m Member) bool { return m.Login == body.Login }
	case protocol.KindPassword:
		var body protocol.PasswordBody
		if json.Unmarshal([]byte(e.Body), &body) != nil {
			return
		}
		ended = func(m Member) bool { return m.Login == "" || m.Login != body.Keep }
	case protocol.KindLogin:
		h.renamed(e) // before those who are replaced leave: the room knows them by the new name
		var body protocol.LoginBody
		if json.Unmarshal([]byte(e.Body), &body) != nil || body.Replaces == "" {
			return
		}
		ended = func(m Member) bool { return m.Login == body.Replaces }
	default:
		return
	}
	for _, s := range h.sessionsOf(e.Member) {
		if ended(s.member()) {
			s.expel(protocol.CloseGoingAway, reasonLoggedOut)
		}
	}
}
