package conformance

import (
	"crypto/x509"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
	"github.com/chromedp/chromedp"
)

// website is an application on a server, which its users sign in to with MSAL.
type website struct {
	*httptest.Server
	sekisho *sekisho
	client  confidential.Client
	scopes  []string
	app     string
	id      string // of its registration
	secret  string
	out     atomic.Int32 // how often it was told of a sign-out
}

func (s *sekisho) website(name string) *website {
	s.t.Helper()
	w := &website{sekisho: s, scopes: justUser}
	pages := http.NewServeMux()
	pages.HandleFunc("/in", w.begin)
	pages.HandleFunc("/signed-in", w.end)
	pages.HandleFunc("/out", func(http.ResponseWriter, *http.Request) { w.out.Add(1) })
	pages.HandleFunc("/bye", func(out http.ResponseWriter, r *http.Request) { fmt.Fprint(out, "Goodbye ", r.FormValue("state")) })
	w.Server = httptest.NewTLSServer(pages)
	s.t.Cleanup(w.Close)

	w.app, w.id = s.registration(object{"displayName": name, "web": object{
		"redirectUris": []string{w.URL + "/signed-in", w.URL + "/bye"}, "logoutUrl": w.URL + "/out"}})
	var secret struct{ SecretText string }
	s.graph().do(s.t, http.MethodPost, "https://graph.microsoft.com/v1.0/applications/"+w.id+"/addPassword", object{"passwordCredential": object{"displayName": "web"}}, &secret)
	w.secret = secret.SecretText
	credential, err := confidential.NewCredFromSecret(w.secret)
	if err == nil {
		w.client, err = confidential.New("https://login.microsoftonline.com/"+s.TenantID, w.app, credential, confidential.WithHTTPClient(s.httpClient()))
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return w
}

// justUser is what a site asks for that only wants to know who its user is. What
// is OpenID's, the library asks for when it redeems the code.
var justUser = []string{"User.Read"}

func (w *website) begin(out http.ResponseWriter, r *http.Request) {
	target, err := w.client.AuthCodeURL(r.Context(), w.app, w.URL+"/signed-in", w.scopes)
	if err != nil {
		http.Error(out, err.Error(), http.StatusInternalServerError)
		return
	}
	http.Redirect(out, r, target+"&"+r.URL.RawQuery, http.StatusFound)
}

func (w *website) end(out http.ResponseWriter, r *http.Request) {
	if refused := r.FormValue("error"); refused != "" {
		fmt.Fprintln(out, refused, r.FormValue("error_description"))
		return
	}
	token, err := w.client.AcquireTokenByAuthCode(r.Context(), r.FormValue("code"), w.URL+"/signed-in", w.scopes)
	if err != nil {
		http.Error(out, err.Error(), http.StatusInternalServerError)
		return
	}
	if _, err := w.client.AcquireTokenSilent(r.Context(), w.scopes, confidential.WithSilentAccount(token.Account)); err != nil {
		http.Error(out, err.Error(), http.StatusInternalServerError)
		return
	}
	fmt.Fprintln(out, "Hello", token.IDToken.PreferredUsername)
}

// entry is where somebody begins to sign in, with more of the request.
func (w *website) entry(more string) string { return w.URL + "/in?" + more }

// exit is the sign-out page, which leads back to the site.
func (w *website) exit(more string) string {
	return "https://login.microsoftonline.com/" + w.sekisho.TenantID + "/oauth2/v2.0/logout?state=42&post_logout_redirect_uri=" + url.QueryEscape(w.URL+"/bye") + more
}

// pinOfTests is that of the certificate which all servers of httptest have.
func pinOfTests(t *testing.T) string {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	certificate, err := x509.ParseCertificate(server.TLS.Certificates[0].Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	return pinOf(certificate)
}

func TestAPersonSignsInOnceForAllApplicationsAndOutOfAllOfThem(t *testing.T) {
	t.Parallel()
	s := start(t)
	shop, wiki := s.website("Shop"), s.website("Wiki")
	profile := t.TempDir()
	browser := s.browserAt(profile, pinOfTests(t))
	w := browser.window()
	hanako, _ := s.user(w, "hanako")
	taro, _ := s.user(w, "taro")

	w.open(shop.entry(""))
	w.signIn(hanako.name, "wrong", false)
	w.is(pageSignIn)
	w.signIn(hanako.name, hanako.password, true)
	w.consent()
	w.says("Hello " + hanako.name)
	// Another application asks for consent, not for the password; then for nothing.
	w.open(wiki.entry("prompt=none"))
	w.says("consent_required AADSTS65001")
	w.open(wiki.entry(""))
	w.consent()
	w.says("Hello " + hanako.name)
	w.open(wiki.entry("prompt=none"))
	w.says("Hello " + hanako.name)
	w.open(wiki.entry("prompt=login"))
	w.is(pageSignIn)

	// A second account.
	w.open(shop.entry("prompt=select_account"))
	w.pick("")
	w.signIn(taro.name, taro.password, true)
	w.consent()
	w.says("Hello " + taro.name)
	w.open(shop.entry(""))
	w.pick(hanako.name)
	w.says("Hello " + hanako.name)
	w.open(shop.entry("prompt=none"))
	w.says("AADSTS16000")
	w.open(shop.entry("prompt=none&login_hint=" + taro.name))
	w.says("Hello " + taro.name)

	// They stay signed in when the browser is closed.
	browser.close()
	browser = s.browserAt(profile, pinOfTests(t))
	w = browser.window()
	w.open(shop.entry(""))
	w.pick(taro.name)
	w.says("Hello " + taro.name)

	w.open(shop.exit("&logout_hint=" + hanako.name))
	w.says("Goodbye 42")
	if shop.out.Load() != 1 || wiki.out.Load() != 1 {
		t.Errorf("the shop was told of the sign-out %d times, the wiki %d", shop.out.Load(), wiki.out.Load())
	}
	w.open(shop.entry("prompt=none"))
	w.says("Hello " + taro.name)
	w.open(shop.exit(""))
	w.says("Goodbye 42")
	if shop.out.Load() != 2 || wiki.out.Load() != 1 {
		t.Errorf("after the second the shop was told %d times, the wiki %d", shop.out.Load(), wiki.out.Load())
	}
	w.open(shop.entry("prompt=none"))
	w.says("login_required AADSTS50058")
}

func TestWhoDoesNotStaySignedInIsAskedAgainWhenTheBrowserWasClosed(t *testing.T) {
	t.Parallel()
	s := start(t)
	shop := s.website("Shop")
	profile := t.TempDir()
	browser := s.browserAt(profile, pinOfTests(t))
	w := browser.window()
	hanako, _ := s.user(w, "hanako")
	hanako.opens(shop.entry(""))
	w.says("Hello " + hanako.name)
	browser.close()
	w = s.browserAt(profile, pinOfTests(t)).window()
	w.open(shop.entry(""))
	w.is(pageSignIn)
}

func TestAnAdministratorConsentsForEverybodyToWhatUsersMayNot(t *testing.T) {
	t.Parallel()
	s := start(t)
	reports := s.website("Reports")
	reports.scopes = []string{"Directory.Read.All"}
	browser := s.browser(pinOfTests(t))
	w := browser.private()
	hanako, _ := s.user(w, "hanako")
	w.open(reports.entry(""))
	w.signIn(hanako.name, hanako.password, false)
	w.is(pageRefused)
	w.says("Reports", "Read directory data")
	w.click("button[value=cancel]")
	w.says("access_denied AADSTS65004")

	admin := s.administrator(browser.private())
	admin.open(reports.entry(""))
	admin.signIn(admin.name, admin.password, false)
	admin.is(pageConsent)
	admin.do(chromedp.Click(chromedp.CSS("#org")))
	admin.consent()
	admin.says("Hello " + admin.name)
	w.open(reports.entry(""))
	w.says("Hello " + hanako.name)
}
