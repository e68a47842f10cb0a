package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
)

func rbacExport() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "export DIR",
		Short: "Write everything that decides to a directory that --export reads",
		Args:  arguments("DIR"),
	}
	from := sourceFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		e, err := openRBAC(cmd, from.dir, from.data)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(args[0], 0o700); err != nil {
			return err
		}
		if err := e.Write(func(name string) (io.WriteCloser, error) {
			return os.OpenFile(filepath.Join(args[0], name), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
		}); err != nil {
			return err
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%s: %d role assignments, %d role definitions, %d deny assignments, %d principals\n", args[0],
			len(e.World.Assignments), len(e.World.Roles), len(e.World.Denies), len(e.Principals))
		return nil
	}
	return cmd
}
