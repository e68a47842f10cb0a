package graph

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"sekisho/internal/api"
	"sekisho/internal/entra"
	"sekisho/internal/store"
)

// Sources: microsoft-graph-docs-contrib, Permissions of each method; entra-docs
// permissions-reference.md.
func TestWhoMayWriteWhat(t *testing.T) {
	s := newWriters(t)
	boss := s.make("/users", strings.ReplaceAll(someUser, "kim", "boss"))
	s.update(func(tx *store.Tx) error {
		return entra.PutRoleAssignment(tx, contoso, entra.RoleAssignment{ID: "13000000-0000-0000-0000-000000000001", Principal: boss, Role: entra.RoleTemplate(entra.GlobalReader)})
	})
	kim := s.make("/users", someUser)
	link := func(id string) string {
		return `{"@odata.id":"https://graph.microsoft.com/v1.0/directoryObjects/` + id + `"}`
	}
	const password = `{"passwordProfile":{"password":"Sekisho-2!"}}`
	for _, c := range []struct {
		client, method, path, body string
		allowed                    bool
	}{
		{readers, "POST", "/applications", `{"displayName":"x"}`, false},
		{nobody, "POST", "/applications", `{"displayName":"x"}`, false},
		{userWriter, "POST", "/applications", `{"displayName":"x"}`, false},
		{userAdmin, "POST", "/applications", `{"displayName":"x"}`, false},
		{appWriter, "POST", "/applications", `{"displayName":"x"}`, true},
		{appAdmin, "POST", "/applications", `{"displayName":"x"}`, true},
		{ownedOnly, "POST", "/applications", `{"displayName":"x"}`, true},
		{ownedOnly, "PATCH", "/applications/" + appObj, `{"displayName":"y"}`, false},
		{ownedOnly, "POST", "/applications/" + appObj + "/addPassword", `{}`, false},
		{ownedOnly, "POST", "/applications(appId='" + appID + "')/addPassword", `{}`, false},
		{ownedOnly, "POST", "/servicePrincipals/" + spObj + "/addPassword", `{}`, false},
		{ownedOnly, "DELETE", "/applications/" + appObj, "", false},
		{ownedOnly, "DELETE", "/servicePrincipals/" + spObj, "", false},
		{appOnly, "POST", "/applications/" + appObj + "/addPassword", `{}`, false},
		{readers, "POST", "/applications(appId='" + appID + "')/addPassword", `{}`, false},
		{appAdmin, "POST", "/applications/" + appObj + "/addPassword", `{}`, true},
		{appAdmin, "POST", "/applications(appId='" + appID + "')/addPassword", `{}`, true},
		{ownedOnly, "POST", "/applications/" + appObj + "/owners/$ref", link(kim), false},
		{appWriter, "POST", "/applications/" + appObj + "/owners/$ref", link(kim), false}, // and Directory.Read.All
		{appWriter, "POST", "/applications(appId='" + appID + "')/owners/$ref", link(kim), false},
		{appAdmin, "POST", "/applications/" + appObj + "/owners/$ref", link(kim), true},
		{appWriter, "PATCH", "/servicePrincipals/" + spObj, `{"notes":"n"}`, true},
		{appAdmin, "POST", "/users", strings.ReplaceAll(someUser, "kim", "a"), false},
		{userWriter, "POST", "/users", strings.ReplaceAll(someUser, "kim", "b"), true},
		{userAdmin, "POST", "/users", strings.ReplaceAll(someUser, "kim", "c"), true},
		{userWriter, "PATCH", "/users/" + kim, `{"displayName":"K"}`, true},
		{userWriter, "PATCH", "/users/" + kim, `{"accountEnabled":true}`, true},
		{userWriter, "PATCH", "/users/" + kim, password, false}, // User-PasswordProfile.ReadWrite.All
		{userWriter, "PATCH", "/users('kim@contoso.com')", password, false},
		{userAdmin, "PATCH", "/users/" + kim, password, true},
		{userAdmin, "PATCH", "/users/" + boss, password, false}, // boss has a directory role
		{userAdmin, "PATCH", "/users/" + boss, `{"accountEnabled":false}`, false},
		{userAdmin, "PATCH", "/users/" + boss, `{"displayName":"B"}`, true},
		{userAdmin, "DELETE", "/users/" + boss, "", false},
		{userWriter, "DELETE", "/users/boss@contoso.com", "", false},
		{userWriter, "DELETE", "/users('boss@contoso.com')", "", false},
		{admin, "PATCH", "/users/" + boss, password, true},
		{userWriter, "POST", "/groups", someGroup, false},
		{grpWriter, "POST", "/groups", someGroup, false},
		{userAdmin, "POST", "/groups", someGroup, true},
		{readers, "POST", "/groups/" + group + "/members/$ref", link(kim), false},
		{grpWriter, "POST", "/groups/" + group + "/members/$ref", link(kim), false}, // and User.ReadWrite.All
		{grpWriter, "POST", "/groups/" + group + "/members/$ref", link(spObj), false},
		{grpWriter, "PATCH", "/groups/" + group, `{"displayName":"g"}`, false},
		{userAdmin, "POST", "/groups/" + group + "/members/$ref", link(kim), true},
		{appAdmin, "DELETE", "/groups/" + group + "/members/" + kim + "/$ref", "", false},
		{grpWriter, "DELETE", "/groups/" + group + "/members/" + kim + "/$ref", "", true},
		{userWriter, "POST", "/users/" + kim + "/getMemberGroups", `{}`, false}, // and GroupMember.Read.All
		{readers, "POST", "/users/" + kim + "/getMemberGroups", `{}`, true},
		{nobody, "POST", "/directoryObjects/" + kim + "/checkMemberGroups", `{"groupIds":["` + group + `"]}`, false},
		{grpWriter, "DELETE", "/groups/" + group, "", false},
		{foreign, "DELETE", "/users/" + kim, "", false},
		{userAdmin, "DELETE", "/users/" + kim, "", true},
	} {
		r := s.do(request{client: c.client, method: c.method, path: c.path, body: c.body})
		if c.allowed && r.Code >= 300 {
			t.Errorf("%s %s %s %s: %d %s", c.client, c.method, c.path, c.body, r.Code, r.Body)
		} else if !c.allowed {
			t.Run(c.client+" "+c.method+" "+c.path, func(t *testing.T) {
				wantError(t, r, 403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
			})
		}
	}
}

// Source: permissions-reference.md, Application.ReadWrite.OwnedBy.
func TestAnApplicationChangesWhatItOwnsAndNothingElse(t *testing.T) {
	s := newWriters(t)
	as := func(status int, method, path, body string) response {
		t.Helper()
		r := s.do(request{client: ownedOnly, method: method, path: path, body: body})
		if r.Code != status {
			t.Fatalf("%s %s: %d %s, want %d", method, path, r.Code, r.Body, status)
		}
		return r
	}
	as(400, "POST", "/servicePrincipals", `{"appId":"`+foreign+`"}`) // no application of this tenant
	as(403, "POST", "/servicePrincipals", `{"appId":"`+appID+`"}`)   // another's
	app := as(201, "POST", "/applications", `{"displayName":"mine"}`).json
	path := "/applications/" + app["id"].(string)
	sp := "/servicePrincipals/" + as(201, "POST", "/servicePrincipals", `{"appId":"`+app["appId"].(string)+`"}`).json["id"].(string)
	for _, p := range []string{path, sp} {
		if got := s.get(p + "/owners").ids(); got != objectOf(ownedOnly) {
			t.Errorf("owners of %s: %s", p, got)
		}
		as(204, "PATCH", p, `{"displayName":"ours"}`)
		as(200, "POST", p+"/addPassword", `{}`)
	}
	as(200, "GET", "/applications", "")
	s.must(204, "DELETE", path+"/owners/"+objectOf(ownedOnly)+"/$ref", "")
	as(403, "POST", path+"/addPassword", `{}`)
	s.must(204, "POST", path+"/owners/$ref", `{"@odata.id":"https://graph.microsoft.com/v1.0/servicePrincipals/`+objectOf(ownedOnly)+`"}`)
	as(204, "DELETE", path, "")
	if got := s.get(sp).Code; got != 404 {
		t.Errorf("its service principal: %d", got)
	}
}

func TestBadBodiesNameTheProperty(t *testing.T) {
	s := newWriters(t)
	user := func(change string) string { return strings.TrimSuffix(someUser, "}") + "," + change + "}" }
	app := func(change string) string { return `{"displayName":"a",` + change + `}` }
	for _, c := range []struct{ method, path, body, text string }{
		{"POST", "/applications", "", "Empty Payload"},
		{"POST", "/applications", "[]", "Unable to read JSON"},
		{"POST", "/applications", "null", "Unable to read JSON"},
		{"POST", "/applications", "{", "Unable to read JSON"},
		{"POST", "/applications", "{}", "A value is required for property 'displayName' of resource 'Application'."},
		{"POST", "/applications", `{"displayName":7}`, "Invalid value specified for property 'displayName' of resource 'Application'."},
		{"POST", "/applications", `{"displayName":"` + strings.Repeat("x", 257) + `"}`, "'displayName'"},
		{"POST", "/applications", `{"displayName":"a\u0000"}`, "'displayName'"},
		{"POST", "/applications", app(`"signInAudience":"Everybody"`), "'signInAudience'"},
		{"POST", "/applications", app(`"appId":"` + joe + `"`), "'appId'"},
		{"POST", "/applications", app(`"nonsense":1`), "'nonsense'"},
		{"POST", "/applications", app(`"identifierUris":["https://www.example.org"]`), "'https://www.example.org'"},
		{"POST", "/applications", app(`"identifierUris":["https://management.azure.com"]`), "verified domain"},
		{"POST", "/applications", app(`"api":{"requestedAccessTokenVersion":2},"identifierUris":["https://management.azure.com"]`), "verified domain"},
		{"POST", "/applications", app(`"identifierUris":["https://notcontoso.com"]`), "verified domain"},
		{"POST", "/applications", app(`"identifierUris":["api://` + appID + `"]`), "verified domain"}, // another's id
		{"POST", "/applications", app(`"identifierUris":"x"`), "'identifierUris'"},
		{"POST", "/applications", app(`"web":{"redirectUris":["http://www.contoso.com"]}`), "web.redirectUris"},
		{"POST", "/applications", app(`"web":{"redirectUris":["https://www.contoso.com/#x"]}`), "web.redirectUris"},
		{"POST", "/applications", app(`"spa":{"redirectUris":["javascript:alert(1)"]}`), "spa.redirectUris"},
		{"POST", "/applications", app(`"publicClient":{"redirectUris":["javascript:alert(1)"]}`), "publicClient.redirectUris"},
		{"POST", "/applications", app(`"web":{"nonsense":1}`), "nonsense"},
		{"POST", "/applications", app(`"web":7`), "'web'"},
		{"POST", "/applications", app(`"appRoles":[{"id":"x"}]`), "'appRoles'"},
		{"POST", "/applications", app(`"requiredResourceAccess":[{"resourceAppId":"x"}]`), "'requiredResourceAccess'"},
		{"POST", "/applications", app(`"passwordCredentials":[{"displayName":"x"}]`), "'passwordCredentials'"},
		{"POST", "/applications", app(`"keyCredentials":[{"key":"AAAA"}]`), "certificate"},
		{"POST", "/applications", app(`"api":{"requestedAccessTokenVersion":3}`), "requestedAccessTokenVersion"},
		{"PATCH", "/applications/" + appObj, `{"displayName":null}`, "'displayName'"},
		{"PATCH", "/applications/" + appObj, `{"id":"` + joe + `"}`, "'id'"},
		{"PATCH", "/applications/x", `{}`, "'x'"},
		{"POST", "/applications/" + appObj + "/addPassword", `{"passwordCredential":7}`, "'passwordCredential'"},
		{"POST", "/applications/" + appObj + "/addPassword", `{"passwordCredential":{"endDateTime":"yesterday"}}`, "'passwordCredential'"},
		{"POST", "/applications/" + appObj + "/addPassword", `{"passwordCredential":{"endDateTime":"2001-01-01T00:00:00Z"}}`, "'endDateTime'"},
		{"POST", "/applications/" + appObj + "/removePassword", `{}`, "'keyId'"},
		{"POST", "/applications/" + appObj + "/removePassword", `{"keyId":"x"}`, "'keyId'"},
		{"POST", "/applications/" + appObj + "/federatedIdentityCredentials", `{"name":"github"}`, "'issuer'"},
		{"POST", "/servicePrincipals", `{}`, "'appId'"},
		{"POST", "/servicePrincipals", `{"appId":"` + joe + `"}`, "does not reference a valid application object"},
		{"POST", "/servicePrincipals", `{"appId":"` + appID + `","keyCredentials":[{}]}`, "'keyCredentials'"},
		{"PATCH", "/servicePrincipals/" + spObj, `{"accountEnabled":null}`, "'accountEnabled'"},
		{"PATCH", "/servicePrincipals/" + spObj, `{"permissions":["Directory.ReadWrite.All"]}`, "'permissions'"},
		{"POST", "/users", `{"displayName":"x"}`, "'accountEnabled'"},
		{"POST", "/users", strings.ReplaceAll(someUser, "kim@contoso.com", "kim@example.org"), "domain portion"},
		{"POST", "/users", strings.ReplaceAll(someUser, "kim@contoso.com", "@contoso.com"), "userPrincipalName"},
		{"POST", "/users", strings.ReplaceAll(someUser, "kim@contoso.com", "k m@contoso.com"), "userPrincipalName"},
		{"POST", "/users", strings.ReplaceAll(someUser, "Sekisho-1!", "sekisho1"), "password complexity"},
		{"POST", "/users", strings.ReplaceAll(someUser, "Sekisho-1!", "Se1!"), "password complexity"},
		{"POST", "/users", strings.ReplaceAll(someUser, `"password":"Sekisho-1!",`, ""), "'password'"},
		{"POST", "/users", user(`"passwordHash":"x"`), "'passwordHash'"},
		{"POST", "/users", user(`"userType":"Boss"`), "'userType'"},
		{"PATCH", "/users/" + joe, `{"accountEnabled":"no"}`, "'accountEnabled'"},
		{"PATCH", "/users/" + joe, `{"userPrincipalName":"o'neil@contoso.com"}`, "userPrincipalName"},
		{"POST", "/groups", `{"displayName":"x"}`, "'mailEnabled'"},
		{"POST", "/groups", strings.Replace(someGroup, `"mailEnabled":false`, `"mailEnabled":true`, 1), "mail-enabled groups"},
		{"POST", "/groups", strings.Replace(someGroup, `"team"`, `"a team"`, 1), "'mailNickname'"},
		{"POST", "/groups", strings.TrimSuffix(someGroup, "}") + `,"groupTypes":["Unified"]}`, "'groupTypes'"},
		{"POST", "/groups", strings.TrimSuffix(someGroup, "}") + `,"isAssignableToRole":true}`, "'isAssignableToRole'"},
		{"POST", "/groups", strings.TrimSuffix(someGroup, "}") + `,"members@odata.bind":["x"]}`, "'members'"},
		{"POST", "/groups/" + group + "/members/$ref", `{}`, "@odata.id"},
	} {
		t.Run(c.method+" "+c.path+" "+fmt.Sprintf("%.60s", c.body), func(t *testing.T) {
			before := s.everything()
			r := s.send(c.method, c.path, c.body)
			if r.Code != 400 {
				t.Fatalf("%d %s, want 400", r.Code, r.Body)
			}
			e := r.json["error"].(map[string]any)
			wantError(t, r, 400, e["code"].(string), c.text)
			if after := s.everything(); after != before {
				t.Error("a refused call leaves something behind")
			}
		})
	}
}

// everything is all that the store holds of the directory.
func (s *server) everything() string {
	s.t.Helper()
	var b strings.Builder
	err := s.store.View(s.t.Context(), func(tx *store.Tx) error {
		b.Reset()
		for _, kind := range []string{entra.KindUser, entra.KindGroup, entra.KindMember, entra.KindApplication, entra.KindServicePrincipal, entra.KindOwner, entra.KindRoleAssignment, entra.KindPermissionGrant, entra.KindAppRoleAssignment} {
			records, err := tx.List(kind, store.Query{})
			if err != nil {
				return err
			}
			for _, record := range records {
				fmt.Fprintln(&b, record.Kind, record.ID, record.Etag)
			}
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return b.String()
}

func TestAGroupWithAMemberThatIsNotThereIsNotMade(t *testing.T) {
	s := newWriters(t)
	before := s.everything()
	body := strings.TrimSuffix(someGroup, "}") + `,"members@odata.bind":["https://graph.microsoft.com/v1.0/users/` + joe + `","https://graph.microsoft.com/v1.0/users/` + theirs + `"]}`
	wantError(t, s.send(http.MethodPost, "/groups", body), 404, "Request_ResourceNotFound", theirs)
	if s.everything() != before {
		t.Error("something is left of it")
	}
}

func TestAnEnabledRoleOfAnApplicationIsNotDeleted(t *testing.T) {
	s := newWriters(t)
	role := func(enabled bool) string {
		return fmt.Sprintf(`"appRoles":[{"id":"%s","allowedMemberTypes":["User"],"displayName":"Reader","description":"","isEnabled":%v,"value":"Read"}]`, joe, enabled)
	}
	id := s.make("/applications", `{"displayName":"x",`+role(true)+`}`)
	wantError(t, s.send("PATCH", "/applications/"+id, `{"appRoles":[]}`), 400, "CannotDeleteOrUpdateEnabledEntitlement", "disabled first")
	s.must(204, "PATCH", "/applications/"+id, `{`+role(false)+`}`)
	s.must(204, "PATCH", "/applications/"+id, `{"appRoles":[]}`)
}

func TestTwoApplicationsDoNotShareAnIdentifier(t *testing.T) {
	s := newWriters(t)
	const uri = `"identifierUris":["https://api.contoso.com/x"]`
	s.make("/applications", `{"displayName":"a",`+uri+`}`)
	wantError(t, s.send("POST", "/applications", `{"displayName":"b","identifierUris":["https://API.contoso.com/x/"]}`), 400, "Request_BadRequest", "Another object with the same value for property identifierUris already exists.")
}

func TestAManagedIdentityIsItsResourcesToChange(t *testing.T) {
	s := newWriters(t)
	var id string
	s.update(func(tx *store.Tx) (err error) {
		id, _, err = s.directory.CreateIdentity(tx, contoso, "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm", "vm")
		return err
	})
	path := "/servicePrincipals/" + id
	for _, r := range []response{s.send("PATCH", path, `{"displayName":"x"}`), s.send("DELETE", path, ""), s.send("POST", path+"/addPassword", "{}")} {
		wantError(t, r, 403, "Authorization_RequestDenied", "")
	}
}

func TestATenantKeepsAnAdministrator(t *testing.T) {
	s := newWriters(t)
	wantError(t, s.send("DELETE", "/servicePrincipals/"+objectOf(admin), ""), 400, "Request_BadRequest", "last Global Administrator")
	s.update(func(tx *store.Tx) error {
		return entra.PutRoleAssignment(tx, contoso, entra.RoleAssignment{ID: "13000000-0000-0000-0000-000000000002", Principal: joe, Role: entra.RoleTemplate(entra.GlobalAdministrator)})
	})
	s.must(204, "DELETE", "/servicePrincipals/"+objectOf(admin), "")
	// With the principal its role is gone: nobody gets it back with the id.
	if strings.Contains(s.everything(), objectOf(admin)) {
		t.Error("something of the deleted administrator is left")
	}
	wantError(t, s.do(request{client: userAdmin, method: "PATCH", path: "/users/" + joe, body: `{"accountEnabled":false}`}), 403, "Authorization_RequestDenied", "")
}

func TestMeIsForUsers(t *testing.T) {
	s := newWriters(t)
	for _, path := range []string{"/me", "/me/ownedObjects", "/me/memberOf"} {
		wantError(t, s.do(request{client: nobody, path: path}), 400, "BadRequest", "/me request is only valid with delegated authentication flow.")
	}
	wantError(t, s.do(request{path: "/me"}), 401, "InvalidAuthenticationToken", "")
}

// No body makes a reader fail in another way than by an error for the client.
func FuzzBody(f *testing.F) {
	for _, seed := range []string{someUser, someGroup, `{"displayName":"a","web":{"redirectUris":["https://a"]},"api":{"requestedAccessTokenVersion":2}}`, `{"keyCredentials":[{"key":"AAAA","startDateTime":"2026-01-01T00:00:00Z"}]}`,
		`{"members@odata.bind":["https://graph.microsoft.com/v1.0/users/` + joe + `"]}`, `{"appRoles":[{"id":"x"}],"optionalClaims":null}`, `null`, `{"a":`, `{"web":null,"spa":[]}`} {
		f.Add(seed)
	}
	s := &Graph{}
	f.Fuzz(func(t *testing.T, text string) {
		raw, err := parseBody([]byte(text), "Thing", false)
		if err == nil {
			for _, read := range []func(b *body){
				func(b *body) { s.readApplication(b, &entra.Application{}) },
				func(b *body) { readPrincipal(b, &entra.ServicePrincipal{}) },
				func(b *body) { readUser(b, &entra.User{}) },
				func(b *body) { readGroup(b, &entra.Group{}); b.references("members") },
				func(b *body) { readFederated(b, &entra.FederatedCredential{}) },
				func(b *body) { linked(b) },
				func(b *body) { readAppRole(b) },
			} {
				b := raw.again()
				read(b)
				if err := b.done(); err != nil {
					wantClientError(t, err)
				}
			}
		} else {
			wantClientError(t, err)
		}
	})
}

func wantClientError(t *testing.T, err error) {
	t.Helper()
	var e *api.Error
	if !errors.As(err, &e) || e.Status/100 != 4 || e.Message == "" {
		t.Errorf("%v is no error of the client", err)
	}
}

// The last part of a link is an object's id, or the link is none.
func FuzzLink(f *testing.F) {
	for _, seed := range []string{"https://graph.microsoft.com/v1.0/directoryObjects/" + joe, "https://graph.microsoft.com/v1.0/users/" + joe + "/", "users/x", "", "///"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, link string) {
		if id, ok := referenced(link); ok && (!strings.HasSuffix(strings.ToLower(link), "/"+id) || len(id) != 36) {
			t.Errorf("%q names %q", link, id)
		}
	})
}
