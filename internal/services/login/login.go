// Package login is the HTTP face of the token service, at the paths of
// login.microsoftonline.com: discovery, keys, user realm and the token
// endpoints of v1 and v2.
//
// It serves sign-in in a browser with its pages (authorization code with PKCE,
// device code, consent, sign-out), and at the token endpoints the grants of
// users and of applications. What is decided, entra decides.
package login

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"sekisho/internal/api"
	"sekisho/internal/entra"
)

// Service is the name of the table.
const Service = "login"

const maxBody = 64 << 10

// Login is the service.
type Login struct {
	directory *entra.Directory
	options   Options
}

// Options are what an operator may open.
type Options struct {
	// PasswordGrant serves the resource owner password credentials grant.
	PasswordGrant bool
}

// New makes the service.
func New(d *entra.Directory, o Options) *Login { return &Login{d, o} }

// Service is its table. Every row is open: what a token request needs is in its
// own body.
func (s *Login) Service() api.Service {
	row := func(method, pattern, name string, handle func(http.ResponseWriter, *api.Call) error) api.Operation {
		return api.Operation{Method: method, Pattern: pattern, Name: name, Open: true, Handle: handle}
	}
	return api.Service{
		Name: Service, MaxBody: maxBody, WriteError: writeError,
		Operations: []api.Operation{
			row(http.MethodGet, "/{tenant}/v2.0/.well-known/openid-configuration", "Discovery_V2", s.discovery(2)),
			row(http.MethodGet, "/{tenant}/.well-known/openid-configuration", "Discovery_V1", s.discovery(1)),
			row(http.MethodGet, "/common/discovery/instance", "Discovery_Instance", s.instance),
			row(http.MethodGet, "/{tenant}/discovery/v2.0/keys", "Keys_V2", s.keys),
			row(http.MethodGet, "/{tenant}/discovery/keys", "Keys_V1", s.keys),
			row(http.MethodGet, "/common/userrealm/{user}", "UserRealm", s.userRealm),
			row(http.MethodPost, "/{tenant}/oauth2/v2.0/token", "Token_V2", s.token(2)),
			row(http.MethodPost, "/{tenant}/oauth2/token", "Token_V1", s.token(1)),
			row(http.MethodGet, "/{tenant}/oauth2/v2.0/authorize", "Authorize_V2", s.authorize(2)),
			row(http.MethodPost, "/{tenant}/oauth2/v2.0/authorize", "AuthorizeForm_V2", s.authorize(2)),
			row(http.MethodGet, "/{tenant}/oauth2/authorize", "Authorize_V1", s.authorize(1)),
			row(http.MethodPost, "/{tenant}/oauth2/authorize", "AuthorizeForm_V1", s.authorize(1)),
			row(http.MethodPost, "/{tenant}/oauth2/v2.0/devicecode", "DeviceCode_V2", s.devicecode(2)),
			row(http.MethodPost, "/{tenant}/oauth2/devicecode", "DeviceCode_V1", s.devicecode(1)),
			row(http.MethodGet, "/{tenant}/oauth2/v2.0/logout", "Logout_V2", s.logout),
			row(http.MethodPost, "/{tenant}/oauth2/v2.0/logout", "LogoutForm_V2", s.logout),
			row(http.MethodGet, "/{tenant}/oauth2/logout", "Logout_V1", s.logout),
			row(http.MethodGet, "/{tenant}/oauth2/nativeclient", "NativeClient", s.nativeClient),
			row(http.MethodPost, pathSignIn, "Page_SignIn", s.signIn),
			row(http.MethodPost, pathSelect, "Page_SelectAccount", s.selectAccount),
			row(http.MethodPost, pathConsent, "Page_Consent", s.consent),
			row(http.MethodPost, pathPassword, "Page_ChangePassword", s.changePassword),
			row(http.MethodGet, pathDevice, "Page_Device", s.device),
			row(http.MethodGet, "/device", "Page_DeviceShort", s.device),
			row(http.MethodPost, pathDevice, "Page_DeviceCode", s.deviceCode),
			row(http.MethodPost, pathConfirm, "Page_DeviceConfirm", s.confirmDevice),
			row(http.MethodPost, pathLogout, "Page_SignOut", s.signOutOf),
			row(http.MethodOptions, "/{tenant}/oauth2/v2.0/token", "TokenPreflight_V2", preflight),
			row(http.MethodOptions, "/{tenant}/oauth2/token", "TokenPreflight_V1", preflight),
			row(http.MethodGet, "/adfs/oauth2/authorize", "Authorize_ADFS", s.authorize(2)),
			row(http.MethodPost, "/adfs/oauth2/devicecode", "DeviceCode_ADFS", s.devicecode(2)),
			row(http.MethodGet, "/adfs/oauth2/logout", "Logout_ADFS", s.logout),
			row(http.MethodGet, "/adfs/.well-known/openid-configuration", "Discovery_ADFS", s.discoveryADFS),
			row(http.MethodGet, "/adfs/discovery/keys", "Keys_ADFS", s.keys),
			row(http.MethodPost, "/adfs/oauth2/token", "Token_ADFS", s.token(2)),
		},
	}
}

