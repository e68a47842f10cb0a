package arm

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"

	"sekisho/internal/api"
	"sekisho/internal/store"
	"sekisho/rbac"
)

// Types that arm itself knows.
const (
	typeSubscription = "Microsoft.Resources/subscriptions"
	// TypeGroup is the type of a resource group.
	TypeGroup = "Microsoft.Resources/resourceGroups"
)

// Identities creates and removes the service principals of managed identities.
type Identities interface {
	CreateIdentity(tx *store.Tx, tenant, resource, name string) (objectID, clientID string, err error)
	RemoveIdentity(tx *store.Tx, resource string) error
}

// Assignments removes the role assignments at and below a deleted resource.
type Assignments interface {
	RemoveBelow(tx *store.Tx, scope rbac.Scope) error
}

// Manager writes resources.
type Manager struct {
	store       *store.Store
	registry    *Registry
	reader      *Reader
	identities  Identities
	assignments Assignments
}

// NewManager makes a Manager of the registry's types.
func NewManager(s *store.Store, registry *Registry, reader *Reader, identities Identities, assignments Assignments) *Manager {
	return &Manager{s, registry, reader, identities, assignments}
}

// Write is one creation or change of a resource.
type Write struct {
	Type   *Type
	ID     string // as the client wrote it
	Caller api.Caller
	// Change gives the resource that the client asks for; old is nil if there
	// is none yet.
	Change func(old *Resource) (*Resource, error)
	// IfMatch and IfNoneMatch are the request's headers.
	IfMatch, IfNoneMatch string
}

// Put carries a Write out in one transaction.
func (m *Manager) Put(ctx context.Context, w Write) (res *Resource, created bool, err error) {
	err = m.store.Update(ctx, func(tx *store.Tx) error {
		res, created, err = m.PutTx(tx, w)
		return err
	})
	return res, created, err
}

// PutTx carries a Write out in the caller's transaction.
func (m *Manager) PutTx(tx *store.Tx, w Write) (res *Resource, created bool, err error) {
	id, tenant, err := m.place(tx, w.Type, w.ID)
	if err != nil {
		return nil, false, err
	}
	if err := Writable(tx, rbac.Scope(id)); err != nil {
		return nil, false, err
	}
	old, err := m.load(tx, id)
	if err != nil {
		return nil, false, err
	}
	if err := precondition(old, w.IfMatch, w.IfNoneMatch); err != nil {
		return nil, false, err
	}
	in, err := w.Change(old)
	if err != nil {
		return nil, false, err
	}
	in.ID, in.Name, in.Type, in.Tenant = id, id[strings.LastIndex(id, "/")+1:], w.Type.Name, tenant
	in.Etag = "" // the store's
	if isNull(in.Properties) {
		in.Properties = nil
	}
	switch {
	case old != nil:
		in.ID, in.Name = old.ID, old.Name
	case w.Type.Revive != nil:
		if in, err = w.Type.Revive(tx, in); err != nil {
			return nil, false, err
		}
	}
	if res, err = m.plan(w.Type, old, in); err != nil {
		return nil, false, err
	}
	if err := m.reconcileIdentity(tx, old, res); err != nil {
		return nil, false, err
	}
	stamp(old, res, w.Caller)
	if w.Type.Commit != nil {
		if err := w.Type.Commit(tx, old, res); err != nil {
			return nil, false, err
		}
	}
	return res, old == nil, m.save(tx, w.Type, res)
}

// plan applies the rules of every resource, then those of the type.
func (m *Manager) plan(t *Type, old, in *Resource) (*Resource, error) {
	if old == nil && t.Names != nil && !t.Names.MatchString(in.Name) {
		return nil, api.BadRequest("InvalidResourceName", "name", "The resource name '%s' of type '%s' is invalid: %s.", in.Name, t.Name, t.NameRule)
	}
	if err := planLocation(t, old, in); err != nil {
		return nil, err
	}
	if err := planTags(in.Tags); err != nil {
		return nil, err
	}
	if t.Name != TypeGroup {
		in.ManagedBy = ""
	}
	if in.Identity != nil && !t.Identities {
		return nil, api.BadRequest("InvalidRequestContent", "identity", "Resources of type '%s' bear no managed identity.", t.Name)
	}
	if old != nil && in.Identity == nil {
		in.Identity = old.Identity
	}
	if t.Plan == nil {
		return in, nil
	}
	return t.Plan(old, in)
}

