package storage

import (
	"net/http"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/store"
	"sekisho/rbac"
	"sekisho/rbac/operations"
)

const providerPath = "/subscriptions/{subscriptionId}/providers/" + provider

// lists are the rows that are of no account.
func (s *Storage) lists() []api.Operation {
	row := func(method, pattern, name, action string, handle handler) api.Operation {
		return api.Operation{Method: method, Pattern: providerPath + pattern, Name: name, Action: provider + action, Source: controlSource,
			Checks: arm.SubscriptionChecks(provider + action), Handle: handle}
	}
	return []api.Operation{
		row(http.MethodPost, "/checkNameAvailability", "StorageAccounts_CheckNameAvailability", "/checknameavailability/read", s.checkName),
		row(http.MethodGet, "/locations/{location}/usages", "Usages_ListByLocation", "/locations/usages/read", s.usages),
		row(http.MethodGet, "/skus", "Skus_List", "/skus/read", s.listSKUs),
		{Method: http.MethodGet, Pattern: "/providers/" + provider + "/operations", Name: "Operations_List", Action: operationsAction, Source: controlSource,
			Filtered: true, Checks: func(*api.Call) ([]api.Check, error) {
				return []api.Check{{Scope: rbac.Root, Action: operationsAction}}, nil
			},
			Handle: s.providerOperations},
	}
}

const operationsAction = provider + "/operations/read"

// checkName answers for a name that someone wants.
// Source: storage.json StorageAccounts_CheckNameAvailability.
func (s *Storage) checkName(w http.ResponseWriter, call *api.Call) error {
	var in struct {
		Name string `json:"name"`
		Type string `json:"type"`
	}
	if err := arm.ReadBody(call, &in); err != nil {
		return err
	}
	if !strings.EqualFold(in.Type, accountType) {
		return invalidParameters("type")
	}
	var v struct {
		Available bool   `json:"nameAvailable"`
		Reason    string `json:"reason,omitempty"`
		Message   string `json:"message,omitempty"`
	}
	if !accountNames.MatchString(in.Name) {
		v.Reason, v.Message = "AccountNameInvalid", badName(in.Name)
		return reply(w, call, http.StatusOK, v)
	}
	err := s.resources.View(call.Request.Context(), func(tx *store.Tx) error {
		owner, err := nameOwner(tx, in.Name)
		if v.Available = owner == ""; !v.Available {
			v.Reason, v.Message = "AlreadyExists", "The storage account named "+in.Name+" is already taken."
		}
		return err
	})
	if err != nil {
		return err
	}
	return reply(w, call, http.StatusOK, v)
}

// maxAccounts is how many accounts a subscription has in a region.
// Source: azure-docs storage/common/scalability-targets-standard-account.md.
const maxAccounts = 250

// accountsIn counts the accounts of a subscription in a region.
func accountsIn(all []*arm.Resource, location string) (n int) {
	for _, r := range all {
		if strings.EqualFold(r.Type, accountType) && r.Location == location {
			n++
		}
	}
	return n
}

// quotaLeft refuses one account too many.
// Source: azure-docs azure-resource-manager/troubleshooting/common-deployment-errors.md.
func quotaLeft(tx *store.Tx, new *arm.Resource) error {
	subscription := new.Scope().Subscription()
	all, err := arm.BelowTx(tx, "/subscriptions/"+subscription)
	if err != nil {
		return err
	}
	if n := accountsIn(all, new.Location); n >= maxAccounts {
		return api.BadRequest("MaxStorageAccountsCountPerSubscriptionExceeded", "",
			"Subscription %s already contains %d storage accounts in location %s and the maximum allowed is %d.", subscription, n, new.Location, maxAccounts)
	}
	return nil
}

func (s *Storage) usages(w http.ResponseWriter, call *api.Call) error {
	id := "/subscriptions/" + call.Var("subscriptionId")
	if _, err := s.resources.Find(call.Request.Context(), id); err != nil {
		return err
	}
	all, err := s.resources.Below(call.Request.Context(), id)
	if err != nil {
		return err
	}
	location := strings.ToLower(strings.ReplaceAll(call.Var("location"), " ", ""))
	return reply(w, call, http.StatusOK, arm.ListReply([]any{map[string]any{
		"unit": "Count", "currentValue": accountsIn(all, location), "limit": maxAccounts,
		"name": map[string]string{"value": "StorageAccounts", "localizedValue": "Storage Accounts"},
	}}, ""))
}

func (s *Storage) listSKUs(w http.ResponseWriter, call *api.Call) error {
	if _, err := s.resources.Find(call.Request.Context(), "/subscriptions/"+call.Var("subscriptionId")); err != nil {
		return err
	}
	var all []any
	for _, location := range arm.Locations {
		for _, kind := range []string{kindV1, kindV2, kindBlob, kindBlockBlob, kindFile} {
			for _, sku := range skus[kind] {
				all = append(all, map[string]any{"resourceType": "storageAccounts", "name": sku, "tier": tierOf(sku), "kind": kind,
					"locations": []string{location.Name}, "capabilities": []any{}, "restrictions": []any{}})
			}
		}
	}
	return reply(w, call, http.StatusOK, arm.ListReply(all, ""))
}

// providerOperations shows what the provider's operations are to who may read them
// at the tenant or in a subscription of it.
func (s *Storage) providerOperations(w http.ResponseWriter, call *api.Call) error {
	if refused := call.Authorize(api.Check{Scope: rbac.Root, Action: operationsAction}); refused != nil {
		subscriptions, err := s.resources.Subscriptions(call.Request.Context(), call.Caller.Tenant)
		if err != nil {
			return err
		}
		may := false
		for _, sub := range subscriptions {
			may = may || call.Can(api.Check{Scope: sub.Scope(), Action: operationsAction})
		}
		if !may {
			return refused
		}
	}
	var all []any
	for _, op := range operations.Of(provider) {
		all = append(all, map[string]any{"name": op.Name, "isDataAction": op.Data,
			"display": map[string]string{"provider": "Microsoft Storage", "operation": op.Name}})
	}
	return reply(w, call, http.StatusOK, arm.ListReply(all, ""))
}
