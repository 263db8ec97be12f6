package handlers

import "github.com/gofiber/fiber/v2"

// policy is what a page may do: load what this server has, and nothing inline. connect-src 'self' is the WebSocket,
// too.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; " +
	"trusted-types govor; manifest-src 'self'"

// withHeaders sets what every answer has. What may be kept says so itself.
func withHeaders(c *fiber.Ctx) error {
	setHeaders(c)
	return c.Next()
}

func setHeaders(c *fiber.Ctx) {
	c.Set(fiber.HeaderContentSecurityPolicy, policy)
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	c.Set(fiber.HeaderXFrameOptions, "DENY")
	c.Set(fiber.HeaderReferrerPolicy, "same-origin") // with no-referrer, browsers send Origin: null with forms
	c.Set("Cross-Origin-Opener-Policy", "same-origin")
	c.Set("Cross-Origin-Resource-Policy", "same-origin")
	c.Set(fiber.HeaderCacheControl, "no-store")
}
