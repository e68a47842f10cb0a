package conformance

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// driven are the clients of a story. What each of them drove is read from the audit
// log; a part of docs/COVERAGE.md is written from it.
type driven struct {
	part, service, provider string // the part, and the operations: of a service of Sekisho's, for one provider or all
	clients                 []drivenClient
	packages                []string
}

// drivenClient is a column: a client, which records are its own, and the operations
// that it has no calls for; if none is named, nothing is said of those it did not drive.
type drivenClient struct {
	name  string
	its   func(auditRecord) bool
	lacks []string
}

func (d *driven) expect(client string, its func(auditRecord) bool, lacks ...string) {
	d.clients = append(d.clients, drivenClient{client, its, lacks})
}

// uses tells the versions of a client's packages.
func (d *driven) uses(t *testing.T, client string, pins []pin) {
	d.packages = append(d.packages, "- **"+client+"**: "+pinned(t, pins)+"\n")
}

// below are the records of what is below a resource.
func below(resource string) func(auditRecord) bool {
	return func(r auditRecord) bool { return strings.Contains(r.Scope+"/", resource+"/") }
}

// auditedOperation is a row of a service's table in docs/COVERAGE.md: name, request
// and what it needs. What needs nothing (a browser's preflight) is not audited.
var auditedOperation = regexp.MustCompile("(?m)^\\| (\\w+) \\| `([^`]+)` \\| (?:`|a token)")

// operations are those of the table that the clients are to drive.
func (d *driven) operations(t *testing.T) (names []string) {
	t.Helper()
	page, err := coveragePage.Part("operations")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(page, "\n### "+d.service+"\n")
	table, _, _ = strings.Cut(table, "\n### ")
	for _, found := range auditedOperation.FindAllStringSubmatch(table, -1) {
		if name := found[1]; strings.Contains(found[2], d.provider) && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// compare demands that every operation of the table was driven, and that the page
// is what was seen.
func (d *driven) compare(t *testing.T, records []auditRecord) {
	t.Helper()
	if t.Failed() {
		return
	}
	records = slices.DeleteFunc(slices.Clone(records), func(r auditRecord) bool {
		return r.Service != d.service || !strings.HasPrefix(r.Action, d.provider)
	})
	by := map[string][]bool{} // operation: client
	for i, c := range d.clients {
		chosen := false
		for _, r := range records {
			if !c.its(r) {
				continue
			}
			chosen = true
			if by[r.Operation] == nil {
				by[r.Operation] = make([]bool, len(d.clients))
			}
			by[r.Operation][i] = by[r.Operation][i] || r.Decision == "Allowed"
		}
		if !chosen {
			t.Logf("%s was not chosen", c.name)
			return
		}
	}
	columns := []string{"operation"}
	for _, c := range d.clients {
		columns = append(columns, c.name)
	}
	text := strings.Join(d.packages, "") + "\n" + markdownRow(columns) + strings.Repeat("|---", len(columns)) + "|\n"
	for _, name := range d.operations(t) {
		cells := []string{name}
		for i, c := range d.clients {
			cell := ""
			if by[name] != nil && by[name][i] {
				cell = "✓"
			}
			if c.lacks != nil && slices.Contains(c.lacks, name) == (cell != "") {
				t.Errorf("%s: %s drove it: %t", name, c.name, cell != "")
			}
			cells = append(cells, cell)
		}
		if !slices.Contains(by[name], true) {
			t.Errorf("no client drove %s", name)
		}
		text += markdownRow(cells)
	}
	if *update {
		if err := coveragePage.Write(d.part, text); err != nil {
			t.Error(err)
		}
	} else if written, failed := coveragePage.Part(d.part); failed != nil || written != text {
		t.Errorf("%s is not what was seen (%v): run go test ./conformance -run EverySDK -update", coveragePage, failed)
	}
}
