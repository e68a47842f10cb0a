package conformance

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The snippets in seed002/ are those of the article, byte for byte; a program is
// some of them with the article's placeholders filled in. What stands between
// them is what the article leaves to its reader: an import, and printing.
const (
	importClass     = "from azureml.core.authentication import ServicePrincipalAuthentication\n"
	importWorkspace = "from azureml.core import Workspace\n"
	printDetails    = "import json; print(json.dumps(ws.get_details()))\n"
	describe        = "ws.update(description='changed'); print(ws.get_details()['description'])\n"
)

const (
	mlProvider   = "Microsoft.MachineLearningServices"
	mlNamespace  = "/providers/" + mlProvider + "/workspaces/"
	mlExample    = mlNamespace + "ml-example"
	mlAPIVersion = "?api-version=2024-04-01"
)

// studio is a Sekisho with the article's workspace, and the service principal
// that `az ad sp create-for-rbac` has made.
type studio struct {
	*sekisho
	made map[string]string // what it printed
}

func newStudio(t *testing.T, ns *namespace, role string, scope func(*sekisho) string) *studio {
	t.Helper()
	s := &studio{sekisho: startIn(t, ns)}
	s.login()
	s.az("provider", "register", "--namespace", mlProvider).ok()
	linked := func(kind string) string { return s.scope("/providers/Microsoft." + kind) }
	body, err := json.Marshal(map[string]any{"location": "japaneast", "identity": map[string]string{"type": "SystemAssigned"}, "properties": map[string]string{
		"storageAccount": linked("Storage/storageAccounts/mlstorage"), "keyVault": linked("KeyVault/vaults/mlvault"),
		"applicationInsights": linked("Insights/components/mlinsights"), "friendlyName": "ML example"}})
	if err != nil {
		t.Fatal(err)
	}
	s.az("rest", "--method", "put", "--url", s.scope(mlExample)+mlAPIVersion, "--body", string(body)).ok()
	printed := s.az("ad", "sp", "create-for-rbac", "--json-auth", "--name", "ml-auth", "--role", role, "--scopes", scope(s.sekisho)).ok()
	if err := json.Unmarshal([]byte(printed), &s.made); err != nil {
		t.Fatalf("%v in %s", err, printed)
	}
	return s
}

func ofSubscription(s *sekisho) string { return "/subscriptions/" + s.SubscriptionID }
func ofWorkspace(s *sekisho) string    { return s.scope(mlExample) }

