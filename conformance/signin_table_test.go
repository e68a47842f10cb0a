package conformance

import (
	"slices"
	"strings"
	"sync"
	"testing"
)

// words are what the clients of users said at each step. A part of
// docs/COVERAGE.md is written from them.
type words struct {
	part  string
	steps []string

	mu   sync.Mutex
	rows []string
}

// add takes the lines that a client printed: a step, and what it has to say of it.
func (w *words) add(client, packages string, taken []string) {
	cells := []string{client, packages}
	for _, step := range w.steps {
		cell := ""
		for _, line := range slices.Backward(taken) {
			if said, ok := strings.CutPrefix(line, step); ok {
				if cell = strings.TrimSpace(said); cell == "" {
					cell = "✓"
				}
			}
		}
		cells = append(cells, cell)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rows = append(w.rows, markdownRow(cells))
}

// compare demands that the page is what was said. If not all clients were to say
// it (go test -run), it compares the rows of those that were.
func (w *words) compare(t *testing.T, clients int) {
	t.Helper()
	if t.Failed() {
		return
	}
	written, err := coveragePage.Part(w.part)
	if err != nil {
		t.Fatal(err)
	}
	if len(w.rows) < clients {
		for _, row := range w.rows {
			if !strings.Contains(written, row) {
				t.Errorf("%s lacks what was said:\n%s", coveragePage, row)
			}
		}
		return
	}
	slices.Sort(w.rows)
	columns := append([]string{"client", "package"}, w.steps...)
	text := markdownRow(columns) + strings.Repeat("|---", len(columns)) + "|\n" + strings.Join(w.rows, "")
	if *update {
		err = coveragePage.Write(w.part, text)
	}
	if err != nil || !*update && written != text {
		t.Errorf("%s is not what was said (%v): run go test ./conformance -run 'EveryMSAL|EveryAzureIdentity' -update", coveragePage, err)
	}
}
