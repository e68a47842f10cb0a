package search_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"sekisho/internal/servicetest"
)

func TestDefinitionsThatAreRefused(t *testing.T) {
	w := newSearching(t)
	w.must("POST", "/indexes", plainIndex)
	w.must("POST", "/indexes", chunkIndex)
	w.must("POST", "/datasources", `{"name":"blobs","type":"azureblob","credentials":{"connectionString":`+w.keyless()+`},"container":{"name":"docs"}}`)
	source := func(more string) string {
		return `{"name":"x","type":"azureblob","credentials":{"connectionString":` + w.keyless() + `},"container":{"name":"docs"}` + more + `}`
	}
	indexer := func(more string) string {
		return `{"name":"x","disabled":true,"dataSourceName":"blobs","targetIndexName":"docs"` + more + `}`
	}
	configuration := func(c string) string { return indexer(`,"parameters":{"configuration":{` + c + `}}`) }
	skillset := func(skill string) string { return `{"name":"x","skills":[` + skill + `]}` }
	split := func(more string) string {
		return skillset(`{"@odata.type":"#Microsoft.Skills.Text.SplitSkill","textSplitMode":"pages","inputs":[{"name":"text","source":"/document/content"}],"outputs":[{"name":"textItems"}]` + more + `}`)
	}
	web := func(more string) string {
		return skillset(`{"@odata.type":"#Microsoft.Skills.Custom.WebApiSkill","inputs":[{"name":"text","source":"/document/content"}],"outputs":[{"name":"out"}]` + more + `}`)
	}
	project := func(selector string) string {
		return strings.TrimSuffix(split(""), "}") + `,"indexProjections":{"selectors":[` + selector + `]}}`
	}
	for _, tt := range []struct{ path, body, want string }{
		{"/datasources", strings.Replace(source(""), "azureblob", "azuresql", 1), "Data source type 'azuresql' is not supported."},
		{"/datasources", strings.Replace(source(""), "azureblob", "blob", 1), "The value 'blob' is invalid."},
		{"/datasources", strings.Replace(source(""), `"docs"`, `"A--b"`, 1), "'A--b' is not the name of a blob container."},
		{"/datasources", `{"name":"x","type":"azureblob","container":{"name":"docs"}}`, "Data source credentials are required"},
		{"/datasources", source(`,"more":1`), "The property 'more' does not exist"},
		{"/datasources", source(`,"dataDeletionDetectionPolicy":{"@odata.type":"#Microsoft.Azure.Search.SoftDeleteColumnDeletionDetectionPolicy"}`), "needs softDeleteColumnName and softDeleteMarkerValue"},
		{"/datasources", source(`,"dataDeletionDetectionPolicy":{"@odata.type":"#Other"}`), "deletion detection policy '#Other' is not supported"},
		{"/datasources", source(`,"dataChangeDetectionPolicy":{"@odata.type":"#Microsoft.Azure.Search.HighWaterMarkChangeDetectionPolicy","highWaterMarkColumnName":"x"}`), "change detection policies are not supported"},
		{"/datasources", source(`,"encryptionKey":{"keyVaultKeyName":"k"}`), "Key Vault is not supported here"},
		{"/datasources?api-version=2026-04-01", source(`,"identity":{"@odata.type":"#Microsoft.Azure.Search.DataUserAssignedIdentity"}`), "userAssignedIdentity is required"},

		{"/indexers", strings.Replace(indexer(""), "blobs", "none", 1), "This indexer refers to a data source 'none' that doesn't exist."},
		{"/indexers", strings.Replace(indexer(""), `"docs"`, `"none"`, 1), "This indexer refers to an index 'none' that doesn't exist."},
		{"/indexers", indexer(`,"skillsetName":"none"`), "This indexer refers to a skillset 'none' that doesn't exist."},
		{"/indexers", indexer(`,"parameters":{"batchSize":0}`), "batchSize is 0"},
		{"/indexers", indexer(`,"parameters":{"maxFailedItems":-2}`), "maxFailedItems is -2"},
		{"/indexers", indexer(`,"fieldMappings":[{"sourceFieldName":"a","targetFieldName":"none"}]`), "names the field 'none', which the index 'docs' does not have"},
		{"/indexers", indexer(`,"outputFieldMappings":[{"sourceFieldName":"a","targetFieldName":"content"}]`), "does not begin with '/document'"},
		{"/indexers", indexer(`,"cache":{"storageConnectionString":"x"}`), "cache is not supported here"},
		{"/indexers", configuration(`"queryTimeout":"00:05:00"`), "'queryTimeout' is not supported"},
		{"/indexers", configuration(`"parsingMode":"xml"`), "The value 'xml' is invalid. It is one of: default, text, delimitedText, json, jsonArray, jsonLines, markdown."},
		{"/indexers", configuration(`"parsingMode":"delimitedText"`), "needs firstLineContainsHeaders or delimitedTextHeaders"},
		{"/indexers", configuration(`"imageAction":"generateNormalizedImages"`), "needs a skillset"},
		{"/indexers", configuration(`"indexedFileNameExtensions":"pdf"`), "'pdf' is not a file name extension"},
		{"/indexers", configuration(`"more":1`), "The property 'more' does not exist"},

		{"/skillsets", skillset(""), "at least one skill"},
		{"/skillsets", skillset(`{"@odata.type":"#Microsoft.Skills.Vision.OcrSkill"}`), "Skill #1: the skill type '#Microsoft.Skills.Vision.OcrSkill' is not supported."},
		{"/skillsets", split(`,"more":1`), `unknown field \"more\"`},
		{"/skillsets", split(`,"maximumPageLength":299`), "maximumPageLength is 299; it is between 300 and 50000"},
		{"/skillsets", split(`,"maximumPageLength":300,"pageOverlapLength":151`), "at most half of maximumPageLength"},
		{"/skillsets", split(`,"context":"/docs"`), "does not begin with '/document'"},
		{"/skillsets", strings.Replace(split(""), `"text"`, `"texts"`, 1), "The input 'texts' is not one of the skill"},
		{"/skillsets", strings.Replace(split(""), "textItems", "pages", 1), "The output 'pages' is not one of the skill"},
		{"/skillsets", web(`,"uri":"http://x.example.com"`), "is not an https URL"},
		{"/skillsets", web(`,"uri":"https://x.example.com","httpHeaders":{"content-type":"x"}`), "The header 'content-type' is not allowed"},
		{"/skillsets", web(`,"uri":"https://x.example.com","timeout":"PT231S"`), "between 1 and 230 seconds"},
		{"/skillsets", web(`,"uri":"https://x.example.com","degreeOfParallelism":11`), "it is between 1 and 10"},
		{"/skillsets", strings.TrimSuffix(split(""), "}") + `,"knowledgeStore":{"storageConnectionString":"x"}}`, "knowledge store is not supported here"},
		{"/skillsets", project(`{"targetIndexName":"none","parentKeyFieldName":"p","sourceContext":"/document","mappings":[{"name":"chunk","source":"/document/content"}]}`), "No index with the name 'none'"},
		{"/skillsets", project(`{"targetIndexName":"chunks","parentKeyFieldName":"vector","sourceContext":"/document","mappings":[{"name":"chunk","source":"/document/content"}]}`), "must be of type Edm.String, filterable, and not the key"},
		{"/skillsets", project(`{"targetIndexName":"chunks","parentKeyFieldName":"parent","sourceContext":"/document","mappings":[{"name":"none","source":"/document/content"}]}`), "The mapping 'none' names no field"},
	} {
		r := w.api("POST", tt.path, tt.body)
		failed, _ := r.JSON["error"].(map[string]any)
		message, _ := failed["message"].(string)
		want := strings.ReplaceAll(tt.want, `\"`, `"`)
		if r.Status != http.StatusBadRequest || !strings.Contains(message, want) {
			t.Errorf("%s %s:\n%d %s\nwant %s", tt.path, tt.body, r.Status, r.Body, want)
		}
	}
}

