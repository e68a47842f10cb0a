package conformance

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestTheAzureCLISignsInAndKnowsItsAccountAndGivesTokens(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.az("login", "--service-principal", "-u", s.Automation.ClientID, "-p", "wrong", "--tenant", s.TenantID).
		fails("AADSTS7000215", "Invalid client secret provided")
	type account struct {
		ID, Name, State, TenantID string
		IsDefault                 bool
		User                      struct{ Name, Type string }
	}
	want := account{ID: s.SubscriptionID, Name: "Sekisho sample", State: "Enabled", TenantID: s.TenantID, IsDefault: true}
	want.User.Name, want.User.Type = s.Automation.ClientID, "servicePrincipal"

	var signedIn, listed []account
	s.az("login", "--service-principal", "-u", s.Automation.ClientID, "-p", s.Automation.ClientSecret, "--tenant", s.TenantID).json(&signedIn)
	s.az("account", "list", "--refresh").json(&listed)
	var shown account
	s.az("account", "show").json(&shown)
	if !slices.Equal(signedIn, []account{want}) || !slices.Equal(listed, signedIn) || shown != want {
		t.Errorf("login printed %+v, account list %+v, account show %+v, want %+v", signedIn, listed, shown, want)
	}

	var token struct {
		AccessToken, Subscription, Tenant, TokenType string
		ExpiresOn                                    int64 `json:"expires_on"`
	}
	s.az("account", "get-access-token", "--resource", "https://cognitiveservices.azure.com").json(&token)
	if token.Subscription != s.SubscriptionID || token.Tenant != s.TenantID || token.TokenType != "Bearer" ||
		time.Until(time.Unix(token.ExpiresOn, 0)) < 30*time.Minute || strings.Count(token.AccessToken, ".") != 2 {
		t.Errorf("get-access-token printed %+v", token)
	}

	var principal struct {
		AppID, ID, DisplayName, ServicePrincipalType string
		ServicePrincipalNames                        []string
	}
	s.az("ad", "sp", "show", "--id", s.Automation.ClientID).json(&principal)
	if principal.AppID != s.Automation.ClientID || principal.ID != s.Automation.ObjectID || principal.DisplayName != "automation" ||
		principal.ServicePrincipalType != "Application" || !slices.Contains(principal.ServicePrincipalNames, s.Automation.ClientID) {
		t.Errorf("ad sp show printed %+v", principal)
	}
}

func TestTheAzureCLIBuildsAGroupWithAnAccountAndADeploymentAndTakesItDown(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.login()
	type resource struct {
		ID, Name, Location, Kind string
		Tags                     map[string]string
		SKU                      struct {
			Name     string
			Capacity int
		}
		Properties struct {
			ProvisioningState, Endpoint, CustomSubDomainName string
			Model                                            struct{ Format, Name, Version string }
		}
	}
	group := "/subscriptions/" + s.SubscriptionID + "/resourceGroups/rg-built"
	var created, shown resource
	s.az("group", "create", "-n", "rg-built", "-l", "japaneast", "--tags", "purpose=story").json(&created)
	s.az("group", "show", "-n", "RG-Built").json(&shown)
	for _, g := range []resource{created, shown} {
		if g.ID != group || g.Location != "japaneast" || g.Tags["purpose"] != "story" || g.Properties.ProvisioningState != "Succeeded" {
			t.Errorf("the group is %+v", g)
		}
	}
	var groups []string
	s.az("group", "list", "--query", "[].name").json(&groups)
	if slices.Sort(groups); !slices.Equal(groups, []string{"rg-built", "rg-sample"}) {
		t.Errorf("group list: %v", groups)
	}

	account := []string{"-g", "rg-built", "-n", "aoai-built"}
	s.az(append([]string{"cognitiveservices", "account", "create", "--kind", "OpenAI", "--sku", "S0", "-l", "japaneast", "--custom-domain", "aoai-built", "--yes"}, account...)...).json(&created)
	s.az(append([]string{"cognitiveservices", "account", "show"}, account...)...).json(&shown)
	for _, a := range []resource{created, shown} {
		if a.ID != group+"/providers/Microsoft.CognitiveServices/accounts/aoai-built" || a.Kind != "OpenAI" || a.SKU.Name != "S0" ||
			a.Properties.ProvisioningState != "Succeeded" || a.Properties.Endpoint != "https://aoai-built.openai.azure.com/" || a.Properties.CustomSubDomainName != "aoai-built" {
			t.Errorf("the account is %+v", a)
		}
	}
	var names []string
	s.az("cognitiveservices", "account", "list", "--query", "[].name").json(&names)
	if slices.Sort(names); !slices.Equal(names, []string{"aoai-built", "aoai-sample"}) {
		t.Errorf("account list: %v", names)
	}
	s.az(append([]string{"cognitiveservices", "account", "create", "--kind", "OpenAI", "--sku", "S0", "-l", "japaneast", "--custom-domain", "AOAI-Sample", "--yes"}, "-g", "rg-built", "-n", "aoai-thief")...).
		fails("CustomDomainInUse")

	deployment := append([]string{"--deployment-name", "chat"}, account...)
	s.az(append([]string{"cognitiveservices", "account", "deployment", "create", "--model-format", "OpenAI", "--model-name", "gpt-4o-mini",
		"--model-version", "2024-07-18", "--sku-name", "Standard", "--sku-capacity", "3"}, deployment...)...).json(&created)
	s.az(append([]string{"cognitiveservices", "account", "deployment", "show"}, deployment...)...).json(&shown)
	for _, d := range []resource{created, shown} {
		if d.Name != "chat" || d.SKU.Name != "Standard" || d.SKU.Capacity != 3 || d.Properties.ProvisioningState != "Succeeded" ||
			d.Properties.Model.Name != "gpt-4o-mini" || d.Properties.Model.Version != "2024-07-18" {
			t.Errorf("the deployment is %+v", d)
		}
	}
	s.az(append([]string{"cognitiveservices", "account", "deployment", "list", "--query", "[].name"}, account...)...).json(&names)
	if !slices.Equal(names, []string{"chat"}) {
		t.Errorf("deployment list: %v", names)
	}

	s.az("group", "delete", "-n", "rg-built", "--yes").ok()
	s.az("group", "show", "-n", "rg-built").fails("ResourceGroupNotFound")
	s.az(append([]string{"cognitiveservices", "account", "show"}, account...)...).fails("ResourceGroupNotFound")
}

