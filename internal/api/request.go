package api

import (
	"net/http"
	"net/netip"
	"strings"
	"time"

	"sekisho/rbac"
	"sekisho/rbac/condition"
)

// OriginKind says which way a connection came in.
type OriginKind int

const (
	// Public is a connection from the open network.
	Public OriginKind = iota
	// Sibling is a call that one of Sekisho's own services makes to another,
	// over the in-memory transport.
	Sibling
)

// Origin is how a request reached edge. It is recorded from the connection,
// never from a header that a client may write.
type Origin struct {
	Kind   OriginKind
	Local  netip.AddrPort
	Remote netip.AddrPort
	// Source is the resource that makes a Sibling call.
	Source rbac.Scope
	// Base is the URL prefix (scheme, host, no trailing slash) under which the
	// client reached this service. Every URL in a reply is rendered from it.
	Base string
	// Own is the URL of Sekisho's own name (https://localhost:4443) when the
	// client uses that; empty when it uses Azure's names.
	Own string
}

// DataPlane is the URL of the data plane that Azure has at a host name, as the
// client of this origin reaches it. Under Sekisho's own name it is a path:
// /-/{zone}/{label}/, where the zone is the host's name of the service.
func (o Origin) DataPlane(host string) string {
	if o.Own == "" {
		return "https://" + host + "/"
	}
	label, zone, _ := strings.Cut(host, ".")
	return o.Own + OwnPrefix + OwnZones[zone] + "/" + label + "/"
}

// OwnPrefix begins the paths of data planes under Sekisho's own name.
const OwnPrefix = "/-/"

// OwnZones are the names that Azure's zones of accounts have in such a path.
var OwnZones = map[string]string{
	"openai.azure.com":            "openai",
	"cognitiveservices.azure.com": "cognitiveservices",
	"services.ai.azure.com":       "ai",
	"api.cognitive.microsoft.com": "region",
	"blob.core.windows.net":       "blob",
	"dfs.core.windows.net":        "dfs",
	"search.windows.net":          "search",
	"api.azureml.ms":              "azureml",
}

// Target is what a request is addressed to: one resource of one service.
type Target struct {
	// Service names the table of operations that the path is looked up in.
	Service string
	// Scope is the resource that the host name belongs to. It is empty for
	// services of the whole cloud (ARM, Graph, sign-in) and for a regional
	// host, where only the account key tells which account is meant.
	Scope rbac.Scope
	// Tenant owns Scope.
	Tenant string
	// Location is the region of a regional host.
	Location string
	// Guard is how the resource lets itself be reached; nil for services of
	// the whole cloud.
	Guard *Guard
}

// Guard is what a resource says of its own reachability. gate enforces it.
type Guard struct {
	// PublicAccess is properties.publicNetworkAccess.
	PublicAccess bool
	// DefaultDeny is properties.networkAcls.defaultAction == "Deny"; the rules
	// below have no effect without it.
	DefaultDeny bool
	IPRules     []netip.Prefix
	// TrustedServices are those that networkAcls.bypass "AzureServices" lets in:
	// providers, or types of theirs, in lower case ("microsoft.search",
	// "microsoft.search/searchservices"); empty without the bypass.
	TrustedServices []string
	// Instances are networkAcls.resourceAccessRules: single resources that are
	// let in.
	Instances []Instance
	// Keys is false when disableLocalAuth is set.
	Keys bool
	// Anonymous is set where parts of the resource may be opened to everybody
	// (allowBlobPublicAccess).
	Anonymous bool
	// Tokens is true on a host that belongs to one account only (a custom
	// subdomain); Azure refuses Entra tokens elsewhere.
	Tokens bool
	// Challenge is set where a credential that does not verify is answered by a 401
	// that challenges, not by a 403 (aadAuthFailureMode of AI Search).
	Challenge bool
}

// Key is an account's key that somebody showed.
type Key struct {
	Account Target
	Name    string
	Query   bool // it only queries
}

// Instance is a resource of a tenant, known by its managed identity.
type Instance struct {
	Tenant   string
	Resource rbac.Scope
}

// Credential is how a caller proved who it is.
type Credential string

const (
	Anonymous  Credential = "anonymous"
	Token      Credential = "token"
	AccountKey Credential = "key"
	// SharedKey is a request that an account key signed; SAS a signed URL;
	// DelegationSAS one that a user's delegation key signed.
	SharedKey     Credential = "sharedKey"
	SAS           Credential = "sas"
	DelegationSAS Credential = "delegationSas"
)

