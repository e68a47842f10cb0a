// Package graph is Microsoft Graph as far as `az ad` and `az role assignment`
// ask it: users, groups, applications and service principals, read and written.
// Graph does not use Azure RBAC; a caller needs one of Graph's own permissions,
// or a directory role.
package graph

import (
	"encoding/json"
	"io"
	"net/http"
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
)

// Directory is what the directory does beyond keeping documents.
type Directory interface {
	// NewSecret makes a client secret: the text that the client keeps, and what
	// the directory keeps of it.
	NewSecret(name string, start, end time.Time) (text string, credential entra.PasswordCredential)
	// Subject is the name by which an application knows a user (sub).
	Subject(tenant, app, object string) string
}

// Graph is the service.
type Graph struct {
	store     *store.Store
	directory Directory
	now       func() time.Time
}

// New makes the service.
func New(s *store.Store, directory Directory, now func() time.Time) *Graph {
	return &Graph{s, directory, now}
}

// collection is one entity set.
type collection struct {
	path, kind, odataType string
	read                  api.Permission // of the whole set
	one                   api.Permission // of one object
	page                  string         // what its documents begin with
	keys                  []string       // alternate keys, as (key='value')
	hidden                []string       // properties that only $select shows
}

// collections are the entity sets that are served.
var collections = []collection{
	{path: "users", kind: entra.KindUser, odataType: "user", keys: []string{"id", "userPrincipalName"}, hidden: hiddenOfUsers, read: readUsers, one: readProfile, page: "user"},
	{path: "groups", kind: entra.KindGroup, odataType: "group", keys: []string{"id"}, read: readGroups, one: readOneGroup, page: "group"},
	{path: "applications", kind: entra.KindApplication, odataType: "application", keys: []string{"id", "appId"}, read: readApplications, one: readApplication, page: "application"},
	{path: "servicePrincipals", kind: entra.KindServicePrincipal, odataType: "servicePrincipal", keys: []string{"id", "appId"}, read: readApplications, one: readApplication, page: "serviceprincipal"},
}

// directoryObjects are the objects of all collections.
var directoryObjects = collection{path: "directoryObjects", odataType: "directoryObject", read: readDirectory, one: readDirectory, page: "directoryobject"}

// hiddenOfUsers: source resources/user.md, properties returned by default.
var hiddenOfUsers = []string{"accountEnabled", "mailNickname", "onPremisesImmutableId", "createdDateTime", "department", "companyName", "employeeId",
	"employeeType", "city", "state", "country", "postalCode", "streetAddress", "usageLocation", "userType",
	"creationType", "externalUserState", "externalUserStateChangeDateTime", "signInSessionsValidFromDateTime"}

// hiddenOf are the properties that only $select shows of an object with its type.
func hiddenOf(entity map[string]any) []string {
	if entity["@odata.type"] == "#microsoft.graph.user" {
		return hiddenOfUsers
	}
	return nil
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
			entity, err := showIn(tx, record)
			if err != nil {
				return err
			}
			all = append(all, seen(call, c, entity))
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
	return s.replyList(w, call, q, c.path, func(map[string]any) []string { return c.hidden }, matched)
}

// replyList answers with a page of what matched.
func (s *Graph) replyList(w http.ResponseWriter, call *api.Call, q query, context string, hidden func(map[string]any) []string, matched []map[string]any) error {
	body := map[string]any{"@odata.context": call.URL("/v1.0/$metadata#" + context)}
	if q.count {
		body["@odata.count"] = len(matched)
	}
	var next string
	if body["value"], next = q.page(hidden, matched); next != "" {
		body["@odata.nextLink"] = nextLink(call, next)
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

// get answers with one object. The id "$count" is a segment of its own.
func (s *Graph) get(w http.ResponseWriter, call *api.Call, t target) error {
	if t.value == "$count" && t.key == "" && t.kind != "" {
		return s.count(w, call, t.collection)
	}
	q, err := parseQuery(call)
	if err != nil {
		return err
	}
	var c collection
	var entity map[string]any
	err = s.store.View(call.Request.Context(), func(tx *store.Tx) error {
		record, err := t.find(tx, call)
		if err == nil {
			c = collectionOf(record.Kind)
			entity, err = showIn(tx, record)
		}
		return err
	})
	if err != nil {
		return err
	}
	found := q.selected(c.hidden, seen(call, c, entity))
	found["@odata.context"] = call.URL("/v1.0/$metadata#" + t.path + "/$entity")
	if t.kind == "" {
		found["@odata.type"] = "#microsoft.graph." + c.odataType
	}
	return reply(w, call, found)
}

// count is the bare number of entities.
func (s *Graph) count(w http.ResponseWriter, call *api.Call, c collection) error {
	if !eventual(call) {
		return errNoCount
	}
	q, err := parseQuery(call)
	if err != nil {
		return err
	}
	matched, err := s.matching(call, c, q)
	if err != nil {
		return err
	}
	return replyCount(w, call, len(matched))
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
				found = append(found, q.selected(c.hidden, entity))
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
	return replyWith(w, call, http.StatusOK, v)
}

func replyWith(w http.ResponseWriter, call *api.Call, status int, v any) error {
	setHeaders(w, call)
	return arm.WriteJSON(w, status, v)
}

// replyCreated answers with a new object.
func (s *Graph) replyCreated(w http.ResponseWriter, call *api.Call, c collection, record store.Record) error {
	var entity map[string]any
	err := s.store.View(call.Request.Context(), func(tx *store.Tx) (err error) {
		entity, err = showIn(tx, record)
		return err
	})
	if err != nil {
		return err
	}
	return replyNew(w, call, c.path, query{}.selected(c.hidden, entity))
}

// replyNew answers with what was made in a set.
func replyNew(w http.ResponseWriter, call *api.Call, set string, shown map[string]any) error {
	shown["@odata.context"] = call.URL("/v1.0/$metadata#" + set + "/$entity")
	w.Header().Set("Location", call.URL("/v1.0/"+set+"/"+shown["id"].(string)))
	return replyWith(w, call, http.StatusCreated, shown)
}

func noContent(w http.ResponseWriter, call *api.Call) error {
	setHeaders(w, call)
	w.WriteHeader(http.StatusNoContent)
	return nil
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
