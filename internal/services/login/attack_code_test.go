package login

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// A code is good once; when it comes again, what it gave is revoked: one of the
// two who have it stole it. Source: RFC 6749 §4.1.2, RFC 9700 §4.5.
func TestACodeComesTwice(t *testing.T) {
	h := newHouse(t)
	code := h.browser().signIn(ask(webApp), sekretUser)
	first := h.post(v2, h.redemption(webApp, code)).served(http.StatusOK)
	next := h.post(v2, h.refreshment(webApp, first.text("refresh_token"))).served(http.StatusOK)
	h.post(v2, h.redemption(webApp, code)).refused(400, "invalid_grant", 54005)
	for _, r := range []answered{first, next} {
		again := h.post(v2, h.refreshment(webApp, r.text("refresh_token")))
		again.refused(400, "invalid_grant", 50173)
		if again.text("suberror") != "bad_token" {
			t.Errorf("suberror %q", again.text("suberror"))
		}
	}
	h.post(v2, h.redemption(webApp, code)).refused(400, "invalid_grant", 54005)
}

// Of many who redeem a code at once, one may get tokens, and those do not last.
func TestACodeComesOftenAtOnce(t *testing.T) {
	h := newHouse(t)
	code := h.browser().signIn(ask(webApp), sekretUser)
	replies := make([]answered, 8)
	var all sync.WaitGroup
	for i := range replies {
		all.Go(func() { replies[i] = h.post(v2, h.redemption(webApp, code)) })
	}
	all.Wait()
	served := 0
	for _, r := range replies {
		if r.Code == http.StatusOK {
			served++
			h.post(v2, h.refreshment(webApp, r.text("refresh_token"))).refused(400, "invalid_grant", 50173)
		} else if !strings.HasPrefix(r.text("error_description"), aadsts(54005)) {
			t.Errorf("%s", r.Body)
		}
	}
	if served > 1 {
		t.Errorf("%d were served", served)
	}
}

func TestACodeGetsOld(t *testing.T) {
	h := newHouse(t)
	code := h.browser().signIn(ask(webApp), sekretUser)
	h.ahead = 10*time.Minute + time.Second
	h.post(v2, h.redemption(webApp, code)).refused(400, "invalid_grant", 70008)
}

// Each is refused, and burns nothing: the right client still gets its token.
func TestACodeInTheWrongHands(t *testing.T) {
	h := newHouse(t)
	for _, c := range []struct {
		name, app, path string
		changes         []string
		origin          string
		status          int
		oauth           string
		number          int
	}{
		{"of another client", webApp, v2, []string{"client_id", webTwo}, "", 400, "invalid_grant", 70000},
		{"of another client, with its redirect", webApp, v2, []string{"client_id", webTwo, "redirect_uri", backTwo}, "", 400, "invalid_grant", 70000},
		{"at a tenant where the user is nobody", everyApp, "/" + abroad + "/oauth2/v2.0/token", nil, "", 400, "invalid_grant", 700005},
		{"at another tenant", everyApp, "/" + abroad + "/oauth2/v2.0/token", nil, "", 400, "invalid_grant", 700005},
		{"without the secret", webApp, v2, []string{"client_secret", ""}, "", 401, "invalid_client", 7000218},
		{"with a wrong secret", webApp, v2, []string{"client_secret", "wrong-secret"}, "", 401, "invalid_client", 7000215},
		{"a public client with a secret", nativeApp, v2, []string{"client_secret", "any-secret"}, "", 401, "invalid_client", 700025},
		{"another redirect", webApp, v2, []string{"redirect_uri", "http://localhost/cb"}, "", 400, "invalid_grant", 500112},
		{"a redirect with a slash more", webApp, v2, []string{"redirect_uri", back + "/"}, "", 400, "invalid_grant", 500112},
		{"no redirect", webApp, v2, []string{"redirect_uri", ""}, "", 400, "invalid_request", 900144},
		{"a page's, not by a page", spaApp, v2, nil, "", 400, "invalid_request", 9002327},
		{"a server's, by a page", webApp, v2, nil, "https://evil.example", 400, "invalid_request", 9002326},
		{"a device's, by a page", nativeApp, v2, nil, "https://evil.example", 400, "invalid_request", 9002326},
		{"no verifier", webApp, v2, []string{"code_verifier", ""}, "", 400, "invalid_grant", 50148},
		{"a wrong verifier", nativeApp, v2, []string{"code_verifier", verifier + "x"}, "", 400, "invalid_grant", 501481},
		{"the challenge for the verifier", nativeApp, v2, []string{"code_verifier", challenge(verifier)}, "", 400, "invalid_grant", 501481},
		{"a code that is none", webApp, v2, []string{"code", "1.AAAA"}, "", 400, "invalid_grant", 9002313},
	} {
		t.Run(c.name, func(t *testing.T) {
			h.t = t
			path := authorizeV2
			if c.app == everyApp {
				path = "/common/oauth2/v2.0/authorize"
				h.update(consentToEvery(h))
			}
			user := sekretUser
			if strings.Contains(c.name, "nobody") {
				user = "eve@contoso.com"
			}
			code := h.browser().signInAt(path, ask(c.app), user)
			header := func(origin string) []string {
				if origin == "" {
					return nil
				}
				return []string{"Origin", origin}
			}
			h.post(c.path, h.redemption(c.app, code, c.changes...), header(c.origin)...).refused(c.status, c.oauth, c.number)
			origin := ""
			if c.app == spaApp {
				origin = "https://spa.contoso.com"
			}
			h.post(v2, h.redemption(c.app, code), header(origin)...).served(http.StatusOK)
		})
	}
}

