package conformance

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// driven are the clients of the story by their accounts. What each of them drove is
// read from the audit log; a part of docs/COVERAGE.md is written from it.
type driven struct{ accounts, clients, packages []string }

func (d *driven) expect(account, client string) {
	d.accounts, d.clients = append(d.accounts, account), append(d.clients, client)
}

// audit reads the audit log.
func (w *blobWorld) audit() (records []auditRecord) {
	w.t.Helper()
	for line := range strings.Lines(w.cli("audit", "--json", "--data", w.data).ok()) {
		var r auditRecord
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			w.t.Fatalf("%v in %q", err, line)
		}
		records = append(records, r)
	}
	return records
}

// blobOperation is a row of the table of Blob storage in docs/COVERAGE.md: name,
// request and what it needs. What needs nothing (a browser's preflight) is not audited.
var blobOperation = regexp.MustCompile("(?m)^\\| (\\w+) \\| `[^`]+` \\| (?:`|a token)")

// compare demands that every operation of the table was driven, and that the page
// is what was seen.
func (d *driven) compare(t *testing.T, w *blobWorld, records []auditRecord) {
	t.Helper()
	if t.Failed() {
		return
	}
	by := map[string][]bool{} // operation: client
	for _, r := range records {
		i := slices.IndexFunc(d.accounts, func(account string) bool { return strings.Contains(r.Scope+"/", "/storageAccounts/"+account+"/") })
		if r.Service != "blob" || r.Decision != "Allowed" || i < 0 {
			continue
		}
		if by[r.Operation] == nil {
			by[r.Operation] = make([]bool, len(d.clients))
		}
		by[r.Operation][i] = true
	}
	for i, client := range d.clients {
		if !slices.ContainsFunc(records, func(r auditRecord) bool {
			return strings.Contains(r.Scope+"/", "/storageAccounts/"+d.accounts[i]+"/blobServices/")
		}) {
			t.Logf("%s was not chosen", client)
			return
		}
	}
	operations, err := coveragePage.Part("operations")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(operations, "\n### blob\n")
	table, _, _ = strings.Cut(table, "\n### ")
	columns := append([]string{"operation"}, d.clients...)
	text := strings.Join(d.packages, "") + "\n" + markdownRow(columns) + strings.Repeat("|---", len(columns)) + "|\n"
	var names []string
	for _, found := range blobOperation.FindAllStringSubmatch(table, -1) {
		if name := found[1]; !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, name := range names {
		cells := []string{name}
		for i := range d.clients {
			if by[name] != nil && by[name][i] {
				cells = append(cells, "✓")
			} else {
				cells = append(cells, "")
			}
		}
		if by[name] == nil {
			t.Errorf("no client drove %s", name)
		}
		text += markdownRow(cells)
	}
	if *update {
		err = coveragePage.Write("blob", text)
	} else if written, failed := coveragePage.Part("blob"); failed != nil || written != text {
		t.Errorf("%s is not what was seen (%v): run go test ./conformance -run EverySDK -update", coveragePage, failed)
	}
	if err != nil {
		t.Error(err)
	}
}
