package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"sekisho/internal/platform"
)

func run() *cobra.Command {
	var data string
	var in platform.RunRequest
	cmd := &cobra.Command{
		Use:   "run [--vm NAME | --as-sp NAME] -- COMMAND [ARGUMENT]...",
		Short: "Run a command in intercept mode, as if on a virtual machine or as a service principal",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := platform.Connect(cmd.Context(), data)
			if err != nil {
				return err
			}
			granted, end, err := client.Run(cmd.Context(), in)
			if err != nil {
				return err
			}
			defer end()
			if granted.Secret != "" {
				defer relayMetadata(granted)()
			}
			return execute(cmd, args, granted)
		},
	}
	f := cmd.Flags()
	f.SetInterspersed(false)
	f.StringVar(&data, "data", "", "data directory (default: that of the running instance)")
	f.StringVar(&in.VM, "vm", "", "virtual machine whose managed identities the command gets")
	f.StringVar(&in.ServicePrincipal, "as-sp", "", "service principal that the command signs in as")
	cmd.MarkFlagsMutuallyExclusive("vm", "as-sp")
	return cmd
}

func execute(cmd *cobra.Command, args []string, granted platform.Run) error {
	vars, err := intercept(granted.Environment)
	if err != nil {
		return err
	}
	child := exec.Command(args[0], args[1:]...)
	child.Stdin, child.Stdout, child.Stderr = os.Stdin, os.Stdout, os.Stderr
	child.Env = environment(os.Environ(), vars, granted.Variables)
	if err := child.Start(); err != nil {
		return err
	}
	// The terminal signals the child itself; other signals are passed on.
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)
	done := make(chan struct{})
	defer close(done)
	go func() {
		for {
			select {
			case s := <-signals:
				child.Process.Signal(s)
			case <-done:
				return
			}
		}
	}()
	err = child.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			return exitStatus(128 + int(status.Signal()))
		}
		return exitStatus(exit.ExitCode())
	}
	return err
}

// foreign are variables that would give the command another identity than the
// one that it runs with.
var foreign = []string{
	"AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_USERNAME", "AZURE_PASSWORD", "AZURE_FEDERATED_TOKEN_FILE",
	"IDENTITY_ENDPOINT", "IDENTITY_HEADER", "IDENTITY_SERVER_THUMBPRINT", "IMDS_ENDPOINT", "MSI_ENDPOINT", "MSI_SECRET",
}

func environment(before []string, vars []variable, granted map[string]string) []string {
	set := map[string]string{}
	for _, v := range vars {
		set[v.name] = v.value
	}
	for name, value := range granted {
		set[name] = value
	}
	after := slices.DeleteFunc(slices.Clone(before), func(line string) bool {
		name, _, _ := strings.Cut(line, "=")
		_, replaced := set[name]
		return replaced || len(granted) > 0 && slices.Contains(foreign, name)
	})
	for name, value := range set {
		after = append(after, name+"="+value)
	}
	return after
}

// metadataAddress is where clients look for the instance metadata service.
const metadataAddress = "169.254.169.254:80"

// relayMetadata serves the instance metadata service where its address can be
// bound: on a host or in a network namespace that was given the address. There,
// as on Azure, every process of the machine has its identity.
func relayMetadata(granted platform.Run) (end func()) {
	ln, err := net.Listen("tcp", metadataAddress)
	if err != nil {
		return func() {}
	}
	target := &url.URL{Scheme: "http", Host: granted.Identity}
	server := &http.Server{Handler: &httputil.ReverseProxy{
		Transport: &http.Transport{},
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			// What IMDS refuses must arrive for it to be refused.
			r.Out.Header["X-Forwarded-For"] = r.In.Header["X-Forwarded-For"]
			r.Out.Header.Set(granted.Header, granted.Secret)
		},
	}}
	go server.Serve(ln)
	return func() { server.Shutdown(context.Background()) }
}
