package login

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"sekisho/internal/api"
	"sekisho/internal/entra"
	"sekisho/internal/services/login/pages"
)

// maxQuery bounds an authorization request, in bytes: the pages carry it.
const maxQuery = 16 << 10

// authorize is the authorization endpoint. Source: entra-docs
// v2-oauth2-auth-code-flow.md, v2-protocols-oidc.md; OpenID Connect Core §3.1.2.
func (s *Login) authorize(version int) func(http.ResponseWriter, *api.Call) error {
	return func(w http.ResponseWriter, call *api.Call) error {
		r := call.Request
		if err := r.ParseForm(); err != nil {
			return s.page(call, entra.MalformedRequest())
		}
		asked := r.URL.Query()
		if r.Method == http.MethodPost {
			asked = r.PostForm
		}
		if len(r.URL.RawQuery) > maxQuery || len(asked.Encode()) > maxQuery {
			return s.page(call, entra.QueryTooLong())
		}
		if err := once(asked); err != nil {
			return s.page(call, err)
		}
		authority, err := s.tenant(call)
		if err != nil {
			return s.page(call, err)
		}
		f := flow{Authority: authority, Version: version, Request: asked}
		call.Caller.App = clientID(asked.Get("client_id"))
		return s.start(w, call, f)
	}
}

// start looks at the session that the browser has: it may answer at once, or a
// person must choose or sign in.
func (s *Login) start(w http.ResponseWriter, call *api.Call, f flow) error {
	_, q, err := s.request(call, f)
	if err != nil {
		return err
	}
	session, err := s.directory.Session(call.Request.Context(), cookieOf(call.Request, sessionCookie))
	if err != nil {
		return err
	}
	var accounts []entra.SessionAccount
	if session != nil {
		accounts = session.Accounts
	}
	prompts := strings.Fields(q.Prompt)
	hint, named, err := s.hint(call, f)
	if err != nil {
		return err
	}
	if named {
		accounts = slices.DeleteFunc(slices.Clone(accounts), func(a entra.SessionAccount) bool { return !strings.EqualFold(a.Home.Name, hint) })
	}
	switch {
	case slices.Contains(prompts, "none"):
		if len(accounts) == 1 && s.directory.Fresh(q, accounts[0]) {
			return s.answer(w, call, f, accounts[0], session.ID)
		}
		if len(accounts) > 1 {
			return s.refuse(call, f, entra.SelectionNeeded())
		}
		return s.refuse(call, f, entra.SignInNeeded())
	case slices.Contains(prompts, "login"):
		return s.showSignIn(w, call, f, hint, "")
	case len(accounts) == 1 && !slices.Contains(prompts, "select_account"):
		if !s.directory.Fresh(q, accounts[0]) {
			return s.showSignIn(w, call, f, accounts[0].Home.Name, "")
		}
		return s.answer(w, call, f, accounts[0], session.ID)
	case len(accounts) > 0 && (!named || slices.Contains(prompts, "select_account")):
		return s.showPicker(w, call, f, session.Accounts)
	}
	return s.showSignIn(w, call, f, hint, "")
}

// hint is the name of the user that a client has in mind, if it has one in mind.
// An ID token that is not ours names nobody.
// Source: OpenID Connect Core §3.1.2.1, login_hint and id_token_hint.
func (s *Login) hint(call *api.Call, f flow) (name string, named bool, err error) {
	if name = f.Request.Get("login_hint"); name != "" {
		return name, true, nil
	}
	token := f.Request.Get("id_token_hint")
	if token == "" {
		return "", false, nil
	}
	name, err = s.directory.Hint(call.Request.Context(), token)
	return name, true, err
}

// request is what a flow asks for, held against the client's registration.
// Nothing goes to a redirect URI that is not the client's own: until that is
// known, errors are pages.
func (s *Login) request(call *api.Call, f flow) (*entra.Client, entra.AuthorizeRequest, error) {
	get := f.Request.Get
	q := entra.AuthorizeRequest{
		Authority: f.Authority, Version: f.Version, Redirect: get("redirect_uri"), ResponseType: get("response_type"), ResponseMode: get("response_mode"),
		Scope: get("scope"), Resource: get("resource"), Nonce: get("nonce"), Challenge: get("code_challenge"), ChallengeMethod: get("code_challenge_method"),
		Prompt: get("prompt"), Claims: get("claims"), MaxAge: get("max_age"),
	}
	if own := call.Origin.Own; own != "" && strings.EqualFold(strings.TrimRight(q.Resource, "/"), own) {
		q.Resource = "https://graph.microsoft.com" // as at the token endpoint
	}
	c, err := s.directory.Client(call.Request.Context(), f.Authority, get("client_id"))
	if err != nil {
		return nil, q, s.page(call, err)
	}
	if f.UserCode != "" {
		q.Platform = entra.PlatformNative
		return c, q, nil
	}
	if q.Platform, err = c.Redirect(q.Redirect); err != nil {
		return nil, q, s.page(call, err)
	}
	if q.Mode() == entra.ModeFormPost && !web(q.Redirect) { // there is nobody to post to
		return nil, q, s.page(call, entra.UnsupportedMode(q.ResponseMode))
	}
	for _, name := range []string{"request", "request_uri"} {
		if get(name) != "" { // what it says would be overlooked
			return nil, q, s.refuse(call, f, entra.RequestObject(name))
		}
	}
	if _, err := c.Check(q); err != nil {
		return nil, q, s.refuse(call, f, err)
	}
	return c, q, nil
}

