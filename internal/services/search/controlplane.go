package search

import (
	"net/http"
	"slices"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/store"
	"sekisho/rbac"
	"sekisho/rbac/operations"
)

const (
	providerPath = "/subscriptions/{subscriptionId}/providers/" + provider
	servicePath  = "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/" + serviceType + "/{searchServiceName}"

	operationsAction = provider + "/operations/read"
)

// ControlPlane are the rows of Resource Manager beside those of services and what
// is in them.
func (s *Search) ControlPlane() []api.Operation {
	row := func(method, pattern, name, action string, handle handler) api.Operation {
		action = provider + action
		return api.Operation{Method: method, Pattern: pattern, Name: name, Action: action, Source: controlSource, Handle: handle,
			Checks: func(call *api.Call) ([]api.Check, error) {
				return []api.Check{{Scope: arm.PathScope(call), Action: action}}, nil
			}}
	}
	ofSubscription := func(method, pattern, name, action string, handle handler) api.Operation {
		op := row(method, providerPath+pattern, name, action, handle)
		op.Checks = arm.SubscriptionChecks(op.Action)
		return op
	}
	const get, put, post, remove = http.MethodGet, http.MethodPut, http.MethodPost, http.MethodDelete
	const connections, connection = servicePath + "/privateEndpointConnections", servicePath + "/privateEndpointConnections/{privateEndpointConnectionName}"
	const perimeters, perimeter = servicePath + "/networkSecurityPerimeterConfigurations", servicePath + "/networkSecurityPerimeterConfigurations/{nspConfigName}"
	noConnection := s.absent("PrivateEndpointConnectionNotFound", "private endpoint connection", "privateEndpointConnectionName")
	noPerimeter := s.absent("NetworkSecurityPerimeterConfigurationNotFound", "network security perimeter configuration", "nspConfigName")
	return []api.Operation{
		ofSubscription(post, "/checkNameAvailability", "Services_CheckNameAvailability", "/checkNameAvailability/action", s.checkName),
		// Azure lists no action of their own for usages and for what a private endpoint
		// leads to.
		ofSubscription(get, "/locations/{location}/usages", "Usages_ListBySubscription", "/searchServices/read", s.usages),
		ofSubscription(get, "/locations/{location}/usages/{skuName}", "UsageBySubscriptionSku", "/searchServices/read", s.usage),
		row(get, servicePath+"/privateLinkResources", "PrivateLinkResources_ListSupported", "/searchServices/read", s.privateLinkResources),

		// Private endpoints and perimeters are made in Microsoft.Network, so there are
		// none.
		row(get, connections, "PrivateEndpointConnections_ListByService", "/searchServices/privateEndpointConnections/read", s.none),
		row(get, connection, "PrivateEndpointConnections_Get", "/searchServices/privateEndpointConnections/read", noConnection),
		row(put, connection, "PrivateEndpointConnections_Update", "/searchServices/privateEndpointConnections/write", noConnection),
		row(remove, connection, "PrivateEndpointConnections_Delete", "/searchServices/privateEndpointConnections/delete", noConnection),
		row(get, perimeters, "NetworkSecurityPerimeterConfigurations_ListByService", "/searchServices/networkSecurityPerimeterConfigurations/read", s.none),
		row(get, perimeter, "NetworkSecurityPerimeterConfigurations_Get", "/searchServices/networkSecurityPerimeterConfigurations/read", noPerimeter),
		row(post, perimeter+"/reconcile", "NetworkSecurityPerimeterConfigurations_Reconcile", "/searchServices/networkSecurityPerimeterConfigurations/reconcile/action", noPerimeter),

		{Method: get, Pattern: "/providers/" + provider + "/operations", Name: "Operations_List", Action: operationsAction, Source: controlSource, Filtered: true,
			Checks: func(*api.Call) ([]api.Check, error) {
				return []api.Check{{Scope: rbac.Root, Action: operationsAction}}, nil
			},
			Handle: s.providerOperations},
	}
}

func reply(w http.ResponseWriter, call *api.Call, v any) error {
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, http.StatusOK, v)
}

// checkName answers for a name that someone wants.
// Source: search.json CheckNameAvailabilityOutput.
func (s *Search) checkName(w http.ResponseWriter, call *api.Call) error {
	var in struct {
		Name string `json:"name"`
		Type string `json:"type"`
	}
	if err := arm.ReadBody(call, &in); err != nil {
		return err
	}
	if !strings.EqualFold(in.Type, "searchServices") {
		return api.BadRequest("InvalidResourceType", "type", "The type '%s' is invalid: it must be searchServices.", in.Type)
	}
	var v struct {
		Available bool   `json:"nameAvailable"`
		Reason    string `json:"reason"`
		Message   string `json:"message"`
	}
	if !serviceNames.MatchString(in.Name) {
		v.Reason, v.Message = "Invalid", badServiceName(in.Name).Message
		return reply(w, call, v)
	}
	err := s.store.View(call.Request.Context(), func(tx *store.Tx) error {
		owner, err := arm.HostOwner(tx, in.Name+hostSuffix)
		if v.Available = owner == ""; !v.Available {
			v.Reason, v.Message = "AlreadyExists", "Service name '"+in.Name+"' is already taken."
		}
		return err
	})
	if err != nil {
		return err
	}
	return reply(w, call, v)
}

