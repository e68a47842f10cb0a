// Command bench measures the price of the gate: the same calls to one mock
// upstream, directly, through a bare httputil.ReverseProxy (the floor that
// people know) and through Sekisho's full path (token or key, network rules,
// RBAC, audit). Every server is a process of its own on loopback; rounds are
// interleaved, and figures are medians over the rounds.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	log.SetFlags(0)
	// Many streams need many files; root may raise the hard limit too.
	syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 1 << 16, Max: 1 << 16})
	if len(os.Args) > 1 && os.Args[1] == "serve" {
		if err := serve(os.Args[2:]); err != nil {
			log.Fatal(err)
		}
		return
	}
	duration := flag.Duration("duration", time.Second, "of one measurement")
	rounds := flag.Int("rounds", 5, "interleaved rounds")
	connections := flag.String("connections", "1,16,256", "numbers of connections")
	only := flag.String("only", "", "measure only the tables whose heading has this text")
	streams := flag.Int("streams", 10000, "idle SSE streams to hold; 0 leaves that out")
	flag.Parse()
	if err := run(*duration, *rounds, parseInts(*connections), *streams, *only); err != nil {
		log.Fatal(err)
	}
}

func parseInts(s string) []int {
	var all []int
	for part := range strings.SplitSeq(s, ",") {
		var n int
		if _, err := fmt.Sscan(part, &n); err != nil || n < 1 {
			log.Fatalf("%q is not a number of connections", part)
		}
		all = append(all, n)
	}
	return all
}

func run(duration time.Duration, rounds int, connections []int, streams int, only string) error {
	fmt.Printf("%s %s/%s, %d CPUs, %d rounds of %v\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), rounds, duration)
	for _, secure := range []bool{false, true} {
		if err := tables(secure, duration, rounds, connections, only); err != nil {
			return err
		}
	}
	if !strings.Contains("Footprint", only) {
		return nil
	}
	return footprint(streams)
}

// tables measures one world, unless none of its tables is wanted.
func tables(secure bool, duration time.Duration, rounds int, connections []int, only string) error {
	var w *world
	for _, stream := range []bool{false, true} {
		for _, n := range connections {
			heading := heading(secure, stream, n)
			if !strings.Contains(heading, only) {
				continue
			}
			if w == nil {
				var err error
				if w, err = startWorld(secure); err != nil {
					return err
				}
				defer w.stop()
			}
			if err := compare(w, heading, stream, n, duration, rounds); err != nil {
				return err
			}
		}
	}
	return nil
}

func heading(secure, stream bool, connections int) string {
	kind, tls := "JSON", "TLS off"
	if stream {
		kind = "SSE, 20 chunks"
	}
	if secure {
		tls = "TLS on"
	}
	return fmt.Sprintf("%s, %s, %d connections", kind, tls, connections)
}

// compare measures all targets in turn and prints one table.
func compare(w *world, heading string, stream bool, connections int, duration time.Duration, rounds int) error {
	results := map[string][]result{}
	for range rounds {
		for _, t := range w.targets {
			r, err := load(t, stream, connections, duration)
			if err != nil {
				return fmt.Errorf("%s: %w", t.name, err)
			}
			results[t.name] = append(results[t.name], r)
		}
	}
	fmt.Printf("\n### %s\n\n| | p50 | p99 | added p50 | requests/s | of ReverseProxy | CPU | allocations | allocated |\n|---|---|---|---|---|---|---|---|---|\n", heading)
	direct := median(results["direct"], func(r result) float64 { return r.p50.Seconds() })
	floor := median(results["ReverseProxy"], func(r result) float64 { return r.rate })
	for _, t := range w.targets {
		all := results[t.name]
		p50 := median(all, func(r result) float64 { return r.p50.Seconds() })
		rate := median(all, func(r result) float64 { return r.rate })
		fmt.Printf("| %s | %s | %s | %s | %.0f | %.2f | %s | %.0f | %.1f kB |\n", t.name, micro(p50), micro(median(all, func(r result) float64 { return r.p99.Seconds() })),
			micro(p50-direct), rate, rate/floor, micro(median(all, func(r result) float64 { return r.cpu.Seconds() })),
			median(all, func(r result) float64 { return r.allocs }), median(all, func(r result) float64 { return r.allocated })/1000)
	}
	return nil
}

func micro(seconds float64) string { return fmt.Sprintf("%.0f µs", seconds*1e6) }

func median(all []result, of func(result) float64) float64 {
	values := make([]float64, len(all))
	for i, r := range all {
		values[i] = of(r)
	}
	slices.Sort(values)
	return values[len(values)/2]
}
