package graph

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"sekisho/internal/entra"
	"sekisho/internal/store"
)

// Source: microsoft-graph-docs-contrib resources/serviceprincipal.md.
func TestMicrosoftsServicePrincipalsAreThere(t *testing.T) {
	s := newPeople(t)
	r := s.as(mia, asUser, "GET", "/servicePrincipals(appId='"+entra.GraphAppID+"')", "")
	if r.json["displayName"] != "Microsoft Graph" || r.json["id"] != entra.FirstPartyID(contoso, entra.GraphAppID) || r.json["appOwnerOrganizationId"] != entra.MicrosoftTenant {
		t.Errorf("%d %.400s", r.Code, r.Body)
	}
	ids := map[string]string{"oauth2PermissionScopes": "e1fe6dd8-ba31-4d61-89e7-88639da4683d", "appRoles": "7ab1d382-f21e-4acd-a863-ba3e13f7da61"} // User.Read, Directory.Read.All
	for property, id := range ids {
		if !strings.Contains(fmt.Sprint(r.json[property]), id) {
			t.Errorf("%s lack %s", property, id)
		}
	}
	r = s.get("/servicePrincipals", "$filter", "appId eq '0736f41a-0425-4b46-bdb5-1563eff02385'")
	if list := r.json["value"].([]any); len(list) != 1 || list[0].(map[string]any)["displayName"] != "Azure Machine Learning" {
		t.Errorf("Azure Machine Learning: %s", r.Body)
	}
	// Nobody becomes them.
	at := "/servicePrincipals/" + entra.FirstPartyID(contoso, entra.AzureCLIAppID)
	for _, c := range []struct{ method, path, body string }{{"POST", at + "/addPassword", "{}"}, {"DELETE", at, ""}, {"PATCH", at, `{"displayName":"x"}`}} {
		wantError(t, s.as(ada, asUser, c.method, c.path, c.body), 403, "Authorization_RequestDenied", "Insufficient privileges")
	}
}

// Source: oauth2permissiongrant-*.md; az ad app permission grant, list-grants.
func TestAGrantLives(t *testing.T) {
	s := newPeople(t)
	graphSP := entra.FirstPartyID(contoso, entra.GraphAppID)
	body := func(principal string) string {
		kind := `"AllPrincipals"`
		if principal != "null" {
			kind = `"Principal"`
		}
		return `{"clientId":"` + ownSP + `","consentType":` + kind + `,"principalId":` + principal + `,"resourceId":"` + graphSP + `","scope":"User.Read  openid"}`
	}
	made := s.must(201, "POST", "/oAuth2PermissionGrants", body("null"))
	id := made.json["id"].(string)
	if made.json["scope"] != "User.Read openid" || made.json["principalId"] != nil || made.Header().Get("Location") != base+"/v1.0/oauth2PermissionGrants/"+id {
		t.Errorf("%s, at %s", made.Body, made.Header().Get("Location"))
	}
	wantError(t, s.send("POST", "/oauth2PermissionGrants", body("null")), 409, "Request_MultipleObjectsWithSameKeyValue", "Permission entry already exists.")
	mine := s.must(201, "POST", "/oauth2PermissionGrants", body(`"`+mia+`"`)).json["id"].(string)
	for path, want := range map[string]int{
		"/oauth2PermissionGrants": 2,
		"/oauth2PermissionGrants?$filter=" + url.QueryEscape("clientId eq '"+ownSP+"' and consentType eq 'AllPrincipals'"): 1,
		"/oauth2PermissionGrants?$top=1":                          1,
		"/servicePrincipals/" + ownSP + "/oauth2PermissionGrants": 2,
		"/servicePrincipals/" + spObj + "/oauth2PermissionGrants": 0,
		"/users/" + mia + "/oauth2PermissionGrants":               1,
	} {
		if r := s.get(path); r.Code != 200 || len(r.json["value"].([]any)) != want {
			t.Errorf("%s: %d %s", path, r.Code, r.Body)
		}
	}
	first := s.get("/oauth2PermissionGrants?$top=1")
	next, _ := first.json["@odata.nextLink"].(string)
	second := s.get(strings.TrimPrefix(next, base+"/v1.0"))
	if all := first.ids() + " " + second.ids(); !strings.Contains(all, id) || !strings.Contains(all, mine) {
		t.Errorf("pages: %s", all)
	}
	if r := s.as(mia, asUser, "GET", "/me/oauth2PermissionGrants", ""); r.ids() != mine {
		t.Errorf("Mia's: %s", r.Body)
	}
	s.must(204, "PATCH", "/oauth2PermissionGrants/"+id, `{"scope":"User.Read.All"}`)
	if r := s.get("/oauth2PermissionGrants/" + id); r.json["scope"] != "User.Read.All" {
		t.Errorf("%s", r.Body)
	}
	for _, c := range []struct{ method, path, body, property string }{
		{"PATCH", "/" + id, `{"clientId":"` + spObj + `"}`, "scope"},
		{"PATCH", "/" + id, `{"scope":"x","resourceId":"` + spObj + `"}`, "resourceId"},
		{"POST", "", `{}`, "clientId"},
		{"POST", "", strings.Replace(body("null"), "AllPrincipals", "Everybody", 1), "consentType"},
		{"POST", "", strings.Replace(body("null"), "AllPrincipals", "Principal", 1), "principalId"},
		{"POST", "", strings.Replace(body(`"`+mia+`"`), `"Principal"`, `"AllPrincipals"`, 1), "principalId"},
	} {
		wantError(t, s.send(c.method, "/oauth2PermissionGrants"+c.path, c.body), 400, "Request_BadRequest", "'"+c.property+"'")
	}
	wantError(t, s.send("POST", "/oauth2PermissionGrants", strings.Replace(body("null"), ownSP, mia, 1)), 404, "Request_ResourceNotFound", mia)
	wantError(t, s.do(request{client: foreign, path: "/oauth2PermissionGrants/" + id}), 404, "Request_ResourceNotFound", id)
	s.must(204, "DELETE", "/oauth2PermissionGrants/"+id, "")
	wantError(t, s.get("/oauth2PermissionGrants/"+id), 404, "Request_ResourceNotFound", id)
	s.must(204, "DELETE", "/users/"+mia, "")
	wantError(t, s.get("/oauth2PermissionGrants/"+mine), 404, "Request_ResourceNotFound", mine)
}

