package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// floods are the ways to be a nuisance. Each is called again and again by several, and returns when the server has had
// enough, or soon.
var floods = map[string]func(net.Conn){
	"silence":      func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }, // next to nothing: what the measuring itself does
	"connects":     func(c net.Conn) { upgrade(c) },
	"messages":     func(c net.Conn) { pour(c, frame(0x81, []byte("flood"))) },
	"big messages": func(c net.Conn) { pour(c, frame(0x81, bytes.Repeat([]byte("x"), 7000))) },
	"pings":        func(c net.Conn) { pour(c, frame(0x89, []byte("ping"))) },
	"tiny fragments": func(c net.Conn) {
		pour(c, append(frame(0x01, []byte("x")), bytes.Repeat(frame(0x00, []byte("x")), 1000)...))
	},
	"empty fragments": func(c net.Conn) { pour(c, append(frame(0x01, nil), bytes.Repeat(frame(0x00, nil), 1000)...)) },
	"big frames":      func(c net.Conn) { pour(c, frame(0x81, bytes.Repeat([]byte("x"), 100<<10))) },
	"bad frames":      func(c net.Conn) { pour(c, []byte{0x83, 0x01, 0x00}) },
	"bad commands":    func(c net.Conn) { pourAs(c, "govor.v1.json", frame(0x81, []byte("not JSON"))) },
	"commands":        func(c net.Conn) { pourAs(c, "govor.v1.json", frame(0x81, []byte(watchAll))) },
	"joins": func(c net.Conn) {
		pourAs(c, "govor.v1.json", append(frame(0x81, []byte(`{"type":"join","room":"other"}`)), frame(0x81, []byte(`{"type":"leave","room":"other"}`))...))
	},
	"half handshakes": func(c net.Conn) {
		_, _ = io.WriteString(c, "GET /ws HTTP/1.1\r\nHost: x\r\nUpgr")
		_, _ = io.Copy(io.Discard, c) // the server has enough
	},
	"pages": func(c net.Conn) {
		ask(c, "GET /r/calm HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\nAccept-Encoding: br\r\n\r\n")
	},
	"room pages": func(c net.Conn) {
		askLoggedIn(c, "GET /r/calm HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\nAccept-Encoding: br\r\n")
	},
	"history": func(c net.Conn) { askLoggedIn(c, "GET /r/calm/messages.json HTTP/1.1\r\nHost: x\r\n") },
	"forms": func(c net.Conn) {
		askLoggedIn(c, "POST /r/calm/messages HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 10\r\n", "text=flood")
	},
	"no methods": func(c net.Conn) { ask(c, "FLOOD /r/calm HTTP/1.1\r\nHost: x\r\n\r\n") },
	"files":      func(c net.Conn) { ask(c, "GET /static/x/css/all.css HTTP/1.1\r\nHost: x\r\n\r\n") },
	"logins": func(c net.Conn) {
		ask(c, "POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 27\r\n\r\nname=flooder&password=wrong")
	},
}

// watchAll asks for news of as many rooms as one may watch, and to have counted what was missed in each.
var watchAll = func() string {
	rooms := make([]string, 64)
	for i := range rooms {
		rooms[i] = fmt.Sprintf(`"calm%d":{"after":0}`, i)
	}
	rooms[0] = `"calm":{"after":0}`
	return `{"type":"watch","rooms":{` + strings.Join(rooms, ",") + `}}`
}()

