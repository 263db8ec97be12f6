package hub

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"govor/hub/hasher"
	"govor/hub/protocol"
)

// enter comes in by a page.
func (w *world) enter(name, password string, current *Member) (Member, error) {
	return w.hub.SignIn(w.t.Context(), Entry{Name: name, Password: password, How: protocol.LoginByPage, Current: current})
}

func (w *world) mustEnter(name, password string, current *Member) Member {
	w.t.Helper()
	m, err := w.enter(name, password, current)
	if err != nil {
		w.t.Fatalf("Enter(%q) = %v", name, err)
	}
	return m
}

// claimed is Иван, whose name has the password secretWord.
func (w *world) claimed() Member {
	w.t.Helper()
	m, err := w.hub.SetPassword(w.t.Context(), w.mustEnter("Иван", "", nil), "", secretWord)
	if err != nil || !m.Claimed {
		w.t.Fatalf("SetPassword = %+v, %v", m, err)
	}
	return m
}

func wantCode(t *testing.T, what string, err error, code protocol.Code) {
	t.Helper()
	if e := asProtocol(err); e == nil || e.Code != code {
		t.Errorf("%s: %v, want %s", what, err, code)
	}
}

// good tells whether a cookie proves somebody.
func (w *world) good(cookie string) bool {
	_, err := w.hub.Authenticate(w.t.Context(), cookie)
	return err == nil
}

const secretWord = "лошадь батарея скрепка"

func TestNameWithAPasswordIsOnesOwnOnEveryDevice(t *testing.T) {
	w := newWorld(t, Limits{})
	m := w.claimed()
	_, err := w.enter("иван", "", nil)
	wantCode(t, "without the password", err, protocol.CodeNeedPassword)
	_, err = w.enter("Иван", secretWord+"!", nil)
	wantCode(t, "with a wrong one", err, protocol.CodeBadPassword)
	_, err = w.enter("Никто", secretWord, nil)
	wantCode(t, "a password for a name that has none", err, protocol.CodeBadPassword)
	_, err = w.enter("Ивaн", "", nil)
	wantCode(t, "what could be taken for it", err, protocol.CodeNameTaken)

	other := w.mustEnter("иван", secretWord, nil)
	if other.ID != m.ID || other.Login == m.Login || !w.good(w.hub.Cookie(m)) || !w.good(w.hub.Cookie(other)) {
		t.Errorf("the second device is %+v, the first %+v", other, m)
	}
	list, err := w.hub.Logins(t.Context(), other)
	if err != nil || len(list) != 2 || !slices.ContainsFunc(list, func(l LoginInfo) bool { return l.Current && l.ID == other.Login }) {
		t.Errorf("logins %+v, %v", list, err)
	}
	if err := w.hub.EndLogin(t.Context(), other, m.Login); err != nil {
		t.Fatal(err)
	}
	if w.good(w.hub.Cookie(m)) || !w.good(w.hub.Cookie(other)) {
		t.Error("not the login that was meant has ended")
	}
	// The same word from a keyboard that composes differently.
	if _, err := w.hub.SetPassword(t.Context(), other, secretWord, "e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301"); err != nil {
		t.Fatal(err)
	}
	w.mustEnter("Иван", "éééééééé", nil)
}

func TestChangingThePasswordEndsAllOtherLogins(t *testing.T) {
	w := newWorld(t, Limits{})
	m := w.claimed()
	stolen := w.mustEnter("Иван", secretWord, nil)
	c := w.open(SessionParams{Member: stolen})
	c.until("welcome")
	_, err := w.hub.SetPassword(t.Context(), m, "wrong word", "another word")
	wantCode(t, "with a wrong old one", err, protocol.CodeBadPassword)
	_, err = w.hub.SetPassword(t.Context(), m, secretWord, "short")
	wantCode(t, "too short", err, protocol.CodeBadPassword)
	before := w.hub.Cookie(m)
	m, err = w.hub.SetPassword(t.Context(), m, secretWord, "another word")
	if err != nil {
		t.Fatal(err)
	}
	if w.good(w.hub.Cookie(stolen)) || w.good(before) || !w.good(w.hub.Cookie(m)) {
		t.Error("the wrong cookies are good")
	}
	eventually(t, "the other one's session ends", func() bool {
		code, reason, ok := c.s.Ending()
		return ok && code == protocol.CloseGoingAway && reason == reasonLoggedOut
	})
	_, err = w.enter("Иван", secretWord, nil)
	wantCode(t, "the old password", err, protocol.CodeBadPassword)
	if m, err = w.hub.RemovePassword(t.Context(), m, "another word"); err != nil || m.Claimed || !w.good(w.hub.Cookie(m)) {
		t.Errorf("RemovePassword = %+v, %v", m, err)
	}
	_, err = w.enter("Иван", "another word", nil)
	wantCode(t, "the name without a password is held still", err, protocol.CodeBadPassword)
	_, err = w.enter("Иван", "", nil)
	wantCode(t, "the name without a password is held still", err, protocol.CodeNameTaken)
}

