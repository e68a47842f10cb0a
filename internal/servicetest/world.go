package servicetest

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"sekisho/internal/access"
	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/entra"
	"sekisho/internal/gate"
	"sekisho/internal/jobs"
	"sekisho/internal/model"
	"sekisho/internal/services/authorization"
	"sekisho/internal/services/compute"
	"sekisho/internal/services/insights"
	"sekisho/internal/services/machinelearning"
	"sekisho/internal/services/managedidentity"
	"sekisho/internal/services/management"
	"sekisho/internal/services/openai"
	"sekisho/internal/services/resources"
	"sekisho/internal/services/search"
	"sekisho/internal/services/storage"
	"sekisho/internal/services/storage/blob"
	"sekisho/internal/store"
)

// GUIDs of built-in roles.
const (
	Owner       = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
	Contributor = "b24988ac-6180-42a0-ab88-20f7382dd24c"
	Reader      = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
	// OpenAIUser and OpenAIContributor are those of Cognitive Services.
	OpenAIUser        = "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd"
	OpenAIContributor = "a001fd3d-188f-4b5d-821b-7da978bf7442"
)

// World is a small Azure.
type World struct {
	t            testing.TB
	Dir          string // the data directory
	Store        *store.Store
	Search       *search.Search
	Jobs         *jobs.Jobs // which do not run by themselves
	Directory    *entra.Directory
	Reader       *arm.Reader
	Manager      *arm.Manager
	Registry     *arm.Registry
	Tenant       string
	Subscription string // its id: /subscriptions/{guid}
	Owner        Principal
	OpenAI       *openai.OpenAI
	// Authorization has limits that a test may lower before its first call.
	Authorization *authorization.Authorization
	Later         time.Duration // how far services' clocks are ahead
	access        *access.Access
	gate          *gate.Gate
	// Outside is how services reach hosts that are not of the world; nil: over the
	// network.
	Outside http.RoundTripper
}

// Principal is who makes calls.
type Principal struct {
	*entra.Principal
	world *World
}

// Models answers for model names.
type Models func(name string) model.Model

// For implements openai.Models.
func (m Models) For(name string) model.Model { return m(name) }

// Builtin is Sekisho's own model, for every name.
func Builtin(string) model.Model { return model.Builtin{} }

