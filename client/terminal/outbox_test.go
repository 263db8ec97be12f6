package terminal

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"govor/hub/protocol"
)

// onShelf makes a started client one of a person whose outbox and token are kept in dir.
func onShelf(t *testing.T, dir string) func(c *client) {
	t.Helper()
	return func(c *client) {
		t.Helper()
		var err error
		if c.id, err = openIdentity(dir, c.opts.server.String(), c.opts.name); err != nil {
			t.Fatal(err)
		}
		s, err := openShelf(dir, c.opts.server.String(), c.opts.name, c.opts.room)
		if err != nil {
			t.Fatal(err)
		}
		c.patient = true
		c.box.open(s, c.now())
	}
}

// end interrupts the client and gives its identity back, as the end of the program does.
func (p *piped) end(want int) {
	p.t.Helper()
	p.interrupt()
	p.wantExit(want)
	p.client.id.close()
}

// left is what is on the shelf.
func left(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "outbox-*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// waitLeft waits until so many messages are on the shelf.
func waitLeft(t *testing.T, dir string, n int) {
	t.Helper()
	late := time.After(5 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for len(left(t, dir)) != n {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("want %d messages on the shelf, there are %q", n, left(t, dir))
		}
	}
}

// What was sent without an answer and what was not sent at all go out with the next run, first, in order, with the ids
// they had, as of the same member.
func TestTheNextRunSendsWhatWasLeft(t *testing.T) {
	s, dir := newFakeServer(t), t.TempDir()
	stored := make(chan struct{}, 40)
	s.on(func(c *fakeConn, cmd protocol.Command) bool {
		m, ok := cmd.(protocol.Send)
		if ok && c.number == 0 { // stored, no answer
			c.storeUnseen(m)
			stored <- struct{}{}
		}
		return ok && c.number == 0
	})
	p := startPiped(t, s, onShelf(t, dir), "Иван")
	var want []string
	for i := range 20 {
		want = append(want, fmt.Sprint("строка ", i))
	}
	p.type_(want...)
	for range protocol.MaxUnacknowledged {
		<-stored
	}
	waitLeft(t, dir, 20)
	p.end(exitInterrupted)
	for _, file := range left(t, dir) {
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", file, info.Mode(), err)
		}
	}

	p = startPiped(t, s, onShelf(t, dir), "Иван")
	p.notes.wait(t, "С прошлого раза 20 сообщений ждут отправки")
	p.type_("новое")
	want = append(want, "новое")
	s.wait("all messages", func() bool { return len(s.events) >= len(want) })
	p.out.wait(t, "новое")
	waitLeft(t, dir, 0)
	p.end(exitOK)
	if got := s.texts(); !slices.Equal(got, want) {
		t.Errorf("stored %q, want %q", got, want)
	}
}

// refuseTexts makes the server refuse messages with this text, with a code.
func (s *fakeServer) refuseTexts(text string, code protocol.Code) {
	s.on(func(c *fakeConn, cmd protocol.Command) bool {
		m, ok := cmd.(protocol.Send)
		if ok && strings.HasPrefix(m.Text, text) {
			c.write(protocol.Errorf(code, "no").About(m.Room, m.ID))
			return true
		}
		return false
	})
}

func TestWhatFailedIsRetriedOrDiscardedByHand(t *testing.T) {
	s, dir := newFakeServer(t), t.TempDir()
	s.refuseTexts("нет", protocol.CodeRoomClosed)
	p := startPiped(t, s, onShelf(t, dir), "Иван")
	p.type_("нет 1", "нет 2", "нет 3", "да")
	p.out.wait(t, ": да")
	p.notes.wait(t, "* Не отправлено: комната закрыта: нет 3")
	p.notes.wait(t, "* /retry — отправить снова")
	waitLeft(t, dir, 3)
	p.end(exitOK)

	p = startPiped(t, s, onShelf(t, dir), "Иван")
	p.notes.wait(t, "* 2. Не отправлено: комната закрыта: нет 2")
	p.type_("/discard 2", "/retry 7")
	p.notes.wait(t, "номер 7 нет")
	s.on(nil)
	p.type_("/retry", "/outbox", " /retry", "/discard")
	p.notes.wait(t, "* Отправлять снова нечего")
	s.wait("all messages", func() bool { return len(s.events) == 4 })
	if got, want := s.texts(), []string{"да", "нет 1", "нет 3", " /retry"}; !slices.Equal(got, want) {
		t.Errorf("stored %q, want %q", got, want)
	}
	p.out.wait(t, ":  /retry")
	waitLeft(t, dir, 0)
	p.end(exitOK)
}

