package login

import (
	"net/http"
	"net/url"

	"sekisho/internal/api"
	"sekisho/internal/entra"
	"sekisho/internal/services/login/pages"
)

// userToken serves the grants that give a client the token of a user.
func (s *Login) userToken(w http.ResponseWriter, call *api.Call, form url.Values, client, secret, grant string, version int) error {
	proof, err := proofOf(call, form, secret)
	if err != nil {
		return err
	}
	asked, _, err := askedOf(call, form, version)
	if err != nil {
		return err
	}
	authority, err := s.tenant(call)
	if err != nil {
		return err
	}
	req := entra.TokenRequest{Authority: authority, ClientID: client, Proof: proof, Asked: asked, Version: version,
		Origin: call.Request.Header.Get("Origin"), Claims: form.Get("claims"), Remote: call.Origin.Remote.Addr()}
	t, err := s.redeem(call, form, grant, req)
	if err != nil {
		return err
	}
	call.Caller.Object, call.Caller.Name, call.Caller.Tenant, call.Caller.Credential = t.Principal.ID, t.Principal.Name, t.Principal.Tenant, api.Credential(t.Proof)
	setHeaders(w, call)
	return writeJSON(w, http.StatusOK, userReply(t, version, form.Get("client_info") == "1"))
}

// redeem is one grant.
func (s *Login) redeem(call *api.Call, form url.Values, grant string, req entra.TokenRequest) (*entra.UserToken, error) {
	ctx := call.Request.Context()
	var names []string
	switch grant {
	case grantCode:
		names = []string{"code", "redirect_uri"}
	case grantRefresh:
		names = []string{"refresh_token"}
	case grantOnBehalf:
		names = []string{"assertion", "requested_token_use"}
	case grantPassword:
		names = []string{"username", "password"}
	}
	for _, name := range names {
		if form.Get(name) == "" {
			return nil, entra.MissingParameter(name)
		}
	}
	switch grant {
	case grantCode:
		return s.directory.RedeemCode(ctx, entra.CodeRequest{TokenRequest: req, Code: form.Get("code"), Redirect: form.Get("redirect_uri"), Verifier: form.Get("code_verifier")})
	case grantRefresh:
		return s.directory.Refresh(ctx, req, form.Get("refresh_token"))
	case grantOnBehalf:
		if form.Get("requested_token_use") != "on_behalf_of" {
			return nil, entra.UnsupportedGrant(grant)
		}
		return s.directory.OnBehalfOf(ctx, req, form.Get("assertion"))
	case grantPassword:
		call.Caller.Name = audited(form.Get("username"))
		return s.directory.PasswordGrant(ctx, req, form.Get("username"), form.Get("password"))
	}
	code := form.Get("device_code")
	if code == "" {
		code = form.Get("code") // its name at v1
	}
	if code == "" {
		return nil, entra.MissingParameter("device_code")
	}
	return s.directory.RedeemDevice(ctx, req, code)
}

// askedOf is what a user's token is asked for, and the text that asks. Nothing
// may be: then it is what the sign-in asked for.
func askedOf(call *api.Call, form url.Values, version int) (entra.Asked, string, error) {
	resource, scope := form.Get("resource"), form.Get("scope")
	if version == 1 {
		if resource == "" {
			return entra.Asked{}, "", nil
		}
		resource = ownGraph(call, resource)
		return entra.AskedOf(resource), resource, nil
	}
	if resource != "" {
		return entra.Asked{}, "", entra.ResourceParameter()
	}
	asked, err := entra.ParseScope(scope)
	if err == nil && asked.Resource != "" {
		asked.Resource = ownGraph(call, asked.Resource)
	}
	return asked, scope, err
}

// userReply is the reply to a grant of a user's token.
// Source: entra-docs v2-oauth2-auth-code-flow.md, "Successful response".
func userReply(t *entra.UserToken, version int, info bool) map[string]any {
	m := reply(&t.Token, version)
	m["scope"] = t.Scope
	set := func(name, value string) {
		if value != "" {
			m[name] = value
		}
	}
	set("refresh_token", t.RefreshToken)
	set("id_token", t.IDToken)
	if info {
		set("client_info", t.ClientInfo)
	}
	if t.Family && t.RefreshToken != "" {
		m["foci"] = "1"
	}
	return m
}

// nativeClient is the page that a client without a server reads its code from
// the address of.
func (s *Login) nativeClient(w http.ResponseWriter, call *api.Call) error {
	return pages.Write(w, http.StatusOK, pages.Message{Frame: pages.Frame{Lang: language(call, flow{})}, Kind: pages.NativeClient})
}

// allowOrigin lets single-page applications read the replies of discovery and of
// the token endpoint. Those take no cookie, so that any origin may ask.
func allowOrigin(w http.ResponseWriter, call *api.Call) {
	if call.Request.Header.Get("Origin") != "" {
		w.Header().Set("Access-Control-Allow-Origin", "*")
	}
}

// preflight answers a browser that asks before it posts. Source: Fetch, CORS protocol.
func preflight(w http.ResponseWriter, call *api.Call) error {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Methods", "POST, OPTIONS")
	h.Set("Access-Control-Allow-Headers", call.Request.Header.Get("Access-Control-Request-Headers"))
	h.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
	return nil
}
