package conformance

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// registration is an application that users sign in to.
func (s *sekisho) registration(more object) (appID, id string) {
	s.t.Helper()
	var made struct{ ID, AppID string }
	graph := s.graph()
	graph.do(s.t, http.MethodPost, "https://graph.microsoft.com/v1.0/applications", more, &made)
	graph.do(s.t, http.MethodPost, "https://graph.microsoft.com/v1.0/servicePrincipals", object{"appId": made.AppID}, nil)
	return made.AppID, made.ID
}

// onDevices is one that runs on its users' machines and asks for Azure in their name.
func onDevices(name string) object {
	return object{"displayName": name, "isFallbackPublicClient": true, "publicClient": object{"redirectUris": []string{"http://localhost"}},
		"requiredResourceAccess": []object{{"resourceAppId": "797f4846-ba00-4fd7-ba43-dac1f8f63013", // Azure Service Management: user_impersonation
			"resourceAccess": []object{{"id": "41094075-9dad-400e-a0bd-54e686782033", "type": "Scope"}}}}}
}

// keeper is a language whose MSAL obtains, keeps and loses tokens.
type keeper struct {
	name    string
	pin     pin
	command func(s *sekisho) (more, args []string)
	lost    []string // what it calls the loss of them
}

// keepers tell of a loss in their own words: the exception that asks for a
// sign-in, where the library has one.
func keepers() []keeper {
	return []keeper{
		{"Python", pin{"clients/openai.txt", "msal"}, func(s *sekisho) ([]string, []string) {
			return nil, []string{python(s.t, "openai"), program(s.t, "signin/lose.py")}
		}, []string{"revoked invalid_grant 50173 bad_token", "disabled invalid_grant 50057", "deleted invalid_grant 500341"}},
		{"JavaScript", pin{"clients/js-node24/package.json", "@azure/msal-node"}, func(s *sekisho) ([]string, []string) {
			node, modules := s.nodeAt("24")
			return []string{"NODE_PATH=" + modules, "NODE_USE_ENV_PROXY=1"}, []string{node, program(s.t, "signin/lose.cjs")}
		}, []string{"revoked invalid_grant 50173 bad_token InteractionRequiredAuthError", "disabled invalid_grant 50057", "deleted invalid_grant 500341"}},
		{"Java", pin{"clients/java/pom.xml", "msal4j"}, func(s *sekisho) ([]string, []string) { return nil, s.java("signin/Lose.java") },
			[]string{"revoked invalid_grant 50173 MsalInteractionRequiredException", "disabled invalid_grant 50057", "deleted invalid_grant 500341"}},
		{"Go", pin{"../go.mod", "microsoft-authentication-library-for-go"}, func(s *sekisho) ([]string, []string) {
			variable, path := self(s.t, "go-lose")
			return []string{variable}, []string{path}
		}, []string{"revoked invalid_grant 50173", "disabled invalid_grant 50057", "deleted invalid_grant 500341"}},
	}
}

// java is a Java program in intercept mode: the JVM is told of proxy and CA by
// options only.
func (s *sekisho) java(path string) []string {
	return append([]string{"bash", "-euc", `eval "$("$0" env --shell jvm --data "$1")"; exec "${@:2}"`, executable, s.data}, java(s.t, path)...)
}

func TestEveryMSALObtainsKeepsRefreshesAndLosesTokensAsWithEntra(t *testing.T) {
	t.Parallel()
	s := start(t)
	browser := s.browser()
	app, _ := s.registration(onDevices("Desk"))
	table := words{part: "msal", steps: []string{"obtained", "cached", "refreshed", "rotated", "by code", "revoked", "disabled", "deleted"}}
	t.Run("for", func(t *testing.T) {
		for _, k := range keepers() {
			t.Run(k.name, func(t *testing.T) {
				t.Parallel()
				table.add(k.name, pinned(t, []pin{k.pin}), s.in(t).keeps(browser.in(t), app, k))
			})
		}
	})
	table.compare(t, len(keepers()))
}

func (s *sekisho) keeps(browser *browser, app string, k keeper) (taken []string) {
	s.t.Helper()
	t := s.t
	user, id := s.user(browser.private(), strings.ToLower(k.name))
	graph := s.graph()
	at := "https://graph.microsoft.com/v1.0/users/" + id
	attend := func(said string) {
		switch code, isCode := strings.CutPrefix(said, "code "); {
		case isCode:
			user.enters(devicePage, code)
		case said == "revoked":
			graph.do(t, http.MethodPost, at+"/revokeSignInSessions", object{}, nil)
		case said == "disabled", said == "enabled":
			graph.do(t, http.MethodPatch, at, object{"accountEnabled": said == "enabled"}, nil)
		case said == "deleted":
			graph.do(t, http.MethodDelete, at, nil, nil)
		default:
			user.opens(said)
		}
	}
	more, args := k.command(s)
	more = append(more, "AZURE_CLIENT_ID="+app, "AZURE_TENANT_ID="+s.TenantID)
	taken = strings.Split(s.attended(attend, more, args...).line(), "\n")
	want := []string{"obtained", "cached", "refreshed", "rotated", "by code", k.lost[0], "obtained", k.lost[1], "obtained", k.lost[2]}
	if !slices.EqualFunc(taken, want, strings.HasPrefix) {
		t.Fatalf("the steps taken are %q, want %q", taken, want)
	}
	return taken
}
