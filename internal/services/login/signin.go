package login

import (
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"sekisho/internal/api"
	"sekisho/internal/entra"
	"sekisho/internal/services/login/pages"
)

// Paths that the pages post to.
const (
	pathSignIn   = "/common/login"
	pathSelect   = "/common/select"
	pathConsent  = "/common/consent"
	pathPassword = "/common/password"
	pathDevice   = "/common/oauth2/deviceauth"
	pathConfirm  = "/common/deviceconfirm"
	pathLogout   = "/common/logout"
)

func (s *Login) showSignIn(w http.ResponseWriter, call *api.Call, f flow, name string, problem pages.Problem) error {
	frame, err := s.frame(w, call, f, pathSignIn)
	if err != nil {
		return err
	}
	return pages.Write(w, http.StatusOK, pages.SignIn{Frame: frame, Username: name, Problem: problem})
}

func (s *Login) showPicker(w http.ResponseWriter, call *api.Call, f flow, accounts []entra.SessionAccount) error {
	frame, err := s.frame(w, call, f, pathSelect)
	if err != nil {
		return err
	}
	return pages.Write(w, http.StatusOK, pages.Picker{Frame: frame, Accounts: choices(accounts)})
}

func choices(accounts []entra.SessionAccount) (all []pages.Account) {
	for _, a := range accounts {
		all = append(all, pages.Account{Value: a.User, Name: a.Home.DisplayName(), Username: a.Home.Name, SignedIn: true})
	}
	return all
}

// signIn takes a name and a password.
func (s *Login) signIn(w http.ResponseWriter, call *api.Call) error {
	f, err := s.open(call)
	if err != nil {
		return err
	}
	form := call.Request.PostForm
	if form.Get("action") == "cancel" {
		return s.declined(call, f)
	}
	name, password, keep := strings.TrimSpace(form.Get("login")), form.Get("passwd"), form.Get("kmsi") == "true"
	call.Caller.Name = audited(name)
	wrong := func(err error, problem pages.Problem) error {
		frame, fault := s.frame(w, call, f, pathSignIn)
		if fault != nil {
			return fault
		}
		return again(err, pages.SignIn{Frame: frame, Username: name, Keep: keep, Problem: problem})
	}
	switch {
	case name == "":
		return wrong(entra.MissingParameter("login"), pages.MissingUsername)
	case password == "":
		return wrong(entra.MissingParameter("passwd"), pages.MissingPassword)
	}
	ctx := call.Request.Context()
	home, err := s.directory.SignInWithPassword(ctx, name, password, call.Origin.Remote.Addr())
	var refused *entra.Error
	switch {
	case err == nil:
	case !errors.As(err, &refused):
		return err
	case refused.Number == 50055:
		f.User = home.ID
		frame, err := s.frame(w, call, f, pathPassword)
		if err != nil {
			return err
		}
		return again(refused, pages.ChangePassword{Frame: frame, Username: home.Name, Problem: pages.PasswordExpired})
	default:
		return wrong(refused, problems[refused.Number])
	}
	return s.signedIn(w, call, f, home, keep)
}

// signInName is the form of a name to sign in with.
var signInName = regexp.MustCompile(`^[^@\s]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$`)

// audited is what the audit has of a name that was typed: what is none may be a
// password in the wrong field.
func audited(name string) string {
	if len(name) > 256 || !signInName.MatchString(name) {
		return "(no sign-in name)"
	}
	return name
}

// problems are what a page says of a refusal.
var problems = map[int]pages.Problem{50126: pages.WrongPassword, 50053: pages.Locked, 50057: pages.Disabled, 50020: pages.NotInTenant, 70019: pages.WrongCode}

// signedIn begins the session of who proved themself, and goes on.
func (s *Login) signedIn(w http.ResponseWriter, call *api.Call, f flow, home *entra.Principal, keep bool) error {
	a := entra.SessionAccount{User: home.ID, Authenticated: s.directory.Now(), Methods: []string{"pwd"}, Home: home}
	cookie, session, err := s.directory.SignedIn(call.Request.Context(), cookieOf(call.Request, sessionCookie), a, keep)
	if err != nil {
		return err
	}
	setSession(w, call, cookie, session)
	return s.answer(w, call, f, a, session.ID)
}

// setSession gives the browser its cookie: until it is closed, or for longer.
func setSession(w http.ResponseWriter, call *api.Call, cookie string, session *entra.Session) {
	life := time.Duration(0)
	if session.Persistent {
		life = entra.PersistentLife
	}
	setCookie(w, sessionCookie, cookie, life)
	kept := slices.DeleteFunc(call.Request.Cookies(), func(c *http.Cookie) bool { return c.Name == sessionCookie })
	call.Request.Header.Del("Cookie")
	for _, c := range append(kept, &http.Cookie{Name: sessionCookie, Value: cookie}) { // for the rest of this call
		call.Request.AddCookie(c)
	}
}

// selectAccount takes the choice of an account.
func (s *Login) selectAccount(w http.ResponseWriter, call *api.Call) error {
	f, err := s.open(call)
	if err != nil {
		return err
	}
	_, q, err := s.request(call, f)
	if err != nil {
		return err
	}
	user := call.Request.PostForm.Get("account")
	a, session, err := s.account(call, user)
	if err != nil {
		return err
	}
	switch {
	case a == nil:
		return s.showSignIn(w, call, f, "", "")
	case !s.directory.Fresh(q, *a):
		return s.showSignIn(w, call, f, a.Home.Name, "")
	}
	return s.answer(w, call, f, *a, session)
}