// New makes a world whose deployments the models answer for. Only
// Microsoft.CognitiveServices, Compute, MachineLearningServices, ManagedIdentity,
// Search and Storage are registered.
func New(t testing.TB, models Models) *World {
	t.Helper()
	ctx := context.Background()
	w := &World{t: t, Dir: t.TempDir(), Tenant: uuid.NewString(), Subscription: "/subscriptions/" + uuid.NewString()}
	seal, err := store.OpenSealer(ctx, w.Dir, "")
	w.must(err)
	w.Store, err = store.Open(ctx, w.Dir)
	w.must(err)
	t.Cleanup(func() { w.Store.Close() })
	audit, err := store.OpenAudit(w.Dir, time.Hour)
	w.must(err)
	t.Cleanup(func() { audit.Close() })
	activity, err := insights.Open(w.Dir)
	w.must(err)
	t.Cleanup(func() { activity.Close() })
	w.Directory, err = entra.New(ctx, w.Store, seal, w.now)
	w.must(err)
	w.must(w.Directory.ReuseTokens(time.Minute)) // signing is what most calls would cost

	keys, grants := arm.NewKeys(w.Store, seal), access.New(w.Store, access.Options{Now: w.now})
	w.access = grants
	ai := openai.New(keys, models, nil)
	w.OpenAI = ai
	types := append([]*arm.Type{arm.GroupType()}, ai.Types()...)
	types = append(types, compute.Types()...)
	types = append(types, machinelearning.Types()...)
	types = append(types, managedidentity.Types(w.Directory)...)
	bucket, err := blob.OpenFiles(filepath.Join(w.Dir, "blobs"))
	w.must(err)
	t.Cleanup(func() { bucket.Close() })
	blobs := storage.New(keys, storage.NewDelegation(w.Store, seal, w.Directory), blob.New(w.Store, bucket, w.now), storage.Options{Now: w.now})
	types = append(types, blobs.Types()...)
	find := search.New(w.Store, keys, seal, filepath.Join(w.Dir, "search"), w.now)
	t.Cleanup(func() { find.Close() })
	w.Search, w.Jobs = find, jobs.New(w.Store, w.now, slog.New(slog.NewTextHandler(logWriter{t}, nil)))
	find.RunIndexers(w.Jobs, nil, slog.New(slog.NewTextHandler(logWriter{t}, nil)))
	types = append(types, find.Types()...)
	w.Registry = arm.NewRegistry(types...)
	w.Reader = arm.NewReader(w.Store, w.Registry, keys)
	w.Manager = arm.NewManager(w.Store, w.Registry, w.Reader, w.Directory, grants)
	ai.Attach(w.Manager, w.Reader, w.now)
	blobs.Attach(w.Manager, w.Reader)
	find.Attach(w.Manager, w.Reader, outbound{w})
	w.Authorization = authorization.New(w.Store, grants, w.Directory, w.Manager, authorization.Options{Now: w.now})
	w.gate, err = gate.New(gate.Config{
		Verifier: w.Directory, Access: grants, Keys: w.Reader, Tenants: w.Reader, Audit: audit, Log: slog.New(slog.NewTextHandler(logWriter{t}, nil)),
		Services: []api.Service{
			insights.Recorded(arm.Service(w.Manager.Operations(), resources.New(w.Manager, w.Registry, w.Directory).Operations(),
				w.Authorization.Operations(), management.New(w.Store, grants, w.Manager).Operations(),
				insights.New(w.Manager, activity, audit).Operations(), ai.ControlPlane(), blobs.ControlPlane(), find.ControlPlane()), activity),
			ai.DataPlane(),
			machinelearning.DataPlane(w.Reader),
			blobs.DataPlane(),
			blobs.Lake(),
			find.DataPlane(),
		},
	})
	w.must(err)

	w.Update(func(tx *store.Tx) error {
		if err := entra.PutTenant(tx, entra.Tenant{ID: w.Tenant, DisplayName: "Contoso", Domains: []string{"contoso.com"}}); err != nil {
			return err
		}
		id := strings.TrimPrefix(w.Subscription, "/subscriptions/")
		if err := arm.PutSubscription(tx, w.Tenant, id, arm.Subscription{DisplayName: "test", State: "Enabled"}); err != nil {
			return err
		}
		for _, ns := range []string{"Microsoft.CognitiveServices", "Microsoft.Compute", machinelearning.Namespace, "Microsoft.ManagedIdentity", "Microsoft.Search", "Microsoft.Storage"} {
			if err := arm.RegisterTx(tx, w.Tenant, id, ns); err != nil {
				return err
			}
		}
		return access.PutParent(tx, w.Tenant, access.Parent{Child: w.Subscription, Parent: string(access.RootGroup(w.Tenant))})
	})
	w.Owner = w.Principal("owner")
	w.Grant(w.Owner.ID, Owner, w.Subscription)
	return w
}

// now is the clock of the services.
func (w *World) now() time.Time { return time.Now().Add(w.Later) }

func (w *World) must(err error) {
	if err != nil {
		w.t.Helper()
		w.t.Fatal(err)
	}
}

// Update writes to the store.
func (w *World) Update(fn func(*store.Tx) error) {
	w.t.Helper()
	w.must(w.Store.Update(context.Background(), fn))
}

// Subscribe makes a subscription of a tenant, and gives its id.
func (w *World) Subscribe(tenant string) string {
	w.t.Helper()
	id := uuid.NewString()
	w.Update(func(tx *store.Tx) error {
		return arm.PutSubscription(tx, tenant, id, arm.Subscription{DisplayName: id, State: "Enabled"})
	})
	return "/subscriptions/" + id
}

