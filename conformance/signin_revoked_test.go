package conformance

import (
	"encoding/base64"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"
)

// armed is a user of the Azure CLI's client with a token for each of three services.
type armed struct {
	*somebody
	sekisho *sekisho
	client  public.Client
	tokens  map[string]string // by the service's resource
}

// services are those whose answers tell whether a token still counts.
var services = map[string]string{
	"https://management.azure.com":         "https://management.azure.com/subscriptions?api-version=2022-12-01",
	"https://graph.microsoft.com":          "https://graph.microsoft.com/v1.0/me",
	"https://cognitiveservices.azure.com/": "https://aoai-sample.openai.azure.com/openai/models?api-version=2024-10-21",
}

// arm signs in with claims, and gets the tokens.
func (a *armed) arm(claims string) {
	a.t.Helper()
	ctx := a.t.Context()
	signed, err := a.client.AcquireTokenInteractive(ctx, []string{"https://management.azure.com/.default"}, public.WithClaims(claims),
		public.WithOpenURL(func(url string) error { a.opens(url); return nil }))
	if err != nil {
		a.t.Fatal(err)
	}
	for resource := range services {
		token, err := a.client.AcquireTokenSilent(ctx, []string{resource + "/.default"}, public.WithSilentAccount(signed.Account), public.WithClaims(claims))
		if err != nil {
			a.t.Fatal(err)
		}
		a.tokens[resource] = token.AccessToken
	}
}

// answers wants each service to answer with a status, and gives their challenges.
func (a *armed) answers(status int) map[string]string {
	a.t.Helper()
	challenges := map[string]string{}
	for resource, url := range services {
		req, err := http.NewRequestWithContext(a.t.Context(), http.MethodGet, url, nil)
		if err != nil {
			a.t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+a.tokens[resource])
		reply, err := a.sekisho.httpClient().Do(req)
		if err != nil {
			a.t.Fatal(err)
		}
		reply.Body.Close()
		if reply.StatusCode != status {
			a.t.Errorf("%s answers %d, want %d", url, reply.StatusCode, status)
		}
		challenges[resource] = reply.Header.Get("WWW-Authenticate")
	}
	return challenges
}

func TestARevokedUsersTokensAreRefusedAtOnceEverywhere(t *testing.T) {
	t.Parallel()
	s := start(t)
	user, id := s.user(s.browser().private(), "hanako")
	s.grant(s.scope(sampleAccount), roleOpenAIUser, id)
	client, err := public.New("04b07795-8ddb-461a-bbee-02f9e1bf7b46", public.WithAuthority("https://login.microsoftonline.com/"+s.TenantID),
		public.WithClientCapabilities([]string{"cp1"}), public.WithHTTPClient(s.httpClient()))
	if err != nil {
		t.Fatal(err)
	}
	a := &armed{user, s, client, map[string]string{}}
	a.arm("")
	a.answers(http.StatusOK)

	me := &caller{s.httpClient(), a.tokens["https://graph.microsoft.com"]}
	me.do(t, http.MethodPost, "https://graph.microsoft.com/v1.0/me/revokeSignInSessions", object{}, nil)
	untilNextSecond()
	challenges := a.answers(http.StatusUnauthorized)
	found := regexp.MustCompile(`error="insufficient_claims", claims="([^"]+)"`)
	claims := found.FindStringSubmatch(challenges["https://management.azure.com"])
	if claims == nil || !found.MatchString(challenges["https://graph.microsoft.com"]) {
		t.Fatalf("the challenges are %q", challenges)
	}
	asked, err := base64.StdEncoding.DecodeString(claims[1])
	if err != nil || !strings.HasPrefix(string(asked), `{"access_token":{"nbf":{"essential":true,"value":"`) {
		t.Errorf("the claims are %s, %v", asked, err)
	}
	a.arm(string(asked))
	a.answers(http.StatusOK)

	admin := s.graph()
	at := "https://graph.microsoft.com/v1.0/users/" + id
	admin.do(t, http.MethodPatch, at, object{"accountEnabled": false}, nil)
	a.answers(http.StatusUnauthorized)
	admin.do(t, http.MethodPatch, at, object{"accountEnabled": true}, nil)
	a.answers(http.StatusOK)
	admin.do(t, http.MethodDelete, at, nil, nil)
	a.answers(http.StatusUnauthorized)
}
