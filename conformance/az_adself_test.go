package conformance

import (
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// visitor fills in the forms of the sign-in pages as a person does.
type visitor struct {
	t      *testing.T
	client *http.Client
	at     *url.URL
	page   string
}

var (
	formAction = regexp.MustCompile(`<form method="post" action="([^"]*)"`)
	formHidden = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`)
	deviceCode = regexp.MustCompile(`enter the code (\S+) to authenticate`)
)

func (v *visitor) read(r *http.Response, err error) {
	v.t.Helper()
	if err != nil {
		v.t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK {
		v.t.Fatalf("%s: %d %v %s", r.Request.URL, r.StatusCode, err, body)
	}
	v.at, v.page = r.Request.URL, string(body)
}

func (v *visitor) open(page string) { v.t.Helper(); v.read(v.client.Get(page)) }

// submit sends the first form of the page with more fields.
func (v *visitor) submit(fields ...string) {
	v.t.Helper()
	action := formAction.FindStringSubmatch(v.page)
	if action == nil {
		v.t.Fatalf("no form at %s: %s", v.at, v.page)
	}
	to, err := v.at.Parse(html.UnescapeString(action[1]))
	if err != nil {
		v.t.Fatal(err)
	}
	form := url.Values{}
	for _, hidden := range formHidden.FindAllStringSubmatch(v.page, -1) {
		form.Set(hidden[1], html.UnescapeString(hidden[2]))
	}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	r, err := http.NewRequest(http.MethodPost, to.String(), strings.NewReader(form.Encode()))
	if err != nil {
		v.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", v.at.Scheme+"://"+v.at.Host)
	v.read(v.client.Do(r))
}

// loginAs signs the Azure CLI in as a user, with a device code.
func (s *sekisho) loginAs(name, password string) {
	s.t.Helper()
	cmd := s.command(nil, python(s.t, "azure-cli"), "-m", "azure.cli", "login", "--use-device-code", "--tenant", s.TenantID, "--allow-no-subscriptions")
	cmd.Env = append(slices.Clone(s.env()), "AZ_INSTALLER=PIP", "AZURE_CORE_LOGIN_EXPERIENCE_V2=off")
	az := spawn(s.t, cmd)
	go io.Copy(io.Discard, az.out)
	var code []string
	for late := time.Now().Add(patience); code == nil; time.Sleep(50 * time.Millisecond) {
		if code = deviceCode.FindStringSubmatch(az.log.String()); code == nil && time.Now().After(late) {
			s.t.Fatalf("az shows no code: %s", az.log)
		}
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	v := &visitor{t: s.t, client: s.httpClient()}
	v.client.Jar = jar
	v.open("https://login.microsoft.com/device")
	v.submit("otc", code[1])
	v.submit("login", name, "passwd", password, "action", "signin")
	v.submit("action", "continue")
	if err := az.wait(); err != nil {
		s.t.Fatalf("az login: %v %s\nthe page: %s", err, az.log, v.page)
	}
}

func TestAUserOfTheAzureCLISeesTheirOwnAndMakesAnApplicationAndNoUser(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.login()
	const name, password = "kim@contoso.com", "Sekisho-1!"
	s.az("ad", "user", "create", "--display-name", "Kim Doe", "--user-principal-name", name, "--password", password).ok()
	var theirs struct{ AppID string }
	s.az("ad", "app", "create", "--display-name", "theirs").json(&theirs)
	s.az("logout").ok()
	s.loginAs(name, password)

	var me, app struct{ ID, AppID, DisplayName, UserPrincipalName string }
	s.az("ad", "signed-in-user", "show").json(&me)
	if me.UserPrincipalName != name || me.DisplayName != "Kim Doe" {
		t.Errorf("signed-in-user show printed %+v", me)
	}
	var names []string
	s.az("ad", "user", "list", "--query", "[].userPrincipalName").json(&names)
	if !slices.Contains(names, "admin@contoso.com") {
		t.Errorf("a member lists %v", names)
	}
	s.az("ad", "user", "create", "--display-name", "Lee", "--user-principal-name", "lee@contoso.com", "--password", password).fails("Insufficient privileges to complete the operation.")
	s.az("ad", "app", "update", "--id", theirs.AppID, "--display-name", "mine").fails("Insufficient privileges to complete the operation.")
	s.az("ad", "app", "create", "--display-name", "mine").json(&app)
	s.az("ad", "app", "update", "--id", app.AppID, "--display-name", "still mine").ok()
	s.az("ad", "sp", "create", "--id", app.AppID).ok()
	var owned []string
	s.az("ad", "signed-in-user", "list-owned-objects", "--type", "application", "--query", "[].displayName").json(&owned)
	if !slices.Equal(owned, []string{"still mine"}) {
		t.Errorf("list-owned-objects: %v", owned)
	}
	s.az("rest", "-m", "post", "--url", "https://graph.microsoft.com/v1.0/me/revokeSignInSessions").ok()
}
