package openai_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"sekisho/internal/servicetest"
)

const (
	hello = `{"messages":[{"role":"user","content":"hello"}]}`
	dated = "?api-version=2024-10-21"
)

// room is a world with an account that has a chat and an embeddings deployment.
type room struct {
	*servicetest.World
	account string
	key     string
}

func newRoom(t *testing.T, models servicetest.Models) room {
	t.Helper()
	w := servicetest.New(t, models)
	r := room{World: w, account: w.MakeAccount(w.MakeGroup("rg"), "ai")}
	w.Deploy(r.account, "chat", "gpt-4o")
	w.Deploy(r.account, "embed", "text-embedding-3-small")
	r.key, _ = listKeys(t, w, r.account)
	return r
}

// post makes a call with the account's key.
func (r room) post(path, body string) servicetest.Reply {
	return r.Do(servicetest.Request{Method: "POST", URL: "https://ai.openai.azure.com/openai" + path, Body: body, Key: r.key})
}

func TestBothSurfacesAnswer(t *testing.T) {
	r := newRoom(t, servicetest.Builtin)
	for _, c := range []struct{ path, body string }{
		{"/deployments/chat/chat/completions" + dated, hello},
		{"/deployments/CHAT/Chat/Completions" + dated, hello},
		{"/v1/chat/completions", `{"model":"chat","messages":[{"role":"user","content":"hello"}]}`},
		{"/v1/chat/completions?api-version=preview", `{"model":"chat","messages":[{"role":"user","content":"hello"}]}`},
		{"/deployments/embed/embeddings" + dated, `{"input":"hello"}`},
		{"/v1/embeddings", `{"model":"embed","input":["hello"]}`},
	} {
		reply := r.post(c.path, c.body)
		if reply.Status != 200 || reply.Get("object") == nil || reply.Header.Get("apim-request-id") == "" || reply.Header.Get("x-ms-region") != "Japan East" {
			t.Errorf("%s: %d %s %v", c.path, reply.Status, reply.Body, reply.Header)
		}
	}
}

// Codes and texts: dataplane.md §4. Azure's own errors have a code and a
// message; those of a model also a type and a param.
func TestErrorsOfTheDataPlane(t *testing.T) {
	r := newRoom(t, servicetest.Builtin)
	const notFound = `{"code":"404","message":"Resource not found"}`
	for _, c := range []struct {
		name, path, body string
		status           int
		want             string // the error object; "…" stands for any text
	}{
		{"unknown deployment", "/deployments/absent/chat/completions" + dated, hello, 404,
			`{"code":"DeploymentNotFound","message":"The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, please wait a moment and try again."}`},
		{"unknown model on v1", "/v1/chat/completions", `{"model":"gpt-4o","messages":[]}`, 404,
			`{"code":"DeploymentNotFound","message":"The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, please wait a moment and try again."}`},
		{"no model on v1", "/v1/chat/completions", hello, 400,
			`{"code":null,"message":"you must provide a model parameter","param":null,"type":"invalid_request_error"}`},
		{"model of another type on v1", "/v1/chat/completions", `{"model":5}`, 400,
			`{"code":null,"message":"you must provide a model parameter","param":null,"type":"invalid_request_error"}`},
		{"unknown path", "/deployments/chat/sing" + dated, hello, 404, notFound},
		{"outside of openai", "/../other" + dated, hello, 400, `{"code":"BadRequest","message":"…"}`},
		{"no api-version", "/deployments/chat/chat/completions", hello, 404, notFound},
		{"api-version that is no day", "/deployments/chat/chat/completions?api-version=latest", hello, 404, notFound},
		{"malformed JSON", "/deployments/chat/chat/completions" + dated, `{"messages":`, 400, `{"code":"BadRequest","message":"…unexpected end of JSON input at position 12."}`},
		{"two values", "/deployments/chat/chat/completions" + dated, hello + hello, 400, `{"code":"BadRequest","message":"…at position…"}`},
		{"array", "/deployments/chat/chat/completions" + dated, `[]`, 400, `{"code":"BadRequest","message":"The body of your request must be a JSON object."}`},
		{"null", "/deployments/chat/chat/completions" + dated, `null`, 400, `{"code":"BadRequest","message":"The body of your request must be a JSON object."}`},
		{"empty", "/deployments/chat/chat/completions" + dated, ``, 400, `{"code":"BadRequest","message":"…"}`},
		{"embeddings of a chat model", "/deployments/chat/embeddings" + dated, `{"input":"x"}`, 400,
			`{"code":"OperationNotSupported","message":"The embeddings operation does not work with the specified model, gpt-4o. Please choose different model and try again. You can learn more about which models can be used with each operation here: https://go.microsoft.com/fwlink/?linkid=2197993."}`},
		{"chat with an embeddings model", "/v1/chat/completions", `{"model":"embed","messages":[]}`, 400, `{"code":"OperationNotSupported","message":"The chatCompletion operation does not work…"}`},
		{"input that the model refuses", "/deployments/chat/chat/completions" + dated, `{}`, 400,
			`{"code":"missing_required_parameter","message":"Missing required parameter: 'messages'.","param":"messages","type":"invalid_request_error"}`},
		{"input refused without a code", "/deployments/chat/chat/completions" + dated, `{"messages":[{"role":"user","content":"x"}],"stream_options":{}}`, 400,
			`{"code":null,"message":"…","param":"stream_options","type":"invalid_request_error"}`},
	} {
		reply := r.post(c.path, c.body)
		got, _ := json.Marshal(reply.Get("error"))
		if reply.Status != c.status || !like(string(got), c.want) {
			t.Errorf("%s:\n got %d %s\nwant %d %s", c.name, reply.Status, got, c.status, c.want)
		}
	}
	for _, method := range []string{"GET", "PUT", "DELETE"} {
		reply := r.Do(servicetest.Request{Method: method, URL: "https://ai.openai.azure.com/openai/deployments/chat/chat/completions" + dated, Key: r.key})
		wantError(t, reply, 404, "404") // as API management in front of Azure OpenAI
	}
}

