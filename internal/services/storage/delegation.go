package storage

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/entra"
	"sekisho/internal/store"
)

// kindDelegation is the store's kind of what an account's user delegation keys
// are derived from; the id is the account's.
const kindDelegation = "blobDelegation"

type delegationSecret struct {
	Sealed []byte `json:"sealed"`
	// Generation counts the times that all keys were revoked.
	Generation int `json:"generation"`
}

// Delegation makes the user delegation keys of accounts. None is stored: each is
// derived from a secret of its account and from what it is for.
type Delegation struct {
	store      *store.Store
	seal       arm.Sealer
	principals principals
}

// principals finds those who delegate.
type principals interface {
	Principal(ctx context.Context, id string) (*entra.Principal, error)
}

// NewDelegation keeps the secrets in s, sealed.
func NewDelegation(s *store.Store, seal arm.Sealer, p principals) *Delegation {
	return &Delegation{s, seal, p}
}

// Revoke makes all of an account's user delegation keys worthless.
// Source: azure-rest-api-specs storage.json, StorageAccounts_RevokeUserDelegationKeys.
func (d *Delegation) Revoke(tx *store.Tx, tenant, account string) error {
	old, _, err := store.Load[delegationSecret](tx, kindDelegation, account)
	if errors.Is(err, store.ErrNotFound) {
		return nil // no key was ever given out
	}
	if err != nil {
		return err
	}
	return d.put(tx, tenant, account, old.Generation+1)
}

