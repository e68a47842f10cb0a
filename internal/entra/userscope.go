package entra

import (
	"slices"
	"strings"
)

// Asked is what a user's token is asked for: the permissions of one resource,
// beside those of OpenID Connect. Source: entra-docs scopes-oidc.md.
type Asked struct {
	// Resource is the name of the resource as the client wrote it; empty for
	// Microsoft Graph when that is only implied.
	Resource string
	// Permissions are those asked for by name; none with .default, which asks
	// for all that was consented to.
	Permissions []string
	Default     bool
	// OpenID are the scopes of OpenID Connect among openid, profile, email and
	// offline_access.
	OpenID []string
}

var openIDScopes = []string{"openid", "profile", "email", "offline_access"}

// ParseScope reads the scope parameter of a user's sign-in. Errors are *Error.
func ParseScope(text string) (Asked, error) {
	var a Asked
	named, set := "", false
	for s := range strings.FieldsSeq(text) {
		if slices.Contains(openIDScopes, s) {
			if !slices.Contains(a.OpenID, s) {
				a.OpenID = append(a.OpenID, s)
			}
			continue
		}
		resource, permission := "", s // Microsoft Graph's may go without its name
		if i := strings.LastIndexByte(s, '/'); i >= 0 {
			resource, permission = s[:i], s[i+1:]
		}
		switch {
		case permission == "":
			return Asked{}, fail(70011, "invalid_scope", "The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid. The scope %s is not valid.", s)
		case set && !sameResource(named, resource):
			return Asked{}, fail(70022, "invalid_scope", "The provided value for the input parameter scope '%s' isn't valid because it contains more than one resource.", text)
		}
		named, set = resource, true
		if permission == ".default" {
			a.Default = true
		} else if !slices.Contains(a.Permissions, permission) {
			a.Permissions = append(a.Permissions, permission)
		}
	}
	if a.Default && len(a.Permissions) > 0 {
		return Asked{}, fail(70011, "invalid_scope", "The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid. .default scope can't be combined with resource-specific scopes.")
	}
	a.Resource = named
	return a, nil
}

func sameResource(a, b string) bool {
	if a == "" {
		a = graphName
	}
	if b == "" {
		b = graphName
	}
	return sameURI(a, b)
}

// graphName is the resource of scopes that name none.
const graphName = "https://graph.microsoft.com"

// AskedOf is what a request of the v1 endpoint asks for: all of a resource.
func AskedOf(resource string) Asked {
	return Asked{Resource: resource, Default: true, OpenID: []string{"openid", "profile", "offline_access"}}
}

func (a Asked) has(openID string) bool { return slices.Contains(a.OpenID, openID) }

// None tells whether nothing is asked for, not even to know the user.
func (a Asked) None() bool { return len(a.OpenID) == 0 && len(a.Permissions) == 0 && !a.Default }

// resource is the name to look the resource up by.
func (a Asked) resource() string {
	if a.Resource == "" {
		return graphName
	}
	return a.Resource
}

// granted is the scope of a reply: clients find a token again by the words with
// which they asked.
func (a Asked) granted(permissions []string) string {
	prefix := ""
	if a.Resource != "" {
		prefix = a.Resource + "/"
	}
	var all []string
	for _, p := range permissions {
		if slices.Contains(openIDScopes, p) && sameResource(a.Resource, graphName) {
			all = append(all, p)
		} else {
			all = append(all, prefix+p)
		}
	}
	if a.Default {
		all = append(all, prefix+".default")
	}
	return strings.Join(all, " ")
}
