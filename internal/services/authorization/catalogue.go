package authorization

import (
	"net/http"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/rbac/operations"
)

const (
	catalogueSource = "azure-rest-api-specs authorization/stable/2022-04-01/authorization-ProviderOperationsCalls.json; rest/api/authorization/provider-operations-metadata, Permissions"
	catalogueAction = provider + "/providerOperations/read"
)

// catalogueOperations are filtered: who may read them is not asked at one scope.
func (s *Authorization) catalogueOperations() []api.Operation {
	row := func(path, name string, handle func(http.ResponseWriter, *api.Call) error) api.Operation {
		return api.Operation{Method: http.MethodGet, Pattern: "/providers/" + provider + "/providerOperations" + path, Name: name,
			Action: catalogueAction, Source: catalogueSource, Filtered: true, Checks: atTheRoot, Handle: handle}
	}
	return []api.Operation{
		row("", "ProviderOperationsMetadata_List", s.listOperations),
		row("/{namespace}", "ProviderOperationsMetadata_Get", s.getOperations),
	}
}

func atTheRoot(*api.Call) ([]api.Check, error) {
	return []api.Check{{Scope: "/", Action: catalogueAction}}, nil
}

// mayReadCatalogue asks for the action that the reference names, at the tenant
// or at any subscription of it. The reference names no scope, and the tutorial
// of custom roles (azure-docs tutorial-custom-role-cli.md) has those list the
// operations who may make roles in a subscription and need hold nothing above.
func (s *Authorization) mayReadCatalogue(call *api.Call) error {
	refused := call.Authorize(api.Check{Scope: "/", Action: catalogueAction})
	if refused == nil {
		return nil
	}
	subscriptions, err := s.arm.Subscriptions(call.Request.Context(), call.Caller.Tenant)
	if err != nil {
		return err
	}
	for _, sub := range subscriptions {
		if call.Can(api.Check{Scope: sub.Scope(), Action: catalogueAction}) {
			return nil
		}
	}
	return refused
}

func (s *Authorization) listOperations(w http.ResponseWriter, call *api.Call) error {
	if err := s.mayReadCatalogue(call); err != nil {
		return err
	}
	var all []any
	for _, namespace := range operations.Providers() {
		all = append(all, viewOfProvider(namespace, expanded(call)))
	}
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, http.StatusOK, arm.ListReply(all, ""))
}

func (s *Authorization) getOperations(w http.ResponseWriter, call *api.Call) error {
	if err := s.mayReadCatalogue(call); err != nil {
		return err
	}
	for _, namespace := range operations.Providers() {
		if strings.EqualFold(namespace, call.Var("namespace")) {
			arm.WriteHeaders(w, call)
			return arm.WriteJSON(w, http.StatusOK, viewOfProvider(namespace, expanded(call)))
		}
	}
	return api.Errorf(http.StatusNotFound, "InvalidResourceNamespace", "The resource namespace '%s' is invalid.", call.Var("namespace"))
}

// expanded tells whether the operations of resource types are asked for. The
// clients of Azure always ask.
func expanded(call *api.Call) bool {
	return strings.EqualFold(call.Request.URL.Query().Get("$expand"), "resourceTypes")
}

// providerView and what is below it are as Azure prints them.
// Source: ProviderOperationsMetadata of the contract above.
type providerView struct {
	ID            string             `json:"id"`
	Name          string             `json:"name"`
	Type          string             `json:"type"`
	DisplayName   string             `json:"displayName"`
	ResourceTypes []resourceTypeView `json:"resourceTypes"`
	Operations    []operationView    `json:"operations"`
}

type resourceTypeView struct {
	Name        string          `json:"name"`
	DisplayName string          `json:"displayName"`
	Operations  []operationView `json:"operations"`
}

// operationView has texts of our own: the catalogue holds no others.
type operationView struct {
	Name         string `json:"name"`
	DisplayName  string `json:"displayName"`
	Description  string `json:"description"`
	Origin       string `json:"origin"`
	IsDataAction bool   `json:"isDataAction"`
	Properties   any    `json:"properties"`
}

func viewOfProvider(namespace string, expand bool) providerView {
	view := providerView{
		ID: "/providers/" + provider + "/providerOperations/" + namespace, Name: namespace, Type: provider + "/providerOperations",
		DisplayName: namespace, ResourceTypes: []resourceTypeView{}, Operations: []operationView{},
	}
	types := map[string]int{} // by folded name, where in view.ResourceTypes
	for _, op := range operations.Of(namespace) {
		resource, verb := split(op.Name)
		if resource == "" {
			view.Operations = append(view.Operations, viewOfOperation(op, namespace, verb))
			continue
		}
		if !expand {
			continue
		}
		key := strings.ToLower(resource)
		i, ok := types[key]
		if !ok {
			i = len(view.ResourceTypes)
			types[key] = i
			view.ResourceTypes = append(view.ResourceTypes, resourceTypeView{Name: resource, DisplayName: resource})
		}
		view.ResourceTypes[i].Operations = append(view.ResourceTypes[i].Operations, viewOfOperation(op, resource, verb))
	}
	return view
}

// split parts an operation of a provider into the type of resource, which may
// be none, and what is done: read, write, delete, or the name of an action.
func split(name string) (resource, verb string) {
	_, rest, _ := strings.Cut(name, "/")
	if cut := len(rest) - len("/action"); cut > 0 && strings.EqualFold(rest[cut:], "/action") {
		rest = rest[:cut]
	}
	if i := strings.LastIndexByte(rest, '/'); i >= 0 {
		return rest[:i], rest[i+1:]
	}
	return "", rest
}

func viewOfOperation(op operations.Operation, resource, verb string) operationView {
	text := strings.ToUpper(verb[:1]) + verb[1:] + " " + resource
	return operationView{Name: op.Name, DisplayName: text, Description: text, Origin: "user,system", IsDataAction: op.Data}
}
