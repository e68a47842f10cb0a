package main

import (
	"encoding/json"
	"fmt"
	"net"

	"github.com/spf13/cobra"

	"sekisho/internal/platform"
)

// cloudConfig prints what `az cloud register --cloud-config` takes, so that az
// knows Sekisho by its own name. The Graph endpoint has no flag of its own there.
func cloudConfig() *cobra.Command {
	var data string
	var adfs bool
	cmd := &cobra.Command{
		Use:   "cloud-config",
		Short: "Print the configuration of az cloud register --cloud-config, for Sekisho's own name",
		Long: `Print the configuration of az cloud register, for Sekisho's own name:

  sekisho cloud-config --adfs > cloud.json
  az cloud register -n Sekisho --cloud-config @cloud.json && az cloud set -n Sekisho

With --adfs the authority ends in /adfs, and az does no instance discovery. Without,
set AZURE_CORE_INSTANCE_DISCOVERY=false. In both, REQUESTS_CA_BUNDLE names the bundle
in the data directory.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			e, err := environmentOf(cmd.Context(), data)
			if err != nil {
				return err
			}
			enc := json.NewEncoder(cmd.OutOrStdout())
			enc.SetIndent("", "  ")
			return enc.Encode(cloudOf(e, adfs))
		},
	}
	cmd.Flags().StringVar(&data, "data", "", "data directory (default: that of the running instance)")
	cmd.Flags().BoolVar(&adfs, "adfs", false, "use the authority that needs no instance discovery to be switched off")
	return cmd
}

// ownName is the URL of Sekisho's own name: localhost, if it listens there.
func ownName(e platform.Environment) string {
	host, port, err := net.SplitHostPort(e.Listen)
	if err != nil {
		return "https://" + e.Listen
	}
	if ip := net.ParseIP(host); ip != nil && (ip.IsLoopback() || ip.IsUnspecified()) {
		host = "localhost"
	}
	if port == "443" {
		return "https://" + host
	}
	return "https://" + net.JoinHostPort(host, port)
}

type cloud struct {
	Endpoints map[string]string `json:"endpoints"`
	Suffixes  map[string]string `json:"suffixes"`
}

func cloudOf(e platform.Environment, adfs bool) cloud {
	own := ownName(e)
	authority := own
	if adfs {
		authority += "/adfs"
	}
	return cloud{
		Endpoints: map[string]string{
			"activeDirectory": authority, "activeDirectoryResourceId": "https://management.core.windows.net/",
			"activeDirectoryGraphResourceId": own + "/", "microsoftGraphResourceId": own + "/",
			"resourceManager": own, "management": own, "gallery": own,
		},
		// Of data planes az knows suffixes only; under an own name they are paths.
		Suffixes: map[string]string{"storageEndpoint": "core.windows.net", "keyvaultDns": ".vault.azure.net"},
	}
}

// hosts prints the lines of a hosts file, for clients that can be given neither
// a proxy nor another endpoint.
func hosts() *cobra.Command {
	var data string
	cmd := &cobra.Command{
		Use:   "hosts",
		Short: "Print hosts file lines that lead Azure's names to Sekisho (with --listen ADDRESS:443)",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := platform.Connect(cmd.Context(), data)
			if err != nil {
				return err
			}
			e, err := client.Environment(cmd.Context())
			if err != nil {
				return err
			}
			names, err := client.Hosts(cmd.Context())
			if err != nil {
				return err
			}
			address, port, err := net.SplitHostPort(e.Listen)
			if err != nil {
				return err
			}
			if ip := net.ParseIP(address); ip == nil || ip.IsUnspecified() {
				address = "127.0.0.1"
			}
			if port != "443" {
				fmt.Fprintf(cmd.ErrOrStderr(), "sekisho: clients ask Azure's names on port 443, and this Sekisho listens on %s; start it with --listen %s:443\n", port, address)
			}
			for _, name := range names {
				fmt.Fprintf(cmd.OutOrStdout(), "%s %s\n", address, name)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&data, "data", "", "data directory (default: that of the running instance)")
	return cmd
}
