package hub

import (
	"context"
	"encoding/base64"
	"net/netip"
	"time"

	"go.uber.org/zap"

	"govor/hub/protocol"
)

// Entry is how somebody comes in.
type Entry struct {
	Name     string
	Password string  // "" = none was said
	Label    string  // what the login is called in its owner's list
	How      string  // protocol.LoginByPage, …
	Current  *Member // who a valid cookie that came along proves; nil = nobody

	From netip.Addr   // from where; the zero one if it is not known
	Try  func() error // asked before a password is compared that is not remembered; nil = it may be
}

// Login is SignIn by a page without a password.
func (h *Hub) Login(ctx context.Context, name string, current *Member) (Member, error) {
	return h.SignIn(ctx, Entry{Name: name, How: protocol.LoginByPage, Current: current})
}

// SignIn logs somebody in and holds the name in the journal. Whoever is proved already keeps being the same member and
// changes the name, unless the name has a password; the login that came along ends. The error is a *protocol.Error:
// bad_name, name_taken with a Suggestion, need_password, bad_password, too_fast, forbidden, unavailable.
func (h *Hub) SignIn(ctx context.Context, en Entry) (Member, error) {
	if h.door.mode == ModeProxy {
		return Member{}, h.Closed()
	}
	shown, key, bad := protocol.CheckName(en.Name)
	if bad != nil {
		return Member{}, h.suggest(ctx, bad, en.Name)
	}
	m := Member{ID: protocol.NewMemberID(), Name: shown, NameKey: key, Proof: ByLogin}
	holder, held, err := h.store.NameHolder(ctx, key)
	if err != nil {
		return Member{}, h.public(err)
	}
	held = held && holder.Until.After(h.now())
	switch {
	case en.Current != nil && held && holder.Member == en.Current.ID:
		m.ID, m.Generation, m.Claimed = en.Current.ID, en.Current.Generation, en.Current.Claimed
		return h.logIn(ctx, m, en, protocol.LoginBody{})
	case held && holder.Hash != "":
		if err := h.prove(ctx, key, holder.Hash, en); err != nil {
			return Member{}, err
		}
		row, _, err := h.store.Member(ctx, holder.Member)
		if err != nil {
			return Member{}, h.public(err)
		}
		m.ID, m.Generation, m.Claimed = holder.Member, row.Generation, true
		return h.logIn(ctx, m, en, protocol.LoginBody{})
	}
	if err := h.prove(ctx, key, "", en); err != nil {
		return Member{}, err
	}
	if en.Current != nil && !en.Current.Claimed {
		if bad := h.checkRename(en.Current.ID, en.Current.NameKey != key); bad != nil {
			return Member{}, bad
		}
		m.ID, m.Generation = en.Current.ID, en.Current.Generation
	}
	if ban := h.store.Ban(m.ID, key, h.now()); ban != nil {
		return Member{}, ban.Refusal(h.now())
	}
	free, err := h.isFree(ctx, m)
	if err != nil {
		return Member{}, err
	}
	if !free {
		return Member{}, h.suggest(ctx, nameTaken(shown), shown)
	}
	return h.logIn(ctx, m, en, protocol.LoginBody{})
}

// prove asks for the password that the name or the server wants. hash is that of the name, "" if it has none. A password
// for a name that has none is wrong, too, and that takes as long to find out.
func (h *Hub) prove(ctx context.Context, key, hash string, en Entry) error {
	if en.Password == "" {
		if h.door.mode == ModeOpen && hash == "" {
			return nil
		}
		return protocol.Errorf(protocol.CodeNeedPassword, "a password is needed")
	}
	if hash == "" {
		hash = h.door.hash // "" unless the server has one
	}
	ok, err := h.passwords.check(ctx, key, hash, en, h.now())
	if err != nil {
		h.metrics.passwords.WithLabelValues("refused").Inc()
		return h.public(err)
	}
	if !ok {
		h.metrics.passwords.WithLabelValues("wrong").Inc()
		return protocol.Errorf(protocol.CodeBadPassword, "the name or the password is wrong")
	}
	h.metrics.passwords.WithLabelValues("right").Inc()
	return nil
}

