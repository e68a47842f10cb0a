package graph

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"sekisho/internal/api"
	"sekisho/internal/entra"
	"sekisho/internal/store"
)

const (
	mia     = "31000000-0000-0000-0000-000000000001" // a member without a role
	gus     = "31000000-0000-0000-0000-000000000002" // a guest
	ada     = "31000000-0000-0000-0000-000000000003" // a Global Administrator
	uma     = "31000000-0000-0000-0000-000000000004" // a User Administrator
	rex     = "31000000-0000-0000-0000-000000000005" // a guest who is a Global Reader
	ownApp  = "51000000-0000-0000-0000-000000000001" // an application that Mia and Gus own
	ownSP   = "51000000-0000-0000-0000-000000000002" // its service principal
	ownID   = "51000000-0000-0000-0000-000000000003" // its appId
	ownTeam = "41000000-0000-0000-0000-000000000001" // a group that Mia owns and is in
)

// asUser is what az's token delegates: all that the user may.
const asUser = directoryAsUser

// newPeople is a server with users of all kinds.
func newPeople(t *testing.T) *server {
	t.Helper()
	s := newWriters(t)
	s.update(func(tx *store.Tx) error {
		role := func(principal, name string) error {
			return entra.PutRoleAssignment(tx, contoso, entra.RoleAssignment{ID: uuid.NewString(), Principal: principal, Role: entra.RoleTemplate(name)})
		}
		user := func(id, name string, profile map[string]string) error {
			return entra.PutUser(tx, contoso, entra.User{ID: id, UserPrincipalName: name + "@contoso.com", DisplayName: name, GivenName: strings.ToUpper(name), Surname: "Contoso",
				Mail: name + "@mail.contoso.com", AccountEnabled: true, Profile: profile, Created: created})
		}
		guest := map[string]string{"userType": "Guest"}
		return errors.Join(
			user(mia, "mia", map[string]string{"jobTitle": "Analyst"}), user(gus, "gus", guest), user(ada, "ada", nil), user(uma, "uma", nil), user(rex, "rex", guest),
			role(ada, entra.GlobalAdministrator), role(uma, entra.UserAdministrator), role(rex, entra.GlobalReader),
			entra.PutApplication(tx, contoso, entra.Application{ID: ownApp, AppID: ownID, DisplayName: "own", Created: created,
				AppSettings: entra.AppSettings{AppRoles: []entra.AppRole{{ID: joe, MemberTypes: []string{"User"}, DisplayName: "Reader", Enabled: true, Value: "Read"}}}}),
			entra.PutServicePrincipal(tx, contoso, entra.ServicePrincipal{ID: ownSP, AppID: ownID, DisplayName: "own", Type: "Application", AccountEnabled: true, Created: created}),
			entra.PutGroup(tx, contoso, entra.Group{ID: ownTeam, DisplayName: "own", SecurityEnabled: true, Created: created}),
			entra.AddOwner(tx, contoso, ownApp, mia), entra.AddOwner(tx, contoso, ownSP, mia), entra.AddOwner(tx, contoso, ownTeam, mia), entra.AddOwner(tx, contoso, ownApp, gus),
			entra.AddMember(tx, contoso, ownTeam, mia))
	})
	return s
}

func (s *server) as(user, scopes, method, path, body string) response {
	s.t.Helper()
	return s.do(request{user: user, scopes: scopes, method: method, path: path, body: body})
}

