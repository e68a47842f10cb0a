package openai

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/store"
)

// kindDeleted is the store's kind of a deleted account; the id is its ARM id
// among the deleted accounts of its location.
const kindDeleted = "deletedAccount"

// retention is how long a deleted account can be recovered.
// Source: azure-ai-docs recover-purge-resources.md.
const retention = 48 * time.Hour

// deletedType is the type of a deleted account.
const deletedType = provider + "/locations/resourceGroups/deletedAccounts"

// deletedAccount is an account that was deleted and can be recovered, with its
// deployments and its sealed keys.
type deletedAccount struct {
	Account     *arm.Resource   `json:"account"`
	Deployments []*arm.Resource `json:"deployments,omitempty"`
	Keys        json.RawMessage `json:"keys"`
	Deleted     time.Time       `json:"deleted"`
}

func deletedID(account *arm.Resource) string {
	scope := account.Scope()
	return "/subscriptions/" + scope.Subscription() + "/providers/" + provider + "/locations/" + account.Location +
		"/resourceGroups/" + scope.ResourceGroup() + "/deletedAccounts/" + account.Name
}

// removeAccount keeps a deleted account aside. Its name and its custom subdomain
// stay taken.
func (s *OpenAI) removeAccount(tx *store.Tx, old *arm.Resource) error {
	if err := s.sweep(tx); err != nil {
		return err
	}
	keys, err := s.keys.Take(tx, old.ID)
	if err != nil {
		return err
	}
	below, err := arm.BelowTx(tx, old.ID)
	if err != nil {
		return err
	}
	end, err := endpoint(old)
	if err != nil {
		return err
	}
	record := store.Record{Tenant: old.Tenant, Kind: kindDeleted, ID: deletedID(old), Unique: []store.Key{{Name: "account", Value: old.ID}}}
	for _, host := range end.Hosts {
		record.Unique = append(record.Unique, store.Key{Name: "host", Value: host})
	}
	_, err = store.Save(tx, record, deletedAccount{Account: old, Deployments: below, Keys: keys, Deleted: s.now().UTC().Truncate(time.Microsecond)})
	return err
}

// sweep lets go what can no longer be recovered.
func (s *OpenAI) sweep(tx *store.Tx) error {
	records, err := tx.List(kindDeleted, store.Query{})
	if err != nil {
		return err
	}
	for _, record := range records {
		d, err := s.decodeDeleted(record)
		if err != nil {
			return err
		}
		if !s.expired(d) {
			continue
		}
		if err := tx.Delete(kindDeleted, record.ID); err != nil {
			return err
		}
	}
	return nil
}

// lookup finds a deleted account by one of its unique keys; ok is false if there
// is none that can still be recovered.
func (s *OpenAI) lookup(tx *store.Tx, key store.Key) (d deletedAccount, ok bool, err error) {
	record, err := tx.Lookup(kindDeleted, key)
	if errors.Is(err, store.ErrNotFound) {
		return d, false, nil
	}
	if err != nil {
		return d, false, err
	}
	d, err = s.decodeDeleted(record)
	return d, err == nil && !s.expired(d), err
}

func (s *OpenAI) decodeDeleted(record store.Record) (deletedAccount, error) {
	d, err := store.Decode[deletedAccount](record)
	if err != nil {
		return d, err
	}
	d.Account.Tenant = record.Tenant
	for _, r := range d.Deployments {
		r.Tenant = record.Tenant
	}
	return d, nil
}

func (s *OpenAI) expired(d deletedAccount) bool { return !s.now().Before(d.Deleted.Add(retention)) }

// reviveAccount settles a creation where an account of that name was deleted:
// it is recovered as it was, with what the request says on top, or stays in the
// way.
func (s *OpenAI) reviveAccount(tx *store.Tx, in *arm.Resource) (*arm.Resource, error) {
	asked, err := arm.DecodeProperties[struct {
		Restore arm.Bool `json:"restore"`
	}](in)
	if err != nil {
		return nil, err
	}
	d, found, err := s.lookup(tx, store.Key{Name: "account", Value: in.ID})
	switch {
	case err != nil:
		return nil, err
	case !found && bool(asked.Restore):
		return nil, api.Errorf(http.StatusConflict, "CanNotRestoreANonExistingResource",
			"The resource '%s' can't be restored: no deleted account has this id, or the %d hours in which it could be restored are over.", in.ID, int(retention.Hours()))
	case !found:
		return in, nil
	case !bool(asked.Restore):
		// Source of code and text: azure-cli#18146.
		return nil, api.Errorf(http.StatusConflict, "FlagMustBeSetForRestore",
			"An existing resource with ID '%s' has been soft-deleted. To restore the resource, you must specify 'restore' to be 'true' in the property. If you don't want to restore existing resource, please purge it first.", d.Account.ID)
	}
	res, err := restored(d.Account, in)
	if err != nil {
		return nil, err
	}
	if err := tx.Delete(kindDeleted, deletedID(d.Account)); err != nil {
		return nil, err
	}
	if err := s.keys.Return(tx, in.Tenant, d.Account.ID, d.Keys); err != nil {
		return nil, err
	}
	for _, r := range d.Deployments {
		if err := s.resources.Restore(tx, r); err != nil {
			return nil, err
		}
	}
	return res, nil
}

// restored is the deleted account with what in says besides. What can't be
// changed of an account can't be changed on this way either.
func restored(was, in *arm.Resource) (*arm.Resource, error) {
	res := *was
	if in.Location != "" && !strings.EqualFold(strings.ReplaceAll(in.Location, " ", ""), was.Location) {
		return nil, api.Errorf(http.StatusConflict, "InvalidResourceLocation",
			"The deleted account '%s' is in location '%s' and can't be restored in '%s'.", was.Name, was.Location, in.Location)
	}
	if in.Kind != "" && !strings.EqualFold(in.Kind, was.Kind) {
		return nil, api.BadRequest("InvalidRequestContent", "kind", "The kind of account '%s' is %s and can't be changed to %s.", was.Name, was.Kind, in.Kind)
	}
	if in.Tags != nil {
		res.Tags = in.Tags
	}
	if in.Identity != nil {
		res.Identity = in.Identity
	}
	before, err := arm.DecodeProperties[account](was)
	if err != nil {
		return nil, err
	}
	both := before
	if _, err := arm.DecodeProperties[account](in); err != nil {
		return nil, err
	}
	if len(in.Properties) > 0 {
		if err := json.Unmarshal(in.Properties, &both); err != nil {
			return nil, err
		}
	}
	if err := planSubdomain(before, &both); err != nil {
		return nil, err
	}
	return &res, res.SetProperties(both)
}

// commitAccount refuses a custom subdomain that a deleted account still has.
func (s *OpenAI) commitAccount(tx *store.Tx, _, new *arm.Resource) error {
	if err := s.sweep(tx); err != nil {
		return err
	}
	end, err := endpoint(new)
	if err != nil {
		return err
	}
	for _, host := range end.Hosts {
		_, taken, err := s.lookup(tx, store.Key{Name: "host", Value: host})
		if err != nil {
			return err
		}
		if taken {
			return arm.SubdomainTaken(host)
		}
	}
	return s.keys.Create(tx, new.Tenant, new.ID, keyNames...)
}
