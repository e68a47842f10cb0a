package search

import (
	"slices"
	"strings"

	"sekisho/internal/services/search/schema"
)

// selected are the paths of a $select; nil is all.
func selected(of *schema.Index, text string) ([]string, error) {
	var paths []string
	for path := range strings.SplitSeq(text, ",") {
		switch path = strings.TrimSpace(path); {
		case path == "":
		case path == "*":
			return nil, nil
		default:
			f := of.Field(path)
			if f == nil || !schema.Is(f.Retrievable) && f.Type.Element() != schema.Complex {
				return nil, badInput("$select", "Invalid expression: Could not find a property named '%s' on type 'search.document'.\r\nParameter name: $select", path)
			}
			if !slices.Contains(paths, path) { // of which there are no more than fields
				paths = append(paths, path)
			}
		}
	}
	return paths, nil
}

// show is a document as a client reads it: retrievable fields that are picked.
func (d stored) show(of *schema.Index, pick []string) map[string]any {
	body := show(of.Fields, d.Fields, "", pick)
	for _, f := range of.Fields {
		if f.Type.Vector() && schema.Is(f.Retrievable) && picked(pick, f.Name) {
			if raw, ok := d.Vectors[f.Name]; ok {
				body[f.Name] = unpack(raw)
			} else {
				body[f.Name] = []float32{}
			}
		}
	}
	return body
}

func show(fields []*schema.Field, from map[string]any, prefix string, pick []string) map[string]any {
	body := map[string]any{}
	for _, f := range fields {
		path := prefix + f.Name
		if f.Type.Vector() || !picked(pick, path) || f.Type.Element() != schema.Complex && !schema.Is(f.Retrievable) {
			continue
		}
		v := from[f.Name]
		switch x := v.(type) {
		case nil:
			if f.Type.Collection() {
				v = []any{}
			}
		case map[string]any:
			if f.Type == schema.Complex {
				v = show(f.Fields, x, path+"/", pick)
			}
		case []any:
			if f.Type.Element() == schema.Complex {
				list := []any{}
				for _, e := range x {
					below, _ := e.(map[string]any)
					list = append(list, show(f.Fields, below, path+"/", pick))
				}
				v = list
			}
		}
		body[f.Name] = v
	}
	return body
}

// picked tells whether a path, or something above or below it, is picked.
func picked(pick []string, path string) bool {
	return pick == nil || slices.ContainsFunc(pick, func(p string) bool {
		return p == path || strings.HasPrefix(path, p+"/") || strings.HasPrefix(p, path+"/")
	})
}
