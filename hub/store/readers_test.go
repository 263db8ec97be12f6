package store

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"

	"govor/hub/protocol"
)

// countCompiled counts what SQLite asks while it compiles statements for the connection.
func countCompiled(t *testing.T, conn *sqlite.Conn, n *atomic.Int64) {
	t.Helper()
	err := conn.SetAuthorizer(sqlite.AuthorizeFunc(func(sqlite.Action) sqlite.AuthResult {
		n.Add(1)
		return sqlite.AuthResultOK
	}))
	if err != nil {
		t.Fatal(err)
	}
}

// A statement is compiled once, whatever it is used with.
func TestStatementsAreCompiledOnce(t *testing.T) {
	s := newStore(t)
	ctx := t.Context()
	first := message("lobby", "first", 1, "text")
	apply(t, s, opening("lobby"), opening("club"), first, message("club", "second", 2, "text"))
	var compiled atomic.Int64
	for _, conn := range s.readers.free {
		countCompiled(t, conn, &compiled)
	}
	countCompiled(t, s.w.conn, &compiled)
	looks := protocol.LooksOf("somebody", "somebody")
	for name, use := range map[string]func(n int) error{
		"Events":     func(n int) error { _, err := s.Events(ctx, rooms(n), int64(n), int64(n+5), n+1); return err },
		"Page":       func(n int) error { _, err := s.Page(ctx, rooms(n), int64(n), n+1); return err },
		"Since":      func(n int) error { _, err := s.Since(ctx, Position(n), n+1); return err },
		"Last":       func(n int) error { _, err := s.Last(ctx, rooms(n), n+1); return err },
		"EventID":    func(n int) error { _, err := s.EventID(ctx, rooms(n), int64(n)); return err },
		"Ordinal":    func(n int) error { _, err := s.Ordinal(ctx, rooms(n), int64(n)); return err },
		"mentions":   func(n int) error { _, err := s.WithMentions(ctx, rooms(n), int64(n), 100, n+1); return err },
		"Marks":      func(n int) error { _, err := s.Marks(ctx, person(n)); return err },
		"Audit":      func(n int) error { _, err := s.Audit(ctx, int64(n), n+1); return err },
		"Member":     func(n int) error { _, _, err := s.Member(ctx, person(n)); return err },
		"Prove":      func(n int) error { _, _, _, err := s.Prove(ctx, person(n), fmt.Sprint(n)); return err },
		"Seen":       func(n int) error { _, _, err := s.Seen(ctx, fmt.Sprint(n)); return err },
		"Logins":     func(n int) error { _, err := s.Logins(ctx, person(n)); return err },
		"named":      func(n int) error { _, _, err := s.MemberNamed(ctx, fmt.Sprint(n)); return err },
		"NameHolder": func(n int) error { _, _, err := s.NameHolder(ctx, fmt.Sprint(n)); return err },
		"NameFree": func(n int) error {
			_, err := s.NameFree(ctx, fmt.Sprint(n), looks, person(n), time.UnixMilli(int64(n)))
			return err
		},
		"Invite": func(n int) error { _, _, err := s.Invite(ctx, fmt.Sprint(n)); return err },
		"again": func(n int) error {
			_, err := s.Apply(context.WithoutCancel(ctx), []protocol.Event{stored(n)})
			return err
		},
		"new": func(n int) error {
			_, err := s.Apply(context.WithoutCancel(ctx), []protocol.Event{fresh(n)})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			for n := range 3 { // the first use compiles; counting ends what was compiled before
				if err := use(n); err != nil {
					t.Fatal(err)
				}
			}
			before := compiled.Load()
			for n := range 6 { // SQLite looks for 0 and 1
				if err := use(n); err != nil {
					t.Fatal(err)
				}
			}
			if compiled.Load() != before {
				t.Error("a statement was compiled again")
			}
		})
	}
}

// rooms is lobby and club in turn.
func rooms(n int) string { return []string{"lobby", "club"}[n%2] }

// stored is one of two events that are stored already.
func stored(n int) protocol.Event {
	if n%2 == 0 {
		return message("lobby", "first", 1, "text")
	}
	return message("club", "second", 2, "text")
}

// fresh is an event by one of two members who are known.
func fresh(n int) protocol.Event {
	return message(rooms(n), protocol.NewID(), 1+n%2, "text")
}
