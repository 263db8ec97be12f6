package terminal

import "strings"

// completion walks through the names that begin with what stands before the cursor, one per Tab.
type completion struct {
	names []string // the likeliest first

	active bool
	from   int      // where the insertion began
	end    int      // where it ended
	left   []string // what the following Tabs bring
	slash  bool     // they are commands
}

// reset is called by every key but Tab.
func (c *completion) reset() { c.active = false }

// complete changes the text to the next name, as a mention; false when there is none.
func (c *completion) complete(e *editor) bool {
	if !c.active || e.at != c.end {
		c.begin(e)
	}
	if len(c.left) == 0 {
		return false
	}
	name := c.left[0]
	c.left = append(c.left[1:], name)
	e.cut(c.from, e.at)
	if c.slash {
		e.insert(name + " ")
	} else {
		e.insert("@" + name + " ")
	}
	c.active, c.end = true, e.at
	return true
}

func (c *completion) begin(e *editor) {
	c.from = strings.LastIndexAny(e.text[:e.at], " \n\t") + 1
	prefix := strings.TrimPrefix(e.text[c.from:e.at], "@")
	c.left, c.slash = nil, c.from == 0 && strings.HasPrefix(e.text, "/")
	if c.slash {
		for _, word := range slashes {
			if strings.HasPrefix(word, e.text[:e.at]) {
				c.left = append(c.left, word)
			}
		}
		return
	}
	if e.at == c.from {
		return
	}
	for _, name := range c.names {
		if strings.HasPrefix(strings.ToLower(name), strings.ToLower(prefix)) {
			c.left = append(c.left, name)
		}
	}
}
