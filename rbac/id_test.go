package rbac

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestParseID(t *testing.T) {
	tests := []struct {
		name, text string
		want       ID
		kind, last string
	}{
		{"the root", "/", ID{}, "Microsoft.Resources/tenants", ""},
		{"a subscription", "/subscriptions/S1",
			ID{Subscription: "S1", Parent: "/"}, "Microsoft.Resources/subscriptions", "S1"},
		{"a resource group", "/subscriptions/S1/resourceGroups/rg1",
			ID{Subscription: "S1", ResourceGroup: "rg1", Parent: sub}, "Microsoft.Resources/subscriptions/resourceGroups", "rg1"},
		{"a management group", string(mg),
			ID{Parent: "/", Provider: "Microsoft.Management", Types: []string{"managementGroups"}, Names: []string{"mg1"}},
			"Microsoft.Management/managementGroups", "mg1"},
		{"a child resource", string(project),
			ID{Subscription: "S1", ResourceGroup: "rg1", Parent: group, Provider: "Microsoft.CognitiveServices",
				Types: []string{"accounts", "projects"}, Names: []string{"ai", "p"}},
			"Microsoft.CognitiveServices/accounts/projects", "p"},
		{"an extension", string(lock),
			ID{Subscription: "S1", ResourceGroup: "rg1", Parent: account, Provider: "Microsoft.Authorization",
				Types: []string{"locks"}, Names: []string{"l"}},
			"Microsoft.Authorization/locks", "l"},
		{"a resource without a group", string(subLevel),
			ID{Subscription: "S1", Parent: sub, Provider: "Microsoft.Insights",
				Types: []string{"diagnosticSettings"}, Names: []string{"d"}},
			"Microsoft.Insights/diagnosticSettings", "d"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseID(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v\nwant %+v", got, tt.want)
			}
			if got.Type() != tt.kind || got.Name() != tt.last {
				t.Errorf("type %q, name %q; want %q, %q", got.Type(), got.Name(), tt.kind, tt.last)
			}
			if got.String() != tt.text {
				t.Errorf("String() = %q, want %q", got, tt.text)
			}
		})
	}
}

func TestParseScopeSpellsFixedWords(t *testing.T) {
	got, err := ParseScope("/SUBSCRIPTIONS/S1/resourcegroups/RG/PROVIDERS/Microsoft.X/t/N")
	if want := Scope("/subscriptions/S1/resourceGroups/RG/providers/Microsoft.X/t/N"); err != nil || got != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
}

func TestParseIDRefuses(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"no text", "", "does not start with a slash"},
		{"no leading slash", "subscriptions/S1", "does not start with a slash"},
		{"an unknown root", "/things/x", `segment 1 ("things"): "subscriptions" or "providers" is due`},
		{"a collection", "/subscriptions", "segment 2 (the end): the subscription is due"},
		{"an empty name", "/subscriptions//resourceGroups/g", `segment 2 (""): the subscription is due`},
		{"a trailing slash", "/subscriptions/S1/", `segment 3 (""): "resourceGroups" or "providers" is due`},
		{"an unknown container", "/subscriptions/S1/things/x", `segment 3 ("things"): "resourceGroups" or "providers" is due`},
		{"a group without provider", string(group) + "/accounts/x", `segment 5 ("accounts"): "providers" is due`},
		{"a namespace alone", "/providers/Microsoft.X", "segment 3 (the end): a resource type of Microsoft.X is due"},
		{"a type without a name", string(account) + "/projects", "segment 10 (the end): the name of the projects is due"},
		{"a reserved word as a name", "/providers/Microsoft.X/t/providers", `segment 4 ("providers"): the name of the t is due`},
		{"a walk", "/subscriptions/..", `segment 2 (".."): a URL`},
		{"an escaped slash", "/subscriptions/a%2Fb", `segment 2 ("a%2Fb"): a URL`},
		{"a query", "/subscriptions/a?b", `segment 2 ("a?b"): a URL`},
		{"a line break", "/subscriptions/a\nb", `segment 2 ("a\nb"): it has a control character`},
		{"bytes that are not text", "/subscriptions/\xff", `segment 2 ("\xff"): it has a control character, or is not UTF-8`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			id, err := ParseID(tt.text)
			if err == nil {
				t.Fatalf("ParseID(%q) = %+v, want an error", tt.text, id)
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %q does not say %q", err, tt.want)
			}
			if _, err := ParseScope(tt.text); err == nil {
				t.Errorf("ParseScope(%q) gives no error", tt.text)
			}
		})
	}
}

func FuzzParseID(f *testing.F) {
	for _, s := range []Scope{Root, sub, group, account, project, lock, mg, subLevel, lock + "/providers/a/b/c", "/Providers/a/b/c/"} {
		f.Add(string(s))
	}
	f.Fuzz(func(t *testing.T, text string) {
		id, err := ParseID(text)
		if err != nil {
			return
		}
		again, err := ParseID(id.String())
		if err != nil || !reflect.DeepEqual(id, again) {
			t.Fatalf("%q reads as %+v, which reads as %+v, %v", text, id, again, err)
		}
		scope := id.Scope()
		if scope.Key() != Scope(text).Key() {
			t.Fatalf("%q became %q", text, scope)
		}
		if scope.Subscription() != id.Subscription || scope.ResourceGroup() != id.ResourceGroup {
			t.Errorf("%q lies in %q, %q; its id in %q, %q", text,
				scope.Subscription(), scope.ResourceGroup(), id.Subscription, id.ResourceGroup)
		}

		ancestors := scope.Ancestors()
		if ancestors[0] != scope || ancestors[len(ancestors)-1] != Root {
			t.Fatalf("ancestors of %q are %q", scope, ancestors)
		}
		for i, above := range ancestors {
			if _, err := ParseID(string(above)); err != nil {
				t.Errorf("ancestor %q of %q is no id: %v", above, scope, err)
			}
			for j, below := range ancestors {
				if got, want := above.Covers(below), j <= i; got != want {
					t.Errorf("%q.Covers(%q) = %v, want %v", above, below, got, want)
				}
			}
		}
		// Every prefix that is an id is an ancestor, and the only kind of scope
		// that covers by path.
		for i := 1; i < len(scope); i++ {
			prefix := scope[:i]
			if _, err := ParseID(string(prefix)); err != nil {
				continue
			}
			if covers, above := prefix.Covers(scope), slices.Contains(ancestors, prefix); covers != above {
				t.Errorf("%q covers %q: %v; is among its ancestors: %v", prefix, scope, covers, above)
			}
		}
	})
}
