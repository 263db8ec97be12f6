package hub

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash"
	"strings"
	"sync"

	"go.uber.org/zap"

	"govor/hub/protocol"
)

// Purposes of signed claims; one does not pass for another.
const (
	purposeLogin  = "login"  // the login cookie
	purposeToken  = "token"  // of a welcome, for a hello; or one that was made for a program
	purposeLink   = "link"   // signs in on another device, once
	purposeInvite = "invite" // lets new members in
	purposeAdmin  = "admin"  // of a command beside the server
)

// claims are what a cookie or token says: signed and stateless, so that they outlive restarts and are good on every
// node with the same secret. Logging out raises the member's generation in the journal, which ends the older ones.
type claims struct {
	Member     string
	Name       string
	Login      string // the login that proves it
	Mark       string // of the server's password, see door
	Nonce      string // what may happen once, or so many times
	Generation int64
	At         int64 // Unix seconds
	Expires    int64 // the same
}

// fields are what is encoded, in this order.
func (c *claims) fields() ([]*string, []*int64) {
	return []*string{&c.Member, &c.Name, &c.Login, &c.Mark, &c.Nonce}, []*int64{&c.Generation, &c.At, &c.Expires}
}

// append encodes c: each text with its length before it, then the numbers, as varints. A page and a connection decode one
// each: as JSON, that was most of what a login costs them.
func (c claims) append(b []byte) []byte {
	texts, numbers := c.fields()
	for _, t := range texts {
		b = append(binary.AppendUvarint(b, uint64(len(*t))), *t...)
	}
	for _, n := range numbers {
		b = binary.AppendVarint(b, *n)
	}
	return b
}

// decode reads what append has written, all of b.
func (c *claims) decode(b []byte) error {
	bad := errors.New("not claims")
	texts, numbers := c.fields()
	for _, t := range texts {
		n, size := binary.Uvarint(b)
		if size <= 0 {
			return bad
		}
		if b = b[size:]; n > uint64(len(b)) {
			return bad
		}
		*t, b = string(b[:n]), b[n:]
	}
	for _, number := range numbers {
		n, size := binary.Varint(b)
		if size <= 0 {
			return bad
		}
		*number, b = n, b[size:]
	}
	if len(b) > 0 {
		return bad
	}
	return nil
}

// signer signs claims by HMAC-SHA256 (RFC 2104).
type signer struct {
	macs *sync.Pool // of hash.Hash, that have read the secret already
}

func newSigner(secret []byte) signer {
	return signer{&sync.Pool{New: func() any { return hmac.New(sha256.New, secret) }}}
}

func (s signer) sign(purpose string, c claims) string {
	body := base64.RawURLEncoding.EncodeToString(c.append(nil))
	return body + "." + base64.RawURLEncoding.EncodeToString(s.mac(purpose, body))
}

func (s signer) mac(purpose, body string) []byte {
	m := s.macs.Get().(hash.Hash) //nolint:errcheck,forcetypeassert // there is nothing else in it
	defer s.macs.Put(m)
	m.Reset()
	m.Write([]byte(purpose + "\x00" + body))
	return m.Sum(nil)
}

func (s signer) verify(purpose, text string) (claims, error) {
	var c claims
	body, sig, ok := strings.Cut(text, ".")
	got, err := base64.RawURLEncoding.Strict().DecodeString(sig) // one text for one signature
	if !ok || err != nil || !hmac.Equal(got, s.mac(purpose, body)) {
		return c, errors.New("not signed by this server")
	}
	b, err := base64.RawURLEncoding.DecodeString(body)
	if err != nil {
		return c, errors.New("not base64")
	}
	return c, c.decode(b)
}

func (h *Hub) issue(purpose string, m Member) string { return h.signer.sign(purpose, h.claims(m)) }

func (h *Hub) claims(m Member) claims {
	return claims{
		Member: m.ID.String(), Name: m.Name, Generation: m.Generation, Login: m.Login, Mark: h.door.mark, At: h.now().Unix(),
	}
}

// Cookie signs m for the login cookie.
func (h *Hub) Cookie(m Member) string { return h.issue(purposeLogin, m) }

// Authenticate reads a login cookie. The error is a *protocol.Error: bad_token when it is not valid or no longer,
// banned (then the member is returned, too), unavailable when that cannot be found out now.
func (h *Hub) Authenticate(ctx context.Context, cookie string) (Member, error) {
	m, known, err := h.verify(ctx, purposeLogin, cookie)
	if err == nil && !known { // every login has written its member: this one is of another file
		return Member{}, errBadToken()
	}
	m.Proof = ByLogin
	if err == nil {
		err = h.keepName(ctx, &m)
	}
	return m, err
}

// Recognise reads a token of a welcome, for who sends by HTTP. Errors are those of Authenticate.
func (h *Hub) Recognise(ctx context.Context, token string) (Member, error) {
	m, _, err := h.verify(ctx, purposeToken, token)
	m.Proof = ByToken
	if err == nil {
		err = h.keepName(ctx, &m)
	}
	return m, err
}

func errBadToken() *protocol.Error {
	return protocol.Errorf(protocol.CodeBadToken, "this login or token is not valid, or no longer")
}

// verify reads who claims prove; known tells whether the member has a row in the store, whose name then counts.
func (h *Hub) verify(ctx context.Context, purpose, text string) (m Member, known bool, err error) {
	m, _, known, err = h.decode(ctx, purpose, text)
	return m, known, err
}

func (h *Hub) decode(ctx context.Context, purpose, text string) (m Member, c claims, known bool, err error) {
	c, err = h.signer.verify(purpose, text)
	if err != nil {
		return Member{}, c, false, errBadToken()
	}
	m.ID, err = protocol.ParseMemberID(c.Member)
	if err != nil {
		return Member{}, c, false, errBadToken()
	}
	row, good, known, err := h.store.Prove(ctx, m.ID, c.Login)
	if err != nil {
		h.log.Warn("member cannot be read", zap.Error(err))
		return Member{}, c, false, protocol.Errorf(protocol.CodeUnavailable, "who you are cannot be looked up now")
	}
	// A guest's token names no login; the generation alone ends it.
	if c.Generation != row.Generation || c.Login != "" && !good || !h.door.admits(c, row.Claimed) {
		return Member{}, c, false, errBadToken()
	}
	m.Generation, m.Login, m.Claimed, m.holds = c.Generation, c.Login, row.Claimed, row.Holds
	m.Name, m.NameKey = row.Name, row.NameKey
	if !known {
		var bad *protocol.Error
		if m.Name, m.NameKey, bad = protocol.CheckName(c.Name); bad != nil {
			return Member{}, c, false, errBadToken()
		}
	}
	if ban := h.store.Ban(m.ID, m.NameKey, h.now()); ban != nil {
		return m, c, known, ban.Refusal(h.now())
	}
	return m, c, known, nil
}
