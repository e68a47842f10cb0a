package indexer

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// Skill is a step of enrichment.
type Skill interface {
	common() *Common
	// plan checks the skill and fills in its defaults; old is what it replaces, or nil.
	plan(old Skill) error
	// run gives the records their outputs. It fails only where ctx ends.
	run(ctx context.Context, client Client, records []*record) error
}

// Client sends what skills request. With an audience the request bears a token of
// the search service, or of the identity that is named.
type Client interface {
	Do(ctx context.Context, identity json.RawMessage, audience string, r *http.Request) (*http.Response, error)
}

// Common is what all skills have. Source: searchservice.json SearchIndexerSkill.
type Common struct {
	ODataType   string   `json:"@odata.type"`
	Name        string   `json:"name"`
	Description *string  `json:"description"`
	Context     string   `json:"context"`
	Inputs      []Input  `json:"inputs"`
	Outputs     []Output `json:"outputs"`

	context Path
}

func (c *Common) common() *Common { return c }

// Input is a value that a skill gets: by a source, or of several inputs below a
// source context.
type Input struct {
	Name          string  `json:"name"`
	Source        *string `json:"source"`
	SourceContext *string `json:"sourceContext"`
	Inputs        []Input `json:"inputs"`

	source  expression
	context Path
}

// Output is a value that a skill gives.
type Output struct {
	Name   string  `json:"name"`
	Target *string `json:"targetName"`
}

// TargetName is the name that it gets in the document.
func (o Output) TargetName() string {
	if o.Target == nil || *o.Target == "" {
		return o.Name
	}
	return *o.Target
}

// record is one execution of a skill.
type record struct {
	doc      *Enriched
	at       instance
	in       map[string]any
	out      map[string]any
	problems []problem
}

// problem is an error or a warning of a skill.
type problem struct {
	fatal   bool // an error
	message string
	details string
	link    string
}

func (r *record) fail(message, details, link string) {
	r.problems = append(r.problems, problem{true, message, details, link})
}

func (r *record) warn(message, details, link string) {
	r.problems = append(r.problems, problem{false, message, details, link})
}

// The texts, and links to their explanations.
// Source: azure-docs cognitive-search-common-errors-warnings.md; onyourdata.md §1b.
const (
	couldNotExecute  = "Could not execute skill"
	inputInvalid     = "Could not execute skill because one or more skill inputs were invalid"
	requestFailed    = "Could not execute skill because the Web Api request failed."
	responseInvalid  = "Could not execute skill because Web Api skill response is invalid."
	responseWarnings = "Web Api skill response contains warnings."
	timeLimit        = "Skill did not execute within the time limit."

	linkSkill    = "https://go.microsoft.com/fwlink/?linkid=2106475"
	linkInput    = "https://go.microsoft.com/fwlink/?linkid=2099692"
	linkDocument = "https://go.microsoft.com/fwlink/?linkid=2049388"
	linkIndex    = "https://go.microsoft.com/fwlink/?linkid=2099696"
)

// missing warns of an input that is required.
func (r *record) missing(name string) {
	r.warn(inputInvalid, "Required skill input is missing. Name: '"+name+"'", linkInput)
}

// text is an input that is a string, or warns.
func (r *record) text(name string) (string, bool) {
	switch v := r.in[name].(type) {
	case string:
		return v, true
	case nil:
		r.missing(name)
	default:
		r.warn(inputInvalid, "Required skill input was not of the expected type 'String'. Name: '"+name+"'", linkInput)
	}
	return "", false
}

// hold checks a skill's inputs and outputs against those that it has. No names are
// any names.
func (c *Common) hold(required, optional, outputs []string) error {
	for _, in := range c.Inputs {
		if known := slices.Concat(required, optional); len(known) > 0 && !slices.Contains(known, in.Name) {
			return invalid("inputs", "skill '%s' : The input '%s' is not one of the skill: %s.", c.Name, in.Name, strings.Join(known, ", "))
		}
	}
	for _, name := range required {
		if !slices.ContainsFunc(c.Inputs, func(in Input) bool { return in.Name == name }) {
			return invalid("inputs", "skill '%s' : The required input '%s' is missing.", c.Name, name)
		}
	}
	for _, out := range c.Outputs {
		if len(outputs) > 0 && !slices.Contains(outputs, out.Name) {
			return invalid("outputs", "skill '%s' : The output '%s' is not one of the skill: %s.", c.Name, out.Name, strings.Join(outputs, ", "))
		}
	}
	return nil
}

