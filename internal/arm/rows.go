package arm

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/store"
	"sekisho/rbac"
)

const (
	subscriptionPath = "/subscriptions/{subscriptionId}"
	groupPath        = subscriptionPath + "/resourceGroups/{resourceGroupName}"
)

// Operations are the rows of all registered types.
func (m *Manager) Operations() []api.Operation {
	var rows []api.Operation
	for _, t := range m.registry.All() {
		rows = append(rows, m.rows(t)...)
	}
	return rows
}

// actionName is the type as it stands in actions: of resource groups,
// "Microsoft.Resources/subscriptions/resourceGroups".
func (t *Type) actionName() string {
	if t.Name == TypeGroup {
		return "Microsoft.Resources/subscriptions/resourceGroups"
	}
	return t.Name
}

// collection is the path of a list, and pattern that of one resource.
func (t *Type) collection() string {
	if t.Name == TypeGroup {
		return subscriptionPath + "/resourceGroups"
	}
	path := groupPath + "/providers/" + t.Namespace()
	types := t.segments()
	for _, name := range types[:len(types)-1] {
		path += "/" + name + "/{" + variable(name) + "}"
	}
	return path + "/" + types[len(types)-1]
}

func (t *Type) pattern() string {
	if t.Name == TypeGroup {
		return groupPath
	}
	types := t.segments()
	return t.collection() + "/{" + variable(types[len(types)-1]) + "}"
}

// variable is the name of the path variable of a type segment: accountName.
func variable(segment string) string { return strings.TrimSuffix(segment, "s") + "Name" }

func (m *Manager) rows(t *Type) []api.Operation {
	types := t.segments()
	label := types[len(types)-1]
	row := func(method, pattern, verb, name string, handle func(http.ResponseWriter, *api.Call) error) api.Operation {
		return api.Operation{Method: method, Pattern: pattern, Name: label + "_" + name, Action: t.actionName() + "/" + verb,
			Source: t.Source, Checks: pathChecks(t.actionName() + "/" + verb), Handle: handle}
	}
	write := func(method, name string, handle func(http.ResponseWriter, *api.Call) error) api.Operation {
		op := row(method, t.pattern(), "write", name, handle)
		if t.Identities {
			op.Checks = identityChecks(op.Action)
		}
		return op
	}
	get := func(w http.ResponseWriter, call *api.Call) error { return m.handleGet(w, call, t) }
	rows := []api.Operation{
		write(http.MethodPut, "CreateOrUpdate", func(w http.ResponseWriter, call *api.Call) error { return m.handlePut(w, call, t) }),
		write(http.MethodPatch, "Update", func(w http.ResponseWriter, call *api.Call) error { return m.handlePatch(w, call, t) }),
		row(http.MethodGet, t.pattern(), "read", "Get", get),
		row(http.MethodHead, t.pattern(), "read", "CheckExistence", func(w http.ResponseWriter, call *api.Call) error { return m.handleHead(w, call) }),
		row(http.MethodDelete, t.pattern(), "delete", "Delete", func(w http.ResponseWriter, call *api.Call) error { return m.handleDelete(w, call, t) }),
	}
	list := func(pattern, name string) {
		op := row(http.MethodGet, pattern, "read", name, func(w http.ResponseWriter, call *api.Call) error { return m.handleList(w, call, t) })
		op.Filtered = !t.child()
		rows = append(rows, op)
	}
	list(t.collection(), "List")
	if !t.child() && t.Name != TypeGroup {
		list(subscriptionPath+"/providers/"+t.Name, "ListBySubscription")
	}
	for _, op := range t.Actions {
		op.Pattern = t.pattern() + "/" + op.Pattern
		op.Source = t.Source
		if op.Checks == nil {
			op.Checks = pathChecks(op.Action)
		}
		rows = append(rows, op)
	}
	return rows
}

// pathChecks asks for the action at the resource, or the parent of the list,
// that the path names.
func pathChecks(action string) func(*api.Call) ([]api.Check, error) {
	return func(call *api.Call) ([]api.Check, error) {
		return []api.Check{{Scope: PathScope(call), Action: action}}, nil
	}
}

