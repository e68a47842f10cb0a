package login

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// These are the behaviours that the OpenID Foundation's certification asks of a
// Basic OP and of a Config OP (oidcc-basic-certification-test-plan,
// oidcc-config-certification-test-plan), with a relying party that is not ours.
// Where Entra is of its own mind, docs/SIGN-IN.md says so.

// RoundTrip lets the relying party reach the house by Azure's names.
func (h *house) RoundTrip(r *http.Request) (*http.Response, error) {
	service := Service
	if r.URL.Host == "graph.microsoft.com" {
		service = "graph"
	}
	in := httptest.NewRequest(r.Method, r.URL.RequestURI(), r.Body)
	in.Header, in.Host = r.Header, r.URL.Host
	return h.serve(service, in).Result(), nil
}

// party is a relying party.
type party struct {
	h        *house
	ctx      context.Context
	provider *oidc.Provider
	oauth2.Config
}

func (h *house) party() *party {
	h.t.Helper()
	p := &party{h: h, ctx: oidc.ClientContext(h.t.Context(), &http.Client{Transport: h})}
	var err error
	p.provider, err = oidc.NewProvider(p.ctx, base+"/"+tenant+"/v2.0")
	h.must(err)
	p.Config = oauth2.Config{ClientID: webApp, ClientSecret: h.webKey, RedirectURL: back, Endpoint: p.provider.Endpoint(), Scopes: []string{"openid", "profile", "email"}}
	return p
}

// begin opens the authorization URL in a browser.
func (p *party) begin(b *browser, options ...oauth2.AuthCodeOption) answered {
	p.h.t.Helper()
	u, err := url.Parse(p.AuthCodeURL("the state", options...))
	p.h.must(err)
	return b.get(u.Path, u.Query())
}

// idToken exchanges the code of a reply, and verifies the ID token.
func (p *party) idToken(r answered, options ...oauth2.AuthCodeOption) (*oidc.IDToken, *oauth2.Token) {
	p.h.t.Helper()
	token, err := p.Exchange(p.ctx, r.fields().Get("code"), options...)
	p.h.must(err)
	raw, _ := token.Extra("id_token").(string)
	id, err := p.provider.Verifier(&oidc.Config{ClientID: webApp}).Verify(p.ctx, raw)
	p.h.must(err)
	return id, token
}

func TestConfigOP(t *testing.T) {
	h := newHouse(t)
	p := h.party() // the issuer is that of the URL: go-oidc has checked it
	var says struct {
		Issuer                string   `json:"issuer"`
		Authorization         string   `json:"authorization_endpoint"`
		Token                 string   `json:"token_endpoint"`
		UserInfo              string   `json:"userinfo_endpoint"`
		Keys                  string   `json:"jwks_uri"`
		EndSession            string   `json:"end_session_endpoint"`
		Device                string   `json:"device_authorization_endpoint"`
		ResponseTypes         []string `json:"response_types_supported"`
		Modes                 []string `json:"response_modes_supported"`
		Subjects              []string `json:"subject_types_supported"`
		Algorithms            []string `json:"id_token_signing_alg_values_supported"`
		Scopes                []string `json:"scopes_supported"`
		Claims                []string `json:"claims_supported"`
		Methods               []string `json:"token_endpoint_auth_methods_supported"`
		RequestURI            *bool    `json:"request_uri_parameter_supported"`
		FrontChannel, HTTPOut bool
	}
	h.must(p.provider.Claims(&says))
	for name, uri := range map[string]string{"authorization": says.Authorization, "token": says.Token, "userinfo": says.UserInfo, "keys": says.Keys, "end session": says.EndSession, "device": says.Device} {
		if u, err := url.Parse(uri); err != nil || u.Scheme != "https" || u.Host == "" || u.Fragment != "" {
			t.Errorf("%s: %q", name, uri)
		}
	}
	for name, c := range map[string]struct{ has, want []string }{
		"response types": {says.ResponseTypes, []string{"code", "id_token", "code id_token"}}, "modes": {says.Modes, []string{"query", "fragment", "form_post"}},
		"subjects": {says.Subjects, []string{"pairwise"}}, "algorithms": {says.Algorithms, []string{"RS256"}}, "scopes": {says.Scopes, []string{"openid", "profile", "email", "offline_access"}},
		"methods": {says.Methods, []string{"client_secret_post", "private_key_jwt", "client_secret_basic"}},
	} {
		if !slices.Equal(c.has, c.want) {
			t.Errorf("%s: %s, want %s", name, c.has, c.want)
		}
	}
	for _, claim := range []string{"sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "name", "email", "preferred_username", "c_hash"} {
		if !slices.Contains(says.Claims, claim) {
			t.Errorf("claims_supported lacks %s", claim)
		}
	}
	if says.RequestURI == nil || *says.RequestURI {
		t.Error("request_uri_parameter_supported is not false")
	}
	// The keys can be used as they are published, and have nothing private.
	keys, _ := h.serve(Service, get("/"+tenant+"/discovery/v2.0/keys")).json()["keys"].([]any)
	for _, key := range keys {
		k := key.(map[string]any)
		for _, name := range []string{"kty", "use", "kid", "n", "e", "x5t", "x5c"} {
			if k[name] == nil {
				t.Errorf("a key lacks %s: %v", name, k)
			}
		}
		for _, name := range []string{"d", "p", "q", "dp", "dq", "qi"} {
			if k[name] != nil {
				t.Fatal("a private key is published")
			}
		}
	}
	// A page reads them from any origin.
	r := get("/" + tenant + "/v2.0/.well-known/openid-configuration")
	r.Header.Set("Origin", "https://spa.contoso.com")
	if got := h.serve(Service, r).Header(); got.Get("Access-Control-Allow-Origin") != "*" || got.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("%v", got)
	}
}

