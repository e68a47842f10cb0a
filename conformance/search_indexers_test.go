package conformance

import (
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
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
	{"deleted definitions", `[[404, "No indexer with the name 'reads' was found in the service 'srchstory'."], [], []]`},
}

func TestEverySDKDefinesAndRunsIndexersAndEachRoleOfTheServiceIsOneHop(t *testing.T) {
	t.Parallel()
	s := start(t)
	admin := s.arm()
	for _, provider := range []string{"Microsoft.Search", "Microsoft.Storage"} {
		admin.do(t, http.MethodPost, "/subscriptions/"+s.SubscriptionID+"/providers/"+provider+"/register?api-version=2022-12-01", nil, nil)
	}
	for _, client := range []struct {
		name string
		tell func(s *sekisho, env []string) result
	}{
		{"Python", func(s *sekisho, env []string) result {
			return s.client(env, python(s.t, "azure-search-documents"), program(s.t, "search/indexers.py"))
		}},
		{"JavaScript", func(s *sekisho, env []string) result {
			node, modules := s.nodeIn("js-storage")
			return s.client(append(env, "NODE_PATH="+modules), node, program(s.t, "search/indexers.cjs"))
		}},
		{"Java", func(s *sekisho, env []string) result {
			cmd := s.command(os.Environ(), s.java("search/Indexers.java")...)
			cmd.Env = append(cmd.Env, env...)
			return execute(s.t, cmd)
		}},
	} {
		t.Run(client.name, func(t *testing.T) {
			s := s.in(t)
			name := "story" + strings.ToLower(client.name)
			steps := slices.Clone(indexerSteps)
			for i := range steps {
				steps[i].seen = strings.ReplaceAll(steps[i].seen, "srchstory", "srch"+name)
			}
			hear(t, client.tell(s, indexerWorld(s, admin, name)).ok(), steps)
		})
	}
}

// indexerWorld is what a story needs: a search service with an identity, a storage
// account and a deployment that embeds.
func indexerWorld(s *sekisho, admin *caller, name string) []string {
	t := s.t
	storage := s.scope("/providers/Microsoft.Storage/storageAccounts/st" + name)
	admin.do(t, http.MethodPut, storage+storageVersion, object{"location": "japaneast", "kind": "StorageV2", "sku": object{"name": "Standard_LRS"}, "properties": object{}}, nil)
	var keys struct{ Keys []struct{ Value string } }
	admin.do(t, http.MethodPost, storage+"/listKeys"+storageVersion, nil, &keys)
	const searchVersion = "?api-version=2025-05-01"
	service := s.scope("/providers/Microsoft.Search/searchServices/srch" + name)
	var made struct{ Identity struct{ PrincipalID string } }
	admin.do(t, http.MethodPut, service+searchVersion, object{"location": "japaneast", "sku": object{"name": "basic"}, "identity": object{"type": "SystemAssigned"},
		"properties": object{"authOptions": object{"aadOrApiKey": object{"aadAuthFailureMode": "http403"}}}}, &made)
	var admins struct{ PrimaryKey string }
	admin.do(t, http.MethodPost, service+"/listAdminKeys"+searchVersion, nil, &admins)
	openAI := s.scope("/providers/Microsoft.CognitiveServices/accounts/oai" + name)
	const openAIVersion = "?api-version=2024-10-01"
	admin.do(t, http.MethodPut, openAI+openAIVersion, object{"location": "japaneast", "kind": "OpenAI", "sku": object{"name": "S0"}, "properties": object{"customSubDomainName": "oai" + name}}, nil)
	admin.do(t, http.MethodPut, openAI+"/deployments/embed"+openAIVersion, object{"sku": object{"name": "Standard", "capacity": 1},
		"properties": object{"model": object{"format": "OpenAI", "name": "text-embedding-3-small"}}}, nil)
	return []string{
		"AZURE_TENANT_ID=" + s.TenantID, "OWNER_ID=" + s.Automation.ClientID, "OWNER_SECRET=" + s.Automation.ClientSecret, "SUBSCRIPTION=" + s.SubscriptionID,
		"SERVICE=https://srch" + name + ".search.windows.net", "SERVICE_KEY=" + admins.PrimaryKey, "IDENTITY=" + made.Identity.PrincipalID,
		"STORAGE=st" + name, "STORAGE_ID=" + storage, "STORAGE_KEY=" + keys.Keys[0].Value, "OPENAI=https://oai" + name + ".openai.azure.com", "OPENAI_ID=" + openAI,
	}
}
