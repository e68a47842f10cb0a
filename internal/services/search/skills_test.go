package search_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

const chunkIndex = `{"name":"chunks","fields":[
	{"name":"id","type":"Edm.String","key":true,"searchable":true,"analyzer":"keyword"},
	{"name":"parent","type":"Edm.String","filterable":true},
	{"name":"title","type":"Edm.String"},
	{"name":"chunk","type":"Edm.String"},
	{"name":"vector","type":"Collection(Edm.Single)","searchable":true,"retrievable":true,"dimensions":64,"vectorSearchProfile":"p"}],
	"vectorSearch":{"algorithms":[{"name":"a","kind":"hnsw"}],"profiles":[{"name":"p","algorithm":"a"}]}}`

const chunkSkills = `{"name":"skills","skills":[
	{"@odata.type":"#Microsoft.Skills.Text.AzureOpenAIEmbeddingSkill","name":"embed","context":"/document/pages/*",
	 "resourceUri":"https://oai-indexers.openai.azure.com","deploymentId":"embed","modelName":"text-embedding-3-small","dimensions":64,
	 "inputs":[{"name":"text","source":"/document/pages/*"}],"outputs":[{"name":"embedding","targetName":"vector"}]},
	{"@odata.type":"#Microsoft.Skills.Text.SplitSkill","name":"split","textSplitMode":"pages","maximumPageLength":300,
	 "inputs":[{"name":"text","source":"/document/content"}],"outputs":[{"name":"textItems","targetName":"pages"}]}],
	"indexProjections":{"selectors":[{"targetIndexName":"chunks","parentKeyFieldName":"parent","sourceContext":"/document/pages/*","mappings":[
		{"name":"chunk","source":"/document/pages/*"},{"name":"vector","source":"/document/pages/*/vector"},{"name":"title","source":"/document/metadata_storage_name"}]}]%s}}`

func sentences(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "This is sentence number %d of the file. ", i)
	}
	return b.String()
}

// Each hop of a skillset fails by itself when its role is taken, and the parts of a
// document are exactly those of its newest version.
func TestChunksAreEmbeddedAndProjected(t *testing.T) {
	w := newSearching(t)
	w.Grant(w.identity, blobReader, w.storage)
	w.blob("a.txt", "text/plain", sentences(20), "isdeleted", "no")
	w.must("POST", "/indexes", plainIndex)
	w.must("POST", "/indexes", chunkIndex)
	w.must("POST", "/datasources", `{"name":"blobs","type":"azureblob","credentials":{"connectionString":`+w.keyless()+`},"container":{"name":"docs"},
		"dataDeletionDetectionPolicy":{"@odata.type":"#Microsoft.Azure.Search.SoftDeleteColumnDeletionDetectionPolicy","softDeleteColumnName":"IsDeleted","softDeleteMarkerValue":"yes"}}`)
	w.must("POST", "/skillsets", fmt.Sprintf(chunkSkills, ""))
	w.must("POST", "/indexers", `{"name":"chunker","dataSourceName":"blobs","targetIndexName":"docs","skillsetName":"skills"}`)

	r := w.wait("chunker")
	if r.Status != "transientFailure" || r.Failed != 1 || len(r.Errors) == 0 {
		t.Fatalf("without the role on Azure OpenAI: %+v", r)
	}
	e := r.Errors[0]
	if e.Message != "Could not execute skill because the Web Api request failed." || e.Name != "Enrichment.AzureOpenAIEmbeddingSkill.embed" || e.Key != blobHost+"/docs/a.txt" ||
		!strings.Contains(e.Details, "Web Api response status: 'Unauthorized'") || !strings.Contains(e.Details, "PermissionDenied") {
		t.Errorf("%+v", e)
	}
	if n := len(w.search("chunks")) + len(w.search("docs")); n != 0 {
		t.Errorf("%d documents of a file that failed", n)
	}
	w.Grant(w.identity, openAIUser, w.openAI)
	if r := w.run("chunker"); r.Status != "success" || r.Processed != 1 {
		t.Fatalf("with the role: %+v", r)
	}
	before := w.search("chunks")
	parents := w.search("docs")
	if len(before) != 3 || len(parents) != 1 {
		t.Fatalf("%d parts of %d documents, want 3 of 1: %v", len(before), len(parents), before)
	}
	for _, part := range before {
		vector, _ := part["vector"].([]any)
		key, _ := part["id"].(string)
		if part["parent"] != parents[0]["id"] || part["title"] != "a.txt" || len(vector) != 64 || !strings.Contains(key, "_"+parents[0]["id"].(string)+"_pages_") {
			t.Errorf("%v", part)
		}
	}
	// A shorter version has fewer parts, all of them new.
	w.blob("a.txt", "text/plain", sentences(10), "isdeleted", "no")
	if r := w.run("chunker"); r.Status != "success" || r.Processed != 1 {
		t.Fatalf("%+v", r)
	}
	after := w.search("chunks")
	if len(after) != 2 {
		t.Errorf("%d parts of the shorter version, want 2", len(after))
	}
	for _, part := range after {
		if slices.ContainsFunc(before, func(old map[string]any) bool { return old["id"] == part["id"] }) {
			t.Errorf("a part of the old version is there: %v", part["id"])
		}
	}
	w.blob("a.txt", "text/plain", sentences(10), "isdeleted", "yes")
	if r := w.run("chunker"); r.Status != "success" || r.Processed != 1 {
		t.Fatalf("%+v", r)
	}
	if n := len(w.search("chunks")) + len(w.search("docs")); n != 0 {
		t.Errorf("%d documents of a file that is deleted", n)
	}
}

