package graph

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"sekisho/internal/entra"
	"sekisho/internal/store"
)

// Filters that az sends. Source: identity.md §3.
func TestFilters(t *testing.T) {
	s := newServer(t)
	for _, c := range []struct{ path, filter, want string }{
		{"/servicePrincipals", "servicePrincipalNames/any(c:c eq '" + appID + "')", spObj},
		{"/servicePrincipals", "servicePrincipalNames/any(c:c eq 'https://automation.contoso.com')", spObj},
		{"/servicePrincipals", "servicePrincipalNames/any(c:c eq '" + spObj + "')", ""},
		{"/servicePrincipals", "appId eq '" + appID + "'", spObj},
		{"/servicePrincipals", "displayName eq 'automation'", spObj},
		{"/servicePrincipals", "displayName eq 'AUTOMATION'", spObj},
		{"/servicePrincipals", "startswith(displayName,'auto')", spObj},
		{"/servicePrincipals", "startswith(displayName,'mation')", ""},
		{"/applications", "startswith(displayName,'automation')", appObj},
		{"/applications", "identifierUris/any(s:s eq 'api://x')", ""},
		{"/applications", "appId eq '" + appID + "'", appObj},
		{"/users", "userPrincipalName eq 'joe@contoso.com'", joe},
		{"/users", "userPrincipalName eq 'o''neil@contoso.com'", quoted},
		{"/users", "displayName eq 'Joe'", joe}, // not the one of Fabrikam
		{"/users", "accountEnabled eq false", quoted},
		{"/groups", "displayName eq 'Data team' and mailNickname eq 'data'", group},
		{"/groups", "displayName eq 'Data team' and mailNickname eq 'other'", ""},
	} {
		r := s.get(c.path, "$filter", c.filter)
		if r.Code != 200 || r.ids() != c.want || r.json["value"] == nil || r.json["@odata.context"] != base+"/v1.0/$metadata#"+c.path[1:] {
			t.Errorf("%s %s: %d %s, want %q", c.path, c.filter, r.Code, r.Body, c.want)
		}
		if r := s.get(c.path, "filter", c.filter); r.ids() != c.want { // the $ is optional in v1.0
			t.Errorf("%s without $: %s", c.filter, r.Body)
		}
	}
}

func TestQueriesThatAreRefused(t *testing.T) {
	s := newServer(t)
	for _, c := range []struct{ option, value, code string }{
		{"$filter", "displayName eq", "BadRequest"},
		{"$filter", "displayName eq 'x", "BadRequest"},
		{"$filter", "passwordHash eq 'x'", "Request_UnsupportedQuery"},
		{"$filter", "tolower(displayName) eq 'x'", "BadRequest"},
		{"$filter", "displayName/any(c:c eq 'x')", "Request_UnsupportedQuery"},
		{"$filter", strings.Repeat("(", 100) + "displayName eq 'x'" + strings.Repeat(")", 100), "BadRequest"},
		{"$top", "0", "Request_UnsupportedQuery"},
		{"$top", "1000", "Request_UnsupportedQuery"},
		{"$top", "-1", "BadRequest"},
		{"$top", "ten", "BadRequest"},
		{"$skiptoken", "%%%", "Directory_ExpiredPageToken"},
		{"$skiptoken", "bm90LWEtdG9rZW4", "Directory_ExpiredPageToken"},
		{"$count", "maybe", "BadRequest"},
		{"$search", `"displayName:Joe"`, "Request_UnsupportedQuery"},
		{"$orderby", "displayName", "Request_UnsupportedQuery"},
		{"$expand", "memberOf", "Request_UnsupportedQuery"},
		{"$skip", "1", "Request_UnsupportedQuery"},
		{"$nonsense", "1", "BadRequest"},
	} {
		t.Run(c.option+"="+c.value, func(t *testing.T) { wantError(t, s.get("/users", c.option, c.value), 400, c.code, "") })
	}
	wantError(t, s.get("/users?$top=1&$top=2"), 400, "BadRequest", "more than once")
	// An empty collection refuses them too.
	wantError(t, s.do(request{client: foreign, path: "/groups?$filter=nothing%20eq%20'x'"}), 400, "Request_UnsupportedQuery", "nothing")
	if r := s.get("/users", "api-version", "1.6"); r.Code != 200 { // parameters without $ are not OData's
		t.Errorf("%d %s", r.Code, r.Body)
	}
}

