package entra

import (
	"encoding/json"
	"slices"

	"github.com/golang-jwt/jwt/v5"
)

// optionalClaim is a claim that an application wants in its tokens.
// Source: microsoft-graph-docs resources/optionalclaim.md.
type optionalClaim struct {
	Name   string   `json:"name"`
	Source string   `json:"source"`
	More   []string `json:"additionalProperties"`
}

// optionalClaims are those of one kind of token: accessToken or idToken.
func optionalClaims(a *Application, kind string) []optionalClaim {
	if a == nil {
		return nil
	}
	var all map[string][]optionalClaim
	if json.Unmarshal(a.OptionalClaims, &all) != nil { // Graph has checked the form
		return nil
	}
	return all[kind]
}

// addOptional adds the claims about a user that an application wants. Those that
// are not known, or that there is nothing to say for, stay out, as on Entra.
// Source: entra-docs optional-claims-reference.md.
func addOptional(claims jwt.MapClaims, wanted []optionalClaim, in signedIn, p *Principal, remote string) {
	u := p.user
	guest := p != in.home
	for _, c := range wanted {
		if c.Source != "" { // of a directory extension
			continue
		}
		switch c.Name {
		case "acct":
			claims["acct"] = 0
			if guest {
				claims["acct"] = 1
			}
		case "auth_time":
			claims["auth_time"] = in.authTime.Unix()
		case "email":
			if setText(claims, "email", u.Mail); guest && u.Mail == "" {
				claims["email"] = in.home.Name
			}
		case "family_name":
			setText(claims, "family_name", u.Surname)
		case "given_name":
			setText(claims, "given_name", u.GivenName)
		case "idtyp":
			if slices.Contains(c.More, "include_user_token") {
				claims["idtyp"] = "user"
			}
		case "ipaddr":
			setText(claims, "ipaddr", remote)
		case "login_hint", "preferred_username":
			claims[c.Name] = in.home.Name
		case "sid":
			setText(claims, "sid", in.session)
		case "upn":
			if !guest || slices.Contains(c.More, "include_externally_authenticated_upn") {
				claims["upn"] = p.Name
			}
		}
	}
}
