package login

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/entra"
)

// Grant types. Sources: RFC 6749, RFC 7523, RFC 8628.
const (
	grantCode     = "authorization_code"
	grantRefresh  = "refresh_token"
	grantClient   = "client_credentials"
	grantDevice   = "urn:ietf:params:oauth:grant-type:device_code"
	grantDeviceV1 = "device_code"
	grantOnBehalf = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	grantPassword = "password"
)

// token is the token endpoint. v1 asks for a resource, v2 for a scope.
func (s *Login) token(version int) func(http.ResponseWriter, *api.Call) error {
	return func(w http.ResponseWriter, call *api.Call) error {
		allowOrigin(w, call)
		form, err := formOf(call.Request)
		if err != nil {
			return err
		}
		client, secret, err := credentials(call.Request, form)
		call.Caller.App, call.Caller.Name = clientID(client), clientID(client) // for the audit, also of a failure
		if err != nil {
			return err
		}
		grant := form.Get("grant_type")
		switch grant {
		case "":
			return entra.MissingParameter("grant_type")
		case grantPassword:
			if !s.options.PasswordGrant {
				return entra.UnsupportedGrant(grant)
			}
		case grantClient, grantCode, grantRefresh, grantDevice, grantDeviceV1, grantOnBehalf:
		default:
			return entra.UnsupportedGrant(grant)
		}
		if client == "" {
			return entra.MissingParameter("client_id")
		}
		if grant != grantClient {
			return s.userToken(w, call, form, client, secret, grant, version)
		}
		resource, err := resourceOf(form, version)
		if err != nil {
			return err
		}
		tenant, err := s.tenant(call)
		if err != nil {
			return err
		}
		t, err := s.prove(call, form, tenant, client, secret, ownGraph(call, resource))
		if err != nil {
			return err
		}
		call.Caller.Object, call.Caller.Tenant, call.Caller.Credential = t.Principal.ID, t.Principal.Tenant, api.Credential(t.Proof)
		setHeaders(w, call)
		return writeJSON(w, http.StatusOK, reply(t, version))
	}
}

// ownGraph is a resource: a client that knows Sekisho by its own name knows
// Graph by it too.
func ownGraph(call *api.Call, resource string) string {
	if own := call.Origin.Own; own != "" && strings.EqualFold(strings.TrimRight(resource, "/"), own) {
		return "https://graph.microsoft.com"
	}
	return resource
}

// prove gets a client its token by the one credential that it shows.
func (s *Login) prove(call *api.Call, form url.Values, tenant, client, secret, resource string) (*entra.Token, error) {
	proof, err := proofOf(call, form, secret)
	if err != nil {
		return nil, err
	}
	if proof.Assertion == nil {
		return s.directory.ClientCredentials(call.Request.Context(), tenant, client, proof.Secret, resource)
	}
	return s.directory.ClientAssertion(call.Request.Context(), tenant, client, *proof.Assertion, resource)
}

// proofOf is the one credential that a client shows, if it shows any.
func proofOf(call *api.Call, form url.Values, secret string) (entra.ClientProof, error) {
	kind, assertion := form.Get("client_assertion_type"), form.Get("client_assertion")
	switch {
	case kind == "" && assertion == "":
		return entra.ClientProof{Secret: secret}, nil
	case kind == "":
		return entra.ClientProof{}, entra.MissingParameter("client_assertion_type")
	case assertion == "":
		return entra.ClientProof{}, entra.MissingParameter("client_assertion")
	case kind != entra.AssertionType || secret != "": // RFC 6749 §2.3: one method in each request
		return entra.ClientProof{}, entra.MalformedRequest()
	}
	call.Caller.Credential = "assertion"
	return entra.ClientProof{Assertion: &entra.Assertion{Text: assertion, Own: call.Origin.Own}}, nil
}

// tenant is the one that the authority names.
func (s *Login) tenant(call *api.Call) (string, error) {
	if name := call.Var("tenant"); name != "" {
		return name, nil
	}
	t, err := s.directory.OnlyTenant(call.Request.Context())
	if err != nil {
		return "", err
	}
	return t.ID, nil
}

// credentials are in the form, or in a Basic header whose parts are
// form-encoded (RFC 6749 §2.3.1). In both, they are no one's: a request proves
// its client in one way (§2.3).
func credentials(r *http.Request, form url.Values) (client, secret string, err error) {
	client, secret = form.Get("client_id"), form.Get("client_secret")
	user, password, ok := r.BasicAuth()
	if !ok {
		return client, secret, nil
	}
	id, errID := url.QueryUnescape(user)
	key, errKey := url.QueryUnescape(password)
	if errID != nil || errKey != nil || secret != "" || client != "" && !strings.EqualFold(client, id) {
		return client, "", entra.MalformedRequest()
	}
	return id, key, nil
}

// clientID is as much of a client's id as the audit keeps.
func clientID(text string) string { return text[:min(len(text), 64)] }

func resourceOf(form url.Values, version int) (string, error) {
	resource := form.Get("resource")
	if version == 1 {
		if resource == "" {
			return "", entra.MissingParameter("resource")
		}
		return resource, nil
	}
	if resource != "" {
		return "", entra.ResourceParameter()
	}
	return entra.ResourceOfScope(form.Get("scope"))
}

func reply(t *entra.Token, version int) map[string]any {
	seconds := int(t.ExpiresIn.Seconds())
	if version == 2 {
		return map[string]any{"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": t.AccessToken}
	}
	text := strconv.Itoa(seconds) // v1 writes numbers as strings
	return map[string]any{
		"token_type": "Bearer", "expires_in": text, "ext_expires_in": text, "access_token": t.AccessToken,
		"expires_on": strconv.FormatInt(t.Expires.Unix(), 10), "not_before": strconv.FormatInt(t.NotBefore.Unix(), 10),
		"resource": t.Resource,
	}
}
