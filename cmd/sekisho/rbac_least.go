package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sekisho/internal/ask"
	"sekisho/internal/platform"
	"sekisho/internal/store"
	"sekisho/rbac"
	"sekisho/rbac/export"
	"sekisho/rbac/review"
)

const auditFile = "audit.jsonl"

func rbacLeast() *cobra.Command {
	var since, principal string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "least",
		Short: "Propose the fewest rights that cover what was used",
		Long: `Propose the fewest rights that cover what was used, and tell what is granted for
nothing. What was used is in the audit log: the calls that were allowed.

For each principal there are built-in roles, without any one of which some call
would fail, and one custom role that grants just what was used. A role is to be
assigned at the resource that it was used of; where the principal made that
resource itself, at what holds it, since nothing can be assigned at what is not
there yet. Of all ways to cover what was used, the one is proposed whose roles
grant the fewest operations of the catalogue at the widest scope, then at the
next. Beside it stands the role that people are usually given, where that is
another. A custom role with data actions cannot be assigned at a management group.

With --export DIR the audit log is DIR/audit.jsonl, which this writes:

  sekisho audit --since 30d --json > DIR/audit.jsonl`,
		Example: `  sekisho rbac least --since 7d --principal automation`,
		Args:    cobra.NoArgs,
	}
	from := sourceFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&since, "since", "30d", "a duration back from now (90m, 24h, 7d) or a time (RFC 3339)")
	f.StringVar(&principal, "principal", "", "only this one: an object id or a name")
	f.BoolVar(&asJSON, "json", false, "one JSON object")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		start, err := parseSince(since, time.Now())
		if err != nil {
			return err
		}
		e, err := openRBAC(cmd, from.dir, from.data)
		if err != nil {
			return err
		}
		id := ""
		if principal != "" {
			if id, err = e.Find(principal); err != nil {
				return err
			}
		}
		uses, err := readUses(cmd, from, start)
		if err != nil {
			return err
		}
		least := review.New(e.World).Least(uses, id)
		ask.PutUsual(&least)
		return tellReview(cmd, e, asJSON, least, func(p *page, e *export.Export, l review.Least) {
			drawLeast(p, e, l, start)
		})
	}
	return cmd
}

// readUses reads the audit log of the running instance, or of an export.
func readUses(cmd *cobra.Command, from *source, since time.Time) (uses []review.Use, err error) {
	if from.dir == "" {
		client, err := platform.Connect(cmd.Context(), from.data)
		if err != nil {
			return nil, err
		}
		entries, err := client.Audit(cmd.Context(), store.AuditFilter{Since: since})
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			uses = append(uses, usesOf(e)...)
		}
		return uses, nil
	}
	file, err := os.Open(filepath.Join(from.dir, auditFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s has no %s, which says what was used; write it with: sekisho audit --since 30d --json > %s", from.dir, auditFile, filepath.Join(from.dir, auditFile))
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		var e store.Entry
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return nil, fmt.Errorf("%s: line %d: %w", file.Name(), n, err)
		}
		if !e.Time.Before(since) {
			uses = append(uses, usesOf(e)...)
		}
	}
	return uses, lines.Err()
}

func drawLeast(p *page, e *export.Export, l review.Least, since time.Time) {
	if len(l.Needs) == 0 {
		p.line(span(dim, "nothing was used since "+since.Local().Format("2006-01-02 15:04")))
	}
	for _, n := range l.Needs {
		drawNeed(p, e, n)
	}
	if len(l.Unused) > 0 {
		p.between(span(bold, "UNUSED"), span(dim, "nobody used any operation of these since "+since.Local().Format("2006-01-02 15:04")))
		for i, a := range l.Unused {
			branch, stem := twigs(i, len(l.Unused))
			p.line(span(dim, branch), span(cyan, a.Role), span("", " of "+e.NameOf(a.Principal)))
			p.line(span(dim, stem+"at "+tail(string(a.Scope), p.width-9)))
			p.line(span(dim, stem+tail(a.ID, p.width-6)))
		}
	}
}

func drawNeed(p *page, e *export.Export, n review.Need) {
	p.between(span(bold, e.NameOf(n.Principal)), span(dim, number(len(n.Uses), "distinct call")))
	for i, h := range n.Held {
		branch, stem := twigs(i, len(n.Held))
		drawWay(p, e, branch, stem, h.Way, fmt.Sprintf("holds, used %d of %d", h.Used, h.Granted))
	}
	p.row("is enough", span(dim, "built-in roles, without any one of which a call fails"))
	for i, g := range n.Grants {
		branch, stem := twigs(i, len(n.Grants))
		p.between(span("", branch), span(cyan, g.Role), span(dim, number(g.Operations, "operation")))
		p.branch(stem, span(dim, "at "+tail(string(g.Scope), p.width-10)))
		told := map[string]bool{}
		for _, u := range g.For {
			if !told[u.Action] {
				p.branch(stem, span("", "for "+tail(u.Action, p.width-12)))
			}
			told[u.Action] = true
		}
		if len(g.Usual) > 0 {
			p.line(span(dim, stem), span("", "or "), span(cyan, strings.Join(g.Usual, " and ")), span(dim, ", as is usual"))
		}
	}
	for _, u := range n.Missing {
		p.line(span(red, "✗ "), span("", "no built-in role grants "+u.Action))
	}
	if !n.Exact {
		p.line(span(dim, "there were too many to search all; a smaller choice may exist"))
	}
	permission := n.Custom.Role.Permissions[0]
	var counts []string
	if len(permission.Actions) > 0 {
		counts = append(counts, number(len(permission.Actions), "action"))
	}
	if len(permission.DataActions) > 0 {
		counts = append(counts, number(len(permission.DataActions), "data action"))
	}
	p.row("or custom", span(dim, fmt.Sprintf("one role of %s, at %s; --json has it", strings.Join(counts, " and "), number(len(n.Custom.Scopes), "scope"))))
	for _, s := range n.Custom.Scopes {
		p.line(span(dim, strings.Repeat(" ", 12)), span(dim, tail(string(s), p.width-16)))
	}
	for _, s := range n.Custom.Unassignable {
		p.hanging("", "Azure takes no such role at "+string(s)+": a custom role with data actions cannot be assigned at a management group, and none at the root")
	}
	p.blank()
}

// usesOf are the rights that a call took.
func usesOf(e store.Entry) []review.Use {
	one := review.Use{Time: e.Time, Principal: e.Principal, PrincipalName: e.PrincipalName, Method: e.Method, Action: e.Action,
		Data: e.Data, Scope: rbac.Scope(e.Scope), Decision: e.Decision, Assignment: e.Assignment}
	uses := []review.Use{one}
	for _, a := range e.Also {
		also := one
		also.Action, also.Data, also.Scope, also.Assignment = a.Action, a.Data, rbac.Scope(a.Scope), a.Assignment
		uses = append(uses, also)
	}
	return uses
}
