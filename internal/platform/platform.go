package platform

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"sekisho/internal/access"
	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/edge"
	"sekisho/internal/entra"
	"sekisho/internal/gate"
	"sekisho/internal/jobs"
	"sekisho/internal/services/authorization"
	"sekisho/internal/services/compute"
	"sekisho/internal/services/graph"
	"sekisho/internal/services/imds"
	"sekisho/internal/services/insights"
	"sekisho/internal/services/login"
	"sekisho/internal/services/machinelearning"
	"sekisho/internal/services/managedidentity"
	"sekisho/internal/services/management"
	"sekisho/internal/services/openai"
	"sekisho/internal/services/resources"
	"sekisho/internal/services/search"
	"sekisho/internal/services/search/extract"
	"sekisho/internal/services/storage"
	"sekisho/internal/services/storage/blob"
	"sekisho/internal/store"
)

// Options are what the command line says.
type Options struct {
	Data     string // data directory
	Listen   string // TLS, by server name
	Proxy    string // CONNECT proxy
	Identity string // managed identity endpoint
	Config   string // configuration file; may be empty
	Profile  string // ProfileAzure, or empty
	Log      *slog.Logger
	Now      func() time.Time // the clock; time.Now by default
	Private  bool             // commands find it by its data directory only
	// Reader starts a process that calls ReadFiles; by default it is this program,
	// with the argument ReaderCommand.
	Reader func() *exec.Cmd

	clock func() time.Time // Now, or nil where it is the computer's
}

// Default addresses: loopback only.
const (
	DefaultListen   = "127.0.0.1:4443"
	DefaultProxy    = "127.0.0.1:4480"
	DefaultIdentity = "127.0.0.1:4481"
)

// Platform is a running Sekisho.
type Platform struct {
	opts      Options
	store     *store.Store
	audit     *store.Audit
	activity  *store.Audit
	directory *entra.Directory
	grants    *access.Access
	manager   *arm.Manager
	reader    *arm.Reader
	registry  *arm.Registry
	identity  *imds.Server
	gate      *gate.Gate
	edge      *edge.Server
	ca        *edge.CA
	sealing   *store.Sealer
	gateway   *gateway
	blobs     *blob.Store
	search    *search.Search
	services  []api.Service
	jobs      *jobs.Jobs

	listeners [3]net.Listener // listen, proxy, identity
	plain     *http.Server    // identity
	control   *control
	closers   []func() error // in the order of opening
	cancel    context.CancelFunc
	running   sync.WaitGroup
	stopJobs  func() // ends the jobs, and waits for them
	failed    chan error
	backup    sync.Mutex // held while one is made
}

// Start opens the data directory and serves. What stands in the way is one
// error that says so and what to do, and nothing is changed.
func Start(ctx context.Context, o Options) (_ *Platform, err error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.clock = o.Now; o.Now == nil {
		o.Now = time.Now
	}
	if o.Reader == nil {
		o.Reader = reader
	}
	if o.Data, err = filepath.Abs(o.Data); err != nil {
		return nil, err
	}
	config, err := ReadConfig(o.Config)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	p := &Platform{opts: o, cancel: cancel, failed: make(chan error, 8), stopJobs: func() {}}
	defer func() {
		if err != nil {
			p.close()
		}
	}()
	if p.gateway, err = newGateway(o, config); err != nil {
		return nil, err
	}
	if err := p.listen(); err != nil {
		return nil, err
	}
	if err := p.open(ctx, config); err != nil {
		return nil, err
	}
	if err := p.assemble(config); err != nil {
		return nil, err
	}
	if err := p.createSample(ctx); err != nil {
		return nil, fmt.Errorf("sample environment: %w", err)
	}
	return p, p.serve(ctx)
}

// listen binds all addresses first, so that a port in use changes nothing.
func (p *Platform) listen() error {
	for i, l := range []struct{ address, flag string }{{p.opts.Listen, "--listen"}, {p.opts.Proxy, "--proxy"}, {p.opts.Identity, "--identity"}} {
		ln, err := net.Listen("tcp", l.address)
		if errors.Is(err, syscall.EADDRINUSE) {
			return fmt.Errorf("%s is in use by another process; stop it or give another address with %s", l.address, l.flag)
		}
		if err != nil {
			return fmt.Errorf("can't listen on %s (%s): %w", l.address, l.flag, err)
		}
		p.listeners[i] = ln
		p.closers = append(p.closers, func() error {
			if err := ln.Close(); !errors.Is(err, net.ErrClosed) {
				return err
			}
			return nil
		})
	}
	p.closers = append(p.closers, p.gateway.close)
	return p.gateway.listen()
}

// searchFolder of the data directory holds indexes made of documents.
const searchFolder = "search"

