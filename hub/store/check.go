package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// CheckData tells whether this program can go on with the data in dir: nil if it can, also when there is none yet. The
// error is an *OpenError as Open would give. It reads the files and nothing else: no lock is taken and nothing is
// written, so another process may be using them. That process must not be this one: closing a descriptor of the database
// would drop SQLite's locks.
func CheckData(dir string) error {
	path := filepath.Join(dir, fileName)
	version, err := readVersion(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return explain(path, err)
	}
	scripts, err := loadMigrations()
	if err != nil {
		return err
	}
	if version > len(scripts) {
		return newerError(path, version, len(scripts))
	}
	return nil
}

// notOlder refuses to read what an older program wrote and no server has brought up to date yet. A file that is not there, or
// none of ours, is told by whoever opens it.
func notOlder(dir string) error {
	path := filepath.Join(dir, fileName)
	version, err := readVersion(path)
	if err != nil {
		return nil //nolint:nilerr // see above
	}
	scripts, err := loadMigrations()
	if err == nil && version < len(scripts) {
		return openError(ErrOlder, nil, "the database %s has version %d, and this program reads version %d: start the server once, which brings it up to date",
			path, version, len(scripts))
	}
	return err
}

func newerError(path string, version, known int) *OpenError {
	return openError(ErrNewer, nil,
		"the database %s has version %d, and this program knows versions up to %d; install the program that wrote it or a newer one",
		path, version, known)
}

// Of SQLite's file formats (sqlite.org/fileformat2.html): sizes and places.
const (
	headerSize  = 100 // of the database: its first bytes, which are the first of page 1
	headerMagic = "SQLite format 3\x00"
	versionAt   = 60 // user_version, in the header
	walHeader   = 32
	frameHeader = 24
)

// readVersion reads the schema's version: that of the newest committed page 1 in the write-ahead log, else that in the
// database.
func readVersion(path string) (int, error) {
	f, err := os.Open(path) //nolint:gosec // in the directory that was chosen
	if err != nil {
		return 0, err
	}
	defer func() { _ = f.Close() }()
	var header [headerSize]byte
	if n, err := io.ReadFull(f, header[:]); err != nil && n == 0 {
		return walVersion(path+"-wal", 0) // an empty file: nothing was merged yet
	} else if err != nil || string(header[:len(headerMagic)]) != headerMagic {
		return 0, fmt.Errorf("%w: it has no header of a database", ErrCorrupted)
	}
	return walVersion(path+"-wal", int(binary.BigEndian.Uint32(header[versionAt:])))
}

// walVersion reads the version in the last page 1 of the log that was committed; def if there is none. Checksums are not
// looked at: a torn frame is behind the last commit, or its salts are not those of the log.
func walVersion(path string, def int) (int, error) {
	f, err := os.Open(path) //nolint:gosec // in the directory that was chosen
	if errors.Is(err, fs.ErrNotExist) {
		return def, nil
	}
	if err != nil {
		return 0, err
	}
	defer func() { _ = f.Close() }()
	var head [walHeader]byte
	if _, err := io.ReadFull(f, head[:]); err != nil {
		return def, nil // a log that was only begun says nothing
	}
	page := int64(binary.BigEndian.Uint32(head[8:]))
	salts := string(head[16:24])
	version, pending := def, def
	for at := int64(walHeader); ; at += frameHeader + page {
		var frame [frameHeader + headerSize]byte
		if _, err := f.ReadAt(frame[:], at); err != nil || string(frame[8:16]) != salts || page < headerSize {
			return version, nil // the log ends here
		}
		if binary.BigEndian.Uint32(frame[:]) == 1 {
			pending = int(binary.BigEndian.Uint32(frame[frameHeader+versionAt:]))
		}
		if binary.BigEndian.Uint32(frame[4:]) != 0 { // the last frame of a transaction
			version = pending
		}
	}
}
