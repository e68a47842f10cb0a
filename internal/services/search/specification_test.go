package search_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"sekisho/internal/servicetest"
)

// What the examples of the specification ask, and what they print of the answers.
// Source: azure-rest-api-specs search/data-plane: Search/2026-04-01/examples,
// Search/examples/2026-04-01, Azure.Search/stable/2025-09-01/examples,
// Search/stable/2024-07-01/examples. Ids, etags, times and sizes are set aside. What is
// left out of a request is what docs/SEARCH.md says is refused: customers' keys,
// knowledge stores, vectorizers of AML, skills that call Azure AI services.

// specified is a call of an example: want is in the reply, of objects some properties and
// of lists all elements.
type specified struct {
	example, version, method, path, body string
	status                               int
	want                                 string
}

// within tells where what is wanted is not in what there is; empty if it is.
func within(want, got any, at string) string {
	switch want := want.(type) {
	case map[string]any:
		object, ok := got.(map[string]any)
		if !ok {
			return fmt.Sprintf("%s is %v and no object", at, got)
		}
		for name, value := range want {
			given, ok := object[name]
			if !ok {
				return at + "." + name + " is missing"
			}
			if wrong := within(value, given, at+"."+name); wrong != "" {
				return wrong
			}
		}
		return ""
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) != len(want) {
			return fmt.Sprintf("%s is %v, and not %d elements", at, got, len(want))
		}
		for i := range want {
			if wrong := within(want[i], list[i], fmt.Sprintf("%s[%d]", at, i)); wrong != "" {
				return wrong
			}
		}
		return ""
	}
	if got != want {
		return fmt.Sprintf("%s is %v, want %v", at, got, want)
	}
	return ""
}

func (h *host) specified(cases []specified) {
	h.t.Helper()
	for _, c := range cases {
		mark := "?"
		if strings.Contains(c.path, "?") {
			mark = "&"
		}
		r := h.send(servicetest.Request{Method: c.method, URL: h.url(c.path + mark + "api-version=" + c.version), Body: c.body, Key: h.key,
			Header: http.Header{"Prefer": {"return=representation"}}})
		if r.Status != c.status {
			h.t.Errorf("%s of %s: %d %s", c.example, c.version, r.Status, r.Body)
			continue
		}
		if c.want == "" {
			continue
		}
		var want, got any
		if err := json.Unmarshal([]byte(c.want), &want); err != nil {
			h.t.Fatalf("%s: %v", c.example, err)
		}
		if err := json.Unmarshal([]byte(r.Body), &got); err != nil {
			h.t.Errorf("%s: %s: %v", c.example, r.Body, err)
		} else if wrong := within(want, got, ""); wrong != "" {
			h.t.Errorf("%s of %s: %s in %s", c.example, c.version, wrong, r.Body)
		}
	}
}