// Sources: entra-docs users-default-permissions.md, permissions-reference.md;
// microsoft-graph-docs-contrib, Permissions of each method.
func TestWhatUsersMay(t *testing.T) {
	s := newPeople(t)
	link := func(id string) string {
		return `{"@odata.id":"https://graph.microsoft.com/v1.0/directoryObjects/` + id + `"}`
	}
	graphSP := entra.FirstPartyID(contoso, entra.GraphAppID)
	grant := func(client, scope string) string {
		return `{"clientId":"` + client + `","consentType":"AllPrincipals","resourceId":"` + graphSP + `","scope":"` + scope + `"}`
	}
	roleAt := func(principal, resource, role string) string {
		return `{"principalId":"` + principal + `","resourceId":"` + resource + `","appRoleId":"` + role + `"}`
	}
	const (
		password   = `{"passwordProfile":{"password":"Sekisho-2!"}}`
		newApp     = `{"displayName":"x"}`
		phone      = `{"mobilePhone":"1"}`
		readGraph  = "df021288-bdef-4463-88db-98f22de89214" // User.Read.All, for applications
		makesAdmin = `{"principalId":"` + mia + `","roleDefinitionId":"62e90394-69f5-4237-9190-012177145e10","directoryScopeId":"/"}`
	)
	for _, c := range []struct {
		user, scopes, method, path, body string
		allowed                          bool
	}{
		// Members read the directory, within the scope.
		{mia, asUser, "GET", "/users", "", true},
		{mia, "User.Read.All", "GET", "/users", "", true},
		{mia, "User.ReadBasic.All", "GET", "/users", "", true},
		{mia, "User.Read", "GET", "/users", "", false},
		{mia, "openid profile", "GET", "/users", "", false},
		{mia, "", "GET", "/users", "", false},
		{mia, "Group.Read.All", "GET", "/users", "", false},
		{mia, asUser, "GET", "/groups", "", true},
		{mia, "User.Read.All", "GET", "/groups", "", false},
		{mia, "GroupMember.Read.All", "GET", "/groups/" + group + "/members", "", true},
		{mia, asUser, "GET", "/applications", "", true},
		{mia, "Application.Read.All", "GET", "/servicePrincipals", "", true},
		{mia, asUser, "GET", "/organization", "", true},
		{mia, "User.Read", "GET", "/organization", "", true},
		{mia, asUser, "GET", "/directoryRoles", "", true},
		{mia, asUser, "GET", "/roleManagement/directory/roleAssignments", "", true},
		{mia, asUser, "GET", "/oauth2PermissionGrants", "", true},
		{mia, asUser, "POST", "/directoryObjects/getByIds", `{"ids":["` + joe + `"]}`, true},
		{mia, "User.Read.All", "POST", "/directoryObjects/getByIds", `{"ids":["` + joe + `"]}`, false},
		// Their own profile and memberships.
		{mia, "User.Read", "GET", "/me", "", true},
		{mia, "openid", "GET", "/me", "", false},
		{mia, "User.Read", "GET", "/users/" + mia, "", true},
		{mia, "User.Read", "GET", "/users/mia@contoso.com", "", true},
		{mia, "User.Read", "GET", "/users('mia@contoso.com')", "", true},
		{mia, "User.Read", "GET", "/users/" + joe, "", false},
		{mia, "User.Read", "GET", "/users('joe@contoso.com')", "", false},
		{mia, "User.Read", "GET", "/users/nobody@contoso.com", "", false},
		{mia, "User.Read", "GET", "/me/memberOf", "", true},
		{mia, "User.Read", "GET", "/users/" + joe + "/memberOf", "", false},
		{mia, asUser, "GET", "/users/" + joe + "/memberOf", "", true},
		{mia, "User.Read", "POST", "/me/getMemberObjects", "{}", true},
		{mia, "User.Read", "POST", "/me/getMemberGroups", "{}", false},
		{mia, "GroupMember.Read.All", "POST", "/me/getMemberGroups", "{}", true},
		{mia, "GroupMember.Read.All", "POST", "/users/" + joe + "/getMemberGroups", "{}", false},
		{mia, "User.Read", "GET", "/me/ownedObjects", "", true},
		{mia, asUser, "PATCH", "/me", phone, true},
		{mia, "User.ReadWrite", "PATCH", "/me", phone, true},
		{mia, "User.ReadWrite", "PATCH", "/users/mia@contoso.com", phone, true},
		{mia, "User.Read", "PATCH", "/me", phone, false},
		{mia, "User.ReadWrite", "PATCH", "/me", `{"jobTitle":"Boss"}`, false},
		{mia, asUser, "PATCH", "/me", `{"mobilePhone":"1","displayName":"Boss"}`, false},
		{mia, asUser, "PATCH", "/me", `{"accountEnabled":true}`, false},
		{mia, asUser, "PATCH", "/me", password, false},
		{mia, "User.ReadWrite User.ReadWrite.All", "PATCH", "/users/" + joe, phone, false},
		{mia, asUser, "DELETE", "/users/" + mia, "", false},
		{mia, asUser, "POST", "/me/revokeSignInSessions", "", true},
		{mia, "User.ReadWrite", "POST", "/me/revokeSignInSessions", "", false},
		{mia, asUser, "POST", "/users/" + joe + "/revokeSignInSessions", "", false},
		// What they make is theirs, and what they own.
		{mia, asUser, "POST", "/applications", newApp, true},
		{mia, "Application.Read.All", "POST", "/applications", newApp, false},
		{mia, asUser, "POST", "/groups", someGroup, true},
		{mia, asUser, "POST", "/users", strings.ReplaceAll(someUser, "kim", "z"), false},
		{mia, asUser, "PATCH", "/applications/" + ownApp, newApp, true},
		{mia, asUser, "PATCH", "/applications(appId='" + ownID + "')", newApp, true},
		{mia, "Application.Read.All", "PATCH", "/applications/" + ownApp, newApp, false},
		{mia, asUser, "PATCH", "/applications/" + appObj, newApp, false},
		{mia, asUser, "PATCH", "/applications(appId='" + appID + "')", newApp, false},
		{mia, asUser, "POST", "/applications/" + ownApp + "/addPassword", "{}", true},
		{mia, asUser, "POST", "/applications/" + appObj + "/addPassword", "{}", false},
		{mia, asUser, "POST", "/servicePrincipals/" + spObj + "/addPassword", "{}", false},
		{mia, asUser, "POST", "/servicePrincipals", `{"appId":"` + appID + `"}`, false},
		{mia, asUser, "POST", "/applications/" + ownApp + "/owners/$ref", link(joe), true},
		{mia, asUser, "POST", "/applications/" + appObj + "/owners/$ref", link(mia), false},
		{mia, asUser, "POST", "/groups/" + ownTeam + "/members/$ref", link(joe), true},
		{mia, "GroupMember.ReadWrite.All", "DELETE", "/groups/" + ownTeam + "/members/" + joe + "/$ref", "", true},
		{mia, "GroupMember.ReadWrite.All", "POST", "/groups/" + ownTeam + "/members/$ref", link(joe), false}, // and User.ReadWrite.All
		{mia, asUser, "POST", "/groups/" + group + "/members/$ref", link(mia), false},
		{mia, asUser, "PATCH", "/groups/" + group, `{"description":"d"}`, false},
		{mia, asUser, "POST", "/groups/" + group + "/owners/$ref", link(mia), false},
		{mia, asUser, "DELETE", "/groups/" + group, "", false},
		// Consent and roles are for administrators.
		{mia, asUser, "POST", "/oauth2PermissionGrants", grant(ownSP, "Directory.ReadWrite.All"), false},
		{mia, grantWrite, "POST", "/oauth2PermissionGrants", grant(ownSP, "User.Read"), false},
		{mia, asUser, "POST", "/servicePrincipals/" + ownSP + "/appRoleAssignments", roleAt(ownSP, graphSP, readGraph), false},
		{mia, asUser, "POST", "/servicePrincipals/" + graphSP + "/appRoleAssignedTo", roleAt(ownSP, graphSP, readGraph), false},
		{mia, asUser, "POST", "/servicePrincipals/" + ownSP + "/appRoleAssignedTo", roleAt(joe, ownSP, joe), true}, // its owner
		{mia, asUser, "POST", "/users/" + joe + "/appRoleAssignments", roleAt(joe, spObj, entra.DefaultRole), false},
		{mia, asUser, "POST", "/roleManagement/directory/roleAssignments", makesAdmin, false},
		{mia, roleWrite, "POST", "/roleManagement/directory/roleAssignments", makesAdmin, false},
		// Guests see little.
		{gus, asUser, "GET", "/me", "", true},
		{gus, asUser, "GET", "/users", "", false},
		{gus, asUser, "GET", "/users/" + joe, "", true},
		{gus, asUser, "GET", "/users/joe@contoso.com", "", false},
		{gus, asUser, "GET", "/users('joe@contoso.com')", "", false},
		{gus, asUser, "GET", "/groups", "", false},
		{gus, asUser, "GET", "/groups/" + group, "", true},
		{gus, asUser, "GET", "/groups/" + group + "/members", "", true},
		{gus, asUser, "GET", "/applications", "", false},
		{gus, asUser, "GET", "/applications/" + ownApp, "", true},
		{gus, asUser, "GET", "/servicePrincipals/" + spObj, "", true},
		{gus, asUser, "GET", "/organization", "", true},
		{gus, asUser, "GET", "/directoryRoles", "", false},
		{gus, asUser, "GET", "/users/" + joe + "/memberOf", "", false},
		{gus, asUser, "POST", "/directoryObjects/getByIds", `{"ids":["` + joe + `"]}`, false},
		{gus, asUser, "GET", "/users/" + mia + "/ownedObjects", "", false},
		{gus, asUser, "GET", "/me/ownedObjects", "", true},
		{gus, asUser, "PATCH", "/users/joe@contoso.com", "{}", false},
		{gus, asUser, "POST", "/applications", newApp, false},
		{gus, asUser, "POST", "/groups", someGroup, false},
		{gus, asUser, "POST", "/me/revokeSignInSessions", "", false},
		{gus, asUser, "PATCH", "/applications/" + ownApp, newApp, true}, // an owner
		{rex, asUser, "GET", "/users", "", true},                        // a guest with a role
		{rex, asUser, "GET", "/users/joe@contoso.com", "", true},
		{rex, "User.Read", "GET", "/users", "", false},
		{rex, asUser, "PATCH", "/users/" + joe, phone, false},
		// Administrators, within the scope.
		{uma, asUser, "PATCH", "/users/" + joe, `{"jobTitle":"Boss"}`, true},
		{uma, "User.Read.All", "PATCH", "/users/" + joe, `{"jobTitle":"Boss"}`, false},
		{uma, "User.ReadWrite.All", "PATCH", "/users/" + joe, password, false},
		{uma, "User-PasswordProfile.ReadWrite.All", "PATCH", "/users/" + joe, password, true},
		{uma, asUser, "PATCH", "/users/" + ada, password, false},
		{uma, asUser, "POST", "/users/" + joe + "/revokeSignInSessions", "", true},
		{uma, asUser, "POST", "/users/" + ada + "/revokeSignInSessions", "", false},
		{uma, "User.Read", "POST", "/users/" + joe + "/revokeSignInSessions", "", false},
		{uma, asUser, "PATCH", "/applications/" + appObj, newApp, false},
		{uma, asUser, "POST", "/roleManagement/directory/roleAssignments", makesAdmin, false},
		{uma, asUser, "POST", "/servicePrincipals/" + ownSP + "/appRoleAssignments", roleAt(ownSP, graphSP, readGraph), false},
		{ada, asUser, "POST", "/users/" + ada + "/revokeSignInSessions", "", true},
		{ada, "User.Read", "GET", "/users", "", false},
		{ada, "User.Read", "POST", "/roleManagement/directory/roleAssignments", makesAdmin, false},
		{ada, "Directory.ReadWrite.All", "POST", "/roleManagement/directory/roleAssignments", makesAdmin, false},
		{ada, asUser, "PATCH", "/users/" + ada, `{"jobTitle":"Boss"}`, true},
		{ada, asUser, "PATCH", "/applications/" + appObj, newApp, true},
		{ada, asUser, "POST", "/oauth2PermissionGrants", grant(ownSP, "User.Read"), true},
		{ada, asUser, "POST", "/servicePrincipals/" + ownSP + "/appRoleAssignments", roleAt(ownSP, graphSP, readGraph), true},
		{ada, asUser, "POST", "/roleManagement/directory/roleAssignments", strings.ReplaceAll(makesAdmin, mia, joe), true},
		{ada, asUser, "DELETE", "/groups/" + group, "", true},
	} {
		r := s.as(c.user, c.scopes, c.method, c.path, c.body)
		name := fmt.Sprintf("%.9s %s %s %s %.60s", c.user, c.scopes, c.method, c.path, c.body)
		if c.allowed && r.Code >= 300 {
			t.Errorf("%s: %d %s", name, r.Code, r.Body)
		} else if !c.allowed {
			t.Run(name, func(t *testing.T) {
				wantError(t, r, 403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
			})
		}
	}
}

// Source: entra-docs users-default-permissions.md, "Object ownership".
func TestWhatAUserMakesIsTheirs(t *testing.T) {
	s := newPeople(t)
	for path, body := range map[string]string{"/applications": `{"displayName":"mine"}`, "/groups": someGroup} {
		r := s.as(mia, asUser, "POST", path, body)
		at := path + "/" + fmt.Sprint(r.json["id"])
		if got := s.get(at + "/owners").ids(); got != mia {
			t.Errorf("owners of %s: %q", at, got)
		}
		if r := s.as(mia, asUser, "PATCH", at, `{"displayName":"still mine"}`); r.Code != 204 {
			t.Errorf("%s: %d %s", at, r.Code, r.Body)
		}
		if r := s.as(gus, asUser, "PATCH", at, `{"displayName":"not theirs"}`); r.Code != 403 {
			t.Errorf("%s, another user: %d %s", at, r.Code, r.Body)
		}
		if path == "/applications" {
			sp := s.as(mia, asUser, "POST", "/servicePrincipals", `{"appId":"`+fmt.Sprint(r.json["appId"])+`"}`)
			if got := s.get("/servicePrincipals/" + fmt.Sprint(sp.json["id"]) + "/owners").ids(); sp.Code != 201 || got != mia {
				t.Errorf("its service principal: %d %s, owners %q", sp.Code, sp.Body, got)
			}
		}
		if r := s.as(mia, asUser, "DELETE", at, ""); r.Code != 204 {
			t.Errorf("delete %s: %d %s", at, r.Code, r.Body)
		}
	}
}

// Source: concepts/permissions-overview.md, "Limited information returned for
// inaccessible member objects"; users-default-permissions.md.
func TestWhatMayNotBeReadIsEmpty(t *testing.T) {
	s := newPeople(t)
	for _, c := range []struct{ user, scopes, path, shown, empty string }{
		{gus, asUser, "/users/" + mia + "?$select=id,displayName,mail,userPrincipalName,userType,jobTitle,surname", "displayName mail userPrincipalName userType", "jobTitle surname"},
		{gus, asUser, "/me?$select=id,jobTitle,surname", "surname", ""},
		{rex, asUser, "/users/" + mia + "?$select=id,jobTitle", "jobTitle", ""},
		{mia, "User.ReadBasic.All", "/users/" + ada + "?$select=id,displayName,givenName,surname,mail,userType", "displayName givenName surname mail", "userType"},
		{mia, "User.ReadBasic.All User.Read", "/me?$select=id,jobTitle", "jobTitle", ""},
		{mia, "User.Read.All", "/users/" + ada + "?$select=id,userType", "userType", ""},
	} {
		r := s.as(c.user, c.scopes, "GET", c.path, "")
		for _, name := range strings.Fields(c.shown) {
			if r.json[name] == nil {
				t.Errorf("%s %s: no %s in %s", c.user, c.path, name, r.Body)
			}
		}
		for _, name := range strings.Fields(c.empty) {
			if r.json[name] != nil || r.Code != 200 {
				t.Errorf("%s %s: %s in %d %s", c.user, c.path, name, r.Code, r.Body)
			}
		}
	}
	// A filter tells no more than the answer.
	if r := s.as(mia, "User.ReadBasic.All", "GET", "/users?$filter=userType+eq+'Guest'", ""); r.Code != 200 || r.ids() != "" {
		t.Errorf("a filter on what may not be read: %d %s", r.Code, r.Body)
	}
	r := s.as(mia, "User.Read", "GET", "/me/memberOf", "")
	team := r.json["value"].([]any)[0].(map[string]any)
	if r.ids() != ownTeam || team["displayName"] != nil || team["@odata.type"] != "#microsoft.graph.group" {
		t.Errorf("groups, without the right to read groups: %s", r.Body)
	}
	r = s.as(mia, "GroupMember.Read.All", "GET", "/groups/"+ownTeam+"/members", "")
	if one := r.json["value"].([]any)[0].(map[string]any); r.ids() != mia || one["displayName"] == nil { // herself
		t.Errorf("members: %s", r.Body)
	}
	r = s.do(request{client: grpWriter, path: "/groups/" + ownTeam + "/members"})
	if one := r.json["value"].([]any)[0].(map[string]any); r.ids() != mia || one["displayName"] != nil {
		t.Errorf("members, for an application without the right to read users: %s", r.Body)
	}
}

// Every permission that a row asks for is one that Microsoft Graph offers.
func TestPermissionsAreThoseOfMicrosoftGraph(t *testing.T) {
	offer, _ := entra.Offered(entra.GraphAppID)
	var scopes, roles []string
	for _, s := range offer.Scopes {
		scopes = append(scopes, s.Value)
	}
	for _, r := range offer.Roles {
		roles = append(roles, r.Value)
	}
	check := func(name string, p api.Permission) {
		for _, scope := range p.Scopes {
			if scope != "AppRegistration.Create" && !slices.Contains(scopes, scope) {
				t.Errorf("%s asks for the scope %s", name, scope)
			}
		}
		for _, role := range p.Roles {
			if role != "AppRegistration.Create" && !slices.Contains(roles, role) {
				t.Errorf("%s asks for the application permission %s", name, role)
			}
		}
		for _, role := range p.DirectoryRoles {
			if entra.RoleTemplate(role) == "" {
				t.Errorf("%s asks for the directory role %s", name, role)
			}
		}
	}
	s := &Graph{}
	for _, op := range s.Service().Operations {
		check(op.Name, op.Permission)
	}
	for _, p := range []api.Permission{changeAdministrators, changePasswords, changeAccounts, updateSelf, consentToGraph, revokeOthers, readOther, readAll} {
		check("a condition", p)
	}
}
