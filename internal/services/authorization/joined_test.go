package authorization_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"sekisho/internal/servicetest"
)

// customRole makes a custom role that reads accounts, and gives its GUID.
func (w pim) customRole(name string, scopes ...string) (guid string) {
	guid = uuid.NewString()
	w.Need(http.StatusCreated, w.ARM("PUT", w.Subscription+authorization+"roleDefinitions/"+guid, role(name, "", map[string]any{"assignableScopes": scopes})))
	return guid
}

const (
	active   = "roleAssignmentScheduleRequests"
	eligible = "roleEligibilityScheduleRequests"
)

func TestCustomRolesCountEverywhere(t *testing.T) {
	w := newPIM(t)
	p := w.Principal("p")
	guid := w.customRole("Mine", w.group)
	reads := func() bool { return w.ARMAs(p, "GET", w.account, "").Status == http.StatusOK }
	r := w.Need(http.StatusCreated, w.ask(w.Owner, w.group, eligible, request("AdminAssign", p.ID, guid, lasting("P1D"))))
	if r.Get("properties", "expandedProperties", "roleDefinition", "displayName") != "Mine" || r.Get("properties", "expandedProperties", "roleDefinition", "type") != "CustomRole" {
		t.Errorf("expanded: %s", r.Body)
	}
	if reads() {
		t.Error("eligible was enough")
	}
	w.Need(http.StatusCreated, w.ask(p, w.group, active, request("SelfActivate", p.ID, guid, lasting("PT1H"))))
	if !reads() {
		t.Error("an activated custom role grants nothing")
	}
	body := fmt.Sprintf(`{"Subject":{"Attributes":{"ObjectId":%q}},"Actions":[{"Id":%q}],"Resource":{"Id":%q}}`, p.ID, accountsRead, w.account)
	r = w.Need(http.StatusOK, w.ARM("POST", w.account+authorization+"checkAccess?api-version=2018-09-01-preview", body))
	if !strings.Contains(r.Body, "roleDefinitions/"+guid) {
		t.Errorf("checkAccess: %s", r.Body)
	}
	w.Grant(p.ID, servicetest.Reader, w.Subscription)
	r = w.Need(http.StatusOK, w.ARMAs(p, "GET", w.account+authorization+"permissions", ""))
	if !strings.Contains(r.Body, accountsRead) {
		t.Errorf("permissions: %s", r.Body)
	}
	const policies = "roleManagementPolicyAssignments"
	here, above := w.ARM("GET", w.group+authorization+policies, ""), w.ARM("GET", w.Subscription+authorization+policies, "")
	if !strings.Contains(here.Body, guid) || strings.Contains(above.Body, guid) {
		t.Error("the policy of a role that can be assigned at the group only")
	}
}

// Where and how a role may be assigned is the same by a request.
// Source: custom-roles.md, "Custom role limits"; troubleshoot-limits.md.
func TestRequestsAreHeldToWhatRoleAssignmentsAre(t *testing.T) {
	w := newPIM(t)
	p := w.Principal("p")
	guid := w.customRole("Mine", w.group)
	for _, kind := range []string{active, eligible} {
		for name, c := range map[string]struct{ scope, body, code string }{
			"a scope that the role does not have": {w.Subscription, request("AdminAssign", p.ID, guid, lasting("P1D")), "RoleDefinitionDoesNotExist"},
			"a principal that is no GUID":         {w.group, request("AdminAssign", "p", guid, lasting("P1D")), "InvalidPrincipalId"},
			"a principal of another tenant":       {w.group, request("AdminAssign", w.PrincipalIn(uuid.NewString(), "q").ID, guid, lasting("P1D")), "PrincipalNotFound"},
			"an ambiguous condition":              {w.group, request("AdminAssign", p.ID, guid, lasting("P1D"), `"condition":"true AND true OR true","conditionVersion":"2.0"`), "InvalidRoleAssignmentCondition"},
			"an attribute that there is not":      {w.group, request("AdminAssign", p.ID, guid, lasting("P1D"), `"condition":"@Environment[weather] StringEquals 'a'","conditionVersion":"2.0"`), "InvalidRoleAssignmentCondition"},
		} {
			if r := w.ask(w.Owner, c.scope, kind, c.body); r.Status < 400 || r.Code() != c.code {
				t.Errorf("%s, %s: %d %s, want %s", kind, name, r.Status, r.Body, c.code)
			}
		}
	}
}

