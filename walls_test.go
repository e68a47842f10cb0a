// Package sekisho_test holds the walls of the house: which room may import
// which.
package sekisho_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

// rooms may import the rooms named, and nothing else of the module. A room is
// the longest prefix that matches; "services" stands for each service by
// itself, so that no service imports another.
var rooms = map[string][]string{
	"rbac":            {},
	"rbac/builtin":    {"rbac"},
	"rbac/operations": {"rbac", "rbac/builtin"}, // its generator reads the roles
	"rbac/review":     {"rbac", "rbac/operations"},
	"rbac/export":     {"rbac", "rbac/builtin"},
	"internal/api":    {"rbac"},
	"internal/store":  {},
	"internal/jobs":   {"internal/store"},
	"internal/odata":  {},
	"internal/model":  {},
	"internal/entra":  {"internal/api", "internal/store", "rbac"},
	"internal/access": {"internal/entra", "internal/api", "internal/store", "rbac", "rbac/builtin", "rbac/operations"},
	"internal/edge":   {"internal/api", "rbac"},
	"internal/gate":   {"internal/api", "internal/store", "rbac"},
	"internal/arm":    {"internal/access", "internal/entra", "internal/odata", "internal/api", "internal/store", "rbac"},
	"internal/services": {"internal/arm", "internal/gate", "internal/model", "internal/access", "internal/entra", "internal/odata",
		"internal/answer", "internal/jobs", "internal/api", "internal/store", "rbac", "rbac/operations", "rbac/review"},
	// metrics is told by services and the gate; platform introduces them.
	"internal/metrics": {"internal/services", "internal/store"},
	// platform alone imports every room.
	"internal/platform": {"internal/metrics", "internal/services", "internal/edge", "internal/gate", "internal/arm", "internal/jobs", "internal/model", "internal/access",
		"internal/entra", "internal/api", "internal/store", "rbac", "rbac/export"},
	// servicetest is a world for tests: what they need of platform, without
	// listeners.
	"internal/servicetest": {"internal/services", "internal/gate", "internal/arm", "internal/jobs", "internal/model", "internal/access", "internal/entra", "internal/api", "internal/store", "rbac"},
	// crashtest is a process to kill, for tests of what keeps data.
	"internal/crashtest": {},
	"internal/coverage":  {},
	"internal/demo":      {"internal/platform"},
	"sekishotest":        {"internal/platform"},
	"internal/answer":    {"rbac", "rbac/operations"},
	"internal/ask":       {"internal/answer", "rbac", "rbac/builtin", "rbac/export", "rbac/operations", "rbac/review"},
	"cmd/sekisho":        {"internal/platform", "internal/demo", "internal/store", "internal/answer", "internal/ask", "rbac", "rbac/builtin", "rbac/export", "rbac/operations", "rbac/review"},
}

// stdlibOnly are the rooms without any dependency.
var stdlibOnly = []string{"rbac", "rbac/builtin", "rbac/operations", "rbac/export", "rbac/review"}

type goPackage struct {
	ImportPath string
	Imports    []string
}

func packages(t *testing.T) []goPackage {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []goPackage
	dec := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p goPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// room is the room that a package is in.
func room(path string) string {
	for path != "" {
		if _, ok := rooms[path]; ok {
			return path
		}
		path = path[:max(0, strings.LastIndex(path, "/"))]
	}
	return ""
}

func TestRoomsImportOneWay(t *testing.T) {
	for _, p := range packages(t) {
		path := strings.TrimPrefix(p.ImportPath, "sekisho/")
		from := room(path)
		if from == "" {
			if path != "sekisho" && !strings.HasPrefix(path, "conformance") {
				t.Errorf("%s is in no room: add it to the rooms with what it may import", path)
			}
			continue
		}
		for _, imported := range p.Imports {
			target, ours := strings.CutPrefix(imported, "sekisho/")
			if !ours {
				continue
			}
			to := room(target)
			if to == from && from != "internal/services" {
				continue
			}
			if to == from && service(target) == service(path) {
				continue
			}
			if !allowed(from, to) {
				t.Errorf("%s imports %s: %s may import only %v", path, target, from, rooms[from])
			}
		}
	}
}

func allowed(from, to string) bool {
	for _, name := range rooms[from] {
		if name == to {
			return true
		}
	}
	return false
}

// service is the name of a service's folder.
func service(path string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(path, "internal/services/"), "/")
	return name
}

func TestRBACNeedsNothingButTheStandardLibrary(t *testing.T) {
	for _, p := range packages(t) {
		for _, name := range stdlibOnly {
			if p.ImportPath != "sekisho/"+name {
				continue
			}
			for _, imported := range p.Imports {
				if strings.Contains(strings.SplitN(imported, "/", 2)[0], ".") {
					t.Errorf("%s imports %s", name, imported)
				}
			}
		}
	}
}