// like compares a text with a pattern in which … stands for any text.
func like(text, pattern string) bool {
	parts := strings.Split(pattern, "…")
	rest, ok := strings.CutPrefix(text, parts[0])
	for _, part := range parts[1:] {
		i := strings.LastIndex(rest, part)
		if i < 0 {
			return false
		}
		rest = rest[i+len(part):]
	}
	return ok && rest == ""
}

func TestABodyBeyondTheLimitIs413InTheServicesShape(t *testing.T) {
	r := newRoom(t, servicetest.Builtin)
	huge := `{"messages":"` + strings.Repeat("x", 16<<20) + `"}`
	for _, path := range []string{"/deployments/chat/chat/completions" + dated, "/deployments/embed/embeddings" + dated, "/v1/chat/completions"} {
		reply := r.post(path, huge)
		wantError(t, reply, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge")
		if reply.Header.Get("apim-request-id") == "" {
			t.Errorf("%s: not in Azure OpenAI's shape", path)
		}
	}
}

// The v1 surface's clients know one header: there a bearer may be the key.
func TestAKeyAsBearerIsForTheV1SurfaceOnly(t *testing.T) {
	r := newRoom(t, servicetest.Builtin)
	bearer := http.Header{"Authorization": {"Bearer " + r.key}}
	const body = `{"model":"chat","messages":[{"role":"user","content":"hello"}]}`
	v1 := r.Do(servicetest.Request{Method: "POST", URL: "https://ai.openai.azure.com/openai/v1/chat/completions", Body: body, Header: bearer})
	r.Need(200, v1)
	old := r.Do(servicetest.Request{Method: "POST", URL: "https://ai.openai.azure.com/openai/deployments/chat/chat/completions" + dated, Body: body, Header: bearer})
	// Without the error wrapper: azure-search-openai-demo#458 (clients.md §3).
	if old.Status != 401 || old.Get("statusCode") != 401.0 || !strings.HasPrefix(old.Get("message").(string), "Unauthorized. Access token is missing, invalid") {
		t.Errorf("dated: %d %s", old.Status, old.Body)
	}
	if strings.Contains(old.Body, r.key) {
		t.Error("the refusal repeats the key")
	}
	wrong := r.Do(servicetest.Request{Method: "POST", URL: "https://ai.openai.azure.com/openai/v1/chat/completions", Body: body,
		Header: http.Header{"Authorization": {"Bearer " + strings.Repeat("x", 84)}}})
	wantError(t, wrong, 401, "401")
}

func TestTokensNeedTheDataAction(t *testing.T) {
	r := newRoom(t, servicetest.Builtin)
	user, reader := r.Principal("user"), r.Principal("reader")
	r.Grant(user.ID, servicetest.OpenAIUser, r.account)
	r.Grant(reader.ID, servicetest.Reader, r.account)
	call := func(p servicetest.Principal, path, body string) servicetest.Reply {
		return r.Do(servicetest.Request{Method: "POST", URL: "https://ai.openai.azure.com/openai" + path, Body: body, As: &p})
	}
	chat := "/deployments/chat/chat/completions"
	r.Need(200, call(user, chat+dated, hello))
	for path, want := range map[string]string{
		chat + dated: "The principal `" + reader.ID + "` lacks the required data action `Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action` to perform `POST /openai/deployments/{deployment-id}/chat/completions` operation.",
		// The older text: seed 001 (identity.md §0).
		chat + "?api-version=2023-05-15":                       "Principal does not have access to API/Operation.",
		chat + "?api-version=2023-12-01-preview":               "Principal does not have access to API/Operation.",
		"/v1/chat/completions":                                 "The principal `" + reader.ID + "` lacks the required data action `Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action` to perform `POST /openai/v1/chat/completions` operation.",
		"/deployments/embed/embeddings?api-version=2024-02-01": "The principal `" + reader.ID + "` lacks the required data action `Microsoft.CognitiveServices/accounts/OpenAI/deployments/embeddings/action` to perform `POST /openai/deployments/{deployment-id}/embeddings` operation.",
	} {
		// The Owner of the subscription has no data actions either.
		for _, p := range []servicetest.Principal{reader, r.Owner} {
			reply := call(p, path, `{"model":"chat","messages":[],"input":"x"}`)
			wantError(t, reply, 401, "PermissionDenied")
			if reply.Message() != strings.ReplaceAll(want, reader.ID, p.ID) {
				t.Errorf("%s:\n got %s\nwant %s", path, reply.Message(), want)
			}
			if reply.Get("error", "innererror", "smallestRole") == nil {
				t.Errorf("%s: no role is named: %s", path, reply.Body)
			}
		}
	}
}

// On Your Data has a data action of its own, however its member is spelt.
func TestDataSourcesNeedTheExtensionsAction(t *testing.T) {
	r := newRoom(t, servicetest.Builtin)
	user, contributor := r.Principal("user"), r.Principal("contributor")
	// Every built-in role with the action of chat has that of extensions too: it
	// is the refusal that tells which one was asked for.
	r.Grant(user.ID, servicetest.Reader, r.account)
	r.Grant(contributor.ID, servicetest.OpenAIContributor, r.account)
	const action = "Microsoft.CognitiveServices/accounts/OpenAI/deployments/extensions/chat/completions/action"
	for _, member := range []string{`"data_sources"`, `"dataSources"`, `"\u0064ata_sources"`, `"data\u005fsources"`} {
		body := `{"model":"chat","messages":[{"role":"user","content":"hello"}],` + member + `:[]}`
		for _, path := range []string{"/deployments/chat/chat/completions" + dated, "/v1/chat/completions"} {
			url := "https://ai.openai.azure.com/openai" + path
			denied := r.Do(servicetest.Request{Method: "POST", URL: url, Body: body, As: &user})
			wantError(t, denied, 401, "PermissionDenied")
			if denied.Get("error", "innererror", "action") != action {
				t.Errorf("%s on %s asks for %v", member, path, denied.Get("error", "innererror", "action"))
			}
			allowed := r.Do(servicetest.Request{Method: "POST", URL: url, Body: body, As: &contributor})
			wantError(t, allowed, 400, "BadRequest")
			if !strings.Contains(allowed.Message(), "not supported") {
				t.Errorf("message %q", allowed.Message())
			}
		}
	}
	// The name in a text is no data source.
	quoted := r.post("/deployments/chat/chat/completions"+dated, `{"messages":[{"role":"user","content":"what are \"data_sources\"?"}]}`)
	r.Need(200, quoted)
}

func TestListsOfTheDataPlane(t *testing.T) {
	r := newRoom(t, servicetest.Builtin)
	other := r.MakeAccount(r.account[:strings.Index(r.account, "/providers")], "other")
	r.Deploy(other, "foreign", "gpt-4o")
	get := func(path string) servicetest.Reply {
		return r.Do(servicetest.Request{Method: "GET", URL: "https://ai.openai.azure.com/openai" + path, Key: r.key})
	}
	list := r.Need(200, get("/deployments"+dated))
	if !strings.Contains(list.Body, `"chat"`) || strings.Contains(list.Body, "foreign") {
		t.Errorf("deployments: %s", list.Body)
	}
	if one := r.Need(200, get("/deployments/Embed"+dated)); one.Get("id") != "embed" || one.Get("model") != "text-embedding-3-small" {
		t.Errorf("deployment: %s", one.Body)
	}
	wantError(t, get("/deployments/foreign"+dated), 404, "DeploymentNotFound")
	wantError(t, get("/deployments"), 404, "404")
	wantError(t, get("/models/absent"+dated), 404, "404")
	if one := r.Need(200, get("/models/gpt-4o-2024-11-20"+dated)); one.Get("id") != "gpt-4o-2024-11-20" {
		t.Errorf("model: %s", one.Body)
	}
	if v1 := r.Need(200, get("/v1/models")); v1.Get("object") != "list" {
		t.Errorf("v1 models: %s", v1.Body)
	}
}
