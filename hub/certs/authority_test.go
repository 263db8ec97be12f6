package certs

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// fakeAuthority is an ACME server (RFC 8555) that looks at no signature, but asks the domain as a real one does: by
// TLS-ALPN-01 (RFC 8737), or by HTTP-01 (RFC 8555 §8.3).
type fakeAuthority struct {
	*httptest.Server
	t      *testing.T
	way    string // how it asks: the type of its only challenge
	target string // where every domain is
	key    *ecdsa.PrivateKey
	root   *x509.Certificate

	mu     sync.Mutex // guards the fields below
	domain string
	proved bool
	issued []byte
	orders int
}

func newFakeAuthority(t *testing.T) *fakeAuthority {
	t.Helper()
	a := &fakeAuthority{t: t, way: "tls-alpn-01"}
	var err error
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	a.root = &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "fake authority"}, NotBefore: time.Unix(0, 0),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	a.Server = httptest.NewServer(a)
	t.Cleanup(a.Close)
	return a
}

// payload is what a signed request says; nil for one that only asks.
func payload(r *http.Request) []byte {
	var signed struct{ Payload string }
	_ = json.NewDecoder(r.Body).Decode(&signed)
	b, _ := base64.RawURLEncoding.DecodeString(signed.Payload)
	return b
}

func (a *fakeAuthority) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	body := payload(r)
	w.Header().Set("Replay-Nonce", "nonce")
	w.Header().Set("Content-Type", "application/json")
	switch r.URL.Path {
	case "/directory":
		a.say(w, 200, map[string]any{"newNonce": a.URL + "/nonce", "newAccount": a.URL + "/account", "newOrder": a.URL + "/orders"})
	case "/nonce":
	case "/account":
		w.Header().Set("Location", a.URL+"/account/1")
		a.say(w, 201, map[string]any{"status": "valid"})
	case "/orders":
		var order struct{ Identifiers []struct{ Value string } }
		if json.Unmarshal(body, &order) != nil || len(order.Identifiers) != 1 {
			a.say(w, 400, map[string]any{"type": "urn:ietf:params:acme:error:malformed"})
			return
		}
		a.domain, a.proved, a.issued = order.Identifiers[0].Value, false, nil
		a.orders++
		w.Header().Set("Location", a.URL+"/order")
		a.sayOrder(w, 201)
	case "/order":
		a.sayOrder(w, 200)
	case "/authorization":
		a.sayAuthorization(w)
	case "/challenge":
		a.proved = a.asks()
		a.say(w, 200, a.challenge())
	case "/finalize":
		a.issue(body)
		a.sayOrder(w, 200)
	case "/certificate":
		w.Header().Set("Content-Type", "application/pem-certificate-chain")
		_, _ = w.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.issued}))
	default:
		a.say(w, 404, nil)
	}
}

func (a *fakeAuthority) say(w http.ResponseWriter, status int, v any) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func (a *fakeAuthority) status() string {
	if a.proved {
		return "valid"
	}
	return "pending"
}

func (a *fakeAuthority) sayOrder(w http.ResponseWriter, status int) {
	w.Header().Set("Location", a.URL+"/order")
	order := map[string]any{
		"status": "pending", "identifiers": []any{map[string]any{"type": "dns", "value": a.domain}},
		"authorizations": []string{a.URL + "/authorization"}, "finalize": a.URL + "/finalize",
	}
	switch {
	case a.issued != nil:
		order["status"], order["certificate"] = "valid", a.URL+"/certificate"
	case a.proved:
		order["status"] = "ready"
	}
	a.say(w, status, order)
}

func (a *fakeAuthority) sayAuthorization(w http.ResponseWriter) {
	a.say(w, 200, map[string]any{
		"status": a.status(), "identifier": map[string]any{"type": "dns", "value": a.domain}, "challenges": []any{a.challenge()},
	})
}

func (a *fakeAuthority) challenge() map[string]any {
	return map[string]any{"type": a.way, "url": a.URL + "/challenge", "token": "token", "status": a.status()}
}

// asks tells whether the domain answers the challenge.
func (a *fakeAuthority) asks() bool {
	if a.way == "http-01" {
		return a.asksByHTTP()
	}
	c, err := tls.Dial("tcp", a.target, &tls.Config{
		ServerName: a.domain, NextProtos: []string{"acme-tls/1"}, InsecureSkipVerify: true,
	})
	if err != nil {
		a.t.Logf("ask the domain: %v", err)
		return false
	}
	defer c.Close()
	for _, e := range c.ConnectionState().PeerCertificates[0].Extensions {
		if e.Id.Equal(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 31}) {
			return true
		}
	}
	return false
}

