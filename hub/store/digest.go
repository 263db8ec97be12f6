package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"zombiezen.com/go/sqlite"
)

// journaled are the tables that Apply writes, each with the order in which the digest reads it.
var journaled = []string{
	"state ORDER BY one",
	"rooms ORDER BY num",
	"members ORDER BY num",
	"names ORDER BY key",
	"looks ORDER BY look, key",
	"room_looks ORDER BY look, room",
	"logins ORDER BY id",
	"invites ORDER BY id",
	"events ORDER BY pos",
	"numbers ORDER BY room, seq",
	"new_numbers ORDER BY room, seq",
	"folds ORDER BY pos",
	"sanctions ORDER BY event",
	"paces ORDER BY room, member",
	"audit ORDER BY num",
}

// Digest is a hash of all journaled tables: two stores that have applied the same events have the same. It reads the
// whole file and keeps everybody from writing meanwhile; it is for tests and checks.
func (s *Store) Digest(ctx context.Context) (string, error) {
	if err := s.acquire(ctx); err != nil {
		return "", err
	}
	defer s.release()
	h := sha256.New()
	for _, table := range journaled {
		_, _ = fmt.Fprintln(h, table) // a hash never fails
		err := s.readers.do(ctx, "SELECT * FROM "+table, func(stmt *sqlite.Stmt) error {
			for {
				more, err := stmt.Step()
				if err != nil || !more {
					return err
				}
				for i := range stmt.ColumnCount() {
					of := stmt.ColumnType(i) // asked first: reading a column as text may change its type
					text := stmt.ColumnText(i)
					_, _ = fmt.Fprintf(h, "%v %d %s\n", of, len(text), text)
				}
			}
		})
		if err != nil {
			return "", fmt.Errorf("digest %s: %w", table, err)
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
