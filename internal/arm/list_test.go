package arm_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"sekisho/internal/servicetest"
)

// pages follows nextLink to the end and gives the names on each page.
func pages(t *testing.T, w *servicetest.World, p servicetest.Principal, path string) (all [][]string) {
	t.Helper()
	link := servicetest.URL(path)
	for range 20 {
		r := w.Need(200, w.Do(servicetest.Request{Method: "GET", URL: link, As: &p}))
		all = append(all, r.Names())
		next, ok := r.Get("nextLink").(string)
		if !ok {
			return all
		}
		if link = next; strings.ContainsFunc(link, func(r rune) bool { return r > 'z' }) {
			t.Fatalf("nextLink is no URL: %s", link)
		}
	}
	t.Fatalf("%s: no end to nextLink", path)
	return nil
}

func TestListsComeInPages(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group := w.MakeGroup("検証(1)") // a name that a URL must escape
	for i := range 5 {
		tag := ""
		if i%2 == 0 {
			tag = `,"tags":{"env":"dev","even":"yes"}`
		}
		w.Make(fmt.Sprintf("%s%sid%d", group, identities, i), `{"location":"japaneast"`+tag+`}`)
	}
	w.Make(group+machines+"vm", `{"location":"eastus"}`)
	list := group + strings.TrimSuffix(identities, "/")
	filter := "&$filter=" + url.QueryEscape("tagName eq 'even' and tagValue eq 'yes'")
	for _, c := range []struct {
		path string
		want string
	}{
		{list, "[[id0 id1 id2 id3 id4]]"},
		{list + "?$top=2", "[[id0 id1] [id2 id3] [id4]]"},
		{list + "?$top=5", "[[id0 id1 id2 id3 id4]]"}, // no link to an empty page
		{list + "?$top=4000", "[[id0 id1 id2 id3 id4]]"},
		{group + "/resources?$top=2" + filter, "[[id0 id2] [id4]]"},
		{w.Subscription + "/providers/Microsoft.Compute/virtualMachines?$top=1", "[[vm]]"},
	} {
		if got := fmt.Sprint(pages(t, w, w.Owner, c.path)); got != c.want {
			t.Errorf("%s: %s, want %s", c.path, got, c.want)
		}
	}
	for query, code := range map[string]string{
		"$top=0": "InvalidTopInQuery", "$top=-1": "InvalidTopInQuery", "$top=x": "InvalidTopInQuery",
		"$skiptoken=%21": "InvalidSkipToken", "$skiptoken=_w": "InvalidSkipToken",
	} {
		wantError(t, w.ARM("GET", list+"?"+query, ""), 400, code)
	}
}

// A resource that is created or deleted between two pages shifts nothing.
func TestPagesHoldWhileTheListChanges(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group := w.MakeGroup("rg")
	for _, name := range []string{"bbb", "ccc", "ddd"} {
		w.Make(group+identities+name, placeBody)
	}
	first := w.ARM("GET", group+strings.TrimSuffix(identities, "/")+"?$top=2", "")
	w.Make(group+identities+"aaa", placeBody)
	w.Need(200, w.ARM("DELETE", group+identities+"ccc", ""))
	rest := w.Do(servicetest.Request{Method: "GET", URL: first.Get("nextLink").(string), As: &w.Owner})
	if !slices.Equal(first.Names(), []string{"bbb", "ccc"}) || !slices.Equal(rest.Names(), []string{"ddd"}) {
		t.Errorf("pages %v, %v", first.Names(), rest.Names())
	}
}

func TestGenericListsAndTheirFilters(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group, other := w.MakeGroup("rg1"), w.MakeGroup("rg2")
	account := w.MakeAccount(group, "acc")
	w.Deploy(account, "child", "gpt-4o")
	w.Make(group+machines+"vm", `{"location":"eastus","tags":{"Env":"dev","a":"b"}}`)
	w.Make(other+identities+"user", placeBody)
	for _, c := range []struct {
		at, filter string
		want       string
	}{
		{w.Subscription, "", "[acc vm user]"},
		{group, "", "[acc vm]"},
		{w.Subscription, "resourceType eq 'microsoft.compute/virtualmachines'", "[vm]"},
		{w.Subscription, "resourceType eq 'Microsoft.Compute/virtualMachines' or name eq 'user'", "[vm user]"},
		{w.Subscription, "resourceGroup eq 'RG2'", "[user]"},
		{w.Subscription, "location eq 'eastus'", "[vm]"},
		{w.Subscription, "tagName eq 'env' and tagValue eq 'dev'", "[vm]"},
		{w.Subscription, "tagName eq 'env' and tagValue eq 'b'", "[]"}, // not of one tag
		{w.Subscription, "resourceType eq 'Microsoft.CognitiveServices/accounts/deployments'", "[]"},
	} {
		r := w.Need(200, w.ARM("GET", c.at+"/resources?$filter="+url.QueryEscape(c.filter), ""))
		if got := fmt.Sprint(r.Names()); got != c.want {
			t.Errorf("%s: %s, want %s", c.filter, got, c.want)
		}
		if strings.Contains(r.Body, `"properties"`) || strings.Contains(r.Body, `"etag"`) {
			t.Errorf("a generic list shows what is the type's own: %s", r.Body)
		}
	}
	for _, filter := range []string{"secret eq 'x'", "name eq", "name like 'x'"} {
		for _, path := range []string{w.Subscription + "/resources", other + "/resources", w.Subscription + "/resourceGroups"} {
			wantError(t, w.ARM("GET", path+"?$filter="+url.QueryEscape(filter), ""), 400, "InvalidFilterInQueryString")
		}
	}
	w.Need(200, w.ARM("PATCH", other, `{"tags":{"team":"x"}}`))
	r := w.Need(200, w.ARM("GET", w.Subscription+"/resourceGroups?$filter="+url.QueryEscape("tagname eq 'team' and tagvalue eq 'x'"), ""))
	if got := fmt.Sprint(r.Names()); got != "[rg2]" {
		t.Errorf("groups by tag: %s", got)
	}
}

