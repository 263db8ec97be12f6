package handlers

import (
	"net"
	"net/netip"
	"strings"

	"github.com/gofiber/fiber/v2"

	"govor/hub"
)

// proxies are the addresses whose word about the client is taken. Whoever reaches us over a unix socket is one: only
// what runs on this machine and may open the file can.
type proxies []netip.Prefix

// newProxies reads addresses and blocks; what is neither is left out, the settings have been checked.
func newProxies(list []string) proxies {
	var p proxies
	for _, item := range list {
		if addr, err := netip.ParseAddr(item); err == nil {
			p = append(p, netip.PrefixFrom(addr.Unmap(), addr.Unmap().BitLen()))
		} else if block, err := netip.ParsePrefix(item); err == nil {
			p = append(p, block.Masked())
		}
	}
	return p
}

func (p proxies) trust(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	for _, block := range p {
		if block.Contains(addr) {
			return true
		}
	}
	return false
}

// client is who asks, as far as can be known: right, or absent.
type client struct {
	addr netip.Addr // the zero one if it is not known
	tls  bool       // it speaks TLS with us, or with a trusted proxy
}

// localClient is the key under which identify keeps it.
const localClient = "client"

// identify finds out who asks, before anything else.
func (s *Server) identify(c *fiber.Ctx) {
	if c.Locals(localClient) == nil {
		c.Locals(localClient, s.clientOf(c))
	}
}

func (s *Server) clientOf(c *fiber.Ctx) client {
	who := client{tls: c.Context().IsTLS()}
	peer, local := peerOf(c.Context().RemoteAddr())
	if !local && !s.proxies.trust(peer) {
		who.addr = peer
		return who
	}
	who.addr = s.proxies.forwarded(values(c, "X-Real-Ip"), values(c, fiber.HeaderXForwardedFor))
	if said := values(c, fiber.HeaderXForwardedProto); len(said) == 1 && strings.EqualFold(said[0], "https") {
		who.tls = true
	}
	return who
}

// peerOf is the other end of a connection; local is one without an address, over a unix socket.
func peerOf(a net.Addr) (peer netip.Addr, local bool) {
	t, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.Addr{}, true
	}
	return t.AddrPort().Addr().Unmap(), false
}

// forwarded is the address that a trusted proxy tells. X-Real-Ip is one that it has set itself. Of X-Forwarded-For the
// last that is no proxy of ours counts: what stands before it was written by anybody.
func (p proxies) forwarded(realIP, forwardedFor []string) netip.Addr {
	if len(realIP) == 1 {
		if addr, err := netip.ParseAddr(strings.TrimSpace(realIP[0])); err == nil {
			return addr.Unmap()
		}
	}
	if len(realIP) > 0 {
		return netip.Addr{}
	}
	hops := strings.Split(strings.Join(forwardedFor, ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		addr, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			return netip.Addr{}
		}
		if addr = addr.Unmap(); !p.trust(addr) || i == 0 {
			return addr
		}
	}
	return netip.Addr{}
}

// clientIn is what identify has found; before it, nothing is known.
func clientIn(c *fiber.Ctx) client {
	who, _ := c.Locals(localClient).(client)
	return who
}

// clientAddr is the address by which whoever asks is counted, as a trusted proxy tells it; the zero one if it is not
// known.
func clientAddr(c *fiber.Ctx) netip.Addr { return hub.Counted(clientIn(c).addr) }

// remoteAddr is the client's address for the log; "" if it is not known.
func remoteAddr(c *fiber.Ctx) string {
	if addr := clientIn(c).addr; addr.IsValid() {
		return addr.String()
	}
	return ""
}