// logIn appends the login of a member that is proved and ends the one that came along.
func (h *Hub) logIn(ctx context.Context, m Member, en Entry, body protocol.LoginBody) (Member, error) {
	if ban := h.store.Ban(m.ID, m.NameKey, h.now()); ban != nil {
		return Member{}, ban.Refusal(h.now())
	}
	m.Login = protocol.NewMemberID().String()
	if en.How == protocol.LoginByWord { // the same program is the same login
		m.Login = h.wordLogin(m.ID, en.Label)
	}
	body.Login, body.How, body.Label = m.Login, en.How, protocol.CheckLabel(en.Label)
	body.Until = h.now().Add(protocol.NameHold).UnixMilli()
	if en.Current != nil && en.Current.ID == m.ID {
		body.Replaces = en.Current.Login
	}
	if _, err := h.appendServer(ctx, m, protocol.KindLogin, body); err != nil {
		return Member{}, h.suggest(ctx, err, m.Name)
	}
	m.Claimed, m.holds = m.Claimed || body.Hash != "", true
	if en.Current != nil && en.Current.ID != m.ID {
		if err := h.EndLogin(ctx, *en.Current, en.Current.Login); err != nil {
			h.log.Warn("the login before this one was not ended", zap.Stringer("member_id", en.Current.ID), zap.Error(err))
		}
	}
	h.log.Info("logged in", zap.Stringer("member_id", m.ID), zap.String("name", m.Name), zap.String("how", en.How))
	return m, nil
}

// wordLogin is the id of the login of a program that sends name and password each time.
func (h *Hub) wordLogin(m protocol.MemberID, label string) string {
	return base64.RawURLEncoding.EncodeToString(h.signer.mac("word", m.String()+"\x00"+label)[:16])
}

// Word is who a program is that sends name and password (RFC 7617). Whoever is not logged in by it yet becomes so,
// once: connecting again writes nothing. A guest who knows the server's password has no login. Errors are those of SignIn.
func (h *Hub) Word(ctx context.Context, en Entry) (Member, error) {
	shown, key, bad := protocol.CheckName(en.Name)
	if bad != nil {
		return Member{}, bad
	}
	if en.Password == "" { // said, and empty: nobody's
		return Member{}, protocol.Errorf(protocol.CodeNeedPassword, "a password is needed")
	}
	if h.door.mode == ModeProxy {
		return Member{}, h.Closed()
	}
	holder, held, err := h.store.NameHolder(ctx, key)
	if err != nil {
		return Member{}, h.public(err)
	}
	if !held || holder.Hash == "" || !holder.Until.After(h.now()) {
		if err := h.prove(ctx, key, "", en); err != nil {
			return Member{}, err
		}
		return h.guest(ctx, en.Name)
	}
	if err := h.prove(ctx, key, holder.Hash, en); err != nil {
		return Member{}, err
	}
	label := protocol.CheckLabel(en.Label)
	row, good, _, err := h.store.Prove(ctx, holder.Member, h.wordLogin(holder.Member, label))
	if err != nil {
		return Member{}, h.public(err)
	}
	m := Member{ID: holder.Member, Name: shown, NameKey: key, Generation: row.Generation, Claimed: true, Login: h.wordLogin(holder.Member, label)}
	if !good {
		if m, err = h.logIn(ctx, m, Entry{Label: label, How: protocol.LoginByWord}, protocol.LoginBody{}); err != nil {
			return Member{}, err
		}
	}
	m.Name, m.Proof = row.Name, ByToken
	return m, nil
}

// EndLogin ends one login of m, and its sessions. With the last one a name without a password is free again.
func (h *Hub) EndLogin(ctx context.Context, m Member, login string) error {
	if login == "" {
		return h.Logout(ctx, m)
	}
	if _, err := h.appendServer(ctx, m, protocol.KindRevoke, protocol.RevokeBody{Login: login}); err != nil {
		return err
	}
	h.log.Info("login ended", zap.Stringer("member_id", m.ID), zap.String("name", m.Name))
	return nil
}

// touchAfter is how old the last use of a login may get before it is noted again.
const touchAfter = 24 * time.Hour

// touch notes that the login was used, about once a day, and holds the name for longer. It does not wait.
func (h *Hub) touch(ctx context.Context, m Member) {
	if m.Login == "" {
		return
	}
	seen, ok, err := h.store.Seen(ctx, m.Login)
	if err != nil || !ok || h.now().Sub(seen) < touchAfter {
		return
	}
	h.journal.Append(h.holding(m, h.now().Add(protocol.NameHold).UnixMilli()), func(_ protocol.Receipt, err error) {
		if err != nil {
			h.log.Warn("use of a login not noted", zap.Stringer("member_id", m.ID), zap.Error(err))
		}
	})
}
