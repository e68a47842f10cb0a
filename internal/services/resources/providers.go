package resources

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/arm"
)

// ownNamespaces are providers that are served without resource types of arm.
var ownNamespaces = []string{"Microsoft.Authorization", "Microsoft.Insights", "Microsoft.Management", "Microsoft.Resources", "Microsoft.Subscription"}

func (s *Resources) namespaces() []string {
	all := append(slices.Collect(maps.Keys(s.registry.Namespaces())), ownNamespaces...)
	slices.Sort(all)
	return slices.Compact(all)
}

func (s *Resources) providers(w http.ResponseWriter, call *api.Call) error {
	views, err := s.providerViews(call, s.namespaces())
	if err != nil {
		return err
	}
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, http.StatusOK, arm.ListReply(views, ""))
}

func (s *Resources) replyProvider(w http.ResponseWriter, call *api.Call) error {
	namespace, err := s.namespace(call)
	if err != nil {
		return err
	}
	views, err := s.providerViews(call, []string{namespace})
	if err != nil {
		return err
	}
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, http.StatusOK, views[0])
}

// namespace is the provider that the path names, as it is spelt.
func (s *Resources) namespace(call *api.Call) (string, error) {
	for _, ns := range s.namespaces() {
		if strings.EqualFold(ns, call.Var("namespace")) {
			return ns, nil
		}
	}
	return "", api.Errorf(http.StatusNotFound, "InvalidResourceNamespace", "The resource namespace '%s' is invalid.", call.Var("namespace"))
}

func (s *Resources) providerViews(call *api.Call, namespaces []string) ([]any, error) {
	id := call.Var("subscriptionId")
	if _, err := s.subscriptionTenant(call.Request.Context(), id); err != nil {
		return nil, err
	}
	registered, err := s.arm.Registered(call.Request.Context(), id, namespaces)
	if err != nil {
		return nil, err
	}
	types := s.registry.Namespaces()
	var locations []string
	for _, l := range arm.Locations {
		locations = append(locations, l.DisplayName)
	}
	var views []any
	for _, ns := range namespaces {
		state := "NotRegistered"
		if registered[ns] {
			state = "Registered"
		}
		policy := "RegistrationRequired"
		if arm.AlwaysRegistered(ns) {
			policy = "RegistrationFree"
		}
		resourceTypes := []any{}
		for _, t := range types[ns] {
			resourceTypes = append(resourceTypes, map[string]any{
				"resourceType": strings.TrimPrefix(t.Name, ns+"/"), "locations": locations, "apiVersions": t.Versions, "capabilities": "None"})
		}
		views = append(views, map[string]any{
			"id": "/subscriptions/" + id + "/providers/" + ns, "namespace": ns, "registrationState": state,
			"registrationPolicy": policy, "resourceTypes": resourceTypes})
	}
	return views, nil
}

func (s *Resources) register(on bool) func(http.ResponseWriter, *api.Call) error {
	return func(w http.ResponseWriter, call *api.Call) error {
		namespace, err := s.namespace(call)
		if err != nil {
			return err
		}
		id := call.Var("subscriptionId")
		tenant, err := s.subscriptionTenant(call.Request.Context(), id)
		if err != nil {
			return err
		}
		if err := s.arm.Register(call.Request.Context(), tenant, id, namespace, on); err != nil {
			return err
		}
		return s.replyProvider(w, call)
	}
}
