package handlers

import (
	"github.com/ansrivas/fiberprometheus/v2"
	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
)

// route registers every address; all are in this file. The order counts: health is not measured, and the routes come
// before the first request, or the middleware of the metrics would not know them.
func (s *Server) route(registry *prometheus.Registry, withMetrics bool) {
	s.app.Use(s.withHeaders)
	s.app.Get("/healthz", s.paceFiles, s.healthz)
	s.app.Get("/readyz", s.paceFiles, s.readyz)

	prom := fiberprometheus.NewWithRegistry(registry, "", "chat", "http", nil)
	if withMetrics {
		prom.RegisterAt(s.app, "/metrics", s.paceRequests, s.needMetricsToken)
	}
	s.app.Use(prom.Middleware)
	s.app.Use(s.answerErrors, s.keepOut, s.paceRequests, s.refusePacked)

	s.routeMembers()
	s.routeRooms()
	s.routeProgram()
}

// routeMembers is how one comes in, who one is and who may be what.
func (s *Server) routeMembers() {
	s.app.Get("/", s.home)
	s.app.Post("/login", s.fromOurs, s.login)
	s.app.Post("/logout", s.fromOurs, s.logout)
	s.app.Get("/account", s.account)
	s.app.Post("/account/password", s.fromOurs, s.onAccount(s.setPassword))
	s.app.Post("/account/password/remove", s.fromOurs, s.onAccount(s.removePassword))
	s.app.Post("/account/link", s.fromOurs, s.onAccount(s.makeLink))
	s.app.Post("/account/tokens", s.fromOurs, s.onAccount(s.makeToken))
	s.app.Post("/account/logins/end", s.fromOurs, s.onAccount(s.endLogin))
	s.app.Get(linkPath+":token", s.link)
	s.app.Post(linkPath+":token", s.fromOurs, s.useLink)
	s.app.Get(invitePath+":token", s.invite)
	s.app.Post(invitePath+":token", s.fromOurs, s.accept)
	s.app.Get("/invites", s.onInvites(s.invites))
	s.app.Post("/invites", s.fromOurs, s.onInvites(s.makeInvite))
	s.app.Post("/invites/revoke", s.fromOurs, s.onInvites(s.revokeInvite))
	s.app.Delete("/invites/:id", s.fromOurs, s.onInvites(s.dropInvite))
	s.app.Get("/audit", s.audit)
	s.app.Get("/audit.json", s.audit)
	s.app.Get("/audit.jsonl", s.auditFile)
	s.app.Get("/owner", s.ownerLink)
	s.app.Post("/owner", s.fromOurs, s.becomeOwner)
}

// routeRooms is what is said, and what is done about it and about who said it.
func (s *Server) routeRooms() {
	s.app.Get("/rooms", s.rooms)
	s.app.Post("/rooms", s.fromOurs, s.newRoom)
	s.app.Get("/r/:room", s.room)
	s.app.Post("/r/:room/leave", s.fromOurs, s.leaveRoom)
	s.app.Post("/r/:room/messages", s.fromOurs, s.send)
	s.app.Get("/r/:room/messages/:seq<int>", s.messagePage)
	s.app.Put("/r/:room/messages/:seq<int>", s.fromOurs, s.edit)
	s.app.Patch("/r/:room/messages/:seq<int>", s.fromOurs, s.edit)
	s.app.Post("/r/:room/messages/:seq<int>/edit", s.fromOurs, s.edit)
	s.app.Delete("/r/:room/messages/:seq<int>", s.fromOurs, s.delete)
	s.app.Post("/r/:room/messages/:seq<int>/delete", s.fromOurs, s.delete)
	s.app.Get("/r/:room/messages.json", s.messages)
	s.app.Get("/r/:room/:seq<int>", s.around)
	s.app.Post("/act", s.fromOurs, s.act)
	s.app.Get("/people/:member", s.person)
}

// routeProgram is for what runs in a page or in place of one: the socket and the files.
func (s *Server) routeProgram() {
	s.app.Get("/ws", s.handshake, s.fromOurs, s.socket)
	s.app.Get("/static/:hash/*", s.static)
	s.app.Get("/manifest-:lang.webmanifest", s.manifest)
	s.app.Get("/help", s.help)
	s.app.Get("/favicon.ico", func(c *fiber.Ctx) error { return c.Redirect(AssetsPath()+"/img/favicon.svg", fiber.StatusFound) })
}