func (p *Platform) open(ctx context.Context, config Config) error {
	release, err := store.Lock(p.opts.Data)
	if err != nil {
		return err
	}
	p.closers = append(p.closers, func() error { release(); return nil })
	seal, err := store.OpenSealer(ctx, p.opts.Data, config.Keeper)
	if err != nil {
		return err
	}
	if p.store, err = store.Open(ctx, p.opts.Data); err != nil {
		return err
	}
	p.closers = append(p.closers, p.store.Close)
	if p.audit, err = store.OpenAudit(p.opts.Data, config.Audit.Retention); err != nil {
		return err
	}
	p.closers = append(p.closers, p.audit.Close)
	if p.activity, err = insights.Open(p.opts.Data); err != nil {
		return err
	}
	p.closers = append(p.closers, p.activity.Close)
	if p.directory, err = entra.New(ctx, p.store, seal, p.opts.Now); err != nil {
		return err
	}
	if err := p.directory.ReuseTokens(config.SignIn.ReuseTokens); err != nil {
		return err
	}
	if err := p.openBlobs(ctx, config.Blobs); err != nil {
		return err
	}
	p.ca, err = openCA(ctx, p.store, seal, p.opts.Data)
	p.sealing = seal
	return err
}

// assemble makes the rooms and gives each what it needs.
func (p *Platform) assemble(config Config) error {
	keys := arm.NewKeys(p.store, p.sealing)
	grants := access.New(p.store, access.Options{Now: p.opts.clock, Delay: p.propagation(config)})
	p.grants = grants
	ai := openai.New(keys, p.gateway.models, nil)
	p.gateway.attach(ai)
	types := []*arm.Type{arm.GroupType()}
	types = append(types, ai.Types()...)
	types = append(types, compute.Types()...)
	types = append(types, machinelearning.Types()...)
	blobs := storage.New(keys, storage.NewDelegation(p.store, p.sealing, p.directory), p.blobs, storage.Options{Now: p.opts.Now, Strict: p.opts.Profile == ProfileAzure})
	types = append(types, blobs.Types()...)
	find := search.New(p.store, keys, p.sealing, filepath.Join(p.opts.Data, searchFolder), p.opts.Now)
	p.closers = append(p.closers, find.Close)
	if reranker, err := config.Search.Reranker.open(); err != nil {
		return err
	} else if reranker != nil {
		p.closers = append(p.closers, func() error { reranker.Close(); return nil })
		find.RankWith(reranker)
	}
	p.search = find
	files := extract.New(readers, p.opts.Reader)
	p.closers = append(p.closers, func() error { files.Close(); return nil })
	p.jobs = jobs.New(p.store, p.opts.Now, p.opts.Log)
	find.RunIndexers(p.jobs, files, p.opts.Log)
	types = append(types, find.Types()...)
	types = append(types, managedidentity.Types(p.directory)...)
	p.registry = arm.NewRegistry(types...)
	p.reader = arm.NewReader(p.store, p.registry, keys)
	p.manager = arm.NewManager(p.store, p.registry, p.reader, p.directory, grants)
	blobs.Attach(p.manager, p.reader)
	find.Attach(p.manager, p.reader, &outbound{p: p, way: map[string]http.RoundTripper{}})
	ai.Attach(p.manager, p.reader, p.opts.Now)
	p.identity = imds.New(p.directory, p.reader, p.audit, p.opts.Log, func(s string) [32]byte { return p.sealing.Digest("run-secret", []byte(s)) })

	authority := authorization.New(p.store, grants, p.directory, p.manager, authorization.Options{Now: p.opts.Now, Strict: p.opts.Profile == ProfileAzure})
	p.services = []api.Service{
		insights.Recorded(arm.Service(
			p.manager.Operations(),
			resources.New(p.manager, p.registry, p.directory).Operations(),
			authority.Operations(),
			management.New(p.store, grants, p.manager).Operations(),
			insights.New(p.manager, p.activity, p.audit).Operations(),
			ai.ControlPlane(),
			blobs.ControlPlane(),
			find.ControlPlane(),
		), p.activity),
		ai.DataPlane(),
		machinelearning.DataPlane(p.reader),
		blobs.DataPlane(),
		blobs.Lake(),
		find.DataPlane(),
		authority.PDP(),
		login.New(p.directory, login.Options{PasswordGrant: config.SignIn.PasswordGrant}).Service(),
		graph.New(p.store, p.directory, p.opts.Now).Service(),
	}
	var err error
	p.gate, err = gate.New(gate.Config{
		Verifier: p.directory, Access: grants, Keys: p.reader, Tenants: p.reader, Audit: p.gateway.watch(p.audit), Log: p.opts.Log, Services: p.services,
	})
	if err != nil {
		return err
	}
	p.edge = edge.New(edge.Config{CA: p.ca, Resolver: p.reader, Handler: p.gate, RefuseOther: config.Proxy.OtherHosts == "refuse", Log: p.opts.Log})
	return nil
}

// work runs jobs, until stopJobs.
func (p *Platform) work(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	p.stopJobs = func() { cancel(); <-done }
	p.running.Go(func() {
		defer close(done)
		p.jobs.Run(ctx)
	})
}

