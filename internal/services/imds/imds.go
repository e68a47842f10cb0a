// Package imds gives processes the tokens of the managed identity of the
// machine that they are said to run on: by the App Service protocol
// (IDENTITY_ENDPOINT, IDENTITY_HEADER) and by that of the instance metadata
// service at 169.254.169.254.
//
// Who may ask is told by a secret per run: `sekisho run` gets it over the
// control socket, hands it to its child, and with its end the secret is gone.
package imds

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"sekisho/internal/arm"
	"sekisho/internal/entra"
	"sekisho/internal/gate"
	"sekisho/internal/store"
)

// Paths of the two protocols.
const (
	AppServicePath = "/msi/token"
	MetadataPath   = "/metadata/identity/oauth2/token"
)

// Server serves tokens of managed identities, over plain HTTP on loopback.
type Server struct {
	directory *entra.Directory
	resources *arm.Reader
	audit     gate.Audit
	log       *slog.Logger

	mu   sync.Mutex
	runs map[[32]byte]string // digest of a secret → ARM id of the machine
	hash func(string) [32]byte
}

// New makes a Server. hash is how secrets are indexed.
func New(d *entra.Directory, resources *arm.Reader, audit gate.Audit, log *slog.Logger, hash func(string) [32]byte) *Server {
	return &Server{directory: d, resources: resources, audit: audit, log: log, runs: map[[32]byte]string{}, hash: hash}
}

// Begin lets the holder of the secret be the machine, until end is called.
func (s *Server) Begin(machine string) (secret string, end func()) {
	raw := make([]byte, 32)
	rand.Read(raw)
	secret = base64.RawURLEncoding.EncodeToString(raw)
	digest := s.hash(secret)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runs[digest] = machine
	return secret, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.runs, digest)
	}
}

func (s *Server) machine(secret string) (string, bool) {
	digest := s.hash(secret)
	s.mu.Lock()
	defer s.mu.Unlock()
	machine, ok := s.runs[digest]
	return machine, ok
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// JS asks for the path with a trailing slash.
	switch path := strings.TrimSuffix(r.URL.Path, "/"); {
	case path == AppServicePath && r.Method == http.MethodGet:
		s.serve(w, r, appService)
	case path == MetadataPath && r.Method == http.MethodGet:
		s.serve(w, r, metadata)
	case path == AppServicePath, path == MetadataPath:
		w.Header().Set("Allow", http.MethodGet)
		fail(w, http.StatusMethodNotAllowed, "invalid_request", "This endpoint takes GET.")
	default:
		fail(w, http.StatusNotFound, "not_found", "Sekisho serves "+AppServicePath+" and "+MetadataPath+" here.")
	}
}

// protocol is how one of the two asks.
type protocol struct {
	since     string            // the oldest api-version
	selectors map[string]string // query parameter → what it selects by
	check     func(*http.Request) string
	reply     func(*entra.Token) map[string]any
}

// SecretHeader carries the run's secret; App Service defines it. In the
// metadata protocol the relay of `sekisho run` adds it.
const SecretHeader = "X-IDENTITY-HEADER"

// Source: azure-docs app-service/overview-managed-identity.md, REST endpoint reference.
var appService = protocol{
	since:     "2019-08-01",
	selectors: map[string]string{"client_id": "client", "principal_id": "object", "object_id": "object", "mi_res_id": "resource"},
	check:     func(*http.Request) string { return "" },
	reply: func(t *entra.Token) map[string]any {
		return map[string]any{"access_token": t.AccessToken, "expires_on": strconv.FormatInt(t.Expires.Unix(), 10),
			"resource": t.Resource, "token_type": "Bearer", "client_id": t.Principal.AppID}
	},
}

