// Package imds gives processes the tokens of the managed identity of the
// machine that they are said to run on, by the protocol of each kind of host:
// App Service (IDENTITY_ENDPOINT, IDENTITY_HEADER), Azure ML compute
// (MSI_ENDPOINT, MSI_SECRET), the instance metadata service of virtual machines
// at 169.254.169.254, and the agent of Azure Arc; and those of a user as in Cloud
// Shell, whose endpoint is of the same kind.
//
// Who may ask is told by a secret per run: `sekisho run` gets it over the
// control socket, hands it to its child, and with its end the secret is gone.
package imds

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"sekisho/internal/arm"
	"sekisho/internal/entra"
	"sekisho/internal/gate"
	"sekisho/internal/store"
)

// Server serves tokens of managed identities, over plain HTTP on loopback.
type Server struct {
	directory *entra.Directory
	resources *arm.Reader
	audit     gate.Audit
	log       *slog.Logger

	mu   sync.Mutex
	runs map[[32]byte]*run // by digest of the secret
	hash func(string) [32]byte
}

// New makes a Server. hash is how secrets are indexed.
func New(d *entra.Directory, resources *arm.Reader, audit gate.Audit, log *slog.Logger, hash func(string) [32]byte) *Server {
	return &Server{directory: d, resources: resources, audit: audit, log: log, runs: map[[32]byte]*run{}, hash: hash}
}

// run is a process that is said to be on a machine.
type run struct {
	machine      string // ARM id
	host         Host
	keyFile, key string    // of Arc's agent
	user         string    // object id, of Cloud Shell
	begun        time.Time // when the user signed in, so to say
}

// Grant is what makes a process be on a machine.
type Grant struct {
	Secret    string            // that a relay passes on in SecretHeader
	Variables map[string]string // of the process's environment
	Relay     *Relay            // nil where the process asks the Server itself
}

// Begin lets a process be on the machine, at a kind of host, until end is
// called. The Server listens at address.
func (s *Server) Begin(ctx context.Context, machine string, host Host, address string) (_ Grant, end func(), err error) {
	if host != Everywhere && !slices.Contains(Hosts, host) {
		return Grant{}, nil, fmt.Errorf("%q is no kind of host: there are %s", host, kinds())
	}
	r := &run{machine: machine, host: host}
	if host == Arc {
		r.keyFile, r.key = keyFolder+uuid.NewString()+".key", random()
	}
	grant := r.grant(address, random())
	if host == MachineLearning {
		if grant.Variables["DEFAULT_IDENTITY_CLIENT_ID"], err = s.defaultClient(ctx, machine); err != nil {
			return Grant{}, nil, err
		}
	}
	grant, end = s.begin(r, grant)
	return grant, end, nil
}

func (s *Server) begin(r *run, grant Grant) (_ Grant, end func()) {
	digest := s.hash(grant.Secret)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runs[digest] = r
	return grant, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.runs, digest)
	}
}

func random() string {
	raw := make([]byte, 32)
	rand.Read(raw)
	return base64.RawURLEncoding.EncodeToString(raw)
}

func (s *Server) run(secret string) *run {
	digest := s.hash(secret)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.runs[digest]
}

