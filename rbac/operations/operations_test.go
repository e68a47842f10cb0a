package operations

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"sekisho/rbac"
	"sekisho/rbac/builtin"
)

func TestKnown(t *testing.T) {
	for _, tt := range []struct {
		name           string
		control, plane bool // as an action, as a data action
	}{
		{"Microsoft.CognitiveServices/accounts/listKeys/action", true, false},
		{"microsoft.cognitiveservices/ACCOUNTS/listkeys/Action", true, false},
		{"Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action", false, true},
		{"Microsoft.CognitiveServices/accounts/OpenAI/extensions/on-your-data/ingestion/write", false, true},
		{"Microsoft.Search/searchServices/indexes/write", true, false},
		{"Microsoft.Search/searchServices/indexes/documents/read", false, true},
		{"Microsoft.Storage/storageAccounts/blobServices/containers/read", true, false},
		{"Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read", false, true},
		{"Microsoft.KeyVault/vaults/secrets/getSecret/action", false, true},
		{"Microsoft.KeyVault/vaults/keys/read", true, true}, // ARM's keys, and the vault's own
		{"Microsoft.MachineLearningServices/workspaces/hubs/join/action", true, false},
		{"Microsoft.ContainerRegistry/registries/pull/read", true, false},
		{"Microsoft.Authorization/roleAssignments/write", true, false},
		{"Microsoft.Authorization/policies/deny/action", true, false},
		{"Microsoft.CognitiveServices/accounts/Language/analyze-text/jobs/action", false, true},
		{"Microsoft.CognitiveServices/accounts/LUIS/apps/versions/closedlists/roles/write", false, true},
		{"Microsoft.CognitiveServices/accounts/Face/detectliveness/singlemodal/sessions/audit/read", false, true},
		{"Microsoft.CognitiveServices/accounts/SpeechServices/speechrest/transcriptions/files/read", false, true},
		{"Microsoft.CognitiveServices/accounts/CustomVision.Prediction/detect/iterations/url/nostore/action", false, true},
		{"Microsoft.CognitiveServices/accounts/ContentSafety/text:shieldprompt/action", false, true},
		{"Microsoft.CognitiveServices/accounts/projects/applications/agentdeployments/action", true, false},
		{"Microsoft.MachineLearningServices/registries/assets/stage/write", true, false},
		{"Microsoft.Search/searchServices/knowledgeBases/read", true, false},
		{"Microsoft.Storage/storageAccounts/localUsers/regeneratePassword/action", true, false},
		{"Microsoft.Storage/storageAccounts/fileServices/takeOwnership/action", false, true},
		{"Microsoft.KeyVault/vaults/keys/rotate/action", false, true},
		{"Microsoft.ContainerRegistry/registries/connectedRegistries/resync/action", true, false},
		{"Microsoft.ManagedIdentity/userAssignedIdentities/revokeTokens/action", true, false},
		{"Microsoft.Insights/Logs/Heartbeat/Read", true, false},
		{"Microsoft.OperationalInsights/workspaces/sharedKeys/action", true, false},
		{"Microsoft.OperationalInsights/workspaces/query/AzureDiagnostics/read", true, false},
		{"Microsoft.Management/managementGroups/descendants/read", true, false},
		{"Microsoft.Support/services/classifyProblems/action", true, false},
		{"Microsoft.Search/searchServices/indexes", false, false},
		{"Microsoft.KeyVault/vaults/read", false, false}, // the Kelvin sign is no K
		{"Microsoft.Search/searchServices/*", false, false},
		{"Microsoft.None/things/read", false, false},
		{"", false, false},
	} {
		if got := Known(tt.name, false); got != tt.control {
			t.Errorf("%q is an action: %v", tt.name, got)
		}
		if got := Known(tt.name, true); got != tt.plane {
			t.Errorf("%q is a data action: %v", tt.name, got)
		}
	}
}

// Known names are in order, once each, and no pattern among them.
func TestTheCatalogueIsWellFormed(t *testing.T) {
	all := All()
	for i, op := range all {
		if strings.ContainsAny(op.Name, "* \t") || strings.HasSuffix(op.Name, "/") || strings.Contains(op.Name, "//") {
			t.Errorf("%q names no operation", op.Name)
		}
		if i == 0 {
			continue
		}
		before := all[i-1]
		c := strings.Compare(strings.ToLower(before.Name), strings.ToLower(op.Name))
		if c > 0 || c == 0 && (before.Data || !op.Data) {
			t.Errorf("%+v stands after %+v", op, before)
		}
	}
	total := 0
	for _, ns := range Providers() {
		total += len(Of(ns))
	}
	if total != len(all) {
		t.Errorf("the providers have %d operations, all are %d", total, len(all))
	}
	if Of("Microsoft.None") != nil && len(Of("Microsoft.None")) != 0 || len(Of("microsoft.SEARCH")) != len(Of("Microsoft.Search")) {
		t.Error("Of minds case, or knows a provider that is none")
	}
}

