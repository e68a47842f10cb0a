package builtin

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"sekisho/rbac"
	"sekisho/rbac/operations"
)

const cognitive = "Microsoft.CognitiveServices/accounts/"

func TestRolesAreComplete(t *testing.T) {
	roles := Roles()
	if len(roles) != 928 {
		t.Errorf("%d roles, want 928", len(roles))
	}
	guid := regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	seen := map[string]bool{}
	for _, r := range roles {
		if !guid.MatchString(r.Name) || seen[r.Name] {
			t.Errorf("%s: %q is no GUID, or is there twice", r.RoleName, r.Name)
		}
		seen[r.Name] = true
		if r.RoleName == "" || r.Type != rbac.BuiltInRole || len(r.Permissions) == 0 || !slices.Equal(r.AssignableScopes, []string{"/"}) {
			t.Errorf("%+v lacks something", r)
		}
	}
}

func TestRolesAreTheCallersList(t *testing.T) {
	first := Roles()[0].Name
	Roles()[0].Name = "changed"
	if got := Roles()[0].Name; got != first {
		t.Errorf("a caller changed the list: %q", got)
	}
}

func TestFind(t *testing.T) {
	tests := []struct{ text, want string }{
		{"53ca6127-db72-4b80-b1b0-d745d6d5456d", "Foundry User"},
		{"53CA6127-DB72-4B80-B1B0-D745D6D5456D", "Foundry User"},
		{"foundry user", "Foundry User"},
		{"Azure AI User", "Foundry User"},
		{"AZURE AI PROJECT MANAGER", "Foundry Project Manager"},
		{"Azure AI Account Owner", "Foundry Account Owner"},
		{"Azure AI Owner", "Foundry Owner"},
		{"owner", "Owner"},
		{"Foundry", ""},
		{"", ""},
	}
	for _, tt := range tests {
		if got, ok := Find(tt.text); got.RoleName != tt.want || ok != (tt.want != "") {
			t.Errorf("Find(%q) = %q, %v; want %q", tt.text, got.RoleName, ok, tt.want)
		}
	}
}

// bare is the role as if its permissions had no condition.
func bare(r rbac.RoleDefinition) rbac.RoleDefinition {
	r.Permissions = slices.Clone(r.Permissions)
	for i := range r.Permissions {
		r.Permissions[i].Condition = ""
	}
	return r
}

// The matrix was computed by other code from the same dump, with conditions
// left aside. Those of the three Foundry roles limit only which roles may be
// assigned, so on Azure the matrix holds as it stands.
func TestWhatTheRolesOfAzureOpenAIGrant(t *testing.T) {
	columns := []struct {
		action string
		data   bool
	}{
		{cognitive + "OpenAI/deployments/chat/completions/action", true},
		{cognitive + "OpenAI/responses/write", true},
		{cognitive + "OpenAI/assistants/write", true},
		{cognitive + "OpenAI/files/write", true},
		{cognitive + "OpenAI/images/generations/action", true},
		{cognitive + "OpenAI/batch-jobs/write", true},
		{cognitive + "OpenAI/stored-completions/read", true},
		{cognitive + "listKeys/action", false},
		{cognitive + "regenerateKey/action", false},
		{cognitive + "deployments/write", false},
		{cognitive + "commitmentplans/write", false},
	}
	tests := []struct{ role, want string }{
		{"Cognitive Services OpenAI User", "YYY-Y-- ----"},
		{"Cognitive Services OpenAI Contributor", "YYYYYYY --YY"},
		{"Cognitive Services User", "YYYYYYY Y---"},
		{"Cognitive Services Contributor", "------- YYYY"},
		{"Azure AI Developer", "YYYYYYY ----"},
		{"Azure AI Administrator", "------- YYYY"},
		{"Foundry User", "YYYYYYY Y---"},
		{"Foundry Owner", "YYYYYYY YYYY"},
		{"Foundry Account Owner", "------- YYYY"},
		{"Foundry Project Manager", "YYYYYYY ----"},
		{"Cognitive Services Data Reader", "------Y ----"},
		{"Reader", "------- ----"},
		{"Contributor", "------- YYYY"},
		{"Owner", "------- YYYY"},
	}
	for _, tt := range tests {
		t.Run(tt.role, func(t *testing.T) {
			role, ok := Find(tt.role)
			if !ok {
				t.Fatal("no such role")
			}
			var got strings.Builder
			for i, c := range columns {
				if i == 7 {
					got.WriteByte(' ')
				}
				if bare(role).Grants(c.action, c.data) {
					got.WriteByte('Y')
				} else {
					got.WriteByte('-')
				}
			}
			if got.String() != tt.want {
				t.Errorf("got %s, want %s", &got, tt.want)
			}
		})
	}
}

