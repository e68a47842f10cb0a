package indexer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"sekisho/internal/services/search/parallel"
	"sekisho/internal/services/search/schema"
)

// WebAPISkill sends records to an address, and gets their outputs.
// Source: azure-docs search/cognitive-search-custom-skill-web-api.md.
type WebAPISkill struct {
	Common
	URI         string            `json:"uri"`
	Headers     map[string]string `json:"httpHeaders"`
	Method      string            `json:"httpMethod,omitempty"`
	Timeout     string            `json:"timeout,omitempty"`
	BatchSize   *int              `json:"batchSize"`
	Parallelism *int              `json:"degreeOfParallelism"`
	Audience    *string           `json:"authResourceId" api:"2024-07-01,2021-04-30"`
	Identity    json.RawMessage   `json:"authIdentity" api:"2024-07-01,2021-04-30"`

	pause time.Duration // before the first retry
}

const (
	defaultTimeout  = 30 * time.Second
	maxTimeout      = 230 * time.Second
	defaultRecords  = 1000
	defaultParallel = 5
	maxParallel     = 10
	retries         = 2
	maxResponse     = 64 << 20 // bytes
)

// forbiddenHeaders of the source.
var forbiddenHeaders = []string{"Accept", "Accept-Charset", "Accept-Encoding", "Content-Length", "Content-Type", "Cookie", "Host", "Te", "Upgrade", "Via"}

func (k *WebAPISkill) plan(old Skill) (err error) {
	before, _ := old.(*WebAPISkill)
	k.restore(before)
	u, err := url.Parse(k.URI)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
		return invalid("uri", "skill '%s' : The uri '%s' is not an https URL.", k.Name, hideURI(k.URI))
	}
	if k.Method, err = oneOf("httpMethod", k.Method, http.MethodPost, http.MethodPut); err != nil {
		return err
	}
	for name := range k.Headers {
		if slices.Contains(forbiddenHeaders, http.CanonicalHeaderKey(name)) {
			return invalid("httpHeaders", "skill '%s' : The header '%s' is not allowed in httpHeaders.", k.Name, name)
		}
	}
	if k.Timeout == "" {
		k.Timeout = "PT30S"
	}
	if d, err := schema.ParseDuration(k.Timeout); err != nil || d < time.Second || d > maxTimeout {
		return invalid("timeout", "skill '%s' : The timeout '%s' is invalid: it is a duration between 1 and 230 seconds, such as PT90S.", k.Name, k.Timeout)
	}
	if k.BatchSize != nil && *k.BatchSize < 1 {
		return invalid("batchSize", "skill '%s' : batchSize is %d; it is at least 1.", k.Name, *k.BatchSize)
	}
	if k.Parallelism != nil && (*k.Parallelism < 1 || *k.Parallelism > maxParallel) {
		return invalid("degreeOfParallelism", "skill '%s' : degreeOfParallelism is %d; it is between 1 and %d.", k.Name, *k.Parallelism, maxParallel)
	}
	k.Identity, err = planIdentity("authIdentity", k.Identity, func() json.RawMessage {
		if before == nil {
			return nil
		}
		return before.Identity
	})
	k.pause = time.Second
	return err
}

// restore puts secrets back that a client sends as they were shown.
func (k *WebAPISkill) restore(before *WebAPISkill) {
	if before == nil {
		return
	}
	if k.URI == hideURI(before.URI) {
		k.URI = before.URI
	}
	for name, value := range k.Headers {
		if value == Redacted {
			k.Headers[name] = before.Headers[name]
		}
	}
}

// hide takes away what lets others call the function: its code in the URL, and
// headers that carry keys.
func (k *WebAPISkill) hide() {
	k.URI = hideURI(k.URI)
	for name := range k.Headers {
		if schema.SecretHeader(name) {
			k.Headers[name] = Redacted
		}
	}
}

func hideURI(uri string) string {
	u, err := url.Parse(uri)
	if err != nil || !u.Query().Has("code") {
		return uri
	}
	q := u.Query()
	q.Set("code", Redacted)
	u.RawQuery = q.Encode()
	return u.String()
}

func (k *WebAPISkill) run(ctx context.Context, client Client, records []*record) error {
	size, atATime := defaultRecords, defaultParallel
	if k.BatchSize != nil {
		size = *k.BatchSize
	}
	if k.Parallelism != nil {
		atATime = *k.Parallelism
	}
	parallel.Each(atATime, slices.Collect(slices.Chunk(records, size)), func(batch []*record) { k.send(ctx, client, batch) })
	return ctx.Err()
}

type webRecord struct {
	ID   string         `json:"recordId"`
	Data map[string]any `json:"data"`
}

type webResult struct {
	ID       string         `json:"recordId"`
	Data     map[string]any `json:"data"`
	Errors   notes          `json:"errors"`
	Warnings notes          `json:"warnings"`
}

// notes are an array of messages, or, as the source's own example has it, one.
type notes []string

