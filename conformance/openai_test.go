package conformance

import (
	"math"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// openAI runs a program with the newest openai package: the account's key 1 and
// the automation service principal are in its environment.
func (s *sekisho) openAI(key, path string) result {
	s.t.Helper()
	return s.client([]string{"AZURE_OPENAI_API_KEY=" + key, "AZURE_TENANT_ID=" + s.TenantID,
		"AZURE_CLIENT_ID=" + s.Automation.ClientID, "AZURE_CLIENT_SECRET=" + s.Automation.ClientSecret},
		python(s.t, "openai"), program(s.t, path))
}

type usage struct {
	Prompt     int `json:"prompt_tokens"`
	Completion int `json:"completion_tokens"`
	Total      int `json:"total_tokens"`
}

func TestTheNewestOpenaiPackageIsAnsweredWithKeyWithTokenAndOnV1InOnePieceAndStreamed(t *testing.T) {
	t.Parallel()
	s := start(t)
	admin := s.arm()
	key, _ := s.keys(admin)
	s.assign(admin, "00000000-0000-0000-0000-000000000001", s.scope(sampleAccount), roleOpenAIUser, s.Automation.ObjectID)
	admin.do(t, http.MethodPut, s.scope(sampleAccount, "/deployments/instruct", accountVersion), object{
		"sku":        object{"name": "Standard", "capacity": 1},
		"properties": object{"model": object{"format": "OpenAI", "name": "gpt-35-turbo-instruct", "version": "0914"}}}, nil)

	type chat struct {
		Text, Finish, Model string
		Usage               usage
	}
	type stream struct {
		Text           string
		Finish         []string
		Usage          usage
		Chunks         int
		ChoicesOfUsage []int
	}
	var seen struct {
		Key, Token, V1                   chat
		KeyStream, TokenStream, V1Stream stream
		Base64, Float                    [][]float64
		V1Embedding                      []float64
		Completion, Model, RequestID     string
		Models, V1Models                 []string
	}
	s.openAI(key, "openai/answers.py").json(&seen)

	if !strings.Contains(seen.Key.Text, "3776") || seen.Key.Finish != "stop" || seen.Key.Model != "gpt-35-turbo" {
		t.Errorf("the answer is %+v", seen.Key)
	}
	if u := seen.Key.Usage; u.Prompt < 30 || u.Completion < 5 || u.Total != u.Prompt+u.Completion {
		t.Errorf("usage %+v", u)
	}
	if seen.Token != seen.Key || seen.V1 != seen.Key {
		t.Errorf("with a token %+v and on v1 %+v, want what the key got: %+v", seen.Token, seen.V1, seen.Key)
	}
	for name, got := range map[string]stream{"key": seen.KeyStream, "token": seen.TokenStream, "v1": seen.V1Stream} {
		if got.Text != seen.Key.Text || !slices.Equal(got.Finish, []string{"stop"}) {
			t.Errorf("streamed with %s: %+v, want the text %q and one stop", name, got, seen.Key.Text)
		}
		// include_usage: one last chunk with no choices.
		if got.Usage != seen.Key.Usage || !slices.Equal(got.ChoicesOfUsage, []int{0}) {
			t.Errorf("streamed with %s: usage %+v in chunks with %v choices", name, got.Usage, got.ChoicesOfUsage)
		}
		if got.Chunks < got.Usage.Completion {
			t.Errorf("streamed with %s: %d chunks for %d tokens", name, got.Chunks, got.Usage.Completion)
		}
	}
	vectors(t, seen.Base64, seen.Float)
	if !reflect.DeepEqual(seen.V1Embedding, seen.Base64[0]) {
		t.Error("v1 embeds otherwise than the dated surface")
	}
	if seen.Completion == "" || seen.RequestID == "" {
		t.Errorf("completion %q, apim-request-id %q", seen.Completion, seen.RequestID)
	}
	if !slices.Contains(seen.Models, "gpt-35-turbo-0125") || !slices.Equal(seen.Models, seen.V1Models) || seen.Model != seen.V1Models[0] {
		t.Errorf("models %v, on v1 %v, of them %q", seen.Models, seen.V1Models, seen.Model)
	}
}

// vectors demands the 1,536 dimensions of text-embedding-ada-002, unit length,
// and the same numbers in both encodings, as far as float32 goes.
func vectors(t *testing.T, base64, float [][]float64) {
	t.Helper()
	if len(base64) != 2 || len(float) != 2 || reflect.DeepEqual(float[0], float[1]) {
		t.Fatalf("%d and %d vectors, or two texts with one vector", len(base64), len(float))
	}
	for i := range float {
		if len(float[i]) != 1536 || len(base64[i]) != 1536 {
			t.Fatalf("vectors of %d and %d dimensions", len(float[i]), len(base64[i]))
		}
		var square, far float64
		for j, v := range float[i] {
			square += v * v
			far = max(far, math.Abs(v-base64[i][j]))
		}
		if math.Abs(square-1) > 1e-3 || far > 1e-6 {
			t.Errorf("vector %d: length² %v, the encodings differ by %v", i, square, far)
		}
	}
}

// refusal is an exception of the openai package.
type refusal struct {
	Type   string
	Status int
	Text   string
	Body   struct {
		Error struct {
			Code, Message string
			InnerError    innerError
		}
		Message    string
		StatusCode int
	}
}

type innerError struct{ Principal, Action, Scope, SmallestRole string }

func TestTheNewestOpenaiPackageRaisesItsExceptionsForWrongKeysDeniedTokensUnknownDeploymentsAndDisabledKeys(t *testing.T) {
	t.Parallel()
	s := start(t)
	admin := s.arm()
	key, _ := s.keys(admin)
	const (
		wrongKey   = "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an active subscription and use a correct regional API endpoint for your resource."
		wrongToken = "Unauthorized. Access token is missing, invalid, audience is incorrect (https://cognitiveservices.azure.com), or have expired."
		noSuch     = "The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, please wait a moment and try again."
		keysOff    = "Key based authentication is disabled for this resource."
		chatAction = "Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action"
	)
	denied := "The principal `" + s.Automation.ObjectID + "` lacks the required data action `" + chatAction +
		"` to perform `POST /openai/deployments/{deployment-id}/chat/completions` operation."
	type expectation struct {
		exception  string
		status     int
		code, text string
	}
	check := func(got map[string]refusal, want map[string]expectation) {
		t.Helper()
		for name, w := range want {
			g := got[name]
			code, text := g.Body.Error.Code, g.Body.Error.Message
			if text == "" {
				text = g.Body.Message // a token that does not verify: no wrapper
			}
			if g.Type != w.exception || g.Status != w.status || code != w.code || !strings.HasPrefix(text, w.text) {
				t.Errorf("%s:\n got %s %d %q %q\nwant %s %d %q %q", name, g.Type, g.Status, code, text, w.exception, w.status, w.code, w.text)
			}
		}
	}

	var got map[string]refusal
	s.openAI(key, "openai/refusals.py").json(&got)
	check(got, map[string]expectation{
		"key":               {exception: "answered"},
		"v1Key":             {exception: "answered"},
		"wrongKey":          {"AuthenticationError", 401, "401", wrongKey},
		"v1WrongKey":        {"AuthenticationError", 401, "401", wrongKey},
		"token":             {"AuthenticationError", 401, "PermissionDenied", denied},
		"foreignToken":      {"AuthenticationError", 401, "", wrongToken},
		"brokenToken":       {"AuthenticationError", 401, "", wrongToken},
		"unknownDeployment": {"NotFoundError", 404, "DeploymentNotFound", noSuch},
		"embeddingModel":    {"BadRequestError", 400, "OperationNotSupported", "The chatCompletion operation does not work with the specified model, text-embedding-ada-002."},
	})
	// A denial says who lacks what where, and the smallest role that has it.
	want := innerError{s.Automation.ObjectID, chatAction, s.scope(sampleAccount), "Cognitive Services OpenAI User"}
	if inner := got["token"].Body.Error.InnerError; inner != want {
		t.Errorf("the denial's innererror is %+v, want %+v", inner, want)
	}

	s.keysDisabled(admin, true)
	var disabled map[string]refusal
	s.openAI(key, "openai/refusals.py").json(&disabled)
	check(disabled, map[string]expectation{
		"key":               {"PermissionDeniedError", 403, "AuthenticationTypeDisabled", keysOff},
		"wrongKey":          {"PermissionDeniedError", 403, "AuthenticationTypeDisabled", keysOff},
		"v1Key":             {"PermissionDeniedError", 403, "AuthenticationTypeDisabled", keysOff},
		"unknownDeployment": {"PermissionDeniedError", 403, "AuthenticationTypeDisabled", keysOff},
		"token":             {"AuthenticationError", 401, "PermissionDenied", denied},
	})
}