func TestDataActionsAtAManagementGroupAreRefusedToRequestsToo(t *testing.T) {
	w := newPIM(t)
	p := w.Principal("p")
	root := "/providers/Microsoft.Management/managementGroups/" + w.Tenant
	w.Grant(w.Owner.ID, servicetest.Owner, root)
	id := root + authorization + "roleDefinitions/" + uuid.NewString()
	w.Need(http.StatusCreated, w.ARM("PUT", id, role("data", root, permit("dataActions", "Microsoft.CognitiveServices/accounts/OpenAI/*"))))
	guid := id[strings.LastIndex(id, "/")+1:]
	for _, kind := range []string{active, eligible} {
		body := request("AdminAssign", p.ID, guid, lasting("P1D"))
		if r := w.ask(w.Owner, root, kind, body); r.Code() != "InvalidCreateRoleAssignmentRequest" {
			t.Errorf("%s: %d %s", kind, r.Status, r.Body)
		}
		w.Need(http.StatusCreated, w.ask(w.Owner, w.group, kind, body))
	}
}

func TestARoleThatIsScheduledCantBeDeleted(t *testing.T) {
	w := newPIM(t)
	p, q := w.Principal("p"), w.Principal("q")
	guid := w.customRole("Mine", w.group, w.account)
	id := w.Subscription + authorization + "roleDefinitions/" + guid
	for _, c := range []struct {
		kind, principal, scope string
	}{{eligible, p.ID, w.group}, {active, q.ID, w.group}} {
		w.Need(http.StatusCreated, w.ask(w.Owner, c.scope, c.kind, request("AdminAssign", c.principal, guid, lasting("P1D"))))
		if r := w.ARM("DELETE", id, ""); r.Code() != "RoleDefinitionHasAssignments" {
			t.Errorf("%s: %d %s", c.kind, r.Status, r.Body)
		}
		if r := w.ARM("PUT", id, role("Mine", w.account)); r.Code() != "RoleScopeBeingRemovedContainsAssignments" {
			t.Errorf("%s, its scope: %d %s", c.kind, r.Status, r.Body)
		}
		w.Need(http.StatusCreated, w.ask(w.Owner, c.scope, c.kind, request("AdminRemove", c.principal, guid)))
	}
	w.Need(http.StatusCreated, w.ask(w.Owner, w.group, active, request("AdminAssign", p.ID, guid, lasting("PT1H"))))
	w.Later = 2 * time.Hour
	w.Need(http.StatusOK, w.ARM("DELETE", id, ""))
}

// Source: troubleshoot-limits.md: "Eligible role assignments and role
// assignments scheduled in the future do not count towards this limit".
func TestWhatIsActiveCountsToTheLimit(t *testing.T) {
	w := newPIM(t)
	w.Authorization.Limits.PerSubscription = 2 // the owner's is one
	ask := func(kind, principal string, parts ...string) servicetest.Reply {
		return w.ask(w.Owner, w.group, kind, request("AdminAssign", principal, servicetest.Reader, append(parts, lasting("PT1H"))...))
	}
	p, q, s := w.Principal("p"), w.Principal("q"), w.Principal("s")
	w.Need(http.StatusCreated, ask(eligible, p.ID))
	from := time.Now().Add(2 * time.Hour)
	later := fmt.Sprintf(`"scheduleInfo":{"startDateTime":%q,"expiration":{"type":"AfterDuration","duration":"PT1H"}}`, from.UTC().Format(time.RFC3339))
	w.Need(http.StatusCreated, w.ask(w.Owner, w.group, active, request("AdminAssign", p.ID, servicetest.Reader, later)))
	w.Need(http.StatusCreated, ask(active, q.ID))
	plain := func(principal string) servicetest.Reply {
		return w.ARM("PUT", w.group+authorization+"roleAssignments/"+uuid.NewString(), fmt.Sprintf(`{"properties":{"roleDefinitionId":%q,"principalId":%q}}`, w.Subscription+authorization+"roleDefinitions/"+servicetest.Reader, principal))
	}
	if r := ask(active, s.ID); r.Code() != "RoleAssignmentLimitExceeded" {
		t.Errorf("an active one more: %d %s", r.Status, r.Body)
	}
	if r := plain(s.ID); r.Code() != "RoleAssignmentLimitExceeded" {
		t.Errorf("a role assignment more: %d %s", r.Status, r.Body)
	}
	if r := plain(q.ID); r.Status != http.StatusConflict || r.Code() != "RoleAssignmentExists" {
		t.Errorf("what is active already: %d %s", r.Status, r.Body)
	}
	w.Later = 61 * time.Minute
	w.Need(http.StatusCreated, plain(s.ID))
	w.Authorization.Limits.PerSubscription = 9
	if r := ask(active, s.ID); r.Code() != "RoleAssignmentExists" {
		t.Errorf("what is assigned already: %d %s", r.Status, r.Body)
	}
}
