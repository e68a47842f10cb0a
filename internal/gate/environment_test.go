package gate

import (
	"strings"
	"testing"

	"sekisho/internal/api"
	"sekisho/rbac"
	"sekisho/rbac/condition"
)

func TestEveryCheckKnowsItsEnvironment(t *testing.T) {
	own := func(source condition.Source, key string) (any, bool) { return string(source) + " " + key, true }
	for name, given := range map[string]*api.Attributes{
		"nothing given": nil, "a suboperation": {SubOperation: "Blob.List"}, "attributes": {SubOperation: "Blob.List", Get: own},
	} {
		got := withEnvironment(given)
		if v, ok := got.Get(condition.Environment, "isprivatelink"); v != false || !ok {
			t.Errorf("%s: isPrivateLink is %v, %v", name, v, ok)
		}
		if v, ok := got.Get(condition.Environment, "microsoft.network/privateendpoints"); ok {
			t.Errorf("%s: the call came by the private endpoint %v", name, v)
		}
		if v, ok := got.Get(condition.Resource, "name"); ok != (given != nil && given.Get != nil) || ok && v != "Resource name" {
			t.Errorf("%s: the resource's name is %v, %v", name, v, ok)
		}
		if given != nil && got.SubOperation != given.SubOperation {
			t.Errorf("%s: the suboperation is %q", name, got.SubOperation)
		}
	}
	if n := testing.AllocsPerRun(100, func() { withEnvironment(nil) }); n != 0 {
		t.Errorf("%v allocations where nothing is given", n)
	}
}

// No role helps who is denied.
func TestADenialNamesTheDenyAssignmentAndNoRole(t *testing.T) {
	h := newHouse()
	h.deny = &rbac.DenyAssignment{ID: "/denyAssignments/d", Name: "No", Scope: accountScope}
	var refused *api.Refusal
	call := &api.Call{}
	d := &decision{gate: h.gate(t), call: call}
	call.Request = newRequest("GET", "/things")
	_, _, err := d.question(api.Check{Scope: accountScope, Action: reads})
	refused, _ = err.(*api.Refusal)
	if refused == nil || refused.SmallestRole != "" || refused.Check.Attributes != nil {
		t.Fatalf("%+v", refused)
	}
	inner := refused.Inner()
	if deny, _ := inner["denyAssignment"].(map[string]string); deny["name"] != "No" || deny["id"] != "/denyAssignments/d" || deny["scope"] != string(accountScope) {
		t.Errorf("innererror: %v", inner)
	}
	if !strings.Contains(refused.Error(), "denied") {
		t.Error(refused.Error())
	}
}