// prepare reads the paths of a skill.
func (c *Common) prepare() (err error) {
	bad := func(err error) error { return invalid("skills", "skill '%s' : %v.", c.Name, err) }
	if c.Context == "" {
		c.Context = "/" + root
	}
	if c.context, err = ParsePath(c.Context); err != nil {
		return bad(err)
	}
	if c.context[len(c.context)-1] == hash {
		return invalid("skills", "skill '%s' : The context '%s' ends with '#'.", c.Name, c.Context)
	}
	if len(c.Inputs) == 0 {
		return invalid("inputs", "skill '%s' : A skill has at least one input.", c.Name)
	}
	if len(c.Outputs) == 0 {
		return invalid("outputs", "skill '%s' : A skill has at least one output.", c.Name)
	}
	targets := map[string]bool{}
	for _, out := range c.Outputs {
		name := out.TargetName()
		if name == "" || strings.ContainsAny(name, "/*#~") {
			return invalid("outputs", "skill '%s' : '%s' is not the name of an output.", c.Name, name)
		}
		if targets[name] {
			return invalid("outputs", "skill '%s' : Two outputs have the target name '%s'.", c.Name, name)
		}
		targets[name] = true
	}
	return prepareInputs(c.Inputs, bad)
}

// prepareInputs reads sources, also of inputs within inputs.
func prepareInputs(inputs []Input, bad func(error) error) (err error) {
	names := map[string]bool{}
	for i := range inputs {
		in := &inputs[i]
		if in.Name == "" || names[in.Name] {
			return invalid("inputs", "The input name '%s' is empty or is there twice.", in.Name)
		}
		names[in.Name] = true
		if in.Inputs == nil {
			in.Inputs = []Input{}
		}
		switch {
		case in.Source != nil && *in.Source != "":
			if len(in.Inputs) > 0 {
				return invalid("inputs", "The input '%s' has a source and inputs.", in.Name)
			}
			if in.source, err = parseSource(*in.Source); err != nil {
				return bad(err)
			}
		case len(in.Inputs) > 0:
			if in.SourceContext == nil {
				return invalid("inputs", "The input '%s' has inputs, and no sourceContext.", in.Name)
			}
			if in.context, err = ParsePath(*in.SourceContext); err != nil {
				return bad(err)
			}
			if err := prepareInputs(in.Inputs, bad); err != nil {
				return err
			}
		default:
			return invalid("inputs", "The input '%s' has no source.", in.Name)
		}
	}
	return nil
}

// eval gives the value of an input, nil where there is nothing.
func (in *Input) eval(s scope) (any, error) {
	if in.source != nil {
		return in.source.eval(s)
	}
	var all []any
	for _, at := range s.root.instances(in.context) {
		if !s.at.holds(at, s.context, in.context) {
			continue
		}
		shaped := map[string]any{}
		for i := range in.Inputs {
			v, err := in.Inputs[i].eval(scope{s.root, in.context, at})
			if err != nil {
				return nil, err
			}
			shaped[in.Inputs[i].Name] = v
		}
		all = append(all, shaped)
	}
	if !slices.Contains(in.context, star) {
		if len(all) == 0 {
			return nil, nil
		}
		return all[0], nil
	}
	return all, nil
}

// holds tells whether an instance of an inner context is one of an outer instance:
// the stars that both contexts have in common are the same elements.
func (outer instance) holds(inner instance, outerContext, innerContext Path) bool {
	stars := 0
	for i := range min(len(outerContext), len(innerContext)) {
		if outerContext[i] != innerContext[i] {
			break
		}
		if outerContext[i] == star {
			if outer.indexes[stars] != inner.indexes[stars] {
				return false
			}
			stars++
		}
	}
	return true
}

// reads adds the paths that inputs read.
func reads(inputs []Input, all []Path) []Path {
	for i := range inputs {
		if inputs[i].source != nil {
			all = inputs[i].source.paths(all)
			continue
		}
		all = reads(inputs[i].Inputs, append(all, inputs[i].context))
	}
	return all
}
