package conformance

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

type tenantLine struct {
	TenantID, DisplayName string
	Domains               []string
	Administrator         *struct{ UserPrincipalName, ObjectID, Password string }
}

type subscriptionLine struct{ SubscriptionID, DisplayName, State, TenantID string }

func TestTheOperatorMakesTenantsAndSubscriptionsAndTheAzureCLISeesThoseOfItsTenant(t *testing.T) {
	t.Parallel()
	s := start(t)
	var fabrikam tenantLine
	s.cli("tenant", "create", "--name", "Fabrikam", "--domain", "fabrikam.com", "--json").json(&fabrikam)
	if !slices.Equal(fabrikam.Domains, []string{"fabrikam.com", "fabrikam.onmicrosoft.com"}) || fabrikam.Administrator == nil ||
		fabrikam.Administrator.UserPrincipalName != "admin@fabrikam.com" || fabrikam.Administrator.Password == "" {
		t.Fatalf("tenant create printed %+v", fabrikam)
	}
	s.cli("tenant", "create", "--name", "F", "--domain", "fabrikam.com").fails("fabrikam.com is taken by the tenant Fabrikam")
	list := s.cli("tenant", "list").ok()
	for _, want := range []string{"Contoso", s.TenantID, "Fabrikam", fabrikam.TenantID, "fabrikam.onmicrosoft.com"} {
		if !strings.Contains(list, want) {
			t.Errorf("tenant list has no %s:\n%s", want, list)
		}
	}
	if strings.Contains(list, fabrikam.Administrator.Password) {
		t.Error("tenant list tells a password")
	}

	var second, third subscriptionLine
	s.cli("subscription", "create", "--name", "Second", "--tenant", "contoso.com", "--owner", s.Automation.ObjectID, "--json").json(&second)
	s.cli("subscription", "create", "--name", "Third", "--tenant", "Fabrikam", "--owner", "admin@fabrikam.com", "--json").json(&third)
	s.cli("subscription", "create", "--name", "Fourth", "--owner", "admin@contoso.com").fails("say which with --tenant")
	var all []subscriptionLine
	s.cli("subscription", "list", "--json").json(&all)
	if len(all) != 3 || all[0].DisplayName != "Second" || all[2].TenantID != fabrikam.TenantID {
		t.Errorf("subscription list printed %+v", all)
	}

	s.login()
	var ids []string
	s.typed("account list --all --query [].id").json(&ids)
	if slices.Sort(ids); !slices.Equal(ids, slices.Sorted(slices.Values([]string{s.SubscriptionID, second.SubscriptionID}))) {
		t.Errorf("account list of Contoso: %v", ids)
	}
	for _, id := range ids {
		s.typed("account set -s " + id).ok()
		if got := s.typed("account show --query id -o tsv").line(); got != id {
			t.Errorf("account set -s %s: %s", id, got)
		}
	}
	s.typed("group create -n rg-second -l japaneast --subscription " + second.SubscriptionID).ok()
	if got := s.typed("group list --query [].name -o tsv --subscription " + second.SubscriptionID).line(); got != "rg-second" {
		t.Errorf("groups of the second subscription: %q", got)
	}
	s.typed("account set -s " + third.SubscriptionID).fails("doesn't exist")
	status, answer, err := s.arm().call(t.Context(), http.MethodGet, "/subscriptions/"+third.SubscriptionID+"?api-version=2022-12-01", nil)
	if err != nil || status != http.StatusUnauthorized || !strings.Contains(string(answer), "InvalidAuthenticationTokenTenant") {
		t.Errorf("Fabrikam's subscription by Contoso's token: %d %s, %v", status, answer, err)
	}
	if got := s.typed("rest -m get --url https://management.azure.com/tenants?api-version=2022-12-01 --query value[].tenantId -o tsv").line(); got != s.TenantID {
		t.Errorf("tenants of an application: %q", got)
	}
}

