package gate

import (
	"strings"

	"sekisho/internal/api"
	"sekisho/rbac"
)

// behalf verifies the user in whose name the caller asks. Their token must be one
// of this service, as the caller's, of the target's tenant, and a user's: an
// application asks in its own name.
func (d *decision) behalf() error {
	op := d.call.Operation
	if op.OnBehalf == nil {
		return nil
	}
	token := op.OnBehalf(d.call)
	if token == "" {
		return nil
	}
	user, err := d.bearer(token)
	switch refused, bad := err.(*api.Refusal); {
	case bad:
		refused.OnBehalf = true
		return refused
	case err != nil:
		return err
	case !strings.EqualFold(user.Tenant, d.call.Target.Tenant):
		return d.notFor(api.WrongTenant, "the user's token is of tenant %s, the resource of tenant %s", user.Tenant, d.call.Target.Tenant)
	case !user.User:
		return d.notFor(api.InvalidToken, "the token is of the application %s, and names no user", user.Name)
	}
	ctx := d.call.Request.Context()
	groups, err := d.gate.Access.Groups(ctx, user.Object)
	if err != nil {
		return err
	}
	d.call.User = &api.User{Caller: user, Groups: groups, Can: func(check api.Check) (bool, error) {
		owner, known, err := d.gate.Tenants.TenantOf(ctx, check.Scope)
		if err != nil || known && !strings.EqualFold(owner, user.Tenant) {
			return false, err
		}
		check.Attributes = withEnvironment(check.Attributes)
		result, err := d.gate.Access.Check(ctx, user, check)
		return err == nil && result.Decision == rbac.Allowed, err
	}}
	return nil
}

// notFor refuses a good token of somebody in whose name nobody may ask here.
func (d *decision) notFor(reason api.Reason, format string, args ...any) error {
	refused := d.refuse(reason, format, args...)
	refused.OnBehalf = true
	return refused
}
