package search

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/services/search/schema"
	"sekisho/internal/store"
	"sekisho/rbac"
)

// definition is a kind of what is defined on a service's data host: indexes,
// synonym maps, aliases, data sources, skillsets, indexers.
type definition struct {
	path     string // its segment
	singular string // in errors
	kind     string // in the store
	action   string // of Microsoft.Search/searchServices: {action}/read, write, delete
	source   string // of the operations
	// stable and preview are the versions of the API from which on there are such; empty
	// is all.
	stable, preview string
	// limit is how many a tier allows.
	limit func(tier) int
	// plan checks a definition that replaces old, which is nil on creation, and gives
	// it as it is kept. It is pure.
	plan func(c change, old, in json.RawMessage) (json.RawMessage, error)
	// commit writes what belongs to a definition, in its transaction.
	commit func(tx *store.Tx, at place, old, new json.RawMessage) error
	// changed is told after the commit of a change; new is nil after a deletion.
	changed func(at place, new json.RawMessage)
	// view hides what a client may not read again, or a version does not know.
	view func(version string, body json.RawMessage) (map[string]json.RawMessage, error)
	// ask is told of a definition before it is written, and may ask others about it.
	ask func(call *api.Call, at place, new json.RawMessage) error
	// scoped definitions are scopes of role assignments themselves.
	scoped bool
	// secret definitions hold credentials, and are kept sealed.
	secret bool
}

// change is what a request says of a definition beside its body.
type change struct {
	service, version string
	downtime         bool // allowIndexDowntime
	tier             tier
	// ownKeys is set where the service wants all encrypted with the customer's key.
	ownKeys bool
}

// place is a definition on a service.
type place struct{ tenant, service, name string }

func (p place) id() string { return p.service + "/" + p.name }

// operations are the rows of a kind.
func (s *Search) operations(d *definition) []api.Operation {
	one := "/" + d.path + "/{name}"
	name := strings.ToUpper(d.path[:1]) + d.path[1:] + "_"
	row := func(method, pattern, verb, right string, handle func(http.ResponseWriter, *api.Call, *definition) error) api.Operation {
		return api.Operation{Method: method, Pattern: pattern, Name: name + verb, Action: serviceType + "/" + d.action + "/" + right,
			Source: d.source, Keys: true, Checks: d.checks(serviceType + "/" + d.action + "/" + right),
			Handle: s.versioned(func(w http.ResponseWriter, call *api.Call) error {
				if !d.known(versionOf(call)) {
					return notInVersion(call)
				}
				return handle(w, call, d)
			})}
	}
	return []api.Operation{
		row(http.MethodGet, "/"+d.path, "List", "read", s.listDefinitions),
		row(http.MethodPost, "/"+d.path, "Create", "write", s.createDefinition),
		row(http.MethodGet, one, "Get", "read", s.getDefinition),
		row(http.MethodPut, one, "CreateOrUpdate", "write", s.putDefinition),
		row(http.MethodDelete, one, "Delete", "delete", s.deleteDefinition),
	}
}

// known tells whether a version of the API has definitions of the kind.
func (d *definition) known(version string) bool {
	return d.stable == "" || schema.Knows(version, d.stable, d.preview)
}

// notInVersion refuses an operation that other versions of the API have.
func notInVersion(call *api.Call) error {
	return api.BadRequest("InvalidApiVersionParameter", "api-version", "The operation is not available in api-version '%s'.", versionOf(call))
}

// checks asks at the service, or at the index that the path names.
// Source: azure-docs search/search-security-rbac.md, "Grant access to a single index".
func (d *definition) checks(action string) func(*api.Call) ([]api.Check, error) {
	return func(call *api.Call) ([]api.Check, error) {
		scope := call.Target.Scope
		if d.scoped && call.Var("name") != "" {
			scope += rbac.Scope("/" + d.path + "/" + call.Var("name"))
		}
		return []api.Check{{Scope: scope, Action: action}}, nil
	}
}