func TestListsShowWhatTheCallerMaySee(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	one, two := w.MakeGroup("rg1"), w.MakeGroup("rg2")
	account := w.MakeAccount(one, "acc1")
	w.MakeAccount(one, "acc2")
	w.MakeAccount(two, "acc3")
	deployment := w.Deploy(account, "child", "gpt-4o")
	vm := w.Make(two+machines+"vm", placeBody)

	nobody := w.Principal("nobody")
	user := w.Principal("user of one account")
	w.Grant(user.ID, servicetest.OpenAIUser, account) // has Microsoft.CognitiveServices/*/read
	reader := w.Principal("reader of a group, by a group in a group")
	w.Grant(w.Group("outer", w.Group("inner", reader.ID)), servicetest.Reader, two)
	below := w.Principal("reader of a child")
	w.Grant(below.ID, servicetest.Reader, deployment)

	const ai, compute = "/providers/Microsoft.CognitiveServices/accounts", "/providers/Microsoft.Compute/virtualMachines"
	for _, c := range []struct {
		p    servicetest.Principal
		path string
		want string // "" is 403
	}{
		{nobody, w.Subscription + "/resourceGroups", ""},
		{nobody, w.Subscription + "/resources", ""},
		{nobody, w.Subscription + ai, ""},
		{nobody, one + ai, ""},
		{nobody, one + "/resources", ""},
		{nobody, account + "/deployments", ""},
		// What does not exist tells nobody that it does not.
		{nobody, w.Subscription + "/resourceGroups/absent/resources", ""},
		{nobody, w.Subscription + "/resourceGroups/absent" + ai, ""},
		{user, w.Subscription + "/resourceGroups", ""},
		{user, w.Subscription + ai, "[acc1]"},
		{user, one + ai, "[acc1]"},
		{user, w.Subscription + "/resources", "[acc1]"},
		{user, one + "/resources", "[acc1]"},
		{user, two + "/resources", ""},
		{user, account + "/deployments", "[child]"},
		{user, w.Subscription + compute, ""},
		{reader, w.Subscription + "/resourceGroups", "[rg2]"},
		{reader, w.Subscription + "/resources", "[acc3 vm]"},
		{reader, two + "/resources", "[acc3 vm]"},
		{reader, two + compute, "[vm]"},
		{reader, one + ai, ""},
		{below, w.Subscription + "/resources", ""}, // a child is in no such list
		{w.Owner, w.Subscription + "/resourceGroups", "[rg1 rg2]"},
	} {
		r := w.ARMAs(c.p, "GET", c.path, "")
		switch {
		case c.want == "" && (r.Status != 403 || r.Code() != "AuthorizationFailed"):
			t.Errorf("%s, %s: %d %s, want 403", c.p.Name, c.path, r.Status, r.Names())
		case c.want != "" && (r.Status != 200 || fmt.Sprint(r.Names()) != c.want):
			t.Errorf("%s, %s: %d %s, want %s", c.p.Name, c.path, r.Status, r.Body, c.want)
		}
	}
	// Pages hold what may be seen, and only that.
	if got := fmt.Sprint(pages(t, w, reader, w.Subscription+"/resources?$top=1")); got != "[[acc3] [vm]]" {
		t.Errorf("pages %s", got)
	}
	// A page token opens nothing.
	r := w.ARMAs(nobody, "GET", w.Subscription+"/resources?$skiptoken=L3N1YnNjcmlwdGlvbnM", "")
	wantError(t, r, 403, "AuthorizationFailed")
	if vmRead := w.ARMAs(user, "GET", vm, ""); vmRead.Status != 403 {
		t.Errorf("reads a machine: %d", vmRead.Status)
	}
}
