package hub

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"govor/hub/hasher"
	"govor/hub/journal"
	"govor/hub/protocol"
)

// Mode is who may come in.
type Mode string

// The modes there are.
const (
	ModeOpen     Mode = "open"     // whoever says a name; "" is the same
	ModePassword Mode = "password" // who knows the server's password, or that of a name
	ModeMembers  Mode = "members"  // who has a name with a password; new ones by an invite link
	ModeProxy    Mode = "proxy"    // whose name a trusted reverse proxy says
)

// door is what stands before the chat.
type door struct {
	mode Mode
	hash string // of the server's password, with ModePassword
	mark string // which password that was: who came in by another one has to log in again
}

func newDoor(mode Mode, password string, s signer, hashing *hasher.Hasher) (door, error) {
	if mode == "" {
		mode = ModeOpen
	}
	d := door{mode: mode}
	if mode != ModePassword {
		return d, nil
	}
	word, bad := protocol.CheckPassword(password)
	if bad != nil {
		return d, fmt.Errorf("the server's password: %s", bad.Message)
	}
	var err error
	if d.hash, err = hashing.Hash(word); err != nil {
		return d, fmt.Errorf("hash the server's password: %w", err)
	}
	d.mark = base64.RawURLEncoding.EncodeToString(s.mac("gate", word)[:9])
	return d, nil
}

// admits tells whether a signed claim still lets its member in.
func (d door) admits(c claims, claimed bool) bool {
	switch d.mode {
	case ModePassword:
		return claimed || c.Mark == d.mark
	case ModeMembers:
		return claimed
	case ModeProxy:
		return false
	default:
		return true
	}
}

// Mode is who may come in.
func (h *Hub) Mode() Mode { return h.door.mode }

// Closed refuses those who prove nothing, unless everybody may come in.
func (h *Hub) Closed() *protocol.Error {
	switch h.door.mode {
	case ModeOpen:
		return nil
	case ModeProxy:
		return protocol.Errorf(protocol.CodeForbidden, "this server takes names from its reverse proxy only")
	default:
		return protocol.Errorf(protocol.CodeNeedPassword, "this server needs a name and a password (HTTP Basic), or a token")
	}
}

// FromProxy is the member whose name a reverse proxy says. The name is held for ever. Errors are *protocol.Error.
func (h *Hub) FromProxy(ctx context.Context, name string) (Member, error) {
	shown, key, bad := protocol.CheckAnyName(name)
	if bad != nil {
		return Member{}, bad
	}
	for range 2 { // two requests of somebody new may come at once
		holder, held, err := h.store.NameHolder(ctx, key)
		if err != nil {
			return Member{}, h.public(err)
		}
		if held && holder.Until.UnixMilli() == protocol.HeldForever {
			if ban := h.store.Ban(holder.Member, key, h.now()); ban != nil {
				return Member{}, ban.Refusal(h.now())
			}
			row, _, err := h.store.Member(ctx, holder.Member)
			m := Member{ID: holder.Member, Name: row.Name, NameKey: row.NameKey, Generation: row.Generation, Claimed: row.Claimed, Proof: ByLogin}
			return m, h.public(err)
		}
		m := Member{ID: protocol.NewMemberID(), Name: shown, NameKey: key}
		if held {
			m.ID = holder.Member
		}
		if err = h.holdUntil(ctx, m, protocol.HeldForever); err != nil {
			if e := asProtocol(err); e.Code != protocol.CodeNameTaken {
				return Member{}, err
			}
		}
	}
	return Member{}, nameTaken(shown)
}

// holdUntil appends the event that keeps m's name until a moment, Unix milliseconds, and notes that its login was used.
func (h *Hub) holdUntil(ctx context.Context, m Member, until int64) error {
	_, err := h.appendEvent(ctx, h.holding(m, until))
	return err
}

func (h *Hub) holding(m Member, until int64) protocol.Event {
	return h.serverEvent(m, protocol.KindMember, protocol.MemberBody{Until: until, Login: m.Login})
}

// serverEvent makes an event of m's in the room $server.
func (h *Hub) serverEvent(m Member, kind protocol.Kind, body any) protocol.Event {
	e := protocol.Event{
		Room: protocol.RoomServer, Kind: kind, V: protocol.Version, ID: protocol.NewID(),
		Member: m.ID, Name: m.Name, NameKey: m.NameKey, At: h.now().UnixMilli(),
	}
	if m.Name != "" {
		e.Looks = m.looks()
	}
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			panic("encode a body: " + err.Error()) // strings, numbers and truth values only
		}
		e.Body = string(b)
	}
	return e
}

// appendServer appends an event of m's in the room $server and waits. The error is a *protocol.Error.
func (h *Hub) appendServer(ctx context.Context, m Member, kind protocol.Kind, body any) (protocol.Receipt, error) {
	return h.appendEvent(ctx, h.serverEvent(m, kind, body))
}

func (h *Hub) appendEvent(ctx context.Context, e protocol.Event) (protocol.Receipt, error) {
	r, err := journal.Wait(ctx, h.journal, e)
	return r, h.public(err)
}
