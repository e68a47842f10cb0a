package main

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"

	"sekisho/internal/api"
	"sekisho/internal/entra"
	"sekisho/internal/gate"
	"sekisho/internal/services/login"
	"sekisho/internal/store"
)

const (
	tenant   = "11111111-0000-0000-0000-000000000001"
	app      = "aaaaaaaa-0000-0000-0000-000000000001"
	arm      = "https://management.azure.com"
	password = "a Password of 30 characters 12"
	redirect = "http://localhost:8400"
)

// silence is an audit that keeps nothing: what the log costs is measured apart.
type silence struct{}

func (silence) Append(store.Entry) {}

// service is one token service on a store of its own.
type service struct {
	directory *entra.Directory
	gate      *gate.Gate
	secret    string
	cookies   map[string]string
}

func start(dir string, reuse time.Duration) (*service, func(), error) {
	ctx := context.Background()
	seal, err := store.OpenSealer(ctx, dir, "")
	if err != nil {
		return nil, nil, err
	}
	st, err := store.Open(ctx, dir)
	if err != nil {
		return nil, nil, err
	}
	stop := func() { st.Close() }
	s := &service{cookies: map[string]string{}}
	if s.directory, err = entra.New(ctx, st, seal, time.Now); err != nil {
		return nil, stop, err
	}
	if err := s.directory.ReuseTokens(reuse); err != nil {
		return nil, stop, err
	}
	now := time.Now()
	var credential entra.PasswordCredential
	s.secret, credential = s.directory.NewSecret("", now.Add(-time.Hour), now.Add(time.Hour))
	err = st.Update(ctx, func(tx *store.Tx) error {
		return errors.Join(
			entra.PutTenant(tx, entra.Tenant{ID: tenant, DisplayName: "Contoso", Domains: []string{"contoso.com"}}),
			entra.PutUser(tx, tenant, entra.User{ID: "bbbbbbbb-0000-0000-0000-000000000001", UserPrincipalName: "ann@contoso.com", AccountEnabled: true, PasswordHash: entra.HashPassword(password)}),
			entra.PutApplication(tx, tenant, entra.Application{ID: "aaaaaaaa-0000-0000-0000-000000000003", AppID: app, PasswordCredentials: []entra.PasswordCredential{credential}}),
			entra.PutServicePrincipal(tx, tenant, entra.ServicePrincipal{ID: "aaaaaaaa-0000-0000-0000-000000000002", AppID: app, Type: "Application", AccountEnabled: true}))
	})
	if err != nil {
		return nil, stop, err
	}
	s.gate, err = gate.New(gate.Config{Verifier: s.directory, Audit: silence{}, Log: slog.New(slog.DiscardHandler),
		Services: []api.Service{login.New(s.directory, login.Options{}).Service()}})
	return s, stop, err
}

// do sends one request, as the browser that holds the cookies.
func (s *service) do(method, path string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for name, value := range s.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	w := httptest.NewRecorder()
	s.gate.ServeCall(w, r, api.Origin{Base: "https://login.microsoftonline.com"}, api.Target{Service: login.Service})
	for _, c := range w.Result().Cookies() {
		s.cookies[c.Name] = c.Value
	}
	return w
}

// token posts a grant.
func (s *service) token(form url.Values) (map[string]any, error) {
	w := s.do(http.MethodPost, "/"+tenant+"/oauth2/v2.0/token", form)
	var reply map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &reply); err != nil || w.Code != http.StatusOK {
		return nil, fmt.Errorf("%d %s", w.Code, w.Body)
	}
	return reply, nil
}

func (s *service) clientCredentials() error {
	_, err := s.token(url.Values{"grant_type": {"client_credentials"}, "client_id": {app}, "client_secret": {s.secret}, "scope": {arm + "/.default"}})
	return err
}

var authorizePath = "/" + tenant + "/oauth2/v2.0/authorize?" + url.Values{"client_id": {entra.AzureCLIAppID}, "response_type": {"code"},
	"redirect_uri": {redirect}, "scope": {arm + "/.default openid offline_access profile"}}.Encode()

var hidden = regexp.MustCompile(`name="flow" value="([^"]*)"`)

