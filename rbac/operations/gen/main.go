// Command gen writes the catalogue, operations.txt.gz, from three sources:
//
//	go run ./rbac/operations/gen -map map.json -pages rbac/operations/gen/pages.txt -out rbac/operations/operations.txt.gz
//
// The map is azure/map.json of the public repository iann0036/iam-dataset: the
// operations of az provider operation list that a call of the REST API needs.
// The pages are what was read off Azure's own permission pages. The third is
// the operations that the built-in roles name without a star.
package main

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"maps"
	"os"
	"slices"
	"strings"

	"sekisho/rbac/builtin"
)

type operation struct {
	name string
	data bool
}

// catalogue holds the operations by folded name; the same name may stand on
// both planes. The spelling that came first stays.
type catalogue map[operation]string

func (c catalogue) add(name string, data bool) {
	key := operation{strings.ToLower(name), data}
	if _, ok := c[key]; !ok {
		c[key] = name
	}
}

func main() {
	mapFile := flag.String("map", "", "azure/map.json of iam-dataset")
	pages := flag.String("pages", "", "what was read off the permission pages")
	out := flag.String("out", "", "the catalogue to write")
	flag.Parse()
	c := catalogue{}
	if err := errorsOf(c.readMap(*mapFile), c.readPages(*pages)); err != nil {
		log.Fatal(err)
	}
	c.readRoles()
	if err := c.write(*out); err != nil {
		log.Fatal(err)
	}
}

func errorsOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (c catalogue) readMap(file string) error {
	raw, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var calls map[string]map[string]map[string]struct {
		IsDataAction bool `json:"isDataAction"`
	}
	if err := json.Unmarshal(raw, &calls); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	// In order, so that of two spellings the same one wins each time.
	for _, method := range slices.Sorted(maps.Keys(calls)) {
		for _, path := range slices.Sorted(maps.Keys(calls[method])) {
			for _, name := range slices.Sorted(maps.Keys(calls[method][path])) {
				c.add(name, calls[method][path][name].IsDataAction)
			}
		}
	}
	return nil
}

func (c catalogue) readPages(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	provider, data := "", false
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		switch {
		case len(words) == 0 || words[0] == "#":
		case words[0] == "provider":
			provider, data = words[1], false
		case len(words) == 1 && words[0] == "data":
			data = true
		case words[0] == "each" && len(words) > 3:
			for _, resource := range words[3:] {
				c.add(provider+"/"+words[1]+"/"+resource+"/"+suffix(words[2]), data)
			}
		default:
			resource := provider
			if words[0] != "." {
				resource += "/" + words[0]
			}
			for _, verb := range words[1:] {
				c.add(resource+"/"+suffix(verb), data)
			}
		}
	}
	return lines.Err()
}

func suffix(verb string) string {
	switch verb {
	case "r":
		return "read"
	case "w":
		return "write"
	case "d":
		return "delete"
	}
	return verb + "/action"
}

func (c catalogue) readRoles() {
	for _, role := range builtin.Roles() {
		for _, p := range role.Permissions {
			for _, name := range slices.Concat(p.Actions, p.NotActions) {
				c.addPlain(name, false)
			}
			for _, name := range slices.Concat(p.DataActions, p.NotDataActions) {
				c.addPlain(name, true)
			}
		}
	}
}

// addPlain leaves out patterns, and what ends in a slash: a role's slip.
func (c catalogue) addPlain(name string, data bool) {
	if name = strings.TrimSpace(name); !strings.Contains(name, "*") && !strings.HasSuffix(name, "/") {
		c.add(name, data)
	}
}

// write makes one line an operation, in the order that the package keeps; a
// data action ends in a space and a D.
func (c catalogue) write(file string) error {
	keys := slices.SortedFunc(maps.Keys(c), func(a, b operation) int {
		if d := strings.Compare(a.name, b.name); d != 0 {
			return d
		}
		if a.data == b.data {
			return 0
		} else if b.data {
			return -1
		}
		return 1
	})
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	packed, err := gzip.NewWriterLevel(f, gzip.BestCompression)
	if err != nil {
		return err
	}
	for _, key := range keys {
		mark := ""
		if key.data {
			mark = " D"
		}
		if _, err := io.WriteString(packed, c[key]+mark+"\n"); err != nil {
			return err
		}
	}
	return errorsOf(packed.Close(), f.Close())
}
