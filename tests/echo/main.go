// Command echo sends every message back as it came, text and binary, through hub/socket: what a suite of tests for
// WebSockets, such as Autobahn's, looks for mistakes in. Of the WebSocket library it uses the upgrade and nothing else.
//
//	go run ./tests/echo --listen 127.0.0.1:9001 --event-loop on|off
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"time"

	"github.com/fasthttp/websocket"
	"github.com/spf13/pflag"
	"github.com/valyala/fasthttp"

	"govor/hub/socket"
)

// maxFrame is above the largest message of the suites, 16 MiB.
const maxFrame = 64 << 20

func main() {
	addr := pflag.String("listen", "127.0.0.1:9001", "address to listen on")
	mode := pflag.String("event-loop", "on", "driver of the sockets: on, the event loops of Linux, or off, the portable one")
	pflag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *addr, *mode, func(a net.Addr) { fmt.Printf("echoing on ws://%s\n", a) }); err != nil {
		fmt.Fprintln(os.Stderr, "echo:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends; ready is called when connections are taken.
func run(ctx context.Context, addr, mode string, ready func(net.Addr)) error {
	limits := socket.Limits{MaxFrame: maxFrame, IdleTimeout: 5 * time.Minute, PingInterval: 4 * time.Minute}
	e := &echo{limits: limits}
	switch mode {
	case "on":
		var err error
		if e.loops, err = socket.NewLoops(limits, nil, onPanic); err != nil {
			return err
		}
		if e.loops == nil {
			return errors.New("there are no event loops on this system")
		}
	case "off":
	default:
		return fmt.Errorf("--event-loop is on or off, not %q", mode)
	}
	defer e.loops.Close()
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	server := &fasthttp.Server{
		Handler: e.handle, ReadTimeout: 10 * time.Second, NoDefaultServerHeader: true,
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }() // ends with Shutdown
	ready(ln.Addr())
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	stopCtx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return errors.Join(server.ShutdownWithContext(stopCtx), <-served)
}

// echo is the server.
type echo struct {
	limits   socket.Limits
	loops    *socket.Loops // nil = the portable driver
	upgrader websocket.FastHTTPUpgrader
}

func (e *echo) handle(c *fasthttp.RequestCtx) {
	if err := e.upgrader.Upgrade(c, e.drive); err != nil && c.Response.StatusCode() < fasthttp.StatusBadRequest {
		c.Error(err.Error(), fasthttp.StatusBadRequest)
	}
}

// drive has the driver that was asked for drive the connection, and no other.
func (e *echo) drive(ws *websocket.Conn) {
	p := newPeer()
	switch {
	case e.loops == nil:
		socket.Serve(ws, nil, p, e.limits, onPanic)
	case !e.loops.Adopt(ws, nil, p, func() {}):
		fmt.Fprintln(os.Stderr, "echo: the event loop does not take a connection") // the server closes it
	}
}

func onPanic(v any, stack []byte) { fmt.Fprintf(os.Stderr, "echo: %v\n%s", v, stack) }
