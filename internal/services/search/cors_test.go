package search_test

import (
	"net/http"
	"testing"

	"sekisho/internal/servicetest"
)

func TestCORS(t *testing.T) {
	h := newHost(t, "basic")
	make := func(name, cors string) {
		h.need(201, "POST", "/indexes", `{"name":"`+name+`","fields":[{"name":"id","type":"Edm.String","key":true}]`+cors+`}`)
	}
	make("some", `,"corsOptions":{"allowedOrigins":["https://a.example","http://localhost:8080"],"maxAgeInSeconds":60}`)
	make("every", `,"corsOptions":{"allowedOrigins":["*"]}`)
	make("none", "")
	h.need(201, "POST", "/aliases", `{"name":"other","indexes":["some"]}`)
	query := h.Need(200, h.ARM("POST", h.id+"/createQueryKey/q", "")).Get("key").(string)
	for _, c := range []struct{ path, origin, allowed, age string }{
		{"/indexes/some/docs/search", "https://a.example", "https://a.example", "60"},
		{"/indexes/some/docs", "http://localhost:8080", "http://localhost:8080", "60"},
		{"/indexes('some')/docs/search.post.search", "https://a.example", "https://a.example", "60"},
		{"/indexes/other/docs/search", "https://a.example", "https://a.example", "60"},
		{"/indexes/some/docs/search", "https://b.example", "", ""},
		{"/indexes/some/docs/search", "https://a.example:8443", "", ""},
		{"/indexes/every/docs/search", "https://b.example", "*", "300"},
		{"/indexes/none/docs/search", "https://a.example", "", ""},
		{"/indexes/nowhere/docs/search", "https://a.example", "", ""},
	} {
		r := h.Do(servicetest.Request{Method: "OPTIONS", URL: h.url(c.path), Header: http.Header{
			"Origin": {c.origin}, "Access-Control-Request-Method": {"POST"}, "Access-Control-Request-Headers": {"api-key,content-type"}}})
		if r.Status != 200 || r.Header.Get("Access-Control-Allow-Origin") != c.allowed || r.Header.Get("Access-Control-Max-Age") != c.age {
			t.Errorf("preflight of %s from %s: %d %v", c.path, c.origin, r.Status, r.Header)
		}
		if wanted := r.Header.Get("Access-Control-Allow-Headers"); (c.allowed != "") != (wanted == "api-key,content-type") {
			t.Errorf("preflight of %s from %s allows the headers %q", c.path, c.origin, wanted)
		}
		r = h.send(servicetest.Request{Method: "POST", URL: h.url(c.path), Body: `{"search":"*"}`, Key: query, Header: http.Header{"Origin": {c.origin}}})
		if got := r.Header.Get("Access-Control-Allow-Origin"); c.path != "/indexes/some/docs" && got != c.allowed {
			t.Errorf("a query of %s from %s: %d, allowed is %q, want %q", c.path, c.origin, r.Status, got, c.allowed)
		}
	}
	// What writes is for no page.
	r := h.send(servicetest.Request{Method: "POST", URL: h.url("/indexes/every/docs/index"), Body: `{"value":[{"id":"1"}]}`, Key: h.key, Header: http.Header{"Origin": {"https://a.example"}}})
	if r.Status != 200 || r.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("a write: %d %v", r.Status, r.Header)
	}
	if r := h.Do(servicetest.Request{Method: "OPTIONS", URL: h.url("/indexes/every/docs"), Header: http.Header{"Origin": {"https://a.example"}}}); r.Status != 400 {
		t.Errorf("a preflight of no method: %d %s", r.Status, r.Body)
	}
	// Keys are asked for all the same.
	if r := h.send(servicetest.Request{Method: "POST", URL: h.url("/indexes/every/docs/search"), Body: `{}`, Header: http.Header{"Origin": {"https://a.example"}}}); r.Status != 403 {
		t.Errorf("without a key: %d %s", r.Status, r.Body)
	}
}
