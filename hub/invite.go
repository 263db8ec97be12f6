package hub

import (
	"context"
	"time"

	"go.uber.org/zap"

	"govor/hub/protocol"
	"govor/hub/store"
)

// Bounds of an invite link.
const (
	MaxInviteAge  = 366 * 24 * time.Hour
	MaxInviteUses = 10_000
)

// Invite makes a link by which new members come, and returns what its address ends with. by is who makes it, the zero
// member whoever runs the server.
func (h *Hub) Invite(ctx context.Context, by Member, label string, age time.Duration, uses int) (string, error) {
	if age < time.Minute || age > MaxInviteAge || uses < 1 || uses > MaxInviteUses {
		return "", protocol.Errorf(protocol.CodeBadInvite, "an invite is good for a minute to %d days and 1 to %d people", MaxInviteAge/24/time.Hour, MaxInviteUses)
	}
	until := h.now().Add(age)
	body := protocol.InviteBody{Invite: protocol.NewMemberID().String(), Label: protocol.CheckLabel(label), Until: until.UnixMilli(), Uses: int64(uses)}
	if _, err := h.appendServer(ctx, by, protocol.KindInvite, body); err != nil {
		return "", err
	}
	h.log.Info("invite made", zap.Stringer("member_id", by.ID), zap.String("invite", body.Invite), zap.Time("until", until), zap.Int("uses", uses))
	return h.signer.sign(purposeInvite, claims{Nonce: body.Invite, Expires: until.Unix()}), nil
}

// EndInvite makes an invite link good for nobody. id is that of the list.
func (h *Hub) EndInvite(ctx context.Context, by Member, id string) error {
	if _, err := h.appendServer(ctx, by, protocol.KindInvite, protocol.InviteBody{Invite: id, Revoked: true}); err != nil {
		return err
	}
	h.log.Info("invite revoked", zap.Stringer("member_id", by.ID), zap.String("invite", id))
	return nil
}

// Invites lists the invite links, the newest first.
func (h *Hub) Invites(ctx context.Context) ([]store.Invite, error) {
	list, err := h.store.Invites(ctx)
	return list, h.public(err)
}

// CheckInvite tells whether a link is still good. The error is a *protocol.Error.
func (h *Hub) CheckInvite(ctx context.Context, link string) (id string, err error) {
	c, err := h.signer.verify(purposeInvite, link)
	if err != nil || h.now().Unix() >= c.Expires {
		return "", errBadLink()
	}
	i, ok, err := h.store.Invite(ctx, c.Nonce)
	if err != nil {
		return "", h.public(err)
	}
	if !ok || i.Uses == 0 || !i.Until.After(h.now()) {
		return "", errBadLink()
	}
	return i.ID, nil
}

// Accept makes a new member by an invite link: the name is free and gets the password. Errors are *protocol.Error.
func (h *Hub) Accept(ctx context.Context, link string, en Entry) (Member, error) {
	if h.door.mode == ModeProxy {
		return Member{}, h.Closed()
	}
	id, err := h.CheckInvite(ctx, link)
	if err != nil {
		return Member{}, err
	}
	return h.newcomer(ctx, en, protocol.LoginBody{Invite: id})
}

// newcomer makes a new member, whose name is free and gets the password, and logs it in.
func (h *Hub) newcomer(ctx context.Context, en Entry, body protocol.LoginBody) (Member, error) {
	shown, key, bad := protocol.CheckName(en.Name)
	if bad != nil {
		return Member{}, h.suggest(ctx, bad, en.Name)
	}
	word, bad := protocol.CheckPassword(en.Password)
	if bad != nil {
		return Member{}, bad
	}
	m := Member{ID: protocol.NewMemberID(), Name: shown, NameKey: key, Proof: ByLogin}
	free, err := h.isFree(ctx, m)
	if err != nil {
		return Member{}, err
	}
	if !free {
		return Member{}, h.suggest(ctx, nameTaken(shown), shown)
	}
	if body.Hash, err = h.passwords.hash(ctx, word); err != nil {
		return Member{}, h.public(err)
	}
	return h.logIn(ctx, m, en, body)
}

// AdminToken signs what lets a command of whoever has the data directory give orders to its server, for a moment.
func AdminToken(secret []byte, now time.Time) string {
	return newSigner(secret).sign(purposeAdmin, claims{Expires: now.Add(adminAge).Unix()})
}

// adminAge is how long a command may take.
const adminAge = time.Minute

// IsAdmin tells whether a token is one of AdminToken.
func (h *Hub) IsAdmin(token string) bool {
	c, err := h.signer.verify(purposeAdmin, token)
	return err == nil && h.now().Unix() < c.Expires
}
