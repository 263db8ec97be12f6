package handlers

import "github.com/gofiber/fiber/v2"

// policy is what a page may do: load what this server has, and nothing inline. connect-src 'self' is the WebSocket,
// too.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; " +
	"trusted-types govor; manifest-src 'self'"

// permissions are what no page here needs.
const permissions = "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), " +
	"microphone=(), midi=(), payment=(), usb=()"

// transport has browsers ask by TLS only, for a year.
const transport = "max-age=31536000"

// withHeaders sets what every answer has. What may be kept says so itself.
func (s *Server) withHeaders(c *fiber.Ctx) error {
	s.setHeaders(c)
	return c.Next()
}

func (s *Server) setHeaders(c *fiber.Ctx) {
	s.identify(c)
	c.Set(fiber.HeaderContentSecurityPolicy, policy)
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	c.Set(fiber.HeaderXFrameOptions, "DENY")
	c.Set(fiber.HeaderReferrerPolicy, "same-origin") // with no-referrer, browsers send Origin: null with forms
	c.Set(fiber.HeaderPermissionsPolicy, permissions)
	c.Set("Cross-Origin-Opener-Policy", "same-origin")
	c.Set("Cross-Origin-Resource-Policy", "same-origin")
	c.Set(fiber.HeaderCacheControl, "no-store")
	if s.overTLS(c) {
		c.Set(fiber.HeaderStrictTransportSecurity, transport)
	}
}
