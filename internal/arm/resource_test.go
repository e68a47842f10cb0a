package arm_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"sekisho/internal/servicetest"
)

const (
	accounts   = "/providers/Microsoft.CognitiveServices/accounts/"
	machines   = "/providers/Microsoft.Compute/virtualMachines/"
	identities = "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/"

	accountBody = `{"location":"japaneast","kind":"OpenAI","sku":{"name":"S0"},"properties":{}}`
	placeBody   = `{"location":"japaneast"}`
)

// wantError fails unless the reply is this error.
func wantError(t *testing.T, r servicetest.Reply, status int, code string) {
	t.Helper()
	if r.Status != status || r.Code() != code {
		t.Errorf("status %d, code %q, want %d %s: %s", r.Status, r.Code(), status, code, r.Body)
	}
}

func TestEveryTypeIsCreatedReadChangedListedAndDeleted(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group := w.MakeGroup("rg")
	account := w.MakeAccount(group, "parent")
	for _, c := range []struct{ name, id, list, body string }{
		{"resource group", w.Subscription + "/resourceGroups/made", w.Subscription + "/resourceGroups", placeBody},
		{"account", group + accounts + "made", group + strings.TrimSuffix(accounts, "/"), accountBody},
		{"deployment", account + "/deployments/made", account + "/deployments", `{"properties":{"model":{"format":"OpenAI","name":"gpt-4o"}}}`},
		{"machine", group + machines + "made", group + strings.TrimSuffix(machines, "/"), placeBody},
		{"identity", group + identities + "made", group + strings.TrimSuffix(identities, "/"), placeBody},
	} {
		t.Run(c.name, func(t *testing.T) {
			missing := w.ARM("GET", c.id, "")
			if missing.Status != http.StatusNotFound || !strings.HasSuffix(missing.Code(), "NotFound") {
				t.Fatalf("before: %d %s", missing.Status, missing.Body)
			}
			w.Need(http.StatusNotFound, w.ARM("HEAD", c.id, ""))
			w.Need(http.StatusNotFound, w.ARM("PATCH", c.id, "{}"))

			made := w.Need(http.StatusCreated, w.ARM("PUT", c.id, c.body))
			if made.Get("id") != c.id || made.Get("name") != "made" || made.Get("properties", "provisioningState") == nil && c.name != "identity" {
				t.Errorf("created: %s", made.Body)
			}
			w.Need(http.StatusOK, w.ARM("PUT", c.id, c.body))
			w.Need(http.StatusOK, w.ARM("PATCH", c.id, "{}"))
			w.Need(http.StatusNoContent, w.ARM("HEAD", c.id, ""))
			if got := w.Need(http.StatusOK, w.ARM("GET", c.id, "")); got.Get("id") != c.id {
				t.Errorf("read: %s", got.Body)
			}
			if names := w.Need(http.StatusOK, w.ARM("GET", c.list, "")).Names(); !slices.Contains(names, "made") {
				t.Errorf("list: %v", names)
			}
			w.Need(http.StatusOK, w.ARM("DELETE", c.id, ""))
			w.Need(http.StatusNotFound, w.ARM("GET", c.id, ""))
			again := http.StatusNoContent
			if c.name == "resource group" { // the one type whose second DELETE is 404
				again = http.StatusNotFound
			}
			w.Need(again, w.ARM("DELETE", c.id, ""))
		})
	}
}

func TestIdsAreInAnyCaseAndKeepTheirFirstSpelling(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group := w.MakeGroup("RG-First")
	account := w.Make(group+accounts+"First", accountBody)
	w.Deploy(account, "Chat", "gpt-4o")

	w.Need(http.StatusOK, w.ARM("PUT", strings.ToUpper(group), placeBody))
	w.Need(http.StatusOK, w.ARM("PUT", strings.ToLower(account), accountBody))
	w.Need(http.StatusOK, w.ARM("PATCH", strings.ToUpper(account), `{"tags":{"a":"b"}}`))
	for _, id := range []string{group, account, account + "/deployments/Chat"} {
		r := w.Need(http.StatusOK, w.ARM("GET", strings.ToUpper(id), ""))
		if r.Get("id") != id || r.Get("name") != id[strings.LastIndex(id, "/")+1:] {
			t.Errorf("%s comes back as %v, named %v", id, r.Get("id"), r.Get("name"))
		}
	}
	// A child made through another spelling of its parents gets theirs.
	child := w.Need(http.StatusCreated, w.ARM("PUT", strings.ToLower(account)+"/deployments/Second", `{"properties":{"model":{"name":"gpt-4o"}}}`))
	if want := account + "/deployments/Second"; child.Get("id") != want {
		t.Errorf("child is %v, want %s", child.Get("id"), want)
	}
	w.Need(http.StatusOK, w.ARM("DELETE", strings.ToUpper(account), ""))
	w.Need(http.StatusNotFound, w.ARM("GET", account, ""))
}

