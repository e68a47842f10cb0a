package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"sekisho/internal/platform"
	"sekisho/internal/store"
)

func restore() *cobra.Command {
	var data string
	var force bool
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Make a data directory of a backup",
		Long: `Make a data directory of a backup.

The whole backup is checked before anything is changed. A directory that an
instance runs on is refused; one that holds data, too, unless --force replaces
it: the old one is then kept beside it.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			m, aside, err := platform.Restore(cmd.Context(), args[0], data, force)
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			fmt.Fprintf(out, "%s: restored the backup of %s (Sekisho %s, data version %d)\n", data, m.Time.Local().Format("2006-01-02 15:04:05"), m.Sekisho, m.DataVersion)
			if aside != "" {
				fmt.Fprintf(out, "what was there is kept in %s\n", aside)
			}
			if !slices.ContainsFunc(m.Files, func(f store.ManifestFile) bool { return f.Name == "master.key" }) {
				fmt.Fprintln(out, "its key is wrapped by a key URL: start with the configuration that names it (keeper)")
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&data, "data", platform.DefaultData(), "data directory")
	cmd.Flags().BoolVar(&force, "force", false, "replace a directory that holds data, and keep the old one beside it")
	return cmd
}
