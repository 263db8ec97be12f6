package store

import (
	"embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"go.uber.org/zap"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"govor/hub/mutant"
)

//go:embed migrations/*.sql
var migrations embed.FS

// loadMigrations reads the scripts in their order; the n-th brings a file to version n.
func loadMigrations() ([]string, error) {
	entries, err := migrations.ReadDir("migrations")
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	scripts := make([]string, len(entries)) // ReadDir sorts by name, and the names begin with the number
	for i, e := range entries {
		if want := fmt.Sprintf("%04d_", i+1); !strings.HasPrefix(e.Name(), want) {
			return nil, fmt.Errorf("migration %s does not begin with %s", e.Name(), want)
		}
		b, err := migrations.ReadFile("migrations/" + e.Name())
		if err != nil {
			return nil, fmt.Errorf("read migrations: %w", err)
		}
		scripts[i] = string(b)
		if mutant.Active == mutant.NoIndex {
			scripts[i] = strings.ReplaceAll(scripts[i], ",\n\tUNIQUE (id, member)", "")
		}
	}
	return scripts, nil
}

// prepare brings the file at path to the newest version. A file of an older version is copied aside first.
func prepare(conn *sqlite.Conn, path string, scripts []string, logger *zap.Logger) error {
	version, err := queryInt(conn, "PRAGMA user_version")
	if err != nil {
		return err
	}
	if int(version) > len(scripts) {
		return newerError(path, int(version), len(scripts))
	}
	if version == 0 {
		tables, err := queryInt(conn, "SELECT count(*) FROM sqlite_schema")
		if err != nil {
			return err
		}
		if tables > 0 {
			return openError(ErrCorrupted, nil, "%s is not a database of Govor", path)
		}
	}
	if err := setWAL(conn); err != nil {
		return err
	}
	return migrate(conn, path, int(version), scripts, logger)
}

// setWAL is written into the file: every later connection finds it so.
func setWAL(conn *sqlite.Conn) error {
	stmt, _, err := conn.PrepareTransient("PRAGMA journal_mode = WAL")
	if err != nil {
		return err
	}
	defer func() { _ = stmt.Finalize() }()
	mode, err := sqlitex.ResultText(stmt)
	if err == nil && mode != "wal" {
		err = fmt.Errorf("journal mode is %s instead of wal", mode)
	}
	return err
}

func migrate(conn *sqlite.Conn, path string, version int, scripts []string, logger *zap.Logger) error {
	if version == len(scripts) {
		return nil
	}
	if version > 0 {
		aside := fmt.Sprintf("%s.version-%d", path, version)
		if err := copyAside(conn, aside); err != nil {
			return fmt.Errorf("copy the database aside: %w", err)
		}
		logger.Info("database copied aside before migration", zap.String("path", aside))
	}
	for ; version < len(scripts); version++ {
		if err := step(conn, scripts[version], version+1); err != nil {
			return fmt.Errorf("migrate to version %d: %w", version+1, err)
		}
		logger.Info("database migrated", zap.Int("version", version+1))
	}
	return nil
}

// step runs one script and the change of the version in one transaction.
func step(conn *sqlite.Conn, script string, version int) (err error) {
	end, err := sqlitex.ImmediateTransaction(conn)
	if err != nil {
		return err
	}
	defer end(&err)
	if err := sqlitex.ExecuteScript(conn, script, nil); err != nil {
		return err
	}
	if version == looksVersion {
		if err := fillLooks(conn); err != nil {
			return err
		}
	}
	return sqlitex.ExecuteTransient(conn, fmt.Sprintf("PRAGMA user_version = %d", version), nil)
}

// copyAside writes a whole copy; one left by an attempt that was cut short is replaced.
func copyAside(conn *sqlite.Conn, path string) error {
	tmp := path + ".part"
	if err := os.Remove(tmp); err != nil && !os.IsNotExist(err) {
		return err
	}
	if err := sqlitex.ExecuteTransient(conn, "VACUUM INTO ?", &sqlitex.ExecOptions{Args: []any{tmp}}); err != nil {
		return err
	}
	if err := os.Chmod(tmp, 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}

// removeCopies removes what copyAside has left, if something was erased since: the copy holds the text.
func (s *Store) removeCopies() error {
	copies, err := filepath.Glob(s.path + ".version-*")
	if err != nil {
		return err
	}
	for _, path := range copies {
		fi, err := os.Stat(path)
		if err != nil {
			return err
		}
		if fi.ModTime().After(s.skeletons.latest) {
			continue
		}
		if err := os.Remove(path); err != nil {
			return err
		}
		s.log.Info("copy of the database from before a migration removed, because texts were erased", zap.String("path", path))
	}
	return nil
}

func queryInt(conn *sqlite.Conn, query string) (int64, error) {
	stmt, _, err := conn.PrepareTransient(query)
	if err != nil {
		return 0, err
	}
	defer func() { _ = stmt.Finalize() }()
	return sqlitex.ResultInt64(stmt)
}
