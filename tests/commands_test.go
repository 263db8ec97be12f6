package tests

import "testing"

// A console and a line of plain text do with the same commands what the page does.
func TestCommandsOfConsoleAndPlainText(t *testing.T) {
	t.Parallel()
	s := start(t)
	lines, _ := s.text("Мария", "")
	c := s.console("Иван")
	c.shows("> ")
	lines.await("* Иван has joined")

	c.types("/help\r")
	c.shows("/join КОМНАТА")
	c.types("/who\r")
	c.shows("Здесь 2: Иван, Мария")
	c.types("/me машет @Мария\r")
	lines.await("** Иван машет @Мария")
	lines.write("/me кланяется")
	c.shows("* Мария кланяется")
	c.types("/nick Мария\r")
	c.shows("имя уже занято: /nick Мария-2")
	c.types("/nick Ваня\r")
	lines.await("* Иван is now Ваня")
	c.shows("Иван теперь Ваня")
	lines.write("/nick Маша")
	lines.await("You are Маша")
	c.shows("Мария теперь Маша")

	lines.write("/join планы")
	lines.await("* you are in планы now")
	c.types("/etc/passwd\r")
	c.shows("Нет команды /etc/passwd")
	c.types("/join планы\r")
	c.shows("· планы ·")
	c.types("тут кто?\r")
	lines.await("Ваня: тут кто?")
	lines.write("/who")
	lines.await("* here: Ваня, Маша")
	c.types("/leave\r")
	c.shows("· Общая · 1 онлайн")
	lines.write("/leave")
	lines.await("* you are in lobby now")
	lines.write("/leave")
	lines.await("* error bad_command: this is the lobby, which one leaves by closing the connection; /join ROOM goes to another room")
	c.types("//me так\r")
	lines.await("Ваня:  /me так")
	if n := len(s.everything()); n != 3 {
		t.Errorf("%d messages are stored in the lobby, want 3", n)
	}
}
