package arm

import (
	"regexp"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/store"
)

// Type declares a resource type.
type Type struct {
	// Name is "Microsoft.CognitiveServices/accounts" or, of a child,
	// "Microsoft.CognitiveServices/accounts/deployments".
	Name string
	// Source is the document that names the type's operations.
	Source string
	// Versions are api-versions of the type, for GET /providers; the newest first.
	Versions []string
	// Names is what a resource may be called, NameRule the same in words.
	Names    *regexp.Regexp
	NameRule string
	// Tracked types have a location and tags, and may bear managed identities
	// if Identities is set.
	Tracked    bool
	Identities bool
	// Created is the status of a reply to a creation; 0 is 201. Deleted is that of
	// one to a deletion; 0 is 200.
	Created, Deleted int

	// Revive settles a creation where something of the same id was deleted and
	// is kept: it gives what to create instead of in. nil if nothing is kept.
	Revive func(tx *store.Tx, in *Resource) (*Resource, error)
	// Plan gives the resource that a write makes of old (nil on creation) and
	// in, with defaults filled in and read-only properties set aside. It is
	// pure and may change in. Its errors are *api.Error.
	Plan func(old, in *Resource) (*Resource, error)
	// Commit writes what belongs to the resource in the same transaction; nil
	// if nothing does.
	Commit func(tx *store.Tx, old, new *Resource) error
	// Remove deletes what Commit wrote. The resources below old are still there.
	Remove func(tx *store.Tx, old *Resource) error
	// View fills in the properties that are derived, for a reply to a client of
	// that origin.
	View func(*Resource, api.Origin) (properties any, err error)
	// Endpoint tells which host names lead to the resource; nil for none.
	Endpoint func(*Resource) (Endpoint, error)
	// Scopes are the paths of what lies in the resource and is known to its data plane
	// alone, but may be a scope of role assignments: "indexes/*".
	Scopes []string
	// Actions are the POST verbs and read-only sub-paths; their Pattern is
	// relative to the resource.
	Actions []api.Operation
}

// Endpoint is the data plane of a resource.
type Endpoint struct {
	Service string // the table that its calls are looked up in
	Hosts   []string
	// Faces are hosts among them whose calls are looked up in another table.
	Faces map[string]string
	// Reserved are names that are the resource's and lead nowhere.
	Reserved []string
	Guard    api.Guard
}

// Namespace is the resource provider of the type.
func (t *Type) Namespace() string { return before(t.Name, "/") }

// segments are the type names below the namespace.
func (t *Type) segments() []string { return strings.Split(t.Name, "/")[1:] }

// child tells whether resources of the type live in another resource.
func (t *Type) child() bool { return len(t.segments()) > 1 }

func before(s, sep string) string { head, _, _ := strings.Cut(s, sep); return head }

// Registry is the set of declared types.
type Registry struct {
	types  map[string]*Type
	sorted []*Type
}

// NewRegistry collects types.
func NewRegistry(types ...*Type) *Registry {
	r := &Registry{types: map[string]*Type{}}
	for _, t := range types {
		r.types[strings.ToLower(t.Name)] = t
		r.sorted = append(r.sorted, t)
	}
	return r
}

// Get finds a type by name, in any case.
func (r *Registry) Get(name string) (*Type, bool) {
	t, ok := r.types[strings.ToLower(name)]
	return t, ok
}

// All are the types in the order of their declaration.
func (r *Registry) All() []*Type { return r.sorted }

// Namespaces maps each resource provider to its types.
func (r *Registry) Namespaces() map[string][]*Type {
	all := map[string][]*Type{}
	for _, t := range r.sorted {
		all[t.Namespace()] = append(all[t.Namespace()], t)
	}
	return all
}
