package schema_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"sekisho/internal/api"
	"sekisho/internal/services/search/schema"
)

const key = `{"name":"id","type":"Edm.String","key":true}`

// index is a definition with a key, fields and more properties.
func index(fields, more string) string {
	if fields != "" {
		fields = "," + fields
	}
	if more != "" {
		more = "," + more
	}
	return `{"name":"hotels","fields":[` + key + fields + `]` + more + `}`
}

// nested is a complex field of that many levels.
func nested(levels int) string {
	f := `{"name":"leaf","type":"Edm.Int32"}`
	for i := range levels {
		f = fmt.Sprintf(`{"name":"l%d","type":"Edm.ComplexType","fields":[%s]}`, i, f)
	}
	return f
}

const (
	text    = `{"name":"text","type":"Edm.String"}`
	rating  = `{"name":"rating","type":"Edm.Double"}`
	when    = `{"name":"when","type":"Edm.DateTimeOffset"}`
	spot    = `{"name":"spot","type":"Edm.GeographyPoint"}`
	tags    = `{"name":"tags","type":"Collection(Edm.String)"}`
	rooms   = `{"name":"rooms","type":"Collection(Edm.ComplexType)","fields":[{"name":"text","type":"Edm.String"},{"name":"rate","type":"Edm.Double"}]}`
	vector  = `{"name":"v","type":"Collection(Edm.Single)","dimensions":3,"vectorSearchProfile":"p"}`
	vectors = `"vectorSearch":{"profiles":[{"name":"p","algorithm":"a"}],"algorithms":[{"name":"a","kind":"hnsw"}]}`
)

func profile(function string) string {
	return `"scoringProfiles":[{"name":"p","functions":[` + function + `]}]`
}

func vectorSearch(more, algorithm string) string {
	return `"vectorSearch":{"profiles":[{"name":"p","algorithm":"a"` + more + `}],"algorithms":[` + algorithm + `]`
}

