//go:build linux

package main

import (
	"path/filepath"

	"govor/tests/load/generator"
)

// The names of those that are compared.
const (
	peerGovor    = "govor"
	peerPortable = "portable" // Govor with --event-loop=off
	peerBefore   = "before"   // another Govor, see -before
	peerGorilla  = "gorilla"
	peerJoining  = "gorilla-join" // gorilla that joins what is queued, see there
	peerGws      = "gws"
	peerFloor    = "floor"
)

func peerNames() []string {
	return []string{peerFloor, peerGorilla, peerJoining, peerGws, peerGovor, peerPortable, peerBefore}
}

func isGovor(peer string) bool {
	return peer == peerGovor || peer == peerPortable || peer == peerBefore
}

// command is how to start a peer.
func (b *bench) command(peer, addr string) []string {
	if peer == peerJoining {
		return append(b.command(peerGorilla, addr), "-join")
	}
	if !isGovor(peer) {
		return []string{filepath.Join(b.out, "bin", peer), "-listen", addr}
	}
	program := b.govor
	if peer == peerBefore {
		program = b.before
	}
	args := []string{program, "serve", "--listen", addr, "--data-dir", b.dataDir(), "--no-limits"}
	if peer == peerPortable {
		args = append(args, "--event-loop=off")
	}
	return append(args, b.govorFlags...)
}

// Ways of speaking.
var (
	plainDialect = generator.Dialect{Path: "/ws?room={room}&name={name}", Publish: "{text}"}
	jsonDialect  = generator.Dialect{
		Path: "/ws?room={room}&name={name}&history=0", Subprotocol: "govor.v1.json", Joined: `"type":"joined"`,
		Stranger: `"token":`, // only who has no login needs one
		Publish:  `{"type":"send","id":"{id}","text":"{text}"}`,
	}
	// pageDialect is what a browser speaks; it needs a login.
	pageDialect = generator.Dialect{
		Path: "/ws?room={room}", Subprotocol: "govor.v1.html", Origin: true,
		Hello: `{"type":"hello"}`, Joined: `data-frame="joined"`,
		Publish: `{"type":"send","id":"{id}","text":"{text}"}`,
	}
)

func dialect(peer string) generator.Dialect {
	if isGovor(peer) {
		return jsonDialect
	}
	return plainDialect
}
