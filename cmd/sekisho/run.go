package main

import (
	"errors"
	"maps"
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
		Use:   "run [--vm NAME [--as HOST] | --cloud-shell USER | --as-sp NAME] -- COMMAND [ARGUMENT]...",
		Short: "Run a command in intercept mode, as if on a machine of Azure's or as a service principal",
		Long: `Run a command in intercept mode, with the managed identities of a virtual
machine, in the Cloud Shell of a user (whose tokens localhost:50342 then gives),
or as a service principal. How the command gets the tokens of a managed
identity is told by --as:

  app-service  IDENTITY_ENDPOINT and IDENTITY_HEADER
  ml-compute   MSI_ENDPOINT, MSI_SECRET and DEFAULT_IDENTITY_CLIENT_ID, of Azure ML compute
  vm           the instance metadata service, where 169.254.169.254 is an address of this machine
  arc          the agent of Azure Arc at localhost:40342, with its keys in /var/opt/azcmagent/tokens

Without --as it is app-service, and vm as well where that address can be bound.`,
		Args: cobra.MinimumNArgs(1),
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
			stop, err := relay(granted)
			if err != nil {
				return err
			}
			defer stop()
			return execute(cmd, args, granted)
		},
	}
	f := cmd.Flags()
	f.SetInterspersed(false)
	f.StringVar(&data, "data", "", "data directory (default: that of the running instance)")
	f.StringVar(&in.VM, "vm", "", "virtual machine whose managed identities the command gets")
	f.StringVar(&in.As, "as", "", "kind of host that the machine is: "+strings.Join(platform.Hosts(), ", "))
	f.StringVar(&in.CloudShell, "cloud-shell", "", "user principal name of the user whose Cloud Shell the command is in")
	f.StringVar(&in.ServicePrincipal, "as-sp", "", "service principal that the command signs in as")
	cmd.MarkFlagsMutuallyExclusive("vm", "cloud-shell", "as-sp")
	cmd.MarkFlagsMutuallyExclusive("as", "cloud-shell", "as-sp")
	return cmd
}

func execute(cmd *cobra.Command, args []string, granted platform.Run) error {
	vars, err := intercept(granted.Environment)
	if err != nil {
		return err
	}
	child := exec.Command(args[0], args[1:]...)
	child.Stdin, child.Stdout, child.Stderr = os.Stdin, os.Stdout, os.Stderr
	child.Env = environment(os.Environ(), vars, granted)
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
	"DEFAULT_IDENTITY_CLIENT_ID", "APPSETTING_WEBSITE_SITE_NAME", "AZURE_POD_IDENTITY_AUTHORITY_HOST",
	"ACC_CLOUD", "AZUREPS_HOST_ENVIRONMENT",
}

func environment(before []string, vars []variable, granted platform.Run) []string {
	set := map[string]string{}
	for _, v := range vars {
		set[v.name] = v.value
	}
	maps.Copy(set, granted.Variables)
	identified := granted.Relay != nil || len(granted.Variables) > 0
	after := slices.DeleteFunc(slices.Clone(before), func(line string) bool {
		name, _, _ := strings.Cut(line, "=")
		_, replaced := set[name]
		return replaced || identified && slices.Contains(foreign, name)
	})
	for name, value := range set {
		after = append(after, name+"="+value)
	}
	return after
}
