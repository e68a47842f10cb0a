package platform

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"sekisho/internal/arm"
	"sekisho/internal/entra"
	"sekisho/internal/services/compute"
	"sekisho/internal/services/imds"
	"sekisho/internal/store"
)

// control is the socket in the data directory by which commands of the same
// user reach the running instance. Its file mode is its protection.
type control struct {
	platform *Platform
	path     string
	listener net.Listener
	server   *http.Server
	ctx      context.Context
	stop     context.CancelFunc
	started  time.Time
}

// socketPath is where the control socket of a data directory is. Unix bounds
// such paths to about 100 bytes; a longer one moves below the system's
// temporary directory, under a name that both sides can tell.
func socketPath(data string) string {
	path := filepath.Join(data, "control.sock")
	if len(path) <= 100 {
		return path
	}
	sum := sha256.Sum256([]byte(data))
	return filepath.Join(os.TempDir(), fmt.Sprintf("sekisho-%d-%s", os.Getuid(), hex.EncodeToString(sum[:8])), "control.sock")
}

func (p *Platform) openControl() (*control, error) {
	path := socketPath(p.opts.Data)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || info.Mode().Perm()&0o022 != 0 {
		return nil, fmt.Errorf("%s is writable by others; the control socket needs a directory of its own", filepath.Dir(path))
	}
	os.Remove(path) // of a process that was killed; the lock says that it is gone
	ln, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	c := &control{platform: p, path: path, listener: ln, started: time.Now()}
	c.ctx, c.stop = context.WithCancel(context.Background())
	mux := http.NewServeMux()
	mux.HandleFunc("GET /environment", c.environment)
	mux.HandleFunc("POST /run", c.run)
	mux.HandleFunc("GET /audit", c.audit)
	mux.HandleFunc("GET /status", c.status)
	mux.HandleFunc("GET /backup", c.backUp)
	mux.HandleFunc("GET /hosts", c.hosts)
	mux.HandleFunc("GET /rbac", c.export)
	mux.HandleFunc("GET /tenants", c.tenants)
	mux.HandleFunc("POST /tenants", c.createTenant)
	mux.HandleFunc("GET /subscriptions", c.subscriptions)
	mux.HandleFunc("POST /subscriptions", c.createSubscription)
	mux.HandleFunc("GET /keys", c.vaultKeys)
	mux.HandleFunc("POST /keys", c.setVaultKey)
	c.server = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	if p.opts.Private {
		return c, nil
	}
	return c, announce(p.opts.Data)
}

