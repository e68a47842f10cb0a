package arm

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"sekisho/internal/api"
	"sekisho/internal/store"
	"sekisho/rbac"
)

// kindKeys is the store's kind of an account's keys; the id is the account's.
const kindKeys = "accountKeys"

type keyList struct {
	Keys []accountKey `json:"keys"`
}

type accountKey struct {
	ID        string    `json:"id"`              // key1, key2
	Query     bool      `json:"query,omitempty"` // a key that only queries
	Sealed    []byte    `json:"sealed"`
	Digest    string    `json:"digest"` // hex of the keyed digest
	CreatedAt time.Time `json:"createdAt"`
}

func (k accountKey) digest() (d [32]byte) {
	raw, _ := hex.DecodeString(k.Digest)
	copy(d[:], raw)
	return d
}

// Sealer keeps secrets sealed at rest.
type Sealer interface {
	Seal(kind, id string, plain []byte) ([]byte, error)
	Open(kind, id string, sealed []byte) ([]byte, error)
	Digest(purpose string, secret []byte) [32]byte
}

// Keys are the access keys of accounts.
type Keys struct {
	store *store.Store
	seal  Sealer
	text  func(random []byte) string // of a fresh key
	size  int                        // of random, in bytes
}

// NewKeys keeps account keys in s, sealed. Fresh ones look like those of Azure AI
// services: 84 letters and digits.
func NewKeys(s *store.Store, seal Sealer) *Keys { return &Keys{s, seal, alphanumeric, 63} }

func alphanumeric(random []byte) string {
	return strings.NewReplacer("+", "A", "/", "z").Replace(base64.StdEncoding.EncodeToString(random))
}

// Characters are the same keys, for a service whose own are so many letters and
// digits.
func (k *Keys) Characters(n int) *Keys {
	return &Keys{k.store, k.seal, func(random []byte) string { return alphanumeric(random)[:n] }, n}
}

// Base64 are the same keys, for a service whose own are so many random bytes in
// base64.
func (k *Keys) Base64(size int) *Keys {
	return &Keys{k.store, k.seal, base64.StdEncoding.EncodeToString, size}
}

// Digest is how keys are indexed.
func (k *Keys) Digest(key string) [32]byte { return k.seal.Digest("account-key", []byte(key)) }

// Create gives an account fresh keys of the given names, unless it has keys.
func (k *Keys) Create(tx *store.Tx, tenant, account string, names ...string) error {
	if _, err := tx.Get(kindKeys, account); !errors.Is(err, store.ErrNotFound) {
		return err
	}
	var list keyList
	for _, name := range names {
		key, err := k.fresh(account, name)
		if err != nil {
			return err
		}
		list.Keys = append(list.Keys, key)
	}
	return k.put(tx, tenant, account, list)
}

// maxQueryKeys is how many keys that only query an account has at most.
// Source: azure-docs search/search-security-api-keys.md.
const maxQueryKeys = 50

// AddQuery gives an account another key that only queries. Names may repeat, and
// one may be empty.
func (k *Keys) AddQuery(tx *store.Tx, account, name string) (QueryKey, error) {
	list, record, err := store.Load[keyList](tx, kindKeys, account)
	if err != nil {
		return QueryKey{}, err
	}
	made := 0
	for _, key := range list.Keys {
		if key.Query {
			made++
		}
	}
	if made >= maxQueryKeys {
		return QueryKey{}, api.BadRequest("QuotaExceeded", "name", "The service has %d query keys, which is the most that are possible.", maxQueryKeys)
	}
	key, err := k.fresh(account, name)
	if err != nil {
		return QueryKey{}, err
	}
	key.Query = true
	list.Keys = append(list.Keys, key)
	if err := k.put(tx, record.Tenant, account, list); err != nil {
		return QueryKey{}, err
	}
	plain, err := k.seal.Open(kindKeys, account+"#"+name, key.Sealed)
	return queryKey(name, plain), err
}

// QueryKey is a key that only queries.
type QueryKey struct {
	Name *string `json:"name"` // null: it has none
	Key  string  `json:"key"`
}

func queryKey(name string, plain []byte) QueryKey {
	made := QueryKey{Key: string(plain)}
	if name != "" {
		made.Name = &name
	}
	return made
}

// Queries opens an account's keys that only query, in the order of their making.
func (k *Keys) Queries(ctx context.Context, account string) ([]QueryKey, error) {
	var list keyList
	err := k.store.View(ctx, func(tx *store.Tx) (err error) {
		list, _, err = store.Load[keyList](tx, kindKeys, account)
		return err
	})
	if err != nil {
		return nil, keysNotFound(account, err)
	}
	all := []QueryKey{}
	for _, key := range list.Keys {
		if !key.Query {
			continue
		}
		plain, err := k.seal.Open(kindKeys, account+"#"+key.ID, key.Sealed)
		if err != nil {
			return nil, err
		}
		all = append(all, queryKey(key.ID, plain))
	}
	return all, nil
}

