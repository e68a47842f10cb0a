// Package graph is Microsoft Graph as far as `az role assignment` and
// `az ad sp show` ask it: reading users, groups, applications and service
// principals. Graph does not use Azure RBAC; an application needs one of
// Graph's own permissions.
package graph

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/entra"
	"sekisho/internal/odata"
	"sekisho/internal/store"
)

// Service is the name of the table.
const Service = "graph"

const (
	maxBody = 4 << 20
	// source names the permissions that each call needs.
	source = "microsoft-graph-docs-contrib api-reference/v1.0, Permissions of each method (Application)"
)

// Graph is the service.
type Graph struct{ store *store.Store }

// New makes the service.
func New(s *store.Store) *Graph { return &Graph{s} }

// Service is its table.
func (s *Graph) Service() api.Service {
	svc := api.Service{Name: Service, Audiences: []string{"https://graph.microsoft.com", entra.GraphAppID}, MaxBody: maxBody, WriteError: writeError}
	directory := []string{"Directory.Read.All", "Directory.ReadWrite.All"}
	for _, c := range []collection{
		{"users", entra.KindUser, "user", append([]string{"User.Read.All", "User.ReadWrite.All"}, directory...)},
		{"groups", entra.KindGroup, "group", append([]string{"GroupMember.Read.All", "Group.Read.All", "Group.ReadWrite.All"}, directory...)},
		{"applications", entra.KindApplication, "application", append([]string{"Application.Read.All", "Application.ReadWrite.All"}, directory...)},
		{"servicePrincipals", entra.KindServicePrincipal, "servicePrincipal", append([]string{"Application.Read.All", "Application.ReadWrite.All"}, directory...)},
	} {
		svc.Operations = append(svc.Operations,
			api.Operation{Method: http.MethodGet, Pattern: "/v1.0/" + c.path, Name: c.path + "_List", Source: source, Roles: c.roles,
				Handle: func(w http.ResponseWriter, call *api.Call) error { return s.list(w, call, c) }},
			api.Operation{Method: http.MethodGet, Pattern: "/v1.0/" + c.path + "/{id}", Name: c.path + "_Get", Source: source, Roles: c.roles,
				Handle: func(w http.ResponseWriter, call *api.Call) error { return s.get(w, call, c) }})
	}
	svc.Operations = append(svc.Operations,
		api.Operation{Method: http.MethodPost, Pattern: "/v1.0/directoryObjects/getByIds", Name: "directoryObjects_getByIds", Source: source,
			Roles: directory, Handle: s.getByIDs},
		api.Operation{Method: http.MethodGet, Pattern: "/v1.0/organization", Name: "organization_List", Source: source,
			Roles: append([]string{"Organization.Read.All"}, directory...), Handle: s.organization})
	return svc
}

// collection is one entity set.
type collection struct {
	path, kind, odataType string
	roles                 []string
}

// entities reads all of a kind in the caller's tenant, as Graph shows them.
func (s *Graph) entities(call *api.Call, c collection) (all []map[string]any, err error) {
	err = s.store.View(call.Request.Context(), func(tx *store.Tx) error {
		records, err := tx.List(c.kind, store.Query{})
		if err != nil {
			return err
		}
		all = nil
		for _, record := range records {
			if !strings.EqualFold(record.Tenant, call.Caller.Tenant) {
				continue
			}
			entity, err := show(c.kind, record)
			if err != nil {
				return err
			}
			all = append(all, entity)
		}
		return nil
	})
	return all, err
}

func (s *Graph) list(w http.ResponseWriter, call *api.Call, c collection) error {
	filter, err := parseFilter(call)
	if err != nil {
		return err
	}
	entities, err := s.entities(call, c)
	if err != nil {
		return err
	}
	found := []any{}
	for _, entity := range entities {
		ok, err := filter.Match(odata.Env{Get: func(path string) (any, bool) { v, ok := entity[path]; return v, ok }})
		if err != nil {
			return api.BadRequest("Request_UnsupportedQuery", "$filter", "Unsupported or invalid query filter clause: %v.", err)
		}
		if ok {
			found = append(found, selected(call, entity))
		}
	}
	return reply(w, call, map[string]any{"@odata.context": call.URL("/v1.0/$metadata#" + c.path), "value": found})
}

func parseFilter(call *api.Call) (*odata.Filter, error) {
	text := call.Request.URL.Query().Get("$filter")
	if text == "" {
		return nil, nil
	}
	f, err := odata.Parse(text)
	if err != nil {
		return nil, api.BadRequest("BadRequest", "$filter", "Invalid filter clause: %v", err)
	}
	return f, nil
}

// get finds one by object id; a user also by UPN, a service principal or an
// application by appId='…' or appId=….
func (s *Graph) get(w http.ResponseWriter, call *api.Call, c collection) error {
	entities, err := s.entities(call, c)
	if err != nil {
		return err
	}
	id := call.Var("id")
	for _, entity := range entities {
		if upn, _ := entity["userPrincipalName"].(string); strings.EqualFold(entity["id"].(string), id) || upn != "" && strings.EqualFold(upn, id) {
			return reply(w, call, withContext(call, c.path+"/$entity", selected(call, entity)))
		}
	}
	return api.Errorf(http.StatusNotFound, "Request_ResourceNotFound",
		"Resource '%s' does not exist or one of its queried reference-property objects are not present.", id)
}

