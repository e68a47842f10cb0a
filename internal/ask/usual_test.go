package ask

import (
	"slices"
	"testing"

	"sekisho/rbac"
	"sekisho/rbac/builtin"
	"sekisho/rbac/review"
)

func TestTheUsualRolesBesideTheLeast(t *testing.T) {
	const ai = "Microsoft.CognitiveServices/accounts/"
	control := func(actions ...string) (calls []review.Used) {
		for _, a := range actions {
			calls = append(calls, review.Used{Action: a})
		}
		return calls
	}
	tests := []struct {
		role  string
		calls []review.Used
		want  []string
	}{
		{"Defender SQL Servers On Machines", control("Microsoft.Compute/virtualMachines/write"), []string{"Virtual Machine Contributor"}},
		{"Virtual Machine Contributor", control("Microsoft.Compute/virtualMachines/write"), nil},
		// One role that grants all comes before one for each call.
		{"x", control(ai+"deployments/write", ai+"write"), []string{"Cognitive Services Contributor"}},
		{"x", control(ai+"write", "Microsoft.Compute/virtualMachines/write"), []string{"Cognitive Services Contributor", "Virtual Machine Contributor"}},
		{"x", control("No.Provider/things/write"), []string{"Contributor"}},
		{"x", nil, nil},
	}
	for _, tt := range tests {
		l := review.Least{Needs: []review.Need{{Grants: []review.Grant{{Role: tt.role, For: tt.calls}}}}}
		PutUsual(&l)
		got := l.Needs[0].Grants[0].Usual
		if !slices.Equal(got, tt.want) {
			t.Errorf("%v: %v, want %v", tt.calls, got, tt.want)
		}
		for _, u := range tt.calls {
			if got != nil && !slices.ContainsFunc(got, func(name string) bool { r, _ := builtin.Find(name); return r.Grants(u.Action, u.Data) }) {
				t.Errorf("%v do not grant %s", got, u.Action)
			}
		}
	}
}

func TestWhereACustomRoleCannotBeAssigned(t *testing.T) {
	w := contoso(t)
	for _, tt := range []struct {
		q    rbac.Question
		note string
		role bool
	}{
		{rbac.Question{Principal: "p", Action: "Microsoft.Search/searchServices/read", Scope: "/providers/Microsoft.Management/managementGroups/platform"}, "", true},
		{rbac.Question{Principal: "p", Action: "Microsoft.Search/searchServices/indexes/documents/read", Data: true, Scope: "/providers/Microsoft.Management/managementGroups/platform"},
			"none: one with data actions cannot be assigned at a management group, only below", false},
		{rbac.Question{Principal: "p", Action: "Microsoft.Search/searchServices/indexes/documents/read", Data: true, Scope: "/subscriptions/s"},
			"it has data actions, so it cannot be assigned at a management group", true},
		{rbac.Question{Principal: "p", Action: "Microsoft.Search/searchServices/read", Scope: "/"},
			"none: a custom role needs a subscription, a resource group or a management group to be assignable in", false},
		{rbac.Question{Principal: "p", Action: "Microsoft.Search/searchServices/read", Scope: "/subscriptions/s", BuiltInOnly: true},
			"none: the operation asks for a built-in role", false},
	} {
		s := w.Explain(tt.q, 0).Suggestion
		if s == nil || s.CustomNote != tt.note || (s.Custom != nil) != tt.role {
			t.Errorf("%+v: %+v", tt.q, s)
		}
	}
}
