package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"sekisho/internal/platform"
)

func subscription() *cobra.Command {
	cmd := &cobra.Command{Use: "subscription", Short: "Make subscriptions, and list them"}
	cmd.AddCommand(subscriptionCreate(), subscriptionList())
	return cmd
}

func subscriptionCreate() *cobra.Command {
	var in platform.SubscriptionRequest
	cmd := &cobra.Command{
		Use:   "create --name NAME --tenant TENANT --owner WHO",
		Short: "Make a subscription of a tenant, and its Owner",
		Long: `Make a subscription of a tenant, and its Owner.

It is empty, below the tenant's root management group, and no resource provider
is registered in it but those that always are, as in a new one of Azure's.`,
		Args: cobra.NoArgs,
	}
	f := cmd.Flags()
	f.StringVar(&in.Name, "name", "", "display name")
	f.StringVar(&in.Tenant, "tenant", "", "id, domain or name of the tenant (not needed where there is one)")
	f.StringVar(&in.Owner, "owner", "", "user principal name, or object id of a user, group or service principal")
	cmd.MarkFlagRequired("name")
	cmd.MarkFlagRequired("owner")
	asksInstance(cmd, func(cmd *cobra.Command, client *platform.Client) (any, func(io.Writer) error, error) {
		s, err := client.CreateSubscription(cmd.Context(), in)
		return s, func(w io.Writer) error { return printSubscriptions(w, []platform.Subscription{s}) }, err
	})
	return cmd
}

func subscriptionList() *cobra.Command {
	cmd := &cobra.Command{Use: "list", Short: "List the subscriptions of all tenants", Args: cobra.NoArgs}
	asksInstance(cmd, func(cmd *cobra.Command, client *platform.Client) (any, func(io.Writer) error, error) {
		all, err := client.Subscriptions(cmd.Context())
		return all, func(w io.Writer) error { return printSubscriptions(w, all) }, err
	})
	return cmd
}

func printSubscriptions(out io.Writer, all []platform.Subscription) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tSUBSCRIPTION ID\tSTATE\tTENANT\tTENANT ID")
	for _, s := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", s.Name, s.ID, s.State, s.TenantName, s.Tenant)
	}
	return w.Flush()
}
