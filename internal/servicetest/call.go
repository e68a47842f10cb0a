package servicetest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/arm"
)

// ManagementHost is the host of ARM.
const ManagementHost = "management.azure.com"

// ServeHTTP hands a request to the gate, with the target that its host has.
func (w *World) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	origin := api.Origin{Remote: netip.MustParseAddrPort("127.0.0.1:40000"), Base: "https://" + r.Host}
	target := api.Target{Service: arm.ServiceName}
	if r.Host != ManagementHost {
		var err error
		if target, err = w.Reader.Resolve(r.Context(), &url.URL{Host: r.Host}); err != nil {
			http.Error(out, err.Error(), http.StatusNotFound)
			return
		}
	}
	w.gate.ServeCall(out, r, origin, target)
}

// Request is one call. Its credential is Key, if it is set, or a token of As.
type Request struct {
	Method string
	URL    string // https://host/path?query
	Body   string
	As     *Principal
	Key    string
	Header http.Header
}

// Reply is what came back; JSON is nil unless the body is an object.
type Reply struct {
	Status int
	Header http.Header
	Body   string
	JSON   map[string]any
}

// Audience is the resource that tokens for a host are of.
func Audience(host string) string {
	switch {
	case host == ManagementHost:
		return "https://management.azure.com"
	case strings.HasSuffix(host, ".blob.core.windows.net"), strings.HasSuffix(host, ".dfs.core.windows.net"):
		return "https://storage.azure.com"
	case strings.HasSuffix(host, ".search.windows.net"):
		return "https://search.azure.com"
	}
	return "https://cognitiveservices.azure.com"
}

// HTTP makes the request, with its credential.
func (w *World) HTTP(r Request) *http.Request {
	w.t.Helper()
	req := httptest.NewRequest(r.Method, r.URL, strings.NewReader(r.Body))
	for name, values := range r.Header {
		req.Header[name] = values
	}
	switch {
	case r.Key != "":
		req.Header.Set("api-key", r.Key)
	case r.As != nil:
		req.Header.Set("Authorization", "Bearer "+r.As.Token(Audience(req.Host)))
	}
	return req
}

// Do makes a call.
func (w *World) Do(r Request) Reply {
	w.t.Helper()
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, w.HTTP(r))
	res := rec.Result()
	body, err := io.ReadAll(res.Body)
	w.must(err)
	reply := Reply{Status: res.StatusCode, Header: res.Header, Body: string(body)}
	json.Unmarshal(body, &reply.JSON)
	return reply
}

// ARM makes a call of the Owner's to ARM, with an api-version unless the path
// has a query.
func (w *World) ARM(method, path, body string) Reply {
	w.t.Helper()
	return w.ARMAs(w.Owner, method, path, body)
}

// ARMAs makes a call to ARM.
func (w *World) ARMAs(p Principal, method, path, body string) Reply {
	w.t.Helper()
	return w.Do(Request{Method: method, URL: URL(path), Body: body, As: &p})
}

// URL is ARM's for a path, with an api-version unless the path has a query.
func URL(path string) string {
	switch {
	case !strings.Contains(path, "?"):
		path += "?api-version=2024-10-01"
	case !strings.Contains(path, "api-version"):
		path += "&api-version=2024-10-01"
	}
	return "https://" + ManagementHost + strings.ReplaceAll(path, " ", "%20")
}

// Need fails the test unless the reply has the status.
func (w *World) Need(status int, r Reply) Reply {
	w.t.Helper()
	if r.Status != status {
		w.t.Fatalf("status %d, want %d: %s", r.Status, status, r.Body)
	}
	return r
}

// Make puts a resource that need not be there yet, and gives its id.
func (w *World) Make(id, body string) string {
	w.t.Helper()
	if r := w.ARM(http.MethodPut, id, body); r.Status != http.StatusCreated {
		w.t.Fatalf("PUT %s: status %d: %s", id, r.Status, r.Body)
	}
	return id
}

// MakeGroup makes a resource group and gives its id.
func (w *World) MakeGroup(name string) string {
	w.t.Helper()
	return w.Make(w.Subscription+"/resourceGroups/"+name, `{"location":"japaneast"}`)
}

// MakeAccount makes an Azure OpenAI account, whose custom subdomain is its
// name, and gives its id.
func (w *World) MakeAccount(group, name string) string {
	w.t.Helper()
	return w.Make(group+"/providers/Microsoft.CognitiveServices/accounts/"+name,
		`{"location":"japaneast","kind":"OpenAI","sku":{"name":"S0"},"properties":{"customSubDomainName":"`+name+`"}}`)
}

// Deploy makes a deployment of a model's default version.
func (w *World) Deploy(account, name, model string) string {
	w.t.Helper()
	return w.Make(account+"/deployments/"+name, `{"sku":{"name":"Standard","capacity":1},"properties":{"model":{"format":"OpenAI","name":"`+model+`"}}}`)
}

// Get is the value at a path of member names, such as "error", "code"; nil if
// there is none.
func (r Reply) Get(path ...string) any {
	var v any = r.JSON
	for _, name := range path {
		object, _ := v.(map[string]any)
		v = object[name]
	}
	return v
}

// Code and Message are the error's.
func (r Reply) Code() string    { s, _ := r.Get("error", "code").(string); return s }
func (r Reply) Message() string { s, _ := r.Get("error", "message").(string); return s }

// Names are the names of the entries of a list.
func (r Reply) Names() []string {
	list, _ := r.Get("value").([]any)
	names := []string{}
	for _, entry := range list {
		object, _ := entry.(map[string]any)
		name, _ := object["name"].(string)
		names = append(names, name)
	}
	return names
}