// account is one of the browser's session; nil if it is not there.
func (s *Login) account(call *api.Call, user string) (*entra.SessionAccount, string, error) {
	session, err := s.directory.Session(call.Request.Context(), cookieOf(call.Request, sessionCookie))
	if err != nil || session == nil || user == "" {
		return nil, "", err
	}
	for i, a := range session.Accounts {
		if strings.EqualFold(a.User, user) {
			return &session.Accounts[i], session.ID, nil
		}
	}
	return nil, "", nil
}

func (s *Login) showConsent(w http.ResponseWriter, call *api.Call, f flow, c *entra.Client, q entra.AuthorizeRequest, a entra.SessionAccount, session string, all bool) error {
	need, err := s.directory.ConsentNeed(call.Request.Context(), c, q, a.Home, all)
	if err != nil {
		return s.refuse(call, f, err)
	}
	if len(need.Wanted) == 0 && all { // there is nothing to ask
		f.Agreed = true
		return s.answer(w, call, f, a, session)
	}
	var wanted []pages.Permission
	f.Shown = nil
	for _, p := range need.Wanted {
		f.Shown = append(f.Shown, p.Key())
		name, text := p.UserDisplayName, p.UserDescription
		if name == "" {
			name, text = p.AdminDisplayName, p.AdminDescription
		}
		wanted = append(wanted, pages.Permission{Name: name, Description: text})
	}
	frame, err := s.frame(w, call, f, pathConsent)
	if err != nil {
		return err
	}
	if !need.May {
		refused := entra.AdminConsentNeeded(c.Name)
		return shown{refused, func(w http.ResponseWriter) error {
			return pages.Write(w, http.StatusForbidden, pages.AdminNeeded{Frame: frame, Username: a.Home.Name, Permissions: wanted})
		}}
	}
	return pages.Write(w, http.StatusOK, pages.Consent{Frame: frame, Username: a.Home.Name, Permissions: wanted, CanConsentForOrganization: need.MayForAll})
}

// consent takes the answer to the consent page.
func (s *Login) consent(w http.ResponseWriter, call *api.Call) error {
	f, err := s.open(call)
	if err != nil {
		return err
	}
	if call.Request.PostForm.Get("action") != "accept" {
		return s.declined(call, f)
	}
	a, session, err := s.account(call, f.User)
	if err != nil {
		return err
	}
	if a == nil { // signed out meanwhile
		return s.showSignIn(w, call, f, "", pages.SessionExpired)
	}
	c, q, err := s.request(call, f)
	if err != nil {
		return err
	}
	need, err := s.directory.ConsentNeed(call.Request.Context(), c, q, a.Home, false)
	if err != nil {
		return s.refuse(call, f, err)
	}
	// The registration of an application may have changed since.
	if slices.ContainsFunc(need.Wanted, func(p entra.WantedScope) bool { return !slices.Contains(f.Shown, p.Key()) }) {
		return s.showConsent(w, call, f, c, q, *a, session, false)
	}
	if err := s.directory.GrantConsent(call.Request.Context(), c, need, call.Request.PostForm.Get("org") == "true"); err != nil {
		return s.refuse(call, f, err)
	}
	f.Agreed = true
	return s.answer(w, call, f, *a, session)
}

// changePassword takes the new password of who must change it.
func (s *Login) changePassword(w http.ResponseWriter, call *api.Call) error {
	f, err := s.open(call)
	if err != nil {
		return err
	}
	form := call.Request.PostForm
	if form.Get("action") == "cancel" {
		return s.declined(call, f)
	}
	ctx := call.Request.Context()
	p, err := s.directory.Principal(ctx, f.User)
	if err != nil {
		return err
	}
	if p == nil {
		return s.page(call, entra.SessionLost())
	}
	call.Caller.Name = p.Name
	wrong := func(err error, problem pages.Problem) error {
		frame, fault := s.frame(w, call, f, pathPassword)
		if fault != nil {
			return fault
		}
		return again(err, pages.ChangePassword{Frame: frame, Username: p.Name, Problem: problem})
	}
	old, next := form.Get("passwd"), form.Get("newpasswd")
	switch {
	case next != form.Get("confirmnewpasswd"):
		return wrong(entra.WeakPassword(), pages.Mismatch)
	case next == old:
		return wrong(entra.WeakPassword(), pages.Same)
	}
	home, err := s.directory.SignInWithPassword(ctx, p.Name, old, call.Origin.Remote.Addr())
	var refused *entra.Error
	if err != nil && (!errors.As(err, &refused) || refused.Number != 50055) {
		if refused == nil {
			return err
		}
		if problem := problems[refused.Number]; problem != pages.WrongPassword {
			return wrong(err, problem)
		}
		return wrong(err, pages.WrongOld)
	}
	if err := s.directory.ChangePassword(ctx, home.ID, next); err != nil {
		if errors.Is(err, entra.ErrWeakPassword) {
			return wrong(entra.WeakPassword(), pages.Weak)
		}
		return err
	}
	if home, err = s.directory.Principal(ctx, home.ID); err != nil {
		return err
	}
	return s.signedIn(w, call, f, home, false)
}
