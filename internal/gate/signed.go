package gate

import (
	"strings"

	"sekisho/internal/api"
)

// verifySignature takes a request that bears a signature of its service, or that
// the resource lets everybody make.
func (d *decision) verifySignature() (known bool, err error) {
	if d.service.Credential == nil {
		return false, nil
	}
	signed, err := d.service.Credential(d.call)
	if err != nil || signed == nil {
		return false, err
	}
	d.call.Caller = signed.Caller
	target, remote := d.call.Target, d.call.Origin.Remote.Addr().Unmap()
	switch {
	case signed.ByKey && target.Guard != nil && !target.Guard.Keys:
		return true, d.refuse(api.KeysDisabled, "allowSharedKeyAccess of %s is false", target.Scope)
	case d.call.Operation.TokensOnly:
		return true, d.refuse(api.BadSignature, "Only authentication scheme Bearer is supported")
	case signed.HTTPSOnly && !strings.HasPrefix(d.call.Origin.Base, "https://"):
		return true, d.refuse(api.SASProtocol, "the signed URL is for HTTPS only")
	case signed.First.IsValid() && (remote.BitLen() != signed.First.BitLen() || remote.Less(signed.First) || signed.Last.Less(remote)):
		return true, d.refuse(api.SASAddress, "the signed URL is for addresses from %s to %s, and the call came from %s", signed.First, signed.Last, remote)
	}
	if signed.Holder != "" {
		if err := d.verifyHolder(signed.Holder); err != nil {
			return true, err
		}
	}
	d.signed = signed
	return true, nil
}

// verifyHolder asks the one user whom a signature is bound to for a token. It
// proves who they are; what they may do is the signature's.
func (d *decision) verifyHolder(object string) error {
	scheme, token, _ := strings.Cut(d.call.Request.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return d.refuse(api.BadSignature, "the signed URL is bound to user %s, whose token the request lacks", object)
	}
	holder, err := d.bearer(strings.TrimSpace(token))
	if err != nil {
		return err
	}
	if !strings.EqualFold(holder.Object, object) || !strings.EqualFold(holder.Tenant, d.call.Target.Tenant) {
		return d.refuse(api.BadSignature, "the signed URL is bound to user %s, and the token is of %s", object, holder.Object)
	}
	return nil
}

// permits holds a signature against what an operation asks of one.
func (d *decision) permits(check api.Check) error {
	s := d.signed
	reaches := strings.Contains(s.Types, check.SASType) || s.Lists && check.SASType == "c" && strings.ContainsAny(check.SAS, "lf")
	var refused *api.Refusal
	switch {
	case s.Whole:
		return nil
	case check.SAS == "":
		refused = d.refuse(api.SASUnsupported, "no signed URL allows this operation")
	case !reaches && s.Single:
		refused = d.refuse(api.SASUnsupported, "a signed URL of one container or blob does not allow this operation")
	case !reaches:
		refused = d.refuse(api.SASResourceType, "the signed URL is for the resource types %q, and this operation needs %q", s.Types, check.SASType)
	case !strings.ContainsAny(s.Permissions, check.SAS):
		refused = d.refuse(api.SASPermission, "the signed URL permits %q, and this operation needs one of %q", s.Permissions, check.SAS)
	default:
		return nil
	}
	if s.Caller.Credential == api.Anonymous {
		refused = d.refuse(api.NoCredential, "the request has no credential, and nobody may do this without one")
	}
	refused.Check = check
	return refused
}

// grants answers call.Authorize: what the signature permits, and the caller may.
func (d *decision) grants(check api.Check) error {
	if d.signed != nil {
		if err := d.permits(check); err != nil || !d.signed.Delegated {
			return err
		}
	}
	if _, _, err := d.question(check); err != nil {
		return err
	}
	return d.restricted(check)
}

// restricted asks the resource about the principal whom a signature names: the
// rights of the one who signed do not stand for theirs.
// Source: rest-storageservices create-user-delegation-sas.md, "Specify a signed
// object ID for a security principal".
func (d *decision) restricted(check api.Check) error {
	if d.signed == nil || d.signed.Restricted == "" {
		return nil
	}
	verdict := api.Verdict{Why: "no access control list is about this operation"}
	if check.Otherwise != nil {
		groups, err := d.gate.Access.Groups(d.call.Request.Context(), d.signed.Restricted)
		if err != nil {
			return err
		}
		if verdict, err = check.Otherwise(api.Principal{Object: d.signed.Restricted, Groups: groups}); err != nil {
			return err
		}
	}
	if verdict.Allowed {
		return nil
	}
	refused := d.refuse(api.NotPermitted, "the signed URL is for principal %s, and %s", d.signed.Restricted, verdict.Why)
	refused.Check, refused.Resource = check, verdict.Why
	return refused
}
