package gate

import (
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"sekisho/internal/api"
	"sekisho/internal/store"
	"sekisho/rbac"
)

// Verifier turns an Entra token into the principal that it names.
type Verifier interface {
	// Verify checks signature, times, issuer, audience and that the principal
	// still exists and is enabled. A token that does not pass is a TokenError;
	// any other error is a failure of the verifier.
	Verify(ctx context.Context, token string, audiences []string) (api.Caller, error)
}

// TokenError says why a token does not verify. Its text is shown to the client.
type TokenError interface {
	error
	Code() string
}

// Access answers questions to Azure RBAC.
type Access interface {
	Check(ctx context.Context, caller api.Caller, check api.Check) (rbac.Result, error)
	// SmallestRole names the smallest built-in role that grants the action.
	SmallestRole(action string, data bool) string
	// Groups are those that a principal is in, also through others.
	Groups(ctx context.Context, object string) ([]string, error)
}

// Keys finds the account and the name of a key. It takes time independent of
// how much of a wrong key is right, and of the number of accounts.
type Keys interface {
	FindKey(ctx context.Context, key string) (found api.Key, ok bool, err error)
}

// Tenants says which tenant a subscription belongs to.
type Tenants interface {
	TenantOf(ctx context.Context, scope rbac.Scope) (tenant string, ok bool, err error)
}

// Audit takes one record per decision.
type Audit interface {
	Append(store.Entry)
}

// Config is what a Gate is made of.
type Config struct {
	Verifier Verifier
	Access   Access
	Keys     Keys
	Tenants  Tenants
	Audit    Audit
	Log      *slog.Logger
	Services []api.Service
}

// Gate serves the calls that edge hands it.
type Gate struct {
	Config
	tables map[string]*table
}

type table struct {
	service api.Service
	routes  *routes
}

// New makes a Gate. It fails when two rows of a service claim the same path,
// or when a row does not say which action it needs or where that is written.
func New(c Config) (*Gate, error) {
	g := &Gate{Config: c, tables: map[string]*table{}}
	for _, service := range c.Services {
		routes, err := newRoutes(service)
		if err != nil {
			return nil, err
		}
		g.tables[service.Name] = &table{service, routes}
	}
	return g, nil
}

// ServeCall decides one request and, if it may pass, serves it.
func (g *Gate) ServeCall(w http.ResponseWriter, r *http.Request, origin api.Origin, target api.Target) {
	call := &api.Call{Request: r, ID: requestID(), Origin: origin, Target: target}
	call.Caller.Credential = api.Anonymous
	t, ok := g.tables[target.Service]
	if !ok {
		http.Error(w, "no such service", http.StatusNotFound)
		return
	}
	out := &response{ResponseWriter: w}
	if err := g.serve(out, call, t); err != nil {
		g.fail(out, call, t, err)
	}
}

// requestID is a random GUID. It names a request and keeps no secret, so it
// need not come from the kernel.
func requestID() string {
	var id uuid.UUID
	binary.NativeEndian.PutUint64(id[:8], rand.Uint64())
	binary.NativeEndian.PutUint64(id[8:], rand.Uint64())
	id[6] = id[6]&0x0f | 0x40 // version 4
	id[8] = id[8]&0x3f | 0x80 // RFC 9562's variant
	return id.String()
}

func (g *Gate) serve(w *response, call *api.Call, t *table) error {
	if t.service.MaxBody > 0 {
		call.Request.Body = http.MaxBytesReader(w, call.Request.Body, t.service.MaxBody)
	}
	d := &decision{gate: g, service: t.service, call: call}
	call.Authorize = d.grants
	call.Part = func(w http.ResponseWriter, r *http.Request) { g.ServeCall(w, r, call.Origin, call.Target) }
	call.Visit = func(w http.ResponseWriter, r *http.Request, base string, target api.Target) {
		origin := call.Origin
		origin.Base, origin.Own = base, ""
		g.ServeCall(w, r, origin, target)
	}
	if err := d.network(); err != nil {
		g.record(call, d, err)
		return err
	}
	split := pathSegments
	if t.service.Nested {
		split = nestedSegments
	}
	path, err := split(call.Request.URL)
	if err != nil {
		return err
	}
	if t.service.Canonical != nil {
		path = t.service.Canonical(call.Request, path)
	}
	call.Path = "/" + strings.Join(path, "/")
	op, vars, err := t.routes.match(call.Request, path)
	if err != nil {
		return err
	}
	call.Operation, call.Vars = op, vars
	if op.Open {
		if d.deferred != nil { // no token will come
			g.record(call, d, d.deferred)
			return d.deferred
		}
		err := op.Handle(w, call)
		g.recordOpen(call, w, err)
		return err
	}
	if err := d.decide(); err != nil {
		g.record(call, d, err)
		return err
	}
	if !op.Filtered {
		g.record(call, d, nil)
		return op.Handle(w, call)
	}
	// What may be seen is decided while the list is made.
	err = op.Handle(w, call)
	var refused *api.Refusal
	errors.As(err, &refused)
	g.record(call, d, refusal(refused))
	return err
}

