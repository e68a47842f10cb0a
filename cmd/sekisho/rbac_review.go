package main

import (
	"io"

	"github.com/spf13/cobra"

	"sekisho/internal/answer"
	"sekisho/internal/ask"
	"sekisho/rbac/export"
	"sekisho/rbac/review"
)

// tellReview prints an answer by draw, or as JSON with the names of the ids.
func tellReview[T any](cmd *cobra.Command, e *export.Export, asJSON bool, told T, draw func(*page, *export.Export, T)) error {
	out := cmd.OutOrStdout()
	if asJSON {
		names := map[string]string{}
		for id, p := range e.Principals {
			names[id] = p.Name()
		}
		return printJSON(out, answer.Review[T]{Answer: told, Names: names})
	}
	p := pageFor(out)
	draw(p, e, told)
	_, err := io.WriteString(out, p.text.String())
	return err
}

func rbacWhoCan() *cobra.Command {
	var data, asJSON bool
	cmd := &cobra.Command{
		Use:   "who-can ACTION SCOPE",
		Short: "List who may do an action at a scope, and by which role and group",
		Long: `List who may do an action at a scope, and by which role and group.

Members of groups are listed each; a group stands for those of its members that
are not known. Who may do it only if a condition holds is marked, and who may not
because of a deny assignment is listed apart.`,
		Example: `  sekisho rbac who-can Microsoft.CognitiveServices/accounts/listKeys/action /subscriptions/5b…/resourceGroups/rg`,
		Args:    arguments("ACTION", "SCOPE"),
	}
	from := sourceFlags(cmd)
	cmd.Flags().BoolVar(&data, "data-action", false, "ask for a data action (default: what the catalogue of operations says that ACTION is)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		e, err := openRBAC(cmd, from.dir, from.data)
		if err != nil {
			return err
		}
		action, scope := args[0], args[1]
		if err := ask.CheckAction(action); err != nil {
			return err
		}
		at, err := ask.ReadScope(scope)
		if err != nil {
			return err
		}
		if !cmd.Flags().Changed("data-action") {
			data = ask.DataOnly(action)
		}
		return tellReview(cmd, e, asJSON, review.New(e.World).WhoCan(action, data, at), drawWho)
	}
	return cmd
}

func rbacWhatCan() *cobra.Command {
	var all, asJSON bool
	cmd := &cobra.Command{
		Use:   "what-can PRINCIPAL SCOPE",
		Short: "List what a principal may do at a scope, and by which roles",
		Long: `List what a principal may do at a scope, and by which roles.

What may be done is written as a role would write it, over the catalogue of
operations and less what deny assignments take away; --operations lists every
operation by its provider. What depends on a condition is listed apart.`,
		Example: `  sekisho rbac what-can ann@contoso.com /subscriptions/5b…/resourceGroups/rg`,
		Args:    arguments("PRINCIPAL", "SCOPE"),
	}
	from := sourceFlags(cmd)
	cmd.Flags().BoolVar(&all, "operations", false, "list every operation")
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object, with every operation")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		e, err := openRBAC(cmd, from.dir, from.data)
		if err != nil {
			return err
		}
		id, err := e.Find(args[0])
		if err != nil {
			return err
		}
		at, err := ask.ReadScope(args[1])
		if err != nil {
			return err
		}
		return tellReview(cmd, e, asJSON, review.New(e.World).WhatCan(id, at), func(p *page, e *export.Export, w review.What) {
			drawWhat(p, e, w)
			if all {
				drawProviders(p, w.Providers)
			}
		})
	}
	return cmd
}