// Definitions with secrets come back without them, keep them where a client sends
// back what it was shown, and are not readable at rest.
func TestSecretsOfSkillsets(t *testing.T) {
	w := newSearching(t)
	set := func(uri, header, key string) string {
		return fmt.Sprintf(`{"name":"x","skills":[
			{"@odata.type":"#Microsoft.Skills.Custom.WebApiSkill","name":"web","uri":%q,"httpHeaders":{"x-functions-key":%q,"x-plain":"shown"},"inputs":[{"name":"t","source":"/document/content"}],"outputs":[{"name":"o"}]},
			{"@odata.type":"#Microsoft.Skills.Text.AzureOpenAIEmbeddingSkill","name":"embed","resourceUri":"https://oai-indexers.openai.azure.com","deploymentId":"embed","modelName":"text-embedding-3-small","apiKey":%q,
			 "inputs":[{"name":"text","source":"/document/content"}],"outputs":[{"name":"embedding"}]}]}`, uri, header, key)
	}
	made := w.must("POST", "/skillsets", set("https://f.example.com/api?code=hidden1", "hidden2", "hidden3"))
	if strings.Contains(made.Body, "hidden") || !strings.Contains(made.Body, "shown") {
		t.Errorf("%s", made.Body)
	}
	w.must("PUT", "/skillsets/x", set("https://f.example.com/api?code=%3Credacted%3E", "<redacted>", "<redacted>"))
	again := w.must("GET", "/skillsets('x')", "")
	var shown struct {
		Skills []map[string]any
	}
	if err := json.Unmarshal([]byte(again.Body), &shown); err != nil {
		t.Fatal(err)
	}
	if shown.Skills[1]["apiKey"] != "<redacted>" || strings.Contains(again.Body, "hidden") {
		t.Errorf("%s", again.Body)
	}
	if r := w.api("PUT", "/skillsets/y", strings.Replace(set("https://f.example.com/", "x", "<redacted>"), `"x"`, `"y"`, 1)); r.Status >= 300 {
		t.Errorf("a new skillset whose key is no key calls with its identity: %d %s", r.Status, r.Body)
	}
}

