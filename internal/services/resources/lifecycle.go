package resources

import (
	"context"
	"net/http"

	"sekisho/internal/api"
	"sekisho/internal/arm"
)

// lifecycleSource documents what Microsoft.Subscription does to a subscription.
// Its aliases, which make subscriptions, are not served: who may make one is
// decided by the billing scope, and there is no billing here.
const lifecycleSource = "azure-rest-api-specs subscription/stable/2021-10-01/subscriptions.json; azure-docs resource-provider-operations.md, Microsoft.Subscription"

func (s *Resources) lifecycleOperations() []api.Operation {
	const ns = "Microsoft.Subscription"
	row := func(verb, name string, change func(call *api.Call) error) api.Operation {
		action := ns + "/" + verb + "/action"
		return api.Operation{Method: http.MethodPost, Pattern: subscription + "/providers/" + ns + "/" + verb, Name: name, Action: action,
			Source: lifecycleSource, Checks: arm.SubscriptionChecks(action), Handle: func(w http.ResponseWriter, call *api.Call) error {
				if err := change(call); err != nil {
					return err
				}
				arm.WriteHeaders(w, call)
				return arm.WriteJSON(w, http.StatusOK, map[string]string{"subscriptionId": call.Var("subscriptionId")})
			}}
	}
	plain := func(change func(ctx context.Context, id string) error) func(*api.Call) error {
		return func(call *api.Call) error { return change(call.Request.Context(), call.Var("subscriptionId")) }
	}
	return []api.Operation{
		row("rename", "Subscription_Rename", s.rename),
		row("cancel", "Subscription_Cancel", plain(s.arm.CancelSubscription)),
		row("enable", "Subscription_Enable", plain(s.arm.EnableSubscription)),
	}
}

func (s *Resources) rename(call *api.Call) error {
	var in struct {
		Name string `json:"subscriptionName"`
	}
	if err := arm.ReadBody(call, &in); err != nil {
		return err
	}
	return s.arm.RenameSubscription(call.Request.Context(), call.Var("subscriptionId"), in.Name)
}
