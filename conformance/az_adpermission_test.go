package conformance

import (
	"slices"
	"strings"
	"testing"
)

const graphAppID = "00000003-0000-0000-c000-000000000000"

func TestTheAzureCLIAsksForPermissionsOfMicrosoftGraphAndGrantsThem(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.login()
	var graph struct {
		ID, AppOwnerOrganizationID string
		AppRoles                   []struct{ ID, Value string }
		Oauth2PermissionScopes     []struct{ ID, Value string }
	}
	s.az("ad", "sp", "show", "--id", graphAppID).json(&graph)
	if graph.AppOwnerOrganizationID != "f8cdef31-a31e-4b4a-93e4-5f571e91255a" || len(graph.AppRoles) == 0 || len(graph.Oauth2PermissionScopes) == 0 {
		t.Errorf("sp show printed %+v", graph)
	}
	var learning string
	s.az("ad", "sp", "show", "--id", "0736f41a-0425-4b46-bdb5-1563eff02385", "--query", "displayName").json(&learning)
	if learning != "Azure Machine Learning" {
		t.Errorf("the principal of Azure Machine Learning is %q", learning)
	}
	s.az("ad", "sp", "credential", "reset", "--id", "04b07795-8ddb-461a-bbee-02f9e1bf7b46").fails("Insufficient privileges to complete the operation.")

	var app struct{ AppID string }
	s.az("ad", "app", "create", "--display-name", "reader").json(&app)
	s.az("ad", "sp", "create", "--id", app.AppID).ok()
	const userRead, userReadAll = "e1fe6dd8-ba31-4d61-89e7-88639da4683d", "df021288-bdef-4463-88db-98f22de89214"
	s.az("ad", "app", "permission", "add", "--id", app.AppID, "--api", graphAppID, "--api-permissions", userRead+"=Scope", userReadAll+"=Role").ok()
	var asked []struct {
		ResourceAppID  string
		ResourceAccess []struct{ ID, Type string }
	}
	s.az("ad", "app", "permission", "list", "--id", app.AppID).json(&asked)
	if len(asked) != 1 || asked[0].ResourceAppID != graphAppID || len(asked[0].ResourceAccess) != 2 {
		t.Errorf("permission list printed %+v", asked)
	}
	s.az("ad", "app", "permission", "grant", "--id", app.AppID, "--api", graphAppID, "--scope", "User.Read").ok()
	var scopes []string
	s.az("ad", "app", "permission", "list-grants", "--id", app.AppID, "--query", "[].scope").json(&scopes)
	if !slices.Equal(scopes, []string{"User.Read"}) {
		t.Errorf("list-grants: %v", scopes)
	}
	s.az("ad", "app", "permission", "delete", "--id", app.AppID, "--api", graphAppID, "--api-permissions", userRead).ok()

	// The application permission is an app role assignment.
	var sp struct{ ID string }
	s.az("ad", "sp", "show", "--id", app.AppID).json(&sp)
	body := s.file("role.json", `{"principalId":"`+sp.ID+`","resourceId":"`+graph.ID+`","appRoleId":"`+userReadAll+`"}`)
	s.az("rest", "-m", "post", "--url", "https://graph.microsoft.com/v1.0/servicePrincipals/"+sp.ID+"/appRoleAssignments", "--body", "@"+body).ok()
	var given []string
	s.az("rest", "-m", "get", "--url", "https://graph.microsoft.com/v1.0/servicePrincipals/"+graph.ID+"/appRoleAssignedTo", "--query", "value[].principalDisplayName").json(&given)
	if !slices.Contains(given, "reader") {
		t.Errorf("who may use Microsoft Graph: %v", given)
	}
	batch := s.file("batch.json", `{"requests":[{"id":"1","method":"GET","url":"/users?$select=id"},{"id":"2","method":"GET","url":"/me"}]}`)
	var answers struct{ Responses []struct{ Status int } }
	s.az("rest", "-m", "post", "--url", "https://graph.microsoft.com/v1.0/$batch", "--body", "@"+batch).json(&answers)
	if len(answers.Responses) != 2 || answers.Responses[0].Status != 200 || answers.Responses[1].Status != 400 {
		t.Errorf("batch: %+v", answers)
	}
	s.az("ad", "signed-in-user", "show").fails("/me request is only valid with delegated authentication flow.")
	if strings.TrimSpace(s.az("ad", "sp", "list", "--all", "--query", "[?appId=='"+graphAppID+"'] | length(@)").ok()) != "1" {
		t.Error("there is more than one Microsoft Graph")
	}
}