// specifiedIndex is that of the examples of 2025-09-01 and 2026-04-01.
const specifiedIndex = `{"name":"example-index","description":"description","fields":[
	{"name":"id","type":"Edm.String","key":true,"sortable":true},
	{"name":"vector1b","type":"Collection(Edm.Single)","retrievable":true,"searchable":true,"dimensions":10,"vectorSearchProfile":"config2"},
	{"name":"vector22","type":"Collection(Edm.Single)","retrievable":true,"searchable":true,"dimensions":10,"vectorSearchProfile":"config2"},
	{"name":"vector4","type":"Collection(Edm.Single)","retrievable":true,"searchable":true,"dimensions":32,"vectorSearchProfile":"config4"},
	{"name":"name","type":"Edm.String","retrievable":true,"searchable":true,"filterable":true,"sortable":true,"facetable":true,"analyzer":"en.lucene"},
	{"name":"description","type":"Edm.String","retrievable":true,"searchable":true,"filterable":true,"sortable":true,"facetable":true,"analyzer":"standard.lucene"},
	{"name":"category","type":"Edm.String","retrievable":true,"searchable":true,"filterable":true,"sortable":true,"facetable":true,"analyzer":"en.lucene"},
	{"name":"ownerId","type":"Edm.String","retrievable":true,"searchable":true,"filterable":true,"sortable":true,"facetable":true,"analyzer":"en.lucene"},
	{"name":"price","type":"Edm.Double","retrievable":true,"filterable":true,"sortable":true,"facetable":true}],
	"scoringProfiles":[{"name":"stringFieldBoost","text":{"weights":{"name":3,"description":1,"category":2,"ownerId":1}},
		"functions":[{"tag":{"tagsParameter":"categoryTag"},"type":"tag","fieldName":"category","boost":2}]}],
	"defaultScoringProfile":"stringFieldBoost",
	"corsOptions":{"allowedOrigins":["https://www.example.com/foo"],"maxAgeInSeconds":10},
	"suggesters":[{"name":"sg","searchMode":"analyzingInfixMatching","sourceFields":["category","ownerId"]}],
	"analyzers":[{"tokenizer":"standard_v2","tokenFilters":["common_grams"],"charFilters":["html_strip"],"@odata.type":"#Microsoft.Azure.Search.CustomAnalyzer","name":"tagsAnalyzer"}],
	"tokenizers":[{"maxTokenLength":100,"@odata.type":"#Microsoft.Azure.Search.StandardTokenizerV2","name":"my_tokenizer"}],
	"tokenFilters":[{"preserveOriginal":false,"@odata.type":"#Microsoft.Azure.Search.AsciiFoldingTokenFilter","name":"my_tokenFilter"}],
	"charFilters":[{"mappings":[".=>,","_=>-"],"@odata.type":"#Microsoft.Azure.Search.MappingCharFilter","name":"my_mapping"}],
	"normalizers":[{"tokenFilters":["my_tokenFilter"],"charFilters":["my_mapping"],"@odata.type":"#Microsoft.Azure.Search.CustomNormalizer","name":"my_normalizer"}],
	"similarity":{"k1":10,"b":0.1,"@odata.type":"#Microsoft.Azure.Search.BM25Similarity"},
	"semantic":{"defaultConfiguration":"testconfig","configurations":[{"name":"testconfig","prioritizedFields":{"titleField":{"fieldName":"category"},
		"prioritizedContentFields":[{"fieldName":"description"}],"prioritizedKeywordsFields":[{"fieldName":"ownerId"}]},"rankingOrder":"BoostedRerankerScore"}]},
	"vectorSearch":{"profiles":[{"name":"config1","algorithm":"cosine","vectorizer":"openai","compression":"mySQ8"},{"name":"config2","algorithm":"euclidean","vectorizer":"custom-web-api","compression":"mySQ8"},
			{"name":"config4","algorithm":"dotProduct","compression":"myBQWithoutOriginals"}],
		"algorithms":[{"hnswParameters":{"metric":"cosine"},"name":"cosine","kind":"hnsw"},{"hnswParameters":{"metric":"euclidean"},"name":"euclidean","kind":"hnsw"},{"hnswParameters":{"metric":"dotProduct"},"name":"dotProduct","kind":"hnsw"}],
		"vectorizers":[{"azureOpenAIParameters":{"resourceUri":"https://test-sample.openai.azure.com/","deploymentId":"model","apiKey":"api-key","modelName":"text-embedding-3-large"},"name":"openai","kind":"azureOpenAI"},
			{"customWebApiParameters":{"uri":"https://my-custom-endpoint.org/","httpHeaders":{"header1":"value1","header2":"value2"},"httpMethod":"POST","timeout":"PT1M",
				"authResourceId":"api://f89d1c93-58a7-4b07-9a5b-5f89048b927b","authIdentity":{"@odata.type":"#Microsoft.Azure.Search.DataNoneIdentity"}},"name":"custom-web-api","kind":"customWebApi"}],
		"compressions":[{"scalarQuantizationParameters":{"quantizedDataType":"int8"},"name":"mySQ8","kind":"scalarQuantization","rescoringOptions":{"enableRescoring":true,"defaultOversampling":10,"rescoreStorageMethod":"preserveOriginals"},"truncationDimension":2},
			{"name":"myBQWithoutOriginals","kind":"binaryQuantization","rescoringOptions":{"enableRescoring":true,"defaultOversampling":10,"rescoreStorageMethod":"discardOriginals"},"truncationDimension":2}]},
	"@odata.etag":"0x1234568AE7E58A1"}`

