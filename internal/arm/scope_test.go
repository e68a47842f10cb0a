package arm_test

import (
	"strings"
	"testing"

	"sekisho/internal/api"
	"sekisho/internal/arm"
)

func TestPathScope(t *testing.T) {
	for path, want := range map[string]string{
		"/subscriptions/S":                                                             "/subscriptions/S",
		"/subscriptions/S/resourceGroups":                                              "/subscriptions/S",
		"/subscriptions/S/resources":                                                   "/subscriptions/S",
		"/subscriptions/S/resourceGroups/G":                                            "/subscriptions/S/resourceGroups/G",
		"/subscriptions/S/resourcegroups/G":                                            "/subscriptions/S/resourcegroups/G",
		"/subscriptions/S/resourceGroups/G/resources":                                  "/subscriptions/S/resourceGroups/G",
		"/subscriptions/S/providers/N/accounts":                                        "/subscriptions/S",
		"/subscriptions/S/resourceGroups/G/providers/N/accounts":                       "/subscriptions/S/resourceGroups/G",
		"/subscriptions/S/resourceGroups/G/PROVIDERS/N/accounts/A":                     "/subscriptions/S/resourceGroups/G/PROVIDERS/N/accounts/A",
		"/subscriptions/S/resourceGroups/G/providers/N/accounts/A/listKeys":            "/subscriptions/S/resourceGroups/G/providers/N/accounts/A",
		"/subscriptions/S/resourceGroups/G/providers/N/accounts/A/deployments":         "/subscriptions/S/resourceGroups/G/providers/N/accounts/A",
		"/subscriptions/S/resourceGroups/G/providers/N/accounts/A/deployments/D":       "/subscriptions/S/resourceGroups/G/providers/N/accounts/A/deployments/D",
		"/subscriptions/S/resourceGroups/G/providers/N/accounts/A/providers/M/locks":   "/subscriptions/S/resourceGroups/G/providers/N/accounts/A",
		"/subscriptions/S/resourceGroups/G/providers/N/accounts/A/providers/M/locks/L": "/subscriptions/S/resourceGroups/G/providers/N/accounts/A/providers/M/locks/L",
		// A reserved word as a name leads to no resource.
		"/subscriptions/S/resourceGroups/G/providers/N/accounts/providers": "/subscriptions/S/resourceGroups/G/providers/N/accounts",
		"/": "/",
	} {
		if got := arm.PathScope(&api.Call{Path: path}); string(got) != want {
			t.Errorf("%s\n got %s\nwant %s", path, got, want)
		}
	}
}

// Whatever the path, the scope is a part of it from its beginning, up to a
// whole segment: never a sibling, never a place outside.
func FuzzPathScope(f *testing.F) {
	for _, seed := range []string{"/", "/subscriptions/S/resourceGroups/providers", "/providers", "/providers/providers/providers", "/a/providers/N/t/n/v", "//"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		if !strings.HasPrefix(path, "/") {
			return // gate makes no such path
		}
		got := string(arm.PathScope(&api.Call{Path: path}))
		if rest, ok := strings.CutPrefix(path, strings.TrimSuffix(got, "/")); !ok || rest != "" && rest[0] != '/' {
			t.Errorf("the scope of %q is %q", path, got)
		}
	})
}

func TestIsVersion(t *testing.T) {
	for version, want := range map[string]bool{
		"2024-10-01": true, "2024-10-01-preview": true, "2020-10-01-Preview": true, "2024-02-29": true,
		"": false, "2024-10": false, "2023-02-29": false, "2024-10-01-": false, "2024-10-01-preview.1": false, "v1": false, "x2024-10-01": false,
	} {
		if got := arm.IsVersion(version); got != want {
			t.Errorf("%q: %v", version, got)
		}
	}
}
