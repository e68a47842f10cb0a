package graph

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"sekisho/internal/api"
)

// maxBatch is how many requests a batch may hold.
// Source: microsoft-graph-docs-contrib concepts/json-batching.md.
const maxBatch = 20

// part is one request of a batch.
type part struct {
	ID        string            `json:"id"`
	Method    string            `json:"method"`
	URL       string            `json:"url"`
	Headers   map[string]string `json:"headers"`
	Body      json.RawMessage   `json:"body"`
	DependsOn []string          `json:"dependsOn"`
}

// answer is the reply to one.
type answer struct {
	ID      string            `json:"id"`
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers,omitempty"`
	Body    json.RawMessage   `json:"body,omitempty"`
}

// batch serves many requests in one. Each goes the way of a request that comes
// alone, with the token of the batch: the gate decides it, and audits it.
// Source: concepts/json-batching.md.
func (s *Graph) batch(w http.ResponseWriter, call *api.Call) error {
	parts, err := readBatch(call)
	if err != nil {
		return err
	}
	done := map[string]int{} // statuses, by folded id
	answers := []answer{}
	for _, p := range parts {
		a := failedDependency(p)
		if !slices.ContainsFunc(p.DependsOn, func(on string) bool { return done[strings.ToLower(on)] >= 400 }) {
			a = serve(call, p)
		}
		done[strings.ToLower(p.ID)] = a.Status
		answers = append(answers, a)
	}
	return reply(w, call, map[string]any{"responses": answers})
}

// readBatch reads the parts, in an order in which none waits for a later one.
func readBatch(call *api.Call) ([]part, error) {
	raw, err := io.ReadAll(call.Request.Body)
	if err != nil {
		return nil, err
	}
	var in struct {
		Requests []part `json:"requests"`
	}
	bad := func(format string, args ...any) error {
		return api.BadRequest("BadRequest", "requests", "Invalid batch payload format: "+format, args...)
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		return nil, bad("%v.", err)
	}
	if len(in.Requests) == 0 || len(in.Requests) > maxBatch {
		return nil, bad("it must hold 1 to %d requests; it holds %d.", maxBatch, len(in.Requests))
	}
	ids := map[string]bool{}
	for _, p := range in.Requests {
		id := strings.ToLower(p.ID)
		if id == "" || ids[id] || p.Method == "" || p.URL == "" {
			return nil, bad("each request needs an id of its own, a method and a url.")
		}
		ids[id] = true
	}
	for _, p := range in.Requests {
		for _, on := range p.DependsOn {
			if !ids[strings.ToLower(on)] || strings.EqualFold(on, p.ID) {
				return nil, bad("the request '%s' depends on '%s', which is no other request of the batch.", p.ID, on)
			}
		}
	}
	ordered := inOrder(in.Requests)
	if len(ordered) < len(in.Requests) {
		return nil, bad("requests wait for each other.")
	}
	return ordered, nil
}

// inOrder puts the parts behind what they depend on; it leaves out those that
// wait for each other.
func inOrder(parts []part) (ordered []part) {
	placed := map[string]bool{}
	waits := func(on string) bool { return !placed[strings.ToLower(on)] }
	for before := -1; len(ordered) > before; {
		before = len(ordered)
		for _, p := range parts {
			if id := strings.ToLower(p.ID); !placed[id] && !slices.ContainsFunc(p.DependsOn, waits) {
				placed[id] = true
				ordered = append(ordered, p)
			}
		}
	}
	return ordered
}

func failedDependency(p part) answer {
	return failure(p, http.StatusFailedDependency, "FailedDependency", "Failed Dependency")
}

func failure(p part, status int, code, text string) answer {
	raw, _ := json.Marshal(map[string]any{"error": map[string]any{"code": code, "message": text}})
	return answer{ID: p.ID, Status: status, Headers: map[string]string{"Content-Type": "application/json"}, Body: raw}
}

// serve sends one part through the gate.
func serve(call *api.Call, p part) answer {
	r, problem := p.request(call.Request)
	if problem != "" {
		return failure(p, http.StatusBadRequest, "BadRequest", problem)
	}
	w := &recorder{header: http.Header{}, status: http.StatusOK}
	call.Part(w, r)
	a := answer{ID: p.ID, Status: w.status, Headers: map[string]string{}}
	for name := range w.header {
		a.Headers[name] = w.header.Get(name)
	}
	switch {
	case w.body.Len() == 0:
	case strings.HasPrefix(w.header.Get("Content-Type"), "application/json"):
		a.Body = w.body.Bytes()
	default: // what is no JSON is a string of base64
		a.Body, _ = json.Marshal(base64.StdEncoding.EncodeToString(w.body.Bytes()))
	}
	return a
}

// request is the part as it would come alone: below the batch's version, with
// the batch's token, whatever its headers say.
func (p part) request(batch *http.Request) (r *http.Request, problem string) {
	path, query, _ := strings.Cut(strings.TrimPrefix(p.URL, "/"), "?")
	u, err := url.Parse("/v1.0/" + path)
	if err != nil || u.Host != "" || u.Fragment != "" {
		return nil, fmt.Sprintf("Invalid url '%s'.", p.URL)
	}
	if strings.EqualFold(strings.Trim(u.Path, "/"), "v1.0/$batch") {
		return nil, "A batch can't hold a batch."
	}
	u.RawQuery = query
	r = batch.Clone(batch.Context())
	r.Method, r.URL, r.RequestURI, r.Header = strings.ToUpper(p.Method), u, u.RequestURI(), http.Header{}
	for name, value := range p.Headers {
		r.Header.Set(name, value)
	}
	r.Header.Set("Authorization", batch.Header.Get("Authorization"))
	body := []byte(p.Body)
	if string(body) == "null" {
		body = nil
	}
	if len(body) > 0 && r.Header.Get("Content-Type") == "" {
		return nil, "Content-Type header is required for a request with a body."
	}
	var text string
	if len(body) > 0 && body[0] == '"' && json.Unmarshal(body, &text) == nil {
		if body, err = base64.URLEncoding.DecodeString(text); err != nil {
			return nil, "A body that is no JSON object is a string of base64."
		}
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return r, ""
}

// recorder keeps a reply.
type recorder struct {
	header  http.Header
	status  int
	written bool
	body    bytes.Buffer
}

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) {
	if !r.written {
		r.status, r.written = status, true
	}
}

func (r *recorder) Write(b []byte) (int, error) {
	r.written = true
	return r.body.Write(b)
}