// Source: serviceprincipal-post-approleassignments.md, serviceprincipal-post-approleassignedto.md.
func TestAnAppRoleAssignmentLives(t *testing.T) {
	s := newPeople(t)
	graphSP, at := entra.FirstPartyID(contoso, entra.GraphAppID), "/servicePrincipals/"+ownSP
	body := func(principal, resource, role string) string {
		return `{"principalId":"` + principal + `","resourceId":"` + resource + `","appRoleId":"` + role + `"}`
	}
	const readAllUsers, readUser = "df021288-bdef-4463-88db-98f22de89214", "e1fe6dd8-ba31-4d61-89e7-88639da4683d" // a role; a scope
	made := s.must(201, "POST", at+"/appRoleAssignments", body(ownSP, graphSP, readAllUsers))
	if made.json["principalType"] != "ServicePrincipal" || made.json["principalDisplayName"] != "own" || made.json["resourceDisplayName"] != "Microsoft Graph" {
		t.Errorf("%s", made.Body)
	}
	user := s.must(201, "POST", at+"/appRoleAssignedTo", body(mia, ownSP, joe)).json["id"].(string)
	s.must(201, "POST", "/groups/"+group+"/appRoleAssignments", body(group, ownSP, entra.DefaultRole))
	for path, want := range map[string]int{at + "/appRoleAssignments": 1, at + "/appRoleAssignedTo": 2, "/users/" + mia + "/appRoleAssignments": 1, "/groups/" + group + "/appRoleAssignments": 1} {
		if r := s.get(path); r.Code != 200 || len(r.json["value"].([]any)) != want {
			t.Errorf("%s: %d %s", path, r.Code, r.Body)
		}
	}
	wantError(t, s.send("POST", at+"/appRoleAssignments", body(ownSP, graphSP, readAllUsers)), 400, "InvalidUpdate", "already exists")
	for name, c := range map[string]struct{ path, body, text string }{
		"a scope is no role":              {at + "/appRoleAssignments", body(ownSP, graphSP, readUser), "was not found on application"},
		"a role for applications":         {"/users/" + mia + "/appRoleAssignments", body(mia, graphSP, readAllUsers), "was not found on application"},
		"a role for users":                {at + "/appRoleAssignments", body(ownSP, ownSP, joe), "was not found on application"},
		"another principal than the path": {at + "/appRoleAssignments", body(spObj, graphSP, readAllUsers), "'principalId'"},
		"another resource than the path":  {at + "/appRoleAssignedTo", body(ownSP, graphSP, readAllUsers), "'resourceId'"},
		"no GUID":                         {at + "/appRoleAssignments", body("x", graphSP, readAllUsers), "'principalId'"},
	} {
		t.Run(name, func(t *testing.T) { wantError(t, s.send("POST", c.path, c.body), 400, "Request_BadRequest", c.text) })
	}
	// Application Administrators don't consent to Microsoft Graph.
	// Source: entra-docs permissions-reference.md.
	wantError(t, s.do(request{client: appAdmin, method: "POST", path: "/servicePrincipals/" + spObj + "/appRoleAssignments", body: body(spObj, graphSP, readAllUsers)}), 403, "Authorization_RequestDenied", "")
	wantError(t, s.do(request{client: appAdmin, method: "DELETE", path: at + "/appRoleAssignments/" + made.json["id"].(string)}), 403, "Authorization_RequestDenied", "")
	wantError(t, s.send("DELETE", "/servicePrincipals/"+spObj+"/appRoleAssignments/"+made.json["id"].(string), ""), 404, "Request_ResourceNotFound", "")
	if r := s.as(mia, asUser, "DELETE", at+"/appRoleAssignedTo/"+user, ""); r.Code != 204 {
		t.Errorf("the resource's owner: %d %s", r.Code, r.Body)
	}
	s.must(204, "DELETE", at+"/appRoleAssignments/"+made.json["id"].(string), "")
	if r := s.get(at + "/appRoleAssignments"); r.ids() != "" {
		t.Errorf("%s", r.Body)
	}
}