// PathScope is the resource that the path of a call names, without the type of
// a list or the verb of an action at its end.
func PathScope(call *api.Call) rbac.Scope {
	path := strings.Split(strings.TrimPrefix(call.Path, "/"), "/")
	if i := lastIndexFold(path, "providers"); i >= 0 {
		named := 2 + (len(path)-i-2)/2*2 // providers, namespace, then pairs of type and name
		if named == 2 {
			named = 0 // a list of a whole type: the scope is what it hangs on
		}
		return rbac.Scope("/" + strings.Join(path[:i+named], "/"))
	}
	return rbac.Scope("/" + strings.Join(path[:len(path)/2*2], "/"))
}

// SubscriptionChecks asks for the action at the subscription of the path.
func SubscriptionChecks(action string) func(*api.Call) ([]api.Check, error) {
	return func(call *api.Call) ([]api.Check, error) {
		return []api.Check{{Scope: rbac.Scope("/subscriptions/" + call.Var("subscriptionId")), Action: action}}, nil
	}
}

func lastIndexFold(path []string, s string) int {
	for i := len(path) - 1; i >= 0; i-- {
		if strings.EqualFold(path[i], s) {
			return i
		}
	}
	return -1
}

// identityChecks adds the linked scopes: to let a resource bear a
// user-assigned identity, the caller must be allowed to assign that one.
// Source: Managed Identity Operator, userAssignedIdentities/*/assign/action.
func identityChecks(action string) func(*api.Call) ([]api.Check, error) {
	return func(call *api.Call) ([]api.Check, error) {
		checks := []api.Check{{Scope: PathScope(call), Action: action}}
		body, err := PeekBody(call)
		if err != nil {
			return nil, err
		}
		var in struct {
			Identity *Identity `json:"identity"`
		}
		if json.Unmarshal(body, &in) != nil || in.Identity == nil {
			return checks, nil // the handler tells what is wrong with the body
		}
		for id, identity := range in.Identity.UserAssigned {
			if identity != nil {
				checks = append(checks, api.Check{Scope: rbac.Scope(id), Action: "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"})
			}
		}
		return checks, nil
	}
}

// PeekBody reads the body and puts it back for the handler.
func PeekBody(call *api.Call) ([]byte, error) {
	var buf bytes.Buffer
	if _, err := buf.ReadFrom(call.Request.Body); err != nil {
		return nil, err
	}
	call.Request.Body = readCloser{bytes.NewReader(buf.Bytes())}
	return buf.Bytes(), nil
}

type readCloser struct{ *bytes.Reader }

func (readCloser) Close() error { return nil }

func (m *Manager) handlePut(w http.ResponseWriter, call *api.Call, t *Type) error {
	var in Resource
	if err := ReadBody(call, &in); err != nil {
		return err
	}
	return m.put(w, call, t, func(*Resource) (*Resource, error) { fresh := in; return &fresh, nil })
}

func (m *Manager) handlePatch(w http.ResponseWriter, call *api.Call, t *Type) error {
	var patch map[string]any
	if err := ReadBody(call, &patch); err != nil {
		return err
	}
	return m.put(w, call, t, func(old *Resource) (*Resource, error) {
		if old == nil {
			return nil, notFoundAt(call.Path)
		}
		return merge(old, patch)
	})
}

func (m *Manager) put(w http.ResponseWriter, call *api.Call, t *Type, change func(*Resource) (*Resource, error)) error {
	res, created, err := m.Put(call.Request.Context(), Write{
		Type: t, ID: call.Path, Caller: call.Caller, Change: change,
		IfMatch: call.Request.Header.Get("If-Match"), IfNoneMatch: call.Request.Header.Get("If-None-Match"),
	})
	if err != nil {
		return err
	}
	status := http.StatusOK
	if created {
		status = http.StatusCreated
	}
	return m.reply(w, call, t, status, res)
}

