package platform

import (
	"context"
	"encoding/json"
	"io"
	"net/http"

	"github.com/google/uuid"

	"sekisho/internal/access"
	"sekisho/internal/store"
)

// What the operator does to tenants and subscriptions, over the control socket.

func (c *control) createTenant(w http.ResponseWriter, r *http.Request) {
	act(c, w, r, "Tenants_Create", c.platform.CreateTenant, func(t Tenant) (string, string) { return t.ID, string(access.RootGroup(t.ID)) })
}

func (c *control) createSubscription(w http.ResponseWriter, r *http.Request) {
	act(c, w, r, "Subscriptions_Create", c.platform.CreateSubscription, func(s Subscription) (string, string) { return s.Tenant, "/subscriptions/" + s.ID })
}

func (c *control) tenants(w http.ResponseWriter, r *http.Request) {
	all, err := c.platform.Tenants(r.Context())
	answer(w, all, err, http.StatusInternalServerError)
}

func (c *control) subscriptions(w http.ResponseWriter, r *http.Request) {
	all, err := c.platform.Subscriptions(r.Context())
	answer(w, all, err, http.StatusInternalServerError)
}

// act does what a command asks for, and writes the audit entry of what was done.
// Who may open the socket is the operator; no role is asked for.
func act[In, Out any](c *control, w http.ResponseWriter, r *http.Request, operation string,
	do func(context.Context, In) (Out, error), made func(Out) (tenant, scope string)) {
	var in In
	if err := json.NewDecoder(io.LimitReader(r.Body, 1<<16)).Decode(&in); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	out, err := do(r.Context(), in)
	if err == nil {
		tenant, scope := made(out)
		c.platform.audit.Append(store.Entry{RequestID: uuid.NewString(), Service: "control", Operation: operation, Method: r.Method, Path: r.URL.Path,
			Tenant: tenant, Scope: scope, PrincipalName: "operator", Credential: "ControlSocket", Decision: store.Allowed})
	}
	answer(w, out, err, http.StatusBadRequest)
}

func answer(w http.ResponseWriter, v any, err error, status int) {
	if err != nil {
		http.Error(w, err.Error(), status)
		return
	}
	json.NewEncoder(w).Encode(v)
}

// CreateTenant asks the running instance for a tenant.
func (c *Client) CreateTenant(ctx context.Context, in TenantRequest) (Tenant, error) {
	return ask[Tenant](ctx, c, http.MethodPost, "/tenants", in)
}

// Tenants are those of the running instance.
func (c *Client) Tenants(ctx context.Context) ([]Tenant, error) {
	return ask[[]Tenant](ctx, c, http.MethodGet, "/tenants", nil)
}

// CreateSubscription asks the running instance for a subscription.
func (c *Client) CreateSubscription(ctx context.Context, in SubscriptionRequest) (Subscription, error) {
	return ask[Subscription](ctx, c, http.MethodPost, "/subscriptions", in)
}

// Subscriptions are those of the running instance.
func (c *Client) Subscriptions(ctx context.Context) ([]Subscription, error) {
	return ask[[]Subscription](ctx, c, http.MethodGet, "/subscriptions", nil)
}

func ask[Out any](ctx context.Context, c *Client, method, path string, in any) (out Out, err error) {
	resp, err := c.do(ctx, method, path, in)
	if err != nil {
		return out, err
	}
	defer resp.Body.Close()
	return out, json.NewDecoder(resp.Body).Decode(&out)
}
