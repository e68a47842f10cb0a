package api

import (
	"net/http"
	"slices"
)

// Operation is one row of a service's table. Routing, authorization, the audit
// record and the coverage page are read from it.
type Operation struct {
	Method string
	// Pattern is a path with {variables} of one segment each. A pattern that
	// starts with "{scope}/" is an extension: the variable takes everything
	// before the last "/providers/" of the path. Literals match in any case.
	Pattern string
	// Query and Header tell rows of one method and path apart where the service's
	// Selectors do: "comp=list" or "comp" must be in the query, and the header
	// must be there, "x-ms-copy-source" with any value or "x-ms-blob-type=BlockBlob"
	// with that one; or several, with spaces between. An open row takes any query.
	Query  []string
	Header string
	// Name is Azure's operation id, as it stands in errors, audit and metrics.
	Name string
	// Action is what the caller needs at the target (on a data host) or at the
	// scope that the path names (on ARM), unless Checks says otherwise. Data
	// tells which plane it belongs to.
	Action string
	Data   bool
	// Further are the actions of that plane that Checks asks for beside Action, or
	// instead of it, where the request says so.
	Further []string
	// Source is the Azure document or contract that says so.
	Source string

	// SAS is what a signed URL must permit: any one of the letters, and, of an
	// account SAS, SASType among its resource types (s, c or o). Without letters
	// no signed URL suffices. Source: rest-storageservices
	// create-account-sas.md and create-service-sas.md.
	SAS, SASType string

	// Open operations ask for no credential (discovery, token endpoints).
	Open bool
	// Keys operations also take an account key; BearerKeys ones also as a
	// bearer (the v1 surface, where clients know one header only).
	Keys, BearerKeys bool
	// QueryKeys operations also take a key that only queries.
	QueryKeys bool
	// TokensOnly operations take no signature of any kind.
	TokensOnly bool
	// Filtered operations list what the caller may see: the check is not asked
	// beforehand, the handler leaves out what Call.Can refuses.
	Filtered bool
	// OnBehalf gives the token of the user in whose name a request asks, which it
	// bears beside the caller's own credential; empty for none. gate verifies it as
	// it does the caller's, and says who it is by Call.User.
	OnBehalf func(*Call) string
	// Permission lets a call of Microsoft Graph pass, which does not use Azure
	// RBAC. Also gives what is needed beyond it, where that depends on the path
	// or the body: each must let the call pass, too.
	Permission Permission
	Also       func(*Call) ([]Permission, error)

	// Checks gives the questions when they depend on the path or the body.
	Checks func(*Call) ([]Check, error)
	Handle func(http.ResponseWriter, *Call) error
}

// Users are those who may do something by being users of the directory, without
// a directory role.
type Users int

const (
	NoUsers  Users = iota
	Members        // all but guests
	AllUsers       // guests, too
)

// Permission is what Microsoft Graph asks for. An application needs one of the
// application permissions in its token, or one of the directory roles. A user's
// token needs one of the scopes, and the user one of the directory roles, unless
// they are of Users.
// Source: microsoft-graph-docs-contrib concepts/permissions-overview.md.
type Permission struct {
	Roles          []string // application permissions
	Scopes         []string // delegated permissions
	DirectoryRoles []string
	Users          Users
}

// Empty tells whether nothing is asked for.
func (p Permission) Empty() bool {
	return len(p.Roles) == 0 && len(p.Scopes) == 0 && len(p.DirectoryRoles) == 0
}

// Delegated tells whether the caller's token has what a user's needs; true of an
// application's.
func (p Permission) Delegated(c Caller) bool { return !c.User || shared(c.Scopes, p.Scopes) }

// Allows tells whether the caller has what is asked for.
func (p Permission) Allows(c Caller) bool {
	switch administers := shared(c.DirectoryRoles, p.DirectoryRoles); {
	case p.Empty():
		return true
	case c.User:
		return p.Delegated(c) && (administers || p.Users == AllUsers || p.Users == Members && !c.Guest)
	default:
		return administers || shared(c.Roles, p.Roles)
	}
}

// shared tells whether two lists have a name in common.
func shared(a, b []string) bool {
	return slices.ContainsFunc(a, func(name string) bool { return slices.Contains(b, name) })
}

// Service is a table of operations behind one kind of host.
type Service struct {
	Name string
	// Audiences are the token audiences that this service accepts.
	Audiences  []string
	Operations []Operation
	// ForAccounts services are addressed by the host of one account: without
	// such a host, Azure takes no tokens.
	ForAccounts bool
	// Selectors are the query parameters that choose the operation, beside the
	// path. A request that has one which no row names is none of the service's:
	// it must not pass for the row without it.
	Selectors []string
	// Nested paths are a container and the name of something in it, which may
	// hold slashes: /{container}/{name}.
	Nested bool
	// Canonical gives the path that a request's path is another spelling of, in
	// segments; nil where there is one spelling only.
	Canonical func(r *http.Request, path []string) []string
	// Credential knows what signs a request of this service, beside tokens and
	// keys that are sent as they are; nil for a request that has no signature. Its
	// errors are *Refusal, *Error, or a failure. It may be nil.
	Credential func(*Call) (*Signed, error)
	// MaxBody bounds a request body, in bytes; 0 is unbounded.
	MaxBody int64
	// WriteError renders any error, a *Refusal among them, in the service's
	// own wire shape. The call may lack a Caller or an Operation.
	WriteError func(http.ResponseWriter, *Call, error)
}