// refusal keeps a nil *Refusal from becoming an error.
func refusal(r *api.Refusal) error {
	if r == nil {
		return nil
	}
	return r
}

// fail renders an error in the service's shape, unless the reply has begun: a
// stream that breaks off can only end.
func (g *Gate) fail(w *response, call *api.Call, t *table, err error) {
	if w.begun {
		if call.Request.Context().Err() == nil {
			g.Log.Error("reply broke off", "request", call.ID, "operation", name(call), "err", err)
		}
		return
	}
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		err = api.Errorf(http.StatusRequestEntityTooLarge, "RequestEntityTooLarge",
			"The request body is too large: this service takes at most %d bytes.", tooLarge.Limit)
	}
	var known *api.Error
	var refused *api.Refusal
	if !errors.As(err, &known) && !errors.As(err, &refused) {
		if call.Request.Context().Err() != nil {
			return // the client is gone
		}
		g.Log.Error("internal error", "request", call.ID, "operation", name(call), "err", err)
		err = api.Errorf(http.StatusInternalServerError, "InternalServerError",
			"Sekisho failed to serve this request; its log tells why, under request id %s.", call.ID)
	}
	t.service.WriteError(w, call, err)
}

func name(call *api.Call) string {
	if call.Operation == nil {
		return call.Request.Method + " " + call.Request.URL.Path
	}
	return call.Operation.Name
}

// record writes the audit entry of a decision. A client that went before it was
// decided leaves none.
func (g *Gate) record(call *api.Call, d *decision, err error) {
	e := entry(call)
	if d.check.Action != "" {
		e.Action, e.Data, e.Scope = d.check.Action, d.check.Data, string(d.check.Scope)
	}
	if d.result.Decision == rbac.Allowed && d.result.Assignment != nil {
		e.Assignment, e.Role = d.result.Assignment.ID, d.result.Role.RoleName
	}
	var refused *api.Refusal
	var bad *api.Error
	switch {
	case err == nil:
		e.Decision, e.Also, e.Cause = store.Allowed, d.also, d.granted
	case errors.As(err, &refused):
		e.Decision, e.Reason, e.Cause = store.Refused, string(refused.Reason), refused.Cause
	case errors.As(err, &bad):
		e.Decision, e.Reason, e.Cause = store.Refused, bad.Code, bad.Message
	case call.Request.Context().Err() != nil:
		return
	default:
		e.Decision, e.Reason = store.Refused, "InternalError"
	}
	g.Audit.Append(e)
}

// recordOpen writes the audit entry of an operation that decides for itself
// whom it serves (a token endpoint): the handler fills in the caller. Plain
// discovery documents leave none.
func (g *Gate) recordOpen(call *api.Call, w *response, err error) {
	if call.Caller.App == "" && err == nil {
		return
	}
	e := entry(call)
	e.Decision, e.Status = store.Allowed, w.status
	if err != nil {
		e.Decision, e.Reason = store.Refused, err.Error()
	}
	g.Audit.Append(e)
}

func entry(call *api.Call) store.Entry {
	r := call.Request
	e := store.Entry{
		Time: time.Now().UTC(), RequestID: call.ID, Service: call.Target.Service, Operation: name(call),
		Method: r.Method, Path: r.URL.Path, Tenant: call.Caller.Tenant, Principal: call.Caller.Object,
		PrincipalName: call.Caller.Name, App: call.Caller.App, Credential: string(call.Caller.Credential),
		Remote: call.Origin.Remote.String(), Scope: string(call.Target.Scope),
	}
	if call.User != nil {
		e.OnBehalfOf, e.OnBehalfOfName = call.User.Caller.Object, call.User.Caller.Name
	}
	return e
}

// response remembers whether a reply has begun. Unwrap lets
// http.ResponseController flush.
type response struct {
	http.ResponseWriter
	begun  bool
	status int
}

func (r *response) WriteHeader(status int) {
	r.begun, r.status = true, status
	r.ResponseWriter.WriteHeader(status)
}

func (r *response) Write(b []byte) (int, error) {
	if !r.begun {
		r.WriteHeader(http.StatusOK)
	}
	return r.ResponseWriter.Write(b)
}

func (r *response) Unwrap() http.ResponseWriter { return r.ResponseWriter }
