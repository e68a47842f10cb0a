package conformance

import (
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// chatter is a language whose azure-identity signs a user in.
type chatter struct {
	name    string
	pin     pin
	command func(s *sekisho) (more, args []string)
	revoked string // what becomes of a call with a token that was revoked
}

const challenged = "revoked challenged"

func chatters() []chatter {
	return []chatter{
		{"Python", pin{"clients/azure-mgmt.txt", "azure-identity"}, func(s *sekisho) ([]string, []string) {
			return nil, []string{python(s.t, "azure-mgmt"), program(s.t, "signin/chat.py")}
		}, challenged},
		{"JavaScript", pin{"clients/js-node24/package.json", "@azure/identity"}, func(s *sekisho) ([]string, []string) {
			node, modules := s.nodeAt("24")
			// On a desktop it brings its own xdg-open, which takes the desktop's browser.
			return []string{"NODE_PATH=" + modules, "NODE_USE_ENV_PROXY=1", "DISPLAY="}, []string{node, program(s.t, "signin/chat.cjs")}
		}, challenged},
		{"Java", pin{"clients/java/pom.xml", "azure-identity"}, func(s *sekisho) ([]string, []string) { return nil, s.java("signin/Chat.java") }, "revoked refused 401 InvalidAuthenticationToken"},
		{"Go", pin{"../go.mod", "azidentity"}, func(s *sekisho) ([]string, []string) {
			variable, path := self(s.t, "go-chatter")
			return []string{variable}, []string{path}
		}, challenged},
	}
}

func TestEveryAzureIdentitySignsAUserInByBrowserByCodeAndByTheAzureCLI(t *testing.T) {
	t.Parallel()
	s := start(t)
	browser := s.browser()
	// The Azure CLI that all of them find is that of one more user.
	cli, id := s.user(browser.private(), "cli")
	s.grant(s.scope(), roleReader, id)
	s.grant(s.scope(sampleAccount), roleOpenAIUser, id)
	s.azAs(cli, "login").ok()
	table := words{part: "azure-identity", steps: []string{"signed in", "denied", "answered", "by code", "by az", "revoked"}}
	t.Run("of", func(t *testing.T) {
		for _, c := range chatters() {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				table.add(c.name, pinned(t, []pin{c.pin}), s.in(t).chats(browser.in(t), c))
			})
		}
	})
	table.compare(t, len(chatters()))
}

func (s *sekisho) chats(browser *browser, c chatter) (taken []string) {
	s.t.Helper()
	user, id := s.user(browser.private(), strings.ToLower(c.name))
	s.grant(s.scope(), roleReader, id)
	attend := func(said string) {
		switch code, isCode := strings.CutPrefix(said, "code "); {
		case isCode:
			user.enters(devicePage, code)
		case said == "assign":
			s.grant(s.scope(sampleAccount), roleOpenAIUser, id)
		case said == "revoke":
			s.graph().do(s.t, http.MethodPost, "https://graph.microsoft.com/v1.0/users/"+id+"/revokeSignInSessions", object{}, nil)
			untilNextSecond()
		default:
			user.opens(said)
		}
	}
	more, args := c.command(s)
	more = append(more, "AZURE_TENANT_ID="+s.TenantID, "SUBSCRIPTION="+s.SubscriptionID, "USERNAME="+user.name,
		"AZURE_CONFIG_DIR="+filepath.Join(filepath.Dir(s.data), "azure"))
	taken = strings.Split(s.attended(attend, more, args...).line(), "\n")
	want := []string{"signed in", "groups: rg-sample", "denied 401 PermissionDenied", "answered", "by code", "by az", c.revoked}
	if !slices.Equal(taken, want) {
		s.t.Fatalf("the steps taken are %q, want %q", taken, want)
	}
	return taken
}