func TestEtagsGuardWrites(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	id := w.MakeAccount(w.MakeGroup("rg"), "etags")
	call := func(method, header, value, id string) servicetest.Reply {
		body := accountBody
		if method == "DELETE" {
			body = ""
		}
		return w.Do(servicetest.Request{Method: method, URL: servicetest.URL(id), Body: body, As: &w.Owner, Header: http.Header{header: {value}}})
	}
	read := w.ARM("GET", id, "")
	etag := read.Header.Get("ETag")
	if etag == "" || read.Get("etag") != etag {
		t.Fatalf("ETag %q, in the body %v", etag, read.Get("etag"))
	}
	for _, c := range []struct {
		method, header, value string
		missing               bool
		status                int
	}{
		{"PUT", "If-Match", `"stale"`, false, 412},
		{"PATCH", "If-Match", `"stale"`, false, 412},
		{"DELETE", "If-Match", `"stale"`, false, 412},
		{"PUT", "If-None-Match", "*", false, 412},
		{"PUT", "If-None-Match", etag, false, 412},
		{"PUT", "If-None-Match", `"x", ` + etag, false, 412},
		{"PUT", "If-Match", "*", true, 412},
		{"PUT", "If-Match", `"x"`, true, 412},
		{"PUT", "If-None-Match", "*", true, 201},
		{"PUT", "If-None-Match", `"stale"`, false, 200},
		{"PUT", "If-Match", "*", false, 200},
	} {
		at := id
		if c.missing {
			at = strings.TrimSuffix(id, "etags") + "absent"
		}
		r := call(c.method, c.header, c.value, at)
		if r.Status != c.status || c.status == 412 && r.Code() != "PreconditionFailed" {
			t.Errorf("%s with %s: %s, missing %v: %d %s", c.method, c.header, c.value, c.missing, r.Status, r.Body)
		}
	}
	if r := call("PUT", "If-Match", etag, id); r.Status != 412 {
		t.Errorf("an etag outlives a write: %d", r.Status)
	}
	if r := call("PUT", "If-Match", w.ARM("GET", id, "").Header.Get("ETag"), id); r.Status != 200 {
		t.Errorf("the present etag: %d %s", r.Status, r.Body)
	}
}

// Of writers that all saw the same etag one wins.
func TestOneOfConcurrentWritersWins(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	id := w.MakeAccount(w.MakeGroup("rg"), "race")
	etag := w.ARM("GET", id, "").Header.Get("ETag")
	var mu sync.Mutex
	statuses := map[int]int{}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			r := w.Do(servicetest.Request{Method: "PATCH", URL: servicetest.URL(id), As: &w.Owner,
				Body: fmt.Sprintf(`{"tags":{"writer":"%d"}}`, i), Header: http.Header{"If-Match": {etag}}})
			mu.Lock()
			statuses[r.Status]++
			mu.Unlock()
		})
	}
	wg.Wait()
	if statuses[200] != 1 || statuses[412] != 7 {
		t.Errorf("statuses %v, want one 200 and seven 412", statuses)
	}
}

