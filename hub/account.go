package hub

import (
	"context"
	"time"

	"go.uber.org/zap"

	"govor/hub/protocol"
	"govor/hub/store"
)

// linkAge is how long a link signs somebody in on another device.
const linkAge = 5 * time.Minute

// SetPassword gives the name of m a password, or another one if old is right, and ends all other logins. It returns m
// with what its cookie has to say from now on. The error is a *protocol.Error: bad_password, too_fast, name_taken when
// the hold of the name has ended meanwhile, unavailable.
func (h *Hub) SetPassword(ctx context.Context, m Member, old, password string) (Member, error) {
	word, bad := protocol.CheckPassword(password)
	if bad != nil {
		return m, bad
	}
	if err := h.knows(ctx, m, old); err != nil {
		return m, err
	}
	hash, err := h.passwords.hash(ctx, word)
	if err != nil {
		return m, h.public(err)
	}
	return h.changePassword(ctx, m, protocol.PasswordBody{Set: true, Keep: m.Login, Hash: hash})
}

// RemovePassword makes the name of m one that is held for a while only, if old is right. Returns and errors are those of
// SetPassword, and forbidden where every name has a password.
func (h *Hub) RemovePassword(ctx context.Context, m Member, old string) (Member, error) {
	if h.door.mode == ModeMembers { // nobody without a password comes in
		return m, protocol.Errorf(protocol.CodeForbidden, "on this server every name has a password; it can be changed")
	}
	if err := h.knows(ctx, m, old); err != nil {
		return m, err
	}
	until := h.now().Add(protocol.NameHold).UnixMilli()
	return h.changePassword(ctx, m, protocol.PasswordBody{Keep: m.Login, Until: until})
}

func (h *Hub) changePassword(ctx context.Context, m Member, body protocol.PasswordBody) (Member, error) {
	if _, err := h.appendServer(ctx, m, protocol.KindPassword, body); err != nil {
		return m, err
	}
	row, _, err := h.store.Member(ctx, m.ID)
	if err != nil {
		return m, h.public(err)
	}
	m.Generation, m.Claimed = row.Generation, row.Claimed
	h.log.Info("password changed", zap.Stringer("member_id", m.ID), zap.String("name", m.Name), zap.Bool("set", body.Set))
	return m, nil
}

// knows tells whether password is the one that m's name has; without one everything is.
func (h *Hub) knows(ctx context.Context, m Member, password string) error {
	holder, held, err := h.store.NameHolder(ctx, m.NameKey)
	if err != nil {
		return h.public(err)
	}
	if !held || holder.Member != m.ID || holder.Hash == "" {
		return nil
	}
	return h.prove(ctx, m.NameKey, holder.Hash, Entry{Password: password})
}

// LoginInfo is one login as its owner sees it.
type LoginInfo struct {
	store.Login
	Current bool // the one that asks
	Online  bool // it has a connection now
}

// Logins lists where m is logged in, the last one used first.
func (h *Hub) Logins(ctx context.Context, m Member) ([]LoginInfo, error) {
	list, err := h.store.Logins(ctx, m.ID)
	if err != nil {
		return nil, h.public(err)
	}
	online := map[string]bool{}
	for _, s := range h.sessionsOf(m.ID) {
		online[s.member().Login] = true
	}
	infos := make([]LoginInfo, len(list))
	for i, l := range list {
		infos[i] = LoginInfo{Login: l, Current: l.ID == m.Login, Online: online[l.ID]}
	}
	return infos, nil
}

// NewToken makes a login for a program and returns the token that proves it. Only a name with a password has tokens.
func (h *Hub) NewToken(ctx context.Context, m Member, label string) (string, error) {
	if !m.Claimed {
		return "", protocol.Errorf(protocol.CodeForbidden, "only a name with a password has tokens")
	}
	if label = protocol.CheckLabel(label); label == "" {
		return "", protocol.Errorf(protocol.CodeEmpty, "a token needs a name")
	}
	t, err := h.logIn(ctx, m, Entry{Label: label, How: protocol.LoginByToken}, protocol.LoginBody{})
	if err != nil {
		return "", err
	}
	return h.issue(purposeToken, t), nil
}

// Link makes what signs m in on another device, once, and says until when.
func (h *Hub) Link(m Member) (link string, until time.Time) {
	until = h.now().Add(linkAge)
	c := h.claims(m)
	c.Nonce, c.Expires = protocol.NewID(), until.Unix()
	return h.signer.sign(purposeLink, c), until
}

// LinkOwner is who a link signs in, for a page that asks first. The error is a *protocol.Error.
func (h *Hub) LinkOwner(ctx context.Context, link string) (Member, error) {
	m, _, err := h.readLink(ctx, link)
	return m, err
}

func (h *Hub) readLink(ctx context.Context, link string) (Member, claims, error) {
	m, c, known, err := h.decode(ctx, purposeLink, link)
	if err != nil && asProtocol(err).Code != protocol.CodeBadToken {
		return m, c, err
	}
	if err != nil || !known || h.now().Unix() >= c.Expires {
		return m, c, errBadLink()
	}
	return m, c, nil
}

// UseLink logs in by a link, which then is used up: its id is that of the event, and an event happens once.
func (h *Hub) UseLink(ctx context.Context, link string, en Entry) (Member, error) {
	m, c, err := h.readLink(ctx, link)
	if err != nil {
		return m, err
	}
	m.Login, m.Proof = protocol.NewMemberID().String(), ByLogin
	body := protocol.LoginBody{
		Login: m.Login, How: protocol.LoginByPage, Label: protocol.CheckLabel(en.Label), Until: h.now().Add(protocol.NameHold).UnixMilli(),
	}
	if en.Current != nil && en.Current.ID == m.ID {
		body.Replaces = en.Current.Login
	}
	e := h.serverEvent(m, protocol.KindLogin, body)
	e.ID = c.Nonce
	r, err := h.appendEvent(ctx, e)
	if r.Duplicate || err != nil && asProtocol(err).Code == protocol.CodeIDReused {
		return Member{}, errBadLink()
	}
	if err != nil {
		return Member{}, err
	}
	if en.Current != nil && en.Current.ID != m.ID {
		if err := h.EndLogin(ctx, *en.Current, en.Current.Login); err != nil {
			h.log.Warn("the login before this one was not ended", zap.Stringer("member_id", en.Current.ID), zap.Error(err))
		}
	}
	h.log.Info("logged in", zap.Stringer("member_id", m.ID), zap.String("name", m.Name), zap.String("how", "link"))
	return m, nil
}

func errBadLink() *protocol.Error {
	return protocol.Errorf(protocol.CodeBadInvite, "this link was used, has expired or was revoked")
}
