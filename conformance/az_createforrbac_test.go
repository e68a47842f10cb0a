package conformance

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
)

// The line and what it prints are seed 002's.
func TestAServicePrincipalIsMadeAsTheSeedSaysAndSignsInAndIsGivenUp(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.login()
	printed := s.az("ad", "sp", "create-for-rbac", "--json-auth", "--name", "ml-auth", "--role", "Contributor", "--scopes", "/subscriptions/"+s.SubscriptionID).ok()
	var made map[string]string
	if err := json.Unmarshal([]byte(printed), &made); err != nil {
		t.Fatalf("%v in %s", err, printed)
	}
	if keys := slices.Sorted(maps.Keys(made)); !slices.Equal(keys, []string{"activeDirectoryEndpointUrl", "activeDirectoryGraphResourceId", "clientId", "clientSecret",
		"galleryEndpointUrl", "managementEndpointUrl", "resourceManagerEndpointUrl", "sqlManagementEndpointUrl", "subscriptionId", "tenantId"}) {
		t.Errorf("create-for-rbac printed %v", keys)
	}
	if made["tenantId"] != s.TenantID || made["subscriptionId"] != s.SubscriptionID {
		t.Errorf("create-for-rbac printed tenant %s, subscription %s", made["tenantId"], made["subscriptionId"])
	}
	client := made["clientId"]
	var principal struct {
		ID, AppID, DisplayName, AppDisplayName, ServicePrincipalType string
		AccountEnabled                                               bool
		ServicePrincipalNames                                        []string
	}
	s.az("ad", "sp", "show", "--id", client).json(&principal)
	if principal.AppID != client || principal.DisplayName != "ml-auth" || principal.AppDisplayName != "ml-auth" || !principal.AccountEnabled ||
		principal.ServicePrincipalType != "Application" || !slices.Contains(principal.ServicePrincipalNames, client) {
		t.Errorf("ad sp show printed %+v", principal)
	}
	var roles []string
	s.az("role", "assignment", "list", "--assignee", client, "--query", "[].roleDefinitionName").json(&roles)
	if !slices.Equal(roles, []string{"Contributor"}) {
		t.Errorf("its roles are %v", roles)
	}

	// Made again, it is the same application with another secret.
	var again map[string]string
	s.az("ad", "sp", "create-for-rbac", "--name", "ml-auth").json(&again)
	if again["appId"] != client || again["password"] == "" || again["password"] == made["clientSecret"] {
		t.Errorf("made again: %s", again["appId"])
	}
	secret := again["password"]
	login := func(secret string) result {
		return s.az("login", "--service-principal", "-u", client, "-p", secret, "--tenant", s.TenantID)
	}
	login(made["clientSecret"]).fails("AADSTS7000215")
	login(secret).ok()
	s.az("group", "create", "-n", "rg-made", "-l", "japaneast").ok()
	// A Contributor of resources is nobody in the directory.
	s.az("ad", "app", "create", "--display-name", "mine").fails("Insufficient privileges to complete the operation")
	s.az("ad", "signed-in-user", "show").fails("/me request is only valid with delegated authentication flow")

	s.login()
	var reset struct{ AppID, Password, Tenant string }
	s.az("ad", "sp", "credential", "reset", "--id", client).json(&reset)
	if reset.AppID != client || reset.Tenant != s.TenantID || reset.Password == "" {
		t.Errorf("credential reset printed %s of %s", reset.AppID, reset.Tenant)
	}
	var credentials []struct{ KeyID, Hint string }
	s.az("ad", "sp", "credential", "list", "--id", client).json(&credentials)
	if len(credentials) != 1 || credentials[0].Hint != reset.Password[:3] {
		t.Errorf("credentials: %+v", credentials)
	}
	var named []struct{ AppID string }
	s.az("ad", "sp", "list", "--display-name", "ml-").json(&named)
	if len(named) != 1 || named[0].AppID != client {
		t.Errorf("ad sp list printed %+v", named)
	}
	login(reset.Password).ok()
	s.az("group", "show", "-n", "rg-made").ok()

	// The client of a deleted principal is out at once, with the token it has.
	other := s.elsewhere(s.Automation.ClientID, s.Automation.ClientSecret)
	other("ad", "sp", "delete", "--id", client).ok()
	s.az("group", "show", "-n", "rg-made").fails("is not in the directory")
	s.freshAz()("login", "--service-principal", "-u", client, "-p", reset.Password, "--tenant", s.TenantID).fails("AADSTS700016")
	other("ad", "sp", "show", "--id", client).fails("does not exist")
	var left []struct{ PrincipalID, PrincipalName string }
	other("role", "assignment", "list", "--all").json(&left)
	if !slices.ContainsFunc(left, func(a struct{ PrincipalID, PrincipalName string }) bool {
		return a.PrincipalID == principal.ID && a.PrincipalName == ""
	}) {
		t.Errorf("the assignment of who is gone is not there without a name: %+v", left)
	}
	// Its application is there, until it is deleted, too.
	other("ad", "app", "show", "--id", client).ok()
	other("ad", "app", "delete", "--id", client).ok()
	other("ad", "app", "show", "--id", client).fails("")
	for _, line := range strings.Split(s.process.log.String(), "\n") {
		if strings.Contains(line, secret) || strings.Contains(line, reset.Password) {
			t.Error("the log holds a secret")
		}
	}
}