// signIn signs the user in, and gives the first refresh token.
func (s *service) signIn() (string, error) {
	page := s.do(http.MethodGet, authorizePath, nil)
	flow := hidden.FindStringSubmatch(page.Body.String())
	if flow == nil {
		return "", fmt.Errorf("no sign-in page: %d %s", page.Code, page.Body)
	}
	s.do(http.MethodPost, "/common/login", url.Values{"flow": {html.UnescapeString(flow[1])}, "login": {"ann@contoso.com"}, "passwd": {password}, "action": {"signin"}})
	code, err := s.code()
	if err != nil {
		return "", err
	}
	reply, err := s.token(url.Values{"grant_type": {"authorization_code"}, "client_id": {entra.AzureCLIAppID}, "code": {code}, "redirect_uri": {redirect}})
	if err != nil {
		return "", err
	}
	return reply["refresh_token"].(string), nil
}

// code is that of a user who is signed in.
func (s *service) code() (string, error) {
	w := s.do(http.MethodGet, authorizePath, nil)
	location, err := url.Parse(w.Header().Get("Location"))
	if err != nil || location.Query().Get("code") == "" {
		return "", fmt.Errorf("no code: %d %s", w.Code, w.Body)
	}
	return location.Query().Get("code"), nil
}

// world makes all that is measured.
func world() ([]work, func(), error) {
	dir, err := os.MkdirTemp("", "grants-")
	if err != nil {
		return nil, nil, err
	}
	var stops []func()
	stop := func() {
		for _, s := range stops {
			s()
		}
		os.RemoveAll(dir)
	}
	service := func(name string, reuse time.Duration) (*service, error) {
		if err := os.Mkdir(dir+"/"+name, 0o700); err != nil {
			return nil, err
		}
		s, end, err := start(dir+"/"+name, reuse)
		if end != nil {
			stops = append(stops, end)
		}
		return s, err
	}
	afresh, err := service("afresh", 0)
	if err != nil {
		return nil, stop, err
	}
	again, err := service("again", 5*time.Minute)
	if err != nil {
		return nil, stop, err
	}
	stranger, err := service("stranger", 0) // of another browser at each page
	if err != nil {
		return nil, stop, err
	}
	refresh, err := afresh.signIn()
	if err != nil {
		return nil, stop, err
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, stop, err
	}
	digest := sha256.Sum256([]byte("a token"))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	if err != nil {
		return nil, stop, err
	}
	const sign, verify = "RSA-2048 sign", "RSA-2048 verify"
	tokens, next := make([]string, 20000), 0 // more than are remembered
	mint := func() error {
		for i := range tokens {
			t, err := afresh.directory.ClientCredentials(context.Background(), tenant, app, afresh.secret, arm)
			if err != nil {
				return err
			}
			tokens[i] = t.AccessToken
		}
		return nil
	}
	if err := mint(); err != nil {
		return nil, stop, err
	}
	audiences := []string{arm}
	return []work{
		{sign, func() error { _, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:]); return err }, "", 0},
		{"client credentials, each token signed", afresh.clientCredentials, sign, 1},
		{"client credentials, the same token again", again.clientCredentials, sign, 1},
		{"refresh: an access token and an ID token", func() error {
			reply, err := afresh.token(url.Values{"grant_type": {"refresh_token"}, "client_id": {entra.AzureCLIAppID}, "refresh_token": {refresh}})
			if err == nil {
				refresh = reply["refresh_token"].(string)
			}
			return err
		}, sign, 2},
		{verify, func() error { return rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, digest[:], signature) }, "", 0},
		{"validation, a token that was not seen before", func() error {
			next = (next + 1) % len(tokens)
			_, err := afresh.directory.Verify(context.Background(), tokens[next], audiences)
			return err
		}, verify, 1},
		{"validation, a token that was", func() error {
			_, err := afresh.directory.Verify(context.Background(), tokens[0], audiences)
			return err
		}, verify, 1},
		{"sign-in page", func() error {
			clear(stranger.cookies)
			if w := stranger.do(http.MethodGet, authorizePath, nil); w.Code != http.StatusOK {
				return fmt.Errorf("%d %s", w.Code, w.Body)
			}
			return nil
		}, "", 0},
		{"authorization code of who is signed in", func() error { _, err := afresh.code(); return err }, "", 0},
	}, stop, nil
}