// shownIndex is how it is answered with, where it differs.
const shownIndex = `{"name":"example-index","description":"description","defaultScoringProfile":"stringFieldBoost","fields":[
	{"name":"id","type":"Edm.String","searchable":true,"filterable":true,"retrievable":true,"stored":true,"sortable":true,"facetable":true,"key":true,"synonymMaps":[]},
	{"name":"vector1b","searchable":true,"filterable":false,"retrievable":true,"stored":true,"sortable":false,"facetable":false,"key":false,"dimensions":10,"vectorSearchProfile":"config2","synonymMaps":[]},
	{"name":"vector22"},{"name":"vector4","dimensions":32},
	{"name":"name","filterable":true,"key":false,"analyzer":"en.lucene","synonymMaps":[]},{"name":"description"},{"name":"category"},{"name":"ownerId"},
	{"name":"price","type":"Edm.Double","searchable":false,"filterable":true,"retrievable":true,"stored":true,"sortable":true,"facetable":true,"key":false,"synonymMaps":[]}],
	"scoringProfiles":[{"name":"stringFieldBoost","functionAggregation":"sum","text":{"weights":{"name":3,"description":1,"category":2,"ownerId":1}},
		"functions":[{"fieldName":"category","interpolation":"linear","type":"tag","boost":2,"tag":{"tagsParameter":"categoryTag"}}]}],
	"corsOptions":{"allowedOrigins":["https://www.example.com/foo"],"maxAgeInSeconds":10},
	"similarity":{"@odata.type":"#Microsoft.Azure.Search.BM25Similarity","k1":10,"b":0.1},
	"semantic":{"defaultConfiguration":"testconfig","configurations":[{"name":"testconfig","rankingOrder":"BoostedRerankerScore"}]},
	"vectorSearch":{"algorithms":[{"name":"cosine","kind":"hnsw","hnswParameters":{"metric":"cosine","m":4,"efConstruction":400,"efSearch":500}},{"name":"euclidean"},{"name":"dotProduct"}],
		"vectorizers":[{"name":"openai","azureOpenAIParameters":{"resourceUri":"https://test-sample.openai.azure.com","deploymentId":"model","modelName":"text-embedding-3-large"}},
			{"name":"custom-web-api","customWebApiParameters":{"authIdentity":{"@odata.type":"#Microsoft.Azure.Search.DataNoneIdentity"},"httpHeaders":{"header1":"value1","header2":"value2"},"timeout":"PT1M"}}],
		"compressions":[{"name":"mySQ8","truncationDimension":2,"rescoringOptions":{"enableRescoring":true,"defaultOversampling":10,"rescoreStorageMethod":"preserveOriginals"}},{"name":"myBQWithoutOriginals","kind":"binaryQuantization"}]}}`