// refusals are wrong definitions, with where they are wrong and what is said.
var refusals = []struct{ name, definition, at, says string }{
	{"no fields", `{"name":"hotels","fields":[]}`, "fields", "must have at least one field"},
	{"index name", `{"name":"Hotels","fields":[` + key + `]}`, "name", "Index name must only contain lowercase letters"},
	{"no key", `{"name":"hotels","fields":[` + text + `]}`, "fields", "Found 0 key fields in index 'hotels'. Each index must have exactly one key field."},
	{"two keys", index(`{"name":"b","type":"Edm.String","key":true}`, ""), "fields", "Found 2 key fields"},
	{"a number as key", `{"name":"hotels","fields":[{"name":"id","type":"Edm.Int32","key":true}]}`, "fields[0].type", "must be of type Edm.String"},
	{"a hidden key", `{"name":"hotels","fields":[{"name":"id","type":"Edm.String","key":true,"retrievable":false}]}`, "fields[0].retrievable", "must be retrievable"},
	{"a key below", index(`{"name":"c","type":"Edm.ComplexType","fields":[{"name":"k","type":"Edm.String","key":true}]}`, ""), "fields[1].fields[0].key", "top-level"},
	{"field name", index(`{"name":"__key","type":"Edm.String"}`, ""), "fields[1].name", "Invalid field name: '__key'. Field names must begin with a letter and can contain only letters, digits, or underscore ('_')"},
	{"reserved name", index(`{"name":"azureSearchX","type":"Edm.String"}`, ""), "fields[1].name", "reserved"},
	{"a name twice", index(text+","+text, ""), "fields[2].name", "more than one field with the name 'text'"},
	{"no type", index(`{"name":"x"}`, ""), "fields[1].type", "not one of the types"},
	{"unknown type", index(`{"name":"x","type":"Edm.Guid"}`, ""), "fields[1].type", "'Edm.Guid'"},
	{"a single number of a vector", index(`{"name":"x","type":"Edm.Single"}`, ""), "fields[1].type", "'Edm.Single'"},
	{"collection of collections", index(`{"name":"x","type":"Collection(Collection(Edm.String))"}`, ""), "fields[1].type", "not one of the types"},
	{"searchable number", index(`{"name":"x","type":"Edm.Int32","searchable":true}`, ""), "fields[1].searchable", "cannot be searchable"},
	{"sortable collection", index(`{"name":"x","type":"Collection(Edm.String)","sortable":true}`, ""), "fields[1].sortable", "collections have many values"},
	{"sortable below a collection", index(`{"name":"c","type":"Collection(Edm.ComplexType)","fields":[{"name":"x","type":"Edm.Int32","sortable":true}]}`, ""), "fields[1].fields[0].sortable", "complex collections"},
	{"facetable point", index(`{"name":"x","type":"Edm.GeographyPoint","facetable":true}`, ""), "fields[1].facetable", "cannot be facetable"},
	{"filterable vector", index(`{"name":"v","type":"Collection(Edm.Single)","dimensions":3,"vectorSearchProfile":"p","filterable":true}`, vectors), "fields[1].filterable", "cannot be filterable"},
	{"unsearchable vector", index(`{"name":"v","type":"Collection(Edm.Single)","dimensions":3,"vectorSearchProfile":"p","searchable":false}`, vectors), "fields[1].searchable", "must be searchable"},
	{"text that is not stored", index(`{"name":"x","type":"Edm.String","stored":false}`, ""), "fields[1].stored", "only vector fields"},
	{"a vector retrievable, not stored", index(`{"name":"v","type":"Collection(Edm.Single)","dimensions":3,"vectorSearchProfile":"p","stored":false,"retrievable":true}`, vectors), "fields[1].retrievable", "not stored"},
	{"complex with an attribute", index(`{"name":"c","type":"Edm.ComplexType","filterable":false,"fields":[{"name":"x","type":"Edm.Int32"}]}`, ""), "fields[1].filterable", "must be null"},
	{"complex with an analyzer", index(`{"name":"c","type":"Edm.ComplexType","analyzer":"simple","fields":[{"name":"x","type":"Edm.Int32"}]}`, ""), "fields[1].analyzer", "must be null"},
	{"complex of nothing", index(`{"name":"c","type":"Edm.ComplexType"}`, ""), "fields[1].fields", "at least one sub-field"},
	{"simple with fields", index(`{"name":"c","type":"Edm.String","fields":[{"name":"x","type":"Edm.Int32"}]}`, ""), "fields[1].fields", "cannot have sub-fields"},
	{"too deep", index(nested(11), ""), "fields[1]" + strings.Repeat(".fields[0]", 10), "at most 10 deep"},
	{"analyzer of a number", index(`{"name":"x","type":"Edm.Int32","analyzer":"simple"}`, ""), "fields[1].analyzer", "only for searchable fields"},
	{"analyzer of what is not searched", index(`{"name":"x","type":"Edm.String","searchable":false,"analyzer":"simple"}`, ""), "fields[1].analyzer", "only for searchable fields"},
	{"analyzer and index analyzer", index(`{"name":"x","type":"Edm.String","analyzer":"simple","indexAnalyzer":"simple"}`, ""), "fields[1].analyzer", "together"},
	{"index analyzer alone", index(`{"name":"x","type":"Edm.String","indexAnalyzer":"simple"}`, ""), "fields[1].searchAnalyzer", "must have 'searchAnalyzer'"},
	{"search analyzer alone", index(`{"name":"x","type":"Edm.String","searchAnalyzer":"simple"}`, ""), "fields[1].indexAnalyzer", "must have 'indexAnalyzer'"},
	{"normalizer of a number", index(`{"name":"x","type":"Edm.Int32","normalizer":"lowercase"}`, ""), "fields[1].normalizer", "filterable, sortable or facetable"},
	{"normalizer of what is not compared", index(`{"name":"x","type":"Edm.String","filterable":false,"sortable":false,"facetable":false,"normalizer":"lowercase"}`, ""), "fields[1].normalizer", "filterable, sortable or facetable"},
	{"two synonym maps", index(`{"name":"x","type":"Edm.String","synonymMaps":["a","b"]}`, ""), "fields[1].synonymMaps", "only one synonym map per field is supported"},
	{"synonyms of a number", index(`{"name":"x","type":"Edm.Int32","synonymMaps":["a"]}`, ""), "fields[1].synonymMaps", "only for searchable"},
	{"no dimensions", index(`{"name":"v","type":"Collection(Edm.Single)","vectorSearchProfile":"p"}`, vectors), "fields[1].dimensions", "The vector field 'v' must have the property 'dimensions' set."},
	{"no profile", index(`{"name":"v","type":"Collection(Edm.Single)","dimensions":3}`, vectors), "fields[1].vectorSearchProfile", "The vector field 'v' must have the property 'vectorSearchProfile' set."},
	{"neither", index(`{"name":"v","type":"Collection(Edm.Single)"}`, vectors), "fields[1]", "must have the properties 'dimensions' and 'vectorSearchProfile' set."},
	{"one dimension", index(`{"name":"v","type":"Collection(Edm.Single)","dimensions":1,"vectorSearchProfile":"p"}`, vectors), "fields[1].dimensions", "between 2 and 4096"},
	{"many dimensions", index(`{"name":"v","type":"Collection(Edm.Half)","dimensions":4097,"vectorSearchProfile":"p"}`, vectors), "fields[1].dimensions", "between 2 and 4096"},
	{"dimensions of text", index(`{"name":"v","type":"Edm.String","dimensions":3}`, ""), "fields[1].dimensions", "not a vector field"},
	{"a vector below", index(`{"name":"c","type":"Edm.ComplexType","fields":[`+vector+`]}`, vectors), "fields[1].fields[0]", "top-level"},
	{"bytes without encoding", index(`{"name":"v","type":"Collection(Edm.Byte)","dimensions":8,"vectorSearchProfile":"p"}`, vectors), "fields[1].vectorEncoding", "packedBit"},
	{"packed singles", index(`{"name":"v","type":"Collection(Edm.Single)","dimensions":8,"vectorSearchProfile":"p","vectorEncoding":"packedBit"}`, vectors), "fields[1].vectorEncoding", "packedBit"},
	{"bits that fill no byte", index(`{"name":"v","type":"Collection(Edm.Byte)","dimensions":9,"vectorSearchProfile":"p","vectorEncoding":"packedBit"}`, vectors), "fields[1].dimensions", "multiples of 8"},
	{"bits by cosine", index(`{"name":"v","type":"Collection(Edm.Byte)","dimensions":8,"vectorSearchProfile":"p","vectorEncoding":"packedBit"}`, vectors), "fields[1].vectorSearchProfile", "metric"},
	{"unknown profile", index(`{"name":"v","type":"Collection(Edm.Single)","dimensions":3,"vectorSearchProfile":"q"}`, vectors), "fields[1].vectorSearchProfile", "The field 'v' uses a vector search algorithm configuration 'q' which is not defined."},
	{"unknown algorithm", index(vector, `"vectorSearch":{"profiles":[{"name":"p","algorithm":"b"}],"algorithms":[]}`), "vectorSearch.profiles[0].algorithm", "'b' which is not defined"},
	{"unknown vectorizer", index(vector, vectorSearch(`,"vectorizer":"z"`, `{"name":"a","kind":"hnsw"}`)+"}"), "vectorSearch.profiles[0].vectorizer", "'z' which is not defined"},
	{"unknown compression", index(vector, vectorSearch(`,"compression":"z"`, `{"name":"a","kind":"hnsw"}`)+"}"), "vectorSearch.profiles[0].compression", "'z' which is not defined"},
	{"kind of algorithm", index("", vectorSearch("", `{"name":"a","kind":"ivf"}`)+"}"), "vectorSearch.algorithms[0].kind", "hnsw, exhaustiveKnn"},
	{"m", index("", vectorSearch("", `{"name":"a","kind":"hnsw","hnswParameters":{"m":11}}`)+"}"), "vectorSearch.algorithms[0].hnswParameters.m", "between 4 and 10"},
	{"efSearch", index("", vectorSearch("", `{"name":"a","kind":"hnsw","hnswParameters":{"efSearch":99}}`)+"}"), "vectorSearch.algorithms[0].hnswParameters.efSearch", "between 100 and 1000"},
	{"metric", index("", vectorSearch("", `{"name":"a","kind":"exhaustiveKnn","exhaustiveKnnParameters":{"metric":"manhattan"}}`)+"}"), "vectorSearch.algorithms[0].exhaustiveKnnParameters.metric", "cosine, euclidean, dotProduct"},
	{"an algorithm twice", index("", vectorSearch("", `{"name":"a","kind":"hnsw"},{"name":"a","kind":"hnsw"}`)+"}"), "vectorSearch.algorithms[1].name", "more than one"},
	{"name of an algorithm", index("", vectorSearch("", `{"name":"-a","kind":"hnsw"}`)+"}"), "vectorSearch.algorithms[0].name", "alphanumeric"},
	{"vectorizer without a model", index("", `"vectorSearch":{"vectorizers":[{"name":"z","kind":"azureOpenAI","azureOpenAIParameters":{"resourceUri":"https://x.openai.azure.com","deploymentId":"d"}}]}`), "vectorSearch.vectorizers[0].azureOpenAIParameters.modelName", "Error in Vectorizer 'z' : 'modelName' parameter is required"},
	{"vectorizer over http", index("", `"vectorSearch":{"vectorizers":[{"name":"z","kind":"customWebApi","customWebApiParameters":{"uri":"http://x/"}}]}`), "vectorSearch.vectorizers[0].customWebApiParameters.uri", "https"},
	{"vectorizer of another service", index("", `"vectorSearch":{"vectorizers":[{"name":"z","kind":"aml","amlParameters":{}}]}`), "vectorSearch.vectorizers[0].kind", "not available in Sekisho"},
	{"compression of bytes", index(`{"name":"v","type":"Collection(Edm.SByte)","dimensions":3,"vectorSearchProfile":"p"}`, vectorSearch(`,"compression":"c"`, `{"name":"a","kind":"hnsw"}`)+`,"compressions":[{"name":"c","kind":"scalarQuantization"}]}`), "fields[1].vectorSearchProfile", "cannot be compressed"},
	{"truncation to more", index(vector, vectorSearch(`,"compression":"c"`, `{"name":"a","kind":"hnsw"}`)+`,"compressions":[{"name":"c","kind":"binaryQuantization","truncationDimension":4}]}`), "fields[1].vectorSearchProfile", "truncates vectors to 4"},
	{"permission filter of one string", index(`{"name":"g","type":"Edm.String","permissionFilter":"groupIds"}`, ""), "fields[1].permissionFilter", "Collection(Edm.String)"},
	{"two of one permission filter", index(`{"name":"g","type":"Collection(Edm.String)","permissionFilter":"groupIds"},{"name":"h","type":"Collection(Edm.String)","permissionFilter":"groupIds"}`, ""), "fields[2].permissionFilter", "only one field per kind"},
	{"permission filter that is not filterable", index(`{"name":"g","type":"Collection(Edm.String)","filterable":false,"permissionFilter":"userIds"}`, ""), "fields[1].permissionFilter", "must be filterable"},
	{"suggesters", index(text, `"suggesters":[{"name":"a","sourceFields":["text"]},{"name":"b","sourceFields":["text"]}]`), "suggesters[1]", "at most one"},
	{"suggester of a number", index(rating, `"suggesters":[{"name":"a","sourceFields":["rating"]}]`), "suggesters[0].sourceFields[0]", "only searchable fields"},
	{"suggester of nothing", index("", `"suggesters":[{"name":"a","sourceFields":["x"]}]`), "suggesters[0].sourceFields[0]", "does not exist"},
	{"suggester of an analyzer", index(`{"name":"x","type":"Edm.String","analyzer":"keyword"}`, `"suggesters":[{"name":"a","sourceFields":["x"]}]`), "suggesters[0].sourceFields[0]", "whose analyzer"},
	{"suggester's mode", index(text, `"suggesters":[{"name":"a","searchMode":"prefix","sourceFields":["text"]}]`), "suggesters[0].searchMode", "analyzingInfixMatching"},
	{"weight of a number", index(rating, `"scoringProfiles":[{"name":"p","text":{"weights":{"rating":2}}}]`), "scoringProfiles[0].text.weights.rating", "not a searchable field"},
	{"weight of nothing", index(text, `"scoringProfiles":[{"name":"p","text":{"weights":{"text":0}}}]`), "scoringProfiles[0].text.weights.text", "must be positive"},
	{"freshness of a number", index(rating, profile(`{"type":"freshness","fieldName":"rating","boost":2,"freshness":{"boostingDuration":"P1D"}}`)), "scoringProfiles[0].functions[0].fieldName", "not of Edm.DateTimeOffset"},
	{"boost of 1", index(when, profile(`{"type":"freshness","fieldName":"when","boost":1,"freshness":{"boostingDuration":"P1D"}}`)), "scoringProfiles[0].functions[0].boost", "not 1"},
	{"duration", index(when, profile(`{"type":"freshness","fieldName":"when","boost":2,"freshness":{"boostingDuration":"1 day"}}`)), "scoringProfiles[0].functions[0].freshness.boostingDuration", "not a duration"},
	{"parameters of another", index(when, profile(`{"type":"freshness","fieldName":"when","boost":2,"tag":{"tagsParameter":"t"}}`)), "scoringProfiles[0].functions[0].freshness", "must have the property 'freshness'"},
	{"range of nothing", index(rating, profile(`{"type":"magnitude","fieldName":"rating","boost":2,"magnitude":{"boostingRangeStart":1,"boostingRangeEnd":1}}`)), "scoringProfiles[0].functions[0].magnitude.boostingRangeEnd", "starts and ends at 1"},
	{"distance of nothing", index(spot, profile(`{"type":"distance","fieldName":"spot","boost":2,"distance":{"referencePointParameter":"me","boostingDistance":0}}`)), "scoringProfiles[0].functions[0].distance.boostingDistance", "must be positive"},
	{"quadratic tags", index(tags, profile(`{"type":"tag","fieldName":"tags","boost":2,"interpolation":"quadratic","tag":{"tagsParameter":"t"}}`)), "scoringProfiles[0].functions[0].interpolation", "linear, constant"},
	{"function in a collection", index(rooms, profile(`{"type":"magnitude","fieldName":"rooms/rate","boost":2,"magnitude":{"boostingRangeStart":1,"boostingRangeEnd":2}}`)), "scoringProfiles[0].functions[0].fieldName", "in a collection"},
	{"nine functions", index(rating, profile(strings.TrimSuffix(strings.Repeat(`{"type":"magnitude","fieldName":"rating","boost":2,"magnitude":{"boostingRangeStart":1,"boostingRangeEnd":2}},`, 9), ","))), "scoringProfiles[0].functions", "at most 8"},
	{"aggregation", index("", `"scoringProfiles":[{"name":"p","functionAggregation":"median"}]`), "scoringProfiles[0].functionAggregation", "firstMatching"},
	{"default profile", index("", `"defaultScoringProfile":"p"`), "defaultScoringProfile", "not defined"},
	{"semantic field", index(rating, `"semantic":{"configurations":[{"name":"c","prioritizedFields":{"prioritizedContentFields":[{"fieldName":"rating"}]}}]}`), "semantic.configurations[0].prioritizedFields.prioritizedContentFields[0].fieldName", "of type 'Edm.Double'"},
	{"semantic title", index("", `"semantic":{"configurations":[{"name":"c","prioritizedFields":{"titleField":{"fieldName":"x"}}}]}`), "semantic.configurations[0].prioritizedFields.titleField.fieldName", "does not exist"},
	{"semantic, nothing", index("", `"semantic":{"configurations":[{"name":"c","prioritizedFields":{}}]}`), "semantic.configurations[0].prioritizedFields", "at least one"},
	{"semantic default", index("", `"semantic":{"defaultConfiguration":"d"}`), "semantic.defaultConfiguration", "not defined"},
	{"origins", index("", `"corsOptions":{"allowedOrigins":[]}`), "corsOptions.allowedOrigins", "at least one"},
	{"all origins and one", index("", `"corsOptions":{"allowedOrigins":["*","https://a.example"]}`), "corsOptions.allowedOrigins[0]", "the only one"},
	{"an origin of nothing", index("", `"corsOptions":{"allowedOrigins":[""]}`), "corsOptions.allowedOrigins[0]", "not empty"},
	{"max age", index("", `"corsOptions":{"allowedOrigins":["*"],"maxAgeInSeconds":-1}`), "corsOptions.maxAgeInSeconds", "negative"},
	{"b", index("", `"similarity":{"@odata.type":"#Microsoft.Azure.Search.BM25Similarity","b":1.1}`), "similarity.b", "between 0 and 1"},
	{"a similarity of no type", index("", `"similarity":{"k1":1}`), "similarity.@odata.type", "is not a similarity algorithm"},
	{"k1", index("", `"similarity":{"@odata.type":"#Microsoft.Azure.Search.BM25Similarity","k1":-1}`), "similarity.k1", "must not be negative"},
	{"classic", index("", `"similarity":{"@odata.type":"#Microsoft.Azure.Search.ClassicSimilarity"}`), "similarity.@odata.type", "BM25Similarity only"},
	{"a key of the customer's", index("", `"encryptionKey":{"keyVaultKeyName":"k","keyVaultUri":"https://v.vault.azure.net"}`), "encryptionKey", "not available"},

	{"JSON", `{"name":"hotels",`, "", "Invalid JSON"},
	{"no object", `[]`, "", "An unexpected 'StartArray' node was found when reading from the JSON reader. A 'StartObject' node was expected."},
	{"a string of fields", `{"name":"hotels","fields":"x"}`, "fields", "A 'StartArray' node was expected."},
	{"a list for a name", index(`{"name":["x"],"type":"Edm.String"}`, ""), "fields[1].name", "An unexpected 'StartArray' node was found when reading from the JSON reader. A 'PrimitiveValue' node was expected."},
	{"a string for a boolean", index(`{"name":"x","type":"Edm.String","searchable":"yes"}`, ""), "fields[1].searchable", "Cannot convert the literal 'yes' to the expected type 'Edm.Boolean'."},
	{"a fraction for an integer", index(`{"name":"x","type":"Edm.String","dimensions":1.5}`, ""), "fields[1].dimensions", "'1.5' to the expected type 'Edm.Int32'"},
	{"null in a list", `{"name":"hotels","fields":[null]}`, "fields[0]", "no nulls"},
	{"unknown property", index(`{"name":"x","type":"Edm.String","vectorSearchConfiguration":"c"}`, ""), "fields[1].vectorSearchConfiguration", "The property 'vectorSearchConfiguration' does not exist on type 'Microsoft.Azure.Search.V2026_04_01.SchemaField'"},
	{"another case", index(`{"Name":"x","type":"Edm.String"}`, ""), "fields[1].Name", "'Name' does not exist"},
	{"unknown list", index("", `"vectorSearch":{"algorithmConfigurations":[]}`), "vectorSearch.algorithmConfigurations", "Cannot find nested property 'algorithmConfigurations' on the resource type 'Microsoft.Azure.Search.V2026_04_01.VectorSearch'"},
	{"a property twice", index(`{"name":"x","name":"y","type":"Edm.String"}`, ""), "fields[1].name", "Multiple properties with the name 'name'"},
	{"nesting without end", `{"fields":[` + strings.Repeat(`{"fields":[`, 1_000_000), strings.TrimPrefix(strings.Repeat(".fields[0]", 50), "."), "maximum nesting depth"},
	{"two definitions", index("", "") + "{}", "", "more than one value"},
}

