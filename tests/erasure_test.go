package tests

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
)

// found lists where in the files under a directory one of the words is.
func found(t *testing.T, dir string, words ...string) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "grep", "-raobF", "-f", "-", dir)
	cmd.Stdin = strings.NewReader(strings.Join(words, "\n") + "\n")
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1) { // 1: none
		t.Skipf("skipped: no grep that searches everything: %v", err)
	}
	return strings.FieldsFunc(string(out), func(r rune) bool { return r == '\n' })
}

// delete deletes a message and returns the receipt.
func (c *jsonConn) delete(id string, seq int64) frame {
	c.t.Helper()
	c.send(map[string]any{"type": "delete", "id": id, "seq": seq})
	return c.answer(id)
}

// edit gives a message another text and waits for the receipt.
func (c *jsonConn) edit(id string, seq int64, text string) {
	c.t.Helper()
	c.send(map[string]any{"type": "edit", "id": id, "seq": seq, "text": text})
	if r := c.answer(id); r.Type != "ack" {
		c.t.Fatalf("an edit is answered %s", r.raw)
	}
}

// erasedWithin is the promise.
const erasedWithin = time.Minute

// What is deleted is gone: from what people see, from what they get later, and from every file.
func TestDeletedTextIsNowhere(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *server) {
		words := []string{"canary-7c1f", "canary-9e2a", "canary-long"}
		author, reader, page := s.joined("Иван"), s.joined("Анна"), s.html("Мария")
		lines, _ := s.text("Пётр", "")
		author.say("a", "the text "+words[0])
		author.say("b", "**markdown** "+words[1])
		author.say("c", strings.Repeat(words[2]+" ", 600)) // on pages of its own
		author.say("d", "stays-d41d")
		var numbers []int64
		for _, id := range []string{"a", "b", "c"} {
			numbers = append(numbers, author.answer(id).Seq)
		}
		author.answer("d")
		for range 4 {
			reader.message()
			page.message()
		}
		lines.await("Иван: stays-d41d")
		if r := reader.delete("mine", numbers[0]); r.Code != "not_yours" {
			t.Errorf("somebody else's deletion: %s", r.raw)
		}
		for i, word := range []string{"canary-e1", "canary-e2"} { // what it was edited to goes with it
			words = append(words, word)
			author.edit(fmt.Sprint("edit-", i), numbers[0], "now "+word)
			if f := reader.frame("edited"); f.Target != numbers[0] || f.Text != "now "+word {
				t.Errorf("the others see %s", f.raw)
			}
			lines.await("* Иван edited a message: now " + word)
			if li := page.element("li", "data-seq", fmt.Sprint(numbers[0])); !strings.Contains(textOf(li), "now "+word+"изменено") {
				t.Errorf("the page gets %q", textOf(li))
			}
		}
		if len(found(t, s.dir, words...)) == 0 {
			t.Error("the texts are in no file before: this test tests nothing")
		}

		for i, seq := range numbers {
			id := fmt.Sprint("delete-", i)
			if r := author.delete(id, seq); r.Type != "ack" || r.Seq != int64(7+i) {
				t.Fatalf("a deletion is answered %s", r.raw)
			}
			if f := reader.frame("deleted"); f.ID != id || f.Seq != int64(7+i) || f.Target != seq || f.From != "Иван" {
				t.Errorf("the others see %s", f.raw)
			}
			lines.await("* Иван deleted a message")
			li := page.element("li", "data-seq", fmt.Sprint(seq))
			if !strings.Contains(textOf(li), "удалено") || !has(li, "data-erased") {
				t.Errorf("the page gets %q", textOf(li))
			}
		}
		since := time.Now()
		late := s.json("Ольга", "")
		late.send(map[string]any{"type": "hello", "rooms": map[string]any{"lobby": map[string]any{"after": 0}}})
		late.where("the last deletion, and no text", func(f frame) bool {
			noneOf(t, words, f.raw)
			return f.Type == "deleted" && f.Seq == 9
		})
		noneOf(t, words, s.request("GET", "/r/lobby/messages.json", "").body)
		noneOf(t, words, s.request("GET", "/r/lobby", "", "Cookie", s.login("Олег"), "Origin", "http://"+s.addr).body)
		lines2 := s.dial(map[string][]string{"name": {"Яна"}, "history": {"10"}}, "", nil)
		noneOf(t, words, lines2.await("Иван: stays-d41d"))

		for n := 0; len(found(t, s.dir, words...)) > 0; n++ { // others go on talking
			if r := s.curl("/r/lobby/messages?name=ci", fmt.Sprint("more ", n)); r.status != http.StatusCreated {
				t.Fatalf("a message: %d %s", r.status, r.body)
			}
			if time.Since(since) > erasedWithin {
				t.Fatalf("after %v: %v", erasedWithin, found(t, s.dir, words...))
			}
		}
		t.Logf("in no file after %v", time.Since(since).Round(100*time.Millisecond))
		if len(found(t, s.dir, "stays-d41d")) == 0 {
			t.Error("what was not deleted is gone")
		}
		noneOf(t, words, s.log.String())
		skeletons, err := os.ReadFile(filepath.Join(s.dir, "erased.jsonl"))
		if err != nil || strings.Count(string(skeletons), "\n") != 3 || !strings.Contains(string(skeletons), `"id":"c"`) {
			t.Errorf("erased.jsonl = %s, %v", skeletons, err)
		}
		s.stop()
		if f := found(t, s.dir, words...); len(f) > 0 {
			t.Errorf("after the end: %v", f)
		}
	}, "--no-limits")
}