func TestTheAzureCLIAssignsRolesByNameAndListsAndTakesThemBack(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.login()
	var roles []struct {
		Name, RoleName, RoleType string
		Permissions              []struct{ DataActions []string }
	}
	s.az("role", "definition", "list", "--name", "Cognitive Services OpenAI User").json(&roles)
	if len(roles) != 1 || roles[0].Name != roleOpenAIUser || roles[0].RoleType != "BuiltInRole" ||
		!slices.Contains(roles[0].Permissions[0].DataActions, "Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action") {
		t.Errorf("role definition list printed %+v", roles)
	}

	scope := s.scope(sampleAccount)
	type assignment struct {
		ID, PrincipalID, PrincipalName, PrincipalType, RoleDefinitionName, Scope string
	}
	// By application id, which Graph turns into an object id.
	var created assignment
	s.az("role", "assignment", "create", "--assignee", s.Automation.ClientID, "--role", "Cognitive Services OpenAI User", "--scope", scope).json(&created)
	if created.PrincipalID != s.Automation.ObjectID || created.PrincipalType != "ServicePrincipal" || created.Scope != scope {
		t.Errorf("role assignment create printed %+v", created)
	}
	// By object id, at the resource group.
	s.az("role", "assignment", "create", "--assignee-object-id", s.Automation.ObjectID, "--assignee-principal-type", "ServicePrincipal",
		"--role", "Reader", "--scope", s.scope()).ok()
	s.az("role", "assignment", "create", "--assignee", s.Automation.ClientID, "--role", "No Such Role", "--scope", scope).fails("No Such Role")

	list := func(args ...string) []assignment {
		t.Helper()
		var all []assignment
		s.az(append([]string{"role", "assignment", "list"}, args...)...).json(&all)
		for i := range all {
			if all[i].PrincipalName != s.Automation.ClientID && all[i].PrincipalName != "admin@contoso.com" {
				t.Errorf("principalName of %+v", all[i])
			}
			all[i] = assignment{RoleDefinitionName: all[i].RoleDefinitionName, Scope: all[i].Scope}
		}
		slices.SortFunc(all, func(a, b assignment) int {
			return strings.Compare(a.RoleDefinitionName+a.Scope, b.RoleDefinitionName+b.Scope)
		})
		return all
	}
	user := assignment{RoleDefinitionName: "Cognitive Services OpenAI User", Scope: scope}
	owner := assignment{RoleDefinitionName: "Owner", Scope: "/subscriptions/" + s.SubscriptionID}
	reader := assignment{RoleDefinitionName: "Reader", Scope: s.scope()}
	if at := list("--scope", scope); !slices.Equal(at, []assignment{user}) {
		t.Errorf("at the account: %+v", at)
	}
	if with := list("--scope", scope, "--include-inherited", "--assignee", s.Automation.ClientID); !slices.Equal(with, []assignment{user, owner, reader}) {
		t.Errorf("with what is inherited: %+v", with)
	}
	s.az("role", "assignment", "delete", "--assignee", s.Automation.ClientID, "--role", "Cognitive Services OpenAI User", "--scope", scope).ok()
	if all := list("--all"); !slices.Equal(all, []assignment{owner, owner, reader}) {
		t.Errorf("after delete: %+v", all)
	}
}