// oidcc-server, oidcc-idtoken-signature, oidcc-idtoken-rs256, oidcc-userinfo-*.
func TestBasicOPTokens(t *testing.T) {
	h := newHouse(t)
	p := h.party()
	b := h.browser()
	began := time.Now()
	p.begin(b, oidc.Nonce("the nonce"))
	r := b.password(sekretUser)
	if r.fields().Get("state") != "the state" {
		t.Errorf("state %q", r.fields())
	}
	id, token := p.idToken(r)
	var claims map[string]any
	h.must(id.Claims(&claims))
	if id.Issuer != base+"/"+tenant+"/v2.0" || !slices.Equal(id.Audience, []string{webApp}) || id.Nonce != "the nonce" || id.Expiry.Before(began) || id.IssuedAt.After(time.Now()) || len(id.Subject) < 20 || len(id.Subject) > 255 {
		t.Errorf("%+v", id)
	}
	if claims["name"] != "Ann Example" || claims["preferred_username"] != sekretUser || claims["email"] != sekretUser || claims["auth_time"] != nil || claims["c_hash"] != nil || claims["ver"] != "2.0" || claims["tid"] != tenant || claims["oid"] != ann {
		t.Errorf("%v", claims)
	}
	if token.TokenType != "Bearer" || token.Expiry.Before(began.Add(50*time.Minute)) || token.RefreshToken != "" { // offline_access was not asked for
		t.Errorf("%+v", token)
	}

	info, err := p.provider.UserInfo(p.ctx, oauth2.StaticTokenSource(token)) // GET, bearer in the header
	h.must(err)
	h.must(info.Claims(&claims))
	if claims["name"] != "Ann Example" || claims["given_name"] != "ann" || info.Email != sekretUser {
		t.Errorf("userinfo %v", claims)
	}
	for name, send := range map[string]func() *http.Request{
		"POST with the header": func() *http.Request {
			r := httptest.NewRequest(http.MethodPost, "/oidc/userinfo", nil)
			r.Header.Set("Authorization", "Bearer "+token.AccessToken)
			return r
		},
		"no token": func() *http.Request { return get("/oidc/userinfo") },
		"an ID token": func() *http.Request {
			r := get("/oidc/userinfo")
			r.Header.Set("Authorization", "Bearer "+token.Extra("id_token").(string))
			return r
		},
	} {
		if r := h.serve("graph", send()); (r.Code == http.StatusOK) != (name == "POST with the header") || r.Code != http.StatusOK && r.Code != http.StatusUnauthorized {
			t.Errorf("userinfo, %s: %d %s", name, r.Code, r.Body)
		}
	}

	// oidcc-scope-*: what is not asked for is not told.
	p.Scopes = []string{"openid"}
	id, token = p.idToken(p.begin(b))
	claims = nil
	h.must(id.Claims(&claims))
	for _, claim := range []string{"name", "email", "preferred_username", "oid", "nonce", "given_name"} {
		if claims[claim] != nil {
			t.Errorf("scope openid tells %s: %v", claim, claims[claim])
		}
	}
	// The subject is the user's, at this client, for ever; at another it is another.
	again, _ := p.idToken(p.begin(b))
	other := claimsOf(t, h.tokens(webTwo, sekretUser).text("id_token"))
	eves := claimsOf(t, h.tokens(webApp, "eve@contoso.com").text("id_token"))
	if again.Subject != id.Subject || other["sub"] == id.Subject || eves["sub"] == id.Subject {
		t.Errorf("subjects %s, %s, %s, %s", id.Subject, again.Subject, other["sub"], eves["sub"])
	}
	_ = token
}

