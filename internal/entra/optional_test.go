package entra

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Source: entra-docs optional-claims-reference.md.
func TestOptionalClaimsSayWhatTheApplicationWantsAndNoMore(t *testing.T) {
	home := &Principal{Name: "ann@contoso.com", user: &User{GivenName: "Ann", Mail: "ann@mail.example"}}
	guest := &Principal{Name: "ann_contoso.com#EXT#@fabrikam.onmicrosoft.com", user: &User{}}
	in := signedIn{home: home, authTime: time.Unix(1000, 0), session: "the session"}
	for _, c := range []struct {
		name, wanted string
		subject      *Principal
		want         map[string]any
	}{
		{"none", `{}`, home, map[string]any{}},
		{"of the other token", `{"idToken":[{"name":"email"}]}`, home, map[string]any{}},
		{"of a member", `{"accessToken":[{"name":"acct"},{"name":"auth_time"},{"name":"email"},{"name":"given_name"},{"name":"family_name"},{"name":"ipaddr"},{"name":"login_hint"},{"name":"sid"},{"name":"upn"}]}`, home,
			map[string]any{"acct": 0, "auth_time": int64(1000), "email": "ann@mail.example", "given_name": "Ann", "ipaddr": "192.0.2.1", "login_hint": "ann@contoso.com", "sid": "the session", "upn": "ann@contoso.com"}},
		{"of a guest", `{"accessToken":[{"name":"acct"},{"name":"email"},{"name":"upn"}]}`, guest, map[string]any{"acct": 1, "email": "ann@contoso.com"}},
		{"of a guest, with the name", `{"accessToken":[{"name":"upn","additionalProperties":["include_externally_authenticated_upn"]}]}`, guest, map[string]any{"upn": guest.Name}},
		{"the type of the token", `{"accessToken":[{"name":"idtyp"}]}`, home, map[string]any{}},
		{"the type of the token, of users too", `{"accessToken":[{"name":"idtyp","additionalProperties":["include_user_token"]}]}`, home, map[string]any{"idtyp": "user"}},
		{"of an extension, and unknown", `{"accessToken":[{"name":"email","source":"user"},{"name":"shoe_size"}]}`, home, map[string]any{}},
	} {
		claims := jwt.MapClaims{}
		app := &Application{AppSettings: AppSettings{OptionalClaims: json.RawMessage(c.wanted)}}
		addOptional(claims, optionalClaims(app, "accessToken"), in, c.subject, "192.0.2.1")
		if got, want := fmt.Sprint(map[string]any(claims)), fmt.Sprint(c.want); got != want {
			t.Errorf("%s: %s, want %s", c.name, got, want)
		}
	}
}
