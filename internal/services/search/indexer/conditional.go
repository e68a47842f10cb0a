package indexer

import "context"

// ConditionalSkill gives one of two values.
// Source: azure-docs search/cognitive-search-skill-conditional.md.
type ConditionalSkill struct{ Common }

func (k *ConditionalSkill) plan(Skill) error {
	return k.hold([]string{"condition", "whenTrue", "whenFalse"}, nil, []string{"output"})
}

func (k *ConditionalSkill) run(_ context.Context, _ Client, records []*record) error {
	for _, r := range records {
		switch c := r.in["condition"].(type) {
		case bool:
			name := "whenFalse"
			if c {
				name = "whenTrue"
			}
			r.out = map[string]any{"output": r.in[name]}
		case nil:
			r.missing("condition")
		default:
			r.warn(inputInvalid, "Required skill input was not of the expected type 'Boolean'. Name: 'condition'", linkInput)
		}
	}
	return nil
}

// ShaperSkill makes one object of its inputs.
// Source: azure-docs search/cognitive-search-skill-shaper.md.
type ShaperSkill struct{ Common }

func (k *ShaperSkill) plan(Skill) error { return k.hold(nil, nil, []string{"output"}) }

func (k *ShaperSkill) run(_ context.Context, _ Client, records []*record) error {
	for _, r := range records {
		shaped := map[string]any{}
		for name, v := range r.in {
			shaped[name] = v
		}
		r.out = map[string]any{"output": shaped}
	}
	return nil
}
