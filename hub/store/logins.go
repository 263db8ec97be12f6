package store

import (
	"encoding/json"
	"errors"

	"govor/hub/protocol"
)

// login handles KindLogin: the member logs in on a device and holds its name, as long as there is a password for ever.
func (t *transaction) login(res *Result, m member, known bool) (*protocol.Error, error) {
	e := &res.Event
	var body protocol.LoginBody
	err := json.Unmarshal([]byte(e.Body), &body)
	switch {
	case e.V < 1 || e.Room != protocol.RoomServer || e.Member.IsZero():
		return badEvent("a login is a member's event of version 1 in " + protocol.RoomServer), nil
	case err != nil || e.Name == "" || e.NameKey == "" || body.Login == "":
		return badEvent("the event logs nobody in"), nil
	}
	if taken, err := t.taken(e, m); err != nil || taken != nil {
		return taken, err
	}
	if body.Invite != "" {
		if refusal, err := t.useInvite(body.Invite, e.At); err != nil || refusal != nil {
			return refusal, err
		}
	}
	if m, err = t.ensure(e, m, known); err != nil {
		return nil, err
	}
	if m.name != e.Name || m.key != e.NameKey {
		if err := t.rename(e, m); err != nil {
			return nil, err
		}
		m = t.members[e.Member]
	}
	if t.hash != "" {
		if err := t.setHash(e.Member, &m, t.hash); err != nil {
			return nil, err
		}
	}
	if m.claimed {
		body.Until = protocol.HeldForever
	}
	if err := t.hold(e, m, body.Until); err != nil {
		return nil, err
	}
	if err := t.addOneLogin(e, m, body); err != nil {
		return nil, err
	}
	return nil, t.storeServer(res, m)
}

func (t *transaction) addOneLogin(e *protocol.Event, m member, body protocol.LoginBody) error {
	if body.Replaces != "" {
		if err := t.endLogin(body.Replaces, m); err != nil {
			return err
		}
	}
	t.addLogin.BindText(1, body.Login)
	t.addLogin.BindInt64(2, m.num)
	t.addLogin.BindText(3, body.How)
	t.addLogin.BindText(4, body.Label)
	t.addLogin.BindInt64(5, e.At)
	t.addLogin.BindInt64(6, e.At)
	if err := run(t.addLogin); err != nil {
		return err
	}
	t.proven = append(t.proven, m.num)
	t.oldLogins.BindInt64(1, m.num)
	t.oldLogins.BindInt64(2, protocol.MaxLogins)
	return run(t.oldLogins)
}

// endLogin ends one login of m, if it is one of m's.
func (t *transaction) endLogin(id string, m member) error {
	t.proven = append(t.proven, m.num)
	t.dropLogin.BindText(1, id)
	t.dropLogin.BindInt64(2, m.num)
	return run(t.dropLogin)
}

// endLogins ends all logins of m but one, and what was proved by its generation.
func (t *transaction) endLogins(id protocol.MemberID, m *member, keep string) error {
	t.proven = append(t.proven, m.num)
	t.endOld.BindInt64(1, m.num)
	if err := run(t.endOld); err != nil {
		return err
	}
	m.generation++
	t.members[id] = *m
	t.dropLogins.BindInt64(1, m.num)
	t.dropLogins.BindText(2, keep)
	return run(t.dropLogins)
}

// revoke handles KindRevoke: one login ends. With its last login a name without a password is free again.
func (t *transaction) revoke(res *Result, m member, known bool) (*protocol.Error, error) {
	e := &res.Event
	var body protocol.RevokeBody
	err := json.Unmarshal([]byte(e.Body), &body)
	if e.V < 1 || e.Room != protocol.RoomServer || !known || err != nil || body.Login == "" {
		return badEvent("the event ends no login"), nil
	}
	if err := t.endLogin(body.Login, m); err != nil {
		return nil, err
	}
	left, err := t.countLogins(m)
	if err != nil {
		return nil, err
	}
	if left == 0 && !m.claimed {
		if err := errors.Join(t.endLogins(e.Member, &m, ""), t.letGo(m)); err != nil {
			return nil, err
		}
	}
	return nil, t.storeServer(res, m)
}

func (t *transaction) countLogins(m member) (int64, error) {
	t.findLogins.BindInt64(1, m.num)
	if _, err := t.findLogins.Step(); err != nil {
		return 0, err
	}
	n := t.findLogins.ColumnInt64(0)
	return n, t.findLogins.Reset()
}

// password handles KindPassword: the member's name gets a password, another one, or none. Who had got in with the old one
// is out.
func (t *transaction) password(res *Result, m member, known bool) (*protocol.Error, error) {
	e := &res.Event
	var body protocol.PasswordBody
	err := json.Unmarshal([]byte(e.Body), &body)
	switch {
	case e.V < 1 || e.Room != protocol.RoomServer || e.Member.IsZero() || err != nil || body.Set != (t.hash != ""):
		return badEvent("the event sets no password"), nil
	case !known:
		return protocol.Errorf(protocol.CodeBadToken, "this member holds no name"), nil
	}
	num, err := t.holder(m.key, e.At)
	if err != nil {
		return nil, err
	}
	if num != m.num {
		return protocol.Errorf(protocol.CodeNameTaken, "the name %s is no longer held by this member; log in again", m.name), nil
	}
	if err := errors.Join(t.setHash(e.Member, &m, t.hash), t.endLogins(e.Member, &m, body.Keep)); err != nil {
		return nil, err
	}
	until := body.Until
	if m.claimed {
		until = protocol.HeldForever
	}
	t.setUntil.BindInt64(1, until)
	t.setUntil.BindInt64(2, m.num)
	if err := run(t.setUntil); err != nil {
		return nil, err
	}
	return nil, t.storeServer(res, m)
}

func (t *transaction) setHash(id protocol.MemberID, m *member, hash string) error {
	t.proven = append(t.proven, m.num)
	t.setPassword.BindText(1, hash)
	t.setPassword.BindInt64(2, m.num)
	m.claimed = hash != ""
	t.members[id] = *m
	return run(t.setPassword)
}

// seen notes that a login was used, for the list of logins.
func (t *transaction) seen(login string, m member, at int64) error {
	if login == "" {
		return nil
	}
	t.setSeen.BindInt64(1, at)
	t.setSeen.BindText(2, login)
	t.setSeen.BindInt64(3, m.num)
	return run(t.setSeen)
}