// A file that cannot be read is reported; the rest is indexed.
func TestAPoisonedFileIsReported(t *testing.T) {
	w := newSearching(t)
	w.Grant(w.identity, blobReader, w.storage)
	for i := range 12 {
		w.blob(fmt.Sprintf("%02d.txt", i), "text/plain", "good")
	}
	w.blob("05.pdf", "application/pdf", "%PDF-1.7 but not one")
	w.blob("06.png", "image/png", "\x89PNG\r\n\x1a\n\x00\x00")
	w.must("POST", "/indexes", plainIndex)
	w.must("POST", "/datasources", `{"name":"blobs","type":"azureblob","credentials":{"connectionString":`+w.keyless()+`},"container":{"name":"docs"}}`)
	w.must("POST", "/indexers", `{"name":"strict","dataSourceName":"blobs","targetIndexName":"docs"}`)
	r := w.wait("strict")
	if r.Status != "transientFailure" || r.Processed != 10 || r.Failed != 2 || r.Error != "" {
		t.Fatalf("no failures are tolerated: %+v", r)
	}
	if got := []string{r.Errors[0].Details, r.Errors[1].Details, r.Errors[1].Message, r.Errors[1].Key}; !strings.HasPrefix(got[0], "Document could not be processed: as application/pdf") ||
		got[1] != "Document has unsupported content type 'image/png'" || got[2] != "Could not extract content or metadata from your document." || got[3] != blobHost+"/docs/06.png" {
		t.Errorf("%q", got)
	}
	if n := len(w.search("docs")); n != 8 {
		t.Errorf("%d documents; those of the batch that are good, 8, are written", n)
	}
	w.must("PUT", "/indexers/strict", `{"name":"strict","dataSourceName":"blobs","targetIndexName":"docs","parameters":{"maxFailedItems":-1,"maxFailedItemsPerBatch":-1}}`)
	if r := w.run("strict"); r.Status != "success" || r.Failed != 2 {
		t.Errorf("failures are tolerated: %+v", r)
	}
	if n := len(w.search("docs")); n != 12 {
		t.Errorf("%d documents, want 12", n)
	}
	w.Need(http.StatusNoContent, w.api("POST", "/indexers/strict/reset", ""))
	if r := w.wait("strict"); r.Status != "reset" {
		t.Errorf("after a reset: %+v", r)
	}
	w.must("PUT", "/indexers/strict", `{"name":"strict","dataSourceName":"blobs","targetIndexName":"docs",
		"parameters":{"configuration":{"failOnUnsupportedContentType":false,"failOnUnprocessableDocument":false}}}`)
	if r := w.run("strict"); r.Status != "success" || r.Processed != 14 || r.Failed != 0 || len(r.Warnings) != 2 {
		t.Errorf("such files are no failures: %+v", r)
	}
	if n := len(w.search("docs")); n != 14 {
		t.Errorf("%d documents, want 14", n)
	}
}

// Credentials are not shown again, and stay as they are where a client sends none.
func TestKeysAndSignaturesOfConnectionStrings(t *testing.T) {
	w := newSearching(t)
	w.blob("a.txt", "text/plain", "text")
	w.must("POST", "/indexes", plainIndex)
	keys := w.Need(http.StatusOK, w.ARM("POST", w.storage+"/listKeys", ""))
	key, _ := keys.JSON["keys"].([]any)[0].(map[string]any)["value"].(string)
	source := func(connection string) string {
		return `{"name":"blobs","type":"azureblob","credentials":{"connectionString":` + connection + `},"container":{"name":"docs"}}`
	}
	full := `"DefaultEndpointsProtocol=https;AccountName=stindexers;AccountKey=` + key + `;EndpointSuffix=core.windows.net"`
	made := w.must("POST", "/datasources", source(full))
	if strings.Contains(made.Body, key) || !strings.Contains(made.Body, `"credentials":{"connectionString":null}`) {
		t.Errorf("%s", made.Body)
	}
	w.must("POST", "/indexers", `{"name":"reads","dataSourceName":"blobs","targetIndexName":"docs"}`)
	if r := w.wait("reads"); r.Status != "success" || r.Processed != 1 {
		t.Fatalf("%+v", r)
	}
	for _, unchanged := range []string{"null", `"<unchanged>"`} {
		w.must("PUT", "/datasources/blobs", source(unchanged))
		if r := w.run("reads"); r.Status != "success" {
			t.Errorf("%s: %+v", unchanged, r)
		}
	}
	w.Need(http.StatusOK, w.ARM("POST", w.storage+"/regenerateKey", `{"keyName":"key1"}`))
	if r := w.run("reads"); r.Status != "transientFailure" || !strings.HasPrefix(r.Error, "Error with data source: Credentials provided in the connection string are invalid or have expired.") {
		t.Errorf("the key is another: %+v", r)
	}
	for _, bad := range []string{`"AccountName=stindexers"`, `"AccountName=x;AccountKey=AAAA;EndpointSuffix=example.com"`, `"BlobEndpoint=https://example.com;SharedAccessSignature=sv=1"`, `"ResourceId=/subscriptions/x;"`} {
		if r := w.api("PUT", "/datasources/blobs", source(bad)); r.Status != http.StatusBadRequest || !strings.Contains(r.Body, "The connection string is invalid") {
			t.Errorf("%s: %d %s", bad, r.Status, r.Body)
		}
	}
}
