package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"sekisho/internal/platform"
	"sekisho/rbac/export"
)

func rbacCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rbac",
		Short: "Ask who may do what, of the running instance or of an export of a tenant",
		Long: `Ask who may do what, of the running instance or of an export of a tenant.

Every verb takes --export DIR in place of the running instance. DIR holds, each
of them optional, what az prints with -o json:

  role-assignments.json   az role assignment list --all
  role-definitions.json   az role definition list
  deny-assignments.json   az rest --url ".../providers/
                            Microsoft.Authorization/denyAssignments
                            ?api-version=2022-04-01"
  management-groups.json  az account management-group entities list
  groups.json             [{"id", "displayName", "members": [{"id"}]}]
  principals.json         [{"id", "type", "displayName", "userPrincipalName",
                            "appId"}], for names

The built-in roles need not be in role-definitions.json.`,
		SuggestionsMinimumDistance: 2,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			said := fmt.Sprintf("rbac has no verb %q", args[0])
			if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
				said += " (is it " + strings.Join(near, " or ") + "?)"
			}
			return errors.New(said + "; see: sekisho rbac --help")
		},
	}
	cmd.AddCommand(rbacCheck(), rbacExplain(), rbacWhoCan(), rbacWhatCan(), rbacDiff(), rbacLeast(), rbacAssert(), rbacLint(), rbacExport())
	return cmd
}

// arguments demands arguments, by their names.
func arguments(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == len(names) {
			return nil
		}
		return fmt.Errorf("%s takes %s, not %s; see: %s --help", cmd.Name(), strings.Join(names, " "), number(len(args), "argument"), cmd.CommandPath())
	}
}

// source says which world a verb asks.
type source struct{ dir, data string }

// sourceFlags adds the flags that every verb of rbac has.
func sourceFlags(cmd *cobra.Command) *source {
	s := new(source)
	cmd.Flags().StringVar(&s.dir, "export", "", "directory with what az printed, in place of the running instance")
	cmd.Flags().StringVar(&s.data, "data", "", "data directory (default: that of the running instance)")
	cmd.MarkFlagsMutuallyExclusive("export", "data")
	return s
}

// openRBAC gives the world of an export's directory or, if none is named, that
// of the running instance.
func openRBAC(cmd *cobra.Command, dir, data string) (*export.Export, error) {
	if dir == "" {
		client, err := platform.Connect(cmd.Context(), data)
		if err != nil {
			return nil, fmt.Errorf("%w; or ask an export of a tenant with --export DIR", err)
		}
		return client.Export(cmd.Context())
	}
	if info, err := os.Stat(dir); err != nil {
		return nil, fmt.Errorf("--export: %w", err)
	} else if !info.IsDir() {
		return nil, fmt.Errorf("--export: %s is not a directory", dir)
	}
	found := false
	for _, name := range export.Files() {
		_, err := os.Stat(dir + "/" + name)
		found = found || err == nil
	}
	if !found {
		fmt.Fprintf(cmd.ErrOrStderr(), "sekisho: %s holds none of the files of an export, so nobody has a role in it; see: sekisho rbac --help\n", dir)
	}
	e, err := export.Read(os.DirFS(dir))
	if err != nil {
		return nil, fmt.Errorf("--export %s: %w", dir, err)
	}
	return e, nil
}
