package conformance

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"sekisho/internal/coverage"
)

var update = flag.Bool("update", false, "write the clients of docs/COVERAGE.md from what was seen")

// row is a client that told the story through a door.
type row struct {
	client, packages string
	door             door
	taken            []string
}

// matrix is what was seen.
type matrix struct {
	mu   sync.Mutex
	rows []row
}

func (m *matrix) add(r row) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rows = append(m.rows, r)
}

const coveragePage coverage.Page = "../docs/COVERAGE.md"

// compare demands that the page is what was seen. If not all was to be seen (go
// test -run), it compares the lines that were.
func (m *matrix) compare(t *testing.T, clients []told) {
	t.Helper()
	var packages, lines []string
	whole := true
	for _, c := range clients {
		for _, d := range c.doors {
			i := slices.IndexFunc(m.rows, func(r row) bool { return r.client == c.client && r.door == d })
			if i < 0 {
				whole = false
				continue
			}
			lines = append(lines, m.rows[i].line())
			packages = append(packages, "- **"+c.client+"**: "+m.rows[i].packages+"\n")
		}
	}
	packages = slices.Compact(packages)
	written, err := coveragePage.Part("clients")
	if !whole {
		for _, line := range append(packages, lines...) {
			if err != nil || !strings.Contains(written, line) {
				t.Errorf("%s (%v) lacks what was seen:\n%s", coveragePage, err, line)
			}
		}
		return
	}
	columns := append([]string{"client", "door"}, steps...)
	text := matrixHead + strings.Join(packages, "") + "\n" +
		markdownRow(columns) + strings.Repeat("|---", len(columns)) + "|\n" + strings.Join(lines, "") + "\n"
	if *update {
		err = coveragePage.Write("clients", text)
	} else if err == nil && written != text {
		err = fmt.Errorf("%s is not what was seen: run go test ./conformance -run KeylessStory -update", coveragePage)
	}
	if err != nil {
		t.Error(err)
	}
}

const matrixHead = `
## Clients

What each client did in the tests; written by them (` + "`go test ./conformance -run KeylessStory -update`" + `), not by hand.
Each row is one run of the keyless story by an unmodified client at its pinned version, on an empty Sekisho:

1. **built**: a resource group, an account and two deployments are made.
2. **key answered**: a listed key gets a chat completion.
3. **key rotated**: key 1 is regenerated; the old one is refused, the new one answered.
4. **token denied**: a service principal's token without a role is refused.
5. **token answered**: the very next call after the role assignment is answered.
6. **keys disabled**: with disableLocalAuth the key is refused, and keys are no longer listed.
7. **keyless**: the token is still answered.
8. **429 obeyed**: a busy model's 429 reaches the client; its own retry waits as Retry-After says, and succeeds.

Doors: in *intercept* mode the client knows only the proxy and the CA (` + "`sekisho env`" + `), and Azure's own host names.
By *own names* it knows the CA and https://localhost:PORT, with instance discovery off, and no proxy; with *ADFS* its /adfs is
its authority, and instance discovery stays as it is. By *real names* it knows the CA, and Azure's own host names, which a
hosts file (` + "`sekisho hosts`" + `) leads to port 443 in a network of its own. curl and the SDKs read the data plane's endpoint from the account.

`

// line is the row in Markdown.
func (r row) line() string {
	cells := []string{r.client, r.door.String()}
	for _, step := range steps {
		if slices.Contains(r.taken, step) {
			cells = append(cells, "✓")
		} else {
			cells = append(cells, "")
		}
	}
	return markdownRow(cells)
}

func markdownRow(cells []string) string { return "| " + strings.Join(cells, " | ") + " |\n" }

// pin is a package whose version a file says.
type pin struct{ file, name string }

func pinsOf(file string, names ...string) []pin {
	var all []pin
	for _, name := range names {
		all = append(all, pin{file, name})
	}
	return all
}

// pinned gives the packages with their versions, as requirements.txt,
// package.json, pom.xml or go.mod says them.
func pinned(t *testing.T, pins []pin) string {
	t.Helper()
	if len(pins) == 0 {
		return "the machine's"
	}
	var all []string
	for _, p := range pins {
		raw, err := os.ReadFile(p.file)
		if err != nil {
			t.Fatal(err)
		}
		found := regexp.MustCompile(`(?m)(?:^|[/">])` + regexp.QuoteMeta(p.name) + `(?:==|": "| v|</artifactId>\s*<version>)([\w.-]+)`).FindSubmatch(raw)
		if found == nil {
			t.Fatalf("%s does not pin %s", p.file, p.name)
		}
		all = append(all, p.name+" "+string(found[1]))
	}
	return strings.Join(all, ", ")
}