// tenantInURL is the tenant as URLs of a discovery document name it.
func (s *Login) tenantInURL(call *api.Call) (name, issuer string, err error) {
	name = call.Var("tenant")
	if name == "" { // an authority that ends in /adfs
		name, err = s.tenant(call)
		return name, name, err
	}
	if entra.Shared(name) {
		return name, "{tenantid}", nil
	}
	t, err := s.directory.Tenant(call.Request.Context(), name)
	if err != nil {
		return "", "", err
	}
	if t == nil {
		missing := entra.TenantNotFound(name)
		missing.OAuth = "invalid_tenant" // so here, unlike at the token endpoint (azure-cli#22145)
		return "", "", missing
	}
	return t.ID, t.ID, nil
}

// discovery is the OpenID provider configuration.
// Source: entra-docs v2-protocols-oidc.md; keys that MSAL reads, clients.md §1b.
func (s *Login) discovery(version int) func(http.ResponseWriter, *api.Call) error {
	return func(w http.ResponseWriter, call *api.Call) error {
		tenant, issuer, err := s.tenantInURL(call)
		if err != nil {
			return err
		}
		prefix, keys, iss := "/oauth2/", "/discovery/keys", "https://sts.windows.net/"+issuer+"/"
		if version == 2 {
			prefix, keys, iss = "/oauth2/v2.0/", "/discovery/v2.0/keys", entra.IssuerV2(issuer)
		}
		allowOrigin(w, call)
		return writeJSON(w, http.StatusOK, document(call.URL("/"+tenant), prefix, keys, iss, userInfo(call)))
	}
}

// adfs is the first segment of an authority that MSAL takes for AD FS: it then
// asks for no tenant and does no instance discovery, so that az and the SDKs
// reach Sekisho under its own name. Source: clients.md §1, mode B.
const adfs = "adfs"

func (s *Login) discoveryADFS(w http.ResponseWriter, call *api.Call) error {
	base := call.URL("/" + adfs)
	return writeJSON(w, http.StatusOK, document(base, "/oauth2/", "/discovery/keys", base, userInfo(call)))
}

// userInfo is the endpoint of Graph that tells who a user is.
func userInfo(call *api.Call) string {
	if call.Origin.Own != "" {
		return call.Origin.Own + "/oidc/userinfo"
	}
	return "https://graph.microsoft.com/oidc/userinfo"
}

