package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"sekisho/internal/platform"
)

func reset() *cobra.Command {
	var data string
	var yes bool
	cmd := &cobra.Command{
		Use:   "reset --yes",
		Short: "Delete all data of a stopped instance; the next start makes a new sample environment",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !yes {
				return fmt.Errorf("this deletes all data in %s, its keys among it, for good; say --yes if that is meant (sekisho backup keeps a copy)", data)
			}
			left, bucket, err := platform.Reset(data)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: deleted\n", data)
			if len(left) > 0 {
				fmt.Fprintf(cmd.OutOrStdout(), "not Sekisho's, and left there: %s\n", strings.Join(left, ", "))
			}
			if bucket != "" {
				fmt.Fprintf(cmd.OutOrStdout(), "its blobs are still in %s\n", bucket)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&data, "data", platform.DefaultData(), "data directory")
	cmd.Flags().BoolVar(&yes, "yes", false, "delete")
	return cmd
}
