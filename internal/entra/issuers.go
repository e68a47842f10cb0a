package entra

import (
	"cmp"
	"context"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// Bounds on what is asked of an issuer and kept of it.
const (
	cachedIssuers  = 256
	issuerKeyLife  = time.Hour
	issuerPause    = 30 * time.Second // between two requests to one issuer
	issuerPatience = 5 * time.Second
	maxIssuerReply = 1 << 20
	maxIssuerKeys  = 100
)

var (
	// errBadKeys says that what an issuer publishes are no keys.
	errBadKeys = errors.New("no RSA signing keys")
	// errNoKey says that an issuer has no key of an id.
	errNoKey = errors.New("no such key")
)

// issuers fetches and keeps the signing keys of other issuers. It asks only
// those that a federated credential names, which an administrator wrote.
type issuers struct {
	now   func() time.Time
	known *lru.Cache[string, *issuer]
	// Two clients, so that a name on the network never leads to this machine
	// and the other way round, whatever it resolves to or its documents say.
	remote, local *http.Client
}

// issuer is what is known of one. Its lock is held while it is asked.
type issuer struct {
	mu           sync.Mutex
	keys         map[string]*rsa.PublicKey
	asked, until time.Time
	err          error // of the last request
}

func newIssuers(now func() time.Time) (*issuers, error) {
	known, err := lru.New[string, *issuer](cachedIssuers)
	if err != nil {
		return nil, err
	}
	return &issuers{now: now, known: known,
		remote: issuerClient(func(a netip.Addr) bool { return a.IsGlobalUnicast() && !a.IsLoopback() }),
		local:  issuerClient(netip.Addr.IsLoopback)}, nil
}

// issuerClient makes a client that connects only to addresses that may be. It
// uses no proxy, which would connect in its place, and follows no redirect.
func issuerClient(may func(netip.Addr) bool) *http.Client {
	dialer := &net.Dialer{Timeout: issuerPatience, Control: func(_, address string, _ syscall.RawConn) error {
		a, err := netip.ParseAddrPort(address)
		if err != nil || !may(a.Addr().Unmap()) {
			return fmt.Errorf("an issuer may not be at %s", address)
		}
		return nil
	}}
	return &http.Client{Timeout: issuerPatience,
		Transport:     &http.Transport{DialContext: dialer.DialContext, TLSHandshakeTimeout: issuerPatience, MaxIdleConns: 16, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// key is a signing key of an issuer. A key that is not known makes it ask again,
// as issuers roll their keys, but not more often than issuerPause. Errors:
// errNoKey, errBadKeys, or why the issuer can't be asked.
func (s *issuers) key(ctx context.Context, url, kid string) (*rsa.PublicKey, error) {
	entry := &issuer{}
	if before, found, _ := s.known.PeekOrAdd(url, entry); found {
		entry = before
		s.known.Get(url) // it is in use
	}
	entry.mu.Lock()
	defer entry.mu.Unlock()
	now := s.now()
	fresh := now.Before(entry.until)
	if key := entry.keys[kid]; key != nil && fresh {
		return key, nil
	}
	if entry.asked.IsZero() || !now.Before(entry.asked.Add(issuerPause)) {
		entry.asked = now
		// A client that goes must not fail those that wait.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), issuerPatience)
		defer cancel()
		var keys map[string]*rsa.PublicKey
		if keys, entry.err = s.fetch(ctx, url); entry.err == nil {
			entry.keys, entry.until, fresh = keys, now.Add(issuerKeyLife), true
		}
	}
	switch key := entry.keys[kid]; {
	case !fresh:
		return nil, cmp.Or(entry.err, errNoKey)
	case key == nil:
		return nil, errNoKey
	default:
		return key, nil
	}
}

// fetch reads the keys by the issuer's discovery document.
// Source: OpenID Connect Discovery 1.0 §4.
func (s *issuers) fetch(ctx context.Context, issuer string) (map[string]*rsa.PublicKey, error) {
	u, err := issuerURL(issuer)
	if err != nil {
		return nil, err
	}
	client := s.remote
	if loopback(u.Hostname()) {
		client = s.local
	}
	var document struct {
		Issuer string `json:"issuer"`
		Keys   string `json:"jwks_uri"`
	}
	if err := get(ctx, client, strings.TrimSuffix(issuer, "/")+"/.well-known/openid-configuration", &document); err != nil {
		return nil, err
	}
	if document.Issuer != issuer {
		return nil, errors.New("the issuer's discovery document is another issuer's")
	}
	if !strings.HasPrefix(document.Keys, "https://") && (u.Scheme != "http" || !strings.HasPrefix(document.Keys, "http://")) {
		return nil, errors.New("the issuer's jwks_uri is not https")
	}
	var set struct {
		Keys []jwk `json:"keys"`
	}
	if err := get(ctx, client, document.Keys, &set); err != nil {
		return nil, err
	}
	keys := map[string]*rsa.PublicKey{}
	for _, k := range set.Keys[:min(len(set.Keys), maxIssuerKeys)] {
		if key := k.rsa(); key != nil {
			keys[k.ID] = key
		}
	}
	if len(keys) == 0 {
		return nil, errBadKeys
	}
	return keys, nil
}

func get(ctx context.Context, client *http.Client, url string, into any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Accept", "application/json")
	resp, err := client.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, resp.Status)
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxIssuerReply+1))
	if err != nil {
		return err
	}
	if len(raw) > maxIssuerReply {
		return fmt.Errorf("%s answers with more than %d bytes", url, maxIssuerReply)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("%w: %w", errBadKeys, err)
	}
	return nil
}

// jwk is a key as an issuer publishes it.
type jwk struct {
	Type      string `json:"kty"`
	Use       string `json:"use"`
	Algorithm string `json:"alg"`
	ID        string `json:"kid"`
	N         string `json:"n"`
	E         string `json:"e"`
}

// rsa is the key if it is one that signs with RS256, or nil.
func (k jwk) rsa() *rsa.PublicKey {
	n, errN := base64.RawURLEncoding.DecodeString(k.N)
	e, errE := base64.RawURLEncoding.DecodeString(k.E)
	if errN != nil || errE != nil || k.Type != "RSA" || k.ID == "" || k.Use != "" && k.Use != "sig" || k.Algorithm != "" && k.Algorithm != "RS256" {
		return nil
	}
	modulus, exponent := new(big.Int).SetBytes(n), new(big.Int).SetBytes(e)
	if bits := modulus.BitLen(); bits < 2048 || bits > 8192 || exponent.BitLen() > 31 || exponent.Int64() < 3 || exponent.Bit(0) == 0 {
		return nil
	}
	return &rsa.PublicKey{N: modulus, E: int(exponent.Int64())}
}