func planLocation(t *Type, old, in *Resource) error {
	if !t.Tracked {
		in.Location, in.Tags = "", nil
		return nil
	}
	if in.Location == "" && old != nil {
		in.Location = old.Location
	}
	if in.Location == "" {
		return api.BadRequest("LocationRequired", "location", "The location property is required for this definition.")
	}
	location, ok := normalLocation(in.Location)
	group := t.Name == TypeGroup // which have texts of their own
	switch {
	case !ok && group:
		return api.BadRequest("LocationNotAvailableForResourceGroup", "location",
			"The provided location '%s' is not available for resource group. List of available regions is '%s'.", in.Location, locationNames())
	case old != nil && location != old.Location && group:
		return api.Errorf(http.StatusConflict, "InvalidResourceGroupLocation",
			"Invalid resource group location '%s'. The Resource group already exists in location '%s'.", location, old.Location)
	case !ok:
		return api.BadRequest("LocationNotAvailableForResourceType", "location",
			"The provided location '%s' is not available for resource type '%s'. List of available regions for the resource type is '%s'.", in.Location, t.Name, locationNames())
	case old != nil && location != old.Location:
		return api.Errorf(http.StatusConflict, "InvalidResourceLocation",
			"The resource '%s' already exists in location '%s'. A resource with the same name cannot be created in location '%s'. Please select a new resource name.", in.Name, old.Location, location)
	}
	in.Location = location
	return nil
}

// planTags holds Azure's limits: 50 tags, names of 512 and values of 256
// characters, none of <>%&\?/ in a name.
// Source: azure-docs tag-resources.md, "Limitations".
func planTags(tags map[string]string) error {
	if len(tags) > 50 {
		return api.BadRequest("InvalidTags", "tags", "A resource has at most 50 tags; %d were given.", len(tags))
	}
	names := map[string]bool{}
	for name, value := range tags {
		folded := strings.ToLower(name)
		switch {
		case name == "" || length(name) > 512:
			return api.BadRequest("InvalidTagName", "tags", "The name of a tag has 1 to 512 characters; '%.40s' has %d.", name, length(name))
		case strings.ContainsAny(name, `<>%&\?/`) || strings.ContainsFunc(name, unicode.IsControl):
			return api.BadRequest("InvalidTagNameCharacters", "tags", `The tag names '%s' have reserved characters '<,>,%%,&,\,?,/' or control characters.`, name)
		case names[folded]:
			return api.BadRequest("InvalidTags", "tags", "The tag name '%s' is given twice: tag names are the same in any case.", name)
		case length(value) > 256:
			return api.BadRequest("InvalidTagValue", "tags."+name, "The value of tag '%s' is longer than 256 characters.", name)
		}
		names[folded] = true
	}
	return nil
}

// length counts characters as Azure does, in UTF-16.
func length(s string) int { return len(utf16.Encode([]rune(s))) }

// place finds where a resource is written: its canonical id, below the parents
// as they are stored. A missing parent is an error in ARM's words.
func (m *Manager) place(tx *store.Tx, t *Type, written string) (id, tenant string, err error) {
	parsed, err := rbac.ParseID(written)
	if err != nil {
		return "", "", badID(written, err)
	}
	sub, err := m.load(tx, "/subscriptions/"+parsed.Subscription)
	if err != nil {
		return "", "", err
	}
	if sub == nil {
		return "", "", SubscriptionNotFound(parsed.Subscription)
	}
	if t.Name == TypeGroup {
		return sub.ID + "/resourceGroups/" + parsed.ResourceGroup, sub.Tenant, nil
	}
	group, err := m.load(tx, sub.ID+"/resourceGroups/"+parsed.ResourceGroup)
	if err != nil {
		return "", "", err
	}
	if group == nil {
		return "", "", groupNotFound(parsed.ResourceGroup)
	}
	if err := m.registered(tx, parsed.Subscription, t.Namespace()); err != nil {
		return "", "", err
	}
	if !t.child() {
		return group.ID + "/providers/" + t.Namespace() + "/" + t.segments()[0] + "/" + parsed.Name(), sub.Tenant, nil
	}
	parentID, _ := rbac.Scope(written).Parent()
	parent, err := m.load(tx, string(parentID))
	if err != nil {
		return "", "", err
	}
	if parent == nil {
		return "", "", api.Errorf(http.StatusNotFound, "ParentResourceNotFound",
			"Failed to perform 'write' on resource(s) of type '%s', because the parent resource '%s' could not be found.", strings.Join(t.segments(), "/"), parentID)
	}
	types := t.segments()
	return parent.ID + "/" + types[len(types)-1] + "/" + parsed.Name(), sub.Tenant, nil
}

