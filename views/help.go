package views

// HelpPage is the page "help": keys, what is understood of Markdown, and commands. A script shows its section in a dialog
// of the room's page.
type HelpPage struct{ Page }

// HeadTitle is the title of the document.
func (p HelpPage) HeadTitle() string { return p.words.must("cmd.help") }

// helpPart is a group of rows below a heading.
type helpPart struct {
	Title string
	Rows  []helpRow
}

// helpRow is what one does or types, and what comes of it. Keys, Source and Result may be missing.
type helpRow struct {
	Text   string
	Keys   []string // pressed together
	Source string   // typed
	Result safeHTML // what Source becomes
}

// key is a row about a key: a word and the caps that are pressed together.
func (p HelpPage) key(word string, caps ...string) helpRow {
	return helpRow{Text: p.words.must(word), Keys: caps}
}

// typed is a row about a command.
func (p HelpPage) typed(source, word string) helpRow {
	return helpRow{Source: source, Text: p.words.must(word)}
}

// mark is a row about Markdown: a word between the signs that change it.
func (p HelpPage) mark(before, word, after string) helpRow {
	source := before + p.words.must(word) + after
	return helpRow{Source: source, Result: p.markdown.render(source, "")}
}

// Parts are everything there is to know. What is not in the house yet is not in here either.
func (p HelpPage) Parts() []helpPart {
	return []helpPart{
		{p.words.must("help.writing"), []helpRow{
			p.key("composer.send", "Enter"),
			p.key("help.line", "Shift", "Enter"),
			p.key("help.bold", "Ctrl", "B"),
			p.key("help.italic", "Ctrl", "I"),
			p.key("help.code", "Ctrl", "E"),
			p.key("help.last", "↑"),
			p.key("delete.cancel", "Esc"),
		}},
		{p.words.must("help.reading"), []helpRow{
			p.key("help.end", "End"),
			p.key("help.up", "PgUp"),
			p.key("help.down", "PgDn"),
			p.key("help.read", "Shift", "Esc"),
			p.key("help.room", "Alt", "↓"),
			p.key("help.unread", "Alt", "Shift", "↓"),
			p.key("help.this", "?"),
		}},
		{p.words.must("help.marks"), []helpRow{
			p.mark("**", "help.bold", "**"),
			p.mark("*", "help.italic", "*"),
			p.mark("~~", "help.strike", "~~"),
			p.mark("`", "help.code", "`"),
			p.mark("> ", "help.quote", ""),
			p.mark("- ", "help.list", ""),
			p.mark("[", "help.link", "](https://example.org)"),
			p.mark("```\n", "help.block", "\n```"),
		}},
		{p.words.must("help.commands"), []helpRow{
			p.typed("/me", "cmd.me"),
			p.typed("/who", "cmd.who"),
			p.typed("/nick", "cmd.nick"),
			p.typed("/join", "cmd.join"),
			p.typed("/leave", "cmd.leave"),
			p.typed("/help", "help.this"),
			p.typed("//", "help.slash"),
		}},
		{p.words.must("help.hosts"), []helpRow{
			p.typed("/kick", "host.kick"),
			p.typed("/mute", "host.mute"),
			p.typed("/ban", "host.ban"),
			p.typed("/slow", "host.slow"),
			p.typed("/close", "host.close"),
			p.typed("/mod", "host.moderator"),
		}},
	}
}