// asked is the run that a request is of, and the protocol that it follows.
func (s *Server) asked(r *http.Request, at endpoint) (under *run, p *protocol) {
	for _, p := range at.protocols {
		found := s.run(r.Header.Get(p.header))
		if found != nil && slices.Contains(p.hosts, found.host) {
			return found, p
		}
		under = cmp.Or(under, found)
	}
	return under, at.protocols[0]
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// JS and msrestazure ask for the path with a trailing slash.
	path, method := strings.TrimSuffix(r.URL.Path, "/"), http.MethodGet
	at, ok := endpoints[path]
	if path == ShellPath {
		ok, method = true, http.MethodPost
	}
	switch {
	case !ok:
		fail(w, http.StatusNotFound, "not_found", "Sekisho serves "+AppServicePath+", "+MachineLearningPath+", "+MetadataPath+" and "+ShellPath+" here.")
	case r.Method != method:
		w.Header().Set("Allow", method)
		fail(w, http.StatusMethodNotAllowed, "invalid_request", "This endpoint takes "+method+".")
	case path == ShellPath:
		s.serveShell(w, r)
	default:
		s.serve(w, r, at)
	}
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request, at endpoint) {
	if at.local {
		if problem := forged(r); problem != "" {
			fail(w, http.StatusBadRequest, "invalid_request", problem)
			return
		}
	}
	under, p := s.asked(r, at)
	switch {
	case under == nil:
		fail(w, http.StatusUnauthorized, "unauthorized", "The "+p.header+" header is not that of a run that is under way.")
		return
	case !slices.Contains(p.hosts, under.host):
		fail(w, http.StatusBadRequest, "invalid_request", "The run is on a host of the kind "+string(under.host)+", which has no such endpoint.")
		return
	}
	query := r.URL.Query()
	switch version := query.Get("api-version"); {
	case version == "":
		fail(w, http.StatusBadRequest, "invalid_request", "api-version was not specified in the request")
		return
	case !p.supports(version):
		fail(w, http.StatusBadRequest, "invalid_request", "api-version is not a version of this endpoint; the oldest is "+p.since)
		return
	}
	if p.challenged && !under.opened(r) {
		w.Header().Set("WWW-Authenticate", "Basic realm="+under.keyFile)
		fail(w, http.StatusUnauthorized, "unauthorized", "The Authorization header must be Basic with the contents of the file that WWW-Authenticate names.")
		return
	}
	resource := query.Get("resource")
	if resource == "" {
		fail(w, http.StatusBadRequest, "invalid_request", "The resource parameter is missing")
		return
	}
	identity, problem, err := s.identity(r.Context(), under.machine, p, query)
	if err != nil {
		s.broken(w, err)
		return
	}
	if identity == nil {
		// Never 404: Go clients would retry it for a minute.
		fail(w, http.StatusBadRequest, "invalid_request", problem)
		return
	}
	token, err := s.directory.IdentityToken(r.Context(), identity, resource)
	s.record(r, under, identity, resource, err)
	var refused *entra.Error
	switch {
	case errors.As(err, &refused):
		fail(w, http.StatusBadRequest, refused.OAuth, refused.Error())
	case err != nil:
		s.broken(w, err)
	default:
		writeJSON(w, http.StatusOK, p.reply(token))
	}
}

func (s *Server) record(r *http.Request, under *run, identity *entra.Principal, resource string, err error) {
	e := entry(r, "ManagedIdentity_Token", resource, err)
	e.Tenant, e.Principal, e.PrincipalName, e.App, e.Scope = identity.Tenant, identity.ID, identity.Name, identity.AppID, under.machine
	s.audit.Append(e)
}

// entry is that of a token in the audit log.
func entry(r *http.Request, operation, resource string, err error) store.Entry {
	e := store.Entry{Time: time.Now().UTC(), RequestID: uuid.NewString(), Service: "imds", Operation: operation, Method: r.Method, Path: r.URL.Path,
		Credential: "run secret", Remote: r.RemoteAddr, Action: "token for " + resource, Decision: store.Allowed}
	if err != nil {
		e.Decision, e.Reason = store.Refused, err.Error()
	}
	return e
}

func (s *Server) broken(w http.ResponseWriter, err error) {
	s.log.Error("managed identity endpoint", "err", err)
	fail(w, http.StatusInternalServerError, "server_error", "Sekisho failed to serve this request; its log tells why.")
}

func fail(w http.ResponseWriter, status int, code, text string) {
	writeJSON(w, status, map[string]any{"error": code, "error_description": text, "statusCode": status, "message": text})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	raw, err := json.Marshal(v)
	if err != nil {
		status, raw = http.StatusInternalServerError, []byte("{}")
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	w.Write(raw)
}
