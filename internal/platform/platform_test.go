package platform

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// dataDir is a short path: control sockets bound theirs.
func dataDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "sk")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	t.Setenv("XDG_STATE_HOME", filepath.Join(dir, "state"))
	return filepath.Join(dir, "data")
}

func anyPort(data string) Options {
	return Options{Data: data, Listen: "127.0.0.1:0", Proxy: "127.0.0.1:0", Identity: "127.0.0.1:0", Reader: testReader}
}

func start(t *testing.T, o Options) *Platform {
	t.Helper()
	p, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return p
}

func TestFirstStartMakesTheSampleEnvironmentOnce(t *testing.T) {
	data := dataDir(t)
	p, err := Start(t.Context(), anyPort(data))
	if err != nil {
		t.Fatal(err)
	}
	first, err := os.ReadFile(filepath.Join(data, credentialsFile))
	if err != nil {
		t.Fatal(err)
	}
	if info, _ := os.Stat(filepath.Join(data, credentialsFile)); info.Mode().Perm() != 0o600 {
		t.Errorf("credentials.json has mode %v", info.Mode())
	}
	c, err := p.Credentials()
	if err != nil {
		t.Fatal(err)
	}
	all, err := p.manager.Below(t.Context(), "/subscriptions/"+c.SubscriptionID)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range all {
		names = append(names, r.Name)
	}
	slices.Sort(names)
	if got := strings.Join(names, " "); got != "ada aoai-sample gpt-35-turbo rg-sample vm-sample" {
		t.Errorf("sample: %s", got)
	}
	if err := p.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	start(t, anyPort(data))
	if again, err := os.ReadFile(filepath.Join(data, credentialsFile)); err != nil || string(again) != string(first) {
		t.Error("a second start wrote other credentials")
	}
}

// The contract of credentials.json.
func TestCredentialsHaveTheAgreedShape(t *testing.T) {
	raw, err := json.Marshal(Credentials{})
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"tenantId":"","subscriptionId":"","administrator":{"userPrincipalName":"","password":""},"automation":{"clientId":"","clientSecret":"","objectId":""}}`
	if string(raw) != want {
		t.Errorf("got %s", raw)
	}
}

func TestStartSaysWhatStandsInTheWayAndChangesNothing(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for name, c := range map[string]struct {
		change func(*Options)
		want   string
	}{
		"proxy port in use":      {func(o *Options) { o.Proxy = taken.Addr().String() }, "--proxy"},
		"listen port in use":     {func(o *Options) { o.Listen = taken.Addr().String() }, "--listen"},
		"identity port in use":   {func(o *Options) { o.Identity = taken.Addr().String() }, "--identity"},
		"no such address":        {func(o *Options) { o.Proxy = "nowhere:x" }, "--proxy"},
		"configuration missing":  {func(o *Options) { o.Config = "/nowhere/sekisho.yaml" }, "configuration"},
		"configuration not YAML": {func(o *Options) { o.Config = writeConfig(t, "models: {") }, "configuration"},
		"model key unset": {func(o *Options) {
			o.Config = writeConfig(t, "models: [{name: m, url: 'http://127.0.0.1:1/v1', apiKeyEnv: SEKISHO_TEST_UNSET}]")
		}, "SEKISHO_TEST_UNSET"},
	} {
		t.Run(name, func(t *testing.T) {
			o := anyPort(dataDir(t))
			c.change(&o)
			p, err := Start(t.Context(), o)
			if err == nil {
				p.Shutdown(context.Background())
				t.Fatal("it started")
			}
			if !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %q, want one line with %q", err, c.want)
			}
			if _, err := os.Stat(o.Data); !os.IsNotExist(err) {
				t.Error("the data directory was made")
			}
		})
	}
}

func TestADataDirectoryHasOneProcess(t *testing.T) {
	data := dataDir(t)
	start(t, anyPort(data))
	if p, err := Start(t.Context(), anyPort(data)); err == nil || !strings.Contains(err.Error(), "in use") {
		if p != nil {
			p.Shutdown(context.Background())
		}
		t.Errorf("got %v", err)
	}
}

func TestCommandsFindTheInstanceThatRuns(t *testing.T) {
	data := dataDir(t)
	if _, err := Connect(t.Context(), ""); err == nil {
		t.Error("none runs, but one was found")
	}
	p := start(t, anyPort(data))
	for _, named := range []string{"", data} {
		client, err := Connect(t.Context(), named)
		if err != nil {
			t.Fatal(err)
		}
		e, err := client.Environment(t.Context())
		if err != nil || e != p.Environment() {
			t.Errorf("got %+v, %v; want %+v", e, err, p.Environment())
		}
	}
	if _, err := Connect(t.Context(), dataDir(t)); err == nil {
		t.Error("another data directory answered")
	}
}

func TestALongDataDirectoryHasASocketTooThatLeavesNothingBehind(t *testing.T) {
	data := filepath.Join(dataDir(t), strings.Repeat("long-", 20), "data")
	t.Cleanup(func() { // runs after the shutdown
		if _, err := os.Stat(filepath.Dir(socketPath(data))); !os.IsNotExist(err) {
			t.Errorf("the socket's directory: %v", err)
		}
	})
	start(t, anyPort(data))
	if _, err := Connect(t.Context(), ""); err != nil {
		t.Error(err)
	}
}

// The identity of a run ends with the run.
func TestARunHasTheIdentityOfItsMachine(t *testing.T) {
	start(t, anyPort(dataDir(t)))
	client, err := Connect(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := client.Run(t.Context(), RunRequest{VM: "vm-none"}); err == nil || !strings.Contains(err.Error(), "vm-none") {
		t.Errorf("an unknown machine: %v", err)
	}
	if _, _, err := client.Run(t.Context(), RunRequest{ServicePrincipal: "nobody"}); err == nil || !strings.Contains(err.Error(), "nobody") {
		t.Errorf("an unknown service principal: %v", err)
	}
	run, end, err := client.Run(t.Context(), RunRequest{VM: "vm-sample"})
	if err != nil {
		t.Fatal(err)
	}
	ask := func() (int, string) {
		req, _ := http.NewRequest(http.MethodGet, run.Variables["IDENTITY_ENDPOINT"]+"?api-version=2019-08-01&resource=https://cognitiveservices.azure.com", nil)
		req.Header.Set("X-IDENTITY-HEADER", run.Variables["IDENTITY_HEADER"])
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(text)
	}
	if status, text := ask(); status != 400 || !strings.Contains(text, "Identity not found") {
		t.Errorf("before the machine has an identity: %d %s", status, text)
	}
	end()
	eventually(t, func() bool { status, _ := ask(); return status == 401 })
}

// eventually waits for what happens on another connection.
func eventually(t *testing.T, done func() bool) {
	t.Helper()
	for t.Context().Err() == nil {
		if done() {
			return
		}
	}
}