func TestLoggingInEndsTheLoginThatCameAlong(t *testing.T) {
	w := newWorld(t, Limits{})
	ivan := w.claimed()
	first := w.mustEnter("Ася", "", nil)
	c := w.open(SessionParams{Member: first})
	c.until("welcome")
	renamed := w.mustEnter("Настя", "", &first)
	if renamed.ID != first.ID || w.good(w.hub.Cookie(first)) || !w.good(w.hub.Cookie(renamed)) {
		t.Errorf("after a new name: %+v", renamed)
	}
	eventually(t, "the old login's session ends", func() bool { _, _, ok := c.s.Ending(); return ok })
	c.close() // until then the new name is its own, too
	w.mustEnter("Иван", secretWord, &renamed)
	if w.good(w.hub.Cookie(renamed)) {
		t.Error("the cookie from before the login is good")
	}
	w.mustEnter("Настя", "", nil) // nobody is logged in by it any more
	other := w.mustEnter("Борис", "", &ivan)
	if other.ID == ivan.ID {
		t.Error("a name with a password was changed by a login")
	}
}

func TestLinkSignsInOnAnotherDeviceOnce(t *testing.T) {
	w := newWorld(t, Limits{})
	m := w.mustEnter("Иван", "", nil)
	link, until := w.hub.Link(m)
	if d := until.Sub(w.hub.now()); d > linkAge || d < linkAge-time.Minute {
		t.Errorf("the link is good for %v", d)
	}
	if owner, err := w.hub.LinkOwner(t.Context(), link); err != nil || owner.Name != "Иван" {
		t.Errorf("LinkOwner = %+v, %v", owner, err)
	}
	phone, err := w.hub.UseLink(t.Context(), link, Entry{Label: "Телефон"})
	if err != nil || phone.ID != m.ID || phone.Login == m.Login || !w.good(w.hub.Cookie(phone)) || !w.good(w.hub.Cookie(m)) {
		t.Fatalf("UseLink = %+v, %v", phone, err)
	}
	_, err = w.hub.UseLink(t.Context(), link, Entry{Label: "Ещё один"})
	wantCode(t, "a second time", err, protocol.CodeBadInvite)
	_, err = w.hub.UseLink(t.Context(), w.hub.Cookie(m), Entry{})
	wantCode(t, "a cookie as a link", err, protocol.CodeBadInvite)
	if w.good(link) {
		t.Error("a link passes for a cookie")
	}
	link, _ = w.hub.Link(m)
	w.hub.now = func() time.Time { return until.Add(time.Second) }
	_, err = w.hub.UseLink(t.Context(), link, Entry{})
	wantCode(t, "too late", err, protocol.CodeBadInvite)
	w.hub.now = time.Now
	link, _ = w.hub.Link(m)
	if err := w.hub.EndLogin(t.Context(), m, m.Login); err != nil {
		t.Fatal(err)
	}
	_, err = w.hub.UseLink(t.Context(), link, Entry{})
	wantCode(t, "of a login that has ended", err, protocol.CodeBadInvite)
}

func TestTokensOfProgramsAreListedAndEnd(t *testing.T) {
	w := newWorld(t, Limits{})
	_, err := w.hub.NewToken(t.Context(), w.mustEnter("Гость", "", nil), "ci")
	wantCode(t, "a name without a password", err, protocol.CodeForbidden)
	m := w.claimed()
	token, err := w.hub.NewToken(t.Context(), m, " сборка \n")
	if err != nil {
		t.Fatal(err)
	}
	program, err := w.hub.Recognise(t.Context(), token)
	if err != nil || program.ID != m.ID || program.Proof != ByToken {
		t.Fatalf("Recognise = %+v, %v", program, err)
	}
	c := w.open(SessionParams{Member: program})
	if again := c.until("welcome").Token; again == "" {
		t.Error("no token in welcome")
	} else if p, err := w.hub.Recognise(t.Context(), again); err != nil || p.Login != program.Login {
		t.Errorf("the token of welcome is that of %+v, %v", p, err)
	}
	list, err := w.hub.Logins(t.Context(), m)
	i := slices.IndexFunc(list, func(l LoginInfo) bool { return l.How == protocol.LoginByToken })
	if err != nil || i < 0 || list[i].Label != "сборка" || !list[i].Online {
		t.Fatalf("logins %+v, %v", list, err)
	}
	if err := w.hub.EndLogin(t.Context(), m, list[i].ID); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the program is disconnected", func() bool { _, _, ok := c.s.Ending(); return ok })
	if _, err := w.hub.Recognise(t.Context(), token); err == nil {
		t.Error("a token that was revoked is good")
	}
}

