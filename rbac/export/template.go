package export

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sekisho/rbac"
)

// Deployment says where a template would be deployed, and with what. What its
// schema asks for must be given: a resource group and its subscription, a
// subscription, or a management group.
type Deployment struct {
	Subscription, ResourceGroup, ManagementGroup string
	// Parameters have no default, or another than it.
	Parameters map[string]any
}

func (d Deployment) scope() rbac.Scope {
	switch {
	case d.ResourceGroup != "":
		return rbac.Scope("/subscriptions/" + d.Subscription + "/resourceGroups/" + d.ResourceGroup)
	case d.Subscription != "":
		return rbac.Scope("/subscriptions/" + d.Subscription)
	case d.ManagementGroup != "":
		return rbac.Scope(managementGroups + d.ManagementGroup)
	}
	return rbac.Root
}

// AddTemplate adds the role assignments, and the custom roles, of an ARM
// template in JSON, as bicep build writes it, and of the deployments nested in
// it. It gives how many role assignments it added. What only a deployment finds
// out, such as the identity of a resource that the template makes, is an error
// where an assignment needs it; the error names the place.
func (e *Export) AddTemplate(raw []byte, at Deployment) (added int, err error) {
	var t template
	if err := json.Unmarshal(raw, &t); err != nil {
		return 0, err
	}
	if t.Resources == nil {
		return 0, errors.New("this is no template: it has no resources")
	}
	b := newBuilder()
	b.Export = e
	for i, r := range e.World.Roles {
		b.roles[strings.ToLower(r.Name)] = i
	}
	before := len(e.World.Assignments)
	if at, err = t.target(at); err != nil {
		return 0, err
	}
	f := &frame{template: &t, at: at, seen: at, parameters: map[string]argument{}, steps: new(int)}
	for name, v := range at.Parameters {
		f.parameters[strings.ToLower(name)] = argument{value: v}
	}
	if err := b.addResources(f, "", 0); err != nil {
		return 0, err
	}
	if _, err := b.finish(); err != nil {
		return 0, err
	}
	return len(e.World.Assignments) - before, nil
}

// template is the parts of a template that role assignments hang on.
type template struct {
	Schema     string               `json:"$schema"`
	Parameters map[string]parameter `json:"parameters"`
	Variables  map[string]any       `json:"variables"`
	Resources  resources            `json:"resources"`
}

type parameter struct {
	Default any `json:"defaultValue"`
	// Nullable parameters of Bicep are null by default.
	Nullable bool `json:"nullable"`
}

// resources are an array or, in language version 2.0, an object by symbolic
// name.
type resources []resource

type resource struct {
	key           string
	Type          string         `json:"type"`
	Name          string         `json:"name"`
	Scope         string         `json:"scope"`
	Condition     any            `json:"condition"`
	Existing      bool           `json:"existing"`
	Subscription  string         `json:"subscriptionId"`
	ResourceGroup string         `json:"resourceGroup"`
	Copy          *copyLoop      `json:"copy"`
	Properties    map[string]any `json:"properties"`
	Resources     resources      `json:"resources"`
}

type copyLoop struct {
	Name  string `json:"name"`
	Count any    `json:"count"`
}

func (r *resources) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '{' {
		var named map[string]resource
		if err := json.Unmarshal(raw, &named); err != nil {
			return err
		}
		for _, key := range slices.Sorted(maps.Keys(named)) {
			one := named[key]
			one.key = "resources." + key
			*r = append(*r, one)
		}
		if *r == nil {
			*r = resources{}
		}
		return nil
	}
	var list []resource
	if err := json.Unmarshal(raw, &list); err != nil {
		return err
	}
	*r = resources{}
	for i, one := range list {
		one.key = fmt.Sprintf("resources[%d]", i)
		*r = append(*r, one)
	}
	return nil
}

// target is the part of a deployment's place that the template's schema is for.
func (t *template) target(at Deployment) (Deployment, error) {
	schema := strings.ToLower(t.Schema)
	switch {
	case strings.Contains(schema, "/subscriptiondeploymenttemplate.json"):
		if at.Subscription == "" {
			return at, errors.New("the template is for a subscription: say which")
		}
		at.ResourceGroup, at.ManagementGroup = "", ""
	case strings.Contains(schema, "/managementgroupdeploymenttemplate.json"):
		if at.ManagementGroup == "" {
			return at, errors.New("the template is for a management group: say which")
		}
		at.ResourceGroup, at.Subscription = "", ""
	case strings.Contains(schema, "/tenantdeploymenttemplate.json"):
		at.ResourceGroup, at.Subscription, at.ManagementGroup = "", "", ""
	case at.Subscription == "" || at.ResourceGroup == "":
		return at, errors.New("the template is for a resource group: say which, and of which subscription")
	default:
		at.ManagementGroup = ""
	}
	return at, nil
}

