package indexer

import "strconv"

// Node is a part of an enriched document. Any node can have properties below it: an
// enrichment of a string is a property of that string.
//
// A value is taken apart only where something looks below it or is put there: most
// vectors never are.
type Node struct {
	raw    any              // the value, unless it is opened; it is not changed
	opened bool             // an array or an object, whose parts are nodes
	items  []*Node          // of an array
	props  map[string]*Node // of an object, or what enriches the others
}

// NewNode makes a node of a JSON value.
func NewNode(v any) *Node { return &Node{raw: v} }

// open takes a value apart.
func (n *Node) open() {
	if n.opened {
		return
	}
	switch v := n.raw.(type) {
	case map[string]any:
		n.opened = true
		n.props = make(map[string]*Node, len(v))
		for name, below := range v {
			n.props[name] = NewNode(below)
		}
	case []any:
		n.opened = true
		n.items = make([]*Node, len(v))
		for i, below := range v {
			n.items[i] = NewNode(below)
		}
	}
}

// Set gives a node a property.
func (n *Node) Set(name string, below *Node) {
	if _, ok := n.raw.(map[string]any); ok {
		n.open()
	}
	if n.props == nil {
		n.props = map[string]*Node{}
	}
	n.props[name] = below
}

// Value is the node as JSON: what enriches a string or an array is not in it. It
// must not be changed.
func (n *Node) Value() any {
	if !n.opened {
		return n.raw
	}
	if _, ok := n.raw.(map[string]any); ok {
		v := make(map[string]any, len(n.props))
		for name, below := range n.props {
			v[name] = below.Value()
		}
		return v
	}
	v := make([]any, len(n.items))
	for i, item := range n.items {
		v[i] = item.Value()
	}
	return v
}

// child goes one step down.
func (n *Node) child(segment string) *Node {
	n.open()
	if below := n.props[segment]; below != nil {
		return below
	}
	if isIndex(segment) {
		if i, _ := strconv.Atoi(segment); i < len(n.items) {
			return n.items[i]
		}
	}
	return nil
}

// elements are those of an array.
func (n *Node) elements() []*Node {
	n.open()
	return n.items
}

func (n *Node) null() bool { return n.raw == nil && len(n.props) == 0 }

// instance is a node at which a skill runs, and the indexes that the stars of its
// context stand for there.
type instance struct {
	node    *Node
	indexes []int
}

// instances are the nodes of a context.
func (n *Node) instances(context Path) []instance {
	all := []instance{{node: n}}
	for _, segment := range context[1:] {
		var next []instance
		for _, at := range all {
			if segment == star {
				for i, item := range at.node.elements() {
					next = append(next, instance{item, append(at.indexes[:len(at.indexes):len(at.indexes)], i)})
				}
			} else if below := at.node.child(segment); below != nil && !below.null() {
				next = append(next, instance{below, at.indexes})
			}
		}
		all = next
	}
	return all
}

// scope is where a path is looked up: a document, and the context whose stars are
// bound.
type scope struct {
	root    *Node
	context Path
	at      instance
}

// get gives what is at a path; found is false where there is nothing. Stars that
// the context has bound are single elements, others give a flat array.
func (s scope) get(p Path) (v any, found bool) {
	nodes, many := s.find(p)
	if many {
		values := make([]any, 0, len(nodes))
		for _, n := range nodes {
			values = append(values, n.Value())
		}
		return values, len(nodes) > 0
	}
	if len(nodes) == 0 {
		return nil, false
	}
	return nodes[0].Value(), true
}

func (s scope) find(p Path) (nodes []*Node, many bool) {
	nodes = []*Node{s.root}
	bound, stars := true, 0
	for i, segment := range p[1:] {
		bound = bound && i+1 < len(s.context) && s.context[i+1] == segment
		var next []*Node
		switch {
		case segment == star && bound:
			index := s.at.indexes[stars]
			stars++
			for _, n := range nodes {
				if all := n.elements(); index < len(all) {
					next = append(next, all[index])
				}
			}
		case segment == star:
			many = true
			for _, n := range nodes {
				next = append(next, n.elements()...)
			}
		case segment == hash:
			next = nodes
		default:
			for _, n := range nodes {
				if below := n.child(segment); below != nil {
					next = append(next, below)
				}
			}
		}
		nodes = next
	}
	return nodes, many
}

// maxEnriched bounds what the skills of a document get, each of them, and what they
// all make: about the bytes of memory. Skills that double what others made would
// fill any memory.
const maxEnriched = 512 << 20

// cost is about how many bytes a value takes, counted no further than most.
func cost(v any, most int) int {
	switch v := v.(type) {
	case string:
		return 16 + len(v)
	case []any:
		n := 64
		for i := 0; i < len(v) && n <= most; i++ {
			n += cost(v[i], most-n)
		}
		return n
	case map[string]any:
		n := 64
		for name, below := range v {
			if n > most {
				break
			}
			n += len(name) + cost(below, most-n)
		}
		return n
	}
	return 24
}
