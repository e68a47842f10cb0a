package platform

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"sekisho/internal/services/search"
	"sekisho/rbac"
)

// outbound lets the services call others as themselves. It implements
// search.Outbound.
type outbound struct {
	p   *Platform
	mu  sync.Mutex
	way map[string]http.RoundTripper // by resource, in lower case
}

// Do implements search.Outbound.
func (o *outbound) Do(ctx context.Context, service string, identity json.RawMessage, audience string, req *http.Request) (*http.Response, error) {
	req = req.WithContext(ctx)
	if audience != "" {
		token, err := o.token(ctx, service, identity, audience)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", search.ErrIdentity, err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
	}
	o.mu.Lock()
	way := o.way[strings.ToLower(service)]
	if way == nil {
		way = o.p.edge.Outbound(rbac.Scope(service))
		o.way[strings.ToLower(service)] = way
	}
	o.mu.Unlock()
	return way.RoundTrip(req) // redirects are not followed: they would lead elsewhere than the owner said
}

// Kinds of SearchIndexerDataIdentity.
// Source: azure-rest-api-specs searchservice.json.
const (
	noIdentity   = "#Microsoft.Azure.Search.DataNoneIdentity"
	userIdentity = "#Microsoft.Azure.Search.DataUserAssignedIdentity"
)

// token is one of an identity that the resource bears.
func (o *outbound) token(ctx context.Context, service string, identity json.RawMessage, audience string) (string, error) {
	var named struct {
		Type     string `json:"@odata.type"`
		Resource string `json:"userAssignedIdentity"`
	}
	if len(identity) > 0 {
		if err := json.Unmarshal(identity, &named); err != nil {
			return "", fmt.Errorf("the identity is malformed: %w", err)
		}
	}
	resource, ok, err := o.p.reader.Get(ctx, service)
	if err != nil {
		return "", err
	}
	if !ok {
		return "", fmt.Errorf("the search service is gone")
	}
	of := resource.ID
	switch named.Type {
	case "", noIdentity:
		if resource.Identity == nil || !resource.Identity.System() {
			return "", fmt.Errorf("the search service '%s' has no system-assigned managed identity; turn it on, or use a key", resource.Name)
		}
	case userIdentity:
		of = ""
		if resource.Identity != nil {
			for id := range resource.Identity.UserAssigned {
				if strings.EqualFold(id, named.Resource) {
					of = id
				}
			}
		}
		if of == "" {
			return "", fmt.Errorf("the user-assigned managed identity '%s' is not assigned to the search service '%s'", named.Resource, resource.Name)
		}
	default:
		return "", fmt.Errorf("identities of the kind '%s' are not supported", named.Type)
	}
	principal, err := o.p.directory.IdentityOf(ctx, of)
	if err != nil {
		return "", err
	}
	if principal == nil || !principal.Enabled {
		return "", fmt.Errorf("the managed identity of '%s' may not sign in", of)
	}
	token, err := o.p.directory.IdentityToken(ctx, principal, audience)
	if err != nil {
		return "", err
	}
	return token.AccessToken, nil
}