// precondition holds If-Match and If-None-Match against the stored etag.
func precondition(old *Resource, ifMatch, ifNoneMatch string) error {
	switch {
	case ifMatch != "" && !isOneOf(old, ifMatch):
		return api.Errorf(http.StatusPreconditionFailed, "PreconditionFailed", "The condition If-Match: %s was not satisfied.", ifMatch)
	case ifNoneMatch != "" && isOneOf(old, ifNoneMatch):
		return api.Errorf(http.StatusPreconditionFailed, "PreconditionFailed", "The condition If-None-Match: %s was not satisfied.", ifNoneMatch)
	}
	return nil
}

// isOneOf tells whether a list of etags has a resource's; * is any.
func isOneOf(r *Resource, etags string) bool {
	if r == nil {
		return false
	}
	for etag := range strings.SplitSeq(etags, ",") {
		if etag = strings.TrimSpace(etag); etag == "*" || strings.Trim(etag, `"`) == r.Etag {
			return true
		}
	}
	return false
}

// stamp fills in systemData.
func stamp(old, res *Resource, caller api.Caller) {
	kind := "Application"
	switch {
	case strings.Contains(caller.Name, "@"):
		kind = "User"
	case caller.Identity != "":
		kind = "ManagedIdentity"
	}
	now := time.Now().UTC().Truncate(time.Microsecond)
	data := SystemData{CreatedBy: caller.Name, CreatedByType: kind, CreatedAt: now}
	if old != nil && old.SystemData != nil {
		data = *old.SystemData
	}
	data.LastModifiedBy, data.LastModifiedByType, data.LastModifiedAt = caller.Name, kind, now
	res.SystemData = &data
}

func (m *Manager) load(tx *store.Tx, id string) (*Resource, error) { return loadTx(tx, id) }

// loadTx reads a resource; nil if there is none.
func loadTx(tx *store.Tx, id string) (*Resource, error) {
	record, err := tx.Get(kindResource, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return decode(record)
}

func (m *Manager) save(tx *store.Tx, t *Type, res *Resource) error {
	body, err := json.Marshal(res)
	if err != nil {
		return err
	}
	record := store.Record{Tenant: res.Tenant, Kind: kindResource, ID: res.ID, Body: body,
		Keys: []store.Key{{Name: "type", Value: res.Type}}}
	if t.Endpoint != nil {
		end, err := t.Endpoint(res)
		if err != nil {
			return err
		}
		for _, host := range slices.Concat(end.Hosts, end.Reserved) {
			record.Unique = append(record.Unique, store.Key{Name: "host", Value: host})
		}
	}
	saved, err := tx.Put(record)
	var taken *store.UniqueError
	if errors.As(err, &taken) {
		return SubdomainTaken(taken.Key.Value)
	}
	res.Etag = saved.Etag
	return err
}

// HostOwner is the id of the resource that has a host name; empty if none has.
func HostOwner(tx *store.Tx, host string) (string, error) {
	record, err := tx.Lookup(kindResource, store.Key{Name: "host", Value: host})
	if errors.Is(err, store.ErrNotFound) {
		return "", nil
	}
	return record.ID, err
}

// SubdomainTaken is the answer to a host name that another account has.
func SubdomainTaken(host string) error {
	return api.Errorf(http.StatusConflict, "CustomDomainInUse",
		"The subdomain name '%s' is already used. Please pick a different name.", before(host, "."))
}