// Source: directoryrole-list.md, rbacapplication-post-roleassignments.md.
func TestADirectoryRoleIsGivenAndTakenAway(t *testing.T) {
	s := newPeople(t)
	give := func(principal string) string {
		return `{"@odata.type":"#microsoft.graph.unifiedRoleAssignment","principalId":"` + principal + `","roleDefinitionId":"` + entra.RoleTemplate(entra.GroupsAdministrator) + `","directoryScopeId":"/"}`
	}
	if r := s.as(mia, asUser, "DELETE", "/groups/"+group, ""); r.Code != 403 {
		t.Errorf("before: %d", r.Code)
	}
	made := s.must(201, "POST", "/roleManagement/directory/roleAssignments", give(mia)).json["id"].(string)
	wantError(t, s.send("POST", "/roleManagement/directory/roleAssignments", give(mia)), 400, "Request_BadRequest", "conflicting object")
	wantError(t, s.send("POST", "/roleManagement/directory/roleAssignments", give(group)), 400, "Request_BadRequest", "can't be assigned")
	wantError(t, s.send("POST", "/roleManagement/directory/roleAssignments", give(theirs)), 404, "Request_ResourceNotFound", theirs)
	wantError(t, s.send("POST", "/roleManagement/directory/roleAssignments", strings.Replace(give(joe), `"/"`, `"/administrativeUnits/x"`, 1)), 400, "Request_BadRequest", "directoryScopeId")
	role := roleID(contoso, entra.RoleTemplate(entra.GroupsAdministrator))
	for path, want := range map[string]string{
		"/roleManagement/directory/roleAssignments?$filter=" + url.QueryEscape("principalId eq '"+mia+"'"):                    made,
		"/directoryRoles?$filter=" + url.QueryEscape("roleTemplateId eq '"+entra.RoleTemplate(entra.GroupsAdministrator)+"'"): role,
		"/directoryRoles/" + role + "/members": mia,
	} {
		if r := s.get(path); r.ids() != want {
			t.Errorf("%s: %s", path, r.Body)
		}
	}
	if r := s.get("/users/" + mia + "/memberOf"); !strings.Contains(r.ids(), role) {
		t.Errorf("memberOf: %s", r.Body)
	}
	if r := s.get("/directoryRoles/" + role); r.json["displayName"] != entra.GroupsAdministrator {
		t.Errorf("%s", r.Body)
	}
	if r := s.get("/directoryRoleTemplates"); len(r.json["value"].([]any)) != len(entra.RoleTemplates()) {
		t.Errorf("%s", r.Body)
	}
	r := s.as(mia, "User.Read GroupMember.Read.All", "POST", "/me/getMemberObjects", "{}")
	if !strings.Contains(r.Body.String(), role) || !strings.Contains(r.Body.String(), ownTeam) {
		t.Errorf("getMemberObjects: %s", r.Body)
	}
	if r := s.as(mia, "User.Read GroupMember.Read.All", "POST", "/me/getMemberGroups", "{}"); strings.Contains(r.Body.String(), role) {
		t.Errorf("getMemberGroups: %s", r.Body)
	}
	s.must(204, "DELETE", "/roleManagement/directory/roleAssignments/"+made, "")
	if r := s.as(mia, asUser, "DELETE", "/groups/"+group, ""); r.Code != 403 {
		t.Errorf("after: %d", r.Code)
	}
	wantError(t, s.get("/directoryRoles/"+role), 404, "Request_ResourceNotFound", role)
	// Somebody is left to give roles.
	var last string
	for _, one := range s.get("/roleManagement/directory/roleAssignments?$filter=" + url.QueryEscape("roleDefinitionId eq '"+entra.RoleTemplate(entra.GlobalAdministrator)+"'")).json["value"].([]any) {
		a := one.(map[string]any)
		if last = a["id"].(string); a["principalId"] == ada {
			s.must(204, "DELETE", "/roleManagement/directory/roleAssignments/"+last, "")
		}
	}
	for _, one := range s.get("/roleManagement/directory/roleAssignments?$filter=" + url.QueryEscape("roleDefinitionId eq '"+entra.RoleTemplate(entra.GlobalAdministrator)+"'")).json["value"].([]any) {
		wantError(t, s.send("DELETE", "/roleManagement/directory/roleAssignments/"+one.(map[string]any)["id"].(string), ""), 400, "Request_BadRequest", "last Global Administrator")
	}
}

