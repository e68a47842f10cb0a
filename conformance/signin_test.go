package conformance

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Users sign in with unmodified clients. A client opens its browser by BROWSER or
// by xdg-open; here both are a program that tells the test which page it is.

// opener is that program.
const opener = `#!/bin/sh
printf 'open %s\n' "$1" >"$SIGNIN"
`

// in is the same instance in a test below its own, with a home of its own.
func (s *sekisho) in(t *testing.T) *sekisho {
	return &sekisho{credentials: s.credentials, t: t, home: t.TempDir(), data: s.data, namespace: s.namespace, process: s.process, printed: s.printed}
}

// attended runs a client while somebody attends to it: do is called with each page
// that it opens, and with each line that it writes to the file $SIGNIN itself;
// after one of these it gets a line on its standard input, so that it can wait.
func (s *sekisho) attended(do func(said string), more []string, args ...string) result {
	s.t.Helper()
	dir := s.t.TempDir()
	path := filepath.Join(dir, "said")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		s.t.Fatal(err)
	}
	// Python would not wait for one of the name of xdg-open, and try the next browser.
	program := filepath.Join(dir, "browser")
	az := "#!/bin/sh\nAZ_INSTALLER=PIP exec " + python(s.t, "azure-cli") + " -m azure.cli \"$@\"\n" // as it is on a path
	for path, text := range map[string]string{program: opener, filepath.Join(dir, "xdg-open"): opener, filepath.Join(dir, "az"): az} {
		if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
			s.t.Fatal(err)
		}
	}
	pipe, err := os.OpenFile(path, os.O_RDWR|syscall.O_NONBLOCK, 0)
	if err != nil {
		s.t.Fatal(err)
	}
	defer pipe.Close()
	said := make(chan string)
	quit := make(chan struct{})
	defer close(quit)
	go func() {
		for lines := bufio.NewScanner(pipe); lines.Scan(); {
			select {
			case said <- lines.Text():
			case <-quit:
				return
			}
		}
	}()

	cmd := s.command(nil, args...)
	cmd.Env = append(append(cmd.Env, s.env()...), "SIGNIN="+path, "BROWSER="+program, "DISPLAY=:0", "PATH="+dir+":"+os.Getenv("PATH"))
	cmd.Env = append(cmd.Env, more...)
	input, err := cmd.StdinPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	done := make(chan result, 1)
	go func() {
		defer close(done)
		done <- execute(s.t, cmd)
	}()
	for {
		select {
		case line := <-said:
			page, opened := strings.CutPrefix(line, "open ")
			do(page)
			if !opened {
				io.WriteString(input, "\n") // an error is that the client has ended
			}
		case r, ok := <-done:
			if !ok {
				s.t.FailNow()
			}
			return r
		}
	}
}

// azAs runs the Azure CLI with somebody at its browser.
func (s *sekisho) azAs(p *somebody, args ...string) result {
	s.t.Helper()
	return s.attended(p.opens, []string{"AZ_INSTALLER=PIP"}, append([]string{python(s.t, "azure-cli"), "-m", "azure.cli"}, args...)...)
}

// azByCode does so with somebody who types the code that it prints.
func (s *sekisho) azByCode(p *somebody, args ...string) result {
	s.t.Helper()
	return s.byCode(p, []string{"AZ_INSTALLER=PIP"}, append([]string{python(s.t, "azure-cli"), "-m", "azure.cli"}, args...)...)
}

var shownCode = regexp.MustCompile(`open the page (\S+) and enter the code (\S+) to authenticate`)

// byCode runs a client with somebody who types the code that it prints.
func (s *sekisho) byCode(p *somebody, more []string, args ...string) result {
	s.t.Helper()
	enter := func(said string) {
		if shown := shownCode.FindStringSubmatch(said); shown != nil {
			p.enters(shown[1], shown[2])
		}
	}
	return s.attended(enter, more, append([]string{"bash", "-c", `exec "$@" 2> >(tee "$SIGNIN" >&2)`, "bash"}, args...)...)
}

// administrator is the one that Sekisho has made, at a window.
func (s *sekisho) administrator(w *window) *somebody {
	return &somebody{w, s.Administrator.UserPrincipalName, s.Administrator.Password}
}