// The definitions, and their states.
func TestSpecificationOfDefinitions(t *testing.T) {
	const now, old = "2026-04-01", "2024-07-01"
	h := newHost(t, "standard")
	source := `{"name":"tempdatasource","description":"My Azure Blob data source.","type":"azureblob","credentials":{"connectionString":"DefaultEndpointsProtocol=https;AccountName=myAccountName;AccountKey=myAccountKey;EndpointSuffix=core.windows.net "},
		"container":{"name":"doc-extraction-skillset","query":"E2E_Dsat"},"identity":{"@odata.type":"#Microsoft.Azure.Search.DataNoneIdentity"},
		"dataChangeDetectionPolicy":{"highWaterMarkColumnName":"metadata_storage_last_modified","@odata.type":"#Microsoft.Azure.Search.HighWaterMarkChangeDetectionPolicy"},
		"dataDeletionDetectionPolicy":{"softDeleteColumnName":"isDeleted","softDeleteMarkerValue":"true","@odata.type":"#Microsoft.Azure.Search.SoftDeleteColumnDeletionDetectionPolicy"},"@odata.etag":"0x1234568AE7E58A1"}`
	shownSource := `{"name":"tempdatasource","type":"azureblob","container":{"name":"doc-extraction-skillset","query":"E2E_Dsat"},
		"dataChangeDetectionPolicy":{"@odata.type":"#Microsoft.Azure.Search.HighWaterMarkChangeDetectionPolicy","highWaterMarkColumnName":"metadata_storage_last_modified"},
		"dataDeletionDetectionPolicy":{"@odata.type":"#Microsoft.Azure.Search.SoftDeleteColumnDeletionDetectionPolicy","softDeleteColumnName":"isDeleted","softDeleteMarkerValue":"true"}}`
	skillset := `{"name":"tempskillset","description":"Extract","skills":[
		{"textSplitMode":"pages","maximumPageLength":4000,"@odata.type":"#Microsoft.Skills.Text.SplitSkill","inputs":[{"name":"text","source":"/document/content"},{"name":"languageCode","source":"/document/languageCode"}],"outputs":[{"name":"textItems","targetName":"pages"}]},
		{"uri":"https://contoso.example.org/","httpMethod":"POST","timeout":"PT5S","@odata.type":"#Microsoft.Skills.Custom.WebApiSkill","name":"skill5","inputs":[{"name":"text","source":"/document/content"}],"outputs":[{"name":"customresult","targetName":"result"}]}],
		"cognitiveServices":{"key":"myKey","subdomainUrl":"https://mySubdomainName.cognitiveservices.azure.com","@odata.type":"#Microsoft.Azure.Search.AIServicesByKey","description":"Description"},"@odata.etag":"0x1234568AE7E58A1"}`
	shownSkillset := `{"name":"tempskillset","skills":[
		{"@odata.type":"#Microsoft.Skills.Text.SplitSkill","name":"#1","textSplitMode":"pages","maximumPageLength":4000,"inputs":[{"name":"text","source":"/document/content","inputs":[]},{"name":"languageCode","source":"/document/languageCode","inputs":[]}],"outputs":[{"name":"textItems","targetName":"pages"}]},
		{"name":"skill5","context":"/document","uri":"https://contoso.example.org/","httpMethod":"POST","timeout":"PT5S","degreeOfParallelism":null}],
		"cognitiveServices":{"@odata.type":"#Microsoft.Azure.Search.AIServicesByKey","description":"Description","subdomainUrl":"https://mySubdomainName.cognitiveservices.azure.com"}}`
	parameters := `{"batchSize":10,"maxFailedItems":10,"maxFailedItemsPerBatch":5,"configuration":{"parsingMode":"markdown","excludedFileNameExtensions":".png,.mp4","indexedFileNameExtensions":".docx,.pptx",
		"failOnUnsupportedContentType":true,"failOnUnprocessableDocument":false,"indexStorageMetadataOnlyForOversizedDocuments":true,"delimitedTextHeaders":"Header1,Header2","delimitedTextDelimiter":"|",
		"firstLineContainsHeaders":true,"markdownParsingSubmode":"oneToMany","markdownHeaderDepth":"h6","documentRoot":"/root","dataToExtract":"storageMetadata","imageAction":"none","allowSkillsetToReadFileData":false,
		"pdfTextRotationAlgorithm":"none","executionEnvironment":"standard"}}`
	mappings := `[{"sourceFieldName":"/document","targetFieldName":"name","mappingFunction":{"name":"base64Encode"}}]`
	indexer := `{"name":"myindexer","description":"Description of the indexer","dataSourceName":"tempdatasource","skillsetName":"tempskillset","targetIndexName":"example-index",
		"schedule":{"interval":"P1D","startTime":"2025-01-07T19:30:00Z"},"parameters":` + parameters + `,"fieldMappings":` + mappings + `,"outputFieldMappings":` + mappings + `,"disabled":true`
	synonyms := `{"name":"mysynonymmap","format":"solr","synonyms":"United States, United States of America, USA\nWashington, Wash. => WA"`
	h.specified([]specified{
		{"CreateIndex", now, "POST", "/indexes", specifiedIndex, 201, shownIndex},
		{"GetIndex", now, "GET", "/indexes('example-index')", "", 200, shownIndex},
		{"CreateOrUpdateIndex", now, "PUT", "/indexes('example-index')?allowIndexDowntime=true", specifiedIndex, 200, shownIndex},
		{"ListIndexes", now, "GET", "/indexes", "", 200, `{"value":[` + shownIndex + `]}`},
		{"GetIndexStatistics", "2025-09-01", "GET", "/indexes('example-index')/search.stats", "", 200, `{"documentCount":0,"storageSize":0,"vectorIndexSize":0}`},
		{"IndexAnalyze", now, "POST", "/indexes('example-index')/search.analyze", `{"text":"Text to analyze","analyzer":"ar.lucene"}`, 200,
			`{"tokens":[{"token":"text","startOffset":0,"endOffset":4,"position":0},{"token":"to","startOffset":5,"endOffset":7,"position":1},{"token":"analyze","startOffset":8,"endOffset":15,"position":2}]}`},
		{"CreateAlias", now, "POST", "/aliases", `{"name":"tempalias","indexes":["example-index"],"@odata.etag":"0x1234568AE7E58A1"}`, 201, `{"name":"tempalias","indexes":["example-index"]}`},
		{"CreateAlias", old, "GET", "/aliases", "", 400, ""}, // stable from 2026-04-01 on
		{"CreateDataSource", now, "POST", "/datasources", source, 201, shownSource},
		{"CreateOrUpdateDataSource", now, "PUT", "/datasources('tempdatasource')", source, 200, shownSource},
		{"CreateOrUpdateDataSource", now, "PUT", "/datasources('lake')", strings.NewReplacer("tempdatasource", "lake", "azureblob", "adlsgen2").Replace(source), 201, `{"type":"adlsgen2"}`},
		{"CreateSynonymMap", now, "POST", "/synonymmaps", synonyms + `,"@odata.etag":"0x1234568AE7E58A1"}`, 201, synonyms + `,"encryptionKey":null}`},
		{"CreateOrUpdateSynonymMap", now, "PUT", "/synonymmaps('mysynonymmap')", synonyms + `}`, 200, synonyms + `}`},
		{"ListSynonymMaps", now, "GET", "/synonymmaps", "", 200, `{"value":[` + synonyms + `}]}`},
		{"CreateSkillset", now, "POST", "/skillsets", skillset, 201, shownSkillset},
		{"CreateOrUpdateSkillset", now, "PUT", "/skillsets('tempskillset')", skillset, 200, shownSkillset},
		{"CreateIndexer", now, "POST", "/indexers", indexer + `,"@odata.etag":"0x1234568AE7E58A1"}`, 201, indexer + "}"},
		{"CreateOrUpdateIndexer", "2025-09-01", "PUT", "/indexers('myindexer')", indexer + "}", 200, indexer + "}"},
		{"GetIndexerStatus", now, "GET", "/indexers('myindexer')/search.status", "", 200, `{"name":"myindexer","status":"running","executionHistory":[],"limits":{"maxRunTime":"PT24H"}}`},
		{"ResetIndexer", old, "POST", "/indexers('myindexer')/search.reset", "", 204, ""},
		{"ResetDocs", now, "POST", "/indexers('myindexer')/search.resetdocs?overwrite=true", `{"documentKeys":["1","2","3"]}`, 400, ""}, // of previews alone
		{"ResetDocs", "2025-11-01-preview", "POST", "/indexers('myindexer')/search.resetdocs?overwrite=true", `{"documentKeys":["1","2","3"]}`, 204, ""},
		{"RunIndexer", old, "POST", "/indexers('myindexer')/search.run", "", 202, ""},
		{"GetServiceStatistics", now, "GET", "/servicestats", "", 200, `{"counters":{"documentCount":{"usage":0},"indexesCount":{"usage":1},"indexersCount":{"usage":1},"dataSourcesCount":{"usage":2},"storageSize":{"usage":0},
			"synonymMaps":{"usage":1},"skillsetCount":{"usage":1},"aliasesCount":{"usage":1},"vectorIndexSize":{"usage":0}},
			"limits":{"maxFieldsPerIndex":1000,"maxFieldNestingDepthPerIndex":10,"maxComplexCollectionFieldsPerIndex":40,"maxComplexObjectsInCollectionsPerDocument":3000}}`},
		{"DeleteIndexer", old, "DELETE", "/indexers('myindexer')", "", 204, ""}, {"DeleteDataSource", old, "DELETE", "/datasources('lake')", "", 204, ""},
		{"DeleteSkillset", now, "DELETE", "/skillsets('tempskillset')", "", 204, ""}, {"DeleteSynonymMap", now, "DELETE", "/synonymmaps('mysynonymmap')", "", 204, ""},
		{"DeleteAlias", now, "DELETE", "/aliases('tempalias')", "", 204, ""}, {"DeleteIndex", old, "DELETE", "/indexes('example-index')", "", 204, ""},
	})
	older := h.need(200, "GET", "/servicestats?api-version="+old, "")
	if older.Get("counters", "aliasesCount") != nil || older.Get("counters", "skillsetCount") == nil {
		t.Errorf("%s shows %s", old, older.Body)
	}
}