// The seeds' providers, with what of each there is at least. A source that
// lost a provider would show here.
func TestTheProvidersOfTheSeeds(t *testing.T) {
	for ns, least := range map[string]int{
		"Microsoft.Authorization": 79, "Microsoft.Resources": 70, "Microsoft.Management": 25,
		"Microsoft.CognitiveServices": 1700, "Microsoft.MachineLearningServices": 320, "Microsoft.Search": 70,
		"Microsoft.Storage": 200, "Microsoft.KeyVault": 120, "Microsoft.ContainerRegistry": 135, "Microsoft.Network": 500,
		"Microsoft.Compute": 200, "Microsoft.ManagedIdentity": 12, "Microsoft.Insights": 490, "Microsoft.OperationalInsights": 850,
		"Microsoft.Web": 200, "Microsoft.App": 100, "Microsoft.DocumentDB": 300, "Microsoft.EventGrid": 100,
		"Microsoft.ServiceBus": 60, "Microsoft.EventHub": 50, "Microsoft.Sql": 400, "Microsoft.DBforPostgreSQL": 100,
		"Microsoft.Cache": 50, "Microsoft.Support": 12, "Microsoft.PolicyInsights": 29, "Microsoft.CostManagement": 50,
	} {
		if n := len(Of(ns)); n < least || !slices.Contains(Providers(), ns) {
			t.Errorf("%s has %d operations", ns, n)
		}
	}
}

func TestTheCatalogueHasWhatTheBuiltInRolesName(t *testing.T) {
	for _, role := range builtin.Roles() {
		for _, p := range role.Permissions {
			for plane, names := range map[bool][]string{false: slices.Concat(p.Actions, p.NotActions), true: slices.Concat(p.DataActions, p.NotDataActions)} {
				for _, name := range names {
					if !strings.Contains(name, "*") && !strings.HasSuffix(name, "/") && !Known(strings.TrimSpace(name), plane) {
						t.Errorf("%s names %s (data: %v)", role.RoleName, name, plane)
					}
				}
			}
		}
	}
}

// A pattern picks what rbac.Match picks of the whole list.
func TestMatchingAgreesWithMatch(t *testing.T) {
	all := All()
	pattern := rapid.Custom(func(t *rapid.T) string {
		name := rapid.SampledFrom(all).Draw(t, "operation").Name
		for range rapid.IntRange(0, 3).Draw(t, "stars") {
			from := rapid.IntRange(0, len(name)).Draw(t, "from")
			to := rapid.IntRange(from, len(name)).Draw(t, "to")
			name = name[:from] + "*" + name[to:]
		}
		if rapid.Bool().Draw(t, "upper") {
			name = strings.ToUpper(name)
		}
		return name
	})
	rapid.Check(t, func(t *rapid.T) {
		p, data := pattern.Draw(t, "pattern"), rapid.Bool().Draw(t, "data")
		var want []Operation
		for _, op := range all {
			if op.Data == data && rbac.Match(p, op.Name) {
				want = append(want, op)
			}
		}
		if got := slices.Collect(Matching(p, data)); !slices.Equal(got, want) {
			t.Fatalf("%s matches %d operations, want %d", p, len(got), len(want))
		}
	})
}

func TestMatchingStops(t *testing.T) {
	n := 0
	for range Matching("*", false) {
		if n++; n == 3 {
			break
		}
	}
	if n != 3 {
		t.Errorf("%d operations", n)
	}
}

func TestComplete(t *testing.T) {
	if !Complete("microsoft.search") || !Complete("Microsoft.Storage") || Complete("Microsoft.Network") || Complete("") {
		t.Error("of which providers is the list whole?")
	}
	// One of which a source was lost would have every custom role refused.
	for _, ns := range complete {
		if !slices.ContainsFunc(Providers(), func(p string) bool { return strings.EqualFold(p, ns) }) {
			t.Errorf("there is no provider %s", ns)
		}
	}
}

// A pattern of a built-in role for a complete provider names something: that
// none is left over shows that nothing which Azure itself grants is missing.
// (In full names there is nothing to see, as they are a source.)
func TestThePatternsOfTheBuiltInRolesNameSomething(t *testing.T) {
	for _, role := range builtin.Roles() {
		for _, p := range role.Permissions {
			for plane, patterns := range map[bool][]string{false: slices.Concat(p.Actions, p.NotActions), true: slices.Concat(p.DataActions, p.NotDataActions)} {
			patterns:
				for _, pattern := range patterns {
					namespace, _, _ := strings.Cut(pattern, "/")
					if !strings.Contains(pattern, "*") || !Complete(namespace) {
						continue
					}
					for range Matching(pattern, plane) {
						continue patterns
					}
					t.Errorf("%s names %s (data: %v)", role.RoleName, pattern, plane)
				}
			}
		}
	}
}

func TestDecodeRefusesBrokenData(t *testing.T) {
	for _, broken := range [][]byte{nil, []byte("Microsoft.X/y/read"), packed[:len(packed)/2]} {
		if c, err := decode(broken); err == nil {
			t.Errorf("%d bytes gave %d operations", len(broken), len(c.all))
		}
	}
}

func BenchmarkMatching(b *testing.B) {
	for _, pattern := range []string{"*", "*/read", "Microsoft.CognitiveServices/*/read", "Microsoft.Search/searchServices/listAdminKeys/action"} {
		b.Run(pattern, func(b *testing.B) {
			for b.Loop() {
				for range Matching(pattern, false) {
				}
			}
		})
	}
}

func BenchmarkKnown(b *testing.B) {
	for b.Loop() {
		Known("Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action", true)
	}
}