// Source: microsoft-graph-docs-contrib user-get.md, serviceprincipal-get.md;
// az writes users('…') for UPNs with odd characters (identity.md §3).
func TestGetByEveryKey(t *testing.T) {
	s := newServer(t)
	for path, want := range map[string]string{
		"/users/" + joe:                                        joe,
		"/users/joe@contoso.com":                               joe,
		"/users/JOE@CONTOSO.COM":                               joe,
		"/users/o'neil@contoso.com":                            quoted,
		"/users('joe@contoso.com')":                            joe,
		"/users(%27joe@contoso.com%27)":                        joe,
		"/users('o''neil@contoso.com')":                        quoted,
		"/users('" + joe + "')":                                joe,
		"/users(userPrincipalName='joe@contoso.com')":          joe,
		"/Users('joe@contoso.com')":                            joe,
		"/groups/" + group:                                     group,
		"/groups('" + group + "')":                             group,
		"/applications/" + appObj:                              appObj,
		"/applications(appId='" + appID + "')":                 appObj,
		"/servicePrincipals/" + spObj:                          spObj,
		"/serviceprincipals/" + strings.ToUpper(spObj):         spObj,
		"/servicePrincipals('" + spObj + "')":                  spObj,
		"/servicePrincipals(appId='" + appID + "')":            spObj,
		"/servicePrincipals(appId='" + appID + "')?$select=id": spObj,
	} {
		r := s.get(path)
		collection := strings.ToLower(strings.FieldsFunc(path, func(c rune) bool { return strings.ContainsRune("/(?", c) })[0])
		context, _ := r.json["@odata.context"].(string)
		if r.Code != 200 || r.json["id"] != want || !strings.EqualFold(context, base+"/v1.0/$metadata#"+collection+"/$entity") {
			t.Errorf("%s: %d %s, want %s", path, r.Code, r.Body, want)
		}
	}
}

func TestWhatIsNotThere(t *testing.T) {
	s := newServer(t)
	for _, c := range []struct {
		path   string
		status int
		code   string
	}{
		{"/users/nobody@contoso.com", 404, "Request_ResourceNotFound"},
		{"/users/" + group, 404, "Request_ResourceNotFound"},
		{"/groups/" + joe, 404, "Request_ResourceNotFound"},
		{"/groups/not-a-guid", 400, "Request_BadRequest"},
		{"/servicePrincipals/" + appID, 404, "Request_ResourceNotFound"}, // an appId is no object id
		{"/servicePrincipals/joe@contoso.com", 400, "Request_BadRequest"},
		{"/servicePrincipals(appId='" + spObj + "')", 404, "Request_ResourceNotFound"},
		{"/users('nobody')", 404, "Request_ResourceNotFound"},
		{"/groups(appId='" + appID + "')", 400, "BadRequest"},
		{"/users(displayName='Joe')", 400, "BadRequest"},
		{"/users(passwordHash='x')", 400, "BadRequest"},
		{"/users(joe@contoso.com)", 400, "BadRequest"},
		{"/users('')", 400, "BadRequest"},
		{"/users('joe@contoso.com'", 400, "BadRequest"},
		{"/users('a'b')", 400, "BadRequest"},
		{"/users(='a')", 400, "BadRequest"},
		{"/users(userPrincipalName'a')", 400, "BadRequest"},
		{"/me", 400, "BadRequest"},
		{"/users/" + joe + "/manager", 400, "BadRequest"},
	} {
		t.Run(c.path, func(t *testing.T) { wantError(t, s.get(c.path), c.status, c.code, "") })
	}
}

func TestAUserShowsItsStateOnlyWhenSelected(t *testing.T) {
	s := newServer(t)
	// Source: microsoft-graph-docs-contrib user.md, properties returned by default.
	plain := s.get("/users/" + joe).json
	for _, name := range []string{"id", "userPrincipalName", "displayName", "givenName", "surname", "mail", "businessPhones", "jobTitle", "mobilePhone", "officeLocation", "preferredLanguage"} {
		if _, ok := plain[name]; !ok {
			t.Errorf("a user lacks %s", name)
		}
	}
	if _, ok := plain["accountEnabled"]; ok || len(plain) != 12 {
		t.Errorf("a user shows %v", plain)
	}
	if got := s.get("/users/"+joe, "$select", "id, accountEnabled,nothing").json; got["accountEnabled"] != true || len(got) != 3 {
		t.Errorf("selected: %v", got)
	}
	list := s.get("/users", "$select", "displayName", "$filter", "id eq '"+joe+"'").json["value"].([]any)
	if got := fmt.Sprint(list); got != "[map[displayName:Joe]]" {
		t.Errorf("selected list: %s", got)
	}
}