func TestOnlyEightRolesGrantChat(t *testing.T) {
	want := []string{
		"Azure AI Developer",
		"Cognitive Services Data Contributor (Preview)",
		"Cognitive Services OpenAI Contributor",
		"Cognitive Services OpenAI User",
		"Cognitive Services User",
		"Foundry Owner",
		"Foundry Project Manager",
		"Foundry User",
	}
	var got []string
	for _, r := range Roles() {
		if bare(r).Grants(cognitive+"OpenAI/deployments/chat/completions/action", true) {
			got = append(got, r.RoleName)
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

// All that these roles have stands in one block under a condition. Until
// conditions are evaluated they are stricter here than on Azure.
func TestRolesWhollyUnderConditionGrantNothingYet(t *testing.T) {
	for _, name := range []string{"Foundry Owner", "Foundry Account Owner", "Foundry Project Manager"} {
		role, ok := Find(name)
		if !ok {
			t.Fatalf("no role %s", name)
		}
		if len(role.Permissions) != 1 || role.Permissions[0].Condition == "" || role.Permissions[0].ConditionVersion != "2.0" {
			t.Errorf("%s has lost its condition: %+v", name, role.Permissions)
		}
		for _, data := range []bool{false, true} {
			if role.Grants(cognitive+"read", data) {
				t.Errorf("%s grants what stands under a condition", name)
			}
		}
	}
}

func TestDecodeRefusesBrokenData(t *testing.T) {
	for _, broken := range [][]byte{nil, []byte("[]"), packed[:len(packed)/2]} {
		if roles, err := decode(broken); err == nil {
			t.Errorf("%d bytes gave %d roles", len(broken), len(roles))
		}
	}
}

// What a person who knows the roles would answer.
func TestSmallestRoles(t *testing.T) {
	catalog := rbac.NewCatalog(Roles(), Advised(), operations.All)
	tests := []struct {
		action string
		data   bool
		want   string
	}{
		{cognitive + "OpenAI/deployments/chat/completions/action", true, "Cognitive Services OpenAI User"},
		{cognitive + "OpenAI/files/write", true, "Cognitive Services OpenAI Contributor"},
		{cognitive + "OpenAI/models/read", true, "Cognitive Services OpenAI User"},
		{cognitive + "read", false, "Cognitive Services OpenAI User"},
		{cognitive + "deployments/write", false, "Cognitive Services OpenAI Contributor"},
		{cognitive + "listKeys/action", false, "Cognitive Services Contributor"},
		{cognitive + "write", false, "Cognitive Services Contributor"},
		{"Microsoft.CognitiveServices/register/action", false, "Cognitive Services Contributor"},
		{"Microsoft.Authorization/roleAssignments/write", false, "Role Based Access Control Administrator"},
		{"Microsoft.Resources/subscriptions/resourceGroups/read", false, "Reader"},
		{"Microsoft.Resources/subscriptions/resourceGroups/write", false, "Contributor"},
		{"Microsoft.Authorization/roleAssignments/read", false, "Reader"},
		{"Microsoft.Compute/virtualMachines/write", false, "Virtual Machine Contributor"},
		{"Microsoft.ManagedIdentity/userAssignedIdentities/write", false, "Managed Identity Contributor"},
		{"Microsoft.ManagedIdentity/userAssignedIdentities/assign/action", false, "Managed Identity Operator"},
		{"Microsoft.ContainerRegistry/registries/pull/read", false, "AcrPull"},
		{"Microsoft.KeyVault/vaults/secrets/getSecret/action", true, "Key Vault Secrets User"},
		{"Microsoft.Search/searchServices/indexes/write", false, "Search Service Contributor"},
		{"Microsoft.Search/searchServices/indexes/documents/read", true, "Search Index Data Reader"},
		{"Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read", true, "Storage Blob Data Reader"},
		{"Microsoft.Storage/storageAccounts/listKeys/action", false, "Storage Account Key Operator Service Role"},
		{"Sekisho.None/things/read", true, ""},
	}
	for _, tt := range tests {
		got, ok := catalog.SmallestRole(tt.action, tt.data)
		if got.RoleName != tt.want || ok != (tt.want != "") {
			t.Errorf("the smallest role for %s is %q, want %q", tt.action, got.RoleName, tt.want)
		}
	}
}

func TestAdvisedRolesExistAndHoldSomethingOfTheirProvider(t *testing.T) {
	for provider, guids := range Advised() {
		for _, guid := range guids {
			role, ok := Find(guid)
			if !ok || role.Name != guid {
				t.Errorf("%s: no role %s", provider, guid)
				continue
			}
			holds := slices.ContainsFunc(role.Permissions, func(p rbac.Permission) bool {
				return slices.ContainsFunc(slices.Concat(p.Actions, p.DataActions), func(pattern string) bool {
					return strings.HasPrefix(pattern, "*") || strings.HasPrefix(strings.ToLower(pattern), strings.ToLower(provider)+"/")
				})
			})
			if !holds {
				t.Errorf("%s has nothing of %s", role.RoleName, provider)
			}
		}
	}
}

func BenchmarkNewCatalog(b *testing.B) {
	roles := Roles()
	for b.Loop() {
		rbac.NewCatalog(roles, Advised(), operations.All)
	}
}

// What the first question for the role that grants the least costs.
func BenchmarkSmallest(b *testing.B) {
	roles := Roles()
	q := rbac.Question{Principal: "ann", Action: cognitive + "OpenAI/deployments/chat/completions/action", Data: true, Scope: "/subscriptions/S"}
	operations.All()
	for b.Loop() {
		rbac.NewCatalog(roles, Advised(), operations.All).Smallest(q)
	}
}