// A verifier without a challenge tells that somebody took the challenge out of
// the request. Source: RFC 9700 §4.8.2.
func TestThePKCEDowngrade(t *testing.T) {
	h := newHouse(t)
	code := h.browser().signIn(ask(webApp, "code_challenge", "", "code_challenge_method", ""), sekretUser)
	h.post(v2, h.redemption(webApp, code)).refused(400, "invalid_grant", 501481)
	h.post(v2, h.redemption(webApp, code, "code_verifier", "")).served(http.StatusOK)

	code = h.browser().signIn(ask(nativeApp, "code_challenge", verifier, "code_challenge_method", ""), sekretUser) // plain
	h.post(v2, h.redemption(nativeApp, code, "code_verifier", challenge(verifier))).refused(400, "invalid_grant", 501481)
	h.post(v2, h.redemption(nativeApp, code)).served(http.StatusOK)
	for _, c := range []struct {
		name, app string
		changes   []string
		number    int
	}{
		{"a page without", spaApp, []string{"code_challenge", "", "code_challenge_method", ""}, 9002325},
		{"a page with plain", spaApp, []string{"code_challenge_method", "plain"}, 9002325},
		{"a page with a challenge and no method", spaApp, []string{"code_challenge_method", ""}, 9002325},
		{"a method that is none", webApp, []string{"code_challenge_method", "s256"}, 9002313},
		{"a method without a challenge", webApp, []string{"code_challenge", ""}, 900144},
		{"a short challenge", webApp, []string{"code_challenge", "short"}, 501491},
		{"a challenge of other letters", webApp, []string{"code_challenge", challenge(verifier) + "="}, 501491},
	} {
		t.Run(c.name, func(t *testing.T) {
			h.t = t
			h.browser().get(authorizeV2, ask(c.app, c.changes...)).sentBack(ask(c.app).Get("redirect_uri"), "invalid_request", c.number)
		})
	}
}

// The verifier is looked at for every code, also of one that an attacker began
// and the victim's client ends. Source: RFC 9700 §4.5.
func TestACodeThatWasInjected(t *testing.T) {
	h := newHouse(t)
	attackers := h.browser().signIn(ask(webApp, "code_challenge", challenge("x"+verifier)), "eve@contoso.com")
	h.post(v2, h.redemption(webApp, attackers)).refused(400, "invalid_grant", 501481)
}
