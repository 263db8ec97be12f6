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
	h := &c.Response().Header
	for i := range always {
		h.SetCanonical(always[i].key, always[i].value)
	}
	if s.overTLS(c) {
		c.Set(fiber.HeaderStrictTransportSecurity, transport)
	}
}

// always is what every answer has, ready to be copied: keys are in their canonical form.
var always = []struct{ key, value []byte }{
	{[]byte(fiber.HeaderContentSecurityPolicy), []byte(policy)},
	{[]byte(fiber.HeaderXContentTypeOptions), []byte("nosniff")},
	{[]byte(fiber.HeaderXFrameOptions), []byte("DENY")},
	{[]byte(fiber.HeaderReferrerPolicy), []byte("same-origin")}, // with no-referrer, browsers send Origin: null with forms
	{[]byte(fiber.HeaderPermissionsPolicy), []byte(permissions)},
	{[]byte("Cross-Origin-Opener-Policy"), []byte("same-origin")},
	{[]byte("Cross-Origin-Resource-Policy"), []byte("same-origin")},
	{[]byte(fiber.HeaderCacheControl), []byte("no-store")},
}
