// Package graph is Microsoft Graph as far as `az role assignment` and
// `az ad sp show` ask it: reading users, groups, applications and service
// principals. Graph does not use Azure RBAC; an application needs one of
// Graph's own permissions.
package graph

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/entra"
	"sekisho/internal/store"
)

// Service is the name of the table.
const Service = "graph"

const (
	maxBody = 4 << 20
	maxIDs  = 1000 // of one getByIds
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
	for _, c := range collections {
		svc.Operations = append(svc.Operations,
			api.Operation{Method: http.MethodGet, Pattern: "/v1.0/" + c.path, Name: c.path + "_List", Source: source, Permission: api.Permission{Roles: c.roles},
				Handle: func(w http.ResponseWriter, call *api.Call) error { return s.list(w, call, c) }},
			api.Operation{Method: http.MethodGet, Pattern: "/v1.0/" + c.path + "/{id}", Name: c.path + "_Get", Source: source, Permission: api.Permission{Roles: c.roles},
				Handle: func(w http.ResponseWriter, call *api.Call) error { return s.get(w, call, c) }})
	}
	svc.Operations = append(svc.Operations,
		api.Operation{Method: http.MethodPost, Pattern: "/v1.0/directoryObjects/getByIds", Name: "directoryObjects_getByIds", Source: source,
			Permission: api.Permission{Roles: directoryRead}, Handle: s.getByIDs},
		// One row for all collections, so it takes only what suffices for each.
		api.Operation{Method: http.MethodGet, Pattern: "/v1.0/{entity}", Name: "directoryObjects_GetByKey", Source: source,
			Permission: api.Permission{Roles: directoryRead}, Handle: s.keyed},
		api.Operation{Method: http.MethodGet, Pattern: "/v1.0/organization", Name: "organization_List", Source: source,
			Permission: api.Permission{Roles: append([]string{"Organization.Read.All"}, directoryRead...)}, Handle: s.organization})
	return svc
}

// collection is one entity set.
type collection struct {
	path, kind, odataType string
	roles                 []string
	names                 []string // properties that /{collection}/{id} also takes
	keys                  []string // alternate keys, as (key='value')
	onSelect              []string // properties that only $select shows
}

var directoryRead = []string{"Directory.Read.All", "Directory.ReadWrite.All"}

// collections are the entity sets that are served.
var collections = []collection{
	{path: "users", kind: entra.KindUser, odataType: "user", names: []string{"userPrincipalName"}, keys: []string{"id", "userPrincipalName"},
		onSelect: []string{"accountEnabled"}, roles: append([]string{"User.Read.All", "User.ReadWrite.All"}, directoryRead...)},
	{path: "groups", kind: entra.KindGroup, odataType: "group", keys: []string{"id"},
		roles: append([]string{"GroupMember.Read.All", "Group.Read.All", "Group.ReadWrite.All"}, directoryRead...)},
	{path: "applications", kind: entra.KindApplication, odataType: "application", keys: []string{"id", "appId"},
		roles: append([]string{"Application.Read.All", "Application.ReadWrite.All"}, directoryRead...)},
	{path: "servicePrincipals", kind: entra.KindServicePrincipal, odataType: "servicePrincipal", keys: []string{"id", "appId"},
		roles: append([]string{"Application.Read.All", "Application.ReadWrite.All"}, directoryRead...)},
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
	q, err := parseQuery(call)
	if err != nil {
		return err
	}
	matched, err := s.matching(call, c, q)
	if err != nil {
		return err
	}
	body := map[string]any{"@odata.context": call.URL("/v1.0/$metadata#" + c.path)}
	if q.count {
		body["@odata.count"] = len(matched)
	}
	var next string
	if body["value"], next = q.page(c, matched); next != "" {
		body["@odata.nextLink"] = nextLink(call, c, next)
	}
	return reply(w, call, body)
}

// matching are the entities that the filter lets through, in the order of ids.
func (s *Graph) matching(call *api.Call, c collection, q query) ([]map[string]any, error) {
	entities, err := s.entities(call, c)
	if err != nil {
		return nil, err
	}
	blank, err := show(c.kind, store.Record{Body: []byte("{}")})
	if err != nil {
		return nil, err
	}
	if _, err := q.match(blank); err != nil { // in an empty collection, too
		return nil, err
	}
	var matched []map[string]any
	for _, entity := range entities {
		ok, err := q.match(entity)
		if err != nil {
			return nil, err
		}
		if ok {
			matched = append(matched, entity)
		}
	}
	return matched, nil
}

