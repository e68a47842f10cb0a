package engine

import "sekisho/internal/services/search/schema"

// Node is a compiled query.
type Node = node

// Words is what one of the words is in, in any searchable field.
func (v *View) Words(of *schema.Index, texts []string) Node {
	any := &all{}
	of.Walk(func(path string, f *schema.Field, _ bool) {
		if schema.Is(f.Searchable) && f.Type.Element() == schema.String {
			for _, text := range texts {
				any.should = append(any.should, &term{field: path, text: text, boost: 1})
			}
		}
	})
	return any
}