// DropQuery deletes a key that only queries, if there is one.
func (k *Keys) DropQuery(tx *store.Tx, account, key string) error {
	list, record, err := store.Load[keyList](tx, kindKeys, account)
	if err != nil {
		return err
	}
	digest := k.Digest(key)
	list.Keys = slices.DeleteFunc(list.Keys, func(a accountKey) bool { return a.Query && a.digest() == digest })
	return k.put(tx, record.Tenant, account, list)
}

// Take removes an account's keys and gives them, sealed as they are, for Return.
func (k *Keys) Take(tx *store.Tx, account string) (json.RawMessage, error) {
	record, err := tx.Get(kindKeys, account)
	if err != nil {
		return nil, err
	}
	return record.Body, tx.Delete(kindKeys, account)
}

// Return gives an account back the keys that Take took from it.
func (k *Keys) Return(tx *store.Tx, tenant, account string, taken json.RawMessage) error {
	var list keyList
	if err := json.Unmarshal(taken, &list); err != nil {
		return err
	}
	return k.put(tx, tenant, account, list)
}

// List opens an account's keys, by name, but for those that only query.
func (k *Keys) List(ctx context.Context, account string) (map[string]string, error) {
	var list keyList
	err := k.store.View(ctx, func(tx *store.Tx) (err error) {
		list, _, err = store.Load[keyList](tx, kindKeys, account)
		return err
	})
	if err != nil {
		return nil, keysNotFound(account, err)
	}
	return k.open(account, list)
}

// keysNotFound tells of an account that is gone since it was found.
func keysNotFound(account string, err error) error {
	if id, bad := rbac.ParseID(account); bad == nil && errors.Is(err, store.ErrNotFound) {
		return NotFound(id)
	}
	return err
}

// Created tells when an account's keys were made, by name.
func (k *Keys) Created(tx *store.Tx, account string) (map[string]time.Time, error) {
	list, _, err := store.Load[keyList](tx, kindKeys, account)
	made := map[string]time.Time{}
	for _, key := range list.Keys {
		made[key.ID] = key.CreatedAt
	}
	return made, err
}

// Regenerate replaces the key of the given name. The others stay as they are.
func (k *Keys) Regenerate(ctx context.Context, account, name string) (keys map[string]string, err error) {
	err = k.store.Update(ctx, func(tx *store.Tx) error {
		keys, err = k.RegenerateTx(tx, account, name)
		return err
	})
	return keys, keysNotFound(account, err)
}

// RegenerateTx is Regenerate in the caller's transaction.
func (k *Keys) RegenerateTx(tx *store.Tx, account, name string) (map[string]string, error) {
	list, record, err := store.Load[keyList](tx, kindKeys, account)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(list.Keys, func(key accountKey) bool { return !key.Query && strings.EqualFold(key.ID, name) })
	if i < 0 {
		return nil, fmt.Errorf("account %s has no key %q", account, name)
	}
	if list.Keys[i], err = k.fresh(account, list.Keys[i].ID); err != nil {
		return nil, err
	}
	if err := k.put(tx, record.Tenant, account, list); err != nil {
		return nil, err
	}
	return k.open(account, list)
}

func (k *Keys) fresh(account, name string) (accountKey, error) {
	raw := make([]byte, k.size)
	rand.Read(raw)
	key := k.text(raw)
	sealed, err := k.seal.Seal(kindKeys, account+"#"+name, []byte(key))
	digest := k.Digest(key)
	return accountKey{ID: name, Sealed: sealed, Digest: hex.EncodeToString(digest[:]), CreatedAt: time.Now().UTC()}, err
}

func (k *Keys) open(account string, list keyList) (map[string]string, error) {
	keys := map[string]string{}
	for _, key := range list.Keys {
		if key.Query {
			continue
		}
		plain, err := k.seal.Open(kindKeys, account+"#"+key.ID, key.Sealed)
		if err != nil {
			return nil, fmt.Errorf("key %s of %s: %w", key.ID, account, err)
		}
		keys[key.ID] = string(plain)
	}
	return keys, nil
}

func (k *Keys) put(tx *store.Tx, tenant, account string, list keyList) error {
	body, err := json.Marshal(list)
	if err != nil {
		return err
	}
	record := store.Record{Tenant: tenant, Kind: kindKeys, ID: account, Body: body}
	for _, key := range list.Keys {
		record.Unique = append(record.Unique, store.Key{Name: "digest", Value: key.Digest})
	}
	_, err = tx.Put(record)
	return err
}