// web tells whether a browser itself goes to a URI, and no other program.
func web(uri string) bool {
	return strings.HasPrefix(uri, "https://") || strings.HasPrefix(uri, "http://")
}

// answer sends the client what it asked for, in the name of an account.
func (s *Login) answer(w http.ResponseWriter, call *api.Call, f flow, a entra.SessionAccount, session string) error {
	c, q, err := s.request(call, f)
	if err != nil {
		return err
	}
	ctx := call.Request.Context()
	call.Caller.Name, call.Caller.Object, call.Caller.Tenant = a.Home.Name, a.Home.ID, a.Home.Tenant
	f.User = a.Home.ID
	if slices.Contains(strings.Fields(q.Prompt), "consent") && !f.Agreed {
		return s.showConsent(w, call, f, c, q, a, session, true)
	}
	reply, err := s.directory.Authorize(ctx, c, q, a, session)
	var refused *entra.Error
	switch {
	case err == nil:
	case !errors.As(err, &refused):
		return err
	case q.Prompt == "none":
		return s.refuse(call, f, silently(*refused))
	case refused.Number == 65001:
		return s.showConsent(w, call, f, c, q, a, session, false)
	case refused.OAuth == "invalid_grant" || refused.OAuth == "unauthorized_client":
		// Whom the application may not have stays here: nextauthjs/next-auth#5455,
		// isaacrlevin/presencelight#935.
		return s.page(call, err)
	default:
		return s.refuse(call, f, err)
	}
	if f.UserCode != "" {
		return s.showDevice(w, call, f, a)
	}
	if err := s.directory.Visited(ctx, cookieOf(call.Request, sessionCookie), a.User, c.AppID); err != nil {
		return err
	}
	call.Caller.Object, call.Caller.Tenant, call.Caller.Credential = reply.Subject.ID, reply.Subject.Tenant, api.Credential("session")
	var fields [][2]string
	add := func(name, value string) {
		if value != "" {
			fields = append(fields, [2]string{name, value})
		}
	}
	add("code", reply.Code)
	add("id_token", reply.IDToken)
	add("state", f.Request.Get("state"))
	add("session_state", session)
	if f.Request.Get("client_info") == "1" {
		add("client_info", a.Home.ClientInfo())
	}
	return s.send(w, call, f, q, fields)
}

// silently is a refusal as it goes to a client that no person must be asked for.
// Source: OpenID Connect Core §3.1.2.6; microsoft-authentication-library-for-js#1287.
func silently(e entra.Error) *entra.Error {
	switch {
	case e.Number == 65001:
		e.OAuth = "consent_required"
	case e.OAuth == "invalid_grant":
		e.OAuth = "interaction_required"
	}
	return &e
}

// declined sends back a person who does not go on.
func (s *Login) declined(call *api.Call, f flow) error {
	if _, _, err := s.request(call, f); err != nil {
		return err
	}
	return s.refuse(call, f, entra.Declined())
}

// refuse sends an error to the client, whose redirect URI was found good. A
// device has none: its user sees the error.
func (s *Login) refuse(call *api.Call, f flow, err error) error {
	var e *entra.Error
	if !errors.As(err, &e) {
		return err
	}
	if f.UserCode != "" {
		return s.page(call, err)
	}
	return shown{err, func(w http.ResponseWriter) error {
		text := fmt.Sprintf("%s Trace ID: %s Correlation ID: %s Timestamp: %s", e, call.ID, correlationID(call), time.Now().UTC().Format(timeForm))
		fields := [][2]string{{"error", e.OAuth}, {"error_description", text}, {"error_uri", call.URL(fmt.Sprintf("/error?code=%d", e.Number))}}
		if state := f.Request.Get("state"); state != "" {
			fields = append(fields, [2]string{"state", state})
		}
		q := entra.AuthorizeRequest{Redirect: f.Request.Get("redirect_uri"), ResponseType: f.Request.Get("response_type"), ResponseMode: f.Request.Get("response_mode")}
		return s.send(w, call, f, q, fields)
	}}
}

// send hands the client its reply in the way that it asked for.
func (s *Login) send(w http.ResponseWriter, call *api.Call, f flow, q entra.AuthorizeRequest, fields [][2]string) error {
	setHeaders(w, call)
	if q.Mode() == entra.ModeFormPost {
		return pages.Write(w, http.StatusOK, pages.FormPost{URL: q.Redirect, Fields: fields, Lang: language(call, f)})
	}
	u, err := url.Parse(q.Redirect)
	if err != nil {
		return s.page(call, entra.MalformedRequest())
	}
	values := url.Values{}
	if q.Mode() == entra.ModeQuery {
		values = u.Query()
	}
	for _, field := range fields {
		values.Set(field[0], field[1])
	}
	target := *u
	if q.Mode() == entra.ModeQuery {
		target.RawQuery = values.Encode()
	}
	location := target.String()
	if q.Mode() == entra.ModeFragment {
		location += "#" + values.Encode()
	}
	w.Header().Set("Location", location)
	w.Header().Set("Cache-Control", "no-store, no-cache")
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(http.StatusFound)
	return nil
}
