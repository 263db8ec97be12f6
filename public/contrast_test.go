package public

import (
	"io/fs"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// pairs are what stands on what, as in the tables of the look: text has at least 4.5, what is no text but has to be seen
// at least 3. A name stands for --color-name.
var pairs = map[string]string{
	"text":        "bg side raised hover kbd",
	"muted":       "bg side raised hover kbd",
	"active-text": "active",
	"accent":      "bg side raised",
	"on-accent":   "accent accent-hover",
	"link":        "bg user-bg own-bg mention-bg",
	"user-text":   "user-bg own-bg inset own-inset mention-bg mention-inset mention-chip",
	"user-muted":  "bg user-bg own-bg inset own-inset mention-bg mention-inset",
	"system-text": "system-bg",
	"amber-text":  "bg side",
	"on-amber":    "amber",
	"on-badge":    "badge",
	"danger":      "bg raised danger-bg",
	"warn-text":   "bg warn-bg",
	"ok-text":     "ok-bg",
}

var shapes = map[string]string{"ui-line": "bg raised", "ok-dot": "side", "mention-bar": "mention-bg"}

var (
	value     = regexp.MustCompile(`(--[a-z0-9-]+):\s*([^;]+);`)
	lightDark = regexp.MustCompile(`^light-dark\((.+), (.+)\)$`)
	reference = regexp.MustCompile(`^var\((--[a-z0-9-]+)\)$`)
)

// theme is the tokens with their values in one theme: 1 = light, 2 = dark.
type theme struct {
	t      *testing.T
	values map[string]string
	side   int
}

func (c theme) luminance(token string) float64 {
	c.t.Helper()
	v := c.values[token]
	for range 5 {
		if m := lightDark.FindStringSubmatch(v); m != nil {
			v = m[c.side]
		}
		if m := reference.FindStringSubmatch(v); m != nil {
			v = c.values[m[1]]
		}
	}
	rgb, err := strconv.ParseUint(strings.TrimPrefix(v, "#"), 16, 32)
	if err != nil || len(v) != 7 {
		c.t.Fatalf("%s is %q, no colour", token, v)
	}
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		s := float64(rgb>>(16-8*i)&255) / 255
		if s <= 0.04045 {
			sum += weight * s / 12.92
		} else {
			sum += weight * math.Pow((s+0.055)/1.055, 2.4)
		}
	}
	return sum
}

// contrast is the ratio of WCAG 2.
func (c theme) contrast(a, b string) float64 {
	c.t.Helper()
	x, y := c.luminance(a), c.luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func TestContrastIsEnough(t *testing.T) {
	data, err := fs.ReadFile(Files, "css/tokens.css")
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for _, m := range value.FindAllStringSubmatch(string(data), -1) {
		values[m[1]] = m[2]
	}
	for side, name := range map[int]string{1: "light", 2: "dark"} {
		c := theme{t, values, side}
		check := func(front, back string, want float64) {
			t.Helper()
			if _, ok := values[back]; !ok && back == "--color-kbd" { // comes with what shows keys
				return
			}
			if got := c.contrast(front, back); got < want {
				t.Errorf("%s: %s on %s has %.2f, want %.1f", name, front, back, got, want)
			}
		}
		for table, want := range map[*map[string]string]float64{&pairs: 4.5, &shapes: 3} {
			for front, backs := range *table {
				for _, back := range strings.Fields(backs) {
					check("--color-"+front, "--color-"+back, want)
				}
			}
		}
		for hue := range 10 {
			h := "--hue-" + strconv.Itoa(hue)
			check(h+"-ink", h+"-fill", 4.5)
			for _, back := range []string{"bg", "side", "raised", "user-bg", "own-bg", "mention-bg"} {
				check(h+"-name", "--color-"+back, 4.5)
			}
		}
	}
}

// The formula, by what everybody knows of it.
func TestContrastOfBlackAndWhite(t *testing.T) {
	c := theme{t, map[string]string{"a": "#000000", "b": "#ffffff", "c": "#767676"}, 1}
	if got := c.contrast("a", "b"); math.Abs(got-21) > 0.001 {
		t.Errorf("black on white has %v", got)
	}
	if got := c.contrast("c", "b"); math.Abs(got-4.54) > 0.01 {
		t.Errorf("#767676 on white has %v", got)
	}
}