// merge applies a JSON merge patch (RFC 7396) to what a client may change;
// tags are replaced as a whole, as ARM does.
func merge(old *Resource, patch map[string]any) (*Resource, error) {
	raw, err := json.Marshal(old)
	if err != nil {
		return nil, err
	}
	var current map[string]any
	if err := json.Unmarshal(raw, &current); err != nil {
		return nil, err
	}
	for _, field := range []string{"tags", "sku", "identity", "properties", "kind"} {
		value, given := patch[field]
		switch {
		case !given:
		case field == "tags":
			current[field] = value
		case field == "identity":
			current[field] = mergeIdentity(current[field], value)
		default:
			current[field] = mergeValue(current[field], value)
		}
	}
	if raw, err = json.Marshal(current); err != nil {
		return nil, err
	}
	merged := &Resource{}
	if err := json.Unmarshal(raw, merged); err != nil {
		return nil, badJSON(err, "")
	}
	return merged, nil
}

// mergeIdentity lets a PATCH take all user-assigned identities away by a type
// that has none.
func mergeIdentity(old, patch any) any {
	merged, ok := mergeValue(old, patch).(map[string]any)
	if !ok {
		return nil
	}
	given, _ := patch.(map[string]any)
	kind, _ := given["type"].(string)
	if _, named := given["userAssignedIdentities"]; kind != "" && !named && !strings.Contains(strings.ToLower(kind), "userassigned") {
		delete(merged, "userAssignedIdentities")
	}
	return merged
}

func mergeValue(old, patch any) any {
	p, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	merged := map[string]any{}
	if o, ok := old.(map[string]any); ok {
		for k, v := range o {
			merged[k] = v
		}
	}
	for k, v := range p {
		if v == nil {
			delete(merged, k)
		} else {
			merged[k] = mergeValue(merged[k], v)
		}
	}
	return merged
}

func (m *Manager) handleGet(w http.ResponseWriter, call *api.Call, t *Type) error {
	res, err := m.Find(call.Request.Context(), string(PathScope(call)))
	if err != nil {
		return err
	}
	return m.reply(w, call, t, http.StatusOK, res)
}

func (m *Manager) handleHead(w http.ResponseWriter, call *api.Call) error {
	if _, err := m.Find(call.Request.Context(), string(PathScope(call))); err != nil {
		return err
	}
	WriteHeaders(w, call)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (m *Manager) handleDelete(w http.ResponseWriter, call *api.Call, t *Type) error {
	id := string(PathScope(call))
	found, err := m.Delete(call.Request.Context(), id, call.Request.Header.Get("If-Match"))
	if err != nil {
		return err
	}
	if !found && t.Name == TypeGroup {
		return notFoundAt(id)
	}
	WriteHeaders(w, call)
	if found {
		w.WriteHeader(http.StatusOK)
	} else {
		w.WriteHeader(http.StatusNoContent)
	}
	return nil
}

// Find reads a resource, or tells in ARM's words that it does not exist.
func (m *Manager) Find(ctx context.Context, id string) (*Resource, error) {
	res, ok, err := m.reader.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, notFoundAt(id)
	}
	return res, nil
}

func notFoundAt(path string) error {
	id, err := rbac.ParseID(path)
	switch {
	case err != nil:
		return api.BadRequest("InvalidResourceId", "id", "The resource id '%s' is invalid: %v.", path, err)
	case id.Provider != "":
		return NotFound(id)
	case id.ResourceGroup != "":
		return groupNotFound(id.ResourceGroup)
	default:
		return SubscriptionNotFound(id.Subscription)
	}
}

// Children are the resources of a type right below another.
func (m *Manager) Children(ctx context.Context, parent, typeName string) ([]*Resource, error) {
	all, err := m.Below(ctx, parent)
	return slices.DeleteFunc(all, func(r *Resource) bool { return !strings.EqualFold(r.Type, typeName) }), err
}

// Below are all resources of a subscription or group.
func (m *Manager) Below(ctx context.Context, scope string) (all []*Resource, err error) {
	err = m.store.View(ctx, func(tx *store.Tx) error {
		all, err = decodeAll(tx.List(kindResource, store.Query{Prefix: scope + "/"}))
		return err
	})
	return all, err
}

// OfType are all resources of a type.
func (m *Manager) OfType(ctx context.Context, typeName string) (all []*Resource, err error) {
	err = m.store.View(ctx, func(tx *store.Tx) error {
		all, err = decodeAll(tx.List(kindResource, store.Query{Key: &store.Key{Name: "type", Value: typeName}}))
		return err
	})
	return all, err
}