// frame is what the expressions of a template see.
type frame struct {
	*template
	at         Deployment          // where its resources go
	seen       Deployment          // what functions such as resourceGroup tell of
	parameters map[string]argument // by name in lower case
	loops      []loop
	steps      *int // values that were looked at, in the whole template
}

// stepLimit bounds them: values may be made of values that are made of values.
// Azure's own bound is 4 MB for a template, after all loops.
const stepLimit = 1 << 20

// argument is a value as written, and the frame that its expressions are of; of
// none for a plain value.
type argument struct {
	value any
	frame *frame
}

type loop struct {
	name  string
	index int64
}

func (f *frame) parameter(name string, depth int) (any, error) {
	if v, ok := f.parameters[strings.ToLower(name)]; ok {
		if v.frame == nil {
			return v.value, nil
		}
		return v.frame.resolve(v.value, depth)
	}
	for declared, p := range f.Parameters {
		if strings.EqualFold(declared, name) {
			if p.Default == nil && !p.Nullable {
				return nil, fmt.Errorf("the parameter %s has no default: give it a value", name)
			}
			return f.resolve(p.Default, depth)
		}
	}
	return nil, fmt.Errorf("there is no parameter %s", name)
}

func (f *frame) variable(name string, depth int) (any, error) {
	for declared, v := range f.Variables {
		if strings.EqualFold(declared, name) {
			return f.resolve(v, depth)
		}
	}
	return nil, fmt.Errorf("there is no variable %s", name)
}

func (f *frame) copyIndex(args []any) (any, error) {
	name, offset := "", int64(0)
	for _, v := range args {
		if n, ok := whole64(v); ok {
			offset = n
		} else {
			name, _ = v.(string)
		}
	}
	for _, l := range slices.Backward(f.loops) {
		if name == "" || strings.EqualFold(l.name, name) {
			return l.index + offset, nil
		}
	}
	return nil, errors.New("there is no such loop here")
}

// resolve evaluates the expressions in a value.
func (f *frame) resolve(v any, depth int) (any, error) {
	if *f.steps++; *f.steps > stepLimit {
		return nil, errors.New("the template is too large to evaluate")
	}
	if depth > depthLimit {
		return nil, errors.New("values are nested too deep, or in a circle")
	}
	switch v := v.(type) {
	case string:
		if inner, ok := isExpression(v); ok {
			return f.evaluate(inner, depth+1)
		}
		if strings.HasPrefix(v, "[[") {
			return v[1:], nil
		}
	case []any:
		out := make([]any, len(v))
		for i := range v {
			var err error
			if out[i], err = f.resolve(v[i], depth+1); err != nil {
				return nil, fmt.Errorf("[%d]: %w", i, err)
			}
		}
		return out, nil
	case map[string]any:
		out := make(map[string]any, len(v))
		for _, key := range slices.Sorted(maps.Keys(v)) {
			resolved, err := f.resolve(v[key], depth+1)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", key, err)
			}
			out[key] = resolved
		}
		return out, nil
	}
	return v, nil
}

func (f *frame) text(v string) (string, error) {
	resolved, err := f.resolve(v, 0)
	if err != nil {
		return "", err
	}
	s, ok := resolved.(string)
	if !ok {
		return "", fmt.Errorf("%s is no text", v)
	}
	return s, nil
}

func (b *builder) addResources(f *frame, path string, depth int) error {
	if depth > depthLimit {
		return errors.New("deployments are nested too deep")
	}
	for _, r := range f.Resources {
		if err := b.addLoop(f, r, path+r.key, depth); err != nil {
			return err
		}
	}
	return nil
}

// copyLimit is Azure's, of a copy loop (azure-docs copy-resources.md).
const copyLimit = 800

// addLoop adds a resource as often as it says.
func (b *builder) addLoop(f *frame, r resource, path string, depth int) error {
	if r.Existing || !r.matters() {
		return nil
	}
	if r.Copy == nil {
		return b.addOne(f, r, path, depth)
	}
	count, err := f.resolve(r.Copy.Count, 0)
	if err != nil {
		return fmt.Errorf("%s.copy.count: %w", path, err)
	}
	n, ok := whole64(count)
	if !ok || n < 0 || n > copyLimit {
		return fmt.Errorf("%s.copy.count: %v is no number up to %d", path, count, copyLimit)
	}
	for i := range n {
		inner := *f
		inner.loops = append(slices.Clone(f.loops), loop{r.Copy.Name, i})
		if err := b.addOne(&inner, r, fmt.Sprintf("%s(copy %d)", path, i), depth); err != nil {
			return err
		}
	}
	return nil
}

// matters tells whether there may be a role assignment in it.
func (r resource) matters() bool {
	kind := strings.ToLower(r.Type)
	return kind == strings.ToLower(assignmentType) || kind == strings.ToLower(definitionType) || kind == "microsoft.resources/deployments" ||
		strings.HasSuffix(kind, "/providers/roleassignments")
}