// names of definitions. Source: azure-docs "Naming rules (Azure AI Search)".
var (
	definitionNames = regexp.MustCompile(`^[a-z0-9]([a-z0-9]|-(?:[a-z0-9])){1,127}$`)
	otherNames      = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_-]{0,126}[A-Za-z0-9])?$`)
)

func serviceName(call *api.Call) string {
	scope := string(call.Target.Scope)
	return strings.ToLower(scope[strings.LastIndexByte(scope, '/')+1:])
}

func placeOf(call *api.Call) place {
	return place{tenant: call.Target.Tenant, service: serviceName(call), name: call.Var("name")}
}

func (s *Search) getDefinition(w http.ResponseWriter, call *api.Call, d *definition) error {
	var rec store.Record
	err := s.store.View(call.Request.Context(), func(tx *store.Tx) (err error) {
		rec, err = s.loadDefinition(tx, d, placeOf(call))
		return err
	})
	if err != nil {
		return d.missing(err, placeOf(call))
	}
	return d.write(w, call, http.StatusOK, rec)
}

// missing tells that there is no such definition.
// Source of the text: Azure/azure-sdk-for-python#13413.
func (d *definition) missing(err error, at place) error {
	if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return api.Errorf(http.StatusNotFound, "", "No %s with the name '%s' was found in the service '%s'.", d.singular, at.name, at.service)
}

// write renders a definition with its context and etag.
func (d *definition) write(w http.ResponseWriter, call *api.Call, status int, rec store.Record) error {
	body, err := d.render(call, rec)
	if err != nil {
		return err
	}
	if metadata(call.Request) != "none" {
		body["@odata.context"] = text(call.URL("/$metadata#" + d.path + "/$entity"))
	}
	w.Header().Set("ETag", etag(rec))
	return writeJSON(w, call, status, body)
}

func (d *definition) render(call *api.Call, rec store.Record) (map[string]json.RawMessage, error) {
	var body map[string]json.RawMessage
	var err error
	if d.view != nil {
		body, err = d.view(versionOf(call), rec.Body)
	} else {
		err = json.Unmarshal(rec.Body, &body)
	}
	if err != nil {
		return nil, err
	}
	body["@odata.etag"] = text(etag(rec))
	return body, nil
}

func text(s string) json.RawMessage {
	raw, _ := json.Marshal(s)
	return raw
}

func etag(rec store.Record) string { return `"0x` + rec.Etag + `"` }

// listDefinitions lists a service's; $select picks top-level properties.
func (s *Search) listDefinitions(w http.ResponseWriter, call *api.Call, d *definition) error {
	var all []store.Record
	err := s.store.View(call.Request.Context(), func(tx *store.Tx) (err error) {
		all, err = tx.List(d.kind, store.Query{Prefix: serviceName(call) + "/"})
		return err
	})
	if err != nil {
		return err
	}
	only := strings.FieldsFunc(call.Request.URL.Query().Get("$select"), func(r rune) bool { return r == ',' || r == ' ' })
	whole := len(only) == 0 || slices.Contains(only, "*")
	values := []map[string]json.RawMessage{}
	for _, rec := range all {
		if err := s.unseal(d, &rec); err != nil {
			return err
		}
		body, err := d.render(call, rec)
		if err != nil {
			return err
		}
		if !whole {
			picked := map[string]json.RawMessage{}
			for _, name := range only {
				if v, ok := body[name]; ok {
					picked[name] = v
				}
			}
			body = picked
		}
		values = append(values, body)
	}
	reply := map[string]any{"value": values}
	if metadata(call.Request) != "none" {
		reply["@odata.context"] = call.URL("/$metadata#" + d.path)
	}
	return writeJSON(w, call, http.StatusOK, reply)
}

func (s *Search) createDefinition(w http.ResponseWriter, call *api.Call, d *definition) error {
	raw, at, err := s.readDefinition(call, "")
	if err != nil {
		return err
	}
	rec, _, err := s.save(call, d, at, raw, "", "*")
	if err != nil {
		return err
	}
	w.Header().Set("Location", call.URL("/"+d.path+"('"+at.name+"')"))
	return d.write(w, call, http.StatusCreated, rec)
}

// putDefinition creates or replaces. Without Prefer: return=representation an
// update answers nothing.
func (s *Search) putDefinition(w http.ResponseWriter, call *api.Call, d *definition) error {
	raw, at, err := s.readDefinition(call, call.Var("name"))
	if err != nil {
		return err
	}
	rec, created, err := s.save(call, d, at, raw, call.Request.Header.Get("If-Match"), call.Request.Header.Get("If-None-Match"))
	switch {
	case err != nil:
		return err
	case created:
		w.Header().Set("Location", call.URL("/"+d.path+"('"+at.name+"')"))
		return d.write(w, call, http.StatusCreated, rec)
	case strings.Contains(strings.ToLower(call.Request.Header.Get("Prefer")), "return=representation"):
		return d.write(w, call, http.StatusOK, rec)
	}
	w.Header().Set("ETag", etag(rec))
	return noContent(w, call)
}

// readDefinition reads a body, and the name in it.
func (s *Search) readDefinition(call *api.Call, path string) (raw json.RawMessage, at place, err error) {
	if raw, err = io.ReadAll(call.Request.Body); err != nil {
		return nil, at, err
	}
	var body map[string]json.RawMessage
	if err := decode(raw, &body); err != nil {
		return nil, at, err
	}
	at = placeOf(call)
	if given, ok := body["name"]; ok {
		if err := json.Unmarshal(given, &at.name); err != nil {
			return nil, at, badInput("name", "The request is invalid. Details: name : The name must be a string.")
		}
	}
	if path != "" && at.name != path {
		return nil, at, badInput("name", "The request is invalid. Details: The name '%s' in the body is not the name '%s' in the URL.", at.name, path)
	}
	if body["name"] == nil {
		body["name"] = text(at.name)
	}
	delete(body, "@odata.context")
	delete(body, "@odata.etag")
	raw, err = json.Marshal(body)
	return raw, at, err
}

// save writes a definition under the conditions of a request.
func (s *Search) save(call *api.Call, d *definition, at place, raw json.RawMessage, ifMatch, ifNoneMatch string) (rec store.Record, created bool, err error) {
	if err := d.checkName(at.name); err != nil {
		return rec, false, err
	}
	c, err := s.changeOf(call)
	if err != nil {
		return rec, false, err
	}
	if d.ask != nil {
		if err := d.ask(call, at, raw); err != nil {
			return rec, false, err
		}
	}
	limit := d.limit(c.tier)
	var body json.RawMessage
	err = s.store.Update(call.Request.Context(), func(tx *store.Tx) error {
		old, err := s.loadDefinition(tx, d, at)
		created = errors.Is(err, store.ErrNotFound)
		if err != nil && !created {
			return err
		}
		if err := precondition(d, at, old, created, ifMatch, ifNoneMatch); err != nil {
			return err
		}
		if created && limit != 0 {
			all, err := tx.List(d.kind, store.Query{Prefix: at.service + "/"})
			if err != nil {
				return err
			}
			if len(all) >= limit {
				// Source: onyourdata.md §0.
				return api.BadRequest("", "name", "%s quota of %d has been exceeded for this service. You must either delete unused %s or upgrade the service (tier %s).",
					strings.ToUpper(d.singular[:1])+d.singular[1:], max(limit, 0), d.path, c.tier.name)
			}
		}
		if body, err = d.plan(c, old.Body, raw); err != nil {
			return err
		}
		if d.commit != nil {
			if err := d.commit(tx, at, old.Body, body); err != nil {
				return err
			}
		}
		rec, err = s.putSealed(tx, d, at, body)
		return err
	})
	if err == nil && d.changed != nil {
		d.changed(at, body)
	}
	return rec, created, err
}

func (d *definition) checkName(name string) error {
	if d.scoped && !definitionNames.MatchString(name) {
		return badInput("name", "Invalid index name: Index name must only contain lowercase letters, digits or dashes, cannot start or end with dashes and is limited to 128 characters.")
	}
	rule, words := otherNames, "letters, digits, underscores or dashes, beginning and ending with a letter or digit, at most 128 characters"
	if d.path == "aliases" {
		rule, words = definitionNames, "2 to 128 lowercase letters, digits or dashes, beginning with a letter or digit, with no dashes in a row"
	}
	if rule.MatchString(name) {
		return nil
	}
	return badInput("name", "The request is invalid. Details: %s name '%s' is invalid: %s.", d.singular, name, words)
}

// precondition holds If-Match and If-None-Match against what is there.
func precondition(d *definition, at place, old store.Record, created bool, ifMatch, ifNoneMatch string) error {
	matches := func(given string) bool { return !created && (given == "*" || given == etag(old)) }
	switch {
	case ifNoneMatch == "*" && !created:
		return api.Errorf(http.StatusConflict, "ResourceNameAlreadyInUse", "Cannot create %s '%s' because it already exists.", d.singular, at.name)
	case ifMatch != "" && !matches(ifMatch), ifNoneMatch != "" && matches(ifNoneMatch):
		return api.Errorf(http.StatusPreconditionFailed, "", "The precondition given in one of the request headers evaluated to false. No change was made to the resource from this request.")
	}
	return nil
}

// changeOf reads what is asked beside the body, and of whom.
func (s *Search) changeOf(call *api.Call) (c change, err error) {
	q := query{values: call.Request.URL.Query()}
	c = change{service: serviceName(call), version: versionOf(call), downtime: q.truth("allowIndexDowntime")}
	if q.bad != nil {
		return c, q.bad
	}
	t, p, err := s.limits(call.Request.Context(), string(call.Target.Scope))
	c.tier, c.ownKeys = t, p.Encryption != nil && p.Encryption.Enforcement == "Enabled"
	return c, err
}

func (s *Search) deleteDefinition(w http.ResponseWriter, call *api.Call, d *definition) error {
	at := placeOf(call)
	err := s.store.Update(call.Request.Context(), func(tx *store.Tx) error {
		old, err := s.loadDefinition(tx, d, at)
		if err != nil {
			return err
		}
		if err := precondition(d, at, old, false, call.Request.Header.Get("If-Match"), ""); err != nil {
			return err
		}
		if d.commit != nil {
			if err := d.commit(tx, at, old.Body, nil); err != nil {
				return err
			}
		}
		return tx.Delete(d.kind, at.id())
	})
	if err != nil {
		return d.missing(err, at)
	}
	if d.changed != nil {
		d.changed(at, nil)
	}
	return noContent(w, call)
}
