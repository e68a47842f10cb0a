package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"sekisho/rbac/export"
	"sekisho/rbac/review"
)

const exitFindings exitStatus = 2

func rbacLint() *cobra.Command {
	var asJSON, exitCode bool
	cmd := &cobra.Command{
		Use:   "lint",
		Short: "Look for assignments and roles that are broken, unsafe or untidy",
		Long: `Look for role assignments, conditions and custom roles that are broken, unsafe or
untidy. Each finding names the document that says so.

  condition-syntax      a condition does not parse, so it never holds
  condition-attribute   it names an attribute that no document has
  condition-ambiguous   AND and OR stand side by side without parentheses
  condition-denylist    it forbids roles by name: a new custom role is none of them
  condition-partial     it filters an action, and not another that does the same
  unknown-role          an assignment of a role that is not there
  unknown-action        a custom role names what no provider has
  wildcard-data-action  a custom role has data actions with a star
  redundant-assignment  another assignment gives all that this one does
  too-many-owners       a subscription has more than three Owners
  limit                 a limit of Azure's is reached to four fifths`,
		Args: cobra.NoArgs,
	}
	from := sourceFlags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object")
	cmd.Flags().BoolVar(&exitCode, "exit-code", false, "end with 2 if there is an error or a warning")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		e, err := openRBAC(cmd, from.dir, from.data)
		if err != nil {
			return err
		}
		findings := review.New(e.World).Lint()
		if err := tellReview(cmd, e, asJSON, findings, drawFindings); err != nil {
			return err
		}
		if exitCode && len(findings) > 0 && findings[0].Severity != review.Note { // the gravest is first
			return exitFindings
		}
		return nil
	}
	return cmd
}

func drawFindings(p *page, _ *export.Export, findings []review.Finding) {
	if len(findings) == 0 {
		p.line(span(green, "● "), span("", "nothing found"))
		return
	}
	counts := map[review.Severity]int{}
	for _, f := range findings {
		counts[f.Severity]++
		color := map[review.Severity]string{review.Error: red, review.Warning: cyan, review.Note: dim}[f.Severity]
		p.between(span(color, string(f.Severity)+"  "), span(bold, f.Rule), span(dim, ""))
		p.line(span("", "  "+tail(f.Place, p.width-6)))
		p.paragraph("  ", span("", f.Why))
		p.paragraph("  ", span(dim, f.Source))
		p.blank()
	}
	p.line(span("", fmt.Sprintf("%s, %s, %s", number(counts[review.Error], "error"), number(counts[review.Warning], "warning"), number(counts[review.Note], "note"))))
}