// Caller is who makes a call, as far as it was proved.
type Caller struct {
	Credential Credential
	Tenant     string
	// Object is the object id of the principal; empty for a key.
	Object string
	// App is the application id of the client that got the token.
	App string
	// Name is what a person would call the principal: the UPN of a user, the
	// application id of a service principal, the name of a key.
	Name string
	// Identity is the verified xms_mirid of a managed identity's token: the
	// resource that bears the identity.
	Identity rbac.Scope
	// Roles are the application permissions (app roles) in the token.
	Roles []string
	// Scopes are the delegated permissions in a user's token (scp): what the
	// user let the client do in their name. An application's token has none.
	Scopes []string
	// User is set when the principal is a user: the token lets its client do in
	// their name what Scopes say, and no more than they may themselves.
	User bool
	// Guest is set for a user whose userType is Guest.
	Guest bool
	// DirectoryRoles names the directory roles that the principal has now.
	DirectoryRoles []string
	// Expires is when the credential stops being one; zero for a key.
	Expires time.Time
}

// Signed is a verified signature on a request, and what it lets its holder do.
type Signed struct {
	// Caller is the account, or the user whose delegation key signed.
	Caller Caller
	// Whole is set when the account's key signed the request itself: it may do
	// everything with the account.
	Whole bool
	// Permissions are the letters of a signed URL; Types the types of resources
	// that it reaches, as an account SAS has them (s, c, o).
	Permissions, Types string
	// Single is set for a signed URL of one container, directory or blob; Lists if
	// it may also list and search what is in its container.
	Single, Lists bool
	// HTTPSOnly, First and Last bound the way in: the protocol, and the addresses
	// that the request may come from, if they are set.
	HTTPSOnly   bool
	First, Last netip.Addr
	// Holder is the user who alone may use the signature, and must show a token.
	Holder string
	// ByKey is set when an account key signed: the account may have closed them.
	ByKey bool
	// Restricted is a principal whom what the resource keeps must let do it, too
	// (Check.Otherwise).
	Restricted string
	// Delegated is set when the caller's own rights bound the signature, too.
	Delegated bool
}

// Check is one question to Azure RBAC: may the caller do Action at Scope?
type Check struct {
	Scope  rbac.Scope
	Action string
	// Data asks the data plane (dataActions), not the control plane.
	Data bool
	// Or is another action of the same plane that suffices, too; it may be empty.
	Or string
	// SAS and SASType are what a signed URL must permit, as in Operation.
	SAS, SASType string
	// Linked is set when the scope is not the target's own: the action at the
	// target that needs this one too.
	Linked string
	// TokensOnly is set where no account key stands for the right, though the
	// operation takes keys.
	TokensOnly bool
	// BuiltInOnly leaves custom roles out of account.
	BuiltInOnly bool
	// Attributes are what conditions see of the request; nil for none.
	Attributes *Attributes
	// Otherwise is asked when RBAC does not allow: what the resource itself keeps
	// of who may do what with it, such as access control lists. It is nil for
	// resources that keep nothing.
	Otherwise func(Principal) (Verdict, error)
}

// Principal is who a resource is asked about: an object id, and the groups that it
// is in, also through others.
type Principal struct {
	Object string
	Groups []string
}

// Verdict is what a resource says of a principal, and why.
type Verdict struct {
	Allowed bool
	Why     string
}

// User is in whose name a call asks, beside its caller (Operation.OnBehalf).
type User struct {
	Caller Caller
	// Groups are those that the user is in now, also through others, in lower case.
	Groups []string
	// Can asks RBAC about the user. An error says nothing of what they may.
	Can func(Check) (bool, error)
}

// Attributes are what the conditions of role assignments see of a request
// (package condition).
type Attributes struct {
	SubOperation string
	// Get gives an attribute of the resource or of the request by its
	// condition.Key. It may be nil.
	Get func(source condition.Source, key string) (any, bool)
}

// Call is one request on its way, with all that edge and gate found out.
type Call struct {
	Request   *http.Request
	ID        string // request id: a GUID, in replies, audit and log
	Path      string // unescaped, without empty segments or a trailing slash
	Origin    Origin
	Target    Target
	Caller    Caller
	User      *User // nil unless the call asks in a user's name
	Operation *Operation
	// Vars are the values of the pattern's variables, as written in the path.
	Vars map[string]string
	// Authorize asks RBAC about the caller; nil, or a *Refusal. gate sets it;
	// handlers use it only to leave out of a list what the caller may not see.
	Authorize func(Check) error
	// Part serves a request that came within this one (of a batch) as if it had
	// come alone, by the same way: gate sets it, and decides it.
	Part func(http.ResponseWriter, *http.Request)
	// Visit is Part for another target, such as the source of a copy: the way in is
	// this call's, and the base of URLs the given one.
	Visit func(w http.ResponseWriter, r *http.Request, base string, target Target)
}

// Can tells whether the caller may do what the check asks.
func (c *Call) Can(check Check) bool { return c.Authorize(check) == nil }

// Var is the value of a variable of the operation's pattern.
func (c *Call) Var(name string) string { return c.Vars[name] }

// URL renders an absolute URL below the base that the client used.
func (c *Call) URL(path string) string { return c.Origin.Base + path }