func TestKeysAreRotatedByTheAzureCLIAndACallerWithTheOtherKeyIsNeverInterrupted(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.login()
	keys := func(verb ...string) (key1, key2 string) {
		t.Helper()
		var k struct{ Key1, Key2 string }
		s.az(append(append([]string{"cognitiveservices", "account", "keys"}, verb...), "-g", "rg-sample", "-n", "aoai-sample")...).json(&k)
		return k.Key1, k.Key2
	}
	key1, key2 := keys("list")
	if key1 == "" || key1 == key2 {
		t.Fatalf("the two keys are %q and %q", key1, key2)
	}
	chat := s.chatWithKey()
	if status := chat(key1); status != 200 {
		t.Fatalf("key 1 before the rotation: %d", status)
	}

	// The application has moved to key 2, and calls all the time.
	ctx, cancel := context.WithCancel(t.Context())
	var application sync.WaitGroup
	defer application.Wait()
	defer cancel()
	calls := 0
	application.Go(func() {
		for ; ctx.Err() == nil; calls++ {
			if status := chat(key2); status != 200 {
				t.Errorf("key 2, call %d during the rotation: %d", calls, status)
				return
			}
		}
	})
	new1, same2 := keys("regenerate", "--key-name", "key1")
	if new1 == key1 || new1 == key2 || same2 != key2 {
		t.Error("regenerating key 1 did not change key 1 alone")
	}
	if status := chat(key1); status != 401 {
		t.Errorf("the old key 1: %d, want 401", status)
	}
	if status := chat(new1); status != 200 {
		t.Errorf("the new key 1: %d", status)
	}
	cancel()
	if application.Wait(); calls < 10 {
		t.Errorf("only %d calls with key 2 during the rotation", calls)
	}
}

func TestDisabledKeysAreNeitherListedNorRegeneratedByTheAzureCLIAndComeBackTheSame(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.login()
	keys := func(verb ...string) result {
		return s.az(append(append([]string{"cognitiveservices", "account", "keys"}, verb...), "-g", "rg-sample", "-n", "aoai-sample")...)
	}
	set := func(value string) {
		t.Helper()
		s.az("rest", "-m", "patch", "--uri", s.scope(sampleAccount)+"?api-version=2023-05-01", "--body", `{"properties": {"disableLocalAuth":"`+value+`"}}`).ok()
	}
	before := keys("list").ok()
	var both struct{ Key1, Key2 string }
	if err := json.Unmarshal([]byte(before), &both); err != nil {
		t.Fatal(err)
	}
	chat := s.chatWithKey()

	set("true")
	keys("list").fails("Failed to list key. disableLocalAuth is set to be true")
	keys("regenerate", "--key-name", "key1").fails("disableLocalAuth is set to be true")
	for _, key := range []string{both.Key1, both.Key2} {
		if status := chat(key); status != 403 {
			t.Errorf("a disabled key: %d, want 403", status)
		}
	}
	set("false")
	if after := keys("list").ok(); after != before {
		t.Error("other keys came back")
	}
	for _, key := range []string{both.Key1, both.Key2} {
		if status := chat(key); status != 200 {
			t.Errorf("a key that came back: %d", status)
		}
	}
}

func TestTheAzureCLISignsInAsTheMachineThatItRunsOn(t *testing.T) {
	t.Parallel()
	s := start(t)
	admin := s.arm()
	const reader = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
	s.assign(admin, "00000000-0000-0000-0000-000000000005", s.scope(), reader, s.vmIdentity(admin))
	var accounts []struct {
		ID, TenantID string
		User         struct{ AssignedIdentityInfo, Name, Type string }
	}
	s.run(nil, "--vm", "vm-sample", "--", python(t, "azure-cli"), "-m", "azure.cli", "login", "--identity").json(&accounts)
	if len(accounts) != 1 || accounts[0].ID != s.SubscriptionID || accounts[0].TenantID != s.TenantID ||
		accounts[0].User.AssignedIdentityInfo != "MSI" || accounts[0].User.Name != "systemAssignedIdentity" {
		t.Errorf("login --identity printed %+v", accounts)
	}
}
