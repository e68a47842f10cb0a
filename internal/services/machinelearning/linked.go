package machinelearning

import (
	"net/http"
	"strings"

	"sekisho/internal/api"
	"sekisho/rbac"
)

// planLinked holds what a workspace needs beside it. Their types are not served
// yet: an id must be one of the type, but that the resource exists is not asked.
// Source: azure-cli#28980 and azure-service-operator#5696 for what is missing.
func planLinked(p workspace) error {
	if p.StorageAccount == "" || p.KeyVault == "" || p.ApplicationInsights == "" {
		const missing = "Missing dependent resources in workspace json"
		e := invalid("workspace", missing)
		e.Details = []api.Error{{Code: "Invalid", Message: missing, Target: "workspace"}}
		return e
	}
	for _, linked := range []struct{ property, id, provider, kind string }{
		{"storageAccount", p.StorageAccount, "Microsoft.Storage", "storageAccounts"},
		{"keyVault", p.KeyVault, "Microsoft.KeyVault", "vaults"},
		{"applicationInsights", p.ApplicationInsights, "Microsoft.Insights", "components"},
		{"containerRegistry", p.ContainerRegistry, "Microsoft.ContainerRegistry", "registries"},
	} {
		if linked.id == "" {
			continue
		}
		id, err := rbac.ParseID(linked.id)
		if err != nil || id.ResourceGroup == "" || len(id.Types) != 1 || !strings.EqualFold(id.Provider, linked.provider) || !strings.EqualFold(id.Types[0], linked.kind) {
			return invalid("properties."+linked.property, "%s '%s' is not the id of a resource of type %s/%s.", linked.property, linked.id, linked.provider, linked.kind)
		}
	}
	return nil
}

// invalid is the provider's error for a workspace that can't be as it is asked for.
func invalid(target, format string, args ...any) *api.Error {
	e := api.Errorf(http.StatusBadRequest, "ValidationError", format, args...)
	e.Target = target
	return e
}