// asksByHTTP looks for the token, and a print of the account's key, which is not looked at.
func (a *fakeAuthority) asksByHTTP() bool {
	req, err := http.NewRequest(http.MethodGet, "http://"+a.target+"/.well-known/acme-challenge/token", nil)
	if err != nil {
		a.t.Error(err)
		return false
	}
	req.Host = a.domain
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		a.t.Logf("ask the domain: %v", err)
		return false
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	return resp.StatusCode == http.StatusOK && strings.HasPrefix(string(body), "token.") && len(body) > 40
}

func (a *fakeAuthority) issue(body []byte) {
	var request struct{ CSR string }
	if json.Unmarshal(body, &request) != nil || !a.proved {
		return
	}
	der, _ := base64.RawURLEncoding.DecodeString(request.CSR)
	csr, err := x509.ParseCertificateRequest(der)
	if err != nil {
		a.t.Errorf("request of a certificate: %v", err)
		return
	}
	a.issued, err = x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(int64(a.orders) + 1), Subject: csr.Subject, DNSNames: csr.DNSNames, NotBefore: time.Now().Add(-time.Minute),
		NotAfter: time.Now().Add(90 * 24 * time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
	}, a.root, csr.PublicKey, a.key)
	if err != nil {
		a.t.Error(err)
	}
}

// The first visitor of a domain of ours gets a certificate that an authority gave for it; it is kept for the next process;
// for a domain that is not ours nobody is asked.
func TestAuthorityGivesTheCertificate(t *testing.T) {
	ca := newFakeAuthority(t)
	dir := t.TempDir()
	for visit := range 2 {
		authority, err := NewAuthority(AuthorityConfig{Domains: []string{"chat.example"}, Dir: dir, Directory: ca.URL + "/directory"})
		if err != nil {
			t.Fatal(err)
		}
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ca.mu.Lock()
		ca.target = ln.Addr().String()
		ca.mu.Unlock()
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") })}
		served := make(chan struct{})
		go func() {
			defer close(served)
			_ = server.Serve(tls.NewListener(ln, authority.Config()))
		}()
		c, err := tls.Dial("tcp", ln.Addr().String(), &tls.Config{ServerName: "chat.example", NextProtos: []string{"h2", "http/1.1"}, InsecureSkipVerify: true})
		if err != nil {
			t.Fatalf("visit %d: %v", visit, err)
		}
		state := c.ConnectionState()
		_ = c.Close()
		leaf := state.PeerCertificates[0]
		if err := leaf.VerifyHostname("chat.example"); err != nil || leaf.Issuer.CommonName != "fake authority" || state.NegotiatedProtocol != "http/1.1" {
			t.Errorf("visit %d: %v, issued by %q, over it %q", visit, err, leaf.Issuer.CommonName, state.NegotiatedProtocol)
		}
		if _, err := tls.Dial("tcp", ln.Addr().String(), &tls.Config{ServerName: "evil.example", InsecureSkipVerify: true}); err == nil {
			t.Error("there is a certificate for a domain that is not ours")
		}
		_ = server.Close()
		<-served
	}
	if ca.orders != 1 {
		t.Errorf("%d certificates were ordered; the first one was not kept", ca.orders)
	}
}

func TestDomainsThatNobodyCertifies(t *testing.T) {
	for _, d := range []string{"localhost", "https://chat.example", "chat.example:443", "*.example"} {
		if _, err := NewAuthority(AuthorityConfig{Domains: []string{d}}); err == nil || !strings.Contains(err.Error(), d) {
			t.Errorf("%s: %v", d, err)
		}
	}
}

// An authority that asks by plain HTTP is answered beside the redirect to TLS, and only for domains of ours.
func TestAuthorityAsksByHTTP(t *testing.T) {
	ca := newFakeAuthority(t)
	ca.way = "http-01"
	authority, err := NewAuthority(AuthorityConfig{Domains: []string{"chat.example"}, Dir: t.TempDir(), Directory: ca.URL + "/directory"})
	if err != nil {
		t.Fatal(err)
	}
	plain := httptest.NewServer(authority.Handler(Redirect("https://chat.example", "443")))
	defer plain.Close()
	ca.mu.Lock()
	ca.target = plain.Listener.Addr().String()
	ca.mu.Unlock()
	cert, err := authority.Config().GetCertificate(&tls.ClientHelloInfo{ServerName: "chat.example", CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}})
	if err != nil {
		t.Fatal(err)
	}
	if err := cert.Leaf.VerifyHostname("chat.example"); err != nil || ca.orders != 1 {
		t.Errorf("%v, after %d orders", err, ca.orders)
	}
	for path, want := range map[string]int{"/r/lobby": http.StatusPermanentRedirect, "/.well-known/acme-challenge/another": http.StatusNotFound} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, plain.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = "chat.example"
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: status %d, want %d", path, resp.StatusCode, want)
		}
	}
}
