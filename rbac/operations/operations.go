package operations

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"io"
	"iter"
	"slices"
	"sort"
	"strings"
	"sync"
	"unicode/utf8"

	"sekisho/rbac"
)

//go:embed operations.txt.gz
var packed []byte

// Operation is one operation of a provider.
type Operation = rbac.Operation

// All lists the operations, by name without regard to case. The list is shared
// and may not be changed.
func All() []Operation { return catalogue().all }

// Providers lists the namespaces that have operations, in the same order. The
// list is shared and may not be changed.
func Providers() []string { return catalogue().providers }

// Of lists the operations of a provider, by name; none of an unknown one. The
// list is shared and may not be changed.
func Of(namespace string) []Operation {
	c := catalogue()
	from, to := c.span(fold(namespace) + "/")
	return c.all[from:to:to]
}

// Known tells whether there is an operation of this name, in any case, on the
// plane.
func Known(name string, data bool) bool {
	c := catalogue()
	key := fold(name)
	for i := sort.SearchStrings(c.folded, key); i < len(c.folded) && c.folded[i] == key; i++ {
		if c.all[i].Data == data {
			return true
		}
	}
	return false
}

// Matching gives the operations on the plane that a role's pattern names, as
// [rbac.Match] reads it, by name. Only those that share what stands before the
// first star are looked at.
func Matching(pattern string, data bool) iter.Seq[Operation] {
	return func(yield func(Operation) bool) {
		c := catalogue()
		pattern := fold(pattern)
		head, _, _ := strings.Cut(pattern, "*")
		from, to := c.span(head)
		for i := from; i < to; i++ {
			if c.all[i].Data == data && rbac.Match(pattern, c.folded[i]) && !yield(c.all[i]) {
				return
			}
		}
	}
}

// Complete tells whether the catalogue holds the provider's whole section of
// the permission pages, on top of the later sources, so that a name that it
// lacks can be taken not to exist. What a provider got after its page, and no
// later source names, is taken so too.
func Complete(namespace string) bool {
	return slices.ContainsFunc(complete, func(ns string) bool { return strings.EqualFold(ns, namespace) })
}

// By page of azure-docs, role-based-access-control/permissions at commit
// 03e5750af10b23b5ba437d5b333ec5e9437844f9.
var complete = []string{
	// ai-machine-learning.md
	"Microsoft.CognitiveServices", "Microsoft.MachineLearningServices", "Microsoft.Search",
	// containers.md
	"Microsoft.ContainerRegistry",
	// general.md
	"Microsoft.Quota", "Microsoft.Subscription", "Microsoft.Support",
	// identity.md
	"Microsoft.ManagedIdentity",
	// management-and-governance.md
	"Microsoft.Authorization", "Microsoft.Consumption", "Microsoft.CostManagement",
	"Microsoft.Features", "Microsoft.ManagedServices", "Microsoft.Management", "Microsoft.PolicyInsights",
	"Microsoft.Portal", "Microsoft.ResourceGraph", "Microsoft.ResourceHealth", "Microsoft.Resources", "Microsoft.Solutions",
	// monitor.md, without Log Analytics: tables come to it all the time
	"Microsoft.AlertsManagement", "Microsoft.Insights", "Microsoft.Monitor",
	// security.md
	"Microsoft.KeyVault",
	// storage.md
	"Microsoft.Storage",
}

// index is the decoded catalogue. folded[i] is the name of all[i] in lower
// case, and both are sorted by it.
type index struct {
	all       []Operation
	folded    []string
	providers []string
}

// span bounds the operations whose folded name starts with the prefix.
func (c *index) span(prefix string) (from, to int) {
	from = sort.SearchStrings(c.folded, prefix)
	n := sort.Search(len(c.folded)-from, func(i int) bool { return !strings.HasPrefix(c.folded[from+i], prefix) })
	return from, from + n
}

var catalogue = sync.OnceValue(func() *index {
	c, err := decode(packed)
	if err != nil {
		panic(fmt.Sprintf("operations: the embedded operations.txt.gz is broken: %v", err))
	}
	return c
})

func decode(packed []byte) (*index, error) {
	unpacked, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(unpacked)
	if err != nil {
		return nil, err
	}
	c := &index{}
	spellings := map[string]int{}
	for line := range strings.Lines(string(text)) {
		name, data := strings.CutSuffix(strings.TrimSuffix(line, "\n"), " D")
		namespace, _, ok := strings.Cut(name, "/")
		if !ok {
			return nil, fmt.Errorf("%q names no operation", line)
		}
		c.all = append(c.all, Operation{Name: name, Data: data})
		c.folded = append(c.folded, fold(name))
		if n := len(c.providers); n == 0 || !strings.EqualFold(c.providers[n-1], namespace) {
			c.providers = append(c.providers, namespace)
		}
		spellings[namespace]++
		if last := &c.providers[len(c.providers)-1]; rank(namespace, spellings) > rank(*last, spellings) {
			*last = namespace
		}
	}
	return c, nil
}

// rank tells which spelling of a namespace its provider has: one that starts
// as Azure's do, and of those the commonest among its operations.
func rank(namespace string, spellings map[string]int) int {
	n := spellings[namespace]
	if strings.HasPrefix(namespace, "Microsoft.") {
		n += 1 << 20
	}
	return n
}

// fold lower-cases what is ASCII. No operation has another letter in its name,
// and none may become equal to one (see rbac.Match).
func fold(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0 {
		return strings.ToLower(s)
	}
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, s)
}
