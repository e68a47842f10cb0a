package login

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"sekisho/internal/entra"
)

// Two of a client's processes may refresh at once with the token that both read:
// what either writes last must go on working. After the grace a token that was
// exchanged is somebody's copy.
func TestTwoRefreshAtOnce(t *testing.T) {
	h := newHouse(t)
	first := h.tokens(nativeApp, sekretUser).text("refresh_token")
	replies := make([]answered, 4)
	var all sync.WaitGroup
	for i := range replies {
		all.Go(func() { replies[i] = h.post(v2, h.refreshment(nativeApp, first)) })
	}
	all.Wait()
	for i, r := range replies {
		if r.Code != http.StatusOK {
			t.Fatalf("%d: %d %s", i, r.Code, r.Body)
		}
	}
	for _, r := range replies { // whichever was written last
		h.post(v2, h.refreshment(nativeApp, r.text("refresh_token"))).served(http.StatusOK)
	}
	next := h.post(v2, h.refreshment(nativeApp, replies[0].text("refresh_token"))).served(http.StatusOK)
	h.ahead = 5*time.Minute + time.Second
	newest := h.post(v2, h.refreshment(nativeApp, next.text("refresh_token"))).served(http.StatusOK)
	for _, token := range []string{first, newest.text("refresh_token"), next.text("refresh_token")} {
		again := h.post(v2, h.refreshment(nativeApp, token))
		again.refused(400, "invalid_grant", 50173)
		if again.text("suberror") != "bad_token" {
			t.Errorf("suberror %q", again.text("suberror"))
		}
	}
}

// The thief's and the owner's tokens are of one chain: the next refresh after
// the grace ends it, whoever comes second.
func TestAThiefWithinTheGrace(t *testing.T) {
	h := newHouse(t)
	stolen := h.tokens(nativeApp, sekretUser).text("refresh_token")
	thief := h.post(v2, h.refreshment(nativeApp, stolen)).served(http.StatusOK)
	owner := h.post(v2, h.refreshment(nativeApp, stolen)).served(http.StatusOK)
	h.ahead = time.Hour
	h.post(v2, h.refreshment(nativeApp, thief.text("refresh_token"))).served(http.StatusOK)
	h.ahead += time.Hour
	h.post(v2, h.refreshment(nativeApp, owner.text("refresh_token"))).refused(400, "invalid_grant", 50173)
}

func TestARefreshTokenInTheWrongHands(t *testing.T) {
	h := newHouse(t)
	tokens := map[string]string{}
	for _, app := range []string{webApp, nativeApp, spaApp} {
		tokens[app] = h.tokens(app, sekretUser).text("refresh_token")
	}
	family := h.browser().signIn(ask(entra.AzureCLIAppID, "redirect_uri", "http://localhost:1234", "scope", "https://management.azure.com/.default openid offline_access"), sekretUser)
	cli := h.post(v2, with(h.redemption(nativeApp, family), "client_id", entra.AzureCLIAppID, "redirect_uri", "http://localhost:1234")).served(http.StatusOK)
	if cli.json()["foci"] != "1" {
		t.Errorf("no family: %s", cli.Body)
	}
	for _, c := range []struct {
		name, token string
		form        []string
		origin      string
		status      int
		oauth       string
		number      int
		sub         string
	}{
		{"of another client", tokens[webApp], []string{"client_id", webTwo}, "", 400, "invalid_grant", 70000, "client_mismatch"},
		{"a server's, without its secret", tokens[webApp], []string{"client_secret", ""}, "", 401, "invalid_client", 7000218, ""},
		{"a server's, with a wrong secret", tokens[webApp], []string{"client_secret", "wrong-secret"}, "", 401, "invalid_client", 7000215, ""},
		{"a server's, from a page", tokens[webApp], nil, "https://evil.example", 400, "invalid_request", 9002326, ""},
		{"a page's, not from a page", tokens[spaApp], []string{"client_id", spaApp, "client_secret", ""}, "", 400, "invalid_request", 9002327, ""},
		{"a device's, for the family", tokens[nativeApp], []string{"client_id", entra.AzureCLIAppID, "client_secret", ""}, "", 400, "invalid_grant", 70000, "client_mismatch"},
		{"the family's, for a stranger", cli.text("refresh_token"), []string{"client_id", nativeApp, "client_secret", ""}, "", 400, "invalid_grant", 70000, "client_mismatch"},
		{"none of ours", "1.AAAAAAAAAAAAAAAAAAAAAAAAAAAA", nil, "", 400, "invalid_grant", 70000, ""},
		{"no token", "garbage-that-is-long", nil, "", 400, "invalid_grant", 70000, ""},
		{"an access token", cli.text("access_token"), nil, "", 400, "invalid_grant", 70000, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			h.t = t
			var header []string
			if c.origin != "" {
				header = []string{"Origin", c.origin}
			}
			r := h.post(v2, h.refreshment(webApp, c.token, c.form...), header...)
			r.refused(c.status, c.oauth, c.number)
			if r.text("suberror") != c.sub {
				t.Errorf("suberror %q, want %q", r.text("suberror"), c.sub)
			}
		})
	}
	h.post(v2, h.refreshment(nativeApp, cli.text("refresh_token"), "client_id", entra.VSCodeAppID)).served(http.StatusOK) // one of the family
}

// The lives are Entra's. Source: entra-docs refresh-tokens.md, "Token lifetime".
func TestRefreshTokensEnd(t *testing.T) {
	h := newHouse(t)
	page, device := h.tokens(spaApp, sekretUser).text("refresh_token"), h.tokens(nativeApp, sekretUser).text("refresh_token")
	origin := []string{"Origin", "https://spa.contoso.com"}
	h.ahead = 23 * time.Hour
	page = h.post(v2, h.refreshment(spaApp, page), origin...).served(http.StatusOK).text("refresh_token")
	h.ahead = 24*time.Hour + time.Second // since the sign-in, whatever happened since
	h.post(v2, h.refreshment(spaApp, page), origin...).refused(400, "invalid_grant", 700084)
	h.ahead = 89 * 24 * time.Hour
	device = h.post(v2, h.refreshment(nativeApp, device)).served(http.StatusOK).text("refresh_token")
	h.ahead += 90*24*time.Hour + time.Second
	h.post(v2, h.refreshment(nativeApp, device)).refused(400, "invalid_grant", 700082)
}
