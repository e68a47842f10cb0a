// Command sekisho is Azure's AI platform with its access control, self-hosted.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := root().ExecuteContext(ctx)
	var exit exitStatus
	switch {
	case err == nil:
	case errors.As(err, &exit):
		os.Exit(int(exit))
	default:
		fmt.Fprintln(os.Stderr, "sekisho: "+strings.ReplaceAll(err.Error(), "\n", "; "))
		os.Exit(1)
	}
}

// exitStatus ends the process with the status of a child, whose own words have
// been said.
type exitStatus int

func (e exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

func root() *cobra.Command {
	cmd := &cobra.Command{
		Use:           "sekisho",
		Short:         "Azure's AI platform with its access control, self-hosted",
		SilenceErrors: true, SilenceUsage: true,
	}
	// The words of a flag go on below themselves.
	cmd.SetUsageTemplate(strings.ReplaceAll(cmd.UsageTemplate(), ".FlagUsages", ".FlagUsagesWrapped 80"))
	cmd.AddCommand(up(), status(), env(), run(), demo(), audit(), cloudConfig(), hosts(), browse(), tenant(), subscription(), key(), backup(), restore(), reset(), rbacCommand(), version(), readFiles())
	return cmd
}
