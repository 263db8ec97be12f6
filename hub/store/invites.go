package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"zombiezen.com/go/sqlite"

	"govor/hub/protocol"
)

// Invite is an invite link as it is listed. Its id proves nothing: the link is signed.
type Invite struct {
	ID    string
	Label string
	Made  time.Time
	Until time.Time
	Uses  int64 // how often it may still be used; 0 when it was revoked
	Used  int64
}

// Invites lists the invite links, the newest first.
func (s *Store) Invites(ctx context.Context) (list []Invite, err error) {
	const query = "SELECT id, label, made, until, uses, used FROM invites ORDER BY made DESC, id LIMIT 1000"
	err = s.readers.do(ctx, query, func(stmt *sqlite.Stmt) error {
		for {
			more, err := stmt.Step()
			if err != nil || !more {
				return err
			}
			list = append(list, Invite{
				ID: stmt.ColumnText(0), Label: stmt.ColumnText(1), Made: time.UnixMilli(stmt.ColumnInt64(2)).UTC(),
				Until: time.UnixMilli(stmt.ColumnInt64(3)).UTC(), Uses: stmt.ColumnInt64(4), Used: stmt.ColumnInt64(5),
			})
		}
	})
	if err != nil {
		return nil, fmt.Errorf("read the invites: %w", err)
	}
	return list, nil
}

// Invite looks one up.
func (s *Store) Invite(ctx context.Context, id string) (i Invite, ok bool, err error) {
	err = s.readers.do(ctx, "SELECT until, uses FROM invites WHERE id = +?", func(stmt *sqlite.Stmt) error {
		stmt.BindText(1, id)
		var err error
		if ok, err = stmt.Step(); ok {
			i = Invite{ID: id, Until: time.UnixMilli(stmt.ColumnInt64(0)).UTC(), Uses: stmt.ColumnInt64(1)}
		}
		return err
	})
	if err != nil {
		return Invite{}, false, fmt.Errorf("read an invite: %w", err)
	}
	return i, ok, nil
}

// invite handles KindInvite: a link is made, or may not be used any more.
func (t *transaction) invite(res *Result, m member, known bool) (*protocol.Error, error) {
	e := &res.Event
	var body protocol.InviteBody
	err := json.Unmarshal([]byte(e.Body), &body)
	if e.V < 1 || e.Room != protocol.RoomServer || err != nil || body.Invite == "" {
		return badEvent("the event makes no invite"), nil
	}
	if !e.Member.IsZero() && !t.powers.roles[e.Member].IsHost() { // nobody's is of who runs the server
		return protocol.Errorf(protocol.CodeForbidden, "only hosts may invite"), nil
	}
	if m, err = t.ensure(e, m, known); err != nil {
		return nil, err
	}
	if body.Revoked {
		t.endInvite.BindText(1, body.Invite)
		if err := run(t.endInvite); err != nil {
			return nil, err
		}
		if t.conn.Changes() == 0 {
			return protocol.Errorf(protocol.CodeBadInvite, "there is no invite %s", body.Invite), nil
		}
		return nil, t.storeServer(res, m)
	}
	t.addInvite.BindText(1, body.Invite)
	t.addInvite.BindInt64(2, m.num)
	t.addInvite.BindText(3, body.Label)
	t.addInvite.BindInt64(4, e.At)
	t.addInvite.BindInt64(5, body.Until)
	t.addInvite.BindInt64(6, body.Uses)
	if err := run(t.addInvite); err != nil {
		return nil, err
	}
	return nil, t.storeServer(res, m)
}

// useInvite counts one use of a link, if there is one left at a moment.
func (t *transaction) useInvite(id string, at int64) (*protocol.Error, error) {
	t.spendInvite.BindText(1, id)
	t.spendInvite.BindInt64(2, at)
	if err := run(t.spendInvite); err != nil {
		return nil, err
	}
	if t.conn.Changes() == 0 {
		return protocol.Errorf(protocol.CodeBadInvite, "this invite is used up, has expired or was revoked"), nil
	}
	return nil, nil
}

// statements of logins and invites, made by newWriter.
type loginStatements struct {
	setPassword, setUntil, setSeen                         *sqlite.Stmt
	addLogin, dropLogin, dropLogins, oldLogins, findLogins *sqlite.Stmt
	addInvite, endInvite, spendInvite                      *sqlite.Stmt
}

func (l *loginStatements) prepare(conn *sqlite.Conn) error {
	var errs []error
	for _, p := range []struct {
		stmt **sqlite.Stmt
		sql  string
	}{
		{&l.setPassword, "UPDATE members SET password = ? WHERE num = ?"},
		{&l.setUntil, "UPDATE names SET until = ? WHERE member = ?"},
		{&l.setSeen, "UPDATE logins SET seen = max(seen, ?) WHERE id = ? AND member = ?"},
		{&l.addLogin, "INSERT INTO logins (id, member, how, label, made, seen) VALUES (?, ?, ?, ?, ?, ?)" +
			" ON CONFLICT (id) DO UPDATE SET seen = max(seen, excluded.seen)"},
		{&l.dropLogin, "DELETE FROM logins WHERE id = ? AND member = ?"},
		{&l.dropLogins, "DELETE FROM logins WHERE member = ? AND id <> ?"},
		{&l.oldLogins, "DELETE FROM logins WHERE id IN (SELECT id FROM logins WHERE member = ? ORDER BY seen DESC, id DESC LIMIT -1 OFFSET ?)"},
		{&l.findLogins, "SELECT count(*) FROM logins WHERE member = ?"},
		{&l.addInvite, "INSERT INTO invites (id, member, label, made, until, uses, used) VALUES (?, ?, ?, ?, ?, ?, 0)"},
		{&l.endInvite, "UPDATE invites SET uses = 0 WHERE id = ?"},
		{&l.spendInvite, "UPDATE invites SET uses = uses - 1, used = used + 1 WHERE id = ? AND uses > 0 AND until > ?"},
	} {
		stmt, err := conn.Prepare(p.sql)
		errs = append(errs, err)
		*p.stmt = stmt
	}
	return errors.Join(errs...)
}
