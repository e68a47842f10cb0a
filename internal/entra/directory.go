package entra

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"sekisho/internal/store"
)

// Sealer keeps secrets sealed at rest and indexes them by keyed digest.
type Sealer interface {
	Seal(kind, id string, plain []byte) ([]byte, error)
	Open(kind, id string, sealed []byte) ([]byte, error)
	Digest(purpose string, secret []byte) [32]byte
}

// Directory is the directory of all tenants, and their token service.
type Directory struct {
	store    *store.Store
	seal     Sealer
	now      func() time.Time
	follower *store.Follower
	verified *lru.Cache[[32]byte, verified]
	issuers  *issuers
	lockout  *lockout
	given    *lru.Cache[[32]byte, given] // tokens of applications, to be given again
	reuse    time.Duration               // within this time; 0 is never
	devices  *devices
	rolling  sync.Mutex // held while a signing key is made

	mu         sync.RWMutex
	tenants    map[string]*Tenant    // by id and by domain, lower-cased
	principals map[string]*Principal // by object id
	apps       map[string]*Principal // by tenant/appId
	byUPN      map[string]*Principal // users, lower-cased
	byResource map[string]*Principal // managed identities by ARM id, lower-cased
	guests     guestIndex
	// credentials are by application id, lower-cased.
	credentials map[string]credentials
	audiences   map[string]*Application // by tenant/appId and tenant/identifier URI, lower-cased
	memberOf    map[string]map[string]bool
	registered  map[string]*Application // by appId, lower-cased
	consents    consents
	roles       map[string][]string       // names of directory roles, by object id
	roleOf      map[string]RoleAssignment // by its id
	keys        map[string]*signingKey    // by kid
	runSecrets  map[[32]byte]string       // digest → app id, for the life of one run
}

// credentials are what an application proves itself with. They are replaced, and
// never changed.
type credentials struct {
	home         string // tenant of the registration, or of the identity
	passwords    []PasswordCredential
	certificates []registered
	federated    []FederatedCredential
}

// Kind of a principal, as role assignments name it.
const (
	TypeUser             = "User"
	TypeGroup            = "Group"
	TypeServicePrincipal = "ServicePrincipal"
)

// Principal is what the directory knows of an object id on the way of a request.
type Principal struct {
	ID, Tenant, Type string
	// Name is the UPN of a user, the display name of anything else.
	Name     string
	AppID    string
	Enabled  bool
	Resource string       // ARM id, of a managed identity
	Home     *HomeAccount // of a guest who has one here
	Guest    bool         // userType is Guest
	Pending  bool         // a guest who has not accepted the invitation

	secrets []PasswordCredential // of the service principal itself
	user    *User                // of a user; not to be changed
	// assignmentRequired is set of an application that takes only those users who
	// are assigned to it.
	assignmentRequired bool
}

// New opens the directory in s. It makes the first signing key if there is none.
func New(ctx context.Context, s *store.Store, seal Sealer, now func() time.Time) (*Directory, error) {
	cache, err := lru.New[[32]byte, verified](cachedTokens)
	if err != nil {
		return nil, err
	}
	federation, err := newIssuers(now)
	if err != nil {
		return nil, err
	}
	lockout, err := newLockout()
	if err != nil {
		return nil, err
	}
	devices, err := newDevices()
	if err != nil {
		return nil, err
	}
	d := &Directory{
		store: s, seal: seal, now: now, verified: cache, issuers: federation, lockout: lockout, devices: devices,
		tenants: map[string]*Tenant{}, principals: map[string]*Principal{}, apps: map[string]*Principal{},
		byUPN: map[string]*Principal{}, byResource: map[string]*Principal{}, guests: guestIndex{}, credentials: map[string]credentials{}, audiences: map[string]*Application{},
		registered: map[string]*Application{}, consents: newConsents(),
		memberOf: map[string]map[string]bool{}, roles: map[string][]string{}, roleOf: map[string]RoleAssignment{}, keys: map[string]*signingKey{}, runSecrets: map[[32]byte]string{},
	}
	s.Unfollow(kindGrant, kindSession)
	d.follower = store.NewFollower(s, []string{KindTenant, KindUser, KindGroup, KindMember, KindApplication, KindServicePrincipal, KindRoleAssignment, KindPermissionGrant, KindAppRoleAssignment, kindSigningKey}, d.apply)
	_, err = d.currentKey(ctx)
	return d, err
}

