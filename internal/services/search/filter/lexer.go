package filter

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

type kind int

const (
	end kind = iota
	word
	literal  // a constant that is no string and no word
	quoted   // 'text'
	geodetic // geography'text'
	bracket  // {…} or […], which nothing of Azure's grammar takes
	mark     // one of ( ) , / : . - = ? *
)

// token is a piece of the text.
type token struct {
	kind     kind
	at, stop int // bytes
	text     string
}

func (t token) is(mark string) bool { return t.kind != quoted && t.text == mark }

// next reads the token after the present one.
func (p *parser) next() {
	for p.pos < len(p.text) {
		r, size := utf8.DecodeRuneInString(p.text[p.pos:])
		if !unicode.IsSpace(r) {
			break
		}
		p.pos += size
	}
	at := p.pos
	k := p.lex()
	p.now = token{k, at, p.pos, p.text[at:p.pos]}
}

// lex goes over one token.
func (p *parser) lex() kind {
	if p.pos == len(p.text) {
		return end
	}
	at := p.pos
	switch c := p.text[p.pos]; {
	case strings.IndexByte("(),/:.=?*", c) >= 0:
		p.pos++
		return mark
	case c == '-':
		rest := p.text[p.pos+1:]
		if rest != "" && digit(rest[0]) {
			return p.number()
		}
		p.pos++
		if strings.HasPrefix(rest, "INF") && (len(rest) == 3 || !letter(rest[3])) {
			p.pos += 3
			return literal
		}
		return mark
	case c == '\'':
		p.quote()
		return quoted
	case c == '{' || c == '[':
		p.brackets()
		return bracket
	case digit(c):
		return p.number()
	case letter(c):
		for p.pos < len(p.text) && letter(p.text[p.pos]) {
			p.pos++
		}
		if p.pos < len(p.text) && p.text[p.pos] == '\'' && p.text[at:p.pos] == "geography" {
			p.quote()
			return geodetic
		}
		return word
	}
	r, _ := utf8.DecodeRuneInString(p.text[p.pos:])
	p.fail(p.pos, "Syntax error: character '%c' is not valid at position %d in '%s'.", r, p.place(p.pos), p.text)
	return end
}

// letter is what names are made of. Source: search-query-odata-syntax-reference.md,
// identifier.
func letter(c byte) bool {
	return c == '_' || digit(c) || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

// quote goes over a quoted text; a quote in it is doubled.
func (p *parser) quote() {
	for p.pos++; p.pos < len(p.text); p.pos++ {
		if p.text[p.pos] != '\'' {
			continue
		}
		if p.pos++; p.pos == len(p.text) || p.text[p.pos] != '\'' {
			return
		}
	}
	p.failAt(len(p.text), "There is an unterminated string literal at position %d in '%s'.")
}

// brackets goes over what stands in brackets.
func (p *parser) brackets() {
	depth := 0
	for ; p.pos < len(p.text); p.pos++ {
		switch p.text[p.pos] {
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				p.pos++
				return
			}
		}
	}
	p.fail(len(p.text), "Found an unbalanced bracket expression.")
}

// number goes over a number or a date.
func (p *parser) number() kind {
	if n := dateLength(p.text[p.pos:]); n > 0 {
		p.pos += n
		return literal
	}
	p.pos++
	for p.pos < len(p.text) {
		c := p.text[p.pos]
		if !letter(c) && c != '.' && (c != '+' && c != '-' || p.text[p.pos-1]|0x20 != 'e') {
			break
		}
		p.pos++
	}
	return literal
}

// dateLength is how much of a text is a date, with or without a time.
func dateLength(s string) int {
	for i, want := range "0000-00-00" {
		if i == len(s) || want == '0' && !digit(s[i]) || want == '-' && s[i] != '-' {
			return 0
		}
	}
	n := len("0000-00-00")
	if n == len(s) || s[n] != 'T' {
		return n
	}
	for n < len(s) && (letter(s[n]) || strings.IndexByte(":.+-", s[n]) >= 0) {
		n++
	}
	return n
}
