package search_test

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"sekisho/internal/servicetest"
)

// world is a search service with an index of vectors, and a deployment that embeds.
type world struct {
	*servicetest.World
	t       *testing.T
	group   string
	service string // resource id
	key     string
}

const (
	stable  = "2024-07-01"
	preview = "2025-05-01-preview"
)

func newWorld(t *testing.T) *world {
	w := &world{World: servicetest.New(t, servicetest.Builtin), t: t}
	w.group = w.MakeGroup("rg")
	w.service = w.Make(w.group+"/providers/Microsoft.Search/searchServices/srch", `{"location":"japaneast","sku":{"name":"basic"},"identity":{"type":"SystemAssigned"}}`)
	w.key = w.Need(200, w.ARM(http.MethodPost, w.service+"/listAdminKeys?api-version=2025-05-01", "")).Get("primaryKey").(string)
	return w
}

func (w *world) call(method, path, version string, body any) servicetest.Reply {
	w.t.Helper()
	text, ok := body.(string)
	if !ok {
		raw, err := json.Marshal(body)
		if err != nil {
			w.t.Fatal(err)
		}
		text = string(raw)
	}
	mark := "?"
	if strings.Contains(path, "?") {
		mark = "&"
	}
	return w.Do(servicetest.Request{Method: method, URL: "https://srch.search.windows.net" + path + mark + "api-version=" + version, Body: text, Key: w.key,
		Header: http.Header{"Content-Type": {"application/json"}}})
}

// index makes an index whose vector fields are given, with what its vector search
// has beside the profile p.
func (w *world) index(name, fields, more string) {
	w.t.Helper()
	w.Need(201, w.call("PUT", "/indexes/"+name, stable, `{"name":"`+name+`","fields":[{"name":"id","type":"Edm.String","key":true},
		{"name":"w","type":"Edm.String","facetable":true},`+fields+`],
		"vectorSearch":{"algorithms":[{"name":"a","kind":"hnsw"},{"name":"x","kind":"exhaustiveKnn","exhaustiveKnnParameters":{"metric":"euclidean"}},
		{"name":"h","kind":"exhaustiveKnn","exhaustiveKnnParameters":{"metric":"hamming"}}],`+more+`}}`))
}

func (w *world) upload(name string, docs ...map[string]any) servicetest.Reply {
	w.t.Helper()
	return w.call("POST", "/indexes/"+name+"/docs/index", stable, map[string]any{"value": docs})
}

type scored struct {
	key   string
	score float64
}

func hits(r servicetest.Reply) (all []scored) {
	list, _ := r.Get("value").([]any)
	for _, e := range list {
		d := e.(map[string]any)
		all = append(all, scored{d["id"].(string), d["@search.score"].(float64)})
	}
	return all
}

func same(got, want []scored) bool {
	if len(got) != len(want) {
		return false
	}
	for i := range got {
		if got[i].key != want[i].key || math.Abs(got[i].score-want[i].score) > 1e-6 {
			return false
		}
	}
	return true
}

const flatFields = `{"name":"v","type":"Collection(Edm.Single)","dimensions":2,"vectorSearchProfile":"p"},
	{"name":"u","type":"Collection(Edm.Single)","dimensions":2,"vectorSearchProfile":"e"}`

func flat(t *testing.T) *world {
	w := newWorld(t)
	w.index("flat", flatFields, `"profiles":[{"name":"p","algorithm":"a"},{"name":"e","algorithm":"x"}]`)
	for _, doc := range []map[string]any{ // one by one: of equal scores the oldest comes first
		{"id": "a", "w": "ant", "v": []float64{1, 0}, "u": []float64{0, 0}},
		{"id": "b", "w": "bee", "v": []float64{1, 1}, "u": []float64{3, 4}},
		{"id": "c", "w": "bee", "v": []float64{0, 1}},
		{"id": "d", "w": "cat"},
	} {
		w.Need(200, w.upload("flat", doc))
	}
	return w
}