// Source: azure-docs tag-resources.md, "Limitations".
func TestTagsHaveLimits(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	id := w.Subscription + "/resourceGroups/rg"
	many := func(n int) map[string]string {
		tags := map[string]string{}
		for i := range n {
			tags[fmt.Sprint("t", i)] = ""
		}
		return tags
	}
	for _, c := range []struct {
		name string
		tags map[string]string
		code string
	}{
		{"50 tags", many(50), ""},
		{"51 tags", many(51), "InvalidTags"},
		{"name of 512", map[string]string{strings.Repeat("n", 512): ""}, ""},
		{"name of 513", map[string]string{strings.Repeat("n", 513): ""}, "InvalidTagName"},
		{"no name", map[string]string{"": "x"}, "InvalidTagName"},
		{"value of 256", map[string]string{"n": strings.Repeat("v", 256)}, ""},
		{"value of 257", map[string]string{"n": strings.Repeat("v", 257)}, "InvalidTagValue"},
		{"512 characters of three bytes", map[string]string{strings.Repeat("部", 512): strings.Repeat("門", 256)}, ""},
		{"reserved", map[string]string{"a/b": "x"}, "InvalidTagNameCharacters"},
		{"control", map[string]string{"a\tb": "x"}, "InvalidTagNameCharacters"},
		{"one name in two cases", map[string]string{"Env": "x", "env": "y"}, "InvalidTags"},
	} {
		body, _ := json.Marshal(map[string]any{"location": "japaneast", "tags": c.tags})
		r := w.ARM("PUT", id, string(body))
		if c.code == "" && r.Status >= 300 || c.code != "" && (r.Status != 400 || r.Code() != c.code) {
			t.Errorf("%s: %d %.300s", c.name, r.Status, r.Body)
		}
	}
}

func TestPatchReplacesTagsAndMergesTheRest(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group := w.MakeGroup("rg")
	id := w.Make(group+machines+"vm", `{"location":"japaneast","tags":{"a":"1"},"properties":{"big":12345678901234567890,"hardwareProfile":{"vmSize":"B1","x":1}}}`)
	w.Need(200, w.ARM("PATCH", id, `{"tags":{"b":"2"},"properties":{"hardwareProfile":{"vmSize":"B2","x":null}}}`))
	// A null takes nothing away at the top.
	r := w.Need(200, w.ARM("PATCH", id, `{"tags":null,"properties":null,"location":null}`))
	if tags, _ := json.Marshal(r.Get("tags")); string(tags) != `{"b":"2"}` {
		t.Errorf("tags %s", tags)
	}
	if hw, _ := json.Marshal(r.Get("properties", "hardwareProfile")); string(hw) != `{"vmSize":"B2"}` {
		t.Errorf("hardwareProfile %s", hw)
	}
	if !strings.Contains(r.Body, `"big":12345678901234567890`) {
		t.Errorf("a number is not as it was written: %s", r.Body)
	}
	r = w.Need(200, w.ARM("PATCH", id, `{"tags":{}}`))
	if r.Get("tags") != nil {
		t.Errorf("tags stay after {}: %s", r.Body)
	}
}

func TestLocations(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group := w.MakeGroup("rg")
	account := group + accounts + "acc"
	put := func(id, location string) servicetest.Reply {
		return w.ARM("PUT", id, fmt.Sprintf(`{"location":%q,"kind":"OpenAI","sku":{"name":"S0"}}`, location))
	}
	wantError(t, put(account, ""), 400, "LocationRequired")
	wantError(t, put(account, "atlantis"), 400, "LocationNotAvailableForResourceType")
	if r := w.Need(201, put(account, "East US 2")); r.Get("location") != "eastus2" {
		t.Errorf("location %v", r.Get("location"))
	}
	w.Need(200, put(account, "EASTUS2"))
	w.Need(200, put(account, "")) // a PUT may leave out what it can't change
	wantError(t, put(account, "japaneast"), 409, "InvalidResourceLocation")

	// Groups have codes of their own: azure-cli#22242, vscode-azureresourcegroups#33.
	wantError(t, put(w.Subscription+"/resourceGroups/new", "atlantis"), 400, "LocationNotAvailableForResourceGroup")
	r := put(group, "eastus")
	wantError(t, r, 409, "InvalidResourceGroupLocation")
	if want := "Invalid resource group location 'eastus'. The Resource group already exists in location 'japaneast'."; r.Message() != want {
		t.Errorf("message %q", r.Message())
	}
}

