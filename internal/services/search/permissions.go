package search

import (
	"slices"

	"sekisho/internal/services/search/schema"
)

// Limits of permissions. Source: azure-ai-docs
// search/search-index-access-control-lists-and-rbac-push-api.md, "Limitations".
const (
	maxGranted = 1000 // users or groups of a document
	maxScopes  = 5    // of all documents of an index
)

// checkPermissions bounds whom a document names.
func checkPermissions(of *schema.Index, values map[string]any, at string) error {
	for _, f := range of.Fields {
		list, _ := values[f.Name].([]any)
		if f.PermissionFilter != "" && len(list) > maxGranted {
			return badInput(f.Name, "The request is invalid. Details: actions : %s: The permission filter field '%s' has %d values. The maximum is %d.", at, f.Name, len(list), maxGranted)
		}
	}
	return nil
}

// tooManyScopes is why a document is not taken.
const tooManyScopes = "The permission filter field of RBAC scopes has too many different values. The maximum is 5 in all documents of an index."

// scopes are the different values that an index has in its field of RBAC scopes.
type scopes struct {
	field string // empty for none
	known map[string]bool
}

func (o *opened) scopes() *scopes {
	s := &scopes{known: map[string]bool{}}
	for _, f := range o.schema().Fields {
		if f.PermissionFilter == "rbacScope" {
			s.field = f.Name
			for _, value := range o.x.Distinct(f.Name) {
				s.known[value] = true
			}
		}
	}
	return s
}

// admit adds the scope of a document; false if there are too many then.
func (s *scopes) admit(values map[string]any) bool {
	given := []any{values[s.field]}
	if list, ok := values[s.field].([]any); ok {
		given = list
	}
	fresh := []string{}
	for _, v := range given {
		if text, ok := v.(string); ok && s.field != "" && !s.known[text] && !slices.Contains(fresh, text) {
			fresh = append(fresh, text)
		}
	}
	if len(fresh) == 0 {
		return true
	}
	if len(s.known)+len(fresh) > maxScopes {
		return false
	}
	for _, text := range fresh {
		s.known[text] = true
	}
	return true
}