func TestAGuestIsInvitedByGraphAndOwnsASubscription(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.cli("tenant", "create", "--name", "Fabrikam", "--domain", "fabrikam.com").ok()
	create := func() result {
		return s.cli("subscription", "create", "--name", "Shared", "--tenant", "contoso.com", "--owner", "admin@fabrikam.com", "--json")
	}
	create().fails("invite the user there first")
	s.login()
	var made struct {
		Status      string
		InvitedUser struct{ ID string }
	}
	s.az("rest", "-m", "post", "--url", "https://graph.microsoft.com/v1.0/invitations", "--body",
		`{"invitedUserEmailAddress": "admin@fabrikam.com", "inviteRedirectUrl": "https://app.contoso.com/"}`).json(&made)
	if made.Status != "PendingAcceptance" || made.InvitedUser.ID == "" {
		t.Errorf("the invitation is %+v", made)
	}
	var guest struct{ ID, UserPrincipalName, Mail string }
	s.typed("ad user show --id " + made.InvitedUser.ID).json(&guest)
	if guest.ID != made.InvitedUser.ID || guest.UserPrincipalName != "admin_fabrikam.com#EXT#@contoso.onmicrosoft.com" || guest.Mail != "admin@fabrikam.com" {
		t.Errorf("the guest is %+v", guest)
	}
	if got := s.typed("ad user list --query [].id -o tsv --filter", "userType eq 'Guest'").line(); got != guest.ID {
		t.Errorf("the guests are %q", got)
	}
	var shared subscriptionLine
	create().json(&shared)
	s.typed("role assignment create --role Reader --assignee-object-id " + s.Automation.ObjectID + " --assignee-principal-type ServicePrincipal --scope /subscriptions/" + shared.SubscriptionID).
		fails("AuthorizationFailed") // Owner of another subscription only
	owner := s.cli("rbac", "who-can", "Microsoft.Resources/subscriptions/read", "/subscriptions/"+shared.SubscriptionID).ok()
	if !strings.Contains(owner, guest.UserPrincipalName) {
		t.Errorf("who may read the subscription:\n%s", owner)
	}
}

// Not aliases: who may make a subscription is for billing to say.
func TestTheAzureCLIRenamesCancelsAndEnablesASubscription(t *testing.T) {
	t.Parallel()
	s := start(t)
	var second subscriptionLine
	s.cli("subscription", "create", "--name", "Second", "--owner", s.Automation.ObjectID, "--json").json(&second)
	s.login()
	url := func(id, verb string) string {
		return "https://management.azure.com/subscriptions/" + id + "/providers/Microsoft.Subscription/" + verb + "?api-version=2021-10-01"
	}
	post := func(id, verb string, more ...string) result {
		return s.az(append([]string{"rest", "-m", "post", "--url", url(id, verb)}, more...)...)
	}
	state := func() string {
		return s.typed("rest -m get --query [displayName,state] -o tsv --url https://management.azure.com/subscriptions/" + second.SubscriptionID + "?api-version=2022-12-01").line()
	}
	post(second.SubscriptionID, "rename", "--body", `{"subscriptionName": "Renamed"}`).ok()
	post(s.SubscriptionID, "cancel").fails("ResourcesExistingOnSubscription")
	post(second.SubscriptionID, "cancel").ok()
	if got := strings.Fields(state()); !slices.Equal(got, []string{"Renamed", "Disabled"}) {
		t.Errorf("the cancelled subscription is %v", got)
	}
	group := "group create -n rg -l japaneast --subscription " + second.SubscriptionID
	s.typed(group).fails("ReadOnlyDisabledSubscription")
	post(second.SubscriptionID, "enable").ok()
	s.typed(group).ok()
	s.az("rest", "-m", "put", "--url", "https://management.azure.com/providers/Microsoft.Subscription/aliases/a?api-version=2021-10-01", "--body", "{}").fails("InvalidResourceType")
}
