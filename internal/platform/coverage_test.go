package platform

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"sekisho/internal/api"
	"sekisho/internal/coverage"
)

var update = flag.Bool("update", false, "write the operations of docs/COVERAGE.md")

const coveragePage coverage.Page = "../../docs/COVERAGE.md"

// tables are those of the services of a platform as it runs.
func tables(t *testing.T) []api.Service {
	t.Helper()
	data, err := os.MkdirTemp("", "sk")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(data) })
	p, err := Start(context.Background(), Options{Data: data, Listen: "127.0.0.1:0", Proxy: "127.0.0.1:0", Identity: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Shutdown(context.Background()) })
	return p.services
}

// The operations of the coverage page are what the tables say: each with the
// action that it needs and the document that says so.
func TestCoveragePageIsCurrent(t *testing.T) {
	text := operationsPart(tables(t))
	if *update {
		if err := coveragePage.Write("operations", text); err != nil {
			t.Fatal(err)
		}
	}
	written, err := coveragePage.Part("operations")
	if err != nil {
		t.Fatal(err)
	}
	if written != text {
		t.Error("docs/COVERAGE.md is not what the tables say: run go test ./internal/platform -run Coverage -update")
	}
}

func operationsPart(services []api.Service) string {
	var b strings.Builder
	b.WriteString("\n## Operations\n\nEvery operation that Sekisho serves, the action it asks Azure RBAC for, and the source that names it.\nMade from the services' tables by `go test ./internal/platform -run Coverage -update`.\n")
	for _, s := range services {
		fmt.Fprintf(&b, "\n### %s\n\n", s.Name)
		if len(s.Audiences) > 0 {
			fmt.Fprintf(&b, "Token audiences: %s\n\n", strings.Join(s.Audiences, ", "))
		}
		b.WriteString("| operation | request | needs | keys | source |\n|---|---|---|---|---|\n")
		ops := slices.Clone(s.Operations)
		slices.SortStableFunc(ops, func(a, b api.Operation) int {
			return cmp.Or(strings.Compare(a.Pattern, b.Pattern), strings.Compare(a.Method, b.Method))
		})
		for _, op := range ops {
			fmt.Fprintf(&b, "| %s | `%s %s` | %s | %s | %s |\n", op.Name, op.Method, op.Pattern, needs(op), keys(op), op.Source)
		}
	}
	return b.String()
}

func needs(op api.Operation) string {
	switch {
	case op.Open:
		return "nothing"
	case !op.Permission.Empty():
		text := "one of " + strings.Join(op.Permission.Roles, ", ")
		if roles := op.Permission.DirectoryRoles; len(roles) > 0 {
			text += "; or as " + strings.Join(roles, ", ")
		}
		return text
	case op.Also != nil:
		return "what the call on the object by its id needs"
	case op.Action == "":
		return "a token"
	}
	plane := ""
	if op.Data {
		plane = " (data)"
	}
	text := "`" + op.Action + "`" + plane
	if len(op.Further) > 0 {
		text += "; as the request says, `" + strings.Join(op.Further, "`, `") + "`" + plane
	}
	return text
}

func keys(op api.Operation) string {
	if op.Keys {
		return "yes"
	}
	return ""
}
