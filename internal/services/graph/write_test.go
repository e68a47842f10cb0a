package graph

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"sekisho/internal/entra"
	"sekisho/internal/store"
)

const (
	admin      = "61000000-0000-0000-0000-000000000001" // appId of a Global Administrator
	appWriter  = "61000000-0000-0000-0000-000000000002" // Application.ReadWrite.All
	ownedOnly  = "61000000-0000-0000-0000-000000000003" // Application.ReadWrite.OwnedBy
	userWriter = "61000000-0000-0000-0000-000000000004" // User.ReadWrite.All
	grpWriter  = "61000000-0000-0000-0000-000000000005" // GroupMember.ReadWrite.All
	userAdmin  = "61000000-0000-0000-0000-000000000006" // a User Administrator
	appAdmin   = "61000000-0000-0000-0000-000000000007" // an Application Administrator
)

// objectOf is the object id that client gives the service principal of an app.
func objectOf(client string) string { return strings.Replace(client, "6", "7", 1) }

// newWriters is a server with principals that may write.
func newWriters(t *testing.T) *server {
	t.Helper()
	s := newServer(t)
	for client, permission := range map[string]string{appWriter: appWriteAll, ownedOnly: appWriteOwned, userWriter: userWriteAll, grpWriter: memberWriteAll} {
		s.client(contoso, client, permission)
	}
	for client, role := range map[string]string{admin: entra.GlobalAdministrator, userAdmin: entra.UserAdministrator, appAdmin: entra.ApplicationAdministrator} {
		s.client(contoso, client)
		s.update(func(tx *store.Tx) error {
			return entra.PutRoleAssignment(tx, contoso, entra.RoleAssignment{ID: uuid.NewString(), Principal: objectOf(client), Role: entra.RoleTemplate(role)})
		})
	}
	return s
}

// send makes a call as the Global Administrator.
func (s *server) send(method, path, body string) response {
	s.t.Helper()
	return s.do(request{client: admin, method: method, path: path, body: body})
}

// make creates an object and gives its id.
func (s *server) make(path, body string) string {
	s.t.Helper()
	r := s.send(http.MethodPost, path, body)
	id, _ := r.json["id"].(string)
	if r.Code != http.StatusCreated || id == "" || r.Header().Get("Location") != base+"/v1.0"+path+"/"+id {
		s.t.Fatalf("POST %s: %d %s", path, r.Code, r.Body)
	}
	return id
}

// must makes a call that is answered with a status.
func (s *server) must(status int, method, path, body string) response {
	s.t.Helper()
	r := s.send(method, path, body)
	if r.Code != status {
		s.t.Fatalf("%s %s: %d %s, want %d", method, path, r.Code, r.Body, status)
	}
	return r
}

const (
	someUser  = `{"accountEnabled":true,"displayName":"Kim","mailNickname":"kim","userPrincipalName":"kim@contoso.com","passwordProfile":{"password":"Sekisho-1!","forceChangePasswordNextSignIn":false}}`
	someGroup = `{"displayName":"Team","mailEnabled":false,"mailNickname":"team","securityEnabled":true}`
)

