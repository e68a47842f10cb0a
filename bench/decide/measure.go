package main

import (
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// timing is what one decision takes.
type timing struct {
	p50, p99 time.Duration
	allocs   uint64
	batch    int
}

// A fast engine is timed by batches: reading the clock takes as long as a
// decision of it.
const (
	batchSize = 16
	fast      = 20 * time.Microsecond
)

// measure asks n queries in turn, over and over until the time is up: first all
// of them once, so that what an engine keeps is there; of a slow one only some.
func measure(ask decide, n int, budget time.Duration) timing {
	start := cpu()
	var each time.Duration
	for asked := 0; asked < n; {
		ask(asked)
		asked++
		passed := cpu() - start
		each = passed / time.Duration(asked)
		if passed > 3*budget || passed > budget/2 && each > 10*fast {
			break
		}
	}
	t := timing{batch: 1}
	if each < fast {
		t.batch = batchSize
	}
	took := make([]time.Duration, 0, 1<<20)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	begun := time.Now()
	for i := 0; len(took) < cap(took) && (len(took) < 3 || time.Since(begun) < budget); {
		begin := time.Now()
		for range t.batch {
			ask(i)
			if i++; i == n {
				i = 0
			}
		}
		took = append(took, time.Since(begin)/time.Duration(t.batch))
	}
	runtime.ReadMemStats(&after)
	t.allocs = (after.Mallocs - before.Mallocs) / uint64(len(took)*t.batch)
	slices.Sort(took)
	t.p50, t.p99 = took[len(took)/2], took[len(took)*99/100]
	return t
}

// compare measures all engines on one workload and prints a table.
func compare(w *workload, budget time.Duration, only string) (upkeep, error) {
	oracle := newNaive(w)
	few, many := w.queries(1024, oracle), w.queries(65_536, oracle)
	allowed, denied := 0, 0
	for _, q := range many {
		if oracle.denied(q) {
			denied++
		} else if oracle.allows(q) {
			allowed++
		}
	}
	oracle = nil
	snapshot, kept := buildSnapshot(w)
	kept.measureWrites(w, snapshot, few)
	fmt.Printf("\n### %s assignments\n\n%s users, %s groups, %s scopes, %s deny assignments; of 65,536 queries %.0f %% allowed, %.0f %% denied\n\n",
		thousands(len(w.assignments)), thousands(len(w.users)), thousands(len(w.groups)), thousands(len(w.scopes)), thousands(len(w.denies)),
		percent(allowed, len(many)), percent(denied, len(many)))
	fmt.Print("| | 1,024 queries: p50 | p99 | × Sekisho | 65,536 queries: p50 | p99 | × Sekisho | allocations |\n|---|---|---|---|---|---|---|---|\n")
	var own [2]timing
	var answers [2][]bool
	var left []string
	all := engines(snapshot)
	for i, e := range all {
		all[i] = engine{} // let go of what it holds
		if i > 0 && !strings.Contains(e.name, only) {
			continue
		}
		if e.most > 0 && len(w.assignments) > e.most {
			fmt.Printf("| %s | — | — | — | — | — | — | — |\n", e.name)
			left = append(left, e.name+" "+e.why)
			continue
		}
		runtime.GC() // the last engine
		prepare, err := e.build(w)
		if err != nil {
			return kept, fmt.Errorf("%s: %w", e.name, err)
		}
		fmt.Printf("| %s |", e.name)
		var t timing
		for j, queries := range [][]query{few, many} {
			if j > 0 && t.p50 > time.Millisecond {
				fmt.Print(" — | — | — |")
				continue
			}
			ask := prepare(queries)
			if !e.floor {
				if answers[j], err = agree(ask, answers[j], queries); err != nil {
					return kept, fmt.Errorf("%s: %w", e.name, err)
				}
			}
			t = measure(ask, len(queries), budget)
			if i == 0 {
				own[j] = t
			}
			fmt.Printf(" %s | %s | %s |", nice(t.p50), nice(t.p99), ratio(t.p50, own[j].p50))
		}
		fmt.Printf(" %s |\n", thousands(int(t.allocs)))
	}
	for _, why := range left {
		fmt.Printf("\n—: %s, which at this size takes above 0.1 s.\n", why)
	}
	return kept, nil
}

// agree compares an engine's answers with those of the engines before it, and
// gives them if it is the first. A slow engine is asked less, but 16 times.
func agree(ask decide, answers []bool, queries []query) ([]bool, error) {
	const sample, least, budget = 256, 16, 1500 * time.Millisecond
	first := answers == nil
	start := time.Now()
	for i := range min(sample, len(queries)) {
		if i >= least && time.Since(start) > budget && !first {
			break
		}
		answer := ask(i)
		if first {
			answers = append(answers, answer)
		} else if answer != answers[i] {
			q := queries[i]
			return nil, fmt.Errorf("says %v of query %d, where Sekisho says %v: %s at %s by user %d", answer, i, answers[i], q.action, q.scope, q.user)
		}
	}
	return answers, nil
}

// printUpkeep prints what Sekisho's snapshots cost, a column for each size.
func printUpkeep(all []upkeep) {
	fmt.Print("\n### Upkeep of Sekisho's snapshot\n\n|")
	row := func(name string, cell func(upkeep) string) {
		fmt.Printf("| %s |", name)
		for _, u := range all {
			fmt.Printf(" %s |", cell(u))
		}
		fmt.Println()
	}
	for _, u := range all {
		fmt.Printf(" | %s", thousands(u.assignments))
	}
	fmt.Printf(" |\n|---|%s\n", strings.Repeat("---|", len(all)))
	row("build (CPU time)", func(u upkeep) string { return nice(u.build) })
	row("heap for each assignment, all text included", func(u upkeep) string { return fmt.Sprintf("%.0f B", u.perAssignment) })
	for i, w := range all[0].writes {
		row(w.name+": median, p99", func(u upkeep) string { return nice(u.writes[i].p50) + ", " + nice(u.writes[i].p99) })
	}
}

func nice(d time.Duration) string {
	switch {
	case d < time.Microsecond:
		return fmt.Sprintf("%d ns", d.Nanoseconds())
	case d < time.Millisecond:
		return fmt.Sprintf("%.3g µs", float64(d)/1e3)
	case d < time.Second:
		return fmt.Sprintf("%.3g ms", float64(d)/1e6)
	}
	return fmt.Sprintf("%.2f s", d.Seconds())
}

func ratio(a, b time.Duration) string {
	r := float64(a) / float64(b)
	if r < 10 {
		return fmt.Sprintf("%.2g", r)
	}
	return thousands(int(r))
}

func percent(part, all int) float64 { return 100 * float64(part) / float64(all) }

// thousands writes a number with commas.
func thousands(n int) string {
	text := strconv.Itoa(n)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}
