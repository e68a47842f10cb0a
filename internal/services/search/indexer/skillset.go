package indexer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// Skillset is a list of skills. Source: searchservice.json SearchIndexerSkillset.
type Skillset struct {
	Name          string            `json:"name"`
	Description   *string           `json:"description"`
	Skills        Skills            `json:"skills"`
	Billing       *Billing          `json:"cognitiveServices"`
	Knowledge     json.RawMessage   `json:"knowledgeStore"`
	Projections   *IndexProjections `json:"indexProjections" api:"2024-07-01,2023-10-01"`
	EncryptionKey json.RawMessage   `json:"encryptionKey"`
}

// Skills are read by their @odata.type.
type Skills []Skill

// Billing is an account of Azure AI services to which built-in skills are billed.
type Billing struct {
	ODataType    string          `json:"@odata.type"`
	Description  *string         `json:"description,omitempty"`
	Key          string          `json:"key,omitempty"`
	SubdomainURL string          `json:"subdomainUrl,omitempty"`
	Identity     json.RawMessage `json:"identity,omitempty"`
}

// Redacted stands for a secret that is not shown again.
const Redacted = "<redacted>"

// kinds of skills that run here.
func newSkill(odataType string) Skill {
	switch strings.TrimPrefix(odataType, "#") {
	case "Microsoft.Skills.Text.SplitSkill":
		return &SplitSkill{}
	case "Microsoft.Skills.Text.MergeSkill":
		return &MergeSkill{}
	case "Microsoft.Skills.Util.ConditionalSkill":
		return &ConditionalSkill{}
	case "Microsoft.Skills.Util.ShaperSkill":
		return &ShaperSkill{}
	case "Microsoft.Skills.Custom.WebApiSkill":
		return &WebAPISkill{}
	case "Microsoft.Skills.Text.AzureOpenAIEmbeddingSkill":
		return &EmbeddingSkill{}
	}
	return nil
}

// UnmarshalJSON reads each skill as what it says that it is.
func (s *Skills) UnmarshalJSON(raw []byte) error {
	var all []json.RawMessage
	if err := json.Unmarshal(raw, &all); err != nil {
		return invalid("skills", "skillset : The skills are not an array.")
	}
	*s = Skills{}
	for i, one := range all {
		var head struct {
			ODataType string `json:"@odata.type"`
		}
		if err := json.Unmarshal(one, &head); err != nil {
			return invalid("skills", "skillset : Skill #%d is not an object.", i+1)
		}
		skill := newSkill(head.ODataType)
		if skill == nil {
			return invalid("skills", "skillset : Skill #%d: the skill type '%s' is not supported.", i+1, head.ODataType)
		}
		dec := json.NewDecoder(bytes.NewReader(one))
		dec.DisallowUnknownFields()
		if err := dec.Decode(skill); err != nil {
			return invalid("skills", "skillset : Skill #%d (%s): %s.", i+1, head.ODataType, strings.TrimPrefix(err.Error(), "json: "))
		}
		*s = append(*s, skill)
	}
	return nil
}

// maxSkills is how many a skillset has. Source: azure-docs
// search/search-limits-quotas-capacity.md, "Indexer limits".
const maxSkills = 30

// Plan checks a skillset that replaces old, which is nil on creation.
func (s *Skillset) Plan(old *Skillset) error {
	if len(s.Skills) == 0 {
		return invalid("skills", "skillset : A skillset has at least one skill.")
	}
	if len(s.Skills) > maxSkills {
		return invalid("skills", "skillset : A skillset has at most %d skills, and this one has %d.", maxSkills, len(s.Skills))
	}
	if !isNull(s.Knowledge) {
		return invalid("knowledgeStore", "skillset : A knowledge store is not supported here.")
	}
	if err := noEncryptionKey(s.EncryptionKey); err != nil {
		return err
	}
	if err := s.planBilling(old); err != nil {
		return err
	}
	before := map[string]Skill{}
	if old != nil {
		for _, skill := range old.Skills {
			before[skill.common().Name] = skill
		}
	}
	names := map[string]bool{}
	for i, skill := range s.Skills {
		c := skill.common()
		if c.Name == "" {
			c.Name = fmt.Sprintf("#%d", i+1)
		}
		if names[c.Name] {
			return invalid("skills", "skillset : Two skills have the name '%s'.", c.Name)
		}
		names[c.Name] = true
		if err := c.prepare(); err != nil {
			return err
		}
		if err := skill.plan(before[c.Name]); err != nil {
			return err
		}
	}
	if s.Projections != nil {
		if err := s.Projections.plan(); err != nil {
			return err
		}
	}
	_, err := s.order()
	return err
}

// Prepare readies a skillset that was planned before for its runs.
func (s *Skillset) Prepare() error { return s.Plan(s) }

func (s *Skillset) planBilling(old *Skillset) error {
	b := s.Billing
	if b == nil {
		return nil
	}
	switch strings.TrimPrefix(b.ODataType, "#Microsoft.Azure.Search.") {
	case "DefaultCognitiveServices", "AIServicesByIdentity":
	case "CognitiveServicesByKey", "AIServicesByKey":
		if b.Key == Redacted && old != nil && old.Billing != nil {
			b.Key = old.Billing.Key
		}
		if b.Key == "" || b.Key == Redacted {
			return invalid("cognitiveServices", "skillset : cognitiveServices.key is required.")
		}
	default:
		return invalid("cognitiveServices", "skillset : cognitiveServices has the type '%s', which is not known.", b.ODataType)
	}
	return nil
}

// order puts skills after those whose outputs they read.
func (s *Skillset) order() ([]Skill, error) {
	makes := func(skill Skill) (all []Path) {
		c := skill.common()
		for _, out := range c.Outputs {
			all = append(all, append(c.context[:len(c.context):len(c.context)], out.TargetName()))
		}
		return all
	}
	needs := make([][]int, len(s.Skills))
	for i, skill := range s.Skills {
		c := skill.common()
		for j, other := range s.Skills {
			for _, made := range makes(other) {
				for _, read := range reads(c.Inputs, []Path{c.context}) {
					if i != j && read.within(made) {
						needs[i] = append(needs[i], j)
					}
				}
			}
		}
	}
	var sorted []Skill
	const entered, left = 1, 2
	state := make([]int, len(s.Skills))
	var visit func(int) error
	visit = func(i int) error {
		switch state[i] {
		case entered:
			return invalid("skills", "skillset : The skill '%s' needs its own output, by way of others.", s.Skills[i].common().Name)
		case left:
			return nil
		}
		state[i] = entered
		for _, j := range needs[i] {
			if err := visit(j); err != nil {
				return err
			}
		}
		state[i] = left
		sorted = append(sorted, s.Skills[i])
		return nil
	}
	for i := range s.Skills {
		if err := visit(i); err != nil {
			return nil, err
		}
	}
	return sorted, nil
}

// Hide is a skillset as a client may read it. It changes the skillset.
func (s *Skillset) Hide() *Skillset {
	if s.Billing != nil && s.Billing.Key != "" {
		s.Billing.Key = Redacted
	}
	for _, skill := range s.Skills {
		if secret, ok := skill.(interface{ hide() }); ok {
			secret.hide()
		}
	}
	return s
}