func TestProgramsSayNameAndPassword(t *testing.T) {
	w := newWorld(t, Limits{})
	m := w.claimed()
	a, err := w.hub.Word(t.Context(), Entry{Name: "иван", Password: secretWord, Label: "curl"})
	if err != nil || a.ID != m.ID || a.Proof != ByToken || a.Name != "Иван" {
		t.Fatalf("Word = %+v, %v", a, err)
	}
	before := w.store.Position()
	if b, err := w.hub.Word(t.Context(), Entry{Name: "Иван", Password: secretWord, Label: "curl"}); err != nil || b.Login != a.Login || w.store.Position() != before {
		t.Errorf("the second time it is %+v, %v, and %d events were stored", b, err, w.store.Position()-before)
	}
	_, err = w.hub.Word(t.Context(), Entry{Name: "Иван", Password: "wrong word", Label: "curl"})
	wantCode(t, "wrong", err, protocol.CodeBadPassword)
	_, err = w.hub.Word(t.Context(), Entry{Name: "Никто", Password: "wrong word", Label: "curl"})
	wantCode(t, "unknown", err, protocol.CodeBadPassword)
}

// triesAtOnce is how many passwords may be tried at one name from one address, at once and in a minute.
const triesAtOnce = 10

func TestTriesAtOneNameAreBoundedAndTheRightPasswordWorksLater(t *testing.T) {
	w, clock := newWorldAt(t, Limits{LoginsPerName: triesAtOnce})
	w.claimed()
	var e *protocol.Error
	for range triesAtOnce + 1 {
		_, err := w.enter("Иван", "wrong word", nil)
		if !errors.As(err, &e) {
			t.Fatal(err)
		}
	}
	if e.Code != protocol.CodeTooFast || e.RetryAfter <= 0 || e.RetryAfter > time.Minute/triesAtOnce {
		t.Fatalf("after %d tries: %+v", triesAtOnce+1, e)
	}
	clock.add(e.RetryAfter)
	w.mustEnter("Иван", secretWord, nil)
}

// Who tries passwords from one address, as fast as they are compared, keeps nobody else from the name; all addresses
// together are bounded, too, and the password that was right before is so at any time.
func TestTriesFromOneAddressLockNobodyOut(t *testing.T) {
	w, clock := newWorldAt(t, Limits{LoginsPerName: triesAtOnce})
	w.claimed()
	try := func(from, password string) error {
		_, err := w.hub.Word(t.Context(), Entry{Name: "Иван", Password: password, Label: "curl", From: netip.MustParseAddr(from)})
		return err
	}
	for range 2 * triesAtOnce {
		_ = try("2001:db8::1", "wrong word")
		_ = try("2001:db8::2", "wrong word") // of the same network
	}
	wantCode(t, "the one who tries", try("2001:db8::1", secretWord), protocol.CodeTooFast)
	for range 2 * triesAtOnce {
		_ = try("192.0.2.1", "wrong word")
	}
	for n := 0; ; n++ {
		err := try(fmt.Sprintf("198.51.100.%d", n), "wrong word")
		if asProtocol(err).Code == protocol.CodeTooFast {
			if n != attemptsAll*triesAtOnce-2*triesAtOnce {
				t.Errorf("%d tries in all were compared, want %d", n+2*triesAtOnce, attemptsAll*triesAtOnce)
			}
			break
		}
	}
	clock.add(time.Minute / (attemptsAllRate * triesAtOnce))
	if got := w.limited(limitNameLogins); got == 0 {
		t.Error("the limit is not counted")
	}
	if err := try("203.0.113.7", secretWord); err != nil {
		t.Errorf("the owner, from elsewhere: %v", err)
	}
	if err := try("198.51.100.0", secretWord); err != nil {
		t.Errorf("a password that was right before: %v", err)
	}
}

