package indexer

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"sekisho/internal/services/search/schema"
)

// Enriched is a document on its way from an item to the index.
type Enriched struct {
	item   Item
	key    string
	fields map[string]any // of the target index
	root   *Node
	made   int // cost of what skills made

	failures []Failure
	warnings []Warning
}

func (e *Enriched) fail(name, message, details, link string) {
	e.failures = append(e.failures, Failure{Key: e.item.Path, Name: name, Message: message, Status: 400, Details: optional(details), Link: optional(link)})
}

func (e *Enriched) warn(name, message, details, link string) {
	e.warnings = append(e.warnings, Warning{Key: e.item.Path, Name: name, Message: message, Details: optional(details), Link: optional(link)})
}

// Texts of errors beside those of skills. Source: azure-docs
// cognitive-search-common-errors-warnings.md.
const (
	couldNotRead  = "Could not read document."
	couldNotParse = "Could not parse document."
	couldNotMap   = "Could not map output field '%s' to search index."
	dataInvalid   = "Could not index document because the indexer data to index was invalid."
	couldNotWrite = "Could not 'MergeOrUpload' document to the search index"
)

// begin maps a source document, and makes the tree that skills enrich.
func (r *Run) begin(it Item, source map[string]any) *Enriched {
	e := &Enriched{item: it}
	of := r.target()
	fields, err := r.Definition.fields(of, source)
	if err != nil {
		e.fail(r.extraction(), couldNotParse, err.Error(), linkDocument)
		return e
	}
	e.fields = fields
	e.key, _ = fields[of.KeyField().Name].(string)
	if e.key == "" {
		e.fail(r.extraction(), couldNotParse, "Document key cannot be missing or empty", linkDocument)
		return e
	}
	if r.Skillset == nil {
		return e
	}
	e.root = NewNode(map[string]any{})
	for name, v := range fields {
		e.root.Set(name, NewNode(v))
	}
	for name, v := range source {
		e.root.Set(name, NewNode(v))
	}
	return e
}

func (r *Run) target() *schema.Index { return r.Indexes[r.Definition.Index] }

func (r *Run) extraction() string {
	return "DocumentExtraction." + r.DataSource.Type + "." + r.DataSource.Name
}

// enrich runs the skills over documents that have not failed. It fails only where
// ctx ends.
func (r *Run) enrich(ctx context.Context, all []*Enriched) error {
	if r.Skillset == nil {
		return nil
	}
	for _, skill := range r.skills {
		c := skill.common()
		var records []*record
		for _, e := range all {
			if len(e.failures) > 0 {
				continue
			}
			records = append(records, e.records(c)...)
		}
		if len(records) == 0 {
			continue
		}
		if err := skill.run(ctx, r.Client, records); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err // what the skill says of it is no fault of the documents
		}
		for _, record := range records {
			record.finish(c)
		}
	}
	return nil
}

// records are the executions of a skill on a document, with their inputs.
func (e *Enriched) records(c *Common) (all []*record) {
	got := 0
	for _, at := range e.root.instances(c.context) {
		one := &record{doc: e, at: at, in: map[string]any{}}
		s := scope{e.root, c.context, at}
		for i := range c.Inputs {
			v, err := c.Inputs[i].eval(s)
			if err != nil {
				e.warn(c.operation(), inputInvalid, fmt.Sprintf("Skill input '%s' could not be evaluated: %v.", c.Inputs[i].Name, err), linkInput)
				one = nil
				break
			}
			if got += cost(v, maxEnriched-got); got > maxEnriched {
				e.fail(c.operation(), couldNotExecute, fmt.Sprintf("The inputs of the skill take more than %d bytes.", maxEnriched), linkSkill)
				return nil
			}
			one.in[c.Inputs[i].Name] = v
		}
		if one != nil {
			all = append(all, one)
		}
	}
	return all
}

