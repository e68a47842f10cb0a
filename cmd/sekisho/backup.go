package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"sekisho/internal/platform"
	"sekisho/internal/store"
)

func backup() *cobra.Command {
	var data string
	cmd := &cobra.Command{
		Use:   "backup FILE",
		Short: "Write a backup (tar.gz) of the running instance, or of a stopped one",
		Long: `Write a backup (tar.gz) of the running instance, or of a stopped one.

The file holds the databases as of one moment, the keys that their secrets are
sealed under, and credentials.json: keep it as you keep those.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			m, err := platform.BackUp(cmd.Context(), data, args[0])
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: %s, data version %d, %d files, %s\n", args[0], m.Time.Local().Format("2006-01-02 15:04:05"),
				m.DataVersion, len(m.Files), size(m))
			return nil
		},
	}
	cmd.Flags().StringVar(&data, "data", "", "data directory (default: that of the running instance)")
	return cmd
}

// size is how much a backup restores to.
func size(m store.Manifest) string {
	var bytes int64
	for _, f := range m.Files {
		bytes += f.Size
	}
	if bytes < 1<<20 {
		return fmt.Sprintf("%d KiB", (bytes+1023)>>10)
	}
	return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20))
}
