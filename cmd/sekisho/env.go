package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"sekisho/internal/platform"
)

func env() *cobra.Command {
	var data string
	cmd := &cobra.Command{
		Use:   "env",
		Short: `Print the export lines of intercept mode: eval "$(sekisho env)"`,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			e, err := environmentOf(cmd.Context(), data)
			if err != nil {
				return err
			}
			vars, err := intercept(e)
			if err != nil {
				return err
			}
			for _, v := range vars {
				fmt.Fprintf(cmd.OutOrStdout(), "export %s=%s\n", v.name, quote(v.value))
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&data, "data", "", "data directory (default: that of the running instance)")
	return cmd
}

// environmentOf asks the running instance how clients are pointed at it.
func environmentOf(ctx context.Context, data string) (platform.Environment, error) {
	client, err := platform.Connect(ctx, data)
	if err != nil {
		return platform.Environment{}, err
	}
	return client.Environment(ctx)
}

type variable struct{ name, value string }

// intercept is the environment of intercept mode: the proxy, and what makes
// clients trust its certificates. Nothing else of a client changes.
func intercept(e platform.Environment) ([]variable, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	proxy := "http://" + e.Proxy
	vars := []variable{
		{"HTTPS_PROXY", proxy},
		{"NO_PROXY", noProxy(os.Getenv("NO_PROXY"))},
		{"REQUESTS_CA_BUNDLE", e.Bundle}, // Python requests, az
		{"SSL_CERT_FILE", e.Bundle},      // Go, OpenSSL, Python httpx
		{"CURL_CA_BUNDLE", e.Bundle},
		{"NODE_EXTRA_CA_CERTS", e.CA},
		{"BROWSER", quote(self) + " browse %s"},
	}
	// A lower-case variable that is set would win over ours in most clients.
	for name, value := range map[string]string{"https_proxy": proxy, "no_proxy": vars[1].value} {
		if os.Getenv(name) != "" {
			vars = append(vars, variable{name, value})
		}
	}
	return vars, nil
}

// noProxy is what the user has, and this machine's own addresses. An entry for
// hosts of Azure is left out: a user's key must not reach the real one.
func noProxy(before string) string {
	hosts := []string{"localhost", "127.0.0.1", "::1", "169.254.169.254"}
	for host := range strings.SplitSeq(before, ",") {
		if host = strings.TrimSpace(host); host != "" && !platform.BypassesAzure(host) && !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	return strings.Join(hosts, ",")
}

// quote makes a word for a POSIX shell.
func quote(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:,@%+=") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
