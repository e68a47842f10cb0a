// Package resources is the part of ARM that belongs to no provider's resource:
// tenants, subscriptions, locations, resource providers and their
// registration, generic lists, tags, and the metadata of the cloud.
package resources

import (
	"context"
	"net/http"
	"slices"

	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/entra"
	"sekisho/rbac"
)

// source documents these operations.
const source = "azure-rest-api-specs resources/stable/2022-12-01/subscriptions.json, resources/stable/2024-11-01/resources.json"

// Resources is the service.
type Resources struct {
	arm       *arm.Manager
	registry  *arm.Registry
	directory *entra.Directory
}

// New makes the service.
func New(m *arm.Manager, registry *arm.Registry, directory *entra.Directory) *Resources {
	return &Resources{m, registry, directory}
}

const subscription = "/subscriptions/{subscriptionId}"

// Operations are the rows of ARM that this service serves.
func (s *Resources) Operations() []api.Operation {
	checks := arm.SubscriptionChecks
	const ns = "Microsoft.Resources/subscriptions"
	return append(append(s.tagOperations(), s.lifecycleOperations()...), []api.Operation{
		// Any token may ask where it can go: the replies hold what it can see.
		{Method: http.MethodGet, Pattern: "/tenants", Name: "Tenants_List", Source: source, Handle: s.tenants},
		{Method: http.MethodGet, Pattern: "/subscriptions", Name: "Subscriptions_List", Source: source, Handle: s.subscriptions},
		{Method: http.MethodGet, Pattern: subscription, Name: "Subscriptions_Get", Action: ns + "/read", Source: source, Filtered: true, Checks: checks(ns + "/read"), Handle: s.subscription},
		{Method: http.MethodGet, Pattern: subscription + "/locations", Name: "Subscriptions_ListLocations", Action: ns + "/locations/read", Source: source, Checks: checks(ns + "/locations/read"), Handle: s.locations},
		{Method: http.MethodGet, Pattern: subscription + "/providers", Name: "Providers_List", Action: ns + "/providers/read", Source: source, Checks: checks(ns + "/providers/read"), Handle: s.providers},
		{Method: http.MethodGet, Pattern: subscription + "/providers/{namespace}", Name: "Providers_Get", Action: ns + "/providers/read", Source: source, Checks: checks(ns + "/providers/read"), Handle: s.replyProvider},
		{Method: http.MethodPost, Pattern: subscription + "/providers/{namespace}/register", Name: "Providers_Register", Action: "{namespace}/register/action", Source: source, Checks: registerChecks("/register/action"), Handle: s.register(true)},
		{Method: http.MethodPost, Pattern: subscription + "/providers/{namespace}/unregister", Name: "Providers_Unregister", Action: "{namespace}/unregister/action", Source: source, Checks: registerChecks("/unregister/action"), Handle: s.register(false)},
		{Method: http.MethodGet, Pattern: subscription + "/resources", Name: "Resources_List", Action: ns + "/resources/read", Source: source, Filtered: true, Checks: checks(ns + "/resources/read"), Handle: s.list},
		{Method: http.MethodGet, Pattern: subscription + "/resourceGroups/{resourceGroupName}/resources", Name: "Resources_ListByResourceGroup", Action: ns + "/resourceGroups/resources/read", Source: source, Filtered: true, Checks: groupChecks, Handle: s.list},
		{Method: http.MethodGet, Pattern: "/metadata/endpoints", Name: "Metadata_Endpoints", Open: true, Handle: s.metadata},
	}...)
}

// registerChecks asks for the provider's own register action.
// Source: azure-docs resource-providers-and-types.md, "register/action".
func registerChecks(verb string) func(*api.Call) ([]api.Check, error) {
	return func(call *api.Call) ([]api.Check, error) {
		return []api.Check{{Scope: rbac.Scope("/subscriptions/" + call.Var("subscriptionId")), Action: call.Var("namespace") + verb}}, nil
	}
}

func groupChecks(call *api.Call) ([]api.Check, error) {
	return []api.Check{{Scope: arm.PathScope(call), Action: "Microsoft.Resources/subscriptions/resourceGroups/resources/read"}}, nil
}

// tenants are those where the caller has an account, as a member or as a guest
// who has accepted, from whichever of them it comes. The category of each is Home: the others are
// of tenants that manage, or are managed by, these.
// Source: Get-AzTenant, example 1; TenantCategory of subscriptions.json.
func (s *Resources) tenants(w http.ResponseWriter, call *api.Call) error {
	ctx := call.Request.Context()
	caller, err := s.directory.Principal(ctx, call.Caller.Object)
	if err != nil {
		return err
	}
	if caller == nil { // deleted since the token was verified
		return call.Authorize(api.Check{})
	}
	accounts, err := s.directory.AccountsOf(ctx, caller)
	if err != nil {
		return err
	}
	var views []any
	for _, account := range accounts {
		if !account.Enabled || account.Pending {
			continue
		}
		t, err := s.directory.Tenant(ctx, account.Tenant)
		if err != nil {
			return err
		}
		views = append(views, map[string]any{
			"id": "/tenants/" + t.ID, "tenantId": t.ID, "countryCode": "JP", "displayName": t.DisplayName,
			"domains": t.Domains, "tenantCategory": "Home", "defaultDomain": t.Domains[0], "tenantType": "AAD",
		})
	}
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, http.StatusOK, arm.ListReply(views, ""))
}