// The index of the examples of 2023-11-01 and 2024-07-01: properties of fields that are
// null, compressions as they were, and what Azure answers with.
func TestSpecificationOfHotels(t *testing.T) {
	h := newHost(t, "standard")
	vector := func(name, profile string) string {
		return `{"name":"` + name + `","type":"Collection(Edm.Single)","searchable":true,"filterable":false,"retrievable":true,"sortable":false,"facetable":false,"key":false,"indexAnalyzer":null,"searchAnalyzer":null,"analyzer":null,"synonymMaps":[],"dimensions":1536,"vectorSearchProfile":"` + profile + `"}`
	}
	index := `{"name":"hotels","fields":[{"name":"hotelId","type":"Edm.String","key":true,"searchable":false},{"name":"description","type":"Edm.String","filterable":false,"sortable":false,"facetable":false},
		` + vector("descriptionEmbedding", "myHnswSQProfile") + `,` + strings.Replace(vector("descriptionEmbedding_notstored", "myHnswSQProfile"), `"retrievable":true`, `"retrievable":false,"stored":false`, 1) + `,
		{"name":"description_fr","type":"Edm.String","filterable":false,"sortable":false,"facetable":false,"analyzer":"fr.lucene"},{"name":"hotelName","type":"Edm.String"},
		{"name":"tags","type":"Collection(Edm.String)","analyzer":"tagsAnalyzer"},{"name":"parkingIncluded","type":"Edm.Boolean"},{"name":"rating","type":"Edm.Int32"},{"name":"location","type":"Edm.GeographyPoint"}],
		"scoringProfiles":[{"name":"geo","text":{"weights":{"hotelName":5}},"functions":[{"type":"distance","boost":5,"fieldName":"location","interpolation":"logarithmic","distance":{"referencePointParameter":"currentLocation","boostingDistance":10}}]}],
		"defaultScoringProfile":"geo","suggesters":[{"name":"sg","searchMode":"analyzingInfixMatching","sourceFields":["hotelName"]}],
		"analyzers":[{"name":"tagsAnalyzer","@odata.type":"#Microsoft.Azure.Search.CustomAnalyzer","charFilters":["html_strip"],"tokenizer":"standard_v2"}],"corsOptions":{"allowedOrigins":["tempuri.org"],"maxAgeInSeconds":60},
		"similarity":{"@odata.type":"#Microsoft.Azure.Search.BM25Similarity","b":0.5,"k1":1.3},
		"vectorSearch":{"profiles":[{"name":"myHnswSQProfile","algorithm":"myHnsw","compression":"mySQ8"},{"name":"myAlgorithm","algorithm":"myExhaustive"}],
			"algorithms":[{"name":"myHnsw","kind":"hnsw","hnswParameters":{"m":4,"metric":"cosine"}},{"name":"myExhaustive","kind":"exhaustiveKnn","exhaustiveKnnParameters":{"metric":"cosine"}}],
			"compressions":[{"name":"mySQ8","kind":"scalarQuantization","scalarQuantizationParameters":{"quantizedDataType":"int8"},"rerankWithOriginalVectors":true,"defaultOversampling":10}]}}`
	none := `"indexAnalyzer":null,"searchAnalyzer":null,"dimensions":null,"vectorSearchProfile":null,"synonymMaps":[]`
	h.specified([]specified{
		{"CreateIndex", "2024-07-01", "POST", "/indexes", index, 201, `{"name":"hotels","fields":[{"name":"hotelId","searchable":false,"filterable":true,"retrievable":true,"sortable":true,"facetable":true,"key":true,"analyzer":null,` + none + `},
			{"name":"description","searchable":true,"filterable":false,"retrievable":true,"sortable":false,"facetable":false,"key":false,"analyzer":null,` + none + `},
			{"name":"descriptionEmbedding","dimensions":1536,"vectorSearchProfile":"myHnswSQProfile","analyzer":null,"synonymMaps":[]},{"name":"descriptionEmbedding_notstored","retrievable":false,"stored":false},
			{"name":"description_fr","analyzer":"fr.lucene",` + none + `},{"name":"hotelName"},{"name":"tags","searchable":true,"filterable":true,"sortable":false,"facetable":true,"analyzer":"tagsAnalyzer",` + none + `},
			{"name":"parkingIncluded"},{"name":"rating","searchable":false,"filterable":true,"sortable":true,"facetable":true},{"name":"location","filterable":true,"sortable":true,"facetable":false,` + none + `}],
			"scoringProfiles":[{"functionAggregation":"sum","functions":[{"interpolation":"logarithmic"}]}],"corsOptions":{"allowedOrigins":["tempuri.org"],"maxAgeInSeconds":60},"tokenizers":[],"tokenFilters":[],"charFilters":[],
			"vectorSearch":{"algorithms":[{"name":"myHnsw","hnswParameters":{"metric":"cosine","m":4,"efConstruction":400,"efSearch":500}},{"name":"myExhaustive","exhaustiveKnnParameters":{"metric":"cosine"}}],
				"compressions":[{"name":"mySQ8","kind":"scalarQuantization","rerankWithOriginalVectors":true,"defaultOversampling":10,"scalarQuantizationParameters":{"quantizedDataType":"int8"}}]}}`},
		// "An HTTP 400 error is returned" on new services: azure-docs search/index-ranking-similarity.md.
		{"CreateOrUpdateIndex", "2024-07-01", "PUT", "/indexes('old')", `{"name":"old","fields":[{"name":"id","type":"Edm.String","key":true}],"similarity":{"@odata.type":"#Microsoft.Azure.Search.ClassicSimilarity"}}`, 400, ""},
		{"CreateIndex", "2024-07-01", "POST", "/indexes", `{"name":"sealed","fields":[{"name":"id","type":"Edm.String","key":true}],"encryptionKey":{"keyVaultKeyName":"k","keyVaultUri":"https://v.vault.azure.net"}}`, 400, ""},
		{"IndexDocuments", "2024-07-01", "POST", "/indexes('hotels')/docs/search.index", `{"value":[{"@search.action":"upload","hotelId":"1","hotelName":"Nice Hotel","description":"Cheapest hotel in town","rating":15,"tags":["a"]},
			{"@search.action":"upload","hotelId":"2","hotelName":"Fancy Hotel","description":"Best hotel in town","rating":20}]}`, 200, `{"value":[{"key":"1","status":true,"errorMessage":null,"statusCode":201},{"key":"2","statusCode":201}]}`},
		{"IndexDocuments", "2024-07-01", "POST", "/indexes('hotels')/docs/search.index", `{"value":[{"@search.action":"upload","hotelId":"1","hotelName":"Nice Hotel","description":"Cheapest hotel in town","rating":15,"tags":["a"]},
			{"@search.action":"merge","hotelId":"3","hotelName":"Roach Motel"},{"@search.action":"mergeOrUpload","hotelId":"4","hotelName":"Econo Motel"},{"@search.action":"delete","hotelId":"4"},{"@search.action":"delete","hotelId":"5"}]}`, 207,
			`{"value":[{"key":"1","status":true,"errorMessage":null,"statusCode":200},{"key":"3","status":false,"errorMessage":"Document not found.","statusCode":404},{"key":"4","status":true,"statusCode":201},
				{"key":"4","status":true,"statusCode":200},{"key":"5","status":true,"errorMessage":null,"statusCode":200}]}`},
		{"CountDocuments", "2024-07-01", "GET", "/indexes('hotels')/docs/$count", "", 200, ""},
		{"SearchDocumentsGet", "2024-07-01", "GET", "/indexes('hotels')/docs?$count=true&facet=tags,count:10,sort:count&$filter=rating%20gt%2010&highlight=hotelName&highlightPreTag=%3Cem%3E&highlightPostTag=%3C/em%3E&minimumCoverage=80&$orderby=search.score()%20desc,rating%20desc&" +
			"queryType=simple&sessionId=mysessionid&scoringStatistics=global&scoringParameter=currentLocation--122.123,44.77233&scoringProfile=geo&search=nice%20hotels%20hotel&searchFields=hotelName,description&searchMode=any&$select=hotelId,hotelName,description&$top=10", "", 200,
			`{"@odata.count":2,"@search.coverage":100,"@search.facets":{"tags":[{"count":1,"value":"a"}]},"value":[{"@search.highlights":{"hotelName":["<em>Nice</em> <em>Hotel</em>"]},"hotelId":"1","hotelName":"Nice Hotel"},{"@search.highlights":{"hotelName":["Fancy <em>Hotel</em>"]},"hotelId":"2"}]}`},
		{"SearchDocumentsPost", "2024-07-01", "POST", "/indexes('hotels')/docs/search.post.search", `{"count":true,"minimumCoverage":null,"orderby":"rating desc","search":"hotel","scoringParameters":["currentLocation--122.123,44.77233"],"select":"hotelId","skip":0,"top":10}`, 200,
			`{"@odata.count":2,"value":[{"hotelId":"2"},{"hotelId":"1"}]}`},
		{"SuggestDocumentsGet", "2026-04-01", "GET", "/indexes('hotels')/docs/search.suggest?$filter=rating%20gt%2010&fuzzy=false&minimumCoverage=80&$orderby=rating%20desc&search=hote&searchFields=hotelName&suggesterName=sg&$select=hotelId,hotelName&$top=10", "", 200,
			`{"value":[{"@search.text":"Fancy Hotel","hotelId":"2","hotelName":"Fancy Hotel"},{"@search.text":"Nice Hotel","hotelId":"1"}]}`},
	})
}