// Forget removes the secret of an account that is deleted: the keys of another
// one of its name are others.
func (d *Delegation) Forget(tx *store.Tx, account string) error {
	err := tx.Delete(kindDelegation, account)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

func (d *Delegation) put(tx *store.Tx, tenant, account string, generation int) error {
	secret := make([]byte, 32)
	rand.Read(secret)
	sealed, err := d.seal.Seal(kindDelegation, account, secret)
	if err != nil {
		return err
	}
	_, err = store.Save(tx, store.Record{Tenant: tenant, Kind: kindDelegation, ID: account}, delegationSecret{sealed, generation})
	return err
}

// secret is what the keys of an account are derived from; nil if none was ever
// given out.
func (d *Delegation) secret(ctx context.Context, account string) ([]byte, error) {
	var doc delegationSecret
	err := d.store.View(ctx, func(tx *store.Tx) (err error) {
		doc, _, err = store.Load[delegationSecret](tx, kindDelegation, account)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return d.seal.Open(kindDelegation, account, doc.Sealed)
}

// ensure makes the secret of an account that has none.
func (d *Delegation) ensure(ctx context.Context, tenant, account string) error {
	return d.store.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.Get(kindDelegation, account); !errors.Is(err, store.ErrNotFound) {
			return err
		}
		return d.put(tx, tenant, account, 1)
	})
}

// delegationKey is a user delegation key, as clients know it.
type delegationKey struct {
	XMLName xml.Name `xml:"UserDelegationKey"`
	Object  string   `xml:"SignedOid"`
	Tenant  string   `xml:"SignedTid"`
	Start   string   `xml:"SignedStart"`
	Expiry  string   `xml:"SignedExpiry"`
	Service string   `xml:"SignedService"`
	Version string   `xml:"SignedVersion"`
	Value   string   `xml:"Value"`
}

// derive is the key's value: no two keys of an account share it.
func (k delegationKey) derive(secret []byte) []byte {
	return digest(secret, []byte(strings.Join([]string{k.Object, k.Tenant, k.Start, k.Expiry, k.Service, k.Version}, "\n")))
}

func (s *Storage) delegationOperations() []api.Operation {
	const action = accountType + "/blobServices/generateUserDelegationKey/action"
	return []api.Operation{
		{Method: http.MethodPost, Pattern: "/", Query: []string{"restype=service", "comp=userdelegationkey"}, Name: "Service_GetUserDelegationKey", Action: action,
			Source: source + "get-user-delegation-key.md", TokensOnly: true, Checks: asks(action, "", false, "", "s"), Handle: s.getDelegationKey},
	}
}

// maxDelegation is how far ahead a user delegation key may reach.
// Source: get-user-delegation-key.md, "Request body".
const maxDelegation = 7 * 24 * time.Hour

type keyInfo struct {
	XMLName xml.Name `xml:"KeyInfo"`
	Start   string   `xml:"Start"`
	Expiry  string   `xml:"Expiry"`
	Tenant  string   `xml:"DelegatedUserTid"`
}

// times are those that a key is asked for.
func (k keyInfo) times(now time.Time) (start, expiry time.Time, err error) {
	start, ok := parseTime(k.Start)
	if !ok {
		return start, expiry, invalidNode("KeyInfo/Start", k.Start)
	}
	if expiry, ok = parseTime(k.Expiry); !ok {
		return start, expiry, invalidNode("KeyInfo/Expiry", k.Expiry)
	}
	switch {
	case !start.Before(expiry) || start.Before(now.Add(-maxDelegation)) || start.After(now.Add(maxDelegation)):
		return start, expiry, invalidNode("KeyInfo/Start", k.Start)
	case !now.Before(expiry) || expiry.After(now.Add(maxDelegation)):
		return start, expiry, invalidNode("KeyInfo/Expiry", k.Expiry)
	}
	return start, expiry, nil
}

func invalidNode(at, value string) error {
	return api.BadRequest("InvalidXmlNodeValue", at, "The value for one of the XML nodes is not in the correct format. XmlNodeName: %s XmlNodeValue: %s", at, value)
}

func (s *Storage) getDelegationKey(w http.ResponseWriter, call *api.Call) error {
	var in keyInfo
	if err := readXML(call.Request, maxACLBody, &in); err != nil {
		return err
	}
	start, expiry, err := in.times(s.now().UTC())
	if err != nil {
		return err
	}
	if in.Tenant != "" && !strings.EqualFold(in.Tenant, call.Target.Tenant) {
		return invalidNode("KeyInfo/DelegatedUserTid", in.Tenant)
	}
	ctx, account := call.Request.Context(), string(call.Target.Scope)
	if err := s.delegation.ensure(ctx, call.Target.Tenant, account); err != nil {
		return err
	}
	secret, err := s.delegation.secret(ctx, account)
	if err != nil {
		return err
	}
	const form = "2006-01-02T15:04:05Z"
	key := delegationKey{Object: call.Caller.Object, Tenant: call.Caller.Tenant, Start: start.Format(form), Expiry: expiry.Format(form),
		Service: "b", Version: call.Request.Header.Get("x-ms-version")}
	key.Value = base64.StdEncoding.EncodeToString(key.derive(secret))
	setHeaders(w, call)
	return writeXML(w, http.StatusOK, key)
}

// delegationSAS verifies a signed URL that a user delegation key signed. It can do
// what its letters say and the user may, when it is used.
func (s *Storage) delegationSAS(call *api.Call, p *sas) (*api.Signed, error) {
	text, err := s.text(call, p)
	if err != nil {
		return nil, err
	}
	if err := s.inTime(p.start, p.expiry); err != nil {
		return nil, err
	}
	keyStart, _ := p.time("skt")
	keyExpiry, _ := p.time("ske")
	if now := s.now().UTC(); now.Before(keyStart) || !now.Before(keyExpiry) {
		return nil, badSAS(fmt.Sprintf("Signature not valid in key time frame: Key start [%s] - Key expiry [%s] - Current [%s]", httpTime(keyStart), httpTime(keyExpiry), httpTime(now)))
	}
	secret, err := s.delegation.secret(call.Request.Context(), string(call.Target.Scope))
	if err != nil {
		return nil, err
	}
	key := delegationKey{Object: p.raw["skoid"], Tenant: p.raw["sktid"], Start: p.raw["skt"], Expiry: p.raw["ske"], Service: p.raw["sks"], Version: p.raw["skv"]}
	if secret == nil || !hmac.Equal(digest(key.derive(secret), []byte(text)), p.signature) {
		return nil, mismatch(text)
	}
	if p.raw["suoid"] != "" {
		if hierarchical, err := s.hierarchical(call); err != nil || !hierarchical {
			return nil, cmp.Or(err, error(badSAS("suoid asks for access control lists of a hierarchical namespace, which this account's blobs do not have")))
		}
	}
	if tenant := p.raw["skdutid"]; tenant != "" && !strings.EqualFold(tenant, call.Target.Tenant) {
		return nil, badSAS("skdutid names another tenant than the account's")
	}
	user, err := s.delegation.principals.Principal(call.Request.Context(), key.Object)
	if err != nil {
		return nil, err
	}
	if user == nil || !user.Enabled || !strings.EqualFold(user.Tenant, key.Tenant) {
		return nil, badSAS("The user whose delegation key signed does not exist any more, or is disabled")
	}
	return &api.Signed{Caller: api.Caller{Credential: api.DelegationSAS, Tenant: user.Tenant, Object: user.ID, Name: user.Name},
		Permissions: p.raw["sp"], Types: "o", Single: true, Lists: p.lists(), Delegated: true, Holder: p.raw["sduoid"], Restricted: p.raw["suoid"]}, nil
}
