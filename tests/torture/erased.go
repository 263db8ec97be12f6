//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// erasedWithin is how long a deleted text may be in a file of the data directory.
const erasedWithin = time.Minute

// searchErased looks for texts that were deleted before a moment, in every byte of the data directory.
func (w *world) searchErased(before time.Time) error {
	words := map[string]*said{}
	w.ledger.mu.Lock()
	for _, s := range w.ledger.byKey {
		if s.kind != sayDelete || s.stored.IsZero() || s.stored.After(before) {
			continue
		}
		words[head(s.target.text)] = s
		for _, edit := range s.target.edits {
			words[head(edit.text)] = s
		}
	}
	w.ledger.mu.Unlock()
	if len(words) == 0 {
		return nil
	}
	return filepath.WalkDir(w.data, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, os.ErrNotExist) || err == nil && d.IsDir() {
			return nil
		}
		if err != nil {
			return err
		}
		data, err := os.ReadFile(path)
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if word := firstOf(data, words); word != "" {
			s := words[word]
			return &violation{takenAway, fmt.Sprintf("%q was deleted by %s %v ago, and is in %s", word, s.id, time.Since(s.stored).Round(time.Millisecond), path)}
		}
		return err
	})
}

// verb is in every text, between the name of who says it and the count.
var verb = []byte(" говорит ")

// firstOf returns the first of the words that is in data, "" if there is none.
func firstOf(data []byte, words map[string]*said) string {
	for {
		i := bytes.Index(data, verb)
		if i < 0 {
			return ""
		}
		begin := i
		for begin > 0 && (data[begin-1] == '-' || data[begin-1] >= '0' && data[begin-1] <= '9' || data[begin-1] >= 'a' && data[begin-1] <= 'z') {
			begin--
		}
		if n := bytes.IndexByte(data[i:min(len(data), i+60)], '~'); n > 0 {
			for at := begin; at < i; at++ { // what stands before the name in the file may look like a part of it
				if word := string(data[at : i+n]); words[word] != nil {
					return word
				}
			}
		}
		data = data[i+len(verb):]
	}
}

// awaitErased waits until no deleted text is in any file, while the server runs.
func (w *world) awaitErased(ctx context.Context, p *process) error {
	begun := time.Now()
	for {
		err := w.searchErased(time.Now())
		var found *violation
		if err == nil {
			break
		}
		if !errors.As(err, &found) || w.searchErased(time.Now().Add(-erasedWithin)) != nil {
			return err
		}
		if err := w.wait(ctx, p, 100*time.Millisecond); err != nil {
			return err
		}
	}
	w.erasing = time.Since(begun)
	return w.checkSkeletons()
}

// checkSkeletons looks whether erased.jsonl names everything that was deleted, and nothing else.
func (w *world) checkSkeletons() error {
	data, err := os.ReadFile(filepath.Join(w.data, "erased.jsonl"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	listed := map[key]bool{}
	for line := range bytes.Lines(data) {
		var k struct{ Member, ID string }
		if err := json.Unmarshal(line, &k); err != nil {
			return &violation{takenAway, fmt.Sprintf("erased.jsonl has the line %q: %v", line, err)}
		}
		listed[key{k.Member, k.ID}] = true
	}
	w.ledger.mu.Lock()
	defer w.ledger.mu.Unlock()
	for _, s := range w.ledger.byKey {
		if deleted := s.deletion != nil && !s.deletion.stored.IsZero(); deleted && !listed[s.key] {
			return &violation{takenAway, fmt.Sprintf("%s of %s was deleted, and erased.jsonl does not say so", s.id, s.author)}
		} else if listed[s.key] && s.deletion == nil {
			return &violation{takenAway, fmt.Sprintf("erased.jsonl says that %s of %s was deleted, and nobody did that", s.id, s.author)}
		}
	}
	return nil
}
