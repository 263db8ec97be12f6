package handlers

import (
	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// coding is how bytes are compressed on their way, by its name in HTTP; "" = not.
type coding string

const (
	brotli coding = "br"
	gzip   coding = "gzip"
)

// accepted is the best coding that whoever asks can read.
func accepted(c *fiber.Ctx) coding {
	for _, k := range []coding{brotli, gzip} {
		if c.Request().Header.HasAcceptEncoding(string(k)) {
			return k
		}
	}
	return ""
}

// pageCoding is accepted for pages that hold what somebody said. A page that a stranger's site made the browser ask for
// goes out as it is: whoever can choose a part of it, and can see how many bytes travel, could guess the rest letter by
// letter from how well it compresses. There is nothing else in pages to guess: no password, token or key to forms.
func pageCoding(c *fiber.Ctx) coding {
	switch c.Get("Sec-Fetch-Site") {
	case "cross-site", "same-site":
		return ""
	}
	return accepted(c)
}

// Levels of compression. Pages but that of the login are compressed for each who asks: these take less than drawing the
// page does, and as many at a time as there are processors. Files are compressed once.
const (
	pageBrotli = 3 // as half as long as 4, for 8 % more
	pageGzip   = 5
	fileBrotli = 9
	fileGzip   = 9
)

// shorten returns data in the coding, data itself if there is none.
func shorten(data []byte, k coding, brotliLevel, gzipLevel int) []byte {
	switch k {
	case brotli:
		return fasthttp.AppendBrotliBytesLevel(nil, data, brotliLevel)
	case gzip:
		return fasthttp.AppendGzipBytesLevel(nil, data, gzipLevel)
	}
	return data
}
