package store

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// Backup writes the database in dir, as it is at one moment, to file: compressed by zstd, readable for its owner only,
// there as a whole or not at all. It takes no lock: the server may be running, and goes on. What a person can do
// something about is an *OpenError.
func Backup(ctx context.Context, dir, file string) (size int64, err error) {
	if within(dir, file) {
		return 0, openError(ErrNotWritable, nil,
			"a backup in the data directory %s would keep the texts that people delete; choose another place than %s", dir, file)
	}
	if err := CheckData(dir); err != nil {
		return 0, err
	}
	tmp, err := os.MkdirTemp(filepath.Dir(file), ".govor-backup-*") // mode 0700
	if err != nil {
		return 0, openError(ErrNotWritable, err, "cannot write beside %s", file)
	}
	defer func() { _ = os.RemoveAll(tmp) }()
	whole, packed := filepath.Join(tmp, "whole"), filepath.Join(tmp, "packed")
	if err = copyBeside(ctx, dir, whole); err == nil {
		err = merge(ctx, whole)
	}
	if err = interrupted(ctx, err); err != nil {
		return 0, fmt.Errorf("copy the database: %w", err)
	}
	if size, err = pack(packed, whole); err != nil {
		return 0, fmt.Errorf("compress the backup: %w", err)
	}
	if err := os.Rename(packed, file); err != nil {
		return 0, fmt.Errorf("put the backup in place: %w", err)
	}
	return size, syncDir(filepath.Dir(file))
}

// within tells whether file would be in dir.
func within(dir, file string) bool {
	d, errDir := filepath.Abs(dir)
	f, errFile := filepath.Abs(file)
	if errDir != nil || errFile != nil {
		return false
	}
	if real, err := filepath.EvalSymlinks(d); err == nil {
		d = real
	}
	if real, err := filepath.EvalSymlinks(filepath.Dir(f)); err == nil {
		f = filepath.Join(real, filepath.Base(f))
	}
	rel, err := filepath.Rel(d, f)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// pack compresses a file into another one, which is on disk when it returns.
func pack(to, from string) (size int64, err error) {
	in, err := os.Open(from) //nolint:gosec // our own
	if err != nil {
		return 0, err
	}
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // our own
	if err != nil {
		return 0, err
	}
	w, err := zstd.NewWriter(out, zstd.WithEncoderConcurrency(1)) // the server has work to do
	if err == nil {
		_, err = io.Copy(w, in)
		err = errors.Join(err, w.Close())
	}
	if err == nil {
		err = out.Sync()
	}
	if fi, serr := out.Stat(); serr == nil {
		size = fi.Size()
	}
	return size, errors.Join(err, out.Close())
}

// Beginnings of files.
var (
	zstdMagic   = []byte{0x28, 0xb5, 0x2f, 0xfd} // RFC 8878 §3.1.1
	sqliteMagic = []byte(headerMagic)
)

// unpack writes the database that is in a backup, compressed or not.
func unpack(to, from string) error {
	in, err := os.Open(from) //nolint:gosec // the operator's own
	if err != nil {
		return openError(ErrNotThere, err, "cannot read the backup %s", from)
	}
	defer func() { _ = in.Close() }()
	r := bufio.NewReader(in)
	var content io.Reader = r
	switch head, _ := r.Peek(len(sqliteMagic)); {
	case bytes.HasPrefix(head, zstdMagic):
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return err
		}
		defer z.Close()
		content = z
	case !bytes.Equal(head, sqliteMagic):
		return openError(ErrCorrupted, nil, "%s is not a backup of Govor", from)
	}
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // our own
	if err != nil {
		return err
	}
	// What the system says of either file is a PathError; all else is what the decoder says of what it read.
	if _, err = io.Copy(out, content); err != nil && !errors.As(err, new(*fs.PathError)) {
		err = openError(ErrCorrupted, err, "the backup %s is damaged", from)
	}
	if err == nil {
		err = out.Sync()
	}
	return errors.Join(err, out.Close())
}

// syncDir makes what was renamed in a directory survive a power cut.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" { // directories cannot be synced there
		return nil
	}
	d, err := os.Open(dir) //nolint:gosec // of a file that was just written
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
