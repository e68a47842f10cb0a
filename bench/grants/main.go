// Command grants measures the token service: what it issues and verifies in a
// second, on one core, beside what RSA-2048 alone takes on the same core in the
// same run. Calls go through the gate and the service's own handlers; what the
// network costs is left out. Rounds are interleaved, and figures are medians
// over the rounds.
package main

import (
	"flag"
	"fmt"
	"log"
	"runtime"
	"slices"
	"time"
)

// keycloak is what Keycloak's sizing guide gives one vCPU for client credentials
// and for refresh grants, each second.
// Source: keycloak docs guides/high-availability/concepts-memory-and-cpu-sizing.adoc.
const keycloak = 120

// work is something that is done again and again.
type work struct {
	name string
	do   func() error
	// floor names the work that this one does so many times: the rate of all of
	// them is told as a share of its own.
	floor string
	times float64
}

func main() {
	log.SetFlags(0)
	duration := flag.Duration("duration", time.Second, "of one measurement")
	rounds := flag.Int("rounds", 5, "interleaved rounds")
	flag.Parse()
	runtime.GOMAXPROCS(1)
	all, stop, err := world()
	if err != nil {
		log.Fatal(err)
	}
	defer stop()
	rates := map[string][]float64{}
	for range *rounds {
		for _, w := range all {
			rate, err := measure(w, *duration)
			if err != nil {
				log.Fatalf("%s: %v", w.name, err)
			}
			rates[w.name] = append(rates[w.name], rate)
		}
	}
	fmt.Printf("%s %s/%s, one core, %d rounds of %v\n\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, *rounds, *duration)
	fmt.Println("| | per second | each | of the RSA floor | of Keycloak's 120 a vCPU |\n|---|---:|---:|---:|---:|")
	for _, w := range all {
		rate := median(rates[w.name])
		floor, peer := "", ""
		if w.floor != "" {
			floor = fmt.Sprintf("%.2f", w.times*rate/median(rates[w.floor]))
			peer = fmt.Sprintf("%.1f", rate/keycloak)
		}
		fmt.Printf("| %s | %.0f | %v | %s | %s |\n", w.name, rate, time.Duration(float64(time.Second)/rate).Round(100*time.Nanosecond), floor, peer)
	}
}

// measure is how often a second the work is done.
func measure(w work, duration time.Duration) (float64, error) {
	runtime.GC()
	begin, n := time.Now(), 0
	for time.Since(begin) < duration {
		if err := w.do(); err != nil {
			return 0, err
		}
		n++
	}
	return float64(n) / time.Since(begin).Seconds(), nil
}

func median(all []float64) float64 {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}