// Who owns a service defines what indexers do, a Reader sees it, and who only reads
// or writes documents does neither.
// Source: azure-docs search/search-security-rbac.md.
func TestWhoMayManageIndexers(t *testing.T) {
	w := newSearching(t)
	w.must("POST", "/indexes", plainIndex)
	w.must("POST", "/datasources", `{"name":"blobs","type":"azureblob","credentials":{"connectionString":`+w.keyless()+`},"container":{"name":"docs"}}`)
	w.must("POST", "/indexers", `{"name":"x","dataSourceName":"blobs","targetIndexName":"docs","disabled":true}`)
	const contributor, dataContributor, dataReader = "7ca78c08-252a-4471-8644-bb5ff32d4ba0", "8ebe5a00-799e-43f5-93ac-243d3dce84a7", "1407120a-92aa-4202-b7e9-c0e197c71c8f"
	all := []struct {
		method, path, body string
	}{
		{"GET", "/datasources", ""}, {"GET", "/skillsets", ""}, {"GET", "/indexers/x", ""}, {"GET", "/indexers/x/status", ""},
		{"PUT", "/datasources/blobs", `{"name":"blobs","type":"azureblob","credentials":{"connectionString":null},"container":{"name":"docs"}}`},
		{"POST", "/indexers/x/reset", ""}, {"DELETE", "/indexers/none", ""},
	}
	for role, may := range map[string]string{servicetest.Owner: "rrrrwww", servicetest.Contributor: "rrrrwww", contributor: "rrrrwww", servicetest.Reader: "rrrr---", dataContributor: "-------", dataReader: "-------"} {
		p := w.Principal("p-" + role)
		w.Grant(p.ID, role, w.service)
		for i, call := range all {
			r := w.Do(servicetest.Request{Method: call.method, URL: searchHost + call.path + indexVersion, Body: call.body, As: &p})
			if (r.Status == http.StatusForbidden) != (may[i] == '-') {
				t.Errorf("role %s, %s %s: %d %s", role, call.method, call.path, r.Status, r.Body)
			}
		}
	}
}

