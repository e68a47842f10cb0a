package analysis

import "github.com/blevesearch/bleve/v2/analysis"

// Bleve is the analyzer as bleve takes one. A text that makes too many tokens
// gives none: analyze it first to tell.
func (a *Analyzer) Bleve() analysis.Analyzer { return adapter{a} }

type adapter struct{ of *Analyzer }

// Analyze returns tokens with bleve's positions, which count from 1.
func (a adapter) Analyze(input []byte) analysis.TokenStream {
	tokens, err := a.of.Analyze(string(input))
	if err != nil {
		return nil
	}
	stream := make(analysis.TokenStream, len(tokens))
	made := make([]analysis.Token, len(tokens))
	for i, t := range tokens {
		made[i] = analysis.Token{Term: []byte(t.Text), Start: t.Start, End: t.End, Position: t.Position + 1, Type: bleveType(t.Type), KeyWord: t.Keyword}
		stream[i] = &made[i]
	}
	return stream
}

func bleveType(t Type) analysis.TokenType {
	switch t {
	case Number:
		return analysis.Numeric
	case Ideographic, Hiragana, Katakana, Hangul:
		return analysis.Ideographic
	}
	return analysis.AlphaNumeric
}
