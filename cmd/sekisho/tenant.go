package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"sekisho/internal/platform"
)

func tenant() *cobra.Command {
	cmd := &cobra.Command{Use: "tenant", Short: "Make tenants, and list them"}
	cmd.AddCommand(tenantCreate(), tenantList())
	return cmd
}

func tenantCreate() *cobra.Command {
	var in platform.TenantRequest
	cmd := &cobra.Command{
		Use:   "create --name NAME --domain DOMAIN",
		Short: "Make a tenant with its administrator, whose password is shown this once",
		Args:  cobra.NoArgs,
	}
	f := cmd.Flags()
	f.StringVar(&in.Name, "name", "", "display name, such as Fabrikam")
	f.StringVar(&in.Domain, "domain", "", "domain of its users, such as fabrikam.com; fabrikam.onmicrosoft.com goes with it")
	f.StringVar(&in.Admin, "admin", "", "user principal name of the Global Administrator (default: admin@DOMAIN)")
	cmd.MarkFlagRequired("name")
	cmd.MarkFlagRequired("domain")
	asksInstance(cmd, func(cmd *cobra.Command, client *platform.Client) (any, func(io.Writer) error, error) {
		t, err := client.CreateTenant(cmd.Context(), in)
		return t, func(w io.Writer) error { return printNewTenant(w, t) }, err
	})
	return cmd
}

func tenantList() *cobra.Command {
	cmd := &cobra.Command{Use: "list", Short: "List the tenants", Args: cobra.NoArgs}
	asksInstance(cmd, func(cmd *cobra.Command, client *platform.Client) (any, func(io.Writer) error, error) {
		all, err := client.Tenants(cmd.Context())
		return all, func(w io.Writer) error { return printTenants(w, all) }, err
	})
	return cmd
}

func printNewTenant(w io.Writer, t platform.Tenant) error {
	_, err := fmt.Fprintf(w, "tenant         %s  %s\ndomains        %s\nadministrator  %s\npassword       %s  (shown this once; the first sign-in asks for another)\n",
		t.ID, t.Name, strings.Join(t.Domains, ", "), t.Administrator.UserPrincipalName, t.Administrator.Password)
	return err
}

func printTenants(out io.Writer, all []platform.Tenant) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tTENANT ID\tDOMAINS")
	for _, t := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\n", t.Name, t.ID, strings.Join(t.Domains, ", "))
	}
	return w.Flush()
}

// asksInstance makes a command one that asks the running instance, and prints
// what it answers: for people, or as JSON.
func asksInstance(cmd *cobra.Command, ask func(*cobra.Command, *platform.Client) (answer any, print func(io.Writer) error, err error)) {
	var data string
	var asJSON bool
	cmd.Flags().StringVar(&data, "data", "", "data directory (default: that of the running instance)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "JSON")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		client, err := platform.Connect(cmd.Context(), data)
		if err != nil {
			return err
		}
		answer, print, err := ask(cmd, client)
		if err != nil {
			return err
		}
		if asJSON {
			enc := json.NewEncoder(cmd.OutOrStdout())
			enc.SetIndent("", "  ")
			return enc.Encode(answer)
		}
		return print(cmd.OutOrStdout())
	}
}
