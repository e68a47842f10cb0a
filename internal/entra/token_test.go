package entra

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"sekisho/internal/store"
)

// The resource chooses the format of its tokens.
// Source: access-token-claims-reference.md (identity.md §1, Claims).
func TestTokenFormatIsChosenByTheResource(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		name, resource, audience, version, issuer string
	}{
		{"ARM is v1", armURI, armURI, "1.0", "https://sts.windows.net/" + contoso + "/"},
		{"Graph is v1", graphURI, graphURI, "1.0", "https://sts.windows.net/" + contoso + "/"},
		{"an API that asks for nothing gets v1", "api://one", "api://one", "1.0", "https://sts.windows.net/" + contoso + "/"},
		{"an API that asks for v2, whose audience is always its GUID", "api://two", apiV2, "2.0", "https://login.microsoftonline.com/" + contoso + "/v2.0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			token := w.issue(c.resource)
			claims, header := payload(t, token.AccessToken), segment(t, token.AccessToken, 0)
			for name, want := range map[string]any{"aud": c.audience, "ver": c.version, "iss": c.issuer, "tid": contoso, "oid": appObj, "sub": appObj, "idtyp": "app"} {
				if claims[name] != want {
					t.Errorf("%s = %v, want %v", name, claims[name], want)
				}
			}
			own, foreign := map[string]any{"appid": appID, "appidacr": "1", "idp": c.issuer}, []string{"azp", "azpacr"}
			if c.version == "2.0" {
				own, foreign = map[string]any{"azp": appID, "azpacr": "1"}, []string{"appid", "appidacr", "idp"}
			}
			for name, want := range own {
				if claims[name] != want {
					t.Errorf("%s = %v, want %v", name, claims[name], want)
				}
			}
			for _, name := range append(foreign, "scp", "xms_mirid", "upn", "groups", "_claim_names") {
				if value, ok := claims[name]; ok {
					t.Errorf("the token has %s = %v", name, value)
				}
			}
			kid := w.currentKey().ID
			if header["alg"] != "RS256" || header["typ"] != "JWT" || header["kid"] != kid {
				t.Errorf("header = %v, want RS256, JWT and kid %s", header, kid)
			}
			wantX5T := any(kid)
			if c.version == "2.0" {
				wantX5T = nil
			}
			if header["x5t"] != wantX5T {
				t.Errorf("x5t = %v, want %v: only v1 tokens have it", header["x5t"], wantX5T)
			}
		})
	}
}

// Source: entra-docs scopes-oidc.md, "Trailing slash and .default"; clients.md §1b.
func TestAudienceIsAsAsked(t *testing.T) {
	w := newWorld(t)
	for scope, want := range map[string]string{
		"https://management.azure.com/.default":                              "https://management.azure.com",
		"https://management.azure.com//.default":                             "https://management.azure.com/",
		"https://management.core.windows.net//.default":                      "https://management.core.windows.net/",
		"797f4846-ba00-4fd7-ba43-dac1f8f63013/.default":                      "797f4846-ba00-4fd7-ba43-dac1f8f63013",
		"https://cognitiveservices.azure.com/.default openid offline_access": "https://cognitiveservices.azure.com",
		"openid profile https://graph.microsoft.com/.default":                "https://graph.microsoft.com",
		"00000003-0000-0000-c000-000000000000/.default":                      GraphAppID,
		"api://one/.default":                                                 "api://one",
		apiV1 + "/.default":                                                  apiV1,
		"https://slash.contoso.com//.default":                                "https://slash.contoso.com/",
		apiV2 + "/.default":                                                  apiV2,
	} {
		resource, err := ResourceOfScope(scope)
		if err != nil {
			t.Errorf("%s: %v", scope, err)
			continue
		}
		if got := payload(t, w.issue(resource).AccessToken)["aud"]; got != want {
			t.Errorf("%s: aud = %v, want %s", scope, got, want)
		}
	}
}

func TestUnknownResources(t *testing.T) {
	w := newWorld(t)
	for _, resource := range []string{"https://nowhere.example", "api://ONE/x", "https://management.azure.com///", "dddddddd-0000-0000-0000-000000000001", "/", " "} {
		_, err := w.d.ClientCredentials(t.Context(), contoso, appID, w.secret, resource)
		wantNumber(t, err, 500011, "invalid_resource", 400)
	}
}

func TestResourcesOfAnotherTenantAreUnknown(t *testing.T) {
	w := newWorld(t)
	w.update(func(tx *store.Tx) error {
		return PutApplication(tx, fabrikam, Application{ID: "eeeeeeee-0000-0000-0000-000000000003", AppID: "eeeeeeee-0000-0000-0000-000000000001", IdentifierURIs: []string{"api://theirs"}})
	})
	for _, resource := range []string{"api://theirs", "eeeeeeee-0000-0000-0000-000000000001"} {
		_, err := w.d.ClientCredentials(t.Context(), contoso, appID, w.secret, resource)
		wantNumber(t, err, 500011, "invalid_resource", 400)
	}
}

