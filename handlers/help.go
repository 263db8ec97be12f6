package handlers

import (
	"github.com/gofiber/fiber/v2"

	"govor/views"
)

// help is GET /help: keys, Markdown and commands. There is nothing in it that only members may know.
func (s *Server) help(c *fiber.Ctx) error {
	if s.choose(c, "/help") {
		return nil
	}
	return s.page(c, "help", views.HelpPage{Page: s.pageOf(c, "/help")})
}