func noneOf(t *testing.T, words []string, text string) {
	t.Helper()
	for _, w := range words {
		if strings.Contains(text, w) {
			t.Fatalf("%s is in %.300s", w, text)
		}
	}
}

func has(n *html.Node, name string) bool {
	for _, a := range n.Attr {
		if a.Key == name {
			return true
		}
	}
	return false
}

// A deletion that was acknowledged before a kill -9 is finished by the next start.
func TestDeletionOutlivesAKill(t *testing.T) {
	t.Parallel()
	s := start(t, "--no-limits")
	c := s.joined("Иван")
	c.say("a", "canary-3b8d")
	seq := c.answer("a").Seq
	if r := c.delete("d", seq); r.Type != "ack" {
		t.Fatalf("a deletion is answered %s", r.raw)
	}
	s.kill()
	if len(found(t, s.dir, "canary-3b8d")) == 0 {
		t.Log("the text was gone before the kill")
	}
	if err := os.Remove(filepath.Join(s.dir, "erased.jsonl")); err != nil { // as if the kill had come before the line
		t.Fatal(err)
	}
	s = s.again()
	eventually(t, "the text is in no file", func() bool { return len(found(t, s.dir, "canary-3b8d")) == 0 })
	if data, err := os.ReadFile(filepath.Join(s.dir, "erased.jsonl")); err != nil || strings.Count(string(data), "\n") != 1 {
		t.Errorf("erased.jsonl = %s, %v", data, err)
	}
	if all := s.list("after=0"); len(all) != 1 || all[0].Text != "" || all[0].ID != "a" {
		t.Errorf("stored: %+v", all)
	}
}

// The page takes the text away while somebody looks, keeps its place, and goes on after the deletion.
func TestBrowserTakesDeletedTextAway(t *testing.T) {
	t.Parallel()
	browser := openBrowser(t)
	s := start(t)
	c := s.joined("Иван")
	maria := browser.person(t, "Мария")
	maria.enter(s)
	c.say("a", "слово не воробей")
	c.say("b", "второе")
	seq := c.answer("a").Seq
	maria.sees("второе")
	maria.sees("слово не воробей")
	c.delete("d", seq)
	maria.until("the text is gone", `!document.body.textContent.includes("воробей")`)
	maria.sees("Сообщение удалено")
	if got := strings.Join(maria.numbers(), " "); got != "1 2" {
		t.Errorf("the messages in the log: %s", got)
	}
	// While the page is away, another is deleted: it resumes behind the first deletion and hears of the second.
	s.kill()
	maria.until("the page notices", `!document.getElementById('banner').hidden`)
	s = s.again()
	ivan := s.json("", "")
	ivan.send(map[string]any{"type": "hello", "token": c.welcome.Token})
	ivan.frame("joined")
	if r := ivan.delete("e", 2); r.Type != "ack" {
		t.Fatalf("a deletion is answered %s", r.raw)
	}
	maria.until("the second is gone", `document.querySelectorAll('#log .message[data-erased]').length === 2`)
	if got := strings.Join(maria.numbers(), " "); got != "1 2" {
		t.Errorf("the messages in the log: %s", got)
	}
	compareWithHistory(t, s, maria)
}

// A program that is killed again and again, before it has been there for long, takes deleted texts out of its files all the
// same.
func TestDeletionOutlivesManyKills(t *testing.T) {
	t.Parallel()
	s := start(t, "--no-limits")
	c := s.joined("Иван")
	c.say("a", "canary-77e0")
	seq := c.answer("a").Seq
	if r := c.delete("d", seq); r.Type != "ack" {
		t.Fatalf("a deletion is answered %s", r.raw)
	}
	lives := 1
	for s.kill(); len(found(t, s.dir, "canary-77e0")) > 0; s.kill() {
		if lives++; lives > 6 {
			t.Fatal("after six lives of a second and a half, the text is still there")
		}
		s = s.again()
		<-time.After(1500 * time.Millisecond)
	}
	t.Logf("in no file after %d lives", lives)
}