// Source: microsoft-graph-docs-contrib directoryobject-getbyids.md; identity.md §3.
func TestGetByIDs(t *testing.T) {
	s := newServer(t)
	ask := func(body string) response {
		return s.do(request{client: readers, method: http.MethodPost, path: "/directoryObjects/getByIds", body: body})
	}
	all := `["` + strings.Join([]string{joe, strings.ToUpper(group), spObj, appObj, theirs, "99999999-0000-0000-0000-000000000000"}, `","`) + `"]`
	for _, c := range []struct{ types, want string }{
		{`["user","group","servicePrincipal","directoryObjectPartnerReference"]`, joe + " " + group + " " + spObj},
		{`["user"]`, joe}, {`["Group"]`, group}, {`["application"]`, appObj}, {`["device"]`, ""},
		{`["directoryObject"]`, joe + " " + group + " " + appObj + " " + spObj},
		{`null`, joe + " " + group + " " + appObj + " " + spObj},
	} {
		r := ask(`{"ids":` + all + `,"types":` + c.types + `}`)
		if r.Code != 200 || r.ids() != c.want {
			t.Errorf("%s: %d %s, want %s", c.types, r.Code, r.ids(), c.want)
		}
		for _, item := range r.json["value"].([]any) {
			kind := map[any]string{joe: "user", group: "group", spObj: "servicePrincipal", appObj: "application"}[item.(map[string]any)["id"]]
			if got := item.(map[string]any)["@odata.type"]; got != "#microsoft.graph."+kind {
				t.Errorf("@odata.type = %v, want %s", got, kind)
			}
		}
	}
	thousand := strings.Repeat(`"`+joe+`",`, 1000)
	if r := ask(`{"ids":[` + thousand[:len(thousand)-1] + `]}`); r.ids() != joe {
		t.Errorf("a thousand ids: %d %.200s", r.Code, r.Body)
	}
	for _, body := range []string{"", "{", "[]", `{"ids":[]}`, `{}`, `{"ids":"x"}`, `{"ids":["x"]}`, `{"ids":["` + joe + `"]} x`, `{"ids":[` + thousand + `"` + joe + `"]}`} {
		if r := ask(body); r.Code != 400 || r.json["error"] == nil {
			t.Errorf("%.60s: %d %.200s", body, r.Code, r.Body)
		}
	}
	if r := ask(`{"ids":["` + strings.Repeat("x", maxBody) + `"]}`); r.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("oversized: %d %.200s", r.Code, r.Body)
	}
}

// Source: microsoft-graph-docs-contrib, Permissions of each method (Application).
func TestPermissions(t *testing.T) {
	s := newServer(t)
	for _, c := range []struct {
		client, path string
		status       int
	}{
		{nobody, "/users", 403}, {nobody, "/users/" + joe, 403}, {nobody, "/groups", 403}, {nobody, "/servicePrincipals", 403}, {nobody, "/applications", 403},
		{nobody, "/organization", 403}, {nobody, "/users('joe@contoso.com')", 403}, {nobody, "/users/$count", 403},
		{appOnly, "/servicePrincipals", 200}, {appOnly, "/applications/" + appObj, 200}, {appOnly, "/users", 403}, {appOnly, "/groups", 403}, {appOnly, "/organization", 403},
		{readers, "/organization", 200}, {readers, "/users", 200},
	} {
		r := s.do(request{client: c.client, path: c.path})
		if c.status == 403 {
			wantError(t, r, 403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
		} else if r.Code != c.status {
			t.Errorf("%s %s: %d %s", c.client, c.path, r.Code, r.Body)
		}
	}
	for _, client := range []string{nobody, appOnly} {
		wantError(t, s.do(request{client: client, method: http.MethodPost, path: "/directoryObjects/getByIds", body: `{"ids":["` + joe + `"]}`}), 403, "Authorization_RequestDenied", "")
	}
}

func TestTokensThatGraphRefuses(t *testing.T) {
	s := newServer(t)
	for _, c := range []struct{ name, authorization, text string }{
		{"none", "", "Access token is empty"},
		{"for another audience", "Bearer " + s.token(readers, "https://management.azure.com"), "audience"},
		{"garbage", "Bearer x.y.z", "Access token validation failure"},
		{"tampered", "Bearer " + s.token(readers, base) + "x", "Access token validation failure"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := s.do(request{path: "/users", header: map[string]string{"Authorization": c.authorization}})
			wantError(t, r, 401, "InvalidAuthenticationToken", c.text)
			if got := r.Header().Get("WWW-Authenticate"); !strings.HasPrefix(got, `Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize"`) {
				t.Errorf("WWW-Authenticate = %s", got)
			}
		})
	}
	if r := s.do(request{path: "/users", header: map[string]string{"Authorization": "Bearer " + s.token(readers, entra.GraphAppID)}}); r.Code != 200 {
		t.Errorf("a token whose audience is Graph's application id: %d %s", r.Code, r.Body)
	}
}