func TestDocumentsAreFoundByVectors(t *testing.T) {
	w := flat(t)
	for _, c := range []struct {
		name, body string
		want       []scored
		total      float64
	}{
		// 1/(2-cosine). Source: azure-ai-docs search/vector-search-ranking, "Scores in a
		// vector search results".
		{"cosine", `"vectorQueries":[{"kind":"vector","vector":[2,0],"fields":"v","k":2}]`, []scored{{"a", 1}, {"b", 1 / (2 - math.Sqrt2/2)}}, 2},
		{"euclidean, exhaustive", `"vectorQueries":[{"kind":"vector","vector":[0,0],"fields":"u","exhaustive":true}]`, []scored{{"a", 1}, {"b", 1.0 / 6}}, 2},
		{"nothing but *", `"search":"*","vectorQueries":[{"kind":"vector","vector":[2,0],"fields":"v","k":1}]`, []scored{{"a", 1}}, 1},
		{"two fields", `"vectorQueries":[{"kind":"vector","vector":[0,0.1],"fields":"v, u","k":1}]`, []scored{{"a", 1.0 / 60}, {"c", 1.0 / 60}}, 2},
		{"hybrid", `"search":"bee","vectorQueries":[{"kind":"vector","vector":[2,0],"fields":"v","k":2}]`, []scored{{"b", 1.0/61 + 1.0/60}, {"a", 1.0 / 60}, {"c", 1.0 / 61}}, 3},
		{"weighted", `"search":"bee","vectorQueries":[{"kind":"vector","vector":[2,0],"fields":"v","k":2,"weight":2}]`, []scored{{"b", 2.0/61 + 1.0/60}, {"a", 2.0 / 60}, {"c", 1.0 / 61}}, 3},
		{"less text", `"search":"bee","hybridSearch":{"maxTextRecallSize":1,"countAndFacetMode":"countRetrievableResults"},"vectorQueries":[{"kind":"vector","vector":[2,0],"fields":"v","k":1}]`,
			[]scored{{"a", 1.0 / 60}, {"b", 1.0 / 60}}, 2},
		{"as near as that", `"vectorQueries":[{"kind":"vector","vector":[2,0],"fields":"v","threshold":{"kind":"vectorSimilarity","value":0.9}}]`, []scored{{"a", 1}}, 1},
		{"of that score", `"vectorQueries":[{"kind":"vector","vector":[2,0],"fields":"v","threshold":{"kind":"searchScore","value":0.7}}]`, []scored{{"a", 1}, {"b", 1 / (2 - math.Sqrt2/2)}}, 2},
	} {
		r := w.Need(200, w.call("POST", "/indexes/flat/docs/search", preview, `{"count":true,`+c.body+`}`))
		if got := hits(r); !same(got, c.want) || r.Get("@odata.count") != c.total {
			t.Errorf("%s: %v of %v, want %v of %v", c.name, got, r.Get("@odata.count"), c.want, c.total)
		}
	}
	// A merge that has no vector keeps it; one that has another, or none, changes it.
	search := func() []scored {
		return hits(w.Need(200, w.call("POST", "/indexes/flat/docs/search", stable, `{"vectorQueries":[{"kind":"vector","vector":[1,0],"fields":"v","k":1}]}`)))
	}
	for _, step := range []struct {
		doc  map[string]any
		want string
	}{
		{map[string]any{"@search.action": "merge", "id": "a", "w": "cat"}, "a"},
		{map[string]any{"@search.action": "merge", "id": "a", "v": []float64{-1, 0}}, "b"},
		{map[string]any{"@search.action": "merge", "id": "b", "v": []float64{}}, "c"},
		{map[string]any{"@search.action": "delete", "id": "c"}, "a"},
	} {
		w.Need(200, w.upload("flat", step.doc))
		if got := search(); len(got) != 1 || got[0].key != step.want {
			t.Errorf("after %v: %v, want %s", step.doc, got, step.want)
		}
	}
}

