package odata

import (
	"fmt"
	"strings"
)

// Env is what a filter is asked about.
type Env struct {
	// Get gives the value of a property (string, bool or []string); nil if the
	// property is not set, ok false if it can't be filtered by.
	Get func(path string) (value any, ok bool)
	// Call answers functions that are the service's own (atScope()); nil if it
	// has none.
	Call func(name string, args []string) (value, ok bool)
}

// Match evaluates the filter. It fails on properties and functions that env
// does not know.
func (f *Filter) Match(env Env) (bool, error) {
	if f == nil {
		return true, nil
	}
	return f.root.match(env)
}

type node interface{ match(Env) (bool, error) }

type (
	either  struct{ left, right node }
	both    struct{ left, right node }
	not     struct{ inner node }
	compare struct {
		path, op, value string
		null            bool // the word, not the string
	}
	in struct {
		path   string
		values []string
	}
	call struct {
		name string
		args []string
	}
	anyOf struct {
		path, variable string
		inner          node
	}
)

func (n either) match(env Env) (bool, error) {
	left, err := n.left.match(env)
	if err != nil {
		return false, err
	}
	right, err := n.right.match(env)
	return left || right, err
}

func (n both) match(env Env) (bool, error) {
	left, err := n.left.match(env)
	if err != nil {
		return false, err
	}
	right, err := n.right.match(env)
	return left && right, err
}

func (n not) match(env Env) (bool, error) {
	inner, err := n.inner.match(env)
	return !inner, err
}

func (n compare) match(env Env) (bool, error) {
	value, ok := env.Get(n.path)
	if !ok {
		return false, fmt.Errorf("'%s' is not a property to filter by", n.path)
	}
	text, set := plain(value)
	if !set {
		return n.op == "eq" && n.null || n.op == "ne" && !n.null, nil
	}
	if n.null {
		return n.op == "ne", nil
	}
	order := strings.Compare(strings.ToLower(text), strings.ToLower(n.value))
	switch n.op {
	case "eq":
		return order == 0, nil
	case "ne":
		return order != 0, nil
	case "gt":
		return order > 0, nil
	case "ge":
		return order >= 0, nil
	case "lt":
		return order < 0, nil
	}
	return order <= 0, nil
}

// plain is a value as text; set is false for null.
func plain(value any) (text string, set bool) {
	switch v := value.(type) {
	case string:
		return v, true
	case bool:
		return fmt.Sprint(v), true
	}
	return "", false
}

func (n in) match(env Env) (bool, error) {
	for _, value := range n.values {
		if ok, err := (compare{path: n.path, op: "eq", value: value}).match(env); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

func (n call) match(env Env) (bool, error) {
	tests := map[string]func(s, part string) bool{
		"startswith": strings.HasPrefix, "endswith": strings.HasSuffix, "contains": strings.Contains,
	}
	test, known := tests[strings.ToLower(n.name)]
	if !known {
		if env.Call != nil {
			if value, ok := env.Call(n.name, n.args); ok {
				return value, nil
			}
		}
		return false, fmt.Errorf("the function '%s' is not supported", n.name)
	}
	if len(n.args) != 2 {
		return false, fmt.Errorf("the function '%s' takes a property and a value", n.name)
	}
	value, ok := env.Get(n.args[0])
	if !ok {
		return false, fmt.Errorf("'%s' is not a property to filter by", n.args[0])
	}
	text, _ := plain(value)
	return test(strings.ToLower(text), strings.ToLower(n.args[1])), nil
}

func (n anyOf) match(env Env) (bool, error) {
	value, ok := env.Get(n.path)
	list, isList := value.([]string)
	if !ok || !isList && value != nil {
		return false, fmt.Errorf("'%s' is not a collection to filter by", n.path)
	}
	found := false
	for _, item := range append(list, "") { // one more, so that errors show on an empty list too
		ok, err := n.inner.match(Env{Call: env.Call, Get: func(path string) (any, bool) {
			if path == n.variable {
				return item, true
			}
			return nil, false
		}})
		if err != nil {
			return false, err
		}
		found = found || ok && item != ""
	}
	return found, nil
}