// Source: user-revokesigninsessions.md.
func TestSessionsAreRevokedFromNowOn(t *testing.T) {
	s := newPeople(t)
	before := time.Now()
	r := s.as(mia, asUser, "POST", "/me/revokeSignInSessions", "")
	if r.Code != 200 || r.json["value"] != true {
		t.Fatalf("%d %s", r.Code, r.Body)
	}
	var u entra.User
	if err := s.store.View(t.Context(), func(tx *store.Tx) (err error) {
		u, _, err = store.Load[entra.User](tx, entra.KindUser, mia)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if u.ValidFrom.Before(before) || u.ValidFrom.After(time.Now()) || u.DisplayName != "mia" {
		t.Errorf("%+v", u)
	}
	s.must(200, "POST", "/users/"+joe+"/revokeSignInSessions", "")
	wantError(t, s.send("POST", "/users/"+theirs+"/revokeSignInSessions", ""), 404, "Request_ResourceNotFound", theirs)
}

// Source: entra-docs userinfo.md.
func TestUserInfoTellsWhatTheScopesSay(t *testing.T) {
	s := newPeople(t)
	for scopes, want := range map[string]string{
		"openid":                         "sub",
		"openid profile":                 "family_name given_name name sub",
		"openid email User.Read":         "email sub",
		"email openid profile User.Read": "email family_name given_name name sub",
	} {
		for _, method := range []string{"GET", "POST"} {
			r := s.as(mia, scopes, method, "/oidc/userinfo", "")
			var names []string
			for name := range r.json {
				names = append(names, name)
			}
			if got := sortedWords(names); r.Code != 200 || got != want {
				t.Errorf("%s: %d %s, want %s", scopes, r.Code, r.Body, want)
			}
			if r.json["sub"] != s.directory.Subject(contoso, userClient, mia) || r.json["sub"] == mia {
				t.Errorf("sub = %v", r.json["sub"])
			}
		}
	}
	wantError(t, s.as(mia, "User.Read", "GET", "/oidc/userinfo", ""), 403, "Authorization_RequestDenied", "")
	wantError(t, s.do(request{client: admin, path: "/oidc/userinfo"}), 403, "Authorization_RequestDenied", "")
	wantError(t, s.do(request{path: "/oidc/userinfo"}), 401, "InvalidAuthenticationToken", "")
}