// quotaLeft refuses one service of a SKU too many in a region.
// Source: Azure/azure-sdk-for-net#31546.
func quotaLeft(tx *store.Tx, new *arm.Resource) error {
	all, err := arm.BelowTx(tx, "/subscriptions/"+new.Scope().Subscription())
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(r *arm.Resource) bool { return strings.EqualFold(r.ID, new.ID) })
	sku, used := new.SKU.Name, servicesIn(all, new.Location, new.SKU.Name)
	if limit := tiers[sku].services; used >= limit {
		return api.Errorf(http.StatusConflict, "ServiceQuotaExceeded", "Operation would exceed '%s' tier service quota. You are using %d out of %d '%s' tier service quota. "+
			"If you need more quota, please submit a quota increase request with issue type 'Service and subscription limits (quota)' and quota type 'Search'.", sku, used, limit, sku)
	}
	return nil
}

// servicesIn counts the services of a SKU in a region.
func servicesIn(all []*arm.Resource, location, sku string) (n int) {
	for _, r := range all {
		if strings.EqualFold(r.Type, serviceType) && r.Location == location && r.SKU.Name == sku {
			n++
		}
	}
	return n
}

// skuNames are as usages name them. Source: search.json GetQuotaUsagesList.
var skuNames = []struct{ sku, name, shown string }{{"free", "free", "F - Free"}, {"basic", "basic", "B - Basic"}, {"standard", "standard", "S - Standard"},
	{"standard2", "standard2", "S2 - Standard2"}, {"standard3", "standard3", "S3 - Standard3"},
	{"storage_optimized_l1", "storageOptimizedL1", "L1 - Storage Optimized"}, {"storage_optimized_l2", "storageOptimizedL2", "L2 - Storage Optimized"}}

func (s *Search) usagesOf(call *api.Call) (all []map[string]any, err error) {
	id := "/subscriptions/" + call.Var("subscriptionId")
	if _, err := s.resources.Find(call.Request.Context(), id); err != nil {
		return nil, err
	}
	resources, err := s.resources.Below(call.Request.Context(), id)
	if err != nil {
		return nil, err
	}
	location := strings.ToLower(strings.ReplaceAll(call.Var("location"), " ", ""))
	for _, of := range skuNames {
		all = append(all, map[string]any{"id": id + "/providers/" + provider + "/locations/" + location + "/usages/" + of.name, "unit": "Count",
			"currentValue": servicesIn(resources, location, of.sku), "limit": tiers[of.sku].services,
			"name": map[string]string{"value": of.name, "localizedValue": of.shown}})
	}
	return all, nil
}

func (s *Search) usages(w http.ResponseWriter, call *api.Call) error {
	all, err := s.usagesOf(call)
	if err != nil {
		return err
	}
	var values []any
	for _, usage := range all {
		values = append(values, usage)
	}
	return reply(w, call, arm.ListReply(values, ""))
}

func (s *Search) usage(w http.ResponseWriter, call *api.Call) error {
	all, err := s.usagesOf(call)
	if err != nil {
		return err
	}
	for i, of := range skuNames {
		if sku := call.Var("skuName"); strings.EqualFold(of.sku, sku) || strings.EqualFold(of.name, sku) {
			return reply(w, call, all[i])
		}
	}
	return api.Errorf(http.StatusNotFound, "SkuNotFound", "There is no SKU '%s' of search services.", call.Var("skuName"))
}

// privateLinkResources are what a private endpoint to a service leads to, and what
// the service's own shared private links may.
func (s *Search) privateLinkResources(w http.ResponseWriter, call *api.Call) error {
	r, err := s.parent(call)
	if err != nil {
		return err
	}
	shareable := []any{}
	for _, l := range linkTargets {
		for _, group := range l.groups {
			shareable = append(shareable, map[string]any{"name": group, "properties": map[string]string{"type": l.kind, "groupId": group,
				"description": "Azure AI Search indexers can connect privately to " + l.kind}})
		}
	}
	id := r.ID + "/privateLinkResources/searchService"
	return reply(w, call, arm.ListReply([]any{map[string]any{"id": id, "name": "searchService", "type": serviceType + "/privateLinkResources",
		"properties": map[string]any{"groupId": "searchService", "requiredMembers": []string{"searchService"},
			"requiredZoneNames": []string{"privatelink.search.windows.net"}, "shareablePrivateLinkResourceTypes": shareable}}}, ""))
}

func (s *Search) none(w http.ResponseWriter, call *api.Call) error {
	if _, err := s.parent(call); err != nil {
		return err
	}
	return reply(w, call, arm.ListReply(nil, ""))
}

// absent answers for one of what a service has none of, by the variable that names it.
func (s *Search) absent(code, what, name string) handler {
	return func(_ http.ResponseWriter, call *api.Call) error {
		r, err := s.parent(call)
		if err != nil {
			return err
		}
		return api.Errorf(http.StatusNotFound, code, "The search service '%s' has no %s '%s'.", r.Name, what, call.Var(name))
	}
}

// providerOperations shows what the provider's operations are to who may read them
// at the tenant or in a subscription of it.
func (s *Search) providerOperations(w http.ResponseWriter, call *api.Call) error {
	if refused := call.Authorize(api.Check{Scope: rbac.Root, Action: operationsAction}); refused != nil {
		subscriptions, err := s.resources.Subscriptions(call.Request.Context(), call.Caller.Tenant)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(subscriptions, func(sub *arm.Resource) bool {
			return call.Can(api.Check{Scope: sub.Scope(), Action: operationsAction})
		}) {
			return refused
		}
	}
	var all []any
	for _, op := range operations.Of(provider) {
		all = append(all, map[string]any{"name": op.Name, "isDataAction": op.Data, "display": map[string]string{"provider": "Microsoft Search", "operation": op.Name}})
	}
	return reply(w, call, arm.ListReply(all, ""))
}
