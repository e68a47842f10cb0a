package search_test

import (
	"fmt"
	"strings"
	"testing"
)

// An action sees what those before it made of its document, however many documents
// are analysed at once.
func TestBatchOrder(t *testing.T) {
	h := newHost(t, "basic")
	h.need(201, "POST", "/indexes", `{"name":"x1","fields":[{"name":"id","type":"Edm.String","key":true},{"name":"text","type":"Edm.String","searchable":true,"filterable":false,"sortable":false,"facetable":false},{"name":"tag","type":"Edm.String","filterable":true}]}`)
	actions := []struct {
		verb, key, fields string
		status            int
	}{
		{"upload", "a", `"text":"first","tag":"kept"`, 201},
		{"upload", "b", `"text":"other"`, 201},
		{"upload", "a", `"tag":"` + strings.Repeat("x", 32767) + `"`, 400},
		{"merge", "a", `"text":"second"`, 200},
		{"merge", "b", `"tag":"new"`, 200},
		{"merge", "c", `"tag":"new"`, 404},
		{"delete", "c", `"tag":null`, 200},
		{"upload", "c", `"text":"gone"`, 201},
		{"delete", "c", `"tag":null`, 200},
		{"merge", "c", `"tag":"new"`, 404},
		{"mergeOrUpload", "d", `"text":"` + strings.Repeat("x", 32767) + ` word"`, 201}, // the analyzer splits it
		{"delete", "e", `"tag":null`, 200},
		{"mergeOrUpload", "e", `"text":"again"`, 201},
	}
	var bodies []string
	for _, a := range actions {
		bodies = append(bodies, fmt.Sprintf(`{"@search.action":%q,"id":%q,%s}`, a.verb, a.key, a.fields))
	}
	r := h.need(207, "POST", "/indexes/x1/docs/index", `{"value":[`+strings.Join(bodies, ",")+`]}`)
	results := r.Get("value").([]any)
	for i, a := range actions {
		got := results[i].(map[string]any)
		if got["key"] != a.key || got["statusCode"] != float64(a.status) || got["status"] != (a.status < 300) || (got["errorMessage"] != nil) != (a.status >= 300) {
			t.Errorf("action %d, %s of %s: %v, want %d", i, a.verb, a.key, got, a.status)
		}
	}
	if a := h.need(200, "GET", "/indexes/x1/docs/a", ""); a.Get("text") != "second" || a.Get("tag") != "kept" {
		t.Errorf("a is %s", a.Body)
	}
	for search, want := range map[string]int{"first": 0, "second": 1, "other": 1, "gone": 0, "again": 1, "word": 1} {
		found := h.need(200, "POST", "/indexes/x1/docs/search", `{"search":"`+search+`"}`).Get("value").([]any)
		if len(found) != want {
			t.Errorf("%s is found %d times, and not %d", search, len(found), want)
		}
	}
}
