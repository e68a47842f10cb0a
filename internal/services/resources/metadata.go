package resources

import (
	"net/http"

	"sekisho/internal/api"
	"sekisho/internal/arm"
)

// metadata tells clients where the services of the cloud are, in the three
// shapes that api-versions have had.
// Source: clients.md §(a): Azure Stack's before 2018, an array in 2019-05-01,
// one object from 2022-09-01 on.
func (s *Resources) metadata(w http.ResponseWriter, call *api.Call) error {
	login, graph := "https://login.microsoftonline.com", "https://graph.microsoft.com/"
	if own := call.Origin.Own; own != "" {
		login, graph = own, own+"/"
	}
	arm.WriteHeaders(w, call)
	version := call.Request.URL.Query().Get("api-version")
	audiences := []string{"https://management.core.windows.net/", "https://management.azure.com/"}
	if version < "2018" {
		return arm.WriteJSON(w, http.StatusOK, map[string]any{
			"galleryEndpoint": "https://gallery.azure.com/", "graphEndpoint": "https://graph.windows.net/", "portalEndpoint": "https://portal.azure.com/",
			"graphAudience":  "https://graph.windows.net/",
			"authentication": map[string]any{"loginEndpoint": login + "/", "audiences": audiences},
		})
	}
	cloud := map[string]any{
		"name": "AzureCloud", "portal": "https://portal.azure.com", "resourceManager": call.URL("/"),
		"authentication": map[string]any{"loginEndpoint": login, "audiences": audiences, "tenant": "common", "identityProvider": "AAD"},
		"graph":          "https://graph.windows.net/", "graphAudience": "https://graph.windows.net/",
		"microsoftGraphResourceId": graph, "media": "https://rest.media.azure.net", "batch": "https://batch.core.windows.net/",
		"gallery": "https://gallery.azure.com/", "sqlManagement": "https://management.core.windows.net:8443/",
		"vmImageAliasDoc":            "https://raw.githubusercontent.com/Azure/azure-rest-api-specs/main/arm-compute/quickstart-templates/aliases.json",
		"activeDirectoryDataLake":    "https://datalake.azure.net/",
		"appInsightsResourceId":      "https://api.applicationinsights.io",
		"logAnalyticsResourceId":     "https://api.loganalytics.io",
		"attestationResourceId":      "https://attest.azure.net",
		"synapseAnalyticsResourceId": "https://dev.azuresynapse.net",
		"suffixes": map[string]string{
			"storage": "core.windows.net", "keyVaultDns": "vault.azure.net", "sqlServerHostname": "database.windows.net",
			"acrLoginServer": "azurecr.io", "azureDataLakeStoreFileSystem": "azuredatalakestore.net",
			"azureDataLakeAnalyticsCatalogAndJob": "azuredatalakeanalytics.net", "azureFrontDoorEndpointSuffix": "azurefd.net",
			"attestationEndpoint": "attest.azure.net", "synapseAnalytics": "dev.azuresynapse.net", "storageSyncEndpointSuffix": "afs.azure.net",
			"mhsmDns": "managedhsm.azure.net", "mysqlServerEndpoint": "mysql.database.azure.com",
			"postgresqlServerEndpoint": "postgres.database.azure.com", "mariadbServerEndpoint": "mariadb.database.azure.com",
		},
	}
	if version < "2022-09-01" {
		return arm.WriteJSON(w, http.StatusOK, []any{cloud})
	}
	return arm.WriteJSON(w, http.StatusOK, cloud)
}
