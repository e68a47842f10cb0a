package imds

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/entra"
	"sekisho/internal/store"
	"sekisho/rbac"
)

const (
	tenant       = "11111111-0000-0000-0000-000000000001"
	subscription = "99999999-0000-0000-0000-000000000009"
	group        = "/subscriptions/" + subscription + "/resourceGroups/rg"
	vmType       = "Microsoft.Compute/virtualMachines"
	userType     = "Microsoft.ManagedIdentity/userAssignedIdentities"
	armURI       = "https://management.azure.com/"
)

func vmID(name string) string   { return group + "/providers/" + vmType + "/" + name }
func userID(name string) string { return group + "/providers/" + userType + "/" + name }

// world is the endpoint over real resources and a real directory.
type world struct {
	t         *testing.T
	server    *Server
	store     *store.Store
	directory *entra.Directory
	manager   *arm.Manager
	types     *arm.Registry
	audit     []store.Entry
}

// Append implements gate.Audit.
func (w *world) Append(e store.Entry) { w.audit = append(w.audit, e) }

// noAssignments implements arm.Assignments.
type noAssignments struct{}

func (noAssignments) RemoveBelow(*store.Tx, rbac.Scope) error { return nil }

func newWorld(t *testing.T) *world {
	t.Helper()
	dir := t.TempDir()
	seal, err := store.OpenSealer(t.Context(), dir, "")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t}
	if w.store, err = store.Open(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.store.Close(); err != nil {
			t.Error(err)
		}
	})
	if w.directory, err = entra.New(t.Context(), w.store, seal, time.Now); err != nil {
		t.Fatal(err)
	}
	plan := func(old, in *arm.Resource) (*arm.Resource, error) {
		if in.Properties == nil && old != nil {
			in.Properties = old.Properties
		}
		return in, nil
	}
	w.types = arm.NewRegistry(arm.GroupType(),
		&arm.Type{Name: vmType, Tracked: true, Identities: true, Plan: plan},
		&arm.Type{Name: userType, Tracked: true, Plan: plan, Commit: func(tx *store.Tx, old, in *arm.Resource) error {
			if old != nil {
				return nil
			}
			principal, client, err := w.directory.CreateIdentity(tx, tenant, in.ID, in.Name)
			if err != nil {
				return err
			}
			return in.SetProperties(map[string]string{"principalId": principal, "clientId": client})
		}, Remove: func(tx *store.Tx, old *arm.Resource) error { return w.directory.RemoveIdentity(tx, old.ID) }})
	reader := arm.NewReader(w.store, w.types, arm.NewKeys(w.store, seal))
	w.manager = arm.NewManager(w.store, w.types, reader, w.directory, noAssignments{})
	w.server = New(w.directory, reader, w, slog.New(slog.DiscardHandler), func(s string) [32]byte { return seal.Digest("run-secret", []byte(s)) })
	err = w.store.Update(t.Context(), func(tx *store.Tx) error {
		return errors.Join(
			entra.PutTenant(tx, entra.Tenant{ID: tenant, DisplayName: "Contoso"}),
			arm.PutSubscription(tx, tenant, subscription, arm.Subscription{DisplayName: "sub", State: "Enabled"}),
			arm.RegisterTx(tx, tenant, subscription, "Microsoft.Compute"),
			arm.RegisterTx(tx, tenant, subscription, "Microsoft.ManagedIdentity"))
	})
	if err != nil {
		t.Fatal(err)
	}
	w.put(arm.TypeGroup, group, nil)
	return w
}

func (w *world) put(typeName, id string, identity *arm.Identity) {
	w.t.Helper()
	kind, _ := w.types.Get(typeName)
	_, _, err := w.manager.Put(w.t.Context(), arm.Write{Type: kind, ID: id, Caller: api.Caller{Name: "test"},
		Change: func(*arm.Resource) (*arm.Resource, error) {
			return &arm.Resource{Location: "japaneast", Identity: identity}, nil
		}})
	if err != nil {
		w.t.Fatal(err)
	}
}