func TestHashesAreMadeAFewAtOnceAndTheQueueIsBounded(t *testing.T) {
	p, err := newPasswords(hasher.New("", zap.NewNop()), 0)
	if err != nil {
		t.Fatal(err)
	}
	for range cap(p.slots) {
		if err := p.acquire(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if cap(p.slots) > maxHashing {
		t.Errorf("%d at once", cap(p.slots))
	}
	ctx, cancel := context.WithCancel(t.Context())
	results := make(chan error, maxHashWaiting+1)
	for range maxHashWaiting + 1 {
		go func() { results <- p.acquire(ctx) }()
	}
	wantCode(t, "one too many", <-results, protocol.CodeTooFast)
	cancel()
	for range maxHashWaiting {
		wantCode(t, "who has waited", <-results, protocol.CodeTooFast)
	}
	p.release()
	if err := p.acquire(t.Context()); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// Who tries passwords one after the other has a quarter of the time, where a hash takes no longer than it should.
func TestRestAfterAHash(t *testing.T) {
	for hashed, want := range map[time.Duration]time.Duration{
		0: 0, 10 * time.Millisecond: 30 * time.Millisecond, 20 * time.Millisecond: 60 * time.Millisecond,
		50 * time.Millisecond: 100 * time.Millisecond, 2 * time.Second: 100 * time.Millisecond,
	} {
		if got := restAfter(hashed); got != want {
			t.Errorf("after %v: %v, want %v", hashed, got, want)
		}
	}
}

func TestSlotRestsAfterAHash(t *testing.T) {
	p, err := newPasswords(hasher.New("", zap.NewNop()), 0)
	if err != nil {
		t.Fatal(err)
	}
	var rested time.Duration
	var end func()
	p.later = func(d time.Duration, f func()) { rested, end = d, f }
	for what, use := range map[string]func() error{
		"make a hash": func() error { _, err := p.hash(t.Context(), secretWord); return err },
		"compare": func() error {
			_, err := p.check(t.Context(), "name", "", Entry{Password: secretWord}, time.Now())
			return err
		},
	} {
		began := time.Now()
		if err := use(); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		took := time.Since(began)
		if rested < restAfter(time.Millisecond) || rested > restAfter(took) { // no hash is made in a millisecond
			t.Errorf("%s: took %v, to rest for %v", what, took, rested)
		}
		if len(p.slots) != 1 {
			t.Errorf("%s: the slot is free at once", what)
		}
		if end(); len(p.slots) != 0 {
			t.Errorf("%s: the slot stays taken", what)
		}
	}
}

// Where a hash takes longer than a client waits, its next try must not need one, too: it would never get in.
func TestPasswordThatWasRightMeanwhileIsNotHashedAgain(t *testing.T) {
	p, err := newPasswords(hasher.New("", zap.NewNop()), 0)
	if err != nil {
		t.Fatal(err)
	}
	for range cap(p.slots) { // somebody's tries are under way
		if err := p.acquire(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	const hash = "nothing that can be compared with"
	checked := make(chan error, 1)
	go func() {
		ok, err := p.check(t.Context(), "name", hash, Entry{Password: secretWord}, time.Now())
		if err == nil && !ok {
			err = errors.New("it is wrong")
		}
		checked <- err
	}()
	eventually(t, "it waits for the tries before it", func() bool { return p.waiting.Load() > 0 })
	p.proved.Add(hash, p.mac(secretWord))
	p.release()
	if err := <-checked; err != nil {
		t.Error(err)
	}
}

// One text proves one claim: a signature is not accepted in another spelling.
func TestSignaturesHaveOneSpelling(t *testing.T) {
	s := newSigner([]byte("secret"))
	good := s.sign(purposeLogin, claims{Member: "x"})
	if _, err := s.verify(purposeLogin, good); err != nil {
		t.Fatal(err)
	}
	last := good[len(good)-1]
	for _, r := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" {
		if byte(r) == last {
			continue
		}
		if _, err := s.verify(purposeLogin, good[:len(good)-1]+string(r)); err == nil {
			t.Errorf("with %q instead of %q it is accepted", r, last)
		}
	}
}

// What is signed is read as it was, whole or not at all.
func TestClaimsAreReadAsTheyWere(t *testing.T) {
	for _, c := range []claims{
		{},
		{Member: "m", Name: "Иван\x00", Login: "l", Mark: strings.Repeat("w", 300), Nonce: "n", Generation: -1, At: 1 << 40, Expires: math.MaxInt64},
	} {
		b := c.append(nil)
		var got claims
		if err := got.decode(b); err != nil || got != c {
			t.Errorf("%+v is read as %+v, %v", c, got, err)
		}
		for n := range b {
			if got.decode(b[:n]) == nil {
				t.Errorf("%+v is read without its last %d bytes", c, len(b)-n)
			}
		}
		if got.decode(append(b, 0)) == nil {
			t.Errorf("%+v is read with something after it", c)
		}
	}
	var huge claims
	if huge.decode(binary.AppendUvarint(nil, math.MaxUint64)) == nil {
		t.Error("a text is longer than everything")
	}
}
