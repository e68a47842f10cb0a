package resources_test

import (
	"fmt"
	"strings"
	"testing"

	"sekisho/internal/servicetest"
)

const tagsOf = "/providers/Microsoft.Resources/tags/default"

// Source: Tags_CreateOrUpdateAtScope, Tags_UpdateAtScope: Merge, Replace, Delete.
func TestTagsOfAScope(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group := w.MakeGroup("rg")
	account := w.MakeAccount(group, "acc")
	for _, scope := range []string{w.Subscription, group, account} {
		for i, c := range []struct{ method, body, want string }{
			{"GET", "", "map[]"},
			{"PUT", `{"properties":{"tags":{"Team":"a","env":"dev"}}}`, "map[Team:a env:dev]"},
			{"PATCH", `{"operation":"Merge","properties":{"tags":{"team":"b","new":"x"}}}`, "map[Team:b env:dev new:x]"},
			{"PATCH", `{"operation":"delete","properties":{"tags":{"NEW":"","env":"prod"}}}`, "map[Team:b env:dev]"},
			{"PATCH", `{"operation":"Delete","properties":{"tags":{"env":"dev"}}}`, "map[Team:b]"},
			{"PATCH", `{"operation":"Replace","properties":{"tags":{"only":"one"}}}`, "map[only:one]"},
			{"GET", "", "map[only:one]"},
		} {
			r := w.Need(200, w.ARM(c.method, scope+tagsOf, c.body))
			if got := fmt.Sprint(r.Get("properties", "tags")); got != c.want || r.Get("id") != scope+tagsOf || r.Get("name") != "default" {
				t.Errorf("%d %s: %s, want %s", i, c.method, r.Body, c.want)
			}
			if c.want != "map[]" {
				if got := fmt.Sprint(w.Need(200, w.ARM("GET", scope, "")).Get("tags")); got != c.want {
					t.Errorf("%d: the resource has %s, want %s", i, got, c.want)
				}
			}
		}
		w.Need(200, w.ARM("DELETE", scope+tagsOf, ""))
		if r := w.ARM("GET", scope, ""); r.Get("tags") != nil {
			t.Errorf("deleted: %s", r.Body)
		}
	}
	if r := w.ARM("GET", account, ""); r.Get("properties", "customSubDomainName") != "acc" || r.Get("kind") != "OpenAI" {
		t.Errorf("tags changed more: %s", r.Body)
	}
}

func TestBadTagsAreRefused(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group := w.MakeGroup("rg")
	account := w.MakeAccount(group, "acc")
	deployment := w.Deploy(account, "d", "gpt-4o")
	many := `"x":"y"`
	for i := range 50 {
		many += fmt.Sprintf(`,"t%d":""`, i)
	}
	for _, c := range []struct {
		method, scope, body string
		status              int
		code                string
	}{
		{"PUT", group, `{}`, 400, "InvalidRequestContent"},
		{"PUT", group, `{"properties":{"tags":{"a<b":"x"}}}`, 400, "InvalidTagNameCharacters"},
		{"PUT", group, `{"properties":{"tags":{"a":"x","A":"y"}}}`, 400, "InvalidTags"},
		{"PUT", group, `{"properties":{"tags":{` + many + `}}}`, 400, "InvalidTags"},
		{"PUT", group, `{"properties":{"tags":{"a":"` + strings.Repeat("x", 257) + `"}}}`, 400, "InvalidTagValue"},
		{"PATCH", group, `{"properties":{"tags":{"a":"x"}}}`, 400, "InvalidRequestContent"},
		{"PATCH", group, `{"operation":"Add","properties":{"tags":{"a":"x"}}}`, 400, "InvalidRequestContent"},
		{"PUT", deployment, `{"properties":{"tags":{"a":"x"}}}`, 400, "TagsNotSupported"},
		{"PUT", group + "x", `{"properties":{"tags":{"a":"x"}}}`, 404, "ResourceGroupNotFound"},
		{"DELETE", account + "x", ``, 404, "ResourceNotFound"},
		{"GET", account + "x", ``, 404, "ResourceNotFound"},
	} {
		if r := w.ARM(c.method, c.scope+tagsOf, c.body); r.Status != c.status || r.Code() != c.code {
			t.Errorf("%s %s %s: %d %s", c.method, c.scope, c.body, r.Status, r.Body)
		}
	}
	if r := w.ARM("GET", group, ""); r.Get("tags") != nil {
		t.Errorf("tags: %s", r.Body)
	}
	w.Make(account+"/providers/Microsoft.Authorization/locks/l", `{"properties":{"level":"ReadOnly"}}`)
	for _, method := range []string{"PUT", "DELETE"} {
		if r := w.ARM(method, account+tagsOf, `{"properties":{"tags":{}}}`); r.Status != 409 || r.Code() != "ScopeLocked" {
			t.Errorf("%s under a lock: %d %s", method, r.Status, r.Body)
		}
	}
}

// Source: built-in-roles.md, Tag Contributor: tags without access to the entities.
func TestATagContributorWritesTagsAndNothingElse(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	account := w.MakeAccount(w.MakeGroup("rg"), "acc")
	tagger, reader := w.Principal("tagger"), w.Principal("reader")
	w.Grant(tagger.ID, "4a9ae827-6dc8-4573-8ac7-8239d42aa03f", account)
	w.Grant(reader.ID, servicetest.Reader, account)
	const body = `{"operation":"Merge","properties":{"tags":{"a":"b"}}}`
	w.Need(200, w.ARMAs(tagger, "PATCH", account+tagsOf, body))
	w.Need(403, w.ARMAs(tagger, "PATCH", account, `{"tags":{"a":"b"}}`))
	w.Need(200, w.ARMAs(reader, "GET", account+tagsOf, ""))
	for _, method := range []string{"PUT", "PATCH", "DELETE"} {
		w.Need(403, w.ARMAs(reader, method, account+tagsOf, body))
	}
}