func withContext(call *api.Call, what string, entity map[string]any) map[string]any {
	out := map[string]any{"@odata.context": call.URL("/v1.0/$metadata#" + what)}
	for k, v := range entity {
		out[k] = v
	}
	return out
}

// selected leaves what $select names.
func selected(call *api.Call, entity map[string]any) map[string]any {
	names := call.Request.URL.Query().Get("$select")
	if names == "" {
		return entity
	}
	out := map[string]any{}
	for name := range strings.SplitSeq(names, ",") {
		if v, ok := entity[strings.TrimSpace(name)]; ok {
			out[strings.TrimSpace(name)] = v
		}
	}
	return out
}

// getByIDs finds principals of any type by object id.
func (s *Graph) getByIDs(w http.ResponseWriter, call *api.Call) error {
	var in struct {
		IDs   []string `json:"ids"`
		Types []string `json:"types"`
	}
	if err := json.NewDecoder(call.Request.Body).Decode(&in); err != nil {
		return api.BadRequest("BadRequest", "", "Unable to read JSON request payload: %v.", err)
	}
	if len(in.IDs) == 0 || len(in.IDs) > 1000 {
		return api.BadRequest("Request_BadRequest", "ids", "ids must name 1 to 1000 objects; it names %d.", len(in.IDs))
	}
	wanted := map[string]bool{}
	for _, id := range in.IDs {
		wanted[strings.ToLower(id)] = true
	}
	found := []any{}
	for _, c := range []collection{{kind: entra.KindUser, odataType: "user"}, {kind: entra.KindGroup, odataType: "group"}, {kind: entra.KindServicePrincipal, odataType: "servicePrincipal"}} {
		if !wants(in.Types, c.odataType) {
			continue
		}
		entities, err := s.entities(call, c)
		if err != nil {
			return err
		}
		for _, entity := range entities {
			if wanted[strings.ToLower(entity["id"].(string))] {
				entity["@odata.type"] = "#microsoft.graph." + c.odataType
				found = append(found, entity)
			}
		}
	}
	return reply(w, call, map[string]any{"@odata.context": call.URL("/v1.0/$metadata#directoryObjects"), "value": found})
}

func wants(types []string, name string) bool {
	for _, t := range types {
		if strings.EqualFold(t, name) || strings.EqualFold(t, "directoryObject") {
			return true
		}
	}
	return len(types) == 0
}

func (s *Graph) organization(w http.ResponseWriter, call *api.Call) error {
	var t entra.Tenant
	err := s.store.View(call.Request.Context(), func(tx *store.Tx) (err error) {
		t, _, err = store.Load[entra.Tenant](tx, entra.KindTenant, call.Caller.Tenant)
		return err
	})
	if err != nil {
		return err
	}
	domains := []any{}
	for i, name := range t.Domains {
		domains = append(domains, map[string]any{"name": name, "isDefault": i == 0, "isInitial": i == len(t.Domains)-1, "type": "Managed"})
	}
	return reply(w, call, map[string]any{"@odata.context": call.URL("/v1.0/$metadata#organization"),
		"value": []any{map[string]any{"id": t.ID, "displayName": t.DisplayName, "verifiedDomains": domains}}})
}

func reply(w http.ResponseWriter, call *api.Call, v any) error {
	setHeaders(w, call)
	return arm.WriteJSON(w, http.StatusOK, v)
}

func setHeaders(w http.ResponseWriter, call *api.Call) {
	w.Header().Set("request-id", call.ID)
	w.Header().Set("client-request-id", clientRequestID(call))
	w.Header().Set("OData-Version", "4.0")
	w.Header().Set("Cache-Control", "no-cache")
}

func clientRequestID(call *api.Call) string {
	if id := call.Request.Header.Get("client-request-id"); id != "" {
		return id
	}
	return call.ID
}

// writeError renders an error as Graph does.
// Source: microsoft-graph-docs-contrib concepts/errors.md.
func writeError(w http.ResponseWriter, call *api.Call, err error) {
	setHeaders(w, call)
	status, code, text := http.StatusInternalServerError, "InternalServerError", "The server failed."
	inner := map[string]any{"date": time.Now().UTC().Format("2006-01-02T15:04:05"), "request-id": call.ID, "client-request-id": clientRequestID(call)}
	var refused *api.Refusal
	var e *api.Error
	switch {
	case errors.As(err, &refused):
		for k, v := range refused.Inner() {
			inner[k] = v
		}
		switch refused.Reason {
		case api.NotPermitted:
			status, code, text = http.StatusForbidden, "Authorization_RequestDenied", "Insufficient privileges to complete the operation."
		case api.NoCredential:
			status, code, text = http.StatusUnauthorized, "InvalidAuthenticationToken", "Access token is empty."
		default:
			status, code, text = http.StatusUnauthorized, "InvalidAuthenticationToken", "Access token validation failure. "+refused.Cause
		}
	case errors.As(err, &e):
		status, code, text = e.Status, e.Code, e.Message
		if e.Code == api.CodeNoRoute || e.Code == api.CodeMethodNotAllowed {
			status, code, text = http.StatusBadRequest, "BadRequest", "Resource not found for the segment '"+lastSegment(call)+"'. Sekisho does not serve this call of Microsoft Graph."
		}
	}
	arm.WriteJSON(w, status, map[string]any{"error": map[string]any{"code": code, "message": text, "innerError": inner}})
}

func lastSegment(call *api.Call) string {
	return call.Request.URL.Path[strings.LastIndex(call.Request.URL.Path, "/")+1:]
}