func TestVectorQueriesThatAzureRefuses(t *testing.T) {
	w := flat(t)
	const near = `"kind":"vector","vector":[1,0],"fields":"v"`
	for _, c := range []struct {
		version, body string
		code, detail  string
		says          string
	}{
		{stable, `{"vectorQueries":[{"vector":[1,0],"fields":"v"}]}`, "InvalidRequestParameter", "InvalidVectorQuery", "The vector query's 'kind' parameter is not set.\r\nParameter name: vector.kind"},
		{stable, `{"vectorQueries":[{"kind":"vector","vector":[1,0],"fields":"zz"}]}`, "InvalidRequestParameter", "UnknownField", "Unknown field 'zz' in vector field list."},
		{stable, `{"vectorQueries":[{"kind":"vector","vector":[1,0],"fields":"w"}]}`, "OperationNotAllowed", "", "The field 'w' in the vector field list is not a vector field.\r\nParameter name: vector.fields"},
		{stable, `{"vectorQueries":[{"kind":"vector","vector":[1,0]}]}`, "InvalidRequestParameter", "InvalidVectorQuery", "'fields' parameter is not set"},
		{stable, `{"vectorQueries":[{"kind":"vector","vector":[1,0,0],"fields":"v"}]}`, "OperationNotAllowed", "", "There's a mismatch in vector dimensions. The vector field 'v', with dimension of '2', expects a length of '2'. However, the provided vector has a length of '3'."},
		{stable, `{"vectorQueries":[{"kind":"vector","vector":[1,null],"fields":"v"}]}`, "InvalidRequestParameter", "", "no nulls"},
		{stable, `{"vectorQueries":[{"kind":"vector","vector":[1,1e99],"fields":"v"}]}`, "InvalidRequestParameter", "", "1e99"},
		{stable, `{"vectorQueries":[{` + near + `,"k":0}]}`, "InvalidRequestParameter", "InvalidVectorQuery", "'k' parameter is 0"},
		{stable, `{"vectorQueries":[{` + near + `,"k":10001}]}`, "InvalidRequestParameter", "InvalidVectorQuery", "between 1 and 10000"},
		{stable, `{"vectorQueries":[{` + near + `,"weight":0}]}`, "InvalidRequestParameter", "InvalidVectorQuery", "greater than 0"},
		{stable, `{"vectorQueries":[{` + near + `,"oversampling":2}]}`, "InvalidRequestParameter", "InvalidVectorQuery", "'v' is not compressed"},
		{stable, `{"vectorQueries":[{"kind":"text","text":"ant","fields":"v"}]}`, "InvalidRequestParameter", "InvalidVectorQuery", "Field 'v' does not have a vectorizer defined in it's vector profile."},
		{stable, `{"vectorQueries":[{` + near + `}],"vectorFilterMode":"late"}`, "InvalidRequestParameter", "", "vectorFilterMode"},
		{preview, `{"vectorQueries":[{` + near + `}],"hybridSearch":{"maxTextRecallSize":10001}}`, "InvalidRequestParameter", "", "between 1 and 10000"},
		{stable, `{"vectorQueries":[{"kind":"vector","vector":[1,0],"fields":"` + strings.Repeat("v,", 10) + `v"}]}`, "InvalidRequestParameter", "InvalidVectorQuery", "more than 10 fields"},
		{stable, `{"vectorQueries":[` + strings.Repeat(`{"kind":"vector","vector":[1,0],"fields":"`+strings.Repeat("v,", 9)+`v"},`, 10) + `{"kind":"vector","vector":[1,0],"fields":"v"}]}`, "InvalidRequestParameter", "", "more than 100 fields"},
		// What the api-version does not have.
		{"2020-06-30", `{"vectorQueries":[{` + near + `}]}`, "InvalidRequestParameter", "", "The parameter 'vectorQueries' in the request payload is not a valid parameter for the operation 'search'."},
		{stable, `{"vectorQueries":[{` + near + `}],"hybridSearch":{}}`, "InvalidRequestParameter", "", "The parameter 'hybridSearch'"},
		{stable, `{"vectorQueries":[{` + near + `,"threshold":{"kind":"searchScore","value":1}}]}`, "InvalidRequestParameter", "", "'threshold' does not exist"},
		{stable, `{"vectorQueries":[{` + near + `,"filterOverride":"w eq 'ant'"}]}`, "InvalidRequestParameter", "", "'filterOverride' does not exist"},
		{"2023-11-01", `{"vectorQueries":[{` + near + `,"weight":2}]}`, "InvalidRequestParameter", "", "'weight' does not exist"},
		{"2023-11-01", `{"vectorQueries":[{"kind":"text","text":"ant","fields":"v"}]}`, "InvalidRequestParameter", "", "'text' does not exist"},
	} {
		r := w.call("POST", "/indexes/flat/docs/search", c.version, c.body)
		detail := ""
		if list, _ := r.Get("error", "details").([]any); len(list) > 0 {
			detail, _ = list[0].(map[string]any)["code"].(string)
		}
		if r.Status != 400 || r.Code() != c.code || detail != c.detail || !strings.Contains(r.Message(), c.says) {
			t.Errorf("%s of %s: %d %s", c.body, c.version, r.Status, r.Body)
		}
	}
	if r := w.call("GET", "/indexes/flat/docs?vectorQueries=x", stable, ""); r.Status != 400 || !strings.Contains(r.Message(), "vectorQueries") {
		t.Errorf("by GET: %d %s", r.Status, r.Body)
	}
}