// oidcc-ensure-registered-redirect-uri, oidcc-codereuse, oidcc-response-type-missing,
// oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported, oidcc-ensure-other-scope-order-succeeds,
// oidcc-ensure-request-with-unknown-parameter-succeeds, oidcc-display-*, oidcc-ui-locales, oidcc-claims-locales, oidcc-ensure-request-with-acr-values-succeeds,
// oidcc-login-hint, oidcc-server-client-secret-post, oidcc-ensure-post-request-succeeds.
func TestBasicOPRequests(t *testing.T) {
	h := newHouse(t)
	p := h.party()
	b := h.browser()
	set := oauth2.SetAuthURLParam
	p.begin(b)
	r := b.password(sekretUser)
	p.idToken(r)
	if _, err := p.Exchange(p.ctx, r.fields().Get("code")); err == nil || !strings.Contains(err.Error(), "54005") {
		t.Errorf("a code twice: %v", err)
	}
	for _, style := range []oauth2.AuthStyle{oauth2.AuthStyleInHeader, oauth2.AuthStyleInParams} {
		p.Endpoint.AuthStyle = style
		p.idToken(p.begin(b))
	}
	for name, options := range map[string][]oauth2.AuthCodeOption{
		"a parameter that nobody knows": {set("extra", "foobar"), set("x.y", "")}, "display": {set("display", "popup")}, "ui_locales": {set("ui_locales", "se ja en")}, "claims_locales": {set("claims_locales", "se")},
		"acr_values": {set("acr_values", "1 2")}, "another order of scopes": {set("scope", "email openid profile")}, "login_hint": {set("login_hint", sekretUser)}, "prompt=none": {set("prompt", "none")},
		"claims": {set("claims", `{"userinfo":{"name":{"essential":true}},"id_token":{"auth_time":null}}`)}, "PKCE": {oauth2.S256ChallengeOption(verifier)}, "no nonce": nil, "max_age that is long": {set("max_age", "15000")},
	} {
		t.Run(name, func(t *testing.T) {
			h.t = t
			var with []oauth2.AuthCodeOption
			if name == "PKCE" {
				with = append(with, oauth2.VerifierOption(verifier))
			}
			id, _ := p.idToken(p.begin(b, options...), with...)
			var claims map[string]any
			h.must(id.Claims(&claims))
			if (claims["auth_time"] != nil) != strings.HasPrefix(name, "max_age") {
				t.Errorf("auth_time %v", claims["auth_time"])
			}
		})
	}
	h.t = t
	b.postTo(authorizeV2, ask(webApp, "prompt", "none")).served(http.StatusFound) // POST
	for name, c := range map[string]struct {
		option oauth2.AuthCodeOption
		oauth  string
		number int
	}{
		"no response_type": {set("response_type", ""), "invalid_request", 900144}, "a request object": {set("request", "eyJhbGciOiJub25lIn0.e30."), "request_not_supported", 9002313},
		"one elsewhere": {set("request_uri", "https://app.contoso.com/request"), "request_uri_not_supported", 9002313}, "claims that are no JSON": {set("claims", "{"), "invalid_request", 9002313},
		"no scope": {set("scope", ""), "invalid_request", 900144}, "a scope that is none": {set("scope", "openid address"), "invalid_client", 650053},
	} {
		t.Run(name, func(t *testing.T) {
			h.t = t
			fields := p.begin(b, c.option).sentBack(back, c.oauth, c.number)
			if fields.Get("state") != "the state" {
				t.Errorf("%v", fields)
			}
		})
	}
	h.t = t
	p.begin(b, set("redirect_uri", "https://app.contoso.com/elsewhere")).page(400, 50011)
	// The page speaks the language that is asked for, and is filled in.
	r = p.begin(h.browser(), set("login_hint", "eve@contoso.com"), set("ui_locales", "ja"))
	if !strings.Contains(r.Body.String(), `lang="ja"`) || !strings.Contains(r.Body.String(), `value="eve@contoso.com"`) {
		t.Errorf("%s", r.Body)
	}
}

