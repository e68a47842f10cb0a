// Command decide compares Sekisho's decisions with those of other engines: one
// workload, one process, one run. Every engine matches wildcards itself, at the
// time of the decision, and gives the same answers as Sekisho before it is
// timed. It prints Markdown.
package main

import (
	"flag"
	"fmt"
	"log"
	"runtime"
	"strconv"
	"strings"
	"time"

	"sekisho/bench/pinned"
	"sekisho/rbac"
)

// decide tells whether the ith of the prepared queries is allowed.
type decide func(i int) bool

// prepare puts queries into the form that an engine takes, which is not timed.
type prepare func([]query) decide

type engine struct {
	name  string
	build func(*workload) (prepare, error)
	// most is how many assignments it can bear, for the reason why; 0 is no bound.
	most int
	why  string
	// floor says that it decides nothing, so that its answers are not compared.
	floor bool
}

// engines are all that is compared. The first is the one that the others are
// compared with.
func engines(s *rbac.Snapshot) []engine {
	return []engine{
		{name: "Sekisho", build: asksSekisho(func(q rbac.Question) rbac.Decision { return s.Decide(q) })},
		{name: "Sekisho with the reason (Check)", build: asksSekisho(func(q rbac.Question) rbac.Decision { return s.Check(q).Decision })},
		{name: "one map look-up (floor)", build: buildFloor, floor: true},
		{name: "naive Go map", build: buildNaive},
		{name: "cedar-go, sliced by the caller", build: buildCedarSliced},
		{name: "OPA, indexed data", build: buildOPA},
		{name: "casbin", build: buildCasbin, most: 100_000, why: "looks at every row for every decision"},
		{name: "cedar-go, whole set", build: buildCedar, most: 100_000, why: "evaluates every policy for every decision"},
	}
}

func main() {
	log.SetFlags(0)
	sizes := flag.String("sizes", "1000,10000,100000,1000000", "numbers of assignments")
	budget := flag.Duration("time", time.Second, "for one measurement")
	only := flag.String("only", "", "compare Sekisho only with the engines that have this text in their name")
	flag.Parse()
	runtime.GOMAXPROCS(1)
	fmt.Printf("%s %s/%s, one of %d CPUs", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	for _, module := range []string{"github.com/cedar-policy/cedar-go", "github.com/open-policy-agent/opa", "github.com/casbin/casbin/v3"} {
		fmt.Printf(", %s %s", module, pinned.Version(module))
	}
	fmt.Println()
	var kept []upkeep
	for part := range strings.SplitSeq(*sizes, ",") {
		size, err := strconv.Atoi(part)
		if err != nil || size < 100 {
			log.Fatalf("%q is not a number of assignments, at least 100", part)
		}
		u, err := compare(newWorkload(size), *budget, *only)
		if err != nil {
			log.Fatalf("%d assignments: %v", size, err)
		}
		kept = append(kept, u)
	}
	printUpkeep(kept)
}
