package arm

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"sekisho/internal/api"
	"sekisho/internal/store"
	"sekisho/rbac"
)

// Reader is the in-memory view of all resources: it follows the change feed,
// so that the way of a request reads no database. It answers for what was
// committed before the call.
type Reader struct {
	registry *Registry
	follower *store.Follower

	mu        sync.RWMutex
	resources map[string]*Resource  // by lower-cased id
	targets   map[string]api.Target // data planes, by lower-cased resource id
	hosts     map[string]string     // host name → lower-cased resource id
	hostsOf   map[string][]string   // by lower-cased resource id
	faces     map[string]string     // host name → table, where it is not the target's
	tenants   map[string]string     // by lower-cased subscription id
	keys      map[[32]byte]keyOwner
	digestsOf map[string][][32]byte // by lower-cased resource id
	sealed    map[string]keyList    // by lower-cased resource id
	opened    map[string]map[string]string
	of        *Keys
}

type keyOwner struct {
	account string // lower-cased id
	name    string
	query   bool
}

// NewReader makes the view. Account keys are indexed and opened as keys says.
func NewReader(s *store.Store, registry *Registry, keys *Keys) *Reader {
	r := &Reader{
		registry: registry, of: keys,
		resources: map[string]*Resource{}, targets: map[string]api.Target{}, hosts: map[string]string{}, hostsOf: map[string][]string{}, faces: map[string]string{},
		tenants: map[string]string{}, keys: map[[32]byte]keyOwner{}, digestsOf: map[string][][32]byte{},
		sealed: map[string]keyList{}, opened: map[string]map[string]string{},
	}
	r.follower = store.NewFollower(s, []string{kindResource, kindKeys}, r.apply)
	return r
}

