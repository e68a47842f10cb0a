package authorization_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"sekisho/internal/servicetest"
)

const authorization = "/providers/Microsoft.Authorization/"

// pim makes requests of Privileged Identity Management.
type pim struct {
	*servicetest.World
	group, account string
}

func newPIM(t *testing.T) pim {
	w := servicetest.New(t, servicetest.Builtin)
	group := w.MakeGroup("rg")
	return pim{w, group, w.MakeAccount(group, "acc")}
}

// request is a body; parts are more members of properties.
func request(kind, principal, role string, parts ...string) string {
	head := fmt.Sprintf(`"requestType":%q,"principalId":%q,"roleDefinitionId":"/subscriptions/x/providers/Microsoft.Authorization/roleDefinitions/%s"`, kind, principal, role)
	return `{"properties":{` + strings.Join(append([]string{head}, parts...), ",") + `}}`
}

func lasting(duration string) string {
	return fmt.Sprintf(`"scheduleInfo":{"expiration":{"type":"AfterDuration","endDateTime":null,"duration":%q}}`, duration)
}

func (w pim) ask(as servicetest.Principal, scope, kind, body string) servicetest.Reply {
	return w.ARMAs(as, "PUT", scope+authorization+kind+"/"+uuid.NewString()+"?api-version=2020-10-01", body)
}

// eligible makes a principal eligible for Contributor at a scope.
func (w pim) eligible(principal, scope string, parts ...string) servicetest.Reply {
	return w.Need(http.StatusCreated, w.ask(w.Owner, scope, "roleEligibilityScheduleRequests", request("AdminAssign", principal, servicetest.Contributor, parts...)))
}

func (w pim) may(p servicetest.Principal, scope string) bool {
	return w.ARMAs(p, "PATCH", scope, `{"tags":{"a":"b"}}`).Status == http.StatusOK
}

// Source: entra-docs pim-configure.md: eligible needs an activation to use the
// role, active does not; an activation ends by itself.
func TestEligibleIsNotActiveAndAnActivationEndsByTheClock(t *testing.T) {
	w := newPIM(t)
	p := w.Principal("p")
	r := w.eligible(p.ID, w.group, lasting("P365D"), `"justification":"on call"`, `"ticketInfo":{"ticketNumber":"7","ticketSystem":"desk"}`)
	if r.Get("properties", "status") != "Provisioned" || r.Get("properties", "requestType") != "AdminAssign" || r.Get("properties", "principalType") != "ServicePrincipal" ||
		r.Get("properties", "justification") != "on call" || r.Get("properties", "ticketInfo", "ticketNumber") != "7" || r.Get("properties", "requestorId") != w.Owner.ID ||
		r.Get("properties", "scheduleInfo", "expiration", "duration") != "P365D" || r.Get("type") != "Microsoft.Authorization/RoleEligibilityScheduleRequests" ||
		r.Get("properties", "expandedProperties", "roleDefinition", "displayName") != "Contributor" || r.Get("properties", "expandedProperties", "principal", "displayName") != "p" ||
		r.Get("properties", "expandedProperties", "scope", "type") != "resourcegroup" {
		t.Errorf("AdminAssign printed %s", r.Body)
	}
	if w.may(p, w.account) {
		t.Fatal("eligible was enough")
	}
	activate := func(duration string) servicetest.Reply {
		return w.ask(p, w.group, "roleAssignmentScheduleRequests", request("SelfActivate", p.ID, servicetest.Contributor, lasting(duration), `"justification":"ticket 7"`))
	}
	if r := activate("PT8H1M"); r.Status != http.StatusBadRequest || r.Code() != "RoleAssignmentRequestPolicyValidationFailed" || r.Message() != `The following policy rules failed: ["ExpirationRule"]` {
		t.Errorf("more than eight hours: %d %s", r.Status, r.Body)
	}
	r = w.Need(http.StatusCreated, activate("PT30M"))
	if r.Get("properties", "status") != "Provisioned" || r.Get("properties", "justification") != "ticket 7" ||
		r.Get("properties", "linkedRoleEligibilityScheduleId") == nil || r.Get("properties", "targetRoleAssignmentScheduleId") == nil {
		t.Errorf("SelfActivate printed %s", r.Body)
	}
	if !w.may(p, w.account) {
		t.Error("activated was not enough")
	}
	if r := activate("PT30M"); r.Code() != "RoleAssignmentExists" || r.Status != http.StatusBadRequest {
		t.Errorf("activated twice: %d %s", r.Status, r.Body)
	}
	w.Later = 30*time.Minute - time.Second
	if !w.may(p, w.account) {
		t.Error("it ended before its end")
	}
	w.Later = 30 * time.Minute
	if w.may(p, w.account) {
		t.Error("it did not end")
	}
	w.Need(http.StatusCreated, activate("PT5M"))
	if !w.may(p, w.account) {
		t.Error("not activated again")
	}
}