func TestRefusals(t *testing.T) {
	for _, c := range refusals {
		t.Run(c.name, func(t *testing.T) {
			_, err := schema.Read([]byte(c.definition))
			refused(t, err, c.at, c.says)
		})
	}
}

// refused fails the test unless an error is Azure's, about a place.
func refused(t *testing.T, err error, at, says string) {
	t.Helper()
	var e *api.Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v, want one that says %q", err, says)
	}
	if e.Status != 400 || e.Target != at || !strings.Contains(e.Message, says) {
		t.Errorf("%d at %q: %s\nwant 400 at %q: %s", e.Status, e.Target, e.Message, at, says)
	}
}

// accepted reads a definition and gives it as it is kept.
func accepted(t *testing.T, old *schema.Index, definition string, o schema.Options) (*schema.Index, string) {
	t.Helper()
	x, err := schema.Plan(old, []byte(definition), o)
	if err != nil {
		t.Fatalf("%s: %v", definition, err)
	}
	kept, err := json.Marshal(x)
	if err != nil {
		t.Fatal(err)
	}
	return x, string(kept)
}

func TestDefaults(t *testing.T) {
	x, _ := accepted(t, nil, index(text+","+rating+","+spot+","+tags+","+rooms+","+vector, vectors), schema.Options{})
	for path, want := range map[string]string{ // searchable, filterable, sortable, facetable, retrievable
		"id": "sfoar", "text": "sfoar", "rating": "-foar", "spot": "-fo-r", "tags": "sf-ar", "rooms/text": "sf-ar", "rooms/rate": "-f-ar", "v": "s----",
	} {
		f := x.Field(path)
		got := ""
		for _, a := range []struct {
			letter string
			on     *bool
		}{{"s", f.Searchable}, {"f", f.Filterable}, {"o", f.Sortable}, {"a", f.Facetable}, {"r", f.Retrievable}} {
			if a.on == nil {
				t.Fatalf("%s has an attribute that is nil", path)
			}
			if *a.on {
				got += a.letter
			} else {
				got += "-"
			}
		}
		if got != want {
			t.Errorf("%s is %s, want %s", path, got, want)
		}
	}
	if x.Field("rooms").Searchable != nil {
		t.Error("a complex field has an attribute")
	}
	if h := x.Vectors.Algorithms[0].HNSW; h.Metric != "cosine" || *h.M != 4 || *h.EFConstruction != 400 || *h.EFSearch != 500 {
		t.Errorf("HNSW's defaults are %+v", h)
	}
	if x.Similarity.ODataType != schema.BM25 {
		t.Errorf("similarity is %s", x.Similarity.ODataType)
	}
	old, _ := accepted(t, nil, index(vector, vectors), schema.Options{Version: "2023-11-01"})
	if !*old.Field("v").Retrievable {
		t.Error("a vector of version 2023-11-01 is not retrievable")
	}
}