func (d *Directory) apply(tx *store.Tx, changes []store.Change) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range changes {
		record, err := tx.Get(c.Kind, c.ID)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		d.forget(c)
		if err != nil {
			continue
		}
		if err := d.learn(record); err != nil {
			return err
		}
	}
	return nil
}

// forget drops what the view holds of a document.
func (d *Directory) forget(c store.Change) {
	switch c.Kind {
	case KindTenant:
		for key, t := range d.tenants {
			if strings.EqualFold(t.ID, c.ID) {
				delete(d.tenants, key)
			}
		}
	case KindMember:
		group, member, _ := strings.Cut(strings.ToLower(c.ID), "/")
		delete(d.memberOf[member], group)
	case KindApplication:
		for key, a := range d.audiences {
			if strings.EqualFold(a.ID, c.ID) {
				delete(d.audiences, key)
				delete(d.credentials, strings.ToLower(a.AppID))
				delete(d.registered, strings.ToLower(a.AppID))
			}
		}
	case KindRoleAssignment:
		d.forgetRole(c.ID)
	case KindPermissionGrant, KindAppRoleAssignment:
		d.consents.forget(c.ID)
	case kindSigningKey:
		delete(d.keys, c.ID)
	default:
		id := strings.ToLower(c.ID)
		if p := d.principals[id]; p != nil {
			delete(d.principals, id)
			delete(d.apps, appKey(p.Tenant, p.AppID))
			d.guests.forget(p)
			// Changes come in the order in which documents were last written: the
			// name may be another's by now.
			if name := strings.ToLower(p.Name); p.user != nil && d.byUPN[name] == p {
				delete(d.byUPN, name)
			}
			if p.Resource != "" {
				delete(d.byResource, strings.ToLower(p.Resource))
				delete(d.credentials, strings.ToLower(p.AppID))
			}
		}
	}
}

func (d *Directory) learn(record store.Record) error {
	switch record.Kind {
	case KindTenant:
		t, err := store.Decode[Tenant](record)
		if err != nil {
			return err
		}
		for _, key := range append([]string{t.ID}, t.Domains...) {
			d.tenants[strings.ToLower(key)] = &t
		}
	case KindUser:
		u, err := store.Decode[User](record)
		if err != nil {
			return err
		}
		d.add(&Principal{ID: u.ID, Tenant: record.Tenant, Type: TypeUser, Name: u.UserPrincipalName, Enabled: u.AccountEnabled,
			Guest: u.Profile["userType"] == "Guest", Home: u.Home, Pending: u.ExternalState == PendingAcceptance, user: &u})
	case KindGroup:
		g, err := store.Decode[Group](record)
		if err != nil {
			return err
		}
		d.add(&Principal{ID: g.ID, Tenant: record.Tenant, Type: TypeGroup, Name: g.DisplayName, Enabled: true})
	case KindServicePrincipal:
		sp, err := store.Decode[ServicePrincipal](record)
		if err != nil {
			return err
		}
		d.add(&Principal{ID: sp.ID, Tenant: record.Tenant, Type: TypeServicePrincipal, Name: sp.DisplayName, AppID: sp.AppID,
			Enabled: sp.AccountEnabled, Resource: sp.Resource, secrets: sp.PasswordCredentials, assignmentRequired: sp.AssignmentRequired})
		if sp.Resource != "" { // an application's are its registration's
			d.credentials[strings.ToLower(sp.AppID)] = credentials{home: record.Tenant, federated: sp.FederatedCredentials}
		}
	case KindMember:
		m, err := store.Decode[Member](record)
		if err != nil {
			return err
		}
		member := strings.ToLower(m.Member)
		if d.memberOf[member] == nil {
			d.memberOf[member] = map[string]bool{}
		}
		d.memberOf[member][strings.ToLower(m.Group)] = true
	case KindApplication:
		a, err := store.Decode[Application](record)
		if err != nil {
			return err
		}
		d.credentials[strings.ToLower(a.AppID)] = credentials{record.Tenant, a.PasswordCredentials, register(a.KeyCredentials), a.FederatedCredentials}
		d.registered[strings.ToLower(a.AppID)] = &a
		for _, name := range append([]string{a.AppID}, a.IdentifierURIs...) {
			d.audiences[appKey(record.Tenant, strings.TrimSuffix(name, "/"))] = &a
		}
	case KindRoleAssignment:
		a, err := store.Decode[RoleAssignment](record)
		if err != nil {
			return err
		}
		d.learnRole(a)
	case KindPermissionGrant, KindAppRoleAssignment:
		return d.consents.learn(record)
	case kindSigningKey:
		key, err := d.openKey(record)
		if err != nil {
			return err
		}
		d.keys[key.ID] = key
	}
	return nil
}