func TestRetryUnderANewIDWhenTheOldOneIsTaken(t *testing.T) {
	s, dir := newFakeServer(t), t.TempDir()
	s.refuseTexts("раз", protocol.CodeIDReused)
	p := startPiped(t, s, onShelf(t, dir), "Иван")
	p.type_("раз")
	p.notes.wait(t, "номер сообщения уже использован")
	id := make(chan string, 1)
	s.on(func(_ *fakeConn, cmd protocol.Command) bool {
		if m, ok := cmd.(protocol.Send); ok {
			id <- m.ID
		}
		return false
	})
	before := readShelf(t, dir)
	p.type_("/retry")
	if got := <-id; len(before) != 1 || got == before[0].id {
		t.Errorf("sent again as %s, it was %v", got, before)
	}
	p.out.wait(t, "раз")
	waitLeft(t, dir, 0)
	p.end(exitOK)
}

func readShelf(t *testing.T, dir string) []outgoing {
	t.Helper()
	dirs, err := filepath.Glob(filepath.Join(dir, "outbox-*"))
	if err != nil || len(dirs) != 1 {
		t.Fatalf("%q, %v", dirs, err)
	}
	return (&shelf{dir: dirs[0]}).load()
}

// A new member's retry is not recognised: what may be stored already must not be sent by itself.
func TestWhatMayBeStoredIsNotSentByAnotherMember(t *testing.T) {
	s, dir := newFakeServer(t), t.TempDir()
	stored := make(chan struct{}, 1)
	s.on(func(c *fakeConn, cmd protocol.Command) bool {
		m, ok := cmd.(protocol.Send)
		if ok {
			c.storeUnseen(m)
			stored <- struct{}{}
		}
		return ok
	})
	p := startPiped(t, s, onShelf(t, dir), "Иван")
	p.type_("раз")
	<-stored
	p.end(exitInterrupted)
	s.on(nil)
	s.mu.Lock()
	clear(s.tokens)
	s.mu.Unlock()
	p = startPiped(t, s, onShelf(t, dir), "Иван")
	p.notes.wait(t, "* Не отправлено: возможно, дошло; проверьте, прежде чем повторять: раз")
	p.type_("два")
	p.out.wait(t, ": два")
	waitLeft(t, dir, 1)
	p.end(exitOK)
	if got := s.texts(); !slices.Equal(got, []string{"раз", "два"}) {
		t.Errorf("stored %q", got)
	}
}

func TestShelf(t *testing.T) {
	dir := t.TempDir()
	s, err := openShelf(dir, "http://a", "Иван", "lobby")
	if err != nil {
		t.Fatal(err)
	}
	var b outbox
	b.open(s, noon)
	for i := range 12 {
		if ok, err := b.add(fmt.Sprint("id-", i), fmt.Sprint("text\n", i), noon); !ok || err != nil {
			t.Fatal(ok, err)
		}
	}
	// As left by a program that ended while it moved a message, and by others.
	twice := saved{ID: "id-3", Text: "text\n3"}
	for name, data := range map[string]string{
		"000000099.json": fmt.Sprintf(`{"id":%q,"text":%q}`, twice.ID, twice.Text), "000000100.json": "{broken", "x.json": `{"id":"","text":"a"}`, ".new-1": "",
		".new-2": `{"id":"id-new","text":"typed last"}`, ".new-3": `{"id":"id-0","text":"moved"}`, ".new-4": `{"id":"id-half","te`,
	} {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var again outbox
	again.open(s, noon)
	var ids []string
	for _, m := range again.waiting {
		ids = append(ids, m.id)
	}
	if got := strings.Join(ids, " "); got != "id-0 id-1 id-2 id-4 id-5 id-6 id-7 id-8 id-9 id-10 id-11 id-3 id-new" {
		t.Errorf("loaded %s", got)
	}
	if !again.kept() || s.last != 101 {
		t.Errorf("kept %v, last number %d", again.kept(), s.last)
	}
	if other, err := openShelf(dir, "http://a", "Иван", "kitchen"); err != nil || len(other.load()) > 0 {
		t.Errorf("another room has %v, %v", other.load(), err)
	}
	if unnamed, err := filepath.Glob(filepath.Join(s.dir, ".new-*")); err != nil || len(unnamed) > 0 {
		t.Errorf("what was not finished is still there: %v, %v", unnamed, err)
	}

	// A disk that takes nothing: the message is sent all the same, and not said to be kept.
	if err := os.RemoveAll(s.dir); err != nil {
		t.Fatal(err)
	}
	if ok, err := again.add("unkept", "text", noon); !ok || err == nil || again.kept() {
		t.Errorf("without a directory: %v, %v, kept %v", ok, err, again.kept())
	}
}