// oidcc-prompt-login, oidcc-prompt-none-logged-in, oidcc-prompt-none-not-logged-in, oidcc-max-age-1, oidcc-max-age-10000, oidcc-id-token-hint.
func TestBasicOPSessions(t *testing.T) {
	h := newHouse(t)
	p := h.party()
	b := h.browser()
	set := oauth2.SetAuthURLParam
	authTime := func(id *oidc.IDToken) int64 {
		var claims struct {
			AuthTime int64 `json:"auth_time"`
		}
		h.must(id.Claims(&claims))
		return claims.AuthTime
	}
	p.begin(b, set("prompt", "none")).sentBack(back, "login_required", 50058)
	p.begin(b, set("max_age", "15000"))
	first, token := p.idToken(b.password(sekretUser))
	second, _ := p.idToken(p.begin(b, set("prompt", "none"), set("max_age", "15000")))
	if authTime(first) == 0 || authTime(first) != authTime(second) || first.Subject != second.Subject {
		t.Errorf("%d, %d", authTime(first), authTime(second))
	}
	h.ahead = 2 * time.Second
	p.begin(b, set("max_age", "1"), set("prompt", "none")).sentBack(back, "login_required", 50058)
	p.begin(b, set("max_age", "1"))
	third, _ := p.idToken(b.password(sekretUser))
	if authTime(third) < authTime(first)+2 {
		t.Errorf("max_age: %d after %d", authTime(third), authTime(first))
	}
	h.ahead = 5 * time.Second
	p.begin(b, set("prompt", "login"), set("max_age", "15000"))
	fourth, _ := p.idToken(b.password(sekretUser))
	if authTime(fourth) < authTime(third)+3 || fourth.Subject != first.Subject {
		t.Errorf("prompt=login: %d after %d", authTime(fourth), authTime(third))
	}
	// The hint says who is meant: only they may be answered for.
	hint := set("id_token_hint", token.Extra("id_token").(string))
	if id, _ := p.idToken(p.begin(b, hint, set("prompt", "none"))); id.Subject != first.Subject {
		t.Errorf("%s", id.Subject)
	}
	eve := h.browser()
	eve.signIn(ask(webApp), "eve@contoso.com")
	p.begin(eve, hint, set("prompt", "none")).sentBack(back, "login_required", 50058)
	p.begin(eve, hint)
	if !strings.Contains(eve.to, pathSignIn) {
		t.Errorf("Eve is answered for Ann: %s", eve.to)
	}
	p.begin(eve, set("id_token_hint", "no.token.atall"), set("prompt", "none")).sentBack(back, "login_required", 50058)
}

// The hybrid flow of Entra: the code's hash is in the ID token.
func TestTheHashOfTheCode(t *testing.T) {
	h := newHouse(t)
	b := h.browser()
	b.get(authorizeV2, ask(webApp, "response_type", "code id_token"))
	fields := b.password(sekretUser).fields()
	claims := claimsOf(t, fields.Get("id_token"))
	sum := challenge(fields.Get("code")) // base64url of SHA-256
	if got, _ := claims["c_hash"].(string); len(got) != 22 || !strings.HasPrefix(sum, got[:21]) || claims["nonce"] != "n-0" || claims["at_hash"] != nil {
		t.Errorf("c_hash %v of %s", claims["c_hash"], sum)
	}
	if again := claimsOf(t, h.post(v2, h.redemption(webApp, fields.Get("code"))).served(http.StatusOK).text("id_token")); again["c_hash"] != nil || again["sub"] != claims["sub"] || again["nonce"] != "n-0" {
		t.Errorf("%v", again)
	}
}
