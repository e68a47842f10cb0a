package main

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// speed compares Sekisho with bleve, each in processes of its own, in turn.
type speed struct {
	n, queries, builds, rounds int
	order                      []string // of engines
}

// measured is what came of an engine.
type measured struct {
	built
	peak            int64 // with queries
	plain, filtered []time.Duration
	found           map[string][]int
}

func (s speed) measure() error {
	all := map[string]*measured{}
	running := map[string]*child{}
	defer func() {
		for _, c := range running {
			c.stop()
		}
	}()
	for i := range s.builds {
		for _, name := range s.order {
			c, err := s.start(name)
			if err != nil {
				return err
			}
			m := all[name]
			if m == nil {
				m = &measured{built: c.built, found: map[string][]int{}}
				all[name] = m
			}
			m.Wall, m.CPU, m.Peak = min(m.Wall, c.Wall), min(m.CPU, c.CPU), min(m.Peak, c.Peak)
			if i < s.builds-1 {
				if err := c.stop(); err != nil {
					return err
				}
				continue
			}
			running[name] = c
		}
	}
	for range s.rounds {
		for _, kind := range []string{plain, filtered} {
			for _, name := range s.order {
				a, err := running[name].round(kind)
				if err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
				all[name].take(kind, a)
			}
		}
	}
	for _, kind := range []string{plain, filtered} {
		for i, n := range all[bleveName].found[kind] {
			if ours := all[sekishoName].found[kind][i]; ours != n {
				return fmt.Errorf("query %d, %s: Sekisho finds %d documents, and bleve %d", i, kind, ours, n)
			}
		}
	}
	s.print(all)
	return nil
}

// take keeps the fastest answer to each query.
func (m *measured) take(kind string, a answers) {
	times := &m.plain
	if kind == filtered {
		times = &m.filtered
	}
	if *times == nil {
		*times, m.found[kind] = a.Took, a.Found
	}
	for i, t := range a.Took {
		(*times)[i] = min((*times)[i], t)
	}
	m.peak = max(m.peak, a.Peak)
}

func (s speed) print(all map[string]*measured) {
	fmt.Printf("%s\n\n", machine())
	fmt.Printf("%d documents of %d words out of %d, English analyzer; %d queries of %d words, the first %d of what has one; filter: %d of %d groups, of which a document has up to %d.\n\n",
		s.n, documentLength, vocabularySize, s.queries, queryLength, top, groupsOfAsker, allGroups, groupsOfOne)
	peers := slices.DeleteFunc(slices.Clone(s.order), func(name string) bool { return name == sekishoName })
	fmt.Print("| | Sekisho |")
	for _, name := range peers {
		fmt.Printf(" %s | of it |", name)
	}
	fmt.Println("\n|---|---:|" + strings.Repeat("---:|---:|", len(peers)))
	row := func(what string, show func(float64) string, of func(*measured) float64) {
		ours := of(all[sekishoName])
		fmt.Printf("| %s | %s |", what, show(ours))
		for _, name := range peers {
			theirs := of(all[name])
			fmt.Printf(" %s | %.2f |", show(theirs), ours/theirs)
		}
		fmt.Println()
	}
	seconds := func(v float64) string { return fmt.Sprintf("%.1f s", v/1e9) }
	ms := func(v float64) string { return fmt.Sprintf("%.2f ms", v/1e6) }
	mb := func(v float64) string { return fmt.Sprintf("%.0f MB", v/1e6) }
	row("indexing", seconds, func(m *measured) float64 { return float64(m.Wall) })
	row("indexing, time on CPUs", seconds, func(m *measured) float64 { return float64(m.CPU) })
	row("memory of indexing, peak", mb, func(m *measured) float64 { return float64(m.Peak) })
	row("memory with queries, peak", mb, func(m *measured) float64 { return float64(m.peak) })
	row("Go's heap after indexing", mb, func(m *measured) float64 { return float64(m.Heap) })
	row("disk", mb, func(m *measured) float64 { return float64(m.Disk) })
	row("query p50", ms, func(m *measured) float64 { return percentile(m.plain, 50) })
	row("query p95", ms, func(m *measured) float64 { return percentile(m.plain, 95) })
	row("filtered p50", ms, func(m *measured) float64 { return percentile(m.filtered, 50) })
	row("filtered p95", ms, func(m *measured) float64 { return percentile(m.filtered, 95) })
	times := func(v float64) string { return fmt.Sprintf("%.2f", v) }
	row("filtered of unfiltered, p50", times, func(m *measured) float64 { return percentile(m.filtered, 50) / percentile(m.plain, 50) })
	row("filtered of unfiltered, p95", times, func(m *measured) float64 { return percentile(m.filtered, 95) / percentile(m.plain, 95) })
	row("filtered of unfiltered, sum", times, func(m *measured) float64 { return sum(m.filtered) / sum(m.plain) })
	fmt.Println()
}

func percentile(times []time.Duration, p int) float64 {
	sorted := slices.Sorted(slices.Values(times))
	return float64(sorted[(len(sorted)-1)*p/100])
}

func sum(times []time.Duration) (all float64) {
	for _, t := range times {
		all += float64(t)
	}
	return all
}

// size is what the files of a directory take.
func size(dir string) (n int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			n += info.Size()
		}
		return nil // a file that has gone meanwhile
	})
	return n, err
}