// document is an OpenID provider configuration. Source: what Entra answered in
// recordings of the Azure SDK for JavaScript, but for what is not served here
// (response_type id_token token, kerberos_endpoint, rbac_url).
func document(authority, prefix, keys, issuer, userInfo string) map[string]any {
	return map[string]any{
		"token_endpoint": authority + prefix + "token", "authorization_endpoint": authority + prefix + "authorize",
		"device_authorization_endpoint": authority + prefix + "devicecode", "end_session_endpoint": authority + prefix + "logout",
		"issuer": issuer, "jwks_uri": authority + keys,
		"token_endpoint_auth_methods_supported": []string{"client_secret_post", "private_key_jwt", "client_secret_basic"},
		"response_modes_supported":              []string{"query", "fragment", "form_post"},
		"response_types_supported":              []string{"code", "id_token", "code id_token"},
		"scopes_supported":                      []string{"openid", "profile", "email", "offline_access"},
		"subject_types_supported":               []string{"pairwise"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
		"claims_supported": []string{"sub", "iss", "cloud_instance_name", "cloud_instance_host_name", "cloud_graph_host_name", "msgraph_host", "aud", "exp", "iat",
			"auth_time", "acr", "nonce", "preferred_username", "name", "tid", "ver", "at_hash", "c_hash", "email"},
		"userinfo_endpoint":               userInfo,
		"request_uri_parameter_supported": false, "http_logout_supported": true, "frontchannel_logout_supported": true,
		"tenant_region_scope": "AS", "cloud_instance_name": "microsoftonline.com",
		"cloud_graph_host_name": "graph.windows.net", "msgraph_host": "graph.microsoft.com",
	}
}

// instance tells MSAL which hosts are one authority.
// Source: clients.md §1b, instance discovery.
func (s *Login) instance(w http.ResponseWriter, call *api.Call) error {
	endpoint := call.Request.URL.Query().Get("authorization_endpoint")
	rest, secure := strings.CutPrefix(endpoint, "https://")
	host, path, _ := strings.Cut(rest, "/")
	tenant, _, _ := strings.Cut(path, "/")
	if !secure || !slices.Contains(entra.AuthorityHosts, strings.ToLower(host)) || tenant == "" {
		return &entra.Error{Number: 50049, OAuth: "invalid_instance", Status: http.StatusBadRequest, Message: "Unknown or invalid instance."}
	}
	allowOrigin(w, call)
	return writeJSON(w, http.StatusOK, map[string]any{
		"tenant_discovery_endpoint": "https://login.microsoftonline.com/" + tenant + "/v2.0/.well-known/openid-configuration",
		"api-version":               "1.1",
		"metadata": []any{map[string]any{
			"preferred_network": "login.microsoftonline.com", "preferred_cache": "login.windows.net", "aliases": entra.AuthorityHosts}},
	})
}

func (s *Login) keys(w http.ResponseWriter, call *api.Call) error {
	if _, _, err := s.tenantInURL(call); err != nil {
		return err
	}
	keys, err := s.directory.PublicKeys(call.Request.Context())
	if err != nil {
		return err
	}
	allowOrigin(w, call)
	return writeJSON(w, http.StatusOK, map[string]any{"keys": keys})
}

// userRealm tells how users of a domain sign in.
// Source: identity.md §1, fields that MSAL requires.
func (s *Login) userRealm(w http.ResponseWriter, call *api.Call) error {
	user := call.Var("user")
	_, domain, _ := strings.Cut(user, "@")
	t, err := s.directory.Tenant(call.Request.Context(), domain)
	if err != nil {
		return err
	}
	reply := map[string]any{"ver": "1.0", "account_type": "Unknown", "login": user,
		"cloud_instance_name": "microsoftonline.com", "cloud_audience_urn": "urn:federation:MicrosoftOnline"}
	if t != nil && !strings.EqualFold(domain, t.ID) {
		reply["account_type"], reply["domain_name"] = "Managed", domain
	}
	return writeJSON(w, http.StatusOK, reply)
}

func writeJSON(w http.ResponseWriter, status int, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Cache-Control", "no-store, no-cache")
	h.Set("Pragma", "no-cache")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	w.WriteHeader(status)
	_, err = w.Write(raw)
	return err
}

// writeError renders an error as the token service does.
// Source: entra-docs reference-error-codes.md.
func writeError(w http.ResponseWriter, call *api.Call, err error) {
	setHeaders(w, call)
	var page shown
	if errors.As(err, &page) && page.write(w) == nil {
		return
	}
	now, correlation := time.Now().UTC().Format(timeForm), correlationID(call)
	status, code, text, numbers := http.StatusInternalServerError, "server_error", err.Error(), []int{}
	var e *entra.Error
	var known *api.Error
	switch {
	case errors.As(err, &e):
		status, code, numbers = e.Status, e.OAuth, []int{e.Number}
	case errors.As(err, &known):
		status, text = known.Status, known.Message
		if status < http.StatusInternalServerError {
			code = "invalid_request"
		}
		if known.Code == api.CodeNoRoute {
			text = "Sekisho does not serve this endpoint of the token service: " + call.Request.Method + " " + call.Request.URL.Path
		}
	}
	body := map[string]any{
		"error":             code,
		"error_description": fmt.Sprintf("%s Trace ID: %s Correlation ID: %s Timestamp: %s", text, call.ID, correlation, now),
		"error_codes":       numbers, "timestamp": now, "trace_id": call.ID, "correlation_id": correlation,
	}
	if e != nil && e.Sub != "" {
		body["suberror"] = e.Sub
	}
	if len(numbers) > 0 {
		body["error_uri"] = call.URL(fmt.Sprintf("/error?code=%d", numbers[0]))
	}
	writeJSON(w, status, body)
}

// setHeaders names the request, and the client's own name of it if that asks.
func setHeaders(w http.ResponseWriter, call *api.Call) {
	w.Header().Set("x-ms-request-id", call.ID)
	if call.Request.Header.Get("return-client-request-id") == "true" {
		w.Header().Set("client-request-id", correlationID(call))
	}
}

// correlationID is the client's own id of the request: a header, or a query
// parameter as JavaScript sends it.
func correlationID(call *api.Call) string {
	id := call.Request.Header.Get("client-request-id")
	if id == "" {
		id = call.Request.URL.Query().Get("client-request-id")
	}
	if len(id) != 36 || uuid.Validate(id) != nil {
		return call.ID
	}
	return id
}
