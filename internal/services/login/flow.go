package login

import (
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"net/http"
	"net/url"
	"time"

	"sekisho/internal/api"
	"sekisho/internal/entra"
	"sekisho/internal/services/login/pages"
)

// flow is a sign-in on its way through the pages. Each page carries it sealed, so
// that nothing of it is kept here, and nobody but the browser that it began in
// can go on with it.
type flow struct {
	Begun   time.Time
	Browser string // what the cookie of the same name says
	Page    string // path that the page posts to: it is good for no other
	// Request is what an authorization endpoint was asked, ADFS whether that was
	// the one of an authority that names no tenant.
	Authority string
	Version   int
	Request   url.Values
	UserCode  string // of a device, which has no endpoint of its own to go back to
	User      string // who proved themself, on the pages after that
	Agreed    bool   // the consent page was answered
	// Shown are the keys of the permissions that the consent page lists: nobody
	// agrees to what they have not seen.
	Shown []string
}

// flowLife is how long a person may take over the pages.
const flowLife = 30 * time.Minute

// Names of the cookies. The prefix keeps other hosts and plain HTTP from setting
// them. Source: RFC 6265bis §4.1.3.2; the names after it are Entra's.
const (
	browserCookie = "__Host-esctx"
	sessionCookie = "__Host-ESTSAUTH"
)

func cookieOf(r *http.Request, name string) string {
	c, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return c.Value
}

func setCookie(w http.ResponseWriter, name, value string, life time.Duration) {
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: int(life.Seconds()), Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
}

// seal makes the hidden field of a page, and lets the browser keep its part.
func (s *Login) seal(w http.ResponseWriter, call *api.Call, f flow) (string, error) {
	if f.Browser = cookieOf(call.Request, browserCookie); len(f.Browser) < 26 {
		f.Browser = rand.Text()
		setCookie(w, browserCookie, f.Browser, 0)
		call.Request.AddCookie(&http.Cookie{Name: browserCookie, Value: f.Browser}) // for another page of this reply
	}
	f.Begun = time.Now().UTC()
	return s.directory.SealState(f)
}

// open reads the hidden field of a form. Another site can make a browser post a
// form, but has no flow of that browser. That of another page tells nothing: who
// must sign in again has not chosen an account.
func (s *Login) open(call *api.Call) (flow, error) {
	var f flow
	form, err := formOf(call.Request)
	if err != nil {
		return f, err
	}
	browser := cookieOf(call.Request, browserCookie)
	if !s.directory.OpenState(form.Get("flow"), &f) || browser == "" || time.Since(f.Begun) > flowLife || f.Page != call.Operation.Pattern ||
		subtle.ConstantTimeCompare([]byte(browser), []byte(f.Browser)) != 1 {
		return flow{}, s.page(call, entra.SessionLost())
	}
	call.Caller.App = f.Request.Get("client_id")
	return f, nil
}

// formOf reads a form; each field is there once at most.
func formOf(r *http.Request) (url.Values, error) {
	if err := r.ParseForm(); err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return nil, err
		}
		return nil, entra.MalformedRequest()
	}
	return r.PostForm, once(r.PostForm)
}

func once(values url.Values) error {
	for name, all := range values {
		if len(all) > 1 {
			return entra.RepeatedParameter(name)
		}
	}
	return nil
}

// frame is what the pages of a flow have in common.
func (s *Login) frame(w http.ResponseWriter, call *api.Call, f flow, action string) (pages.Frame, error) {
	f.Page = action
	sealed, err := s.seal(w, call, f)
	if err != nil {
		return pages.Frame{}, err
	}
	frame := pages.Frame{Lang: language(call, f), Action: call.URL(action), Flow: sealed}
	ctx := call.Request.Context()
	if t, err := s.directory.Tenant(ctx, f.Authority); err == nil && t != nil {
		frame.Tenant = t.DisplayName
	}
	if c, err := s.directory.Client(ctx, f.Authority, f.Request.Get("client_id")); err == nil {
		frame.App = c.Name
	}
	return frame, nil
}

func language(call *api.Call, f flow) pages.Lang {
	locales := f.Request.Get("ui_locales")
	if locales == "" {
		locales = f.Request.Get("mkt")
	}
	return pages.Language(call.Request.Header.Get("Accept-Language"), locales)
}

// shown is an error that a person sees as a page, or that goes to the client by
// a redirect.
type shown struct {
	error
	write func(http.ResponseWriter) error
}

func (e shown) Unwrap() error { return e.error }

// page makes an error one that is shown. What is no refusal stays as it is.
func (s *Login) page(call *api.Call, err error) error {
	var e *entra.Error
	if !errors.As(err, &e) {
		return err
	}
	return shown{err, func(w http.ResponseWriter) error {
		return pages.Write(w, e.Status, pages.Error{Frame: pages.Frame{Lang: language(call, flow{Request: call.Request.Form})}, Code: e.Number, Text: e.Message,
			RequestID: call.ID, CorrelationID: correlationID(call), Timestamp: time.Now().UTC().Format(timeForm)})
	}}
}

// again makes a refusal of a page that is shown once more, with what was wrong.
func again(err error, page any) error {
	return shown{err, func(w http.ResponseWriter) error { return pages.Write(w, http.StatusBadRequest, page) }}
}

// timeForm is how the token service writes times.
const timeForm = "2006-01-02 15:04:05Z"
