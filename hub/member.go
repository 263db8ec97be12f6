package hub

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"go.uber.org/zap"

	"govor/hub/protocol"
)

// Proof is how a member proved who it is.
type Proof int

// The proofs there are, the weakest first.
const (
	ByNothing Proof = iota // a guest: nothing but the open connection
	ByToken                // the token of an earlier welcome
	ByLogin                // the login cookie
)

// Member is a person as the hub sees one.
type Member struct {
	ID         protocol.MemberID
	Name       string // as shown
	NameKey    string // as compared
	Generation int64  // of its logins
	Login      string // id of the login that proves it; "" = none, or one without a row
	Claimed    bool   // the name has a password
	holds      bool   // nobody else has taken the name since the member did; set where a proof is read
	Proof      Proof
}

// nameUse is a name that somebody connected has. Guarded by Hub.mu.
type nameUse struct {
	member   protocol.MemberID
	sessions int
}

// refreshAfter is how old a hold of a name may get before it is renewed.
const refreshAfter = 24 * time.Hour

func nameTaken(name string) *protocol.Error {
	return protocol.Errorf(protocol.CodeNameTaken, "the name %s is taken", name)
}

// Refresh holds the name of a logged-in member for longer if the hold is older than a day, and notes that the login was
// used.
func (h *Hub) Refresh(ctx context.Context, m Member) {
	holder, ok, err := h.store.NameHolder(ctx, m.NameKey)
	if err != nil || ok && holder.Member != m.ID && holder.Until.After(h.now()) {
		return // somebody else has it by now, or this can wait for the next page
	}
	if ok && holder.Member == m.ID && holder.Until.After(h.now().Add(protocol.NameHold-refreshAfter)) {
		h.touch(ctx, m)
		return
	}
	if err := h.holdUntil(ctx, m, h.now().Add(protocol.NameHold).UnixMilli()); err != nil {
		h.log.Warn("name not held for longer", zap.Stringer("member_id", m.ID), zap.Error(err))
	}
}

// Logout ends all logins of m, and its sessions.
func (h *Hub) Logout(ctx context.Context, m Member) error {
	_, err := h.appendServer(ctx, m, protocol.KindLogout, nil)
	if err == nil {
		h.log.Info("logged out", zap.Stringer("member_id", m.ID), zap.String("name", m.Name))
	}
	return err
}

// Guest makes a member that is proved by nothing. A name that is taken or reserved gets a suffix, an empty one becomes
// a guest's name; bad_name and banned are the only refusals where everybody may come in. The name is the session's from
// Open to its end.
func (h *Hub) Guest(ctx context.Context, name string) (Member, error) {
	if bad := h.Closed(); bad != nil {
		return Member{}, bad
	}
	return h.guest(ctx, name)
}

func (h *Hub) guest(ctx context.Context, name string) (Member, error) {
	m := Member{ID: protocol.NewMemberID()}
	if name == "" {
		return m, h.randomName(ctx, &m)
	}
	shown, key, bad := protocol.CheckName(name)
	if bad != nil && bad.Code != protocol.CodeNameTaken {
		return m, bad
	}
	if bad == nil {
		if ban := h.store.Ban(m.ID, key, h.now()); ban != nil {
			return m, ban.Refusal(h.now())
		}
		m.Name, m.NameKey = shown, key
		if free, err := h.isFree(ctx, m); err != nil || free {
			return m, err
		}
	} else {
		shown = name
	}
	return m, h.suffixName(ctx, &m, shown)
}

func (h *Hub) randomName(ctx context.Context, m *Member) error {
	for digits := 10_000; ; digits *= 10 {
		shown, key, bad := protocol.CheckName(fmt.Sprintf("guest-%d", digits/10+rand.IntN(digits-digits/10))) //nolint:gosec // a name, not a secret
		if bad != nil {
			return bad
		}
		m.Name, m.NameKey = shown, key
		if free, err := h.isFree(ctx, *m); err != nil || free {
			return err
		}
	}
}

// suggest adds a free name to an error about a name.
func (h *Hub) suggest(ctx context.Context, err error, name string) error {
	e := new(protocol.Error)
	if !errors.As(err, &e) || e.Code != protocol.CodeNameTaken {
		return err
	}
	var m Member
	if h.suffixName(ctx, &m, name) == nil {
		c := *e
		c.Suggestion = m.Name
		return &c
	}
	return e
}

// isFree tells whether m may have its name now: nobody else is connected with it or holds it in the journal, nor with
// one that it could be taken for.
func (h *Hub) isFree(ctx context.Context, m Member) (bool, error) {
	looks := m.looks()
	if h.inUse(looks, m.ID) {
		return false, nil
	}
	free, err := h.store.NameFree(ctx, m.NameKey, looks, m.ID, h.now())
	if err != nil {
		h.log.Warn("name cannot be looked up", zap.Error(err))
		return false, protocol.Errorf(protocol.CodeUnavailable, "names cannot be looked up now")
	}
	return free, nil
}

// looks are what m's name looks like.
func (m Member) looks() protocol.Looks { return protocol.LooksOf(m.Name, m.NameKey) }

// inUse tells whether somebody else than m is connected with a name of these looks.
func (h *Hub) inUse(looks protocol.Looks, m protocol.MemberID) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.inUseLocked(looks, m)
}

func (h *Hub) inUseLocked(looks protocol.Looks, m protocol.MemberID) bool {
	for _, look := range looks {
		if use := h.names[look]; use.sessions > 0 && use.member != m {
			return true
		}
	}
	return false
}

// take claims m's name for one more session, with a suffix if somebody else has it.
func (h *Hub) take(m *Member) error {
	free, err := h.isFree(h.ctx, *m)
	for err == nil && (!free || !h.claim(*m)) {
		err = h.suffixName(h.ctx, m, m.Name)
		free = true
	}
	return err
}

// claim takes the name for one more session of m; false when somebody else has it by now.
func (h *Hub) claim(m Member) bool {
	looks := m.looks()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.inUseLocked(looks, m.ID) {
		return false
	}
	for _, look := range looks {
		if look != "" {
			h.names[look] = nameUse{member: m.ID, sessions: h.names[look].sessions + 1}
		}
	}
	return true
}

// unclaim gives it back.
func (h *Hub) unclaim(m Member) {
	looks := m.looks()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, look := range looks {
		use := h.names[look]
		if look == "" || use.sessions == 0 || use.member != m.ID {
			continue
		}
		if use.sessions--; use.sessions == 0 {
			delete(h.names, look)
		} else {
			h.names[look] = use
		}
	}
}