func TestVectorsAreHeldToTheirFields(t *testing.T) {
	w := newWorld(t)
	w.index("held", `{"name":"single","type":"Collection(Edm.Single)","dimensions":2,"vectorSearchProfile":"p"},
		{"name":"half","type":"Collection(Edm.Half)","dimensions":2,"vectorSearchProfile":"p"},
		{"name":"int16","type":"Collection(Edm.Int16)","dimensions":2,"vectorSearchProfile":"p"},
		{"name":"sbyte","type":"Collection(Edm.SByte)","dimensions":2,"vectorSearchProfile":"p"},
		{"name":"bits","type":"Collection(Edm.Byte)","dimensions":16,"vectorEncoding":"packedBit","vectorSearchProfile":"b"}`,
		`"profiles":[{"name":"p","algorithm":"a"},{"name":"b","algorithm":"h"}]`)
	for field, values := range map[string]map[string]bool{
		"single": {"[1,2]": true, "[1]": false, "[1,2,3]": false, "[1,null]": false, `[1,"2"]`: false, "[1,1e39]": false, "7": false},
		"half":   {"[1,2]": true, "[1,65520]": false},
		"int16":  {"[-32768,32767]": true, "[1,32768]": false, "[1,1.5]": false},
		"sbyte":  {"[-128,127]": true, "[1,128]": false},
		"bits":   {"[0,255]": true, "[0,256]": false, "[-1,0]": false, "[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]": false},
	} {
		for value, ok := range values {
			r := w.call("POST", "/indexes/held/docs/index", stable, `{"value":[{"id":"`+field+`","`+field+`":`+value+`}]}`)
			if (r.Status == 200) != ok || !ok && (r.Status != 400 || !strings.Contains(r.Message(), "actions : 0: ") && !strings.Contains(r.Message(), "does not allow null values")) {
				t.Errorf("%s %s: %d %s", field, value, r.Status, r.Body)
			}
		}
	}
	r := w.call("POST", "/indexes/held/docs/index", stable, `{"value":[{"id":"a","single":[1]}]}`)
	if want := "The request is invalid. Details: actions : 0: There's a mismatch in vector dimensions. The vector field 'single', with dimension of '2', expects a length of '2'. However, the provided vector has a length of '1'."; r.Code() != "OperationNotAllowed" || !strings.HasPrefix(r.Message(), want) {
		t.Errorf("%s", r.Body)
	}
	if got := hits(w.Need(200, w.call("POST", "/indexes/held/docs/search", stable, `{"vectorQueries":[{"kind":"vector","vector":[0,254],"fields":"bits"}]}`))); !same(got, []scored{{"bits", 0.5}}) {
		t.Errorf("by one bit: %v", got)
	}
}

// The search service embeds a query's text with a deployment, as itself or by a key.
func TestTextIsMadeAVectorByADeployment(t *testing.T) {
	w := newWorld(t)
	account := w.MakeAccount(w.group, "embedding")
	w.Deploy(account, "small", "text-embedding-3-small")
	key := w.Need(200, w.ARM(http.MethodPost, account+"/listKeys", "")).Get("key1").(string)
	vectorizer := func(name, deployment, key string) string {
		return fmt.Sprintf(`{"name":"%s","kind":"azureOpenAI","azureOpenAIParameters":{"resourceUri":"https://embedding.openai.azure.com","deploymentId":"%s","apiKey":%q,"modelName":"text-embedding-3-small"}}`, name, deployment, key)
	}
	w.index("texts", `{"name":"v","type":"Collection(Edm.Single)","dimensions":64,"vectorSearchProfile":"mine"},
		{"name":"u","type":"Collection(Edm.Single)","dimensions":64,"vectorSearchProfile":"bykey"},
		{"name":"z","type":"Collection(Edm.Single)","dimensions":64,"vectorSearchProfile":"wrong"},
		{"name":"y","type":"Collection(Edm.Single)","dimensions":64,"vectorSearchProfile":"missing"}`,
		`"profiles":[{"name":"mine","algorithm":"a","vectorizer":"mine"},{"name":"bykey","algorithm":"a","vectorizer":"bykey"},{"name":"wrong","algorithm":"a","vectorizer":"wrong"},{"name":"missing","algorithm":"a","vectorizer":"missing"}],
		"vectorizers":[`+vectorizer("mine", "small", "")+`,`+vectorizer("bykey", "small", key)+`,`+vectorizer("wrong", "small", "0123")+`,`+vectorizer("missing", "none", key)+`]`)
	embed := func(text string) []any {
		r := w.Need(200, w.Do(servicetest.Request{Method: "POST", URL: "https://embedding.openai.azure.com/openai/deployments/small/embeddings?api-version=2024-10-21", Key: key, Body: `{"input":"` + text + `","dimensions":64}`}))
		return r.Get("data").([]any)[0].(map[string]any)["embedding"].([]any)
	}
	w.Need(200, w.upload("texts", map[string]any{"id": "a", "v": embed("a river with fish"), "u": embed("a river with fish")},
		map[string]any{"id": "b", "v": embed("tax law of 1998"), "u": embed("tax law of 1998")}))
	search := func(field string) servicetest.Reply {
		return w.call("POST", "/indexes/texts/docs/search", stable, `{"vectorQueries":[{"kind":"text","text":"tax law of 1998","fields":"`+field+`","k":1}]}`)
	}
	refused := func(r servicetest.Reply, says string) {
		t.Helper()
		if r.Status != 502 || r.Message() != "Could not complete vectorization action. "+says {
			t.Errorf("%d %s, want %q", r.Status, r.Body, says)
		}
	}
	found := func(r servicetest.Reply) {
		t.Helper()
		if got := hits(r); !same(got, []scored{{"b", 1}}) {
			t.Errorf("%d %s", r.Status, r.Body)
		}
	}
	found(search("u"))
	refused(search("z"), "The vectorization endpoint returned status code '401' (Unauthorized).")
	refused(search("y"), "The vectorization endpoint returned status code '404' (NotFound).")
	refused(search("v"), "The vectorization endpoint returned status code '401' (Unauthorized).")
	identity := w.Need(200, w.ARM(http.MethodGet, w.service+"?api-version=2025-05-01", "")).Get("identity", "principalId").(string)
	w.Grant(identity, "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd", account) // Cognitive Services OpenAI User
	found(search("v"))
	w.Need(200, w.ARM(http.MethodPatch, w.service+"?api-version=2025-05-01", `{"identity":{"type":"None"}}`))
	refused(search("v"), "The service failed to authenticate to the vectorization endpoint.")
}

