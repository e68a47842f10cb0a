package gate

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/store"
	"sekisho/rbac"
)

// decision is the gate's work on one call, with what the audit wants to know.
type decision struct {
	gate    *Gate
	service api.Service
	call    *api.Call
	check   api.Check
	result  rbac.Result
	also    []store.Asked // before check, and allowed
	// deferred is set while a rule waits for the verified token: the call is
	// out unless the token belongs to a trusted service.
	deferred *api.Refusal
	signed   *api.Signed // of a request that bears a signature
	granted  string      // what allowed the call where RBAC did not
}

// decide finds out who is calling and whether they may. The network has been
// asked before.
func (d *decision) decide() error {
	if err := d.identify(); err != nil {
		return err
	}
	if err := d.trusted(); err != nil {
		return err
	}
	if err := d.authorize(); err != nil {
		return err
	}
	return d.behalf()
}

func (d *decision) refuse(reason api.Reason, format string, args ...any) *api.Refusal {
	r := &api.Refusal{Reason: reason, Cause: fmt.Sprintf(format, args...), Caller: d.call.Caller, Tenant: d.call.Target.Tenant}
	scope := rbac.Scope(d.call.Path)
	if (reason == api.NoCredential || reason == api.InvalidToken) && scope.Subscription() != "" {
		// Clients of ARM learn their tenant from the challenge.
		r.Tenant, _, _ = d.gate.Tenants.TenantOf(d.call.Request.Context(), scope)
	}
	return r
}

// network applies the target's network rules. A regional host has no target
// yet: identify comes back when the key has told the account.
func (d *decision) network() error {
	guard, origin := d.call.Target.Guard, d.call.Origin
	if guard == nil {
		return nil
	}
	var refused *api.Refusal
	switch remote := origin.Remote.Addr().Unmap(); {
	case !guard.PublicAccess:
		refused = d.refuse(api.PublicAccessClosed, "publicNetworkAccess of %s is Disabled and the call came over the public endpoint", d.call.Target.Scope)
	case guard.DefaultDeny && !slices.ContainsFunc(guard.IPRules, func(p netip.Prefix) bool { return p.Contains(remote) }):
		refused = d.refuse(api.NetworkRules, "networkAcls of %s deny by default and no ipRule covers %s", d.call.Target.Scope, remote)
	default:
		return nil
	}
	if origin.Kind == api.Sibling && (len(guard.TrustedServices) > 0 || len(guard.Instances) > 0) {
		d.deferred = refused
		return nil
	}
	return refused
}

// trusted settles a rule that waited for the token: it must be the one of the
// system-assigned identity of the service that calls, told by its xms_mirid.
func (d *decision) trusted() error {
	if d.deferred == nil {
		return nil
	}
	caller := d.call.Caller
	if caller.Credential == api.Token && caller.Identity != "" && caller.Identity.Key() == d.call.Origin.Source.Key() {
		if letsIn(d.call.Target.Guard, caller) {
			return nil
		}
	}
	return d.deferred
}

// letsIn tells whether a guard names the caller's resource, or its kind.
func letsIn(guard *api.Guard, caller api.Caller) bool {
	if slices.ContainsFunc(guard.Instances, func(i api.Instance) bool {
		return strings.EqualFold(i.Tenant, caller.Tenant) && i.Resource.Key() == caller.Identity.Key()
	}) {
		return true
	}
	id, err := rbac.ParseID(string(caller.Identity))
	if err != nil || len(id.Types) == 0 {
		return false
	}
	provider := strings.ToLower(id.Provider)
	return slices.Contains(guard.TrustedServices, provider) || slices.Contains(guard.TrustedServices, provider+"/"+strings.ToLower(id.Types[0]))
}