// The documents of the examples of 2025-09-01 and 2026-04-01, and what is asked of them.
func TestSpecificationOfDocuments(t *testing.T) {
	const now = "2026-04-01"
	h := newHost(t, "standard")
	h.need(201, "POST", "/indexes", specifiedIndex)
	var docs []map[string]any
	done := []map[string]any{}
	add := func(id, text, owner, category string, vector func(from int) []int, i int) {
		docs = append(docs, map[string]any{"@search.action": "mergeOrUpload", "id": id, "name": "test", "description": text, "ownerId": owner, "category": category})
		if vector != nil {
			docs[len(docs)-1]["vector1b"], docs[len(docs)-1]["vector22"] = vector(10+i), vector(20+i)
		}
		done = append(done, map[string]any{"key": id, "status": true, "statusCode": 201})
	}
	ten := func(from int) (v []int) {
		for i := range 10 {
			v = append(v, from+i)
		}
		return v
	}
	for i := range 48 {
		owner, category := "sam", "purple"
		if i%10 == 0 {
			owner = "benny"
		} else if i%3 == 0 {
			owner = "ryan"
		}
		if i >= 25 {
			category = "pink"
		}
		add(fmt.Sprint(i), fmt.Sprintf("test%d hello", i), owner, category, ten, i)
	}
	add("no-vectors", "no vector", "sam", "purple", nil, 0)
	add("empty-vectors", "no vector", "sam", "purple", func(int) []int { return []int{} }, 0)
	batch, _ := json.Marshal(map[string]any{"value": docs})
	results, _ := json.Marshal(map[string]any{"value": done})
	mine := func(id string) string {
		return `{"@search.text":"<em>pu</em>rple","id":"` + id + `","name":"test","category":"purple","ownerId":"sam"}`
	}
	purple := `"count":true,"filter":"category eq 'purple' or category eq 'pink'","highlight":"category","highlightPostTag":"</em>","highlightPreTag":"</em>","minimumCoverage":100,"queryType":"semantic","scoringStatistics":"global",
		"sessionId":"mysessionid","scoringProfile":"stringFieldBoost","search":"purple","searchFields":"id,name,description,category,ownerId","searchMode":"any","select":"id,name,description,category,ownerId","skip":0,"top":1,
		"semanticConfiguration":"testconfig","semanticErrorHandling":"partial","semanticMaxWaitInMilliseconds":5000,"semanticQuery":"find all purple","answers":"extractive","captions":"extractive",
		"vectorQueries":[{"vector":[0,1,2,3,4,5,6,7,8,9],"kind":"vector","k":50,"fields":"vector22, vector1b","oversampling":20,"weight":1}],"vectorFilterMode":"preFilter"`
	found := `{"@search.highlights":{"category":["</em>purple</em>"]},"@search.captions":[{"highlights":""}],"name":"test","category":"purple"`
	h.specified([]specified{
		{"IndexDocuments", "2025-09-01", "POST", "/indexes('example-index')/docs/search.index", string(batch), 200, string(results)},
		{"GetDocument", now, "GET", "/indexes('example-index')/docs('1')?$select=id,description,name,category,ownerId", "", 200, `{"id":"1","name":"test","description":"test1 hello","category":"purple","ownerId":"sam"}`},
		{"GetDocument", now, "GET", "/indexes('example-index')/docs('empty-vectors')?$select=id,vector22", "", 200, `{"id":"empty-vectors","vector22":[]}`},
		{"SuggestDocumentsPost", now, "POST", "/indexes('example-index')/docs/search.post.suggest", `{"filter":"ownerId eq 'sam' and id lt '15'","fuzzy":true,"highlightPostTag":"</em>","highlightPreTag":"<em>","minimumCoverage":80,
			"orderby":"id desc","search":"p","searchFields":"category","select":"id,name,category,ownerId","suggesterName":"sg","top":10}`, 200, `{"@search.coverage":100,"value":[` + mine("14") + `,` + mine("13") + `,` + mine("11") + `,` + mine("1") + `]}`},
		{"AutocompleteDocumentsPost", now, "POST", "/indexes('example-index')/docs/search.post.autocomplete", `{"search":"p","autocompleteMode":"oneTerm","filter":"ownerId ne '1'","fuzzy":true,"highlightPostTag":"</em>","highlightPreTag":"<em>",
			"minimumCoverage":80,"searchFields":"category, ownerId","suggesterName":"sg","top":10}`, 200, `{"@search.coverage":100,"value":[{"text":"purple","queryPlusText":"<em>purple</em>"},{"text":"pink","queryPlusText":"<em>pink</em>"}]}`},
		{"SearchDocumentsPost", now, "POST", "/indexes('example-index')/docs/search.post.search", `{` + purple + `,"facets":["ownerId"],"scoringParameters":["categoryTag:desiredCategoryValue"]}`, 200,
			`{"@odata.count":50,"@search.coverage":100,"@search.answers":[],"@search.facets":{"ownerId":[{"count":31,"value":"sam"},{"count":14,"value":"ryan"},{"count":5,"value":"benny"}]},"value":[` + found + `}]}`},
		// Of previews alone, in the example or not.
		{"SearchDocumentsPost", now, "POST", "/indexes('example-index')/docs/search.post.search", `{"search":"x","hybridSearch":{"maxTextRecallSize":100},"scoringParameters":["categoryTag-x"]}`, 400, ""},
		{"SearchDocumentsPost", now, "POST", "/indexes('example-index')/docs/search.post.search", `{"search":"x","queryLanguage":"en-us","scoringParameters":["categoryTag-x"]}`, 400, ""},
	})
	// The profile boosts what the ranker says where a version knows of it: twice, of what
	// has the tag.
	for _, c := range []struct {
		version, tag string
		boost        any
	}{{"2026-04-01", "purple", 2.0}, {"2026-04-01", "green", 1.0}, {"2025-09-01", "purple", 2.0}, {"2024-07-01", "purple", nil}} {
		r := h.need(200, "POST", "/indexes('example-index')/docs/search.post.search?api-version="+c.version, `{`+purple+`,"scoringParameters":["categoryTag-`+c.tag+`"]}`)
		hit := r.Get("value").([]any)[0].(map[string]any)
		var boost any
		if boosted, ok := hit["@search.rerankerBoostedScore"].(float64); ok {
			boost = boosted / hit["@search.rerankerScore"].(float64)
		}
		if boost != c.boost {
			t.Errorf("%s, %s: boosted %v times, want %v: %v", c.version, c.tag, boost, c.boost, hit)
		}
	}
	// A GET may say how long the ranker may take, too.
	ask := url.Values{"search": {"purple"}, "queryType": {"semantic"}, "semanticConfiguration": {"testconfig"}, "answers": {"extractive|count-3"}, "captions": {"extractive|highlight-true"},
		"semanticErrorHandling": {"partial"}, "scoringParameter": {"categoryTag-x"}, "api-version": {now}}
	for wait, status := range map[string]int{"780": 200, "10": 400} {
		ask.Set("semanticMaxWaitInMilliseconds", wait)
		h.need(status, "GET", "/indexes('example-index')/docs?"+ask.Encode(), "")
	}
}
