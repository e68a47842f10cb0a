package platform

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"sekisho/internal/edge"
	"sekisho/internal/store"
)

// Client is a command's way to the running instance.
type Client struct {
	data string
	http *http.Client
}

// Connect finds the instance of a data directory or, if data is empty, the one
// that is running.
func Connect(ctx context.Context, data string) (*Client, error) {
	if data == "" {
		var err error
		if data, err = findRunning(ctx); err != nil {
			return nil, err
		}
	}
	data, err := filepath.Abs(data)
	if err != nil {
		return nil, err
	}
	c := dial(data)
	if !c.alive(ctx) {
		return nil, fmt.Errorf("no Sekisho is running on %s; start it with: sekisho up --data %s", data, data)
	}
	return c, nil
}

func dial(data string) *Client {
	path := socketPath(data)
	return &Client{data, &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}}}}
}

func (c *Client) alive(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second) // one that runs may be slow to say so
	defer cancel()
	_, err := c.Environment(ctx)
	return err == nil
}

func (c *Client) do(ctx context.Context, method, path string, in any) (*http.Response, error) {
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://control"+path, body)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 4096))
		return nil, errors.New(strings.TrimSpace(string(text)))
	}
	return resp, nil
}

// Environment is what clients need to be pointed at the instance.
func (c *Client) Environment(ctx context.Context) (e Environment, err error) {
	resp, err := c.do(ctx, http.MethodGet, "/environment", nil)
	if err != nil {
		return e, err
	}
	defer resp.Body.Close()
	return e, json.NewDecoder(resp.Body).Decode(&e)
}

// BypassesAzure tells whether an entry of NO_PROXY would take a client's calls
// to Azure past Sekisho, to the real one.
func BypassesAzure(entry string) bool { return edge.Bypasses(entry) }

// Run asks for an identity. It lasts until end is called, or this process ends.
func (c *Client) Run(ctx context.Context, in RunRequest) (run Run, end func(), err error) {
	ctx, cancel := context.WithCancel(ctx)
	resp, err := c.do(ctx, http.MethodPost, "/run", in)
	if err != nil {
		cancel()
		return run, nil, err
	}
	end = func() { cancel(); resp.Body.Close() }
	if err := json.NewDecoder(resp.Body).Decode(&run); err != nil {
		end()
		return run, nil, err
	}
	return run, end, nil
}

// Audit reads audit records, oldest first.
func (c *Client) Audit(ctx context.Context, f store.AuditFilter) (entries []store.Entry, err error) {
	q := url.Values{"principal": {f.Principal}}
	if f.Denied {
		q.Set("denied", "true")
	}
	if !f.Since.IsZero() {
		q.Set("since", f.Since.UTC().Format(time.RFC3339Nano))
	}
	resp, err := c.do(ctx, http.MethodGet, "/audit?"+q.Encode(), nil)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return entries, json.NewDecoder(resp.Body).Decode(&entries)
}

// The instances that run are announced in the user's state directory, a file
// for each data directory, so that commands find them without being told.

func stateHome() string {
	if dir := os.Getenv("XDG_STATE_HOME"); dir != "" {
		return dir
	}
	home, err := os.UserHomeDir()
	if err != nil {
		home = os.TempDir()
	}
	return filepath.Join(home, ".local", "state")
}

// DefaultData is the data directory when none is named.
func DefaultData() string {
	if dir := os.Getenv("XDG_DATA_HOME"); dir != "" {
		return filepath.Join(dir, "sekisho")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		home = os.TempDir()
	}
	return filepath.Join(home, ".local", "share", "sekisho")
}

func runningDir() string { return filepath.Join(stateHome(), "sekisho", "running") }

func announcement(data string) string {
	sum := sha256.Sum256([]byte(data))
	return filepath.Join(runningDir(), hex.EncodeToString(sum[:8]))
}

func announce(data string) error {
	if err := os.MkdirAll(runningDir(), 0o700); err != nil {
		return err
	}
	return writeFile(announcement(data), []byte(data), 0o600)
}

func withdraw(data string) { os.Remove(announcement(data)) }

// findRunning finds the instance that runs; of several, the last started.
func findRunning(ctx context.Context) (string, error) {
	entries, err := os.ReadDir(runningDir())
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	started := func(e os.DirEntry) time.Time {
		if info, err := e.Info(); err == nil {
			return info.ModTime()
		}
		return time.Time{}
	}
	slices.SortFunc(entries, func(a, b os.DirEntry) int { return started(b).Compare(started(a)) })
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(runningDir(), e.Name()))
		if err == nil && dial(string(data)).alive(ctx) {
			return string(data), nil
		}
	}
	return "", errors.New("no Sekisho is running; start one with: sekisho up")
}