// identify verifies the credential that the call carries.
func (d *decision) identify() error {
	r, op := d.call.Request, d.call.Operation
	if known, err := d.verifySignature(); known || err != nil {
		return err
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	key := r.Header.Get("api-key")
	if key == "" {
		key = r.Header.Get("Ocp-Apim-Subscription-Key")
	}
	bearer := strings.EqualFold(scheme, "Bearer")
	token = strings.TrimSpace(token)
	// A JWT has two dots, a key has none.
	if bearer && op.BearerKeys && token != "" && !strings.Contains(token, ".") {
		key, bearer = token, false
	}
	switch {
	case bearer:
		return d.verifyToken(token)
	case key != "" && op.Keys:
		return d.verifyKey(key)
	case key != "":
		return d.refuse(api.NoCredential, "this operation takes an Entra token, not a key")
	case scheme != "":
		// What stands there may be a secret without a scheme: it is not repeated.
		return d.refuse(api.NoCredential, "the Authorization header is not of the form \"Bearer <token>\"")
	default:
		return d.refuse(api.NoCredential, "the request has neither a token nor a key")
	}
}

func (d *decision) verifyToken(token string) error {
	caller, err := d.bearer(token)
	if err != nil {
		return err
	}
	d.call.Caller = caller
	target := d.call.Target
	if d.service.ForAccounts && (target.Guard == nil || !target.Guard.Tokens) {
		return d.refuse(api.SubdomainRequired, "Entra tokens need the account's own host name (customSubDomainName)")
	}
	if target.Guard != nil && !target.Guard.Tokens {
		return d.refuse(api.TokensDisabled, "%s takes keys only", target.Scope)
	}
	if target.Tenant != "" && !strings.EqualFold(target.Tenant, caller.Tenant) {
		return d.refuse(api.WrongTenant, "the token is of tenant %s, the resource of tenant %s", caller.Tenant, target.Tenant)
	}
	return nil
}

// bearer verifies a token of this service, whoever it is for.
func (d *decision) bearer(token string) (api.Caller, error) {
	caller, err := d.gate.Verifier.Verify(d.call.Request.Context(), token, d.service.Audiences)
	var bad TokenError
	if errors.As(err, &bad) {
		refused := d.refuse(api.InvalidToken, "%v", err)
		refused.Err = err
		return caller, refused
	}
	return caller, err // else the directory failed, which says nothing of the token
}

func (d *decision) verifyKey(key string) error {
	found, ok, err := d.gate.Keys.FindKey(d.call.Request.Context(), key)
	if err != nil {
		return err
	}
	account, target := found.Account, d.call.Target
	switch {
	// A disabled account says so whatever the key.
	case target.Guard != nil && !target.Guard.Keys:
		return d.refuse(api.KeysDisabled, "disableLocalAuth of %s is true", target.Scope)
	case !ok:
		return d.refuse(api.InvalidKey, "no account has this key")
	case target.Service != account.Service:
		return d.refuse(api.InvalidKey, "the key is not one of this service")
	case target.Scope == "" && target.Location != account.Location:
		return d.refuse(api.InvalidKey, "the key's account is not in region %s", target.Location)
	case target.Scope != "" && target.Scope.Key() != account.Scope.Key():
		return d.refuse(api.InvalidKey, "the key is not one of %s", target.Scope)
	case found.Query && !d.call.Operation.QueryKeys:
		return d.refuse(api.QueryKeyOnly, "the key %q only queries, and this operation takes an admin key or a token", found.Name)
	}
	if target.Scope == "" { // a regional host: now the account is known
		d.call.Target = account
		if err := d.network(); err != nil {
			return err
		}
		if !account.Guard.Keys {
			return d.refuse(api.KeysDisabled, "disableLocalAuth of %s is true", account.Scope)
		}
	}
	d.call.Caller = api.Caller{Credential: api.AccountKey, Tenant: account.Tenant, Name: found.Name}
	return nil
}

// authorize asks RBAC, or Graph's permissions. A key is its account's own
// consent to every operation that takes keys.
func (d *decision) authorize() error {
	call := d.call
	op := call.Operation
	if !op.Permission.Empty() || op.Also != nil {
		return d.permissions()
	}
	checks, err := d.checks()
	if err != nil {
		return err
	}
	for i, check := range checks {
		d.check = check
		if call.Caller.Credential == api.AccountKey {
			if check.TokensOnly {
				return d.keyless(check)
			}
			continue
		}
		if d.signed != nil {
			if err := d.permits(check); err != nil {
				return err
			}
			if !d.signed.Delegated {
				continue
			}
		}
		if err := d.sameTenant(check); err != nil {
			return err
		}
		if op.Filtered {
			continue
		}
		if err := d.ask(check); err != nil {
			return err
		}
		if err := d.restricted(check); err != nil {
			return err
		}
		if i < len(checks)-1 {
			d.also = append(d.also, asked(check, d.result))
		}
	}
	return nil
}

// keyless refuses an account key that does not stand for a right.
func (d *decision) keyless(check api.Check) error {
	refused := d.refuse(api.NotPermitted, "no account key stands for this right, only a role assignment")
	refused.Check, refused.SmallestRole = check, d.gate.Access.SmallestRole(check.Action, check.Data)
	return refused
}

// ask puts one question of the decision to RBAC, and remembers the answer for
// the audit.
func (d *decision) ask(check api.Check) (err error) {
	d.result, d.granted, err = d.question(check)
	return err
}

func asked(check api.Check, result rbac.Result) store.Asked {
	a := store.Asked{Action: check.Action, Data: check.Data, Scope: string(check.Scope)}
	if result.Assignment != nil {
		a.Assignment = result.Assignment.ID
	}
	return a
}

// question asks RBAC about the caller and, where it does not allow, the resource:
// granted is what that said.
func (d *decision) question(check api.Check) (result rbac.Result, granted string, err error) {
	asked := check
	asked.Attributes = withEnvironment(check.Attributes)
	result, err = d.gate.Access.Check(d.call.Request.Context(), d.call.Caller, asked)
	if err == nil && check.Or != "" && result.Decision != rbac.Allowed {
		asked.Action = check.Or
		var second rbac.Result
		if second, err = d.gate.Access.Check(d.call.Request.Context(), d.call.Caller, asked); second.Decision == rbac.Allowed {
			result = second
		}
	}
	if err != nil || result.Decision == rbac.Allowed {
		return result, "", err
	}
	verdict, err := d.otherwise(check, result)
	if err != nil || verdict.Allowed {
		return result, verdict.Why, err
	}
	refused := d.refuse(api.NotPermitted, "%s", result.Why)
	if refused.Resource = verdict.Why; verdict.Why != "" {
		refused.Cause += "; and " + verdict.Why
	}
	refused.Check, refused.Result = check, result
	if result.Decision != rbac.Denied { // no role helps against a deny assignment
		refused.SmallestRole = d.gate.Access.SmallestRole(check.Action, check.Data)
	}
	return result, "", refused
}

// otherwise asks the resource about a caller whom RBAC does not allow. A deny
// assignment is the last word, and a signature goes no further than RBAC lets the
// one who signed.
// Source: azure-docs storage/blobs/data-lake-storage-access-control-model.md, "How
// permissions are evaluated".
func (d *decision) otherwise(check api.Check, result rbac.Result) (v api.Verdict, err error) {
	caller := d.call.Caller
	if check.Otherwise == nil || caller.Object == "" || d.signed != nil || result.Decision == rbac.Denied {
		return v, nil
	}
	groups, err := d.gate.Access.Groups(d.call.Request.Context(), caller.Object)
	if err != nil {
		return v, err
	}
	return check.Otherwise(api.Principal{Object: caller.Object, Groups: groups})
}

func (d *decision) checks() ([]api.Check, error) {
	op := d.call.Operation
	if op.Checks != nil {
		return op.Checks(d.call)
	}
	if op.Action == "" {
		return nil, nil // a token is enough (GET /subscriptions, GET /tenants)
	}
	return []api.Check{{Scope: d.call.Target.Scope, Action: op.Action, Data: op.Data, SAS: op.SAS, SASType: op.SASType}}, nil
}

// sameTenant refuses a token of another tenant than the one that the scope's
// subscription belongs to. A subscription that does not exist is for the
// handler to tell, after RBAC has refused who may not know.
func (d *decision) sameTenant(check api.Check) error {
	owner, ok, err := d.gate.Tenants.TenantOf(d.call.Request.Context(), check.Scope)
	if err != nil || !ok || strings.EqualFold(owner, d.call.Caller.Tenant) {
		return err
	}
	refused := d.refuse(api.WrongTenant, "the token is of tenant %s, the subscription of tenant %s", d.call.Caller.Tenant, owner)
	refused.Tenant, refused.Check = owner, check
	return refused
}

// permissions asks what Microsoft Graph asks.
func (d *decision) permissions() error {
	op := d.call.Operation
	if err := d.permitted(op.Permission); err != nil || op.Also == nil {
		return err
	}
	also, err := op.Also(d.call)
	for _, p := range also {
		if err == nil {
			err = d.permitted(p)
		}
	}
	return err
}

// permitted refuses a caller without the permission, and says what is missing:
// the scope in a user's token, or what the user may themselves.
func (d *decision) permitted(p api.Permission) error {
	caller := d.call.Caller
	if p.Allows(caller) {
		return nil
	}
	missing := p.Roles
	var refused *api.Refusal
	switch {
	case !p.Delegated(caller):
		missing = p.Scopes
		refused = d.refuse(api.NotPermitted, "the token delegates none of the permissions %s", strings.Join(p.Scopes, ", "))
	case caller.User:
		missing = p.DirectoryRoles
		refused = d.refuse(api.NotPermitted, "the token delegates enough, but the user has none of the directory roles %s", strings.Join(p.DirectoryRoles, ", "))
		if p.Users == api.Members {
			refused.Cause += ", and is a guest"
		}
	default:
		refused = d.refuse(api.NotPermitted, "the token holds none of the permissions %s", strings.Join(p.Roles, ", "))
		if len(p.DirectoryRoles) > 0 {
			refused.Cause += ", and its principal none of the directory roles " + strings.Join(p.DirectoryRoles, ", ")
		}
	}
	refused.Check = api.Check{Scope: "/"}
	if len(missing) > 0 {
		refused.Check.Action = missing[0]
	}
	return refused
}
