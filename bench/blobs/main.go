// Command blobs measures Blob storage: puts and gets by one client, the Azure SDK
// for Go, of Sekisho (through its gate, with a shared key, every put on disk), of
// Azurite (the bytes on disk, their metadata later), and of a bare net/http file server that syncs what it writes; beside
// them a plain copy of files. All speak TLS on loopback; rounds are interleaved,
// and figures are medians over the rounds.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"runtime"
	"slices"
	"time"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) > 1 && os.Args[1] == "floor" {
		log.Fatal(serveFloor(os.Args[2], os.Args[3], os.Args[4]))
	}
	duration := flag.Duration("duration", time.Second, "of one measurement")
	rounds := flag.Int("rounds", 3, "interleaved rounds")
	azurite := flag.String("azurite", "", "the main.js of azurite-blob; empty leaves it out")
	listed := flag.Int("list", 100000, "blobs to list; 0 leaves that out")
	flag.Parse()
	if err := run(*duration, *rounds, *azurite, *listed); err != nil {
		log.Fatal(err)
	}
}

// cases are sizes in bytes, by the number of connections that they are driven on.
var cases = []struct {
	name        string
	size        int
	connections []int
}{
	{"4 KB", 4 << 10, []int{1, 16, 64}},
	{"1 MB", 1 << 20, []int{1, 16, 64}},
	{"100 MB", 100 << 20, []int{1, 4}},
}

func run(duration time.Duration, rounds int, azurite string, listed int) error {
	fmt.Printf("%s %s/%s, %d CPUs, %d rounds of %v\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), rounds, duration)
	w, err := startWorld(azurite)
	defer w.stop()
	if err != nil {
		return err
	}
	for _, c := range cases {
		for _, n := range c.connections {
			if err := w.table(c.name, c.size, n, duration, rounds); err != nil {
				return err
			}
		}
	}
	fmt.Printf("\nSekisho's peak resident memory: %d MB\n", w.peak()>>20)
	if listed > 0 {
		return w.listing(listed)
	}
	return nil
}

// table measures puts and gets of one size on so many connections.
func (w *world) table(name string, size, connections int, duration time.Duration, rounds int) error {
	type figures struct{ put, get []result }
	all := make([]figures, len(w.servers))
	for range rounds {
		for i, s := range w.servers {
			put, err := drive(connections, duration, s.putter(size))
			if err != nil {
				return fmt.Errorf("%s, put of %s: %w", s.name, name, err)
			}
			get, err := drive(connections, duration, s.getter(size))
			if err != nil {
				return fmt.Errorf("%s, get of %s: %w", s.name, name, err)
			}
			all[i].put, all[i].get = append(all[i].put, put), append(all[i].get, get)
		}
	}
	fmt.Printf("\n### %s, %d connections\n\n| | put p50 | put/s | MB/s | of ours | get p50 | get/s | MB/s | of ours |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|\n", name, connections)
	ours := [2]float64{median(all[0].put).rate, median(all[0].get).rate}
	for i, s := range w.servers {
		put, get := median(all[i].put), median(all[i].get)
		mb := float64(size) / (1 << 20)
		fmt.Printf("| %s | %v | %.0f | %.0f | %.2f | %v | %.0f | %.0f | %.2f |\n", s.name,
			put.p50.Round(10*time.Microsecond), put.rate, put.rate*mb, put.rate/ours[0], get.p50.Round(10*time.Microsecond), get.rate, get.rate*mb, get.rate/ours[1])
	}
	return nil
}

// result is one measurement.
type result struct {
	p50  time.Duration
	rate float64 // per second
}

// drive does the work on so many connections at once, for a time, once at least.
func drive(connections int, duration time.Duration, work func(worker, n int) error) (result, error) {
	type done struct {
		took []time.Duration
		err  error
	}
	results := make(chan done)
	begin := time.Now()
	for worker := range connections {
		go func() {
			var d done
			for n := 0; d.err == nil && (n == 0 || time.Since(begin) < duration); n++ {
				start := time.Now()
				d.err = work(worker, n)
				d.took = append(d.took, time.Since(start))
			}
			results <- d
		}()
	}
	var took []time.Duration
	var fault error
	for range connections {
		d := <-results
		took = append(took, d.took...)
		if d.err != nil {
			fault = d.err
		}
	}
	if fault != nil {
		return result{}, fault
	}
	slices.Sort(took)
	return result{took[len(took)/2], float64(len(took)) / time.Since(begin).Seconds()}, nil
}

func median(all []result) result {
	sorted := slices.SortedFunc(slices.Values(all), func(a, b result) int {
		if a.rate < b.rate {
			return -1
		}
		return 1
	})
	return sorted[len(sorted)/2]
}