// visible are the caller's subscriptions: those where a role lets it read the
// subscription or anything in it.
func (s *Resources) visible(call *api.Call) ([]*arm.Resource, error) {
	all, err := s.arm.Subscriptions(call.Request.Context(), call.Caller.Tenant)
	if err != nil {
		return nil, err
	}
	var seen []*arm.Resource
	for _, sub := range all {
		ok, err := s.canSee(call, sub)
		if err != nil {
			return nil, err
		}
		if ok {
			seen = append(seen, sub)
		}
	}
	return seen, nil
}

func (s *Resources) canSee(call *api.Call, sub *arm.Resource) (bool, error) {
	read := api.Check{Scope: sub.Scope(), Action: "Microsoft.Resources/subscriptions/read"}
	if call.Can(read) {
		return true, nil
	}
	below, err := s.arm.Below(call.Request.Context(), sub.ID)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(below, func(r *arm.Resource) bool {
		return call.Can(api.Check{Scope: r.Scope(), Action: arm.ReadAction(r.Type)})
	}), nil
}

func (s *Resources) subscriptions(w http.ResponseWriter, call *api.Call) error {
	all, err := s.visible(call)
	if err != nil {
		return err
	}
	var views []any
	for _, sub := range all {
		view, err := subscriptionView(sub)
		if err != nil {
			return err
		}
		views = append(views, view)
	}
	reply := arm.ListReply(views, "")
	reply["count"] = map[string]any{"type": "Total", "value": len(views)}
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, http.StatusOK, reply)
}

func (s *Resources) subscription(w http.ResponseWriter, call *api.Call) error {
	sub, err := s.arm.Find(call.Request.Context(), "/subscriptions/"+call.Var("subscriptionId"))
	if err != nil {
		return err
	}
	ok, err := s.canSee(call, sub)
	if err != nil {
		return err
	}
	if !ok {
		return call.Authorize(api.Check{Scope: sub.Scope(), Action: "Microsoft.Resources/subscriptions/read"})
	}
	view, err := subscriptionView(sub)
	if err != nil {
		return err
	}
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, http.StatusOK, view)
}

func subscriptionView(r *arm.Resource) (map[string]any, error) {
	p, err := arm.DecodeProperties[arm.Subscription](r)
	view := map[string]any{
		"id": r.ID, "subscriptionId": r.Name, "tenantId": r.Tenant, "displayName": p.DisplayName, "state": p.State,
		"authorizationSource": "RoleBased", "managedByTenants": []any{},
		"subscriptionPolicies": map[string]string{"locationPlacementId": "Public_2014-09-01", "quotaId": "PayAsYouGo_2014-09-01", "spendingLimit": "Off"},
	}
	if len(r.Tags) > 0 {
		view["tags"] = r.Tags
	}
	return view, err
}

func (s *Resources) locations(w http.ResponseWriter, call *api.Call) error {
	id := "/subscriptions/" + call.Var("subscriptionId")
	if _, err := s.arm.Find(call.Request.Context(), id); err != nil {
		return err
	}
	var all []any
	for _, l := range arm.Locations {
		all = append(all, map[string]any{
			"id": id + "/locations/" + l.Name, "name": l.Name, "type": "Region", "displayName": l.DisplayName,
			"regionalDisplayName": l.RegionalDisplayName,
			"metadata":            map[string]any{"regionType": "Physical", "regionCategory": "Recommended", "geographyGroup": l.Geography},
		})
	}
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, http.StatusOK, arm.ListReply(all, ""))
}

// list is the generic list of resources, of a subscription or a group.
func (s *Resources) list(w http.ResponseWriter, call *api.Call) error {
	filter, err := arm.ParseFilter(call)
	if err != nil {
		return err
	}
	keep, err := arm.Filtered(filter, func(r *arm.Resource) bool {
		id, err := rbac.ParseID(r.ID)
		return err == nil && len(id.Types) == 1 // groups and child resources are not in it
	})
	if err != nil {
		return err
	}
	return s.arm.List(w, call, arm.Listing{Scope: arm.PathScope(call), Action: call.Operation.Action, Generic: true, Keep: keep})
}

// subscriptionTenant finds the subscription of a call.
func (s *Resources) subscriptionTenant(ctx context.Context, id string) (string, error) {
	sub, err := s.arm.Find(ctx, "/subscriptions/"+id)
	if err != nil {
		return "", err
	}
	return sub.Tenant, nil
}