// program writes parts, each the name of a snippet or Python itself, as one
// program, and gives the command that runs it.
func (s *studio) program(parts ...string) []string {
	s.t.Helper()
	var text strings.Builder
	for _, part := range parts {
		if strings.HasSuffix(part, ".py") {
			raw, err := os.ReadFile(filepath.Join("seed002", part))
			if err != nil {
				s.t.Fatal(err)
			}
			part = string(raw)
		}
		text.WriteString(part)
	}
	filled := strings.NewReplacer("your-tenant-id", s.made["tenantId"], "your-client-id", s.made["clientId"], "your-client-secret", s.made["clientSecret"],
		"your-sub-id", s.made["subscriptionId"], "your-rg-name", "rg-sample", "your-resource-group-id", "rg-sample", "your-workspace-name", "ml-example").Replace(text.String())
	path := filepath.Join(s.t.TempDir(), "program.py")
	if err := os.WriteFile(path, []byte(filled), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return []string{python(s.t, "azureml-core"), path}
}

// runs runs a program of parts in intercept mode.
func (s *studio) runs(more []string, parts ...string) result {
	s.t.Helper()
	return s.client(more, s.program(parts...)...)
}

// found wants a program to have printed the details of the workspace.
func (s *studio) found(r result) {
	s.t.Helper()
	var details struct {
		ID, Name, Location, Type, SKU, WorkspaceID, FriendlyName, StorageAccount, DiscoveryURL, ProvisioningState string
		Identity                                                                                                  struct{ Type string }
	}
	lines := strings.Split(strings.TrimSpace(r.ok()), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &details); err != nil {
		s.t.Fatalf("%v in %s", err, r.out)
	}
	if details.ID != s.scope(mlExample) || details.Name != "ml-example" || details.Location != "japaneast" || details.Type != mlProvider+"/workspaces" ||
		details.SKU != "Basic" || details.FriendlyName != "ML example" || details.StorageAccount != s.scope("/providers/Microsoft.Storage/storageAccounts/mlstorage") ||
		details.DiscoveryURL != "https://japaneast.api.azureml.ms/discovery" || len(details.WorkspaceID) != 36 || !strings.HasPrefix(details.Identity.Type, "SystemAssigned") {
		s.t.Errorf("the details are %+v in %s", details, r.out)
	}
}

func TestAServicePrincipalGetsTheWorkspaceWithAzuremlCoreAsTheSeedPrints(t *testing.T) {
	t.Parallel()
	s := newStudio(t, nil, "Contributor", ofSubscription)
	s.found(s.runs(nil, "principal.py", "get.py", printDetails))

	// As the article recommends it: with the values in the environment.
	variables := []string{"AML_TENANT_ID=" + s.made["tenantId"], "AML_PRINCIPAL_ID=" + s.made["clientId"]}
	environment := func(secret string, more ...string) result {
		return s.runs(append(variables, "AML_PRINCIPAL_PASS="+secret), append([]string{importClass, "environment.py", "get.py"}, more...)...)
	}
	s.found(environment(s.made["clientSecret"], printDetails))
	environment("another-secret").fails("AADSTS7000215")
	if out := environment(s.made["clientSecret"], describe).line(); !strings.HasSuffix(out, "changed") {
		t.Errorf("a Contributor could not describe the workspace: %s", out)
	}

	// Of the data plane there is the discovery document; what it leads to is
	// refused in words, at once.
	environment(s.made["clientSecret"], "ws.get_default_datastore()\n").fails("is not supported", "Sekisho serves the discovery documents")

	for line := range strings.Lines(s.process.log.String()) {
		if strings.Contains(line, s.made["clientSecret"]) {
			t.Error("the log holds a secret")
		}
	}
}

func TestWhoMayOnlyReadAWorkspaceGetsItAndChangesNothing(t *testing.T) {
	t.Parallel()
	s := newStudio(t, nil, "Reader", ofWorkspace)
	assignment := func(verb, role string) {
		s.az("role", "assignment", verb, "--assignee", s.made["clientId"], "--role", role, "--scope", s.scope(mlExample)).ok()
	}
	readsOnly := func() {
		t.Helper()
		s.found(s.runs(nil, "principal.py", "get.py", printDetails))
		s.runs(nil, "principal.py", "get.py", describe).fails("does not have authorization to perform action '" + mlProvider + "/workspaces/write'")
	}
	readsOnly()
	assignment("delete", "Reader")
	s.runs(nil, "principal.py", "get.py").fails("don't have access to " + s.made["subscriptionId"] + " subscription")
	assignment("create", "Azure AI Developer")
	readsOnly()
}

// On a virtual machine, and on a compute instance or cluster of Azure Machine
// Learning, which the article names beside it.
func TestAMachineGetsTheWorkspaceWithItsManagedIdentity(t *testing.T) {
	t.Parallel()
	ns := newNamespace(t, "ip address add 169.254.169.254/32 dev lo")
	s := newStudio(t, ns, "Reader", ofWorkspace)
	machine := func(kind string, more ...string) result {
		return s.run(nil, append([]string{"--vm", "vm-sample", "--as", kind, "--"}, s.program(append([]string{importWorkspace, "machine.py"}, more...)...)...)...)
	}
	machine("vm").fails("Failed to connect to MSI")
	machine("ml-compute").fails("Identity not found")
	principal := s.az("vm", "identity", "assign", "-g", "rg-sample", "-n", "vm-sample", "--query", "systemAssignedIdentity", "-o", "tsv").line()
	machine("vm").fails("don't have access to " + s.made["subscriptionId"] + " subscription")
	s.az("role", "assignment", "create", "--assignee-object-id", principal, "--assignee-principal-type", "ServicePrincipal", "--role", "Reader", "--scope", s.scope(mlExample)).ok()
	for _, kind := range []string{"vm", "ml-compute"} {
		s.found(machine(kind, printDetails))
	}
	machine("vm", describe).fails("does not have authorization to perform action '" + mlProvider + "/workspaces/write'")
}

func TestASessionOfTheAzureCLIGetsTheWorkspace(t *testing.T) {
	t.Parallel()
	s := newStudio(t, nil, "Reader", ofWorkspace)
	config, err := json.Marshal(map[string]string{"subscription_id": s.SubscriptionID, "resource_group": "rg-sample", "workspace_name": "ml-example"})
	if err == nil {
		err = os.WriteFile(filepath.Join(s.home, "config.json"), config, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	s.az("login", "--service-principal", "-u", s.made["clientId"], "-p", s.made["clientSecret"], "--tenant", s.TenantID).ok()
	s.found(s.runs(nil, importWorkspace, "cli.py", printDetails))

	// Where somebody is signed in, the interactive ways ask nothing.
	for _, parts := range [][]string{{"config.py"}, {importWorkspace, "constructor.py"}, {"interactive.py", importWorkspace, "ws = Workspace.from_config(auth=interactive_auth)\n"}} {
		r := s.runs(nil, append(parts, printDetails)...)
		s.found(r)
		r.says("Falling back to use azure cli login credentials")
	}
	// The file that the workspace writes is the one that is found.
	s.runs(nil, "config.py", "ws.write_config()\n").ok()
	if err := os.Remove(filepath.Join(s.home, "config.json")); err != nil {
		t.Fatal(err)
	}
	s.found(s.runs(nil, "config.py", printDetails))
}
