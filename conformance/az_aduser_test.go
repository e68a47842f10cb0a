package conformance

import (
	"slices"
	"testing"
)

func TestTheAzureCLIMakesAUserAndDisablesAndDeletesTheAccount(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.login()
	type user struct {
		ID, DisplayName, UserPrincipalName string
		AccountEnabled                     *bool
	}
	create := func(name, password string) result {
		return s.az("ad", "user", "create", "--display-name", "Kim Doe", "--user-principal-name", name, "--password", password)
	}
	var made, shown user
	create("kim@contoso.com", "Sekisho-1!").json(&made)
	if made.DisplayName != "Kim Doe" || made.UserPrincipalName != "kim@contoso.com" || made.ID == "" {
		t.Errorf("user create printed %+v", made)
	}
	create("kim@contoso.com", "Sekisho-1!").fails("Another object with the same value for property userPrincipalName already exists.")
	create("lee@example.org", "Sekisho-1!").fails("The domain portion of the userPrincipalName property is invalid.")
	create("lee@contoso.com", "password").fails("does not comply with password complexity requirements")

	s.az("ad", "user", "update", "--id", "kim@contoso.com", "--display-name", "Kim Ray", "--account-enabled", "false", "--password", "Sekisho-2!").ok()
	s.az("ad", "user", "show", "--id", made.ID).json(&shown)
	if shown.DisplayName != "Kim Ray" || shown.UserPrincipalName != "kim@contoso.com" {
		t.Errorf("user show printed %+v", shown)
	}
	s.az("rest", "-m", "get", "--url", "https://graph.microsoft.com/v1.0/users/kim@contoso.com?$select=id,accountEnabled").json(&shown)
	if shown.ID != made.ID || shown.AccountEnabled == nil || *shown.AccountEnabled {
		t.Errorf("the disabled account is %+v", shown)
	}
	var names []string
	s.az("ad", "user", "list", "--query", "[].userPrincipalName").json(&names)
	if slices.Sort(names); !slices.Equal(names, []string{"admin@contoso.com", "kim@contoso.com"}) {
		t.Errorf("user list: %v", names)
	}
	s.az("role", "assignment", "create", "--assignee", "kim@contoso.com", "--role", "Reader", "--scope", s.scope()).ok()
	s.az("ad", "user", "delete", "--id", "kim@contoso.com").ok()
	s.az("ad", "user", "show", "--id", "kim@contoso.com").fails("does not exist")
}
