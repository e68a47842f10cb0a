package lucene

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ParseFull parses the full Lucene syntax. Clauses that no operator joins are joined
// by OR, or by AND if all is set (searchMode=all).
//
// Source: azure-docs search/query-lucene-syntax.md, which names Lucene 6.6's classic
// QueryParser.
func ParseFull(text string, all bool) (Query, error) {
	if err := tooLong(text); err != nil {
		return nil, err
	}
	if text := strings.TrimSpace(text); text == "" || text == "*" {
		return All{}, nil
	}
	p := &full{lexer: lexer{text: text}, all: all}
	if err := p.advance(); err != nil {
		return nil, err
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	q, err := p.query("", 0)
	if err != nil {
		return nil, err
	}
	if p.now.kind != tokenEnd {
		return nil, p.unexpected()
	}
	return q, nil
}

// full is a parser that looks one token ahead of the current one.
type full struct {
	lexer
	all       bool
	now, then token
	failed    error // of reading the token behind then
}

// advance makes the token that follows the current one.
func (p *full) advance() error {
	p.now = p.then
	if p.failed != nil {
		return p.failed
	}
	p.then, p.failed = p.next()
	return nil
}

func (p *full) image(t token) string { return p.text[t.at:t.end] }

// unexpected is the error of a token that cannot stand where it does.
func (p *full) unexpected() error { return p.badToken(p.now) }

func (p *full) badToken(t token) error {
	return unparsable(t.at, units(p.text[:t.at]))
}

// clause is a query, and how its Bool takes it.
type clause struct {
	query Query
	occur occur
}

type occur int

const (
	should occur = iota
	must
	not
)

// query reads clauses up to the end of a group or of the text.
func (p *full) query(field string, depth int) (Query, error) {
	at := p.now.at
	if depth > maxDepth {
		return nil, tooDeep(at)
	}
	var all []clause
	for {
		conj := none
		if len(all) > 0 {
			switch p.now.kind {
			case tokenEnd, tokenRight:
				return group(At(at), all), nil
			case tokenAnd:
				conj = and
			case tokenOr:
				conj = or
			}
			if conj != none {
				if err := p.advance(); err != nil {
					return nil, err
				}
			}
		}
		mod := should
		switch p.now.kind {
		case tokenPlus:
			mod = must
		case tokenNot:
			mod = not
		}
		if mod != should {
			if err := p.advance(); err != nil {
				return nil, err
			}
		}
		q, err := p.clause(field, depth)
		if err != nil {
			return nil, err
		}
		all = p.join(all, conj, clause{q, mod})
	}
}

// join adds a clause. An operator between two clauses is one on each of them, and
// not one that has a precedence: AND requires both, and OR, where clauses are
// required by default, requires neither.
func (p *full) join(all []clause, conj operator, c clause) []clause {
	if len(all) > 0 {
		before := &all[len(all)-1]
		switch {
		case before.occur == not:
		case conj == and:
			before.occur = must
		case conj == or && p.all:
			before.occur = should
		}
	}
	switch {
	case c.occur == not:
	case p.all && conj == or:
		c.occur = should
	case p.all || conj == and:
		c.occur = must
	}
	return append(all, c)
}

// group is the query of clauses. One that is not negated stands for itself.
func group(at At, all []clause) Query {
	if len(all) == 1 && all[0].occur != not {
		return all[0].query
	}
	b := Bool{At: at}
	for _, c := range all {
		switch c.occur {
		case must:
			b.Must = append(b.Must, c.query)
		case not:
			b.Not = append(b.Not, c.query)
		default:
			b.Should = append(b.Should, c.query)
		}
	}
	return b
}

// clause reads a term or a group, with the field before it and the boost behind it.
func (p *full) clause(field string, depth int) (Query, error) {
	at := p.now.at
	if (p.now.kind == tokenTerm || p.now.kind == tokenStar) && p.failed == nil && p.then.kind == tokenColon {
		var err error
		if field, err = p.unescape(p.now, p.image(p.now)); err != nil {
			return nil, err
		}
		for range 2 {
			if err := p.advance(); err != nil {
				return nil, err
			}
		}
	}
	var q Query
	var err error
	switch p.now.kind {
	case tokenLeft:
		if err = p.advance(); err != nil {
			return nil, err
		}
		if q, err = p.query(field, depth+1); err != nil {
			return nil, err
		}
		if p.now.kind != tokenRight {
			return nil, p.unexpected()
		}
		if err = p.advance(); err != nil {
			return nil, err
		}
		return p.boosted(At(at), q)
	case tokenQuoted:
		return p.phrase(At(at), field)
	case tokenTerm, tokenStar, tokenPrefix, tokenPattern, tokenRegex:
		return p.term(At(at), field)
	}
	return nil, p.unexpected()
}

// boosted takes the boost that may follow q.
func (p *full) boosted(at At, q Query) (Query, error) {
	if p.now.kind != tokenBoost {
		return q, nil
	}
	factor, err := strconv.ParseFloat(p.image(p.now)[1:], 32)
	if err != nil || math.IsInf(factor, 0) {
		return nil, p.unexpected()
	}
	return Boost{at, q, factor}, p.advance()
}

// phrase reads text in quotes, with what may follow it: ~2 ^3.
func (p *full) phrase(at At, field string) (Query, error) {
	image := p.image(p.now)
	text, err := p.unescape(p.now, image[1:len(image)-1])
	if err != nil {
		return nil, err
	}
	if err := checkTerm(p.now.at, text); err != nil {
		return nil, err
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	q := Phrase{At: at, Text: text, Field: field}
	if p.now.kind == tokenSlop {
		// No slop is 0, and a fraction of it is cut off.
		f, _ := strconv.ParseFloat(p.image(p.now)[1:], 64)
		q.Slop = int(min(f, math.MaxInt32))
		if err := p.advance(); err != nil {
			return nil, err
		}
	}
	return p.boosted(at, q)
}

// term reads a term, with what may follow it: ~1 ^2, or ^2 ~1.
func (p *full) term(at At, field string) (Query, error) {
	t := p.now
	if err := p.advance(); err != nil {
		return nil, err
	}
	var slop *token
	take := func() error {
		if p.now.kind != tokenSlop || slop != nil {
			return nil
		}
		s := p.now
		slop = &s
		return p.advance()
	}
	if err := take(); err != nil {
		return nil, err
	}
	boost := p.now
	if boost.kind == tokenBoost {
		if err := p.advance(); err != nil {
			return nil, err
		}
		if err := take(); err != nil {
			return nil, err
		}
	}
	q, err := p.bare(at, t, slop, field)
	if err != nil || boost.kind != tokenBoost {
		return q, err
	}
	factor, err := strconv.ParseFloat(p.image(boost)[1:], 32)
	if err != nil {
		return nil, p.badToken(boost)
	}
	return Boost{at, q, factor}, nil
}

// bare is the query of a term's token.
func (p *full) bare(at At, t token, slop *token, field string) (Query, error) {
	image := p.image(t)
	if err := checkTerm(t.at, image); err != nil {
		return nil, err
	}
	switch t.kind {
	case tokenStar:
		if field == "*" {
			return All{at}, nil
		}
		// Source: query-lucene-syntax.md, "NOT Boolean operator": -luxury * is not allowed.
		return nil, p.badToken(t)
	case tokenPattern:
		if image[0] == '*' || image[0] == '?' {
			// Source: query-lucene-syntax.md, "You can't use a * or ? symbol as the
			// first character of a search".
			return nil, p.badToken(t)
		}
		return Wildcard{at, image, field}, nil
	case tokenRegex:
		return Regex{at, image[1 : len(image)-1], field}, nil
	case tokenPrefix:
		text, err := p.unescape(t, image[:len(image)-1])
		if err != nil {
			return nil, err
		}
		return Prefix{at, text, field}, checkPrefix(t.at, text)
	}
	text, err := p.unescape(t, image)
	if err != nil {
		return nil, err
	}
	if slop == nil {
		return Text{at, text, field}, nil
	}
	edits, ok := edits(p.image(*slop), text)
	if !ok {
		return nil, p.badToken(*slop)
	}
	return Fuzzy{at, text, field, edits}, nil
}

// edits reads the distance behind a fuzzy term, at most 2. Below 1 it is a similarity
// of old, which Lucene still takes: the share of the term that is to be alike.
func edits(image, text string) (int, bool) {
	if image == "~" {
		return 2, true
	}
	f, err := strconv.ParseFloat(image[1:], 64)
	switch {
	case err != nil || f == 0:
		return 0, true
	case f < 1:
		return min(int((1-f)*float64(utf8.RuneCountInString(text))), 2), true
	case f != math.Trunc(f):
		return 0, false
	}
	return int(min(f, 2)), true
}

// unescape takes the backslashes off a text. \u0041 is the character of that number.
func (p *full) unescape(t token, s string) (string, error) {
	if strings.IndexByte(s, '\\') < 0 {
		return s, nil
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			b.WriteByte(s[i])
			continue
		}
		i++
		if s[i] != 'u' {
			b.WriteByte(s[i])
			continue
		}
		if i+5 > len(s) {
			return "", p.badToken(t)
		}
		r, err := strconv.ParseUint(s[i+1:i+5], 16, 16)
		if err != nil {
			return "", p.badToken(t)
		}
		b.WriteRune(rune(r))
		i += 4
	}
	return b.String(), nil
}
