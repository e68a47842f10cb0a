package entra

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"sekisho/internal/store"
)

const (
	userA   = "dddddddd-0000-0000-0000-000000000001"
	userB   = "dddddddd-0000-0000-0000-000000000002"
	readers = "eeeeeeee-0000-0000-0000-000000000001"
	outer   = "eeeeeeee-0000-0000-0000-000000000002" // a group that readers is in
	apiSP   = "ffffffff-0000-0000-0000-000000000001"

	readRole  = "99999999-0000-0000-0000-000000000001"
	writeRole = "99999999-0000-0000-0000-000000000002"
	oldRole   = "99999999-0000-0000-0000-000000000003" // disabled
)

// consenting is a world with users, groups and an API that defines roles.
func consenting(t *testing.T) *world {
	w := newWorld(t)
	w.update(func(tx *store.Tx) error {
		return errors.Join(
			PutUser(tx, contoso, User{ID: userA, UserPrincipalName: "ann@contoso.com", AccountEnabled: true}),
			PutUser(tx, contoso, User{ID: userB, UserPrincipalName: "bob@contoso.com", AccountEnabled: true}),
			PutGroup(tx, contoso, Group{ID: readers}), PutGroup(tx, contoso, Group{ID: outer}),
			AddMember(tx, contoso, readers, userA), AddMember(tx, contoso, outer, readers), AddMember(tx, contoso, readers, appObj),
			PutApplication(tx, contoso, Application{ID: "bbbbbbbb-0000-0000-0000-000000000003", AppID: apiV1, DisplayName: "api1", IdentifierURIs: []string{"api://one"},
				AppSettings: AppSettings{AppRoles: []AppRole{{ID: readRole, Enabled: true, Value: "Read"}, {ID: writeRole, Enabled: true, Value: "Write"}, {ID: oldRole, Value: "Old"}}}}),
			PutServicePrincipal(tx, contoso, ServicePrincipal{ID: apiSP, AppID: apiV1, DisplayName: "api1", AccountEnabled: true}))
	})
	return w
}

// asked reads the view, as a grant does.
func (w *world) asked(read func() []string) string {
	w.t.Helper()
	all, err := look(w.t.Context(), w.d, read)
	if err != nil {
		w.t.Fatal(err)
	}
	return strings.Join(all, " ")
}

func (w *world) delegated(client, user, resource string) string {
	w.t.Helper()
	return w.asked(func() []string { return w.d.delegated(client, user, resource) })
}

func (w *world) appRoles(principal, resource string) string {
	w.t.Helper()
	return w.asked(func() []string { return w.d.appRolesOf(principal, resource) })
}

// Source: microsoft-graph-docs-contrib resources/oauth2permissiongrant.md.
func TestAClientMayWhatAllOrTheUserConsentedTo(t *testing.T) {
	w := consenting(t)
	graph := FirstPartyID(contoso, GraphAppID)
	w.update(func(tx *store.Tx) error {
		return errors.Join(
			Consent(tx, contoso, appObj, "", graph, []string{"User.Read", "openid"}),
			Consent(tx, contoso, appObj, userA, graph, []string{"Group.Read.All"}),
			Consent(tx, contoso, appObj, userA, graph, []string{"group.read.all", "User.Read.All"}), // more, once
			Consent(tx, contoso, appObj, userB, apiSP, []string{"access"}))
	})
	for _, c := range []struct{ client, user, resource, want string }{
		{appObj, userA, graph, "Group.Read.All User.Read User.Read.All openid"},
		{strings.ToUpper(appObj), strings.ToUpper(userA), strings.ToUpper(graph), "Group.Read.All User.Read User.Read.All openid"},
		{appObj, userB, graph, "User.Read openid"},
		{appObj, userB, apiSP, "access"},
		{appObj, userA, apiSP, ""},
		{apiSP, userA, graph, ""}, // another client
	} {
		if got := w.delegated(c.client, c.user, c.resource); got != c.want {
			t.Errorf("%s of %s at %s: %q, want %q", c.client, c.user, c.resource, got, c.want)
		}
	}
	if got := strings.Join(w.open().delegated(appObj, userA, graph), " "); got != "Group.Read.All User.Read User.Read.All openid" {
		t.Errorf("after a restart: %q", got)
	}
	w.update(func(tx *store.Tx) error { return Remove(tx, KindUser, userA) })
	if got := w.delegated(appObj, userA, graph); got != "User.Read openid" {
		t.Errorf("of a deleted user: %q", got)
	}
	w.update(func(tx *store.Tx) error { return Remove(tx, KindServicePrincipal, apiSP) })
	if got := w.delegated(appObj, userB, apiSP); got != "" {
		t.Errorf("at a deleted resource: %q", got)
	}
	w.update(func(tx *store.Tx) error {
		return tx.Delete(KindPermissionGrant, NewPermissionGrantID(appObj, graph, ""))
	})
	if got := w.delegated(appObj, userB, graph); got != "" {
		t.Errorf("after the consent is withdrawn: %q", got)
	}
}