func (d *Directory) add(p *Principal) {
	d.principals[strings.ToLower(p.ID)] = p
	if p.user != nil {
		d.byUPN[strings.ToLower(p.Name)] = p
	}
	if p.AppID != "" {
		d.apps[appKey(p.Tenant, p.AppID)] = p
	}
	if p.Resource != "" {
		d.byResource[strings.ToLower(p.Resource)] = p
	}
	d.guests.learn(p)
}

func appKey(tenant, app string) string { return strings.ToLower(tenant + "/" + app) }

// look runs read on the view as it is after everything committed before.
func look[T any](ctx context.Context, d *Directory, read func() T) (T, error) {
	if err := d.follower.Sync(ctx); err != nil {
		var zero T
		return zero, err
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	return read(), nil
}

// Tenant finds a tenant by id or domain; nil if there is none.
func (d *Directory) Tenant(ctx context.Context, name string) (*Tenant, error) {
	return look(ctx, d, func() *Tenant { return d.tenants[strings.ToLower(name)] })
}

// OnlyTenant is the tenant of an authority that names none. It fails when there
// is more than one.
func (d *Directory) OnlyTenant(ctx context.Context) (*Tenant, error) {
	found, err := look(ctx, d, func() map[string]*Tenant {
		all := map[string]*Tenant{}
		for _, t := range d.tenants {
			all[t.ID] = t
		}
		return all
	})
	if err != nil {
		return nil, err
	}
	if len(found) != 1 {
		return nil, fail(50059, "invalid_request", "No tenant-identifying information found in either the request or implied by any provided credentials. This directory has %d tenants, so the authority must name one.", len(found))
	}
	return slices.Collect(maps.Values(found))[0], nil
}

// Principal finds a principal by object id; nil if there is none.
func (d *Directory) Principal(ctx context.Context, id string) (*Principal, error) {
	return look(ctx, d, func() *Principal { return d.principals[strings.ToLower(id)] })
}

// App finds the service principal of an application in a tenant; nil if there
// is none.
func (d *Directory) App(ctx context.Context, tenant, appID string) (*Principal, error) {
	return look(ctx, d, func() *Principal { return d.apps[appKey(tenant, appID)] })
}

// IdentityOf finds the managed identity that a resource bears; nil if it has
// none.
func (d *Directory) IdentityOf(ctx context.Context, resource string) (*Principal, error) {
	return look(ctx, d, func() *Principal { return d.byResource[strings.ToLower(resource)] })
}

// groupsOf are the groups that a principal is in, directly and by nesting, in
// a stable order. The caller holds the view.
func (d *Directory) groupsOf(id string) []string {
	var all []string
	seen := map[string]bool{}
	var walk func(string)
	walk = func(member string) {
		for group := range d.memberOf[member] {
			if !seen[group] {
				seen[group] = true
				if p := d.principals[group]; p != nil {
					all = append(all, p.ID)
				}
				walk(group)
			}
		}
	}
	walk(strings.ToLower(id))
	slices.Sort(all)
	return all
}

// Applications are the service principals that are neither managed identities
// nor Microsoft's own, of all tenants.
func (d *Directory) Applications(ctx context.Context) ([]*Principal, error) {
	return look(ctx, d, func() []*Principal {
		var all []*Principal
		for _, p := range d.apps {
			if p.Resource == "" && !FirstParty(p.AppID) {
				all = append(all, p)
			}
		}
		return all
	})
}