func (b *builder) addOne(f *frame, r resource, path string, depth int) error {
	if r.Condition != nil {
		wanted, err := f.resolve(r.Condition, 0)
		if err != nil {
			return fmt.Errorf("%s.condition: %w", path, err)
		}
		if wanted == false {
			return nil
		}
	}
	if strings.EqualFold(r.Type, "Microsoft.Resources/deployments") {
		return b.addNested(f, r, path, depth)
	}
	scope, name, err := f.place(r)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	properties, err := f.resolve(r.Properties, 0)
	if err != nil {
		return fmt.Errorf("%s.properties: %w", path, err)
	}
	id := strings.TrimSuffix(string(scope), "/") + "/providers/"
	element := map[string]any{"name": name, "properties": properties}
	if strings.EqualFold(r.Type, definitionType) {
		element["id"] = id + definitionType + "/" + name
		err = readdAs(element, b.addRole)
	} else {
		element["id"] = id + assignmentType + "/" + name
		element["scope"] = string(scope)
		err = readdAs(element, b.addAssignment)
	}
	if err != nil {
		return fmt.Errorf("%s.properties: %w", path, err)
	}
	return nil
}

func readdAs[T any](element map[string]any, add func(T) error) error {
	raw, err := json.Marshal(element)
	if err != nil {
		return err
	}
	var one T
	if err := json.Unmarshal(raw, &one); err != nil {
		return err
	}
	return add(one)
}

// place is the scope that a resource is an extension of, and its name.
func (f *frame) place(r resource) (scope rbac.Scope, name string, err error) {
	if name, err = f.text(r.Name); err != nil {
		return "", "", fmt.Errorf("name: %w", err)
	}
	scope = f.at.scope()
	if owner, legacy := strings.CutSuffix(strings.ToLower(r.Type), "/providers/roleassignments"); legacy {
		// The type of what is extended, and its names in front of the provider's.
		types, names := strings.Split(r.Type[:len(owner)], "/"), strings.Split(name, "/")
		if len(names) != len(types)+1 {
			return "", "", fmt.Errorf("name: %s does not go with the type %s", name, r.Type)
		}
		at := string(scope) + "/providers/" + types[0]
		for i, kind := range types[1:] {
			at += "/" + kind + "/" + names[i]
		}
		return rbac.Scope(at), names[len(names)-1], nil
	}
	if r.Scope == "" {
		return scope, name, nil
	}
	at, err := f.text(r.Scope)
	if err != nil {
		return "", "", fmt.Errorf("scope: %w", err)
	}
	return f.absolute(at), name, nil
}

// absolute is a scope property in full: Bicep writes Microsoft.X/type/name of
// what is in the same place.
func (f *frame) absolute(at string) rbac.Scope {
	switch {
	case strings.HasPrefix(at, "/"):
		return rbac.Scope(at)
	case strings.HasPrefix(strings.ToLower(at), "microsoft.management/managementgroups/"):
		return rbac.Scope("/providers/" + at)
	}
	return rbac.Scope(strings.TrimSuffix(string(f.at.scope()), "/") + "/providers/" + at)
}

// addNested adds what a nested deployment has, where it is deployed.
func (b *builder) addNested(f *frame, r resource, path string, depth int) error {
	var in struct {
		Template   *template `json:"template"`
		Parameters map[string]struct {
			Value any `json:"value"`
		} `json:"parameters"`
		Options struct {
			Scope string `json:"scope"`
		} `json:"expressionEvaluationOptions"`
	}
	raw, err := json.Marshal(r.Properties)
	if err == nil {
		err = json.Unmarshal(raw, &in)
	}
	if err != nil {
		return fmt.Errorf("%s.properties: %w", path, err)
	}
	if in.Template == nil {
		return fmt.Errorf("%s.properties: the template of the deployment is not in it: it is linked to", path)
	}
	inner := &frame{template: in.Template, parameters: map[string]argument{}, loops: f.loops, steps: f.steps}
	at := f.at
	for _, field := range []struct {
		name, value string
		to          *string
	}{{"subscriptionId", r.Subscription, &at.Subscription}, {"resourceGroup", r.ResourceGroup, &at.ResourceGroup}, {"scope", r.Scope, &at.ManagementGroup}} {
		if field.value == "" {
			continue
		}
		if *field.to, err = f.text(field.value); err != nil {
			return fmt.Errorf("%s.%s: %w", path, field.name, err)
		}
	}
	at.ManagementGroup = lastSegment(at.ManagementGroup)
	if inner.at, err = in.Template.target(at); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if strings.EqualFold(in.Options.Scope, "inner") {
		for name, p := range in.Parameters {
			inner.parameters[strings.ToLower(name)] = argument{p.Value, f}
		}
		inner.loops, inner.seen = nil, inner.at
	} else { // the expressions are those of the template outside
		outside := *f.template
		outside.Resources = in.Template.Resources
		inner.template, inner.parameters, inner.seen = &outside, f.parameters, f.seen
	}
	return b.addResources(inner, path+".properties.template.", depth+1)
}
