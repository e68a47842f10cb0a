package storage

import (
	"net/http"
	"strings"
	"time"

	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/store"
	"sekisho/rbac"
)

// keyNames are an account's two keys, keySize how many bytes each has: 88
// characters in base64.
var keyNames = []string{"key1", "key2"}

const keySize = 64

type keysView struct {
	Keys []keyView `json:"keys"`
}

type keyView struct {
	Created     time.Time `json:"creationTime,omitzero"`
	Name        string    `json:"keyName"`
	Value       string    `json:"value"`
	Permissions string    `json:"permissions"`
}

// subscriptionOf is the subscription of a resource, to compare.
func subscriptionOf(id string) string { return strings.ToLower(rbac.Scope(id).Subscription()) }

// find is the account that the path of a call leads through.
func (s *Storage) find(call *api.Call) (*arm.Resource, error) {
	path := strings.Split(string(arm.PathScope(call)), "/")
	return s.resources.Find(call.Request.Context(), strings.Join(path[:min(len(path), 9)], "/"))
}

// reply answers with JSON.
func reply(w http.ResponseWriter, call *api.Call, status int, v any) error {
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, status, v)
}

func replyKeys(w http.ResponseWriter, call *api.Call, keys map[string]string, made map[string]time.Time) error {
	v := keysView{}
	for _, name := range keyNames {
		v.Keys = append(v.Keys, keyView{made[name], name, keys[name], "FULL"})
	}
	return reply(w, call, http.StatusOK, v)
}

// listKeys also gives keys that the account does not take: allowSharedKeyAccess
// is about the data plane. Source: azure-docs
// storage/common/shared-key-authorization-prevent.md.
func (s *Storage) listKeys(w http.ResponseWriter, call *api.Call) error {
	r, err := s.find(call)
	if err != nil {
		return err
	}
	p, err := arm.DecodeProperties[stored](r)
	if err != nil {
		return err
	}
	keys, err := s.keys.List(call.Request.Context(), r.ID)
	if err != nil {
		return err
	}
	return replyKeys(w, call, keys, p.KeyCreation)
}

func (s *Storage) regenerateKey(w http.ResponseWriter, call *api.Call) error {
	r, err := s.find(call)
	if err != nil {
		return err
	}
	var in struct {
		Name string `json:"keyName"`
	}
	if err := arm.ReadBody(call, &in); err != nil {
		return err
	}
	name, err := keyName("keyName", in.Name)
	if err != nil {
		return err
	}
	var keys map[string]string
	var made map[string]time.Time
	err = s.changeAccount(call, r, func(tx *store.Tx, p *stored) (err error) {
		if keys, err = s.keys.RegenerateTx(tx, r.ID, name); err != nil {
			return err
		}
		made, err = s.keys.Created(tx, r.ID)
		p.KeyCreation = made
		return err
	})
	if err != nil {
		return err
	}
	return replyKeys(w, call, keys, made)
}

// keyName reads which of the keys is meant. Kerberos keys are of accounts that
// are joined to a directory for files, which none is.
func keyName(at, name string) (string, error) {
	for _, known := range keyNames {
		if strings.EqualFold(known, name) {
			return known, nil
		}
	}
	return "", invalidParameters(at)
}

// changeAccount changes what is kept of an account beside what clients write.
func (s *Storage) changeAccount(call *api.Call, r *arm.Resource, change func(*store.Tx, *stored) error) error {
	return s.resources.Update(call.Request.Context(), func(tx *store.Tx) error {
		now, err := s.resources.FindTx(tx, r.ID)
		if err != nil {
			return err
		}
		p, err := arm.DecodeProperties[stored](now)
		if err != nil {
			return err
		}
		if err := change(tx, &p); err != nil {
			return err
		}
		if err := now.SetProperties(p); err != nil {
			return err
		}
		return s.resources.Restore(tx, now)
	})
}

// revokeDelegationKeys makes every user delegation key up to now worthless.
// Source: rest-storageservices create-user-delegation-sas.md, "Revoke a user
// delegation SAS"; storage.json StorageAccounts_RevokeUserDelegationKeys.
func (s *Storage) revokeDelegationKeys(w http.ResponseWriter, call *api.Call) error {
	r, err := s.find(call)
	if err != nil {
		return err
	}
	err = s.resources.Update(call.Request.Context(), func(tx *store.Tx) error { return s.delegation.Revoke(tx, r.Tenant, r.ID) })
	if err != nil {
		return err
	}
	arm.WriteHeaders(w, call)
	w.WriteHeader(http.StatusOK)
	return nil
}
