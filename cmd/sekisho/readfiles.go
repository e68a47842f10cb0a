package main

import (
	"os"

	"github.com/spf13/cobra"

	"sekisho/internal/platform"
)

// readFiles is for Sekisho itself: it reads the files of indexers in processes of
// their own.
func readFiles() *cobra.Command {
	return &cobra.Command{
		Use:    platform.ReaderCommand,
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE:   func(*cobra.Command, []string) error { return platform.ReadFiles(os.Stdin, os.Stdout) },
	}
}
