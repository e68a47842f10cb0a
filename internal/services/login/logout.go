package login

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/entra"
	"sekisho/internal/services/login/pages"
)

// logout ends the session of an account in this browser, and tells the
// applications that it was used for.
// Source: entra-docs v2-protocols-oidc.md, "Send a sign-out request".
func (s *Login) logout(w http.ResponseWriter, call *api.Call) error {
	r := call.Request
	if err := r.ParseForm(); err != nil {
		return s.page(call, entra.MalformedRequest())
	}
	if err := once(r.Form); err != nil {
		return s.page(call, err)
	}
	session, err := s.directory.Session(r.Context(), cookieOf(r, sessionCookie))
	if err != nil {
		return err
	}
	var accounts []entra.SessionAccount
	if session != nil {
		accounts = session.Accounts
	}
	hint := r.Form.Get("logout_hint")
	if token := r.Form.Get("id_token_hint"); hint == "" && token != "" {
		hint, _ = s.directory.Hint(r.Context(), token)
	}
	named := slices.DeleteFunc(slices.Clone(accounts), func(a entra.SessionAccount) bool { return !strings.EqualFold(a.Home.Name, hint) })
	if len(named) == 1 {
		accounts = named
	}
	f := flow{Authority: call.Var("tenant"), Request: url.Values{}}
	for _, name := range []string{"post_logout_redirect_uri", "state", "ui_locales"} {
		f.Request.Set(name, r.Form.Get(name))
	}
	if len(accounts) > 1 {
		frame, err := s.frame(w, call, f, pathLogout)
		if err != nil {
			return err
		}
		return pages.Write(w, http.StatusOK, pages.SignOut{Frame: frame, Accounts: choices(accounts)})
	}
	if len(accounts) == 0 {
		return s.signOut(w, call, f, nil)
	}
	return s.signOut(w, call, f, &accounts[0])
}

// signOutOf takes the choice of an account to sign out.
func (s *Login) signOutOf(w http.ResponseWriter, call *api.Call) error {
	f, err := s.open(call)
	if err != nil {
		return err
	}
	a, _, err := s.account(call, call.Request.PostForm.Get("account"))
	if err != nil {
		return err
	}
	return s.signOut(w, call, f, a)
}

func (s *Login) signOut(w http.ResponseWriter, call *api.Call, f flow, a *entra.SessionAccount) error {
	page := pages.Message{Frame: pages.Frame{Lang: language(call, f)}, Kind: pages.SignedOut}
	if a != nil {
		call.Caller.Name, call.Caller.Object, call.Caller.Tenant, call.Caller.App = a.Home.Name, a.Home.ID, a.Home.Tenant, "sign-out"
		var err error
		if page.FrontChannel, err = s.directory.SignOut(call.Request.Context(), cookieOf(call.Request, sessionCookie), a.User); err != nil {
			return err
		}
	}
	// A redirect goes only to an application that the account was signed in to.
	if target := f.Request.Get("post_logout_redirect_uri"); a != nil && web(target) {
		known, err := s.directory.RedirectOf(call.Request.Context(), a.Apps, target)
		if err != nil {
			return err
		}
		if known {
			page.Continue = target
			if state := f.Request.Get("state"); state != "" {
				page.Continue += separator(target) + "state=" + url.QueryEscape(state)
			}
		}
	}
	if page.Continue != "" && len(page.FrontChannel) == 0 {
		w.Header().Set("Location", page.Continue)
		w.Header().Set("Cache-Control", "no-store, no-cache")
		w.WriteHeader(http.StatusFound)
		return nil
	}
	return pages.Write(w, http.StatusOK, page)
}

func separator(target string) string {
	if strings.Contains(target, "?") {
		return "&"
	}
	return "?"
}