// Source: microsoft-graph-docs-contrib resources/approleassignment.md; entra-docs
// howto-add-app-roles-in-apps.md.
func TestAppRolesAreThoseOfThePrincipalAndOfItsGroups(t *testing.T) {
	w := consenting(t)
	assign := func(principal, role string) {
		t.Helper()
		w.update(func(tx *store.Tx) error {
			return PutAppRoleAssignment(tx, contoso, NewAppRoleAssignment(principal, apiSP, role, w.now))
		})
	}
	assign(readers, readRole)
	assign(userA, oldRole)
	assign(userA, DefaultRole)
	assign(outer, writeRole) // userA is in it by nesting only
	assign(userB, writeRole)
	for principal, want := range map[string]string{userA: "Read", userB: "Write", readers: "Read", appObj: ""} {
		if got := w.appRoles(principal, apiSP); got != want {
			t.Errorf("roles of %s: %q, want %q", principal, got, want)
		}
	}
	if got := w.appRoles(userA, FirstPartyID(contoso, GraphAppID)); got != "" {
		t.Errorf("at another resource: %q", got)
	}
	assign(appObj, readRole)
	if got := fmt.Sprint(payload(t, w.issue("api://one").AccessToken)["roles"]); got != "[Read]" {
		t.Errorf("in an application's token: %s", got)
	}
	w.update(func(tx *store.Tx) error { return Remove(tx, KindGroup, readers) })
	if got := w.appRoles(userA, apiSP); got != "" {
		t.Errorf("of a deleted group: %q", got)
	}
	if got := w.appRoles(userB, apiSP); got != "Write" {
		t.Errorf("of another: %q", got)
	}
}