// Source: azure-docs resource-name-rules.md.
func TestNames(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group := w.MakeGroup("rg")
	for _, c := range []struct {
		id   string
		good bool
	}{
		{w.Subscription + "/resourceGroups/検証環境-1_(x).y", true},
		{w.Subscription + "/resourceGroups/" + strings.Repeat("g", 90), true},
		{w.Subscription + "/resourceGroups/" + strings.Repeat("g", 91), false},
		{w.Subscription + "/resourceGroups/ends.", false},
		{w.Subscription + "/resourceGroups/a@b", false},
		{group + accounts + "ab", true},
		{group + accounts + "a", false},
		{group + accounts + "-ab", false},
		{group + accounts + strings.Repeat("a", 65), false},
		{group + machines + "vm_1", true},
		{group + machines + "vm 1", false},
		{group + identities + "id1", true},
		{group + identities + "id", false},
		{group + identities + "i.d1", false},
	} {
		r := w.ARM("PUT", c.id, accountBody)
		if c.good && r.Status != 201 || !c.good && (r.Status != 400 || r.Code() != "InvalidResourceName") {
			t.Errorf("%s: %d %.200s", c.id, r.Status, r.Body)
		}
	}
}

func TestGroupsLookLikeAzures(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	r := w.Need(201, w.ARM("PUT", w.Subscription+"/resourceGroups/rg", `{"location":"japaneast","tags":{"a":"b"},"managedBy":"/subscriptions/x","kind":"k","sku":{"name":"S"},"properties":{"junk":1}}`))
	for _, r := range []servicetest.Reply{r, w.ARM("PATCH", w.Subscription+"/resourceGroups/rg", `{"tags":{"a":"c"}}`)} {
		for name := range r.JSON {
			if !slices.Contains([]string{"id", "name", "type", "location", "tags", "managedBy", "properties"}, name) {
				t.Errorf("a group has %q: %s", name, r.Body)
			}
		}
		if p, _ := json.Marshal(r.Get("properties")); string(p) != `{"provisioningState":"Succeeded"}` || r.Get("managedBy") != "/subscriptions/x" ||
			r.Get("type") != "Microsoft.Resources/resourceGroups" || r.Header.Get("ETag") != "" {
			t.Errorf("group: %s %v", r.Body, r.Header)
		}
	}
}

func TestADeletedGroupTakesAllAlong(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group, other := w.MakeGroup("rg"), w.MakeGroup("rg2")
	account := w.MakeAccount(group, "doomed")
	deployment := w.Deploy(account, "chat", "gpt-4o")
	keep := w.MakeAccount(other, "kept")
	vm := w.Need(201, w.ARM("PUT", group+machines+"vm", `{"location":"japaneast","identity":{"type":"SystemAssigned"}}`))
	user := w.Need(201, w.ARM("PUT", group+identities+"user", placeBody))
	key := w.ARM("POST", account+"/listKeys", "").Get("key1").(string)
	grant := w.Grant(w.Principal("p").ID, servicetest.Reader, deployment)
	above := w.Grant(w.Principal("p").ID, servicetest.Reader, other)

	w.Need(200, w.ARM("DELETE", group, ""))
	for _, id := range []string{group, account, deployment, group + machines + "vm", group + identities + "user", grant} {
		w.Need(404, w.ARM("GET", id, ""))
	}
	for _, id := range []string{keep, above} {
		w.Need(200, w.ARM("GET", id, ""))
	}
	for _, principal := range []any{vm.Get("identity", "principalId"), user.Get("properties", "principalId")} {
		if p, err := w.Directory.Principal(t.Context(), principal.(string)); p != nil || err != nil {
			t.Errorf("the principal %v outlives its resource (%v)", p, err)
		}
	}
	if _, ok, err := w.Reader.FindKey(t.Context(), key); ok || err != nil {
		t.Errorf("the key of a deleted account still finds it (%v)", err)
	}
	// The names are free again, the account's once it is purged.
	w.MakeGroup("rg")
	w.Need(200, w.ARM("DELETE", w.Subscription+"/providers/Microsoft.CognitiveServices/locations/japaneast/resourceGroups/rg/deletedAccounts/doomed", ""))
	account = w.MakeAccount(group, "doomed")
	if again := w.ARM("POST", account+"/listKeys", "").Get("key1"); again == key {
		t.Error("a new account has the old one's key")
	}
}
