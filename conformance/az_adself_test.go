package conformance

import (
	"slices"
	"testing"
)

func TestAUserOfTheAzureCLISeesTheirOwnAndMakesAnApplicationAndNoUser(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.login()
	const name, password = "kim@contoso.com", "Sekisho-1!"
	s.az("ad", "user", "create", "--display-name", "Kim Doe", "--user-principal-name", name, "--password", password).ok()
	var theirs struct{ AppID string }
	s.az("ad", "app", "create", "--display-name", "theirs").json(&theirs)
	s.az("logout").ok()
	kim := &somebody{s.browser().private(), name, password}
	s.azByCode(kim, "login", "--use-device-code", "--tenant", s.TenantID, "--allow-no-subscriptions").ok()

	var me, app struct{ ID, AppID, DisplayName, UserPrincipalName string }
	s.az("ad", "signed-in-user", "show").json(&me)
	if me.UserPrincipalName != name || me.DisplayName != "Kim Doe" {
		t.Errorf("signed-in-user show printed %+v", me)
	}
	var names []string
	s.az("ad", "user", "list", "--query", "[].userPrincipalName").json(&names)
	if !slices.Contains(names, "admin@contoso.com") {
		t.Errorf("a member lists %v", names)
	}
	s.az("ad", "user", "create", "--display-name", "Lee", "--user-principal-name", "lee@contoso.com", "--password", password).fails("Insufficient privileges to complete the operation.")
	s.az("ad", "app", "update", "--id", theirs.AppID, "--display-name", "mine").fails("Insufficient privileges to complete the operation.")
	s.az("ad", "app", "create", "--display-name", "mine").json(&app)
	s.az("ad", "app", "update", "--id", app.AppID, "--display-name", "still mine").ok()
	s.az("ad", "sp", "create", "--id", app.AppID).ok()
	var owned []string
	s.az("ad", "signed-in-user", "list-owned-objects", "--type", "application", "--query", "[].displayName").json(&owned)
	if !slices.Equal(owned, []string{"still mine"}) {
		t.Errorf("list-owned-objects: %v", owned)
	}
	s.az("rest", "-m", "post", "--url", "https://graph.microsoft.com/v1.0/me/revokeSignInSessions").ok()
}
