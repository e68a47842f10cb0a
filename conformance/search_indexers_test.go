package conformance

import (
	"net/http"
	"slices"
	"strings"
)

// indexerSteps are what is seen of each step of indexers, in JSON.
var indexerSteps = []seenStep{
	{"data source", `[null, "described", "files", ["blobs"]]`},
	{"skillset", `[["#1", "#2"], "described", "parts", ["chunks"]]`},
	{"no role on the storage", `[[400, "Error with data source: This request is not authorized to perform this operation using this permission.  Please adjust your data source definition in order to proceed."]]`},
	{"no role on Azure OpenAI", `["transientFailure", 2, 2, "Could not execute skill because the Web Api request failed.", "Enrichment.AzureOpenAIEmbeddingSkill.#2", true]`},
	{"both roles", `[["success", 2, 0], ["one.txt", "three.json"], ["First sentence.", "Second sentence.", "{\"a\": 1}"]]`},
	{"nothing changed", `[["success", 0, 0]]`},
	{"the role on the storage is taken", `["Error with data source: This request is not authorized to perform this operation using this permission.  Please adjust your data source definition in order to proceed."]`},
	{"and given back", `[["success", 1, 0]]`},
	{"deleted", `[["success", 1, 0], ["Third sentence.", "{\"a\": 1}"]]`},
	{"reset", `["reset", "running", true, ["success", 3, 0]]`},
	{"indexer", `[true, ["reads"], ["reads"]]`},
	{"deleted definitions", `[[404, "No indexer with the name 'reads' was found in the service 'SERVICE'."], [], []]`},
}

// previewIndexerSteps are those of a preview's SDK.
var previewIndexerSteps = append(slices.Clone(indexerSteps), seenStep{"documents reset", `[["success", 1, 0], ["success", 0, 0]]`})

// hops are what an indexer needs: a storage account and a deployment that embeds.
func (w *searchWorld) hops(of searchService) []string {
	name := strings.ReplaceAll(of.name, "-", "")
	storage := w.scope("/providers/Microsoft.Storage/storageAccounts/" + name)
	w.admin.do(w.t, http.MethodPut, storage+storageVersion, object{"location": "japaneast", "kind": "StorageV2", "sku": object{"name": "Standard_LRS"}, "properties": object{}}, nil)
	var keys struct{ Keys []struct{ Value string } }
	w.admin.do(w.t, http.MethodPost, storage+"/listKeys"+storageVersion, nil, &keys)
	openAI := w.scope("/providers/Microsoft.CognitiveServices/accounts/" + name)
	const openAIVersion = "?api-version=2024-10-01"
	w.admin.do(w.t, http.MethodPut, openAI+openAIVersion, object{"location": "japaneast", "kind": "OpenAI", "sku": object{"name": "S0"}, "properties": object{"customSubDomainName": name}}, nil)
	w.admin.do(w.t, http.MethodPut, openAI+"/deployments/embed"+openAIVersion, object{"sku": object{"name": "Standard", "capacity": 1},
		"properties": object{"model": object{"format": "OpenAI", "name": "text-embedding-3-small"}}}, nil)
	return []string{
		"OWNER_ID=" + w.Automation.ClientID, "OWNER_SECRET=" + w.Automation.ClientSecret, "SUBSCRIPTION=" + w.SubscriptionID, "IDENTITY=" + of.identity,
		"STORAGE=" + name, "STORAGE_ID=" + storage, "STORAGE_KEY=" + keys.Keys[0].Value, "OPENAI=https://" + name + ".openai.azure.com", "OPENAI_ID=" + openAI,
	}
}
