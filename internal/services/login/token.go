package login

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/entra"
)

// token is the token endpoint. v1 asks for a resource, v2 for a scope.
func (s *Login) token(version int) func(http.ResponseWriter, *api.Call) error {
	return func(w http.ResponseWriter, call *api.Call) error {
		r := call.Request
		if err := r.ParseForm(); err != nil {
			var tooLarge *http.MaxBytesError
			if errors.As(err, &tooLarge) {
				return err
			}
			return entra.MalformedRequest()
		}
		form := r.PostForm
		for name, values := range form {
			if len(values) > 1 {
				return entra.RepeatedParameter(name)
			}
		}
		client, secret := credentials(r, form)
		call.Caller.App, call.Caller.Name = client, client // for the audit, also of a failure
		switch grant := form.Get("grant_type"); grant {
		case "":
			return entra.MissingParameter("grant_type")
		case "client_credentials":
		default:
			return entra.UnsupportedGrant(grant)
		}
		if client == "" {
			return entra.MissingParameter("client_id")
		}
		resource, err := resourceOf(form, version)
		if err != nil {
			return err
		}
		// A client that knows Sekisho by its own name knows Graph by it too.
		if own := call.Origin.Own; own != "" && strings.EqualFold(strings.TrimRight(resource, "/"), own) {
			resource = "https://graph.microsoft.com"
		}
		tenant, err := s.tenant(call)
		if err != nil {
			return err
		}
		t, err := s.prove(call, form, tenant, client, secret, resource)
		if err != nil {
			return err
		}
		call.Caller.Object, call.Caller.Tenant, call.Caller.Credential = t.Principal.ID, t.Principal.Tenant, api.Credential(t.Proof)
		setHeaders(w, call)
		return writeJSON(w, http.StatusOK, reply(t, version))
	}
}

// prove gets a client its token by the one credential that it shows.
func (s *Login) prove(call *api.Call, form url.Values, tenant, client, secret, resource string) (*entra.Token, error) {
	ctx, kind, assertion := call.Request.Context(), form.Get("client_assertion_type"), form.Get("client_assertion")
	if kind == "" && assertion == "" {
		return s.directory.ClientCredentials(ctx, tenant, client, secret, resource)
	}
	switch {
	case kind == "":
		return nil, entra.MissingParameter("client_assertion_type")
	case assertion == "":
		return nil, entra.MissingParameter("client_assertion")
	case kind != entra.AssertionType || secret != "": // RFC 6749 §2.3: one method in each request
		return nil, entra.MalformedRequest()
	}
	call.Caller.Credential = "assertion"
	return s.directory.ClientAssertion(ctx, tenant, client, entra.Assertion{Text: assertion, Own: call.Origin.Own}, resource)
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
// form-encoded (RFC 6749 §2.3.1).
func credentials(r *http.Request, form url.Values) (client, secret string) {
	client, secret = form.Get("client_id"), form.Get("client_secret")
	if user, password, ok := r.BasicAuth(); ok {
		if u, err := url.QueryUnescape(user); err == nil {
			client = u
		}
		if p, err := url.QueryUnescape(password); err == nil {
			secret = p
		}
	}
	return client, secret
}

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