// operation names a skill in errors.
func (c *Common) operation() string {
	kind := c.ODataType[strings.LastIndexByte(c.ODataType, '.')+1:]
	return "Enrichment." + kind + "." + c.Name
}

// finish gives the document what an execution gave.
func (r *record) finish(c *Common) {
	for _, p := range r.problems {
		if p.fatal {
			r.doc.fail(c.operation(), p.message, p.details, p.link)
		} else {
			r.doc.warn(c.operation(), p.message, p.details, p.link)
		}
	}
	for _, o := range c.Outputs {
		v, ok := r.out[o.Name]
		if !ok {
			continue
		}
		if r.doc.made += cost(v, maxEnriched-r.doc.made); r.doc.made > maxEnriched {
			r.doc.fail(c.operation(), couldNotExecute, fmt.Sprintf("What skills have made of the document takes more than %d bytes.", maxEnriched), linkSkill)
			return
		}
		r.at.node.Set(o.TargetName(), NewNode(v))
	}
}

// output maps what skills made to fields of the target index.
func (r *Run) output(e *Enriched) {
	for i := range r.Definition.OutputMappings {
		m := &r.Definition.OutputMappings[i]
		name := "Projection.SearchIndex.OutputFieldMapping." + m.Field()
		path, err := ParsePath(m.Source)
		if err != nil {
			e.fail(name, fmt.Sprintf(couldNotMap, m.Field()), err.Error(), linkInput)
			return
		}
		v, found := scope{root: e.root, context: Path{root}, at: instance{node: e.root}}.get(path)
		if !found || v == nil {
			e.warn(name, fmt.Sprintf(couldNotMap, m.Field()), "Check the 'outputFieldMappings' property of your indexer.\r\nMissing value '"+m.Source+"'.", linkInput)
			continue
		}
		if v, err = m.apply(v); err != nil {
			e.fail(name, couldNotParse, err.Error(), linkDocument)
			return
		}
		e.fields[find(r.target().Fields, m.Field()).Name] = v
	}
}

// documents are those that an enriched one becomes, and its families of parts.
func (r *Run) documents(e *Enriched) (docs []Document, families []Family) {
	r.outputAll(e)
	if len(e.failures) > 0 {
		return nil, nil
	}
	if !r.projections().SkipsParents() {
		docs = append(docs, Document{Index: r.Definition.Index, Key: e.key, Fields: e.fields})
	}
	if p := r.projections(); p != nil {
		for i := range p.Selectors {
			s := &p.Selectors[i]
			parts, err := s.project(e, r.Indexes[s.Index])
			if err != nil {
				e.fail("Projection.SearchIndex.IndexProjections."+s.Index, dataInvalid, err.Error(), linkIndex)
				return nil, nil
			}
			docs = append(docs, parts...)
			families = join(families, s.Index, e.key, parts)
		}
	}
	for i := range docs {
		if err := r.fit(&docs[i]); err != nil {
			var wrong *misfit
			if errors.As(err, &wrong) {
				e.fail("Projection.SearchIndex.MergeOrUpload."+docs[i].Index, dataInvalid, wrong.text, linkIndex)
			} else {
				e.fail("Projection.SearchIndex.MergeOrUpload."+docs[i].Index, couldNotWrite, err.Error(), linkIndex)
			}
			return nil, nil
		}
	}
	return docs, families
}

func (r *Run) outputAll(e *Enriched) {
	if e.root != nil && len(e.failures) == 0 {
		r.output(e)
	}
}

func (r *Run) projections() *IndexProjections {
	if r.Skillset == nil {
		return nil
	}
	return r.Skillset.Projections
}

// join adds parts to the family of their parent: selectors may share an index.
func join(families []Family, index, parent string, parts []Document) []Family {
	i := 0
	for i < len(families) && families[i].Index != index {
		i++
	}
	if i == len(families) {
		families = append(families, Family{Index: index, Parent: parent})
	}
	for _, part := range parts {
		families[i].Keys = append(families[i].Keys, part.Key)
	}
	return families
}