func TestTextIsMadeAVectorByAWebAPI(t *testing.T) {
	w := newWorld(t)
	var answer string
	var asked []string
	server := httptest.NewTLSServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		asked = append(asked, r.Method+" "+r.Header.Get("x-own")+" "+string(body))
		io.WriteString(rw, answer)
	}))
	defer server.Close()
	w.Outside = server.Client().Transport
	w.index("web", `{"name":"v","type":"Collection(Edm.Single)","dimensions":2,"vectorSearchProfile":"p"},{"name":"u","type":"Collection(Edm.Single)","dimensions":2,"vectorSearchProfile":"q"}`,
		`"profiles":[{"name":"p","algorithm":"a","vectorizer":"w"},{"name":"q","algorithm":"a","vectorizer":"w"}],
		"vectorizers":[{"name":"w","kind":"customWebApi","customWebApiParameters":{"uri":"`+server.URL+`","httpMethod":"PUT","httpHeaders":{"x-own":"1"},"timeout":"PT5S"}}]`)
	w.Need(200, w.upload("web", map[string]any{"id": "a", "v": []int{1, 0}}))
	search := func(fields string) servicetest.Reply {
		return w.call("POST", "/indexes/web/docs/search", stable, `{"vectorQueries":[{"kind":"text","text":"ant","fields":"`+fields+`","k":1}]}`)
	}
	answer = `{"values":[{"recordId":"0","data":{"vector":[3,0]},"errors":null,"warnings":null}]}`
	if got := hits(w.Need(200, search("v"))); !same(got, []scored{{"a", 1}}) || len(asked) != 1 || asked[0] != `PUT 1 {"values":[{"recordId":"0","data":{"text":"ant"}}]}` {
		t.Errorf("%v, asked %q", got, asked)
	}
	if w.Need(200, search("v,u")); len(asked) != 2 {
		t.Errorf("one text for two fields is asked for %d times", len(asked)-1)
	}
	for body, says := range map[string]string{
		`{"values":[{"recordId":"0","data":{"vector":[3,0,0]}}]}`:                   "There's a mismatch in vector dimensions.",
		`{"values":[{"recordId":"0","data":{},"errors":[{"message":"too late"}]}]}`: "The vectorization endpoint returned an error.",
		`{"values":[]}`: "invalid response", `{"values":[{"recordId":"0","data":{}}]}`: "invalid response", `<html>`: "invalid response",
	} {
		answer = body
		if r := search("v"); r.Status < 400 || !strings.Contains(r.Message(), says) {
			t.Errorf("%s: %d %s", body, r.Status, r.Body)
		}
	}
	server.Close()
	if r := search("v"); r.Status != 502 || !strings.Contains(r.Message(), "Could not reach the vectorization endpoint.") {
		t.Errorf("%d %s", r.Status, r.Body)
	}
}
