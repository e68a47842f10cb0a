package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sekisho/internal/platform"
)

func status() *cobra.Command {
	var data string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show what is running, what there is, and what was refused last",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := platform.Connect(cmd.Context(), data)
			if err != nil {
				return err
			}
			s, err := client.Status(cmd.Context())
			if err != nil {
				return err
			}
			if asJSON {
				enc := json.NewEncoder(cmd.OutOrStdout())
				enc.SetIndent("", "  ")
				return enc.Encode(s)
			}
			return printStatus(cmd.OutOrStdout(), s, time.Now())
		},
	}
	cmd.Flags().StringVar(&data, "data", "", "data directory (default: that of the running instance)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object")
	return cmd
}

// printStatus draws on a terminal, and writes plain text elsewhere.
func printStatus(w io.Writer, s platform.Status, now time.Time) error {
	p := pageFor(w)
	drawStatus(p, s, now)
	_, err := io.WriteString(w, p.text.String())
	return err
}

func drawStatus(p *page, s platform.Status, now time.Time) {
	p.between(span(bold, "Sekisho "+s.Version), span(green, "● running"), span(dim, "for "+age(now.Sub(s.Since))+", since "+s.Since.Local().Format("2006-01-02 15:04:05")))
	p.rule()
	for _, row := range [][2]string{{"data", s.Data}, {"profile", s.Profile}, {"proxy", "http://" + s.Proxy}, {"listen", "https://" + s.Listen}, {"identity", "http://" + s.Identity}} {
		p.line(span(dim, fmt.Sprintf("%-10s", row[0])), span("", row[1]))
	}
	p.blank()
	c := s.Counts
	p.columns(
		[]string{"DIRECTORY", count(c.Tenants, "tenant"), count(c.ServicePrincipals, "service principal"), count(c.ManagedIdentities, "managed identity"), count(c.RoleAssignments, "role assignment")},
		[]string{"RESOURCES", count(c.Subscriptions, "subscription"), count(c.ResourceGroups, "resource group"), count(c.VirtualMachines, "virtual machine")},
		[]string{"AI", count(c.Accounts, "account"), count(c.Deployments, "deployment")},
	)
	p.blank()
	drawLastHour(p, s.LastHour)
	p.blank()
	drawExpiring(p, s.Expiring, now)
	if len(s.Denials) == 0 {
		p.line(span(bold, "LAST REFUSALS"), span(dim, "  none"))
		return
	}
	p.between(span(bold, "LAST REFUSALS"), span(dim, "all of them: sekisho audit --denied"))
	for _, d := range s.Denials {
		drawDenial(p, d, now)
	}
}

// drawExpiring warns of credentials of applications that end soon.
func drawExpiring(p *page, all []platform.Expiring, now time.Time) {
	if len(all) == 0 {
		return
	}
	p.line(span(bold, "ENDING SOON"), span(dim, "  az ad app credential reset --id APP --append"))
	for _, e := range all {
		when := span(red, "ended "+age(now.Sub(e.End))+" ago")
		if e.End.After(now) {
			when = span("", "in "+age(e.End.Sub(now)))
		}
		p.between(span("", e.Kind+" "+e.Name), span(dim, e.Application+" "+e.AppID), when)
	}
	p.blank()
}

// drawLastHour draws how the calls were decided, as a bar over the whole width.
func drawLastHour(p *page, h platform.LastHour) {
	allowed, refused := fmt.Sprintf("%d allowed", h.Allowed), fmt.Sprintf("%d refused", h.Refused)
	p.line(span(bold, "LAST HOUR"), span("", "  "), span(green, allowed), span("", "  "), span(red, refused))
	if all := h.Allowed + h.Refused; all > 0 {
		full := p.width - 2
		part := full * h.Refused / all
		if h.Refused > 0 {
			part = max(part, 1) // one refusal among many is seen
		}
		p.line(span(green, strings.Repeat("━", full-part)), span(red, strings.Repeat("╍", part)))
	}
}

func drawDenial(p *page, d platform.Denial, now time.Time) {
	who := cmp.Or(d.PrincipalName, "("+cmp.Or(d.Credential, "no credential")+")")
	at := d.Time.Local().Format("15:04:05")
	if now.Sub(d.Time) >= 24*time.Hour {
		at = d.Time.Local().Format("01-02 15h")
	}
	p.between(span(dim, at+"  "), span("", who+"  "), span(red, d.Reason))
	where := ""
	if d.Scope != "" {
		where = " at " + shortScope(d.Scope)
	}
	p.line(span("", indent+d.Operation), span(dim, where))
	if d.Action != "" {
		p.line(span("", indent), span(dim, "needs "), span("", tail(d.Action, p.width-len(indent)-len("needs ")-2)))
	}
	p.paragraph(indent, span(dim, resourceID.ReplaceAllStringFunc(d.Cause, shortScope)))
	if d.SmallestRole != "" {
		p.line(span("", indent), span(dim, "smallest role: "), span(cyan, d.SmallestRole))
	}
}

// indent is where a denial's lines stand below its time.
const indent = "          "

var resourceID = regexp.MustCompile(`/subscriptions/[^ ,;]+`)

// count is a number and what it counts, in the plural where it must be.
func count(n int, what string) string {
	if n != 1 {
		if stem, ok := strings.CutSuffix(what, "y"); ok {
			what = stem + "ies"
		} else {
			what += "s"
		}
	}
	return fmt.Sprintf("%4d %s", n, what)
}

// age is a duration in its two largest units.
func age(d time.Duration) string {
	d = max(d, 0)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	case d < 24*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d d %d h", int(d.Hours())/24, int(d.Hours())%24)
}
