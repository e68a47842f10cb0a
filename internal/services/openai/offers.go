package openai

import (
	"net/http"
	"slices"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/store"
)

// kinds are the accounts that this service makes; each has the sku S0.
var kinds = []string{"OpenAI", "AIServices"}

// offerOperations tell what can be made, and what of it is used.
func (s *OpenAI) offerOperations() []api.Operation {
	const subscription = "/subscriptions/{subscriptionId}/providers/" + provider
	row := func(method, path, name, action string, handle func(http.ResponseWriter, *api.Call) error) api.Operation {
		return api.Operation{Method: method, Pattern: subscription + path, Name: name, Action: provider + action, Source: controlSource,
			Checks: arm.SubscriptionChecks(provider + action), Handle: handle}
	}
	return []api.Operation{
		row(http.MethodGet, "/skus", "ResourceSkus_List", "/skus/read", s.listSKUs),
		row(http.MethodGet, "/locations/{location}/models", "Models_List", "/locations/models/read", s.locationModels),
		row(http.MethodGet, "/locations/{location}/usages", "Usages_List", "/locations/usages/read", s.locationUsages),
		row(http.MethodPost, "/locations/{location}/checkSkuAvailability", "CheckSkuAvailability", "/locations/checkSkuAvailability/action", s.checkSKU),
		row(http.MethodPost, "/checkDomainAvailability", "CheckDomainAvailability", "/checkDomainAvailability/action", s.checkDomain),
	}
}

func (s *OpenAI) listSKUs(w http.ResponseWriter, call *api.Call) error {
	var locations []string
	for _, l := range arm.Locations {
		locations = append(locations, strings.ToUpper(l.Name))
	}
	var all []any
	for _, kind := range kinds {
		all = append(all, map[string]any{"resourceType": "accounts", "name": "S0", "tier": "Standard", "kind": kind, "locations": locations, "restrictions": []any{}})
	}
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, http.StatusOK, arm.ListReply(all, ""))
}

// accountSKUs are the skus that an account can be changed to.
func (s *OpenAI) accountSKUs(w http.ResponseWriter, call *api.Call) error {
	if _, err := s.resources.Find(call.Request.Context(), string(arm.PathScope(call))); err != nil {
		return err
	}
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, http.StatusOK, arm.ListReply([]any{map[string]any{
		"resourceType": accountType, "sku": map[string]string{"name": "S0", "tier": "Standard"}}}, ""))
}

func (s *OpenAI) checkSKU(w http.ResponseWriter, call *api.Call) error {
	location := strings.ToLower(strings.ReplaceAll(call.Var("location"), " ", ""))
	if !slices.ContainsFunc(arm.Locations, func(l arm.Location) bool { return l.Name == location }) {
		return api.BadRequest("LocationNotAvailableForResourceType", "location", "The provided location '%s' is not available for resource type '%s'.", call.Var("location"), accountType)
	}
	var in struct {
		SKUs []string `json:"skus"`
		Kind string   `json:"kind"`
		Type string   `json:"type"`
	}
	if err := arm.ReadBody(call, &in); err != nil {
		return err
	}
	if len(in.SKUs) == 0 || in.Kind == "" || in.Type == "" {
		return api.BadRequest("InvalidRequestContent", "skus", "The request must name skus, kind and type.")
	}
	known := strings.EqualFold(in.Type, accountType) && slices.ContainsFunc(kinds, func(k string) bool { return strings.EqualFold(k, in.Kind) })
	var all []any
	for _, sku := range in.SKUs {
		one := map[string]any{"kind": in.Kind, "type": in.Type, "skuName": sku, "skuAvailable": true, "reason": nil, "message": nil}
		if !known || !strings.EqualFold(sku, "S0") {
			one["skuAvailable"], one["reason"] = false, "SkuNotAvailable"
			one["message"] = "Sekisho has accounts of kind OpenAI and AIServices with the sku S0."
		}
		all = append(all, one)
	}
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, http.StatusOK, arm.ListReply(all, ""))
}

func (s *OpenAI) checkDomain(w http.ResponseWriter, call *api.Call) error {
	var in struct {
		SubdomainName string `json:"subdomainName"`
		Type          string `json:"type"`
		Kind          string `json:"kind"`
	}
	if err := arm.ReadBody(call, &in); err != nil {
		return err
	}
	if in.SubdomainName == "" || !strings.EqualFold(in.Type, accountType) {
		return api.BadRequest("InvalidRequestContent", "type", "The request must name a subdomainName and the type %s.", accountType)
	}
	reply := map[string]any{"isSubdomainAvailable": true, "reason": nil, "subdomainName": in.SubdomainName, "type": in.Type}
	if in.Kind != "" {
		reply["kind"] = in.Kind
	}
	reason, err := s.whyTaken(call, strings.ToLower(in.SubdomainName))
	if err != nil {
		return err
	}
	if reason != "" {
		reply["isSubdomainAvailable"], reply["reason"] = false, reason
	}
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, http.StatusOK, reply)
}

// whyTaken tells why a subdomain can't be had; empty if it can.
func (s *OpenAI) whyTaken(call *api.Call, name string) (string, error) {
	if !subdomains.MatchString(name) {
		return "Sub domain name '" + name + "' is not valid: letters, digits and hyphens, beginning and ending with a letter or digit, at most 64.", nil
	}
	host := name + ".openai.azure.com"
	taken, err := s.reader.HasHost(call.Request.Context(), host)
	if err == nil && !taken {
		err = s.resources.View(call.Request.Context(), func(tx *store.Tx) error {
			_, taken, err = s.lookup(tx, store.Key{Name: "host", Value: host})
			return err
		})
	}
	if err != nil || !taken {
		return "", err
	}
	return "Sub domain name '" + name + "' is already used. Please pick a different name.", nil
}
