package export

import (
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
)

// call is the value of a template function. Those that know only what a
// deployment finds out, such as reference, have none.
func (f *frame) call(name string, args []any, depth int) (any, error) {
	switch strings.ToLower(name) {
	case "parameters":
		return f.parameter(text(args, 0), depth)
	case "variables":
		return f.variable(text(args, 0), depth)
	case "subscription":
		if f.seen.Subscription == "" {
			return nil, errors.New("the deployment has no subscription")
		}
		return map[string]any{"id": "/subscriptions/" + f.seen.Subscription, "subscriptionId": f.seen.Subscription}, nil
	case "resourcegroup":
		if f.seen.ResourceGroup == "" {
			return nil, errors.New("the deployment has no resource group")
		}
		return map[string]any{"id": string(f.seen.scope()), "name": f.seen.ResourceGroup}, nil
	case "managementgroup":
		if f.seen.ManagementGroup == "" {
			return nil, errors.New("the deployment has no management group")
		}
		return map[string]any{"id": managementGroups + f.seen.ManagementGroup, "name": f.seen.ManagementGroup}, nil
	case "resourceid", "subscriptionresourceid", "tenantresourceid", "managementgroupresourceid", "extensionresourceid":
		return f.resourceID(strings.ToLower(name), texts(args))
	case "guid":
		return guid(texts(args)), nil
	case "uniquestring":
		sum := sha1.Sum([]byte(strings.Join(texts(args), "-")))
		return hex.EncodeToString(sum[:])[:13], nil
	case "copyindex":
		return f.copyIndex(args)
	}
	return pure(strings.ToLower(name), args)
}

// pure is the value of a function that looks at its arguments only.
func pure(name string, args []any) (any, error) {
	arity, ok := map[string]int{"concat": 0, "format": 1, "tolower": 1, "toupper": 1, "trim": 1, "string": 1, "int": 1, "bool": 1, "json": 1, "replace": 3, "split": 2,
		"join": 2, "first": 1, "last": 1, "length": 1, "empty": 1, "contains": 2, "equals": 2, "not": 1, "and": 0, "or": 0, "if": 3, "coalesce": 1,
		"true": 0, "false": 0, "null": 0, "createarray": 0, "createobject": 0, "add": 2, "sub": 2, "trygetmember": 2}[name]
	switch {
	case !ok:
		return nil, errors.New("its value is not known before the deployment")
	case len(args) < arity:
		return nil, fmt.Errorf("needs %d arguments", arity)
	}
	switch name {
	case "concat":
		return concat(args), nil
	case "format":
		return format(text(args, 0), args[1:])
	case "tolower":
		return strings.ToLower(text(args, 0)), nil
	case "toupper":
		return strings.ToUpper(text(args, 0)), nil
	case "trim":
		return strings.TrimSpace(text(args, 0)), nil
	case "string":
		return text(args, 0), nil
	case "int":
		return strconv.ParseInt(text(args, 0), 10, 64)
	case "bool":
		return strconv.ParseBool(strings.ToLower(text(args, 0)))
	case "json":
		var v any
		err := json.Unmarshal([]byte(text(args, 0)), &v)
		return v, err
	case "replace":
		return strings.ReplaceAll(text(args, 0), text(args, 1), text(args, 2)), nil
	case "split":
		var parts []any
		for _, part := range strings.Split(text(args, 0), text(args, 1)) {
			parts = append(parts, part)
		}
		return parts, nil
	case "join":
		list, _ := args[0].([]any)
		return strings.Join(texts(list), text(args, 1)), nil
	case "first", "last":
		list, _ := args[0].([]any)
		if len(list) == 0 {
			return nil, errors.New("the list is empty")
		}
		if name == "first" {
			return list[0], nil
		}
		return list[len(list)-1], nil
	case "length":
		return int64(size(args[0])), nil
	case "empty":
		return args[0] == nil || size(args[0]) == 0, nil
	case "contains":
		return contains(args[0], args[1]), nil
	case "equals":
		return equal(args[0], args[1]), nil
	case "true", "false":
		return name == "true", nil
	case "null":
		return nil, nil
	case "createarray":
		return append([]any{}, args...), nil
	case "createobject":
		object := map[string]any{}
		for i := 0; i+1 < len(args); i += 2 {
			object[text(args, i)] = args[i+1]
		}
		return object, nil
	case "coalesce":
		for _, v := range args {
			if v != nil {
				return v, nil
			}
		}
		return nil, nil
	case "trygetmember":
		v, _ := element(args[0], args[1])
		return v, nil
	case "add", "sub":
		a, ok := whole64(args[0])
		b, also := whole64(args[1])
		if !ok || !also {
			return nil, errors.New("needs whole numbers")
		}
		if name == "sub" {
			b = -b
		}
		return a + b, nil
	}
	return logical(name, args)
}

func logical(name string, args []any) (any, error) {
	truths := make([]bool, len(args))
	for i, v := range args {
		truth, ok := v.(bool)
		if name == "if" {
			if i > 0 {
				break
			}
			if !ok {
				return nil, errors.New("its condition is neither true nor false")
			}
			taken := args[1]
			if !truth {
				taken = args[2]
			}
			if u, bad := taken.(unknown); bad {
				return nil, u.err
			}
			return taken, nil
		}
		if !ok {
			return nil, fmt.Errorf("argument %d is neither true nor false", i)
		}
		truths[i] = truth
	}
	switch name {
	case "not":
		return !truths[0], nil
	case "and":
		for _, truth := range truths {
			if !truth {
				return false, nil
			}
		}
		return true, nil
	}
	for _, truth := range truths {
		if truth {
			return true, nil
		}
	}
	return false, nil
}