func TestAnApplicationLives(t *testing.T) {
	s := newWriters(t)
	id := s.make("/applications", `{"displayName":"web","keyCredentials":[],"web":{"redirectUris":["https://web.contoso.com/cb"],"homePageUrl":"https://web.contoso.com"},
		"publicClient":{"redirectUris":["http://localhost","myapp://auth"]},"requiredResourceAccess":[{"resourceAppId":"`+entra.GraphAppID+`","resourceAccess":[{"id":"`+joe+`","type":"Scope"}]}],
		"appRoles":[{"id":"`+joe+`","allowedMemberTypes":["User"],"displayName":"Reader","description":"reads","isEnabled":true,"value":"Read"}]}`)
	a := s.get("/applications/" + id).json
	appID := a["appId"].(string)
	if fmt.Sprint(a["web"].(map[string]any)["redirectUris"]) != "[https://web.contoso.com/cb]" || fmt.Sprint(a["publicClient"]) != "map[redirectUris:[http://localhost myapp://auth]]" ||
		len(a["appRoles"].([]any)) != 1 || len(a["requiredResourceAccess"].([]any)) != 1 || a["signInAudience"] != "AzureADMyOrg" {
		t.Errorf("application = %v", a)
	}
	sp := s.make("/servicePrincipals", `{"appId":"`+appID+`","accountEnabled":true}`)
	wantError(t, s.send(http.MethodPost, "/servicePrincipals", `{"appId":"`+appID+`"}`), 409, "Request_MultipleObjectsWithSameKeyValue", "the service principal name "+appID+" is already in use")

	// A patch leaves alone what it does not name, inside of objects, too.
	s.must(204, http.MethodPatch, "/applications(appId='"+appID+"')", `{"displayName":"web2","identifierUris":["api://`+appID+`"],"web":{"redirectUris":["https://web.contoso.com/2"]},"api":{"requestedAccessTokenVersion":2}}`)
	a = s.get("/applications/" + id).json
	if web := a["web"].(map[string]any); a["displayName"] != "web2" || web["homePageUrl"] != "https://web.contoso.com" || fmt.Sprint(web["redirectUris"]) != "[https://web.contoso.com/2]" ||
		a["api"].(map[string]any)["requestedAccessTokenVersion"] != 2.0 || len(a["appRoles"].([]any)) != 1 {
		t.Errorf("patched: %v", a)
	}
	if got := s.get("/servicePrincipals/" + sp).json; got["displayName"] != "web2" || fmt.Sprint(got["servicePrincipalNames"]) != "["+appID+" api://"+appID+"]" {
		t.Errorf("its service principal: %v", got)
	}
	if got := s.get("/applications", "$filter", "identifierUris/any(s:s eq 'api://"+appID+"')").ids(); got != id {
		t.Errorf("by identifier URI: %s", got)
	}
	s.must(204, http.MethodDelete, "/applications/"+id, "")
	for _, path := range []string{"/applications/" + id, "/servicePrincipals/" + sp} {
		wantError(t, s.get(path), 404, "Request_ResourceNotFound", "")
	}
	wantError(t, s.send(http.MethodDelete, "/applications/"+id, ""), 404, "Request_ResourceNotFound", id)
}

func TestASecretOfAnApplicationIsShownOnceAndEndsWhenItIsTakenAway(t *testing.T) {
	s := newWriters(t)
	for _, object := range []string{"applications", "servicePrincipals"} {
		t.Run(object, func(t *testing.T) {
			app := s.make("/applications", `{"displayName":"`+object+`"}`)
			appID := s.get("/applications/" + app).json["appId"].(string)
			sp := s.make("/servicePrincipals", `{"appId":"`+appID+`"}`)
			path := "/" + object + "/" + map[string]string{"applications": app, "servicePrincipals": sp}[object]
			r := s.must(200, http.MethodPost, path+"/addPassword", `{"passwordCredential":{"displayName":"rbac","startDateTime":"2026-01-02T03:04:05Z","endDateTime":"2126-01-02T03:04:05Z"}}`)
			secret, _ := r.json["secretText"].(string)
			if len(secret) < 16 || r.json["hint"] != secret[:3] || r.json["displayName"] != "rbac" || r.json["endDateTime"] != "2126-01-02T03:04:05Z" ||
				r.json["@odata.context"] != base+"/v1.0/$metadata#microsoft.graph.passwordCredential" {
				t.Fatalf("addPassword: %s", r.Body)
			}
			signIn := func() error {
				_, err := s.directory.ClientCredentials(t.Context(), contoso, appID, secret, base)
				return err
			}
			if err := signIn(); err != nil {
				t.Fatal(err)
			}
			for _, p := range []string{path, "/" + object} {
				if body := s.get(p).Body.String(); strings.Contains(body, secret) || strings.Contains(body, "digest") {
					t.Errorf("%s shows the secret: %s", p, body)
				}
			}
			s.must(204, http.MethodPost, path+"/removePassword", `{"keyId":"`+r.json["keyId"].(string)+`"}`)
			if err := signIn(); err == nil {
				t.Error("the removed secret signs in")
			}
			wantError(t, s.send(http.MethodPost, path+"/removePassword", `{"keyId":"`+r.json["keyId"].(string)+`"}`), 400, "Request_BadRequest", "No password credential found")
			// Without a body it lives for two years.
			if r := s.must(200, http.MethodPost, path+"/addPassword", ""); r.json["secretText"] == nil {
				t.Errorf("%s", r.Body)
			}
		})
	}
}