func (n *notes) UnmarshalJSON(raw []byte) error {
	type note struct {
		Message string `json:"message"`
	}
	var many []note
	if err := json.Unmarshal(raw, &many); err != nil {
		many = make([]note, 1)
		if err := json.Unmarshal(raw, &many[0]); err != nil {
			return err
		}
	}
	*n = nil
	for _, one := range many {
		*n = append(*n, one.Message)
	}
	return nil
}

func (k *WebAPISkill) send(ctx context.Context, client Client, batch []*record) {
	failAll := func(message, details string) {
		for _, r := range batch {
			r.fail(message, details, linkSkill)
		}
	}
	var out struct {
		Values []webRecord `json:"values"`
	}
	for i, r := range batch {
		out.Values = append(out.Values, webRecord{strconv.Itoa(i), r.in})
	}
	body, err := json.Marshal(out)
	if err != nil {
		failAll(couldNotExecute, err.Error())
		return
	}
	timeout, _ := schema.ParseDuration(k.Timeout)
	audience := ""
	if k.Audience != nil {
		audience = *k.Audience
	}
	header := http.Header{}
	for name, value := range k.Headers {
		header.Set(name, value)
	}
	raw, message, details := post(ctx, client, request{k.Method, k.URI, header, body, k.Identity, audience, timeout, k.pause})
	if message != "" {
		failAll(message, details)
		return
	}
	var in struct {
		Values []webResult `json:"values"`
	}
	if err := decodeNumbers(raw, &in); err != nil {
		failAll(responseInvalid, "The response is not JSON of the expected form: "+err.Error())
		return
	}
	k.receive(batch, in.Values)
}

// receive gives each record its result. Results of other records are discarded;
// records that have none, or two, are not enriched.
func (k *WebAPISkill) receive(batch []*record, results []webResult) {
	found := map[string][]webResult{}
	for _, result := range results {
		found[result.ID] = append(found[result.ID], result)
	}
	for i, r := range batch {
		mine := found[strconv.Itoa(i)]
		if len(mine) != 1 {
			r.fail(responseInvalid, fmt.Sprintf("The response has %d records with the recordId '%d', and one is expected.", len(mine), i), linkSkill)
			continue
		}
		if len(mine[0].Warnings) > 0 {
			r.warn(responseWarnings, strings.Join(mine[0].Warnings, "\n"), linkSkill)
		}
		if len(mine[0].Errors) > 0 {
			r.fail(couldNotExecute, strings.Join(mine[0].Errors, "\n"), linkSkill)
			continue
		}
		r.out = mine[0].Data
	}
}

// request is one that a skill makes.
type request struct {
	method, url string
	header      http.Header
	body        []byte
	identity    json.RawMessage
	audience    string
	timeout     time.Duration
	pause       time.Duration
}

// post sends JSON and gives the body of a good answer, or what is wrong in the words
// of the indexer's history. It tries twice more after 502, 503 and 429.
func post(ctx context.Context, client Client, r request) (body []byte, message, details string) {
	for try := 0; ; try++ {
		status, body, message, details := once(ctx, client, r)
		switch status {
		case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusTooManyRequests:
		default:
			return body, message, details
		}
		if try == retries {
			return nil, message, details
		}
		select {
		case <-time.After(r.pause << try):
		case <-ctx.Done():
			return nil, requestFailed, context.Cause(ctx).Error()
		}
	}
}

func once(ctx context.Context, client Client, r request) (status int, body []byte, message, details string) {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	failed := func(err error) (int, []byte, string, string) {
		if errors.Is(err, context.DeadlineExceeded) {
			return 0, nil, timeLimit, fmt.Sprintf("The request took longer than %v.", r.timeout)
		}
		return 0, nil, requestFailed, err.Error()
	}
	req, err := http.NewRequestWithContext(ctx, r.method, r.url, bytes.NewReader(r.body))
	if err != nil {
		return failed(err)
	}
	req.Header = r.header.Clone()
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("Accept", "application/json")
	response, err := client.Do(ctx, r.identity, r.audience, req)
	if err != nil {
		return failed(err)
	}
	defer response.Body.Close()
	body, err = io.ReadAll(io.LimitReader(response.Body, maxResponse+1))
	switch {
	case err != nil:
		return failed(err)
	case response.StatusCode < 200 || response.StatusCode > 299:
		name := strings.ReplaceAll(http.StatusText(response.StatusCode), " ", "")
		return response.StatusCode, nil, requestFailed,
			fmt.Sprintf("Web Api response status: '%s', Web Api response details: '%s'", name, bounded(body))
	case len(body) > maxResponse:
		return 0, nil, responseInvalid, fmt.Sprintf("The response has more than %d bytes.", maxResponse)
	}
	if media, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type")); media != "application/json" {
		return 0, nil, responseInvalid, fmt.Sprintf("The response has the content type '%s', and 'application/json' is expected.", media)
	}
	return response.StatusCode, body, "", ""
}

// bounded is the beginning of a body, for a message.
func bounded(body []byte) string {
	const most = 4096
	return strings.ToValidUTF8(string(body[:min(len(body), most)]), "\uFFFD")
}

func decodeNumbers(raw []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	return dec.Decode(v)
}