func (r *Reader) apply(tx *store.Tx, changes []store.Change) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range changes {
		record, err := tx.Get(c.Kind, c.ID)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		gone := err != nil
		id := strings.ToLower(c.ID)
		switch c.Kind {
		case kindResource:
			err = r.applyResource(id, record, gone)
		case kindKeys:
			err = r.applyKeys(id, record, gone)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *Reader) applyResource(id string, record store.Record, gone bool) error {
	for _, host := range r.hostsOf[id] {
		delete(r.faces, host)
		// Changes come in the order in which documents were last written: the
		// name may be another's already.
		if r.hosts[host] == id {
			delete(r.hosts, host)
		}
	}
	delete(r.hostsOf, id)
	delete(r.targets, id)
	if gone {
		delete(r.resources, id)
		return nil
	}
	res, err := decode(record)
	if err != nil {
		return err
	}
	r.resources[id] = res
	if res.Type == typeSubscription {
		r.tenants[strings.ToLower(res.Name)] = res.Tenant
	}
	t, ok := r.registry.Get(res.Type)
	if !ok || t.Endpoint == nil {
		return nil
	}
	end, err := t.Endpoint(res)
	if err != nil {
		return err
	}
	r.targets[id] = api.Target{Service: end.Service, Scope: res.Scope(), Tenant: res.Tenant, Location: res.Location, Guard: &end.Guard}
	for _, host := range end.Hosts {
		r.hosts[host] = id
		if service, ok := end.Faces[host]; ok {
			r.faces[host] = service
		}
	}
	r.hostsOf[id] = end.Hosts
	return nil
}

func (r *Reader) applyKeys(id string, record store.Record, gone bool) error {
	for _, digest := range r.digestsOf[id] {
		delete(r.keys, digest)
	}
	delete(r.digestsOf, id)
	delete(r.sealed, id)
	delete(r.opened, id)
	if gone {
		return nil
	}
	var list keyList
	if err := json.Unmarshal(record.Body, &list); err != nil {
		return err
	}
	r.sealed[id] = list
	for _, key := range list.Keys {
		digest := key.digest()
		r.keys[digest] = keyOwner{id, key.ID, key.Query}
		r.digestsOf[id] = append(r.digestsOf[id], digest)
	}
	return nil
}

func decode(record store.Record) (*Resource, error) {
	res := &Resource{}
	if err := json.Unmarshal(record.Body, res); err != nil {
		return nil, err
	}
	res.Tenant, res.Etag = record.Tenant, record.Etag
	return res, nil
}

// Get finds a resource by id. What it returns is shared: do not change it.
func (r *Reader) Get(ctx context.Context, id string) (*Resource, bool, error) {
	if err := r.follower.Sync(ctx); err != nil {
		return nil, false, err
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	res, ok := r.resources[strings.ToLower(id)]
	return res, ok, nil
}

// Resolve tells which resource's data plane a URL leads to.
func (r *Reader) Resolve(ctx context.Context, u *url.URL) (api.Target, error) {
	if err := r.follower.Sync(ctx); err != nil {
		return api.Target{}, err
	}
	host := strings.ToLower(u.Hostname())
	r.mu.RLock()
	defer r.mu.RUnlock()
	if id, ok := r.hosts[host]; ok {
		target := r.targets[id]
		if service, ok := r.faces[host]; ok {
			target.Service = service
		}
		return target, nil
	}
	return api.Target{}, api.Errorf(http.StatusNotFound, "ResourceNotFound",
		"Sekisho has no account whose endpoint is https://%s/. On Azure this host name would not resolve.", host)
}

// Hosts are the host names of all data planes, sorted.
func (r *Reader) Hosts(ctx context.Context) ([]string, error) {
	if err := r.follower.Sync(ctx); err != nil {
		return nil, err
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Sorted(maps.Keys(r.hosts)), nil
}

// HasHost tells whether a resource has a host name.
func (r *Reader) HasHost(ctx context.Context, host string) (bool, error) {
	if err := r.follower.Sync(ctx); err != nil {
		return false, err
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	_, taken := r.hosts[strings.ToLower(host)]
	return taken, nil
}

// TenantOf tells which tenant the subscription of a scope belongs to.
func (r *Reader) TenantOf(ctx context.Context, scope rbac.Scope) (string, bool, error) {
	subscription := scope.Subscription()
	if subscription == "" {
		return "", false, nil
	}
	if err := r.follower.Sync(ctx); err != nil {
		return "", false, err
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	tenant, ok := r.tenants[strings.ToLower(subscription)]
	return tenant, ok, nil
}

// Keys opens an account's keys, by name, but for those that only query. They stay
// open until they change: whoever signs with one needs it for every request. What
// Keys returns is shared: do not change it.
func (r *Reader) Keys(ctx context.Context, account string) (map[string]string, error) {
	if err := r.follower.Sync(ctx); err != nil {
		return nil, err
	}
	id := strings.ToLower(account)
	r.mu.RLock()
	keys, list := r.opened[id], r.sealed[id]
	r.mu.RUnlock()
	if keys != nil {
		return keys, nil
	}
	keys, err := r.of.open(account, list)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if now := r.sealed[id]; len(now.Keys) > 0 && slices.EqualFunc(now.Keys, list.Keys, func(a, b accountKey) bool { return a.Digest == b.Digest }) {
		r.opened[id] = keys
	}
	return keys, nil
}

// FindKey finds the account that has a key. The index holds keyed digests, so
// that neither the look-up's time nor its memory tells anything of a key.
func (r *Reader) FindKey(ctx context.Context, key string) (api.Key, bool, error) {
	if err := r.follower.Sync(ctx); err != nil {
		return api.Key{}, false, err
	}
	digest := r.of.Digest(key)
	r.mu.RLock()
	defer r.mu.RUnlock()
	owner, ok := r.keys[digest]
	if !ok {
		return api.Key{}, false, nil
	}
	target, ok := r.targets[owner.account]
	return api.Key{Account: target, Name: owner.name, Query: owner.query}, ok, nil
}