func floodNames() []string {
	names := make([]string, 0, len(floods))
	for name := range floods {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// flooders do it at once; those who only hold connections are more.
const (
	flooders = 8
	holders  = 1500
	crowd    = 200
)

// knocking is how many connect at the same time. The server may not answer them for seconds, and what a thousand attempts
// cost that are repeated every second would be paid by those who talk, on whose core this is: as much as 6 % of their 99th
// percentile with no server at all at the other end. Who is sent away knocks again at once.
const knocking = 100

// unsent is what a connection keeps that the server does not read, in bytes. When it ends, it is thrown away by whoever writes
// to it next, here: the megabytes of the default would be a tenth of a millisecond of the server for each.
const unsent = 64 << 10

// flood goes on until the process is killed. It comes from an address of its own: 127.0.0.2.
func flood(ctx context.Context, name, addr string) error {
	do, ok := floods[name]
	if !ok {
		return fmt.Errorf("there is no flood %q; there are: %s", name, strings.Join(floodNames(), ", "))
	}
	if err := yield(); err != nil {
		return err
	}
	n := flooders
	switch name {
	case "half handshakes":
		n = holders
	case "commands", "joins": // few would be held by the pace of a session
		n = crowd
	}
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}, Timeout: 5 * time.Second}
	knocks := make(chan struct{}, knocking)
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			for ctx.Err() == nil {
				knocks <- struct{}{}
				c, err := dialer.DialContext(ctx, "tcp", addr)
				<-knocks
				if err != nil {
					<-time.After(10 * time.Millisecond)
					continue
				}
				_ = c.SetDeadline(time.Now().Add(15 * time.Second))
				if tcp, ok := c.(*net.TCPConn); ok {
					_ = tcp.SetWriteBuffer(unsent)
				}
				do(c)
				_ = c.Close()
			}
		})
	}
	all.Wait()
	return ctx.Err()
}

func upgrade(c net.Conn) bool { return upgradeTo(c, "") }

func upgradeTo(c net.Conn, subprotocol string) bool {
	if subprotocol != "" {
		subprotocol = "Sec-WebSocket-Protocol: " + subprotocol + "\r\n"
	}
	_, _ = io.WriteString(c, "GET /ws?room=flood HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+subprotocol+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
	status, err := bufio.NewReader(c).ReadString('\n')
	return err == nil && strings.Contains(status, " 101 ")
}

func pour(c net.Conn, what []byte) { pourAs(c, "", what) }

// pourAs writes as fast as the server reads, and reads what it says.
func pourAs(c net.Conn, subprotocol string, what []byte) {
	if !upgradeTo(c, subprotocol) {
		return
	}
	go func() { _, _ = io.Copy(io.Discard, c) }() // ends with the connection
	for {
		if _, err := c.Write(what); err != nil {
			return
		}
	}
}

// ask asks as often as one connection lets it.
func ask(c net.Conn, request string) {
	go func() { _, _ = io.Copy(io.Discard, c) }() // ends with the connection
	for {
		if _, err := io.WriteString(c, request); err != nil {
			return
		}
	}
}

// askLoggedIn is ask by somebody who has come in. The request lacks the empty line at its end.
func askLoggedIn(c net.Conn, request string, body ...string) {
	cookie, err := cookie(c)
	if err != nil {
		fmt.Fprintln(os.Stderr, "flood:", err)
		os.Exit(1)
	}
	ask(c, request+"Cookie: "+cookie+"\r\n\r\n"+strings.Join(body, ""))
}

var comingIn struct {
	once   sync.Once
	cookie string
	err    error
}

// cookie comes in over the first connection it is called with, once for all.
func cookie(c net.Conn) (string, error) {
	comingIn.once.Do(func() {
		_, _ = io.WriteString(c, "POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 12\r\n\r\nname=flooder")
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			comingIn.err = fmt.Errorf("log in: %w", err)
			return
		}
		defer resp.Body.Close()
		for _, k := range resp.Cookies() {
			if k.Name == "govor" {
				comingIn.cookie = k.Name + "=" + k.Value
				return
			}
		}
		comingIn.err = fmt.Errorf("log in: %s", resp.Status)
	})
	return comingIn.cookie, comingIn.err
}

// frame is a masked frame; a mask of zeros changes nothing.
func frame(first byte, payload []byte) []byte {
	b := []byte{first}
	switch n := len(payload); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	return append(append(b, 0, 0, 0, 0), payload...)
}