func TestATenantHasMicrosoftsApplications(t *testing.T) {
	w := newWorld(t)
	count := func() (n int) {
		t.Helper()
		err := w.store.View(t.Context(), func(tx *store.Tx) error {
			all, err := tx.List(KindServicePrincipal, store.Query{})
			n = len(all)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := count()
	for _, tenant := range []string{contoso, fabrikam} {
		for _, appID := range []string{GraphAppID, armAppID, AzureCLIAppID, machineLearningAppID} {
			sp, err := w.d.App(t.Context(), tenant, appID)
			if err != nil || sp == nil || sp.ID != FirstPartyID(tenant, appID) || !sp.Enabled {
				t.Errorf("%s in %s: %+v, %v", appID, tenant, sp, err)
			}
		}
	}
	w.update(func(tx *store.Tx) error { return PutFirstParty(tx, contoso) })
	if after := count(); after != before {
		t.Errorf("once more: %d service principals, %d before", after, before)
	}
	// Nobody gets a token as one of them.
	_, err := w.d.ClientCredentials(t.Context(), contoso, AzureCLIAppID, w.secret, armURI)
	wantNumber(t, err, 7000215, "invalid_client", 401)
}

func TestUpgradeMakesAssignmentsOfOldPermissions(t *testing.T) {
	w := newWorld(t)
	w.update(func(tx *store.Tx) error {
		return errors.Join(Remove(tx, KindServicePrincipal, FirstPartyID(contoso, GraphAppID)),
			PutServicePrincipal(tx, contoso, ServicePrincipal{ID: appObj, AppID: appID, DisplayName: "app", Type: "Application", AccountEnabled: true, Permissions: []string{"User.Read.All"}}))
	})
	for range 2 { // a second start changes nothing
		w.update(func(tx *store.Tx) error { return Upgrade(tx, contoso) })
		if got := w.appRoles(appObj, FirstPartyID(contoso, GraphAppID)); got != "User.Read.All" {
			t.Errorf("roles: %q", got)
		}
	}
}

func TestWhatMicrosoftOffersHasIdsOfItsOwn(t *testing.T) {
	for _, app := range firstPartyApps() {
		offer, ok := Offered(app.AppID)
		if !ok || uuid.Validate(app.AppID) != nil {
			t.Errorf("%s offers nothing", app.Name)
		}
		var ids, values []string
		for _, s := range offer.Scopes {
			ids, values = append(ids, s.ID), append(values, s.Value)
			if s.Type != "User" && s.Type != "Admin" || s.AdminDisplayName == "" {
				t.Errorf("%s: %+v", app.Name, s)
			}
		}
		slices.Sort(values)
		if len(slices.Compact(values)) != len(offer.Scopes) {
			t.Errorf("%s offers a scope twice", app.Name)
		}
		for _, r := range offer.Roles {
			ids = append(ids, r.ID)
			if r.DisplayName == "" || len(r.MemberTypes) == 0 {
				t.Errorf("%s: %+v", app.Name, r)
			}
		}
		slices.Sort(ids)
		if n := len(ids); len(slices.Compact(ids)) != n || slices.ContainsFunc(ids, func(id string) bool { return uuid.Validate(id) != nil }) {
			t.Errorf("%s: ids %v", app.Name, ids)
		}
	}
	if FirstParty(appID) {
		t.Error("a customer's application is Microsoft's")
	}
}

// A user's token gives its scopes, and the roles that the user has now: what they
// may do with them is for whoever asks.
func TestVerifyTellsUsersAndGuests(t *testing.T) {
	w := consenting(t)
	key := w.currentKey()
	w.update(func(tx *store.Tx) error {
		return errors.Join(PutUser(tx, contoso, User{ID: userB, UserPrincipalName: "bob@contoso.com", AccountEnabled: true, Profile: map[string]string{"userType": "Guest"}}),
			PutRoleAssignment(tx, contoso, RoleAssignment{ID: "12000000-0000-0000-0000-000000000001", Principal: userA, Role: RoleTemplate(UserAdministrator)}))
	})
	token := func(user string) string {
		claims := payload(t, w.issue(armURI).AccessToken)
		delete(claims, "roles")
		claims["oid"], claims["scp"], claims["idtyp"] = user, "user_impersonation openid", "user"
		return sign(t, jwt.SigningMethodRS256, map[string]any{"kid": key.ID}, claims, key.private)
	}
	for user, want := range map[string]string{
		userA:  "true false [user_impersonation openid] [User Administrator]",
		userB:  "true true [user_impersonation openid] []",
		appObj: "false false [user_impersonation openid] []",
	} {
		caller, err := w.d.Verify(t.Context(), token(user), armAudiences)
		if got := fmt.Sprint(caller.User, caller.Guest, caller.Scopes, caller.DirectoryRoles); err != nil || got != want {
			t.Errorf("%s: %s, %v; want %s", user, got, err, want)
		}
	}
}
