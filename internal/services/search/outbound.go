package search

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
)

// Outbound sends requests of a search service to others: vectorizers, data sources,
// skills. Hosts of Azure are reached as one of Sekisho's services reaches another;
// nothing for them leaves this machine.
type Outbound interface {
	// Do sends a request of the search service with the given resource id. With an
	// audience, it bears a token for it, of the service's system-assigned identity, or
	// of the one that identity names: a SearchIndexerDataIdentity as a definition has
	// it, nil for none. An error says why there is no token (it wraps ErrIdentity) or
	// no answer, in words that a client may read.
	Do(ctx context.Context, service string, identity json.RawMessage, audience string, req *http.Request) (*http.Response, error)
}

// ErrIdentity is why there is no token: the service has no such identity, or it may
// not have one.
var ErrIdentity = errors.New("no token")