func TestWhoMayActivate(t *testing.T) {
	w := newPIM(t)
	p, q, member := w.Principal("p"), w.Principal("q"), w.Principal("member")
	team := w.Group("team", member.ID)
	w.eligible(p.ID, w.group, lasting("P1D"))
	w.eligible(team, w.Subscription, lasting("P1D"))
	later := fmt.Sprintf(`"scheduleInfo":{"startDateTime":%q,"expiration":{"type":"NoExpiration"}}`, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	w.eligible(q.ID, w.account, later)
	for _, c := range []struct {
		name  string
		as    servicetest.Principal
		scope string
		body  string
		code  string // empty: activated
	}{
		{"below what one is eligible for", p, w.account, request("SelfActivate", p.ID, servicetest.Contributor, lasting("PT1H")), ""},
		{"above", p, w.Subscription, request("SelfActivate", p.ID, servicetest.Contributor, lasting("PT1H")), "RoleAssignmentDoesNotExist"},
		{"another role", p, w.group, request("SelfActivate", p.ID, servicetest.Owner, lasting("PT1H")), "RoleAssignmentDoesNotExist"},
		{"another's", p, w.group, request("SelfActivate", q.ID, servicetest.Contributor, lasting("PT1H")), "InsufficientPermissions"},
		{"not yet", q, w.account, request("SelfActivate", q.ID, servicetest.Contributor, lasting("PT1H")), "RoleAssignmentDoesNotExist"},
		{"for ever", p, w.group, request("SelfActivate", p.ID, servicetest.Contributor), "RoleAssignmentRequestPolicyValidationFailed"},
		{"another link", p, w.group, request("SelfActivate", p.ID, servicetest.Contributor, lasting("PT1H"), `"linkedRoleEligibilityScheduleId":"`+uuid.NewString()+`"`), "RoleAssignmentDoesNotExist"},
		{"by a group", member, w.group, request("SelfActivate", member.ID, servicetest.Contributor, lasting("PT1H")), ""},
		{"an eligibility by oneself", p, w.group, request("AdminAssign", p.ID, servicetest.Contributor, lasting("PT1H")), "AuthorizationFailed"},
		{"an extension without approval", p, w.group, request("SelfExtend", p.ID, servicetest.Contributor, lasting("PT1H")), "RequestTypeNotSupported"},
		{"what is not active", p, w.group, request("SelfDeactivate", p.ID, servicetest.Contributor), "RoleAssignmentDoesNotExist"},
		{"no duration", p, w.group, request("SelfActivate", p.ID, servicetest.Contributor, lasting("8 hours")), "InvalidRoleAssignmentRequestSchedule"},
		{"a duration of none", p, w.group, request("SelfActivate", p.ID, servicetest.Contributor, lasting("PT0S")), "InvalidRoleAssignmentRequestSchedule"},
		{"no type", p, w.group, request("SelfPromote", p.ID, servicetest.Contributor), "InvalidRequestContent"},
		{"no role", p, w.group, request("SelfActivate", p.ID, uuid.NewString(), lasting("PT1H")), "RoleDefinitionDoesNotExist"},
	} {
		if r := w.ask(c.as, c.scope, "roleAssignmentScheduleRequests", c.body); r.Code() != c.code || c.code == "" && r.Status != http.StatusCreated {
			t.Errorf("%s: %d %s, want %q", c.name, r.Status, r.Body, c.code)
		}
	}
	if w.may(p, w.group) || !w.may(p, w.account) || !w.may(member, w.group) || w.may(q, w.account) {
		t.Error("the activations reach too far, or not far enough")
	}
}

func TestActiveAssignmentsOfAnAdministrator(t *testing.T) {
	w := newPIM(t)
	p := w.Principal("p")
	ask := func(kind string, parts ...string) servicetest.Reply {
		return w.ask(w.Owner, w.group, "roleAssignmentScheduleRequests", request(kind, p.ID, servicetest.Contributor, parts...))
	}
	from, to := time.Now().Add(time.Hour), time.Now().Add(2*time.Hour)
	between := fmt.Sprintf(`"scheduleInfo":{"startDateTime":%q,"expiration":{"type":"AfterDateTime","endDateTime":%q}}`, from.UTC().Format(time.RFC3339), to.UTC().Format(time.RFC3339))
	for _, kind := range []string{"AdminExtend", "AdminRenew", "AdminRemove"} {
		if r := ask(kind, between); r.Code() != "RoleAssignmentDoesNotExist" {
			t.Errorf("%s of none: %s", kind, r.Body)
		}
	}
	r := w.Need(http.StatusCreated, ask("AdminAssign", between))
	if r.Get("properties", "status") != "Granted" {
		t.Errorf("what begins later: %s", r.Body)
	}
	if r := ask("AdminAssign", between); r.Code() != "RoleAssignmentExists" {
		t.Errorf("again: %s", r.Body)
	}
	for later, want := range map[time.Duration]bool{0: false, 61 * time.Minute: true, 119 * time.Minute: true, 121 * time.Minute: false} {
		if w.Later = later; w.may(p, w.account) != want {
			t.Errorf("after %v: allowed is %v", later, !want)
		}
	}
	w.Later = 90 * time.Minute
	w.Need(http.StatusCreated, ask("AdminExtend", lasting("PT4H")))
	if w.Later = 5 * time.Hour; !w.may(p, w.account) {
		t.Error("it was not extended")
	}
	w.Later = 7 * time.Hour
	if r := ask("AdminExtend", lasting("PT1H")); r.Code() != "RoleAssignmentDoesNotExist" {
		t.Errorf("extended when it was over: %s", r.Body)
	}
	w.Need(http.StatusCreated, ask("AdminRenew", lasting("PT1H")))
	if !w.may(p, w.account) {
		t.Error("it was not renewed")
	}
	w.Need(http.StatusCreated, ask("AdminUpdate", `"scheduleInfo":{"expiration":{"type":"NoExpiration"}}`))
	if w.Later = 1000 * time.Hour; !w.may(p, w.account) {
		t.Error("it is not permanent")
	}
	if r := w.Need(http.StatusCreated, ask("AdminRemove")); r.Get("properties", "status") != "Revoked" || w.may(p, w.account) {
		t.Errorf("removed: %s", r.Body)
	}
}

func TestAnActivationIsTakenBack(t *testing.T) {
	w := newPIM(t)
	p := w.Principal("p")
	w.eligible(p.ID, w.group, lasting("P10D"))
	activate := func() {
		t.Helper()
		w.Need(http.StatusCreated, w.ask(p, w.group, "roleAssignmentScheduleRequests", request("SelfActivate", p.ID, servicetest.Contributor, lasting("PT8H"))))
		if !w.may(p, w.account) {
			t.Error("not active")
		}
	}
	activate()
	deactivate := func() servicetest.Reply {
		return w.ask(p, w.group, "roleAssignmentScheduleRequests", request("SelfDeactivate", p.ID, servicetest.Contributor))
	}
	if r := deactivate(); r.Status != http.StatusBadRequest || r.Code() != "ActiveDurationTooShort" {
		t.Errorf("at once: %d %s", r.Status, r.Body)
	}
	w.Later = 5 * time.Minute
	if r := w.Need(http.StatusCreated, deactivate()); r.Get("properties", "status") != "Revoked" || w.may(p, w.account) {
		t.Errorf("deactivated: %s", r.Body)
	}
	activate()
	// What was activated goes with what it rests on.
	w.Need(http.StatusCreated, w.ask(w.Owner, w.group, "roleEligibilityScheduleRequests", request("AdminRemove", p.ID, servicetest.Contributor)))
	if w.may(p, w.account) {
		t.Error("active without being eligible")
	}
	// And with its scope.
	w.eligible(p.ID, w.group, lasting("P10D"))
	if r := w.ARM("DELETE", w.group, ""); r.Status >= 300 {
		t.Fatal(r.Body)
	}
	w.MakeGroup("rg")
	if r := w.ask(p, w.group, "roleAssignmentScheduleRequests", request("SelfActivate", p.ID, servicetest.Contributor, lasting("PT1H"))); r.Code() != "RoleAssignmentDoesNotExist" {
		t.Errorf("eligible in a new group of the name: %s", r.Body)
	}
}

func TestRequestsAreReadCancelledAndOnlyValidated(t *testing.T) {
	w := newPIM(t)
	p := w.Principal("p")
	body := request("AdminAssign", p.ID, servicetest.Contributor, fmt.Sprintf(`"scheduleInfo":{"startDateTime":%q,"expiration":{"type":"AfterDuration","duration":"PT2H"}}`, time.Now().Add(time.Hour).UTC().Format(time.RFC3339)))
	name := uuid.NewString()
	id := w.group + authorization + "roleAssignmentScheduleRequests/" + name
	if r := w.Need(http.StatusOK, w.ARM("POST", id+"/validate", body)); r.Get("properties", "status") != "Granted" {
		t.Errorf("validated: %s", r.Body)
	}
	w.Need(http.StatusNotFound, w.ARM("GET", id, ""))
	w.Need(http.StatusCreated, w.ARM("PUT", id, body))
	if r := w.ARM("PUT", id, request("AdminUpdate", p.ID, servicetest.Contributor)); r.Status != http.StatusConflict {
		t.Errorf("the same name: %d %s", r.Status, r.Body)
	}
	if r := w.Need(http.StatusOK, w.ARM("GET", "/providers/Microsoft.Subscription"+id, "")); r.Get("name") != name {
		t.Errorf("as Azure's samples spell a subscription: %s", r.Body)
	}
	if r := w.ARMAs(p, "POST", id+"/cancel", ""); r.Status != http.StatusForbidden {
		t.Errorf("cancelled by another: %d %s", r.Status, r.Body)
	}
	w.Need(http.StatusOK, w.ARM("POST", id+"/cancel", ""))
	if r := w.ARM("POST", id+"/cancel", ""); r.Status != http.StatusBadRequest {
		t.Errorf("cancelled twice: %d %s", r.Status, r.Body)
	}
	if r := w.ARM("GET", id, ""); r.Get("properties", "status") != "Canceled" {
		t.Errorf("cancelled: %s", r.Body)
	}
	if w.Later = 90 * time.Minute; w.may(p, w.account) {
		t.Error("what was cancelled began")
	}
	for name, condition := range map[string]string{
		"of the principal": "@Principal[Microsoft.Directory/CustomSecurityAttributes/Id:a_b] StringEquals 'c'", "that does not parse": "@Resource[a] Equals",
	} {
		r := w.ask(w.Owner, w.group, "roleEligibilityScheduleRequests", request("AdminAssign", p.ID, servicetest.Contributor, lasting("P1D"), fmt.Sprintf(`"condition":%q,"conditionVersion":"2.0"`, condition)))
		if r.Code() != "InvalidRoleAssignmentCondition" {
			t.Errorf("a condition %s: %d %s", name, r.Status, r.Body)
		}
	}
}

// A permission to assign that is under a condition is under it here too.
func TestADelegatedAdministratorStaysWithinTheCondition(t *testing.T) {
	w := newPIM(t)
	p, admin := w.Principal("p"), w.Principal("admin")
	const rbacAdministrator = "f58310d9-a9f6-439a-9e8d-f62e7b41a168"
	only := fmt.Sprintf("(!(ActionMatches{'Microsoft.Authorization/roleAssignments/write'}) OR (@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {%s}))", servicetest.Reader)
	r := w.ARM("PUT", w.group+authorization+"roleAssignments/"+uuid.NewString(), fmt.Sprintf(
		`{"properties":{"roleDefinitionId":%q,"principalId":%q,"condition":%q,"conditionVersion":"2.0"}}`, w.Subscription+authorization+"roleDefinitions/"+rbacAdministrator, admin.ID, only))
	w.Need(http.StatusCreated, r)
	for role, want := range map[string]int{servicetest.Reader: http.StatusCreated, servicetest.Contributor: http.StatusForbidden} {
		for _, kind := range []string{"roleAssignmentScheduleRequests", "roleEligibilityScheduleRequests"} {
			if r := w.ask(admin, w.group, kind, request("AdminAssign", p.ID, role, lasting("PT1H"))); r.Status != want {
				t.Errorf("%s of %s: %d %s", kind, role, r.Status, r.Body)
			}
		}
	}
}

func TestListsOfSchedules(t *testing.T) {
	w := newPIM(t)
	p, q := w.Principal("p"), w.Principal("q")
	at := func(reply servicetest.Reply, key string) string { return reply.Get("properties", key).(string) }
	onSub := at(w.eligible(p.ID, w.Subscription, lasting("P1D")), "targetRoleEligibilityScheduleId")
	onGroup := at(w.eligible(q.ID, w.group, lasting("P1D")), "targetRoleEligibilityScheduleId")
	later := at(w.eligible(p.ID, w.account, fmt.Sprintf(`"scheduleInfo":{"startDateTime":%q}`, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))), "targetRoleEligibilityScheduleId")
	active := at(w.Need(http.StatusCreated, w.ask(p, w.group, "roleAssignmentScheduleRequests", request("SelfActivate", p.ID, servicetest.Contributor, lasting("PT1H")))), "targetRoleAssignmentScheduleId")
	list := func(as servicetest.Principal, kind, filter string) servicetest.Reply {
		return w.ARMAs(as, "GET", w.group+authorization+kind+"?$filter="+url.QueryEscape(filter), "")
	}
	for _, c := range []struct {
		as           servicetest.Principal
		kind, filter string
		want         []string
	}{
		{w.Owner, "roleEligibilitySchedules", "", []string{onSub, onGroup, later}},
		{w.Owner, "roleEligibilitySchedules", "atScope()", []string{onSub, onGroup}},
		{w.Owner, "roleEligibilitySchedules", "principalId eq '" + p.ID + "'", []string{onSub, later}},
		{w.Owner, "roleEligibilitySchedules", "assignedTo('" + q.ID + "')", []string{onGroup}},
		{w.Owner, "roleEligibilitySchedules", "asTarget()", []string{}},
		{p, "roleEligibilitySchedules", "asTarget()", []string{onSub, later}},
		{q, "roleEligibilitySchedules", "asTarget() or atScope()", []string{onGroup}},
		{p, "roleAssignmentSchedules", "asTarget()", []string{active}},
		{q, "roleAssignmentSchedules", "asTarget()", []string{}},
	} {
		r := w.Need(http.StatusOK, list(c.as, c.kind, c.filter))
		got := r.Names()
		slices.Sort(got)
		slices.Sort(c.want)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s with %s: %v, want %v", c.kind, c.filter, got, c.want)
		}
	}
	for _, filter := range []string{"", "atScope()", "principalId eq '" + q.ID + "'"} {
		if r := list(q, "roleEligibilitySchedules", filter); r.Status != http.StatusForbidden {
			t.Errorf("what is others' with %q: %d %s", filter, r.Status, r.Body)
		}
	}
	for kind, want := range map[string]int{"roleEligibilityScheduleInstances": 2, "roleAssignmentScheduleInstances": 2, "roleAssignmentSchedules": 2, "roleEligibilityScheduleRequests": 3, "roleAssignmentScheduleRequests": 1} {
		r := w.Need(http.StatusOK, list(w.Owner, kind, ""))
		if got := r.Names(); len(got) != want {
			t.Errorf("%s: %s", kind, r.Body)
		}
		for _, entry := range r.Get("value").([]any) {
			id := entry.(map[string]any)["id"].(string)
			if one := w.ARMAs(q, "GET", id+"?$filter=asTarget()", ""); one.Status != http.StatusForbidden {
				t.Errorf("GET %s by one who may not: %d", id, one.Status)
			}
			if one := w.ARM("GET", id, ""); one.Status != http.StatusOK || one.Get("id") != id {
				t.Errorf("GET %s: %d %s", id, one.Status, one.Body)
			}
		}
	}
	r := list(p, "roleAssignmentScheduleInstances", "asTarget()")
	entry := r.Get("value").([]any)[0].(map[string]any)["properties"].(map[string]any)
	if entry["assignmentType"] != "Activated" || entry["linkedRoleEligibilityScheduleId"] != onSub || entry["memberType"] != "Direct" || entry["endDateTime"] == nil {
		t.Errorf("an instance: %v", entry)
	}
	if r := list(w.Owner, "roleEligibilitySchedules", "color eq 'red'"); r.Status != http.StatusBadRequest {
		t.Errorf("a filter: %d %s", r.Status, r.Body)
	}
	if r := w.Need(http.StatusOK, w.ARMAs(p, "GET", w.Subscription+authorization+"eligibleChildResources?$filter="+url.QueryEscape("resourceType eq 'resourcegroup'"), "")); !slices.Equal(r.Names(), []string{"rg"}) {
		t.Errorf("eligible children: %s", r.Body)
	}
	if r := w.Need(http.StatusOK, w.ARMAs(w.Principal("nobody"), "GET", w.Subscription+authorization+"eligibleChildResources", "")); len(r.Names()) != 0 {
		t.Errorf("eligible children of nobody: %s", r.Body)
	}
}

func TestTheRoleManagementPolicySaysWhatHolds(t *testing.T) {
	w := newPIM(t)
	role := w.Subscription + authorization + "roleDefinitions/" + servicetest.Contributor
	r := w.Need(http.StatusOK, w.ARM("GET", w.group+authorization+"roleManagementPolicyAssignments?$filter="+url.QueryEscape("roleDefinitionId eq '"+role+"'"), ""))
	if len(r.Names()) != 1 || !strings.Contains(r.Body, `"maximumDuration":"PT8H"`) {
		t.Fatalf("the assignment: %s", r.Body)
	}
	policy := r.Get("value").([]any)[0].(map[string]any)["properties"].(map[string]any)["policyId"].(string)
	if r := w.Need(http.StatusOK, w.ARM("GET", policy, "")); r.Get("id") != policy || !strings.Contains(r.Body, `"isApprovalRequired":false`) {
		t.Errorf("the policy: %s", r.Body)
	}
	w.Need(http.StatusNotFound, w.ARM("GET", w.group+authorization+"roleManagementPolicies/"+uuid.NewString(), ""))
}