// serve starts everything that runs by itself.
func (p *Platform) serve(ctx context.Context) error {
	var err error
	if err := p.jobs.Recover(ctx); err != nil { // both before anything runs that would have to be stopped
		return err
	}
	if p.control, err = p.openControl(); err != nil {
		return err
	}
	p.plain = &http.Server{Handler: p.identity, ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(p.opts.Log.Handler(), slog.LevelWarn)}
	p.background("TLS listener", func() error { return p.edge.Serve(p.listeners[0], nil) })
	p.background("proxy", func() error { return p.edge.ServeProxy(p.listeners[1]) })
	p.background("identity endpoint", func() error {
		if err := p.plain.Serve(p.listeners[2]); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	p.background("metrics", func() error { return p.gateway.serve(ctx) })
	p.background("telemetry", func() error { return p.gateway.send(ctx) })
	p.background("signing keys", func() error { return p.directory.Maintain(ctx) })
	p.background("notice of expiry", func() error { return p.tellOfExpiry(ctx) })
	p.background("blobs", func() error { return p.blobs.Run(ctx, p.opts.Log) })
	p.background("search", func() error { return p.search.Run(ctx, p.opts.Log) })
	p.background("control socket", p.control.serve)
	p.background("propagation", func() error { return p.grants.Follow(ctx) })
	p.work(ctx)
	return nil
}

func (p *Platform) background(what string, run func() error) {
	p.running.Go(func() {
		if err := run(); err != nil {
			p.failed <- fmt.Errorf("%s: %w", what, err)
		}
	})
}

// Failed tells of a part that stopped by itself; Sekisho should end then.
func (p *Platform) Failed() <-chan error { return p.failed }

// Addresses are where Sekisho listens.
type Addresses struct {
	Listen   string `json:"listen"`
	Proxy    string `json:"proxy"`
	Identity string `json:"identity"`
}

// Addresses are the bound addresses, with the ports that were chosen.
func (p *Platform) Addresses() Addresses {
	return Addresses{p.listeners[0].Addr().String(), p.listeners[1].Addr().String(), p.listeners[2].Addr().String()}
}

// Data is the data directory.
func (p *Platform) Data() string { return p.opts.Data }

// Shutdown drains: what is under way ends, up to ctx, then everything is
// written and closed. Jobs are left to the next start: they call what is about to
// close.
func (p *Platform) Shutdown(ctx context.Context) error {
	p.stopJobs()
	err := errors.Join(p.edge.Shutdown(ctx), p.plain.Shutdown(ctx), p.control.shutdown(ctx))
	return errors.Join(err, p.close())
}

func (p *Platform) close() error {
	p.cancel()
	p.running.Wait()
	var all []error
	for i := len(p.closers) - 1; i >= 0; i-- {
		all = append(all, p.closers[i]())
	}
	p.closers = nil
	return errors.Join(all...)
}

// kindCA is the store's kind of the certificate authority.
const kindCA = "certificateAuthority"

type caDocument struct {
	Sealed []byte `json:"sealed"`
}

// openCA opens the certificate authority, or makes it on the first start, and
// writes the files that clients trust it by.
func openCA(ctx context.Context, s *store.Store, seal *store.Sealer, dir string) (*edge.CA, error) {
	var ca *edge.CA
	err := s.Update(ctx, func(tx *store.Tx) error {
		doc, _, err := store.Load[caDocument](tx, kindCA, "root")
		switch {
		case errors.Is(err, store.ErrNotFound):
			if ca, err = edge.NewCA(time.Now()); err != nil {
				return err
			}
			plain, err := ca.Marshal()
			if err != nil {
				return err
			}
			if doc.Sealed, err = seal.Seal(kindCA, "root", plain); err != nil {
				return err
			}
			_, err = store.Save(tx, store.Record{Kind: kindCA, ID: "root"}, doc)
			return err
		case err != nil:
			return err
		}
		plain, err := seal.Open(kindCA, "root", doc.Sealed)
		if err != nil {
			return err
		}
		ca, err = edge.ParseCA(plain)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("certificate authority: %w", err)
	}
	bundle, err := edge.Bundle(ca)
	if err != nil {
		return nil, err
	}
	if err := writeFile(filepath.Join(dir, caFile), ca.CertificatePEM(), 0o644); err != nil {
		return nil, err
	}
	return ca, writeFile(filepath.Join(dir, bundleFile), bundle, 0o644)
}

// Files in the data directory that clients read.
const (
	caFile          = "ca.pem"
	bundleFile      = "ca-bundle.pem"
	credentialsFile = "credentials.json"
)

// writeFile replaces a file as a whole, so that a reader never sees half of it.
func writeFile(path string, data []byte, mode os.FileMode) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(data)
	if err = errors.Join(err, tmp.Chmod(mode), tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}
