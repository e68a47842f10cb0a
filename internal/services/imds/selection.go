package imds

import (
	"context"
	"net/url"
	"regexp"
	"strings"

	"sekisho/internal/entra"
)

var (
	apiVersion = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}(-preview)?$`)
	guid       = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)
)

// identity is the one that the request selects among those of the machine; with
// none, problem says why.
func (s *Server) identity(ctx context.Context, machine string, p *protocol, query url.Values) (_ *entra.Principal, problem string, err error) {
	borne, err := s.identities(ctx, machine)
	if err != nil {
		return nil, "", err
	}
	by, want, problem := p.selector(query)
	switch {
	case problem != "":
		return nil, problem, nil
	case by != "":
		for _, identity := range borne.all() {
			have := map[string]string{"client": identity.AppID, "object": identity.ID, "resource": identity.Resource}[by]
			if strings.EqualFold(have, want) {
				return identity, "", nil
			}
		}
		return nil, "Identity not found", nil
	}
	identity, problem := borne.first()
	return identity, problem, nil
}

// borne are the identities of a machine that may sign in.
type borne struct {
	bears  bool // a system-assigned one, though it may be disabled
	system *entra.Principal
	users  []*entra.Principal
}

func (b borne) all() []*entra.Principal {
	if b.system == nil {
		return b.users
	}
	return append([]*entra.Principal{b.system}, b.users...)
}

// first is the identity of a request that names none.
// Source: entra-docs how-to-use-vm-token.md.
func (b borne) first() (_ *entra.Principal, problem string) {
	switch {
	case b.system != nil:
		return b.system, ""
	case b.bears || len(b.users) == 0: // none takes the place of a disabled one
		return nil, "Identity not found"
	case len(b.users) == 1:
		return b.users[0], ""
	}
	return nil, "Multiple user assigned identities exist, please specify the clientId / resourceId of the identity in the token request"
}

func (s *Server) identities(ctx context.Context, machine string) (b borne, err error) {
	res, ok, err := s.resources.Get(ctx, machine)
	if err != nil || !ok || res.Identity == nil {
		return b, err
	}
	if b.bears = res.Identity.System(); b.bears {
		if b.system, err = s.bearer(ctx, res.ID); err != nil {
			return b, err
		}
	}
	for id := range res.Identity.UserAssigned {
		user, err := s.bearer(ctx, id)
		if err != nil {
			return b, err
		}
		if user != nil {
			b.users = append(b.users, user)
		}
	}
	return b, nil
}

// defaultClient is the client id that compute names in its environment, or the
// word that is there without an identity (azure-sdk-for-python#36047).
func (s *Server) defaultClient(ctx context.Context, machine string) (string, error) {
	borne, err := s.identities(ctx, machine)
	if err != nil {
		return "", err
	}
	if identity, _ := borne.first(); identity != nil {
		return identity.AppID, nil
	}
	return "clientid", nil
}

// bearer is the identity that belongs to a resource, unless it is disabled or
// does not exist.
func (s *Server) bearer(ctx context.Context, resource string) (*entra.Principal, error) {
	identity, err := s.directory.IdentityOf(ctx, resource)
	if err != nil || identity == nil || !identity.Enabled {
		return nil, err
	}
	return identity, nil
}

// selector is what the query selects an identity by, and its value.
func (p *protocol) selector(query url.Values) (by, value, problem string) {
	for name, what := range p.selectors {
		switch given := query.Get(name); {
		case given == "" || what != "" && p.unnamed != nil && p.unnamed(given):
		case what == "":
			return "", "", "The parameter " + name + " selects no identity at this endpoint"
		case by != "":
			return "", "", "The parameters that select an identity exclude each other; the request has more than one"
		default:
			by, value = what, given
		}
	}
	return by, value, ""
}
