package servicetest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"

	"sekisho/internal/api"
	"sekisho/internal/services/search"
	"sekisho/rbac"
)

// outbound sends the calls of services: to hosts of the world through its gate, to
// others over the network. It implements search.Outbound for system-assigned
// identities.
type outbound struct{ w *World }

// Do implements search.Outbound.
func (o outbound) Do(ctx context.Context, service string, _ json.RawMessage, audience string, req *http.Request) (*http.Response, error) {
	req = req.Clone(ctx)
	for name, values := range req.Header { // as they come in over the network
		delete(req.Header, name)
		req.Header[http.CanonicalHeaderKey(name)] = values
	}
	if audience != "" {
		principal, err := o.w.Directory.IdentityOf(ctx, service)
		if err != nil {
			return nil, err
		}
		if principal == nil {
			return nil, fmt.Errorf("%w: %s has no system-assigned managed identity", search.ErrIdentity, service)
		}
		token, err := o.w.Directory.IdentityToken(ctx, principal, audience)
		if err != nil {
			return nil, err
		}
		req.Header.Set("Authorization", "Bearer "+token.AccessToken)
	}
	target, err := o.w.Reader.Resolve(ctx, &url.URL{Host: req.URL.Host})
	if err != nil {
		if o.w.Outside != nil {
			return o.w.Outside.RoundTrip(req)
		}
		return http.DefaultTransport.RoundTrip(req)
	}
	if req.Body == nil {
		req.Body = http.NoBody
	}
	rec := httptest.NewRecorder()
	o.w.gate.ServeCall(rec, req, api.Origin{Kind: api.Sibling, Source: rbac.Scope(service), Base: "https://" + req.URL.Host}, target)
	return rec.Result(), nil
}