// Source: entra-docs how-to-use-vm-token.md; numbers are strings.
var metadata = protocol{
	since:     "2018-02-01",
	selectors: map[string]string{"client_id": "client", "object_id": "object", "msi_res_id": "resource", "mi_res_id": "resource"},
	check: func(r *http.Request) string {
		switch {
		case !strings.EqualFold(r.Header.Get("Metadata"), "true"):
			return "Required metadata header not specified"
		case len(r.Header.Values("X-Forwarded-For")) > 0:
			return "Requests with an X-Forwarded-For header are refused"
		}
		return ""
	},
	reply: func(t *entra.Token) map[string]any {
		return map[string]any{"access_token": t.AccessToken, "refresh_token": "", "client_id": t.Principal.AppID,
			"expires_in": strconv.Itoa(int(t.ExpiresIn.Seconds())), "ext_expires_in": strconv.Itoa(int(t.ExpiresIn.Seconds())),
			"expires_on": strconv.FormatInt(t.Expires.Unix(), 10), "not_before": strconv.FormatInt(t.NotBefore.Unix(), 10),
			"resource": t.Resource, "token_type": "Bearer"}
	},
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request, p protocol) {
	if problem := p.check(r); problem != "" {
		fail(w, http.StatusBadRequest, "invalid_request", problem)
		return
	}
	machine, ok := s.machine(r.Header.Get(SecretHeader))
	if !ok {
		fail(w, http.StatusUnauthorized, "unauthorized", "The identity header is not that of a run that is under way.")
		return
	}
	query := r.URL.Query()
	switch version := query.Get("api-version"); {
	case version == "":
		fail(w, http.StatusBadRequest, "invalid_request", "api-version was not specified in the request")
		return
	case !apiVersion.MatchString(version) || version < p.since:
		fail(w, http.StatusBadRequest, "invalid_request", "api-version is not a version of this endpoint; the oldest is "+p.since)
		return
	}
	resource := query.Get("resource")
	if resource == "" {
		fail(w, http.StatusBadRequest, "invalid_request", "The resource parameter is missing")
		return
	}
	identity, problem, err := s.identity(r, machine, p)
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
	s.record(r, machine, identity, resource, err)
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

var apiVersion = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}(-preview)?$`)

// identity is the one that the request selects among those of the machine; with
// none, problem says why.
func (s *Server) identity(r *http.Request, machine string, p protocol) (_ *entra.Principal, problem string, err error) {
	res, ok, err := s.resources.Get(r.Context(), machine)
	if err != nil {
		return nil, "", err
	}
	if !ok || res.Identity == nil {
		return nil, "Identity not found: " + machine + " bears no managed identity", nil
	}
	var all []*entra.Principal
	var system *entra.Principal
	if res.Identity.System() {
		if system, err = s.bearer(r, res.ID); err != nil {
			return nil, "", err
		}
	}
	if system != nil {
		all = append(all, system)
	}
	for id := range res.Identity.UserAssigned {
		user, err := s.bearer(r, id)
		if err != nil {
			return nil, "", err
		}
		if user != nil {
			all = append(all, user)
		}
	}
	by, want, problem := p.selector(r.URL.Query())
	switch {
	case problem != "":
		return nil, problem, nil
	case by != "":
		for _, identity := range all {
			have := map[string]string{"client": identity.AppID, "object": identity.ID, "resource": identity.Resource}[by]
			if strings.EqualFold(have, want) {
				return identity, "", nil
			}
		}
		return nil, "Identity not found", nil
	case system != nil:
		return system, "", nil
	case res.Identity.System() || len(all) == 0: // none takes the place of a disabled one
		return nil, "Identity not found", nil
	case len(all) == 1:
		return all[0], "", nil
	}
	return nil, "Multiple user assigned identities exist, please specify the clientId / resourceId of the identity in the token request", nil
}

// bearer is the identity that belongs to a resource, unless it is disabled or
// does not exist.
func (s *Server) bearer(r *http.Request, resource string) (*entra.Principal, error) {
	identity, err := s.directory.IdentityOf(r.Context(), resource)
	if err != nil || identity == nil || !identity.Enabled {
		return nil, err
	}
	return identity, nil
}

// selector is what the query selects an identity by, and its value.
func (p protocol) selector(query url.Values) (by, value, problem string) {
	for name, what := range p.selectors {
		switch given := query.Get(name); {
		case given == "":
		case by != "":
			return "", "", "The parameters that select an identity exclude each other; the request has more than one"
		default:
			by, value = what, given
		}
	}
	return by, value, ""
}

func (s *Server) record(r *http.Request, machine string, identity *entra.Principal, resource string, err error) {
	e := store.Entry{
		Time: time.Now().UTC(), RequestID: uuid.NewString(), Service: "imds", Operation: "ManagedIdentity_Token", Method: r.Method, Path: r.URL.Path,
		Tenant: identity.Tenant, Principal: identity.ID, PrincipalName: identity.Name, App: identity.AppID,
		Credential: "run secret", Remote: r.RemoteAddr, Action: "token for " + resource, Scope: machine, Decision: store.Allowed,
	}
	if err != nil {
		e.Decision, e.Reason = store.Refused, err.Error()
	}
	s.audit.Append(e)
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
