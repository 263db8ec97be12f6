package views

import (
	"fmt"
	"strings"

	"github.com/boombuler/barcode/qr"
)

// Code is a QR code to be drawn as SVG: squares of 1 in a box of Size, with the empty border that cameras need.
type Code struct {
	Size int
	Path string
}

// quiet is the border of ISO/IEC 18004.
const quiet = 4

// newCode makes the code of a text, nil if it is too long for one.
func newCode(text string) *Code {
	b, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return nil
	}
	n := b.Bounds().Dx()
	dark := func(x, y int) bool {
		r, _, _, _ := b.At(x, y).RGBA()
		return r == 0
	}
	var path strings.Builder
	for y := range n {
		for x := 0; x < n; x++ {
			from := x
			for x < n && dark(x, y) {
				x++
			}
			if x > from {
				fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", from+quiet, y+quiet, x-from, x-from)
			}
		}
	}
	return &Code{Size: n + 2*quiet, Path: path.String()}
}
