package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"sekisho/internal/platform"
	"sekisho/internal/store"
)

func audit() *cobra.Command {
	var data, since string
	var asJSON bool
	var filter store.AuditFilter
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Show what was allowed and refused, and why",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if since != "" {
				t, err := parseSince(since, time.Now())
				if err != nil {
					return err
				}
				filter.Since = t
			}
			client, err := platform.Connect(cmd.Context(), data)
			if err != nil {
				return err
			}
			entries, err := client.Audit(cmd.Context(), filter)
			if err != nil {
				return err
			}
			if asJSON {
				enc := json.NewEncoder(cmd.OutOrStdout())
				for _, e := range entries {
					if err := enc.Encode(e); err != nil {
						return err
					}
				}
				return nil
			}
			return printAudit(cmd.OutOrStdout(), entries)
		},
	}
	f := cmd.Flags()
	f.StringVar(&data, "data", "", "data directory (default: that of the running instance)")
	f.BoolVar(&filter.Denied, "denied", false, "refusals only")
	f.StringVar(&filter.Principal, "principal", "", "object id, application id or name of who called")
	f.StringVar(&since, "since", "", "a duration back from now (90m, 24h, 7d) or a time (RFC 3339)")
	f.BoolVar(&asJSON, "json", false, "one JSON object a line")
	return cmd
}

// parseSince reads a duration back from now, or a time.
func parseSince(s string, now time.Time) (time.Time, error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		var n int
		if _, err := fmt.Sscanf(days, "%d", &n); err == nil && n >= 0 {
			return now.AddDate(0, 0, -n), nil
		}
	}
	if d, err := time.ParseDuration(s); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	return time.Time{}, fmt.Errorf("--since %q is neither a duration (90m, 24h, 7d) nor a time (2026-11-23T06:00:00Z)", s)
}

func printAudit(w io.Writer, entries []store.Entry) error {
	if len(entries) == 0 {
		_, err := fmt.Fprintln(w, "no records")
		return err
	}
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "TIME\tDECISION\tWHO\tOPERATION\tACTION\tSCOPE\tDECIDED BY")
	for _, e := range entries {
		who := e.PrincipalName
		if who == "" {
			who = e.Credential
		}
		if e.OnBehalfOf != "" {
			who += " for " + cmp.Or(e.OnBehalfOfName, e.OnBehalfOf)
		}
		by := e.Role
		if e.Decision != store.Allowed {
			by = strings.TrimSuffix(e.Reason+": "+e.Cause, ": ")
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", e.Time.Local().Format("01-02 15:04:05"), e.Decision, who, e.Operation, shortAction(e.Action), shortScope(e.Scope), by)
		for _, a := range e.Also {
			fmt.Fprintf(t, "\t\t\t\t+ %s\t%s\t\n", shortAction(a.Action), shortScope(a.Scope))
		}
	}
	return t.Flush()
}

func shortAction(s string) string { return strings.TrimPrefix(s, "Microsoft.") }

// shortScope leaves the end of a scope, which tells it from its neighbours.
func shortScope(s string) string {
	parts := strings.Split(s, "/")
	if len(parts) <= 3 {
		return s
	}
	return "…/" + strings.Join(parts[len(parts)-2:], "/")
}