// resourceID puts an id together of a type and names, with what may stand in
// front of them.
func (f *frame) resourceID(function string, args []string) (any, error) {
	base := ""
	if function == "extensionresourceid" {
		if len(args) == 0 || !strings.HasPrefix(args[0], "/") {
			return nil, errors.New("needs the id of what is extended")
		}
		base, args = strings.TrimSuffix(args[0], "/"), args[1:]
	}
	kind := 0
	for kind < len(args) && !strings.Contains(args[kind], "/") {
		kind++
	}
	if kind == len(args) || kind > 2 {
		return nil, errors.New("needs a resource type")
	}
	before, types, names := args[:kind], strings.Split(args[kind], "/"), args[kind+1:]
	if len(types)-1 != len(names) {
		return nil, fmt.Errorf("%s needs %d names, and has %d", args[kind], len(types)-1, len(names))
	}
	at := f.seen
	switch {
	case function == "resourceid" && len(before) > 0:
		at.ResourceGroup = before[len(before)-1]
		if len(before) == 2 {
			at.Subscription = before[0]
		}
	case function == "subscriptionresourceid":
		at.ResourceGroup = ""
		if len(before) == 1 {
			at.Subscription = before[0]
		}
	case function == "managementgroupresourceid" && len(before) == 1:
		at.ManagementGroup = before[0]
	}
	switch function {
	case "resourceid", "subscriptionresourceid":
		if at.Subscription == "" {
			return nil, errors.New("the deployment has no subscription")
		}
		base = string(at.scope())
	case "managementgroupresourceid":
		base = managementGroups + at.ManagementGroup
	}
	id := base + "/providers/" + types[0]
	for i, name := range names {
		id += "/" + types[i+1] + "/" + name
	}
	return id, nil
}

// namespace is the one of Azure's guid function: a name-based UUID (RFC 9562,
// version 5) of the arguments joined by hyphens.
var namespace = [16]byte{0x11, 0xfb, 0x06, 0xfb, 0x71, 0x2d, 0x4d, 0xdd, 0x98, 0xc7, 0xe7, 0x1b, 0xbd, 0x58, 0x88, 0x30}

func guid(args []string) string {
	sum := sha1.Sum(append(namespace[:], strings.Join(args, "-")...))
	sum[6], sum[8] = sum[6]&0x0f|0x50, sum[8]&0x3f|0x80
	s := hex.EncodeToString(sum[:16])
	return strings.Join([]string{s[:8], s[8:12], s[12:16], s[16:20], s[20:]}, "-")
}

var placeholder = regexp.MustCompile(`\{\{|\}\}|\{\d+(:[^}]*)?\}`)

// format puts arguments where {0}, {1}, ... stand.
func format(pattern string, args []any) (any, error) {
	var bad error
	out := placeholder.ReplaceAllStringFunc(pattern, func(match string) string {
		switch match {
		case "{{":
			return "{"
		case "}}":
			return "}"
		}
		number, style, _ := strings.Cut(strings.Trim(match, "{}"), ":")
		i, err := strconv.Atoi(number)
		if err != nil || i >= len(args) || style != "" {
			bad = fmt.Errorf("%s cannot be filled in", match)
			return match
		}
		return text(args, i)
	})
	return out, bad
}

func concat(args []any) any {
	if len(args) > 0 {
		if _, lists := args[0].([]any); lists {
			all := []any{}
			for _, v := range args {
				list, _ := v.([]any)
				all = append(all, list...)
			}
			return all
		}
	}
	return strings.Join(texts(args), "")
}

func size(v any) int {
	switch v := v.(type) {
	case string:
		return len([]rune(v))
	case []any:
		return len(v)
	case map[string]any:
		return len(v)
	}
	return 0
}

func contains(in, what any) bool {
	switch in := in.(type) {
	case string:
		s, ok := what.(string)
		return ok && strings.Contains(in, s)
	case []any:
		for _, v := range in {
			if equal(v, what) {
				return true
			}
		}
	case map[string]any:
		s, ok := what.(string)
		_, err := memberOf(in, s)
		return ok && err == nil
	}
	return false
}

// equal compares as the function equals does: texts by their case.
func equal(a, b any) bool {
	m, number := whole64(a)
	n, also := whole64(b)
	if number && also {
		return m == n
	}
	return reflect.DeepEqual(a, b)
}

func whole64(v any) (int64, bool) {
	switch v := v.(type) {
	case int64:
		return v, true
	case float64:
		return int64(v), v == float64(int64(v))
	}
	return 0, false
}

// text is an argument as text; empty for one that is not there.
func text(args []any, i int) string {
	if i >= len(args) || args[i] == nil {
		return ""
	}
	switch v := args[i].(type) {
	case string:
		return v
	case bool:
		return map[bool]string{true: "True", false: "False"}[v]
	}
	if n, ok := whole64(args[i]); ok {
		return strconv.FormatInt(n, 10)
	}
	raw, err := json.Marshal(args[i])
	if err != nil {
		return ""
	}
	return string(raw)
}

func texts(args []any) []string {
	all := make([]string, len(args))
	for i := range args {
		all[i] = text(args, i)
	}
	return all
}
