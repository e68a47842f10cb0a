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

// counter counts the terms of a field's texts, one text after the other, in the same
// memory: bleve asks for a document's when it has done with those of the one before.
// All of a batch would take many times what their text does.
type counter struct {
	terms index.TokenFrequencies
	most  int // terms that there were room for since it was made
	made  []*[64]index.TokenFreq
}

// several is where a text has a term that it has more than once.
type several struct {
	location index.TokenLocation
	only     [1]*index.TokenLocation
}

// count gives the terms of a text, until it is called again.
func (c *counter) count(t Text) index.TokenFrequencies {
	if c.terms == nil || c.most > 8*len(t.Tokens)+1024 { // to clear it would take longer than to count
		*c = counter{terms: make(index.TokenFrequencies, len(t.Tokens)/2)}
	}
	clear(c.terms)
	for _, token := range t.Tokens {
		freq, ok := c.terms[token.Text]
		if !ok {
			freq = c.next()
			freq.SetFrequency(token.Position<<1 | 1)
			c.terms[token.Text] = freq
			continue
		}
		if freq.Locations == nil {
			s := &several{location: index.TokenLocation{Position: freq.Frequency() >> 1}}
			s.only[0] = &s.location
			freq.Locations = s.only[:]
			freq.SetFrequency(1 << 1)
		}
		freq.SetFrequency(freq.Frequency() + 1<<1)
		freq.Locations[0].ArrayPositions = append(freq.Locations[0].ArrayPositions, uint64(token.Position))
	}
	c.most = max(c.most, len(c.terms))
	return c.terms
}

// next is room for a term more than there are.
func (c *counter) next() *index.TokenFreq {
	n := len(c.terms)
	if n/64 == len(c.made) {
		c.made = append(c.made, new([64]index.TokenFreq))
	}
	freq := &c.made[n/64][n%64]
	freq.Locations = nil
	return freq
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