func TestADisabledOrDeletedPrincipalIsOutAtOnce(t *testing.T) {
	s := newWriters(t)
	path := "/servicePrincipals/" + objectOf(readers)
	token := s.token(readers, base)
	call := func() int {
		return s.do(request{path: "/users", header: map[string]string{"Authorization": "Bearer " + token}}).Code
	}
	if call() != 200 {
		t.Fatal("not in")
	}
	s.must(204, http.MethodPatch, path, `{"accountEnabled":false}`)
	if got := call(); got != 401 {
		t.Errorf("disabled: %d", got)
	}
	s.must(204, http.MethodPatch, path, `{"accountEnabled":true}`)
	if got := call(); got != 200 {
		t.Errorf("enabled again: %d", got)
	}
	s.must(204, http.MethodDelete, path, "")
	if got := call(); got != 401 {
		t.Errorf("deleted: %d", got)
	}
}

func TestAUserLives(t *testing.T) {
	s := newWriters(t)
	id := s.make("/users", someUser)
	u := s.get("/users/kim@contoso.com", "$select", "id,accountEnabled,mailNickname,userType").json
	if u["id"] != id || u["accountEnabled"] != true || u["mailNickname"] != "kim" || u["userType"] != "Member" {
		t.Errorf("user = %v", u)
	}
	wantError(t, s.send(http.MethodPost, "/users", someUser), 400, "Request_BadRequest", "Another object with the same value for property userPrincipalName already exists.")
	s.must(204, http.MethodPatch, "/users/kim@contoso.com", `{"displayName":"Kim 2","accountEnabled":false,"jobTitle":"Engineer","passwordProfile":{"password":"Other-pass-2"}}`)
	u = s.get("/users/"+id, "$select", "displayName,accountEnabled,jobTitle,mailNickname").json
	if u["displayName"] != "Kim 2" || u["accountEnabled"] != false || u["jobTitle"] != "Engineer" || u["mailNickname"] != "kim" {
		t.Errorf("patched: %v", u)
	}
	for _, path := range []string{"/users/" + id, "/users/" + id + "?$select=passwordProfile,passwordHash"} {
		if body := s.get(path).Body.String(); strings.Contains(body, "argon2id") || strings.Contains(body, "Other-pass") {
			t.Errorf("%s shows the password: %s", path, body)
		}
	}
	s.must(204, http.MethodDelete, "/users('kim@contoso.com')", "")
	wantError(t, s.get("/users/"+id), 404, "Request_ResourceNotFound", "")
	s.make("/users", someUser) // its name is free again
}

