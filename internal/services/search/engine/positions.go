package engine

import (
	index "github.com/blevesearch/bleve_index_api"
	segment "github.com/blevesearch/scorch_segment_api/v2"
)

// Where a text has a term is kept in fewer bytes than bleve's: a location of its own
// for every token takes five or six, with a field and offsets that nobody asks for,
// and most terms stand in a text once. The frequency that bleve keeps is twice what
// it is if that is more than one, with one location, whose array positions are
// places after the first; of a term that stands once it is twice the place and one.

// textFormat changes with what is kept: an index of another format is made anew.
const textFormat = "places 1"

// frequencies counts the tokens of a text. What it makes lies together: there are
// many texts in a batch.
func (t Text) frequencies() index.TokenFrequencies {
	all := make(index.TokenFrequencies, len(t.Tokens)/2)
	var some []index.TokenFreq
	for i, token := range t.Tokens {
		freq, ok := all[token.Text]
		switch {
		case !ok:
			if len(some) == 0 {
				some = make([]index.TokenFreq, min(64, len(t.Tokens)-i))
			}
			freq, some = &some[0], some[1:]
			freq.SetFrequency(token.Position<<1 | 1)
			all[token.Text] = freq
			continue
		case freq.Locations == nil:
			made := &struct {
				at   index.TokenLocation
				list [1]*index.TokenLocation
			}{}
			made.at.Position, made.list[0] = freq.Frequency()>>1, &made.at
			freq.Locations = made.list[:]
			freq.SetFrequency(1 << 1)
		}
		freq.SetFrequency(freq.Frequency() + 1<<1)
		freq.Locations[0].ArrayPositions = append(freq.Locations[0].ArrayPositions, uint64(token.Position))
	}
	return all
}

// frequency is how often a text has a term.
func frequency(found segment.Posting) float64 {
	if f := found.Frequency(); f&1 == 0 {
		return float64(f >> 1)
	}
	return 1
}

// places calls fn with each place where a text has a term.
func places(found segment.Posting, fn func(at int)) {
	if f := found.Frequency(); f&1 == 1 {
		fn(int(f >> 1))
	}
	for _, l := range found.Locations() {
		fn(int(l.Pos()))
		for _, at := range l.ArrayPositions() {
			fn(int(at))
		}
	}
}
