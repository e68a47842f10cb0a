package storage

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/services/storage/blob"
)

// signedURL verifies the signature in the query of a request.
func (s *Storage) signedURL(call *api.Call) (*api.Signed, error) {
	p, err := parseSAS(call.Request.URL.RawQuery)
	var signed *api.Signed
	switch {
	case err != nil:
	case !s.takes(p.version):
		err = badSAS("Version value " + strconv.Quote(p.version) + " of sv is not supported for signed URLs.")
	case p.account:
		signed, err = s.accountSAS(call, p)
	case p.delegated:
		signed, err = s.delegationSAS(call, p)
	default:
		signed, err = s.serviceSAS(call, p)
	}
	var wrong badSAS
	if errors.As(err, &wrong) {
		return nil, bad(call, "%s", wrong)
	}
	if err != nil {
		return nil, err
	}
	signed.HTTPSOnly, signed.First, signed.Last = p.httpsOnly, p.first, p.last
	return signed, s.withinPolicy(call, p)
}

// accountSAS verifies one that an account key signed for the whole account.
func (s *Storage) accountSAS(call *api.Call, p *sas) (*api.Signed, error) {
	if err := s.inTime(p.start, p.expiry); err != nil {
		return nil, err
	}
	key, err := s.signedBy(call, p, p.accountText(accountName(call)))
	if err != nil {
		return nil, err
	}
	if !strings.Contains(p.raw["ss"], "b") {
		return nil, &api.Refusal{Reason: api.SASService, Cause: fmt.Sprintf("the signed URL is for the services %q, and this is b", p.raw["ss"]), Tenant: call.Target.Tenant}
	}
	return &api.Signed{Caller: api.Caller{Credential: api.SAS, Tenant: call.Target.Tenant, Name: "account SAS of " + key},
		Permissions: p.raw["sp"], Types: p.raw["srt"], ByKey: true}, nil
}

// serviceSAS verifies one that an account key signed for a container or a blob.
func (s *Storage) serviceSAS(call *api.Call, p *sas) (*api.Signed, error) {
	text, err := s.text(call, p)
	if err != nil {
		return nil, err
	}
	if p.raw["si"] == "" || !p.expiry.IsZero() {
		if err := s.inTime(p.start, p.expiry); err != nil {
			return nil, err
		}
	}
	key, err := s.signedBy(call, p, text)
	if err != nil {
		return nil, err
	}
	letters := p.raw["sp"]
	if p.raw["si"] != "" {
		if letters, err = s.byPolicy(call, p); err != nil {
			return nil, err
		}
	}
	return &api.Signed{Caller: api.Caller{Credential: api.SAS, Tenant: call.Target.Tenant, Name: "service SAS of " + key},
		Permissions: letters, Types: "o", Single: true, Lists: p.lists(), ByKey: true}, nil
}

// ofMoments are the changes that can be made to a snapshot or a version: any other
// would be one to the blob itself.
var ofMoments = []string{"tier", "tags", "immutabilitypolicies", "legalhold"}

// text is what signs a SAS of a container or a blob, for this request.
func (s *Storage) text(call *api.Call, p *sas) (string, error) {
	if sr := p.raw["sr"]; (sr == "bs" || sr == "bv") && call.Request.Method == http.MethodPut && !slices.Contains(ofMoments, strings.ToLower(call.Request.URL.Query().Get("comp"))) {
		return "", &api.Refusal{Reason: api.SASUnsupported, Cause: "a signed URL of a snapshot or a version does not allow this operation", Tenant: call.Target.Tenant}
	}
	if p.raw["sr"] == "d" {
		account, err := s.account(call)
		if err != nil {
			return "", err
		}
		if !hierarchical(account) {
			return "", badSAS("sr=d needs an account with a hierarchical namespace")
		}
	}
	resource, err := p.resource(accountName(call), call.Var("container"), signedName(call))
	if err != nil {
		return "", err
	}
	return p.serviceText(call.Request, resource), nil
}

// account is what the control plane says of the account of a call.
func (s *Storage) account(call *api.Call) (account, error) {
	r, err := s.resources.Find(call.Request.Context(), string(call.Target.Scope))
	if err != nil {
		return account{}, err
	}
	return arm.DecodeProperties[account](r)
}

func mismatch(text string) error {
	return badSAS("Signature did not match. String to sign used was " + withoutSecrets(text))
}

// signedBy names the account key that signed.
func (s *Storage) signedBy(call *api.Call, p *sas, text string) (string, error) {
	key, err := s.signingKey(call, []byte(text), p.signature)
	if err == nil && key == "" {
		err = mismatch(text)
	}
	return key, err
}

// inTime holds the clock against the times of a signed URL; a start that is not
// set is now.
func (s *Storage) inTime(start, expiry time.Time) error {
	now := s.now().UTC()
	if start.IsZero() {
		start = now
	}
	switch {
	case !start.Before(expiry) && now.Before(expiry):
		return badSAS(fmt.Sprintf("Signed expiry time [%s] must be after signed start time [%s]", httpTime(expiry), httpTime(start)))
	case now.Before(start) || !now.Before(expiry):
		return badSAS(fmt.Sprintf("Signature not valid in the specified time frame: Start [%s] - Expiry [%s] - Current [%s]", httpTime(start), httpTime(expiry), httpTime(now)))
	}
	return nil
}

// byPolicy takes from the stored access policy what the signed URL leaves to it,
// and gives the letters. Source: rest-storageservices define-stored-access-policy.md.
func (s *Storage) byPolicy(call *api.Call, p *sas) (string, error) {
	c, err := s.blobs.Container(s.container(call))
	if notFound(err) {
		return "", badSAS("SAS identifier cannot be found for specified signed identifier")
	}
	if err != nil {
		return "", err
	}
	for _, policy := range c.Policies {
		if policy.ID == p.raw["si"] {
			return s.joined(p, policy)
		}
	}
	return "", badSAS("SAS identifier cannot be found for specified signed identifier")
}

func (s *Storage) joined(p *sas, policy blob.Policy) (string, error) {
	start, expiry, letters := p.start, p.expiry, p.raw["sp"]
	switch {
	case !start.IsZero() && !policy.Start.IsZero(), !expiry.IsZero() && !policy.Expiry.IsZero(), letters != "" && policy.Permission != "":
		return "", badSAS("Access policy fields can be associated with signature or SAS identifier but not both")
	case expiry.IsZero() && policy.Expiry.IsZero():
		return "", badSAS("Signed expiry must be specified in signature or SAS identifier")
	case letters == "" && policy.Permission == "":
		return "", badSAS("Signed permission must be specified in signature or SAS identifier")
	}
	if start.IsZero() {
		start = policy.Start
	}
	if expiry.IsZero() {
		expiry = policy.Expiry
	}
	return letters + policy.Permission, s.inTime(start, expiry)
}

// notFound tells of a container or a blob that is not there.
func notFound(err error) bool {
	var e *api.Error
	return errors.As(err, &e) && e.Status == http.StatusNotFound
}