func TestMembersOfGroupsThatNest(t *testing.T) {
	s := newWriters(t)
	link := func(id string) string {
		return `{"@odata.id":"https://graph.microsoft.com/v1.0/directoryObjects/` + id + `"}`
	}
	outer, inner := s.make("/groups", someGroup), s.make("/groups", strings.ReplaceAll(strings.ReplaceAll(someGroup, "team", "inner"), `}`, `,"members@odata.bind":["https://graph.microsoft.com/v1.0/users/`+joe+`"]}`))
	s.must(204, http.MethodPost, "/groups/"+outer+"/members/$ref", link(inner))
	s.must(204, http.MethodPost, "/groups/"+inner+"/members/$ref", link(strings.ToUpper(spObj)))
	wantError(t, s.send(http.MethodPost, "/groups/"+inner+"/members/$ref", link(joe)), 400, "Request_BadRequest", "One or more added object references already exist for the following modified properties: 'members'.")
	wantError(t, s.send(http.MethodPost, "/groups/"+inner+"/members/$ref", link(theirs)), 404, "Request_ResourceNotFound", theirs)
	wantError(t, s.send(http.MethodPost, "/groups/"+inner+"/members/$ref", link(appObj)), 400, "Request_BadRequest", "The reference target 'Application_"+appObj+"' of type 'Application' is invalid for the 'members' reference.")
	wantError(t, s.send(http.MethodPost, "/groups/"+inner+"/members/$ref", link(inner)), 400, "Request_BadRequest", "members")
	wantError(t, s.send(http.MethodPost, "/groups/"+inner+"/members/$ref", `{"@odata.id":"x"}`), 400, "Request_BadRequest", "@odata.id")

	for path, want := range map[string]string{
		"/groups/" + outer + "/members":                      inner,
		"/groups/" + inner + "/members":                      joe + " " + spObj,
		"/groups('" + inner + "')/members?$top=1":            joe,
		"/groups/" + outer + "/transitiveMembers":            strings.Join(ordered(joe, spObj, inner), " "),
		"/users/" + joe + "/memberOf":                        inner,
		"/users/joe@contoso.com/transitiveMemberOf":          strings.Join(ordered(inner, outer), " "),
		"/servicePrincipals/" + spObj + "/memberOf":          inner,
		"/groups/" + inner + "/memberOf":                     outer,
		"/groups/" + outer + "/memberOf":                     "",
		"/servicePrincipals(appId='" + appID + "')/memberOf": inner,
	} {
		r := s.get(path)
		if r.Code != 200 || r.ids() != want {
			t.Errorf("%s: %d %s, want %s", path, r.Code, r.ids(), want)
		}
		for _, item := range r.json["value"].([]any) {
			if kind, _ := item.(map[string]any)["@odata.type"].(string); !strings.HasPrefix(kind, "#microsoft.graph.") {
				t.Errorf("%s: @odata.type %q", path, kind)
			}
		}
	}
	next, _ := s.get("/groups/" + inner + "/members?$top=1").json["@odata.nextLink"].(string)
	if r := s.get(strings.TrimPrefix(next, base+"/v1.0")); r.ids() != spObj {
		t.Errorf("the next page %s: %s", next, r.Body)
	}
	strs := func(path, body string) string {
		t.Helper()
		r := s.do(request{client: readers, method: http.MethodPost, path: path, body: body})
		return fmt.Sprint(r.Code, r.json["value"])
	}
	for _, c := range []struct{ path, body, want string }{
		{"/users/" + joe + "/getMemberGroups", `{"securityEnabledOnly":true}`, fmt.Sprint(200, ordered(inner, outer))},
		{"/directoryObjects/" + spObj + "/getMemberObjects", `{"securityEnabledOnly":false}`, fmt.Sprint(200, ordered(inner, outer))},
		{"/groups/" + inner + "/getMemberGroups", `{"securityEnabledOnly":false}`, "200 [" + outer + "]"},
		{"/groups/" + outer + "/getMemberGroups", `{}`, "200 []"},
		{"/directoryObjects/" + joe + "/checkMemberGroups", `{"groupIds":["` + strings.ToUpper(outer) + `","` + group + `"]}`, "200 [" + outer + "]"},
		{"/directoryObjects/" + joe + "/checkMemberObjects", `{"ids":["` + group + `"]}`, "200 []"},
		{"/directoryObjects/" + theirs + "/checkMemberGroups", `{"groupIds":["` + group + `"]}`, "404 <nil>"},
		{"/directoryObjects/" + joe + "/checkMemberGroups", `{"groupIds":["x"]}`, "400 <nil>"},
		{"/directoryObjects/" + joe + "/checkMemberGroups", `{}`, "400 <nil>"},
	} {
		if got := strs(c.path, c.body); got != c.want {
			t.Errorf("%s %s: %s, want %s", c.path, c.body, got, c.want)
		}
	}

	// A ring of groups ends.
	s.must(204, http.MethodPost, "/groups/"+inner+"/members/$ref", link(outer))
	if got := s.get("/users/" + joe + "/transitiveMemberOf").ids(); got != strings.Join(ordered(inner, outer), " ") {
		t.Errorf("in a ring: %s", got)
	}
	s.must(204, http.MethodDelete, "/groups/"+inner+"/members/"+joe+"/$ref", "")
	wantError(t, s.send(http.MethodDelete, "/groups/"+inner+"/members/"+joe+"/$ref", ""), 404, "Request_ResourceNotFound", joe)
	s.must(204, http.MethodDelete, "/groups/"+inner, "")
	if got := s.get("/servicePrincipals/" + spObj + "/memberOf").ids(); got != "" {
		t.Errorf("in a deleted group: %s", got)
	}
}

func ordered(ids ...string) []string {
	for i := range ids {
		for j := range i {
			if ids[i] < ids[j] {
				ids[i], ids[j] = ids[j], ids[i]
			}
		}
	}
	return ids
}
