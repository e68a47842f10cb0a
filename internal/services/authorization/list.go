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
	"sekisho/internal/store"
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
	after, err := skipToken(call)
	if err != nil {
		return err
	}
	f, err := newScoped(s, call)
	if err != nil {
		return err
	}
	var all []access.Assignment
	err = s.store.View(call.Request.Context(), func(tx *store.Tx) error {
		all, err = access.List(tx, f.tenant)
		return err
	})
	if err != nil {
		return err
	}
	if _, err := f.assignment(access.Assignment{}); err != nil { // even of no assignment
		return err
	}
	var views []any
	next, last := "", ""
	for _, a := range all { // in the order of their ids, folded
		if key := strings.ToLower(a.ID); key <= after {
			continue
		}
		if !f.concerns(a.Scope) {
			continue
		}
		ok, err := f.assignment(a)
		if err != nil {
			return err
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

// assignment evaluates the filter on a role assignment.
func (f *scoped) assignment(a access.Assignment) (bool, error) {
	return f.match(a.Scope, func(path string) (any, bool) { return assignmentProperty(a, path) },
		func(who string) bool { return f.is(who, a.PrincipalID) })
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