// get finds one by object id; a user also by UPN. The id "$count" is a segment
// of its own.
func (s *Graph) get(w http.ResponseWriter, call *api.Call, c collection) error {
	id := call.Var("id")
	if id == "$count" {
		return s.count(w, call, c)
	}
	if c.kind != entra.KindUser && uuid.Validate(id) != nil {
		return api.BadRequest("Request_BadRequest", "id", "Invalid object identifier '%s'.", id)
	}
	return s.find(w, call, c, append([]string{"id"}, c.names...), id)
}

// keyed serves users('upn') and servicePrincipals(appId='…'): the key in
// parentheses, as az writes a UPN with odd characters.
// Source: microsoft-graph-docs-contrib user-get.md, serviceprincipal-get.md.
func (s *Graph) keyed(w http.ResponseWriter, call *api.Call) error {
	segment := call.Var("entity")
	path, rest, _ := strings.Cut(segment, "(")
	name, value, ok := parseKey(rest)
	for _, c := range collections {
		if !ok || !strings.EqualFold(c.path, path) {
			continue
		}
		if name == "" {
			return s.find(w, call, c, append([]string{"id"}, c.names...), value)
		}
		if slices.Contains(c.keys, name) {
			return s.find(w, call, c, []string{name}, value)
		}
	}
	return api.BadRequest("BadRequest", "", "Resource not found for the segment '%s'.", segment)
}

// parseKey reads what follows the opening parenthesis: 'value') or name='value').
func parseKey(text string) (name, value string, ok bool) {
	name, rest, ok := strings.Cut(text, "'")
	quoted, closed := strings.CutSuffix(rest, "')")
	name, named := strings.CutSuffix(name, "=")
	value = strings.ReplaceAll(quoted, "''", "'")
	lone := strings.Contains(strings.ReplaceAll(quoted, "''", ""), "'")
	return name, value, ok && closed && !lone && value != "" && named == (name != "")
}

// find gives the entity one of whose properties is value.
func (s *Graph) find(w http.ResponseWriter, call *api.Call, c collection, properties []string, value string) error {
	q, err := parseQuery(call)
	if err != nil {
		return err
	}
	entities, err := s.entities(call, c)
	if err != nil {
		return err
	}
	for _, entity := range entities {
		for _, property := range properties {
			if have, _ := entity[property].(string); strings.EqualFold(have, value) {
				found := q.selected(c, entity)
				found["@odata.context"] = call.URL("/v1.0/$metadata#" + c.path + "/$entity")
				return reply(w, call, found)
			}
		}
	}
	return errNotFound(value)
}

// count is the bare number of entities.
func (s *Graph) count(w http.ResponseWriter, call *api.Call, c collection) error {
	if !eventual(call) {
		return api.BadRequest("Request_BadRequest", "", "$count is not currently supported.")
	}
	q, err := parseQuery(call)
	if err != nil {
		return err
	}
	matched, err := s.matching(call, c, q)
	if err != nil {
		return err
	}
	setHeaders(w, call)
	w.Header().Set("Content-Type", "text/plain")
	_, err = io.WriteString(w, strconv.Itoa(len(matched)))
	return err
}

// getByIDs finds objects of any type by object id.
// Source: microsoft-graph-docs-contrib directoryobject-getbyids.md.
func (s *Graph) getByIDs(w http.ResponseWriter, call *api.Call) error {
	raw, err := io.ReadAll(call.Request.Body)
	if err != nil {
		return err
	}
	var in struct {
		IDs   []string `json:"ids"`
		Types []string `json:"types"`
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		return api.BadRequest("BadRequest", "", "Unable to read JSON request payload: %v.", err)
	}
	if len(in.IDs) == 0 || len(in.IDs) > maxIDs {
		return api.BadRequest("Request_BadRequest", "ids", "ids must name 1 to %d objects; it names %d.", maxIDs, len(in.IDs))
	}
	q, err := parseQuery(call)
	if err != nil {
		return err
	}
	wanted := map[string]bool{}
	for _, id := range in.IDs {
		if uuid.Validate(id) != nil {
			return api.BadRequest("Request_BadRequest", "ids", "Invalid GUID:%s", id)
		}
		wanted[strings.ToLower(id)] = true
	}
	found := []any{}
	for _, c := range collections {
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
				found = append(found, q.selected(c, entity))
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
		if status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", `Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", client_id="`+entra.GraphAppID+`"`)
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
