package storage_test

import (
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/services/storage"
)

// What a row says that it may ask for is what it asks for when a request has all that
// asks for more, and nothing else; but that creating suffices is known only when there
// is no blob.
func TestFurtherActionsAreThoseThatAreAskedFor(t *testing.T) {
	const add = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/add/action"
	tables := storage.New(arm.NewKeys(nil, nil), nil, nil, storage.Options{Now: time.Now})
	for _, service := range []api.Service{tables.DataPlane(), tables.Lake()} {
		for _, op := range service.Operations {
			if op.Checks == nil || op.Name == "Path_Create" { // which looks whether there is a path
				continue
			}
			asked := requestOf(op, service.Name)
			r := httptest.NewRequest(asked.Method, asked.URL+"&include=tags", nil)
			r.Header = asked.Header
			for _, line := range []string{"x-ms-if-tags: \"a\" = '1'", "x-ms-tags: a=1", "x-ms-copy-source-tag-option: COPY", "x-ms-owner: $superuser", "x-ms-acl: user::rwx"} {
				name, value, _ := strings.Cut(line, ": ")
				r.Header.Set(name, value)
			}
			call := &api.Call{Request: r, Operation: &op, Vars: map[string]string{"container": "con", "blob": "blob"}, Caller: api.Caller{Credential: api.SharedKey},
				Target: api.Target{Service: service.Name, Scope: "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/lake"}}
			checks, err := op.Checks(call)
			if err != nil {
				t.Errorf("%s: %v", op.Name, err)
				continue
			}
			var further []string
			for _, check := range checks {
				for _, action := range []string{check.Action, check.Or} {
					if action != "" && action != op.Action && check.Data == op.Data && !slices.Contains(further, action) {
						further = append(further, action)
					}
				}
			}
			told := slices.DeleteFunc(slices.Clone(op.Further), func(action string) bool { return action == add && !slices.Contains(further, add) })
			slices.Sort(further)
			slices.Sort(told)
			if !slices.Equal(further, told) {
				t.Errorf("%s asks for %q, and tells %q", op.Name, further, told)
			}
		}
	}
}