// vm makes a machine with a system-assigned identity, if system is set, and
// with the named user-assigned ones.
func (w *world) vm(name string, system bool, users ...string) {
	w.t.Helper()
	var kinds []string
	identity := &arm.Identity{}
	if system {
		kinds = append(kinds, "SystemAssigned")
	}
	for _, user := range users {
		if identity.UserAssigned == nil {
			kinds, identity.UserAssigned = append(kinds, "UserAssigned"), map[string]*arm.UserIdentity{}
		}
		w.put(userType, userID(user), nil)
		identity.UserAssigned[userID(user)] = &arm.UserIdentity{}
	}
	if identity.Type = strings.Join(kinds, ", "); identity.Type == "" {
		identity = nil
	}
	w.put(vmType, vmID(name), identity)
}

const address = "127.0.0.1:4445" // where the Server is said to listen

func (w *world) grant(machine string, host Host) (Grant, func()) {
	w.t.Helper()
	grant, end, err := w.server.Begin(w.t.Context(), machine, host, address)
	if err != nil {
		w.t.Fatal(err)
	}
	return grant, end
}

func (w *world) begin(machine string, host Host) (secret string, end func()) {
	w.t.Helper()
	grant, end := w.grant(machine, host)
	return grant.Secret, end
}

func (w *world) identityOf(id string) *entra.Principal {
	w.t.Helper()
	p, err := w.directory.IdentityOf(w.t.Context(), id)
	if err != nil || p == nil {
		w.t.Fatalf("identity of %s: %v, %v", id, p, err)
	}
	return p
}

// ask sends a request as a client of one of the protocols does, changed by
// options: a name that begins with a capital is a header, an empty value takes
// the parameter away.
func (w *world) ask(path, secret string, options ...string) (int, map[string]any) {
	w.t.Helper()
	query := url.Values{"resource": {armURI}, "api-version": {"2018-02-01"}}
	header := http.Header{}
	header.Set(SecretHeader, secret)
	if strings.HasPrefix(path, MetadataPath) {
		header.Set("Metadata", "true")
	} else {
		query.Set("api-version", "2019-08-01")
	}
	for i := 0; i < len(options); i += 2 {
		switch name, value := options[i], options[i+1]; {
		case name != strings.ToLower(name) && value == "":
			header.Del(name)
		case name != strings.ToLower(name):
			header.Set(name, value)
		case value == "":
			query.Del(name)
		default:
			query.Set(name, value)
		}
	}
	r := httptest.NewRequest(http.MethodGet, path+"?"+query.Encode(), nil)
	r.Header = header
	return w.serve(r)
}

func (w *world) serve(r *http.Request) (int, map[string]any) {
	w.t.Helper()
	status, reply, _ := w.exchange(r)
	return status, reply
}

func (w *world) exchange(r *http.Request) (int, map[string]any, http.Header) {
	w.t.Helper()
	out := httptest.NewRecorder()
	w.server.ServeHTTP(out, r)
	var reply map[string]any
	if err := json.Unmarshal(out.Body.Bytes(), &reply); err != nil {
		w.t.Fatalf("%v in %s", err, out.Body)
	}
	if out.Header().Get("Content-Type") != "application/json; charset=utf-8" || out.Header().Get("Cache-Control") != "no-store" {
		w.t.Errorf("header = %v", out.Header())
	}
	return out.Code, reply, out.Header()
}

// wantRefused checks a refusal; its two forms of text serve both protocols.
func (w *world) wantRefused(t *testing.T, status int, code, text string, gotStatus int, reply map[string]any) {
	t.Helper()
	description, _ := reply["error_description"].(string)
	if gotStatus != status || reply["error"] != code || !strings.Contains(description, text) || reply["access_token"] != nil {
		t.Errorf("%d %v; want %d %s …%s…", gotStatus, reply, status, code, text)
	}
}

// claims are those of the token in a reply.
func claims(t *testing.T, reply map[string]any) map[string]any {
	t.Helper()
	token, _ := reply["access_token"].(string)
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("reply = %v", reply)
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func unix(v any) string { f, _ := v.(float64); return strconv.FormatInt(int64(f), 10) }