// Subscriptions are those of a tenant.
func (m *Manager) Subscriptions(ctx context.Context, tenant string) ([]*Resource, error) {
	all, err := m.OfType(ctx, typeSubscription)
	return slices.DeleteFunc(all, func(r *Resource) bool { return r.Tenant != tenant }), err
}

// ReadAction is the action that reads a resource of a type.
func ReadAction(typeName string) string {
	return (&Type{Name: typeName}).actionName() + "/read"
}

func decodeAll(records []store.Record, err error) ([]*Resource, error) {
	var all []*Resource
	for _, record := range records {
		res, derr := decode(record)
		if derr != nil {
			return nil, derr
		}
		all = append(all, res)
	}
	return all, err
}

const pageSize = 1000

func (m *Manager) handleList(w http.ResponseWriter, call *api.Call, t *Type) error {
	scope := PathScope(call)
	if _, err := m.Find(call.Request.Context(), string(scope)); err != nil {
		return err
	}
	own := func(r *Resource) bool {
		return strings.EqualFold(r.Type, t.Name) && (!t.child() || strings.Count(r.ID, "/") == strings.Count(string(scope), "/")+2)
	}
	return m.List(w, call, scope, api.Check{Action: t.actionName() + "/read"}, own)
}

// List replies with the resources below a scope that keep says, a page at a
// time. Of a filtered operation it leaves out what the caller may not see, and
// refuses a caller who may see none and not the scope either.
func (m *Manager) List(w http.ResponseWriter, call *api.Call, scope rbac.Scope, read api.Check, keep func(*Resource) bool) error {
	query := call.Request.URL.Query()
	limit := pageSize
	if top := query.Get("$top"); top != "" {
		n, err := strconv.Atoi(top)
		if err != nil || n < 1 {
			return api.BadRequest("InvalidTopInQuery", "$top", "The $top '%s' is not a positive number.", top)
		}
		limit = min(n, pageSize)
	}
	after, err := afterToken(query.Get("$skiptoken"))
	if err != nil {
		return err
	}
	read.Scope = scope
	denied := error(nil)
	if call.Operation.Filtered {
		denied = call.Authorize(read)
	}
	var page []any
	next, seen := "", false
	err = m.store.View(call.Request.Context(), func(tx *store.Tx) error {
		records, err := tx.List(kindResource, store.Query{Prefix: string(scope) + "/", After: after})
		if err != nil {
			return err
		}
		for _, record := range records {
			res, err := decode(record)
			if err != nil {
				return err
			}
			check := api.Check{Scope: res.Scope(), Action: read.Action}
			if !keep(res) || denied != nil && !call.Can(check) {
				continue
			}
			if seen = true; len(page) == limit {
				next = nextLink(call, query, after)
				return nil
			}
			after = res.ID
			view, err := m.view(res)
			if err != nil {
				return err
			}
			page = append(page, view)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if denied != nil && !seen {
		return denied
	}
	WriteHeaders(w, call)
	return WriteJSON(w, http.StatusOK, ListReply(page, next))
}

// ListReply is the body of a list.
func ListReply(values []any, next string) map[string]any {
	if values == nil {
		values = []any{}
	}
	reply := map[string]any{"value": values}
	if next != "" {
		reply["nextLink"] = next
	}
	return reply
}

func nextLink(call *api.Call, query url.Values, after string) string {
	query.Set("$skiptoken", skipToken(after))
	return call.URL(call.Path + "?" + query.Encode())
}

func (m *Manager) reply(w http.ResponseWriter, call *api.Call, t *Type, status int, res *Resource) error {
	view, err := m.view(res)
	if err != nil {
		return err
	}
	WriteHeaders(w, call)
	w.Header().Set("ETag", `"`+res.Etag+`"`)
	return WriteJSON(w, status, view)
}

// view is a resource as clients read it.
func (m *Manager) view(res *Resource) (any, error) {
	out := *res
	if out.Etag != "" {
		out.Etag = `"` + out.Etag + `"`
	}
	if t, ok := m.registry.Get(res.Type); ok && t.View != nil {
		properties, err := t.View(res)
		if err != nil {
			return nil, err
		}
		if err := out.SetProperties(properties); err != nil {
			return nil, err
		}
	}
	return &out, nil
}
