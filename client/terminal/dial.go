package terminal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"

	"github.com/coder/websocket"

	"govor/hub/protocol"
)

// wire is one open WebSocket. Read is called by one goroutine, everything else by any.
type wire interface {
	// Read returns the next text message. When the server ended the connection, the error is a *closeError.
	Read(ctx context.Context) ([]byte, error)
	Write(ctx context.Context, data []byte) error
	// Close says goodbye and ends a Read; it may take seconds when the server does not answer.
	Close()
	// Abort drops the connection at once.
	Abort()
}

// dialFunc opens a wire; the error may be a *refusal.
type dialFunc func(ctx context.Context, url string) (wire, error)

// closeError is the end of a connection as the server put it.
type closeError struct {
	code   int
	reason string
}

func (e *closeError) Error() string { return fmt.Sprintf("closed with %d %s", e.code, e.reason) }

// refusal is an HTTP answer instead of a WebSocket.
type refusal struct {
	status     int
	err        *protocol.Error // what the body says, if it says it in our words; else nil
	retryAfter time.Duration
}

func (e *refusal) Error() string {
	text := http.StatusText(e.status)
	if e.err != nil {
		text = e.err.Message
	}
	return strconv.Itoa(e.status) + " " + text
}

// maxFrame bounds what a server may send at once: its largest message with every character escaped, and room to grow.
const maxFrame = 1 << 20

var errNotGovor = errors.New("the server does not speak " + protocol.SubprotocolJSON)

// dialer is the dialFunc for the real world; header goes with the request that opens the connection.
func dialer(header http.Header) dialFunc {
	return func(ctx context.Context, url string) (wire, error) { return dialWebSocket(ctx, url, header) }
}

func dialWebSocket(ctx context.Context, url string, header http.Header) (wire, error) {
	opts := &websocket.DialOptions{Subprotocols: []string{protocol.SubprotocolJSON}, HTTPHeader: header}
	conn, resp, err := websocket.Dial(ctx, url, opts) //nolint:bodyclose // Dial has read the body and closed it
	if err != nil {
		if resp != nil && resp.StatusCode != http.StatusSwitchingProtocols {
			return nil, readRefusal(resp)
		}
		return nil, err
	}
	if conn.Subprotocol() != protocol.SubprotocolJSON {
		_ = conn.CloseNow()
		return nil, errNotGovor
	}
	conn.SetReadLimit(maxFrame)
	return webSocket{conn}, nil
}

// readRefusal reads the answer of a server that did not upgrade: {"error": {"code", "message"}} or flat, or anything.
func readRefusal(resp *http.Response) *refusal {
	r := &refusal{status: resp.StatusCode}
	if s, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && s > 0 {
		r.retryAfter = min(time.Duration(s)*time.Second, maxFloor)
	}
	type said struct {
		Code    protocol.Code `json:"code"`
		Message string        `json:"message"`
	}
	var body struct {
		said
		Error json.RawMessage `json:"error"`
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, 1024)) // all that Dial has kept
	if err != nil || json.Unmarshal(data, &body) != nil {
		return r
	}
	if body.Code == "" && json.Unmarshal(body.Error, &body.said) != nil {
		return r
	}
	if body.Code != "" {
		r.err = &protocol.Error{Code: body.Code, Message: body.Message, RetryAfter: r.retryAfter}
	}
	return r
}

// webSocket is the wire of coder/websocket.
type webSocket struct{ conn *websocket.Conn }

func (w webSocket) Read(ctx context.Context) ([]byte, error) {
	for {
		kind, data, err := w.conn.Read(ctx)
		if err != nil {
			var ce websocket.CloseError
			if errors.As(err, &ce) {
				return nil, &closeError{int(ce.Code), ce.Reason}
			}
			return nil, err
		}
		if kind == websocket.MessageText {
			return data, nil
		}
	}
}

func (w webSocket) Write(ctx context.Context, data []byte) error {
	return w.conn.Write(ctx, websocket.MessageText, data)
}

func (w webSocket) Close() { _ = w.conn.Close(websocket.StatusNormalClosure, "") }

func (w webSocket) Abort() { _ = w.conn.CloseNow() }

// cause is a short reason for people why a connection failed.
func cause(err error) string {
	var r *refusal
	var ce *closeError
	var dns *net.DNSError
	var errno syscall.Errno
	switch {
	case errors.As(err, &r):
		return protocol.CleanText(r.Error())
	case errors.As(err, &ce):
		return protocol.CleanText(fmt.Sprintf("%d %s", ce.code, ce.reason))
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.As(err, &dns):
		return protocol.CleanText("no such host " + dns.Name)
	case errors.As(err, &errno):
		return errno.Error()
	}
	return protocol.CleanText(err.Error())
}