// Principal makes a service principal without roles.
func (w *World) Principal(name string) Principal {
	w.t.Helper()
	return w.PrincipalIn(w.Tenant, name)
}

// PrincipalIn makes a service principal of a tenant.
func (w *World) PrincipalIn(tenant, name string) Principal {
	w.t.Helper()
	sp := entra.ServicePrincipal{ID: uuid.NewString(), AppID: uuid.NewString(), DisplayName: name, Type: "Application", AccountEnabled: true}
	w.Update(func(tx *store.Tx) error { return entra.PutServicePrincipal(tx, tenant, sp) })
	return w.Known(sp.ID)
}

// Known is a principal of the directory.
func (w *World) Known(id string) Principal {
	w.t.Helper()
	p, err := w.Directory.Principal(context.Background(), id)
	w.must(err)
	return Principal{p, w}
}

// User makes a user of the world's tenant.
func (w *World) User(name string) Principal {
	w.t.Helper()
	return w.UserIn(w.Tenant, name)
}

// UserIn makes a user of a tenant.
func (w *World) UserIn(tenant, name string) Principal {
	w.t.Helper()
	u := entra.User{ID: uuid.NewString(), UserPrincipalName: name + "@" + tenant, DisplayName: name, AccountEnabled: true}
	w.Update(func(tx *store.Tx) error { return entra.PutUser(tx, tenant, u) })
	return w.Known(u.ID)
}

// Group makes a group with members.
func (w *World) Group(name string, members ...string) string {
	w.t.Helper()
	g := entra.Group{ID: uuid.NewString(), DisplayName: name, SecurityEnabled: true}
	w.Update(func(tx *store.Tx) error {
		if err := entra.PutGroup(tx, w.Tenant, g); err != nil {
			return err
		}
		for _, member := range members {
			if err := entra.AddMember(tx, w.Tenant, g.ID, member); err != nil {
				return err
			}
		}
		return nil
	})
	return g.ID
}

// Grant assigns a role past the gate, and gives the assignment's id.
func (w *World) Grant(principal, role, scope string) string {
	w.t.Helper()
	return w.GrantIf(principal, role, scope, "")
}

// GrantIf is Grant with a condition.
func (w *World) GrantIf(principal, role, scope, condition string) string {
	w.t.Helper()
	name := uuid.NewString()
	a := access.Assignment{ID: scope + "/providers/Microsoft.Authorization/roleAssignments/" + name, Name: name, Scope: scope, Role: role,
		PrincipalID: principal, PrincipalType: entra.TypeServicePrincipal, Condition: condition}
	if condition != "" {
		a.ConditionVer = "2.0"
	}
	w.Update(func(tx *store.Tx) error {
		if _, found, err := w.access.Role(tx, w.Tenant, role); err != nil || !found {
			w.t.Fatalf("there is no role %s: %v", role, err)
		}
		return access.Put(tx, w.Tenant, a)
	})
	return a.ID
}

// Token is an access token of the principal for a resource.
func (p Principal) Token(resource string) string {
	p.world.t.Helper()
	if p.Type == entra.TypeUser { // as they get one in a shell
		token, err := p.world.Directory.ShellToken(context.Background(), p.ID, time.Now(), resource, netip.MustParseAddr("127.0.0.1"))
		p.world.must(err)
		return token.AccessToken
	}
	token, err := p.world.Directory.IdentityToken(context.Background(), p.Principal, resource)
	p.world.must(err)
	return token.AccessToken
}

// logWriter shows what the gate logs with the test that fails.
type logWriter struct{ t testing.TB }

func (l logWriter) Write(b []byte) (int, error) {
	l.t.Log(strings.TrimSpace(string(b)))
	return len(b), nil
}