func TestVersions(t *testing.T) {
	bits := index(`{"name":"v","type":"Collection(Edm.Byte)","dimensions":8,"vectorSearchProfile":"p","vectorEncoding":"packedBit"}`, vectorSearch("", `{"name":"a","kind":"hnsw","hnswParameters":{"metric":"hamming"}}`)+"}")
	for _, c := range []struct{ definition, version, at string }{ // refused at; "" is accepted
		{index(vector, vectors), "2023-11-01", ""},
		{index(vector, `"vectorSearch":{"profiles":[{"name":"p","algorithm":"a"}],"algorithms":[{"name":"a","kind":"hnsw"}],"compressions":[]}`), "2023-11-01", "vectorSearch.compressions"},
		{index(vector, `"vectorSearch":{"profiles":[{"name":"p","algorithm":"a"}],"algorithms":[{"name":"a","kind":"hnsw"}],"compressions":[]}`), "2024-07-01", ""},
		{index(`{"name":"x","type":"Edm.String","stored":true}`, ""), "2023-11-01", "fields[1].stored"},
		{bits, "2023-11-01", "fields[1].vectorEncoding"},
		{bits, "2024-05-01-preview", ""},
		{bits, "2024-07-01", ""},
		{index(`{"name":"x","type":"Edm.String","normalizer":"lowercase"}`, ""), "2024-07-01", "fields[1].normalizer"},
		{index(`{"name":"x","type":"Edm.String","normalizer":"lowercase"}`, ""), "2024-05-01-preview", ""},
		{index(`{"name":"x","type":"Edm.String","normalizer":"lowercase"}`, ""), "2025-09-01", ""},
		{index(`{"name":"g","type":"Collection(Edm.String)","permissionFilter":"groupIds"}`, `"permissionFilterOption":"enabled"`), "2026-04-01", "fields[1].permissionFilter"},
		{index(`{"name":"g","type":"Collection(Edm.String)","permissionFilter":"groupIds"}`, `"permissionFilterOption":"enabled"`), "2025-05-01-preview", ""},
		{index("", `"description":"x"`), "2024-07-01", "description"},
		{index("", `"vectorSearch":{"compressions":[{"name":"c","kind":"scalarQuantization","rerankWithOriginalVectors":true}]}`), "2025-09-01", ""},
		{index("", `"vectorSearch":{"compressions":[{"name":"c","kind":"scalarQuantization","rerankWithOriginalVectors":true}]}`), "2026-04-01", "vectorSearch.compressions[0].rerankWithOriginalVectors"},
		{index("", `"scoringProfiles":[{"name":"p","functionAggregation":"product"}]`), "2025-09-01", "scoringProfiles[0].functionAggregation"},
		{index("", `"scoringProfiles":[{"name":"p","functionAggregation":"product"}]`), "2026-04-01", ""},
	} {
		_, err := schema.Plan(nil, []byte(c.definition), schema.Options{Version: c.version})
		if c.at == "" {
			if err != nil {
				t.Errorf("%s, %s: %v", c.version, c.definition, err)
			}
			continue
		}
		refused(t, err, c.at, "")
	}
}

func TestLimits(t *testing.T) {
	_, err := schema.Plan(nil, []byte(index(text+","+rating, "")), schema.Options{Fields: 2})
	refused(t, err, "fields", "has 3 simple fields, but an index of this service has at most 2")
	accepted(t, nil, index(nested(10), ""), schema.Options{})
	var collections []string
	for i := range 41 {
		collections = append(collections, fmt.Sprintf(`{"name":"c%d","type":"Collection(Edm.ComplexType)","fields":[{"name":"x","type":"Edm.Int32"}]}`, i))
	}
	accepted(t, nil, index(strings.Join(collections[:40], ","), ""), schema.Options{})
	_, err = schema.Read([]byte(index(strings.Join(collections, ","), "")))
	refused(t, err, "fields", "41 complex collection fields")
}
