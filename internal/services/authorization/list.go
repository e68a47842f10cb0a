package authorization

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"sekisho/internal/access"
	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/odata"
	"sekisho/internal/store"
	"sekisho/rbac"
)

const skipTokenName = "$skipToken"

// skipToken is the assignment that the page before ended with, folded.
func skipToken(call *api.Call) (string, error) {
	query := call.Request.URL.Query()
	token := query.Get(skipTokenName)
	if token == "" {
		token = query.Get(strings.ToLower(skipTokenName))
	}
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || !utf8.Valid(raw) {
		return "", api.BadRequest("InvalidSkipToken", skipTokenName, "The $skipToken '%s' is not one that a list gave.", token)
	}
	return string(raw), nil
}

func nextLink(call *api.Call, last string) string {
	query := call.Request.URL.Query()
	query.Set(skipTokenName, base64.RawURLEncoding.EncodeToString([]byte(last)))
	return call.URL((&url.URL{Path: call.Path, RawQuery: query.Encode()}).String())
}

// sameTenant takes the query's tenantId if it is the caller's own. Azure has it
// for requests across tenants, which need a delegation that there is none of
// here.
func sameTenant(call *api.Call) error {
	tenant := call.Request.URL.Query().Get("tenantId")
	if tenant == "" || strings.EqualFold(tenant, call.Caller.Tenant) {
		return nil
	}
	return api.BadRequest("InvalidTenantId", "tenantId", "The tenantId '%s' is not the tenant of the access token: there are no delegations across tenants.", tenant)
}

// list gives the assignments at, above and below the scope; atScope() leaves
// out those below.
func (s *Authorization) list(w http.ResponseWriter, call *api.Call) error {
	if err := sameTenant(call); err != nil {
		return err
	}
	f, err := arm.ParseFilter(call)
	if err != nil {
		return err
	}
	after, err := skipToken(call)
	if err != nil {
		return err
	}
	scope, tenant, err := s.place(call.Request.Context(), call)
	if err != nil {
		return err
	}
	snapshot, err := s.access.Snapshot(call.Request.Context())
	if err != nil {
		return err
	}
	var all []access.Assignment
	var tree *access.Tree
	err = s.store.View(call.Request.Context(), func(tx *store.Tx) error {
		if tree, err = access.LoadTree(tx, tenant); err != nil {
			return err
		}
		all, err = access.List(tx, tenant)
		return err
	})
	if err != nil {
		return err
	}
	if _, err := match(f, snapshot, access.Assignment{}, false); err != nil { // even of no assignment
		return arm.BadFilter(err)
	}
	var views []any
	next, last := "", ""
	for _, a := range all { // in the order of their ids, folded
		if key := strings.ToLower(a.ID); key <= after {
			continue
		}
		at := rbac.Scope(a.Scope)
		above := at.Covers(rbac.Scope(scope)) || tree.Above(at, rbac.Scope(scope))
		if !above && !rbac.Scope(scope).Covers(at) {
			continue
		}
		ok, err := match(f, snapshot, a, above)
		if err != nil {
			return arm.BadFilter(err)
		}
		if !ok {
			continue
		}
		if len(views) == s.Limits.Page {
			next = nextLink(call, last)
			break
		}
		views, last = append(views, view(a)), strings.ToLower(a.ID)
	}
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, http.StatusOK, arm.ListReply(views, next))
}

// match evaluates a filter on an assignment; above tells whether it is at or
// above the scope of the list.
func match(f *odata.Filter, s *rbac.Snapshot, a access.Assignment, above bool) (bool, error) {
	return f.Match(odata.Env{
		Get: func(path string) (any, bool) { return assignmentProperty(a, path) },
		Call: func(name string, args []string) (value, ok bool) {
			switch {
			case strings.EqualFold(name, "atScope") && len(args) == 0:
				return above, true
			case strings.EqualFold(name, "assignedTo") && len(args) == 1:
				return assignedTo(s, a, args[0]), true
			}
			return false, false
		},
	})
}

// assignedTo counts a principal's groups, nested ones too.
func assignedTo(s *rbac.Snapshot, a access.Assignment, principal string) bool {
	if strings.EqualFold(a.PrincipalID, principal) {
		return true
	}
	for _, group := range s.GroupsOf(principal) {
		if strings.EqualFold(a.PrincipalID, group) {
			return true
		}
	}
	return false
}

func assignmentProperty(a access.Assignment, path string) (any, bool) {
	switch strings.ToLower(path) {
	case "principalid":
		return a.PrincipalID, true
	case "roledefinitionid":
		return roleID(a.Scope, a.Role), true
	}
	return nil, false
}
