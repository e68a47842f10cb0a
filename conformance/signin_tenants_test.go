package conformance

import (
	"net/http"
	"slices"
	"testing"
)

// roleContributor is the GUID of Contributor.
const roleContributor = "b24988ac-6180-42a0-ab88-20f7382dd24c"

func TestAzLoginListsTheSubscriptionsOfBothTenantsAndAccountSetSwitchesBetweenThem(t *testing.T) {
	t.Parallel()
	s := start(t)
	var fabrikam tenantLine
	s.cli("tenant", "create", "--name", "Fabrikam", "--domain", "fabrikam.com", "--json").json(&fabrikam)
	var second, third subscriptionLine
	s.cli("subscription", "create", "--name", "Second", "--tenant", "contoso.com", "--owner", s.Automation.ObjectID, "--json").json(&second)
	s.cli("subscription", "create", "--name", "Third", "--tenant", "Fabrikam", "--owner", "admin@fabrikam.com", "--json").json(&third)
	browser := s.browser()
	admin := &somebody{browser.private(), fabrikam.Administrator.UserPrincipalName, fabrikam.Administrator.Password}

	var invited struct {
		InviteRedeemURL string
		InvitedUser     struct{ ID string }
	}
	s.graph().do(t, http.MethodPost, "https://graph.microsoft.com/v1.0/invitations",
		object{"invitedUserEmailAddress": admin.name, "inviteRedirectUrl": "https://app.contoso.com/"}, &invited)
	s.grant("/subscriptions/"+s.SubscriptionID, roleReader, invited.InvitedUser.ID)
	s.grant("/subscriptions/"+second.SubscriptionID, roleContributor, invited.InvitedUser.ID)

	listed := func(r result) (ids []string) {
		t.Helper()
		var all []struct{ ID, TenantID string }
		r.json(&all)
		for _, subscription := range all {
			want := s.TenantID
			if subscription.ID == third.SubscriptionID {
				want = fabrikam.TenantID
			}
			if subscription.TenantID != want {
				t.Errorf("the subscription %s is of tenant %s", subscription.ID, subscription.TenantID)
			}
			ids = append(ids, subscription.ID)
		}
		return slices.Sorted(slices.Values(ids))
	}
	sorted := func(ids ...string) []string { return slices.Sorted(slices.Values(ids)) }
	// The invitation is not accepted yet. Who signs in to the tenant accepts it.
	if got := listed(s.azAs(admin, "login")); !slices.Equal(got, sorted(third.SubscriptionID)) {
		t.Errorf("az login lists %v", got)
	}
	if got := listed(s.azAs(admin, "login", "--tenant", "contoso.com")); !slices.Equal(got, sorted(s.SubscriptionID, second.SubscriptionID)) {
		t.Errorf("az login to one tenant lists %v", got)
	}
	if got := listed(s.azAs(admin, "login")); !slices.Equal(got, sorted(s.SubscriptionID, second.SubscriptionID, third.SubscriptionID)) {
		t.Errorf("az login lists %v", got)
	}

	for id, tenant := range map[string]string{s.SubscriptionID: s.TenantID, second.SubscriptionID: s.TenantID, third.SubscriptionID: fabrikam.TenantID} {
		s.typed("account set -s " + id).ok()
		if got := s.typed("account get-access-token --query tenant -o tsv").line(); got != tenant {
			t.Errorf("the token for %s is of tenant %s", id, got)
		}
		create := s.typed("group create -n rg-guest -l japaneast")
		if id == s.SubscriptionID {
			create.fails("AuthorizationFailed")
			continue
		}
		if create.ok(); s.typed("group show -n rg-guest --query id -o tsv").line() != "/subscriptions/"+id+"/resourceGroups/rg-guest" {
			t.Errorf("the group is not in %s", id)
		}
	}
}
