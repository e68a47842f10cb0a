package entra

import "net/netip"

// SignIn is what is known of a sign-in when a token is about to be given: the
// conditions of Conditional Access.
// Source: microsoft-graph-docs conditionalaccessconditionset.md.
type SignIn struct {
	Tenant      string
	User        string // object id, in the tenant
	Client      string // application id
	Resource    string // application id
	ClientType  string // browser or mobileAppsAndDesktopClients
	Grant       string // authorization_code, refresh_token, …: which flow it is
	Remote      netip.Addr
	Methods     []string // how the user proved who they are, as in amr
	WorkloadApp bool     // a service principal signs in, no user
}

// evaluate decides a sign-in by the tenant's policies: a pure function, asked by
// every grant. There are no policies yet, so that it finds nothing against any.
func evaluate(SignIn) *Error { return nil }