func (c *control) serve() error {
	if err := c.server.Serve(c.listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// shutdown ends the runs that are under way: their identity goes with them.
func (c *control) shutdown(ctx context.Context) error {
	withdraw(c.platform.opts.Data)
	c.stop()
	err := c.server.Shutdown(ctx)
	if dir := filepath.Dir(c.path); dir != c.platform.opts.Data {
		os.Remove(dir) // made for the socket alone
	}
	return err
}

// Environment is what clients need to be pointed at this Sekisho.
type Environment struct {
	Addresses
	CA     string `json:"ca"`     // PEM file of the certificate authority
	Bundle string `json:"bundle"` // the same with the system's roots
}

func (p *Platform) environment() Environment {
	return Environment{p.Addresses(), filepath.Join(p.opts.Data, caFile), filepath.Join(p.opts.Data, bundleFile)}
}

// Environment is what clients need to be pointed at this Sekisho.
func (p *Platform) Environment() Environment { return p.environment() }

func (c *control) environment(w http.ResponseWriter, _ *http.Request) {
	json.NewEncoder(w).Encode(c.platform.environment())
}

// RunRequest asks for the identity of a machine, or of an application, for the
// length of the connection.
type RunRequest struct {
	VM               string `json:"vm,omitempty"`
	As               string `json:"as,omitempty"`         // the kind of host that the machine is, one of Hosts
	CloudShell       string `json:"cloudShell,omitempty"` // the user whose shell it is
	ServicePrincipal string `json:"servicePrincipal,omitempty"`
}

// Hosts are the kinds of hosts that a machine can be.
func Hosts() (names []string) {
	for _, host := range imds.Hosts {
		names = append(names, string(host))
	}
	return names
}

// Relay is a server that a run has beside its process.
type Relay = imds.Relay

// Run is what a run's process gets: variables of its environment and, on a
// machine, the relay that it asks for tokens.
type Run struct {
	Environment
	Variables map[string]string `json:"variables"`
	Relay     *Relay            `json:"relay,omitempty"`
	// Header and Secret are what the relay adds to a request.
	Header string `json:"header,omitempty"`
	Secret string `json:"secret,omitempty"`
}

func (c *control) run(w http.ResponseWriter, r *http.Request) {
	var in RunRequest
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	run, end, err := c.platform.Begin(r.Context(), in)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	defer end()
	if json.NewEncoder(w).Encode(run) != nil || http.NewResponseController(w).Flush() != nil {
		return
	}
	select {
	case <-r.Context().Done():
	case <-c.ctx.Done():
	}
}

// Begin gives a process an identity until end is called.
func (p *Platform) Begin(ctx context.Context, in RunRequest) (run Run, end func(), err error) {
	run = Run{Environment: p.environment(), Variables: map[string]string{}}
	switch {
	case in.VM != "":
		vm, err := p.findVM(ctx, in.VM)
		if err != nil {
			return run, nil, err
		}
		grant, end, err := p.identity.Begin(ctx, vm.ID, imds.Host(in.As), run.Identity)
		if err != nil {
			return run, nil, err
		}
		run.take(grant)
		return run, end, nil
	case in.CloudShell != "":
		user, err := p.directory.UserNamed(ctx, in.CloudShell)
		if err != nil {
			return run, nil, err
		}
		if user == nil {
			return run, nil, fmt.Errorf("there is no user %q", in.CloudShell)
		}
		grant, end := p.identity.BeginShell(user.ID)
		run.take(grant)
		return run, end, nil
	case in.As != "":
		return run, nil, fmt.Errorf("a host of the kind %q needs the machine that it is", in.As)
	case in.ServicePrincipal != "":
		sp, err := p.findApplication(ctx, in.ServicePrincipal)
		if err != nil {
			return run, nil, err
		}
		secret, end := p.directory.RunSecret(sp.AppID)
		run.Variables["AZURE_TENANT_ID"], run.Variables["AZURE_CLIENT_ID"], run.Variables["AZURE_CLIENT_SECRET"] = sp.Tenant, sp.AppID, secret
		return run, end, nil
	}
	return run, func() {}, nil
}

func (r *Run) take(g imds.Grant) {
	r.Header, r.Secret, r.Relay = imds.SecretHeader, g.Secret, g.Relay
	maps.Copy(r.Variables, g.Variables)
}

// findVM finds a virtual machine by name or id.
func (p *Platform) findVM(ctx context.Context, name string) (*arm.Resource, error) {
	all, err := p.manager.OfType(ctx, compute.VirtualMachine)
	if err != nil {
		return nil, err
	}
	var found []*arm.Resource
	for _, vm := range all {
		if strings.EqualFold(vm.Name, name) || strings.EqualFold(vm.ID, name) {
			found = append(found, vm)
		}
	}
	switch len(found) {
	case 0:
		return nil, fmt.Errorf("there is no virtual machine %q", name)
	case 1:
		return found[0], nil
	}
	return nil, fmt.Errorf("%d virtual machines are called %q; give the resource id, such as %s", len(found), name, found[0].ID)
}

// findApplication finds an application's service principal by display name,
// application id or object id.
func (p *Platform) findApplication(ctx context.Context, name string) (*entra.Principal, error) {
	all, err := p.directory.Applications(ctx)
	if err != nil {
		return nil, err
	}
	var found []*entra.Principal
	for _, sp := range all {
		if strings.EqualFold(sp.Name, name) || strings.EqualFold(sp.AppID, name) || strings.EqualFold(sp.ID, name) {
			found = append(found, sp)
		}
	}
	switch len(found) {
	case 0:
		return nil, fmt.Errorf("there is no service principal %q", name)
	case 1:
		return found[0], nil
	}
	return nil, fmt.Errorf("%d service principals are called %q; give the application id", len(found), name)
}

func (c *control) audit(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	filter := store.AuditFilter{Denied: q.Get("denied") == "true", Principal: q.Get("principal")}
	if since := q.Get("since"); since != "" {
		t, err := time.Parse(time.RFC3339Nano, since)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		filter.Since = t
	}
	entries, err := c.platform.audit.Query(r.Context(), filter)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	json.NewEncoder(w).Encode(entries)
}