func TestTenantsDoNotSeeEachOther(t *testing.T) {
	s := newServer(t)
	for _, path := range []string{"/users/" + theirs, "/users/eve@fabrikam.com", "/users('eve@fabrikam.com')", "/servicePrincipals(appId='" + foreign + "')"} {
		wantError(t, s.get(path), 404, "Request_ResourceNotFound", "")
	}
	if got := s.do(request{client: foreign, path: "/users"}).ids(); got != theirs {
		t.Errorf("Fabrikam sees %s", got)
	}
	for _, path := range []string{"/groups", "/applications"} {
		if got := s.do(request{client: foreign, path: path}).ids(); got != "" {
			t.Errorf("Fabrikam sees %s: %s", path, got)
		}
	}
	for _, path := range []string{"/users", "/groups", "/applications", "/servicePrincipals", "/organization"} {
		if body := s.get(path).Body.String(); strings.Contains(body, "abrikam") || strings.Contains(body, foreign) || strings.Contains(body, theirs) {
			t.Errorf("Contoso sees in %s: %s", path, body)
		}
	}
	count := request{client: foreign, path: "/users/$count", header: map[string]string{"ConsistencyLevel": "eventual"}}
	if r := s.do(count); r.Body.String() != "1" {
		t.Errorf("Fabrikam counts %s", r.Body)
	}
	organization := s.do(request{client: foreign, path: "/organization"})
	if organization.ids() != fabrikam {
		t.Errorf("organization = %s", organization.Body)
	}
}

func TestNoReplyHasASecret(t *testing.T) {
	s := newServer(t)
	if len(s.digest) != 64 {
		t.Fatalf("digest = %q", s.digest)
	}
	for _, path := range []string{"/users", "/users/" + joe, "/users?$select=passwordHash,id", "/applications", "/applications/" + appObj, "/applications?$select=passwordCredentials,digest", "/servicePrincipals", "/servicePrincipals/" + spObj} {
		body := s.get(path).Body.String()
		for _, secret := range []string{s.digest, "argon2id", "digest", "passwordHash"} {
			if strings.Contains(body, secret) {
				t.Errorf("%s holds %s: %s", path, secret, body)
			}
		}
	}
	// az reads these arrays always (identity.md §3).
	app := s.get("/applications/" + appObj).json
	credentials, _ := app["passwordCredentials"].([]any)
	if _, ok := app["keyCredentials"].([]any); !ok || len(credentials) != 1 {
		t.Fatalf("application = %v", app)
	}
	one := credentials[0].(map[string]any)
	if one["secretText"] != nil || one["displayName"] != "rbac" || one["endDateTime"] != "2027-01-02T03:04:05Z" || len(one["hint"].(string)) != 3 {
		t.Errorf("credential = %v", one)
	}
}

func TestAManagedIdentityNamesItsResource(t *testing.T) {
	s := newServer(t)
	const vm = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm"
	var id string
	s.update(func(tx *store.Tx) (err error) {
		id, _, err = s.directory.CreateIdentity(tx, contoso, vm, "vm")
		return err
	})
	sp := s.get("/servicePrincipals/" + id).json
	if sp["servicePrincipalType"] != "ManagedIdentity" || fmt.Sprint(sp["alternativeNames"]) != "[isExplicit=False "+vm+"]" || len(sp["servicePrincipalNames"].([]any)) != 2 {
		t.Errorf("service principal = %v", sp)
	}
}