// user makes an account of the directory.
func (s *sekisho) user(w *window, name string) (p *somebody, id string) {
	s.t.Helper()
	p = &somebody{w, name + "@contoso.com", "Yamabuki-" + name + "-4711"}
	var made struct{ ID string }
	s.graph().do(s.t, http.MethodPost, "https://graph.microsoft.com/v1.0/users", object{"displayName": strings.ToUpper(name[:1]) + name[1:], "mailNickname": name,
		"userPrincipalName": p.name, "accountEnabled": true, "passwordProfile": object{"password": p.password, "forceChangePasswordNextSignIn": false}}, &made)
	return p, made.ID
}

func (s *sekisho) graph() *caller {
	s.t.Helper()
	return s.caller("https://graph.microsoft.com/.default")
}

// grant makes a role assignment for a user.
func (s *sekisho) grant(scope, role, principal string) {
	s.t.Helper()
	name := fmt.Sprintf("%s-%s", role[:8], principal[9:])
	s.arm().do(s.t, http.MethodPut, scope+"/providers/Microsoft.Authorization/roleAssignments/"+name+"?api-version=2022-04-01", object{"properties": object{
		"roleDefinitionId": "/subscriptions/" + s.SubscriptionID + "/providers/Microsoft.Authorization/roleDefinitions/" + role,
		"principalId":      principal, "principalType": "User"}}, nil)
}

// untilNextSecond waits: a token tells the second of its issue only, and those of
// the second in which a user was revoked are refused.
func untilNextSecond() {
	time.Sleep(time.Until(time.Now().Truncate(time.Second).Add(time.Second)))
}

func TestAUserSignsInWithTheAzureCLIInABrowserAndByADevicesCode(t *testing.T) {
	t.Parallel()
	s := start(t)
	browser := s.browser()
	admin := s.administrator(browser.private())

	var subscriptions []struct {
		ID, TenantID string
		User         struct{ Name, Type string }
	}
	s.azAs(admin, "login").json(&subscriptions)
	if len(subscriptions) != 1 || subscriptions[0].ID != s.SubscriptionID || subscriptions[0].TenantID != s.TenantID ||
		subscriptions[0].User.Name != admin.name || subscriptions[0].User.Type != "user" {
		t.Errorf("az login printed %+v", subscriptions)
	}
	admin.says("You have logged into Microsoft Azure!")
	if got := s.typed("ad signed-in-user show --query userPrincipalName -o tsv").line(); got != admin.name {
		t.Errorf("the signed-in user is %q", got)
	}
	if got := s.typed("account get-access-token --query tenant -o tsv").line(); got != s.TenantID {
		t.Errorf("the token is of tenant %q", got)
	}
	s.typed("group create -n rg-user -l japaneast").ok()
	s.typed("logout").ok()
	s.typed("group list").fails("Please run 'az login'")

	other, id := s.user(browser.private(), "hanako")
	s.azByCode(other, "login", "--use-device-code").fails("No subscriptions found for " + other.name)
	other.says("Sekisho")
	s.grant(s.scope(), roleReader, id)
	s.azByCode(other, "login", "--use-device-code").ok()
	if got := s.typed("group list --query [].name -o tsv").line(); got != "rg-sample" {
		t.Errorf("a reader of one group sees %q", got)
	}
	s.typed("group create -n rg-other -l japaneast").fails("AuthorizationFailed", other.name)
}

// By Sekisho's own name there is no proxy: neither az nor the browser needs one.
func TestAUserSignsInWithTheAzureCLIByTheOwnNameOfSekisho(t *testing.T) {
	t.Parallel()
	s := start(t)
	config := filepath.Join(s.home, "cloud.json")
	if err := os.WriteFile(config, []byte(s.cli("cloud-config", "--data", s.data).ok()), 0o600); err != nil {
		t.Fatal(err)
	}
	s.typed("cloud register -n Sekisho --cloud-config @" + config).ok()
	s.typed("cloud set -n Sekisho").ok()
	own := []string{"AZ_INSTALLER=PIP", "AZURE_CORE_INSTANCE_DISCOVERY=false", "HTTPS_PROXY="}
	az := func(args ...string) []string {
		return append([]string{python(t, "azure-cli"), "-m", "azure.cli"}, args...)
	}
	admin := s.administrator(s.browser().private())
	s.attended(admin.opens, own, az("login")...).ok()
	admin.says("You have logged into Microsoft Azure!")
	s.client(own, az("group", "create", "-n", "rg-own", "-l", "japaneast")...).ok()
	s.client(own, az("logout")...).ok()
	s.byCode(admin, own, az("login", "--use-device-code")...).ok()
	if got := s.client(own, az("ad", "signed-in-user", "show", "--query", "userPrincipalName", "-o", "tsv")...).line(); got != admin.name {
		t.Errorf("the signed-in user is %q", got)
	}
}
