package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"sekisho/internal/platform"
)

// drain is how long calls that are under way may take to end.
const drain = 30 * time.Second

func up() *cobra.Command {
	o := platform.Options{}
	var verbose bool
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Start Sekisho and serve until SIGTERM",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Log = logger(cmd.ErrOrStderr(), verbose)
			hangup := make(chan os.Signal, 1)
			if o.Config != "" { // from before Start: a signal in the meantime must not end it
				signal.Notify(hangup, syscall.SIGHUP)
				defer signal.Stop(hangup)
			}
			p, err := platform.Start(cmd.Context(), o)
			if err != nil {
				return err
			}
			printAddresses(cmd.OutOrStdout(), p)
			fmt.Fprintln(cmd.OutOrStdout(), "ready")
			go giveBack(cmd.Context())
			go reloads(cmd.Context(), cmd.OutOrStdout(), o.Log, p, hangup)
			return serve(cmd.Context(), p)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Data, "data", platform.DefaultData(), "data directory")
	f.StringVar(&o.Listen, "listen", platform.DefaultListen, "address of the TLS listener")
	f.StringVar(&o.Proxy, "proxy", platform.DefaultProxy, "address of the HTTPS proxy")
	f.StringVar(&o.Identity, "identity", platform.DefaultIdentity, "address of the managed identity endpoint")
	f.StringVar(&o.Config, "config", "", "configuration file (YAML); SIGHUP reads it again")
	f.StringVar(&o.Profile, "profile", "", "azure: hold deployments to their capacity and let changes of roles wait, as Azure does")
	f.BoolVar(&verbose, "verbose", false, "log more")
	return cmd
}

func logger(w io.Writer, verbose bool) *slog.Logger {
	level := slog.LevelWarn
	if verbose {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level}))
}

func printAddresses(w io.Writer, p *platform.Platform) {
	a := p.Addresses()
	fmt.Fprintf(w, "data      %s\nproxy     http://%s\nlisten    https://%s\nidentity  http://%s\n", p.Data(), a.Proxy, a.Listen, a.Identity)
	if m := p.Metrics(); m != "" {
		fmt.Fprintf(w, "metrics   http://%s/metrics\n", m)
	}
}

// reloads reads the configuration again at each signal, until ctx ends.
func reloads(ctx context.Context, out io.Writer, log *slog.Logger, p *platform.Platform, signals <-chan os.Signal) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-signals:
		}
		if err := p.Reload(); err != nil {
			log.Error("the configuration was not reloaded; Sekisho serves on by the old one", "err", err)
			continue
		}
		fmt.Fprintln(out, "reloaded")
	}
}

// serve waits for the end, and drains.
func serve(ctx context.Context, p *platform.Platform) error {
	var failed error
	select {
	case <-ctx.Done():
	case failed = <-p.Failed():
	}
	ctx, cancel := context.WithTimeout(context.Background(), drain)
	defer cancel()
	if err := p.Shutdown(ctx); failed == nil {
		failed = err
	}
	return failed
}