// Times are whole seconds; nbf lies five minutes back, and expires_in is one
// second short of the life, as in Entra's replies (3599, 86399).
func TestTimesOfTokens(t *testing.T) {
	w := newWorld(t)
	identity, err := w.d.IdentityToken(t.Context(), w.identity(), armURI)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		token *Token
		life  time.Duration
	}{
		{"an application's token lives an hour", w.issue(armURI), time.Hour},
		{"a managed identity's token lives a day", identity, 24 * time.Hour},
	} {
		claims := payload(t, c.token.AccessToken)
		now := w.now.Unix()
		for name, want := range map[string]int64{"iat": now - 300, "nbf": now - 300, "exp": now + int64(c.life.Seconds())} {
			if claims[name] != float64(want) {
				t.Errorf("%s: %s = %v, want %d", c.name, name, claims[name], want)
			}
		}
		if c.token.Expires.Unix() != now+int64(c.life.Seconds()) || c.token.NotBefore.Unix() != now-300 || c.token.ExpiresIn != c.life-time.Second {
			t.Errorf("%s: Expires %v, NotBefore %v, ExpiresIn %v", c.name, c.token.Expires, c.token.NotBefore, c.token.ExpiresIn)
		}
	}
}

// Source: identity.md §1, "Managed identity".
func TestManagedIdentityTokenNamesItsResource(t *testing.T) {
	w := newWorld(t)
	p := w.identity()
	token, err := w.d.IdentityToken(t.Context(), p, armURI)
	if err != nil {
		t.Fatal(err)
	}
	claims := payload(t, token.AccessToken)
	for name, want := range map[string]any{"xms_mirid": vm, "appid": p.AppID, "oid": p.ID, "appidacr": "2", "idtyp": "app"} {
		if claims[name] != want {
			t.Errorf("%s = %v, want %v", name, claims[name], want)
		}
	}
	caller, err := w.d.Verify(t.Context(), token.AccessToken, armAudiences)
	if err != nil || string(caller.Identity) != vm {
		t.Errorf("Verify = %+v, %v; want the identity of %s", caller, err, vm)
	}
}

func TestPermissionsAreInGraphTokensOnly(t *testing.T) {
	w := newWorld(t)
	for resource, want := range map[string]string{graphURI: "[Directory.Read.All]", graphURI + "/": "[Directory.Read.All]", GraphAppID: "[Directory.Read.All]",
		armURI: "<nil>", "api://one": "<nil>"} {
		if got := fmt.Sprint(payload(t, w.issue(resource).AccessToken)["roles"]); got != want {
			t.Errorf("%s: roles = %s, want %s", resource, got, want)
		}
	}
}

func TestGroupsAreNamedThroughNesting(t *testing.T) {
	w := newWorld(t)
	outer, inner := groupID(1), groupID(2)
	w.update(func(tx *store.Tx) error {
		return errors.Join(putGroup(tx, outer), putGroup(tx, inner), putGroup(tx, groupID(3)),
			AddMember(tx, contoso, inner, appObj), AddMember(tx, contoso, outer, inner), AddMember(tx, contoso, inner, outer)) // a ring, too
	})
	if got := payload(t, w.issue(armURI).AccessToken)["groups"]; fmt.Sprint(got) != fmt.Sprint([]string{outer, inner}) {
		t.Errorf("groups = %v, want %s and %s", got, outer, inner)
	}
	w.update(func(tx *store.Tx) error { return RemoveMember(tx, inner, appObj) })
	if got := payload(t, w.issue(armURI).AccessToken)["groups"]; got != nil {
		t.Errorf("groups after leaving = %v", got)
	}
}

// Source: identity.md §1, groups overage: more than 200 in a JWT.
func TestGroupsOverage(t *testing.T) {
	w := newWorld(t)
	chain := func(from, to int) {
		w.update(func(tx *store.Tx) error {
			member := appObj
			if from > 0 {
				member = groupID(from - 1)
			}
			for i := from; i < to; i++ {
				if err := errors.Join(putGroup(tx, groupID(i)), AddMember(tx, contoso, groupID(i), member)); err != nil {
					return err
				}
				member = groupID(i)
			}
			return nil
		})
	}
	chain(0, 200)
	claims := payload(t, w.issue(armURI).AccessToken)
	groups, _ := claims["groups"].([]any)
	if len(groups) != 200 || claims["_claim_names"] != nil {
		t.Fatalf("200 nested groups: %d named, _claim_names %v", len(groups), claims["_claim_names"])
	}
	if !slices.IsSortedFunc(groups, func(a, b any) int { return strings.Compare(a.(string), b.(string)) }) {
		t.Error("the order of groups is not stable")
	}
	chain(200, 201)
	claims = payload(t, w.issue(armURI).AccessToken)
	if claims["groups"] != nil {
		t.Errorf("201 nested groups are named in the token")
	}
	if got := fmt.Sprint(claims["_claim_names"]); got != "map[groups:src1]" {
		t.Errorf("_claim_names = %s", got)
	}
	want := "map[src1:map[endpoint:https://graph.microsoft.com/v1.0/servicePrincipals/" + appObj + "/getMemberObjects]]"
	if got := fmt.Sprint(claims["_claim_sources"]); got != want {
		t.Errorf("_claim_sources = %s, want %s", got, want)
	}
}

func groupID(i int) string { return fmt.Sprintf("dddddddd-0000-0000-0000-%012d", i) }

func putGroup(tx *store.Tx, id string) error {
	return PutGroup(tx, contoso, Group{ID: id, DisplayName: id, SecurityEnabled: true})
}
