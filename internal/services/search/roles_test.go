package search_test

import (
	"strings"
	"testing"

	"sekisho/internal/servicetest"
)

// Built-in roles. Source: azure-docs role-based-access-control/built-in-roles/ai-machine-learning.md.
const (
	searchServiceContributor = "7ca78c08-252a-4471-8644-bb5ff32d4ba0"
	searchDataContributor    = "8ebe5a00-799e-43f5-93ac-243d3dce84a7"
	searchDataReader         = "1407120a-92aa-4202-b7e9-c0e197c71c8f"
)

// TestRolesOfDefinitions: definitions are managed by actions, documents by data
// actions; who may one may not the other.
func TestRolesOfDefinitions(t *testing.T) {
	h := newHost(t, "basic")
	h.Need(200, h.ARM("PATCH", h.id, `{"properties":{"authOptions":{"aadOrApiKey":{}}}}`))
	h.fill("hotels", 1)
	index := h.need(200, "GET", "/indexes/hotels", "").Body
	asked := []struct{ name, method, path, body string }{
		{"analyze", "POST", "/indexes/hotels/analyze", `{"text":"x","analyzer":"simple"}`},
		{"read index", "GET", "/indexes/hotels", ""},
		{"write index", "PUT", "/indexes/hotels", index},
		{"read synonyms", "GET", "/synonymmaps", ""},
		{"write synonyms", "PUT", "/synonymmaps/m", `{"name":"m","synonyms":"a, b"}`},
		{"query", "POST", "/indexes/hotels/docs/search", `{"search":"*"}`},
		{"upload", "POST", "/indexes/hotels/docs/index", `{"value":[{"id":"1"}]}`},
		{"read link", "GET", "arm/sharedPrivateLinkResources", ""},
		{"write link", "PUT", "arm/sharedPrivateLinkResources/l", `{"properties":{"privateLinkResourceId":"` + h.Subscription + `/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/st","groupId":"blob"}}`},
		{"private endpoints", "GET", "arm/privateEndpointConnections", ""},
		{"private link resources", "GET", "arm/privateLinkResources", ""},
	}
	for role, may := range map[string]string{ // in the order above
		servicetest.Owner:        "YYYYYnnYYYY",
		servicetest.Contributor:  "YYYYYnnYYYY",
		servicetest.Reader:       "YYnYnnnYnYY",
		searchServiceContributor: "YYYYYnnYYYY",
		searchDataContributor:    "nnnnnYYnnnn",
		searchDataReader:         "nnnnnYnnnnn",
	} {
		who := h.Principal(role)
		h.Grant(who.ID, role, h.id)
		for i, a := range asked {
			var r servicetest.Reply
			if path, ok := strings.CutPrefix(a.path, "arm/"); ok {
				r = h.ARMAs(who, a.method, h.id+"/"+path, a.body)
			} else {
				r = h.send(servicetest.Request{Method: a.method, URL: h.url(a.path), Body: a.body, As: &who})
			}
			if allowed := r.Status < 300; allowed != (may[i] == 'Y') || !allowed && r.Status != 403 {
				t.Errorf("role %s, %s: %d, want %c: %s", role, a.name, r.Status, may[i], r.Body)
			}
		}
	}
}
