package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"sekisho/internal/platform"
)

func key() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "key",
		Short: "Let customer-managed keys be used, or revoke them",
		Long: `Let customer-managed keys be used, or revoke them.

Key Vault has no data plane here yet. What is known of a key is whether it may
be used: an account of Microsoft.Storage that names one can't be read while it
may not. It encrypts nothing.`,
	}
	cmd.AddCommand(keySet("enable", "Let a key be used; it is made known if it is not", true),
		keySet("disable", "Revoke a key: what is under it can't be read until it is enabled", false), keyList())
	return cmd
}

func keySet(verb, short string, enabled bool) *cobra.Command {
	cmd := &cobra.Command{Use: verb + " VAULT-URI NAME", Short: short, Args: cobra.ExactArgs(2)}
	asksInstance(cmd, func(cmd *cobra.Command, client *platform.Client) (any, func(io.Writer) error, error) {
		args := cmd.Flags().Args()
		k, err := client.SetVaultKey(cmd.Context(), platform.VaultKey{Vault: args[0], Name: args[1], Enabled: enabled})
		return k, func(w io.Writer) error { return printKeys(w, []platform.VaultKey{k}) }, err
	})
	return cmd
}

func keyList() *cobra.Command {
	cmd := &cobra.Command{Use: "list", Short: "List the keys that are known", Args: cobra.NoArgs}
	asksInstance(cmd, func(cmd *cobra.Command, client *platform.Client) (any, func(io.Writer) error, error) {
		all, err := client.VaultKeys(cmd.Context())
		return all, func(w io.Writer) error { return printKeys(w, all) }, err
	})
	return cmd
}

func printKeys(out io.Writer, all []platform.VaultKey) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "VAULT\tKEY\tENABLED")
	for _, k := range all {
		fmt.Fprintf(w, "%s\t%s\t%v\n", k.Vault, k.Name, k.Enabled)
	}
	return w.Flush()
}
