package arm

import (
	"net/http"
	"strings"

	"sekisho/internal/api"
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
	write := func(method, name string) api.Operation {
		op := row(method, t.pattern(), "write", name, func(w http.ResponseWriter, call *api.Call) error { return m.handleWrite(w, call, t) })
		if t.Identities {
			op.Checks = identityChecks(op.Action)
		}
		return op
	}
	rows := []api.Operation{
		write(http.MethodPut, "CreateOrUpdate"),
		write(http.MethodPatch, "Update"),
		row(http.MethodGet, t.pattern(), "read", "Get", m.handleGet),
		row(http.MethodHead, t.pattern(), "read", "CheckExistence", m.handleHead),
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
		if op.Method == http.MethodPost {
			op.Handle = m.unlocked(op.Handle)
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
	if i := lastProviders(path); i >= 0 {
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

// lastProviders is the index of the last "providers" of a path.
func lastProviders(path []string) int {
	for i := len(path) - 1; i >= 0; i-- {
		if strings.ToLower(path[i]) == "providers" { // as gate's routes fold
			return i
		}
	}
	return -1
}
