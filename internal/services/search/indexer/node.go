package indexer

import (
	"strconv"
)

// Node is a part of an enriched document. Any node can have properties below it: an
// enrichment of a string is a property of that string.
type Node struct {
	scalar any // string, bool, json.Number or nil
	shape  shape
	items  []*Node
	props  map[string]*Node
}

type shape int

const (
	scalar shape = iota
	object
	array
)

// NewNode makes nodes of a JSON value.
func NewNode(v any) *Node {
	switch v := v.(type) {
	case map[string]any:
		n := &Node{shape: object}
		for name, below := range v {
			n.Set(name, NewNode(below))
		}
		return n
	case []any:
		n := &Node{shape: array}
		for _, below := range v {
			n.items = append(n.items, NewNode(below))
		}
		return n
	}
	return &Node{scalar: v}
}

// Set gives a node a property.
func (n *Node) Set(name string, below *Node) {
	if n.props == nil {
		n.props = map[string]*Node{}
	}
	n.props[name] = below
}

// Value is the node as JSON: what enriches a string or an array is not in it.
func (n *Node) Value() any {
	switch n.shape {
	case object:
		v := map[string]any{}
		for name, below := range n.props {
			v[name] = below.Value()
		}
		return v
	case array:
		v := make([]any, 0, len(n.items))
		for _, item := range n.items {
			v = append(v, item.Value())
		}
		return v
	}
	return n.scalar
}

// child goes one step down.
func (n *Node) child(segment string) *Node {
	if below := n.props[segment]; below != nil {
		return below
	}
	if n.shape == array && isIndex(segment) {
		if i, _ := strconv.Atoi(segment); i < len(n.items) {
			return n.items[i]
		}
	}
	return nil
}

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
			switch segment {
			case star:
				for i, item := range at.node.items {
					next = append(next, instance{item, append(at.indexes[:len(at.indexes):len(at.indexes)], i)})
				}
			default:
				if below := at.node.child(segment); below != nil && !below.null() {
					next = append(next, instance{below, at.indexes})
				}
			}
		}
		all = next
	}
	return all
}

func (n *Node) null() bool { return n.shape == scalar && n.scalar == nil && len(n.props) == 0 }

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
				if index < len(n.items) {
					next = append(next, n.items[index])
				}
			}
		case segment == star:
			many = true
			for _, n := range nodes {
				next = append(next, n.items...)
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
