package demo

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"

	"sekisho/internal/platform"
)

// client talks as any client in intercept mode does: by Azure's host names,
// over the proxy, trusting Sekisho's authority.
type client struct{ http *http.Client }

func newClient(e platform.Environment) (*client, error) {
	roots, err := os.ReadFile(e.CA)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(roots) {
		return nil, fmt.Errorf("%s holds no certificate", e.CA)
	}
	proxy := &url.URL{Scheme: "http", Host: e.Proxy}
	return &client{&http.Client{Timeout: time.Minute, Transport: &http.Transport{
		// The identity endpoint is plain http on this machine.
		Proxy: func(r *http.Request) (*url.URL, error) {
			if r.URL.Scheme == "https" {
				return proxy, nil
			}
			return nil, nil
		},
		TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true,
	}}}, nil
}

// request is one call of the story.
type request struct {
	method, url string
	header      http.Header
	body        any // JSON, or url.Values for a form
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	raw    []byte
	json   map[string]any
}

func (c *client) do(ctx context.Context, r request) (*answer, error) {
	var body io.Reader
	contentType := ""
	switch b := r.body.(type) {
	case nil:
	case url.Values:
		body, contentType = bytes.NewReader([]byte(b.Encode())), "application/x-www-form-urlencoded"
	default:
		raw, err := json.Marshal(b)
		if err != nil {
			return nil, err
		}
		body, contentType = bytes.NewReader(raw), "application/json"
	}
	req, err := http.NewRequestWithContext(ctx, r.method, r.url, body)
	if err != nil {
		return nil, err
	}
	for name, values := range r.header {
		req.Header[name] = values
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	a := &answer{status: resp.StatusCode, header: resp.Header}
	if a.raw, err = io.ReadAll(resp.Body); err != nil {
		return nil, err
	}
	json.Unmarshal(a.raw, &a.json) // an answer need not be JSON
	return a, nil
}

// at reads a member of the answer by its path; "" if it is not there.
func (a *answer) at(path ...string) string {
	var v any = a.json
	for _, name := range path {
		switch t := v.(type) {
		case map[string]any:
			v = t[name]
		case []any:
			if len(t) == 0 {
				return ""
			}
			v = t[0]
			if m, ok := v.(map[string]any); ok {
				v = m[name]
			}
		default:
			return ""
		}
	}
	s, _ := v.(string)
	return s
}
