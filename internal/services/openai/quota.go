package openai

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/store"
)

// quota is how much capacity a subscription has in a region, of each model and
// deployment type. Azure's default is less, and can be raised.
// Source: azure-ai-docs openai/quotas-limits.md, "you can request a quota increase".
const quota = 100_000

// quotaName is what Azure calls a quota: OpenAI.Standard.gpt-4o.
func quotaName(r *arm.Resource) (string, error) {
	p, err := arm.DecodeProperties[deployment](r)
	if err != nil || r.SKU == nil {
		return "", err
	}
	return "OpenAI." + r.SKU.Name + "." + p.Model.Name, nil
}

// used sums the capacity of deployments by quota.
func used(deployments []*arm.Resource) (map[string]int, error) {
	sums := map[string]int{}
	for _, r := range deployments {
		name, err := quotaName(r)
		if err != nil {
			return nil, err
		}
		if name != "" && r.SKU.Capacity != nil {
			sums[name] += int(*r.SKU.Capacity)
		}
	}
	return sums, nil
}

// inLocation are the deployments among resources, of accounts in a region.
func inLocation(all []*arm.Resource, location string) (deployments []*arm.Resource) {
	there := map[string]bool{}
	for _, r := range all {
		if strings.EqualFold(r.Type, accountType) && r.Location == location {
			there[strings.ToLower(r.ID)] = true
		}
	}
	for _, r := range all {
		parent, _ := r.Scope().Parent()
		if strings.EqualFold(r.Type, deploymentType) && there[strings.ToLower(string(parent))] {
			deployments = append(deployments, r)
		}
	}
	return deployments
}

// commitDeployment holds a deployment to the quota of its region.
func (s *OpenAI) commitDeployment(tx *store.Tx, _, new *arm.Resource) error {
	name, err := quotaName(new)
	if err != nil {
		return err
	}
	all, err := arm.BelowTx(tx, "/subscriptions/"+new.Scope().Subscription())
	if err != nil {
		return err
	}
	parent, _ := new.Scope().Parent()
	location := ""
	for _, r := range all {
		if strings.EqualFold(r.ID, string(parent)) {
			location = r.Location
		}
	}
	others := slices.DeleteFunc(inLocation(all, location), func(r *arm.Resource) bool { return strings.EqualFold(r.ID, new.ID) })
	sums, err := used(others)
	if err != nil {
		return err
	}
	if wanted, free := int(*new.SKU.Capacity), quota-sums[name]; wanted > free {
		return api.BadRequest("InsufficientQuota", "sku.capacity",
			"This operation require %d new capacity in quota %s, which is bigger than the current available capacity %d. The current quota usage is %d and the quota limit is %d for quota %s.",
			wanted, name, free, sums[name], quota, name)
	}
	return nil
}

func (s *OpenAI) locationUsages(w http.ResponseWriter, call *api.Call) error {
	id := "/subscriptions/" + call.Var("subscriptionId")
	if _, err := s.resources.Find(call.Request.Context(), id); err != nil {
		return err
	}
	all, err := s.resources.Below(call.Request.Context(), id)
	if err != nil {
		return err
	}
	return s.replyUsages(w, call, inLocation(all, strings.ToLower(strings.ReplaceAll(call.Var("location"), " ", ""))))
}

func (s *OpenAI) accountUsages(w http.ResponseWriter, call *api.Call) error {
	r, err := s.resources.Find(call.Request.Context(), string(arm.PathScope(call)))
	if err != nil {
		return err
	}
	deployments, err := s.resources.Children(call.Request.Context(), r.ID, deploymentType)
	if err != nil {
		return err
	}
	return s.replyUsages(w, call, deployments)
}

// replyUsages lists the quotas that are in use.
func (s *OpenAI) replyUsages(w http.ResponseWriter, call *api.Call, deployments []*arm.Resource) error {
	sums, err := used(deployments)
	if err != nil {
		return err
	}
	var all []any
	for _, name := range slices.Sorted(maps.Keys(sums)) {
		all = append(all, map[string]any{"name": map[string]string{"value": name, "localizedValue": name},
			"unit": "Count", "currentValue": sums[name], "limit": quota})
	}
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, http.StatusOK, arm.ListReply(all, ""))
}
