package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	internaldemo "sekisho/internal/demo"
	"sekisho/internal/platform"
)

func demo() *cobra.Command {
	var data string
	var exit bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Tell the keyless story on a fresh Sekisho, then stay up for your own clients",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			terminal := isatty.IsTerminal(os.Stdout.Fd())
			return tellDemo(cmd.Context(), cmd.OutOrStdout(), data, terminal, exit || !terminal)
		},
	}
	cmd.Flags().StringVar(&data, "data", "", "data directory (default: a new one, removed at the end)")
	cmd.Flags().BoolVar(&exit, "exit", false, "leave when the story is told")
	return cmd
}

func tellDemo(ctx context.Context, w io.Writer, data string, color, exit bool) (err error) {
	if data == "" {
		if data, err = os.MkdirTemp("", "sekisho-demo-"); err != nil {
			return err
		}
		defer os.RemoveAll(data)
	}
	p, err := platform.Start(ctx, platform.Options{Data: data, Listen: free(platform.DefaultListen), Proxy: free(platform.DefaultProxy),
		Identity: free(platform.DefaultIdentity), Log: logger(os.Stderr, false)})
	if err != nil {
		return err
	}
	printAddresses(w, p)
	if err := internaldemo.Tell(ctx, w, color, p); err != nil || exit {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		return errors.Join(err, p.Shutdown(ctx))
	}
	printYourTurn(w, p)
	return serve(ctx, p)
}

// free is the address itself, or its host with any port if that one is taken.
func free(address string) string {
	ln, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		host, _, _ := net.SplitHostPort(address)
		return net.JoinHostPort(host, "0")
	}
	if err == nil {
		ln.Close()
	}
	return address
}

func printYourTurn(w io.Writer, p *platform.Platform) {
	self := os.Args[0]
	credentials := filepath.Join(p.Data(), "credentials.json")
	c, err := p.Credentials()
	if err != nil {
		return
	}
	account := "/subscriptions/" + c.SubscriptionID + "/resourceGroups/rg-sample/providers/Microsoft.CognitiveServices/accounts/aoai-sample"
	fmt.Fprintf(w, `
Sekisho stays up until Ctrl-C. Your turn, in another shell:

  eval "$(%[1]s env)"          # intercept mode: proxy and CA, nothing else
  export OPENAI_API_BASE=https://aoai-sample.openai.azure.com/

Azure CLI:
  az login --service-principal --tenant %[2]s -u %[3]s \
    -p "$(sed -n 's/.*"clientSecret": "\(.*\)".*/\1/p' %[4]s)"
  az rest -m patch --uri "%[5]s?api-version=2023-05-01" --body '{"properties":{"disableLocalAuth":"true"}}'

Python (pip install openai==0.28.1 azure-identity), as on a machine with a managed identity:
  %[1]s run --vm vm-sample -- python3 aoai.py

Go, as the automation service principal:
  %[1]s run --as-sp automation -- go run .      # azidentity.NewDefaultAzureCredential(nil)

What was decided, and why:
  %[1]s audit --denied
`, self, c.TenantID, c.Automation.ClientID, credentials, account)
}
