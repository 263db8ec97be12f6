package terminal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"govor/hub/protocol"
)

func TestStateDir(t *testing.T) {
	for _, test := range []struct {
		env  map[string]string
		want string
	}{
		{map[string]string{"XDG_STATE_HOME": "/x", "HOME": "/h"}, "/x/govor/client"},
		{map[string]string{"XDG_STATE_HOME": "relative", "HOME": "/h"}, "/h/.local/state/govor/client"},
		{nil, ""},
	} {
		if got := filepath.ToSlash(stateDir(func(k string) string { return test.env[k] })); got != test.want {
			t.Errorf("%v: %q, want %q", test.env, got, test.want)
		}
	}
}

func TestIdentityBelongsToOneClientAtATime(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "govor", "client")
	first, err := openIdentity(dir, "http://a", "Иван")
	if err != nil || first == nil {
		t.Fatalf("%v, %v", first, err)
	}
	if err := first.save(savedToken{Server: "http://a", Name: "Иван", Token: "secret", Member: "m"}); err != nil {
		t.Fatal(err)
	}
	if second, err := openIdentity(dir, "http://a", "Иван"); second != nil || err != nil {
		t.Errorf("a second client got %v, %v", second, err)
	}
	other, err := openIdentity(dir, "http://b", "Иван")
	if err != nil || other.load() != (savedToken{}) {
		t.Errorf("another server's token: %v, %v", other.load(), err)
	}
	other.close()
	first.close()
	again, err := openIdentity(dir, "http://a", "Иван")
	if got := again.load(); err != nil || got.Token != "secret" || got.Member != "m" {
		t.Errorf("load = %v, %v", again.load(), err)
	}
	if err := os.WriteFile(again.path, []byte("{broken"), 0o600); err != nil || again.load() != (savedToken{}) {
		t.Errorf("a broken file: %v, %v", again.load(), err)
	}
	if err := again.save(savedToken{}); err != nil || again.load() != (savedToken{}) {
		t.Errorf("dropped: %v, %v", again.load(), err)
	}
	again.close()
	left, err := filepath.Glob(filepath.Join(dir, ".new-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestRecallFile(t *testing.T) {
	dir := t.TempDir()
	r := newRecall(dir)
	r.add("раз")
	r.add("две\nстроки")
	r.add("две\nстроки")
	r = newRecall(dir)
	if !slices.Equal(r.entries, []string{"раз", "две\nстроки"}) {
		t.Errorf("entries %q", r.entries)
	}
	if info, err := os.Stat(r.path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	for i := range 2*maxRecall + 10 {
		r.add(fmt.Sprint(i))
	}
	r = newRecall(dir)
	data, err := os.ReadFile(r.path)
	if err != nil || len(r.entries) != maxRecall || strings.Count(string(data), "\n") != maxRecall {
		t.Errorf("%d entries, %d lines, %v", len(r.entries), strings.Count(string(data), "\n"), err)
	}
}

func TestOutboxKeepsOrder(t *testing.T) {
	var b outbox
	for i := range 20 {
		b.add(fmt.Sprint(i), "text", noon)
	}
	send := func() (ids []string) {
		for m, ok := b.next(); ok; m, ok = b.next() {
			ids = append(ids, m.id)
		}
		return ids
	}
	if got := send(); len(got) != protocol.MaxUnacknowledged || got[0] != "0" || got[15] != "15" {
		t.Errorf("sent %q", got)
	}
	b.take("3")
	b.take("nonsense")
	if got := send(); !slices.Equal(got, []string{"16"}) {
		t.Errorf("after one receipt: %q", got)
	}
	b.disconnected()
	if got := send(); len(got) != 16 || got[3] != "4" || got[15] != "16" {
		t.Errorf("sent again: %q", got)
	}
	for b.len() > 0 {
		b.take(b.waiting[0].id)
	}
	for i := range maxWaiting {
		if ok, err := b.add(fmt.Sprint(i), "", noon); !ok || err != nil {
			t.Fatalf("full at %d", i)
		}
	}
	if ok, _ := b.add("more", "", noon); ok {
		t.Error("there is no bound")
	}
}

func TestBackoff(t *testing.T) {
	b := &backoff{}
	for i, limit := range []time.Duration{1, 2, 4, 8, 16, 30, 30, 30} {
		if got := b.next(0.999); got > limit*time.Second || got < limit*time.Second*99/100 {
			t.Errorf("try %d: at most %v, want %v s", i, got, limit)
		}
	}
	b.spread = 10 * time.Second
	if got := b.next(0.5); got != 5*time.Second {
		t.Errorf("spread: %v", got)
	}
	b.floor = 20 * time.Second
	if got := b.next(0); got != 20*time.Second {
		t.Errorf("floor: %v", got)
	}
	b.connected()
	if got := b.next(0); got != 0 {
		t.Errorf("full jitter begins at 0, got %v", got)
	}
	if got := b.next(0.5); got != time.Second {
		t.Errorf("second try: %v", got)
	}
}

// silentFace is a face of a person who only looks.
type silentFace struct{ lines []string }

func (*silentFace) typed() <-chan typed                { return nil }
func (*silentFace) member(string, int)                 {}
func (*silentFace) people([]string)                    {}
func (*silentFace) message(*protocol.Event, []byte)    {}
func (*silentFace) presence(*protocol.Presence)        {}
func (f *silentFace) notice(_ noticeKind, text string) { f.lines = append(f.lines, text) }
func (f *silentFace) status(_ noticeKind, text string) {
	if n := len(f.lines); n == 0 || f.lines[n-1] != text {
		f.lines = append(f.lines, text)
	}
}
func (*silentFace) back() {}

func TestScheduleOfReconnecting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
		defer cancel()
		var tries []time.Duration
		begin := time.Now()
		server, err := parseServer("h:1")
		if err != nil {
			t.Fatal(err)
		}
		face := &silentFace{}
		c := &client{
			opts: options{server: server, name: "a", room: "lobby"}, words: &russian, face: face, now: time.Now, patient: true,
			random: func() float64 { return 0.5 }, pace: usualPace, guard: func() {},
			dial: func(context.Context, string) (wire, error) {
				tries = append(tries, time.Since(begin))
				return nil, errors.New("no")
			},
		}
		if code := c.run(ctx); code != exitOK {
			t.Errorf("exit code %d", code)
		}
		want := []float64{0, 0.5, 1.5, 3.5, 7.5, 15.5, 30.5, 45.5, 60.5}
		for i, w := range want {
			if got := tries[i].Seconds(); got < w-0.01 || got > w+0.01 {
				t.Errorf("try %d after %.2f s, want %.1f", i, got, w)
			}
		}
		if !slices.Contains(face.lines, "Не удалось подключиться к http://h:1: no. Повтор через 8 с") {
			t.Errorf("said: %q", face.lines)
		}
	})
}