// A version of the API refuses what it does not have, does not show it, and leaves it
// as it is. Source: searchservice.json of the versions.
func TestVersionsOfIndexerDefinitions(t *testing.T) {
	w := newSearching(t)
	w.must("POST", "/indexes", plainIndex)
	const first, user = "?api-version=2023-11-01", `"identity":{"@odata.type":"#Microsoft.Azure.Search.DataUserAssignedIdentity","userAssignedIdentity":"/subscriptions/x"}`
	source := func(more string) string {
		return `{"name":"x","type":"azureblob","credentials":{"connectionString":` + w.keyless() + `},"container":{"name":"docs"}` + more + `}`
	}
	native := source(`,"dataDeletionDetectionPolicy":{"@odata.type":"#Microsoft.Azure.Search.NativeBlobSoftDeleteDeletionDetectionPolicy"}`)
	skills := func(more, projections string) string {
		return `{"name":"x","skills":[{"@odata.type":"#Microsoft.Skills.Text.SplitSkill","name":"split","textSplitMode":"pages","inputs":[{"name":"text","source":"/document/content"}],"outputs":[{"name":"textItems"}]` + more + `}]` + projections + `}`
	}
	const embed = `},{"@odata.type":"#Microsoft.Skills.Text.AzureOpenAIEmbeddingSkill","resourceUri":"https://oai-indexers.openai.azure.com","deploymentId":"embed","modelName":"text-embedding-3-small","inputs":[{"name":"text","source":"/document/content"}],"outputs":[{"name":"embedding"}]`
	const project = `,"indexProjections":{"selectors":[{"targetIndexName":"docs","parentKeyFieldName":"category","sourceContext":"/document/textItems/*","mappings":[{"name":"content","source":"/document/textItems/*"}]}]}`
	for _, c := range []struct{ path, version, body, says string }{
		{"/datasources/x", indexVersion, source("," + user), "The property 'identity' does not exist on type 'Microsoft.Azure.Search.V2024_07_01.DataSource' or is not present in the API version '2024-07-01'."},
		{"/datasources/x", indexVersion, native, "NativeBlobSoftDeleteDeletionDetectionPolicy' is not present in the API version '2024-07-01'"},
		{"/datasources/x", indexVersion, source(`,"identity":null`), ""},
		{"/datasources/x", "?api-version=2024-05-01-preview", native, ""},
		{"/datasources/x", "?api-version=2026-04-01", source("," + user), ""},
		{"/skillsets/x", first, skills(`,"pageOverlapLength":10`, ""), "The property 'pageOverlapLength' does not exist"},
		{"/skillsets/x", first, skills(embed, ""), "AzureOpenAIEmbeddingSkill' is not present in the API version '2023-11-01'"},
		{"/skillsets/x", first, skills("", project), "The property 'indexProjections' does not exist"},
		{"/skillsets/x", indexVersion, skills(`,"pageOverlapLength":10`+embed, project), ""},
		{"/skillsets/x", first, skills("", ""), ""}, // which leaves the projections
	} {
		if r := w.api("PUT", c.path+c.version, c.body); (r.Status < 300) != (c.says == "") || !strings.Contains(r.Message(), c.says) {
			t.Errorf("%s%s %s: %d %s, want %q", c.path, c.version, c.body, r.Status, r.Body, c.says)
		}
	}
	for path, property := range map[string]string{"/datasources/x": "identity", "/skillsets/x": "indexProjections"} {
		if now, then := w.must("GET", path+"?api-version=2026-04-01", ""), w.must("GET", path+first, ""); now.Get(property) == nil || strings.Contains(then.Body, property) {
			t.Errorf("%s is shown as %s, and by the first version as %s", path, now.Body, then.Body)
		}
	}
}

// A connection string stays where a data source gives none, and goes with "<redacted>".
// Source: searchservice.json DataSourceCredentials.
func TestConnectionStringsStayAndGo(t *testing.T) {
	w := newSearching(t)
	w.Grant(w.identity, blobReader, w.storage)
	w.must("POST", "/indexes", plainIndex)
	source := func(connection string) string {
		return `{"name":"blobs","type":"azureblob","credentials":{"connectionString":` + connection + `},"container":{"name":"docs"}}`
	}
	const indexer = `{"name":"x","dataSourceName":"blobs","targetIndexName":"docs"}`
	if r := w.api("PUT", "/datasources/blobs", source(`"<redacted>"`)); r.Status != http.StatusBadRequest {
		t.Errorf("there was none: %d %s", r.Status, r.Body)
	}
	for _, step := range []struct {
		connection string
		readable   bool
	}{{w.keyless(), true}, {`"<unchanged>"`, true}, {"null", true}, {`"<redacted>"`, false}, {`"<unchanged>"`, false}, {w.keyless(), true}} {
		w.must("PUT", "/datasources/blobs", source(step.connection))
		if r := w.api("PUT", "/indexers/x", indexer); (r.Status < 300) != step.readable {
			t.Errorf("after %s: %d %s", step.connection, r.Status, r.Body)
		}
	}
}
