package rbac

import (
	"slices"
	"testing"
)

const (
	sub      Scope = "/subscriptions/S1"
	group    Scope = sub + "/resourceGroups/rg1"
	account  Scope = group + "/providers/Microsoft.CognitiveServices/accounts/ai"
	project  Scope = account + "/projects/p"
	lock     Scope = account + "/providers/Microsoft.Authorization/locks/l"
	mg       Scope = "/providers/Microsoft.Management/managementGroups/mg1"
	subLevel Scope = sub + "/providers/Microsoft.Insights/diagnosticSettings/d"
)

func TestCovers(t *testing.T) {
	tests := []struct {
		name         string
		above, below Scope
		want         bool
	}{
		{"a scope covers itself", group, group, true},
		{"case does not count", "/SUBSCRIPTIONS/s1", account, true},
		{"a trailing slash does not count", sub + "/", sub, true},
		{"the root covers all", Root, mg, true},
		{"a group covers its resources", group, project, true},
		{"rg1 does not cover rg10", group, sub + "/resourceGroups/rg10", false},
		{"rg1 does not cover what is in rg10", group, sub + "/resourceGroups/rg10/providers/a/b/c", false},
		{"a resource does not cover its group", account, group, false},
		{"a management group does not cover a subscription by path", mg, sub, false},
		{"the empty text covers nothing", "", sub, false},
		{"nothing covers the empty text", Root, "", false},
		{"a Kelvin sign is not a k", sub + "/resourceGroups/k", sub + "/resourceGroups/\u212a", false},
		{"letters outside ASCII fold too", sub + "/resourceGroups/Ärger", sub + "/resourceGroups/ärger", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.above.Covers(tt.below); got != tt.want {
				t.Errorf("%q.Covers(%q) = %v, want %v", tt.above, tt.below, got, tt.want)
			}
		})
	}
}

func TestAncestors(t *testing.T) {
	tests := []struct {
		name string
		of   Scope
		want []Scope
	}{
		{"the root", Root, []Scope{Root}},
		{"a subscription", sub, []Scope{sub, Root}},
		{"a management group", mg, []Scope{mg, Root}},
		{"a child resource", project, []Scope{project, account, group, sub, Root}},
		{"an extension of a resource", lock, []Scope{lock, account, group, sub, Root}},
		{"a resource without a group", subLevel, []Scope{subLevel, sub, Root}},
		{"an extension of a management group", mg + "/providers/a/b/c", []Scope{mg + "/providers/a/b/c", mg, Root}},
		{"a tenant-level resource", "/providers/a/b/c", []Scope{"/providers/a/b/c", Root}},
		{"other spelling", "/Subscriptions/S1/RESOURCEGROUPS/rg1/Providers/a/b/c",
			[]Scope{"/Subscriptions/S1/RESOURCEGROUPS/rg1/Providers/a/b/c", "/Subscriptions/S1/RESOURCEGROUPS/rg1", "/Subscriptions/S1", Root}},
		{"a namespace alone", sub + "/providers/a", []Scope{sub + "/providers/a", sub, Root}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.of.Ancestors(); !slices.Equal(got, tt.want) {
				t.Errorf("ancestors of %q:\n got %q\nwant %q", tt.of, got, tt.want)
			}
		})
	}
}

func TestScopeParts(t *testing.T) {
	tests := []struct {
		of                  Scope
		subscription, group string
		key                 string
	}{
		{Root, "", "", "/"},
		{"", "", "", ""},
		{mg, "", "", "/providers/microsoft.management/managementgroups/mg1"},
		{sub + "/", "S1", "", "/subscriptions/s1"},
		{"/Subscriptions/S1/resourcegroups/Rg", "S1", "Rg", "/subscriptions/s1/resourcegroups/rg"},
		{subLevel, "S1", "", "/subscriptions/s1/providers/microsoft.insights/diagnosticsettings/d"},
		{project, "S1", "rg1", "/subscriptions/s1/resourcegroups/rg1/providers/microsoft.cognitiveservices/accounts/ai/projects/p"},
	}
	for _, tt := range tests {
		if got := tt.of.Subscription(); got != tt.subscription {
			t.Errorf("subscription of %q = %q, want %q", tt.of, got, tt.subscription)
		}
		if got := tt.of.ResourceGroup(); got != tt.group {
			t.Errorf("resource group of %q = %q, want %q", tt.of, got, tt.group)
		}
		if got := tt.of.Key(); got != tt.key {
			t.Errorf("key of %q = %q, want %q", tt.of, got, tt.key)
		}
	}
}
