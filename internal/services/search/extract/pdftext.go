package extract

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"

	"github.com/ledongthuc/pdf"
)

// pdfText runs the content streams of a page and writes what they show, in
// their order. A move to another line ends the line, and a gap is a space:
// much of PDF has neither in its strings.
type pdfText struct {
	f      *file
	fonts  map[string]*pdfFont
	state  pdfState
	saved  []pdfState
	x, y   float64 // where the last glyph ended
	height float64 // of the last glyph
	began  bool
}

type pdfState struct {
	ctm, line, at        pdfMatrix
	font                 *pdfFont
	size, leading, scale float64
	charSpace, wordSpace float64
}

type pdfMatrix [6]float64

var identity = pdfMatrix{1, 0, 0, 1, 0, 0}

func (m pdfMatrix) mul(n pdfMatrix) pdfMatrix {
	return pdfMatrix{
		m[0]*n[0] + m[1]*n[2], m[0]*n[1] + m[1]*n[3],
		m[2]*n[0] + m[3]*n[2], m[2]*n[1] + m[3]*n[3],
		m[4]*n[0] + m[5]*n[2] + n[4], m[4]*n[1] + m[5]*n[3] + n[5],
	}
}

// pdfStop carries an error out of the library's interpreter.
type pdfStop struct{ err error }

// stream runs a content stream.
func (p *pdfText) stream(contents, resources pdf.Value, depth int) (err error) {
	if contents.Kind() != pdf.Stream && contents.Kind() != pdf.Array {
		return nil
	}
	if depth == 0 {
		p.state = pdfState{ctm: identity, line: identity, at: identity, scale: 1}
	}
	if depth > 16 {
		return unprocessable("its forms are nested too deep")
	}
	outer := p.fonts
	p.fonts = map[string]*pdfFont{}
	defer func() {
		p.fonts = outer
		switch r := recover().(type) {
		case nil:
		case pdfStop:
			err = r.err
		case runtime.Error:
			err = errors.New("malformed content")
		default:
			err = fmt.Errorf("malformed content: %v", r)
		}
	}()
	pdf.Interpret(contents, func(stack *pdf.Stack, op string) {
		args := make([]pdf.Value, stack.Len())
		for i := range args {
			args[len(args)-1-i] = stack.Pop()
		}
		if err := p.do(op, args, resources, depth); err != nil {
			panic(pdfStop{err})
		}
	})
	return nil
}

// numbers are the last n operands, or zeros.
func numbers(args []pdf.Value, n int) []float64 {
	out := make([]float64, n)
	if len(args) >= n {
		for i, v := range args[len(args)-n:] {
			out[i] = v.Float64()
		}
	}
	return out
}

// do does what an operator says. Source: ISO 32000-1, 8.4.4 and 9.
func (p *pdfText) do(op string, args []pdf.Value, resources pdf.Value, depth int) error {
	s := &p.state
	switch op {
	case "q":
		if len(p.saved) > 1024 {
			return unprocessable("its graphics states are nested too deep")
		}
		p.saved = append(p.saved, *s)
	case "Q":
		if n := len(p.saved); n > 0 {
			*s, p.saved = p.saved[n-1], p.saved[:n-1]
		}
	case "cm":
		s.ctm = pdfMatrix(numbers(args, 6)).mul(s.ctm)
	case "BT":
		s.at, s.line = identity, identity
	case "Tc":
		s.charSpace = numbers(args, 1)[0]
	case "Tw":
		s.wordSpace = numbers(args, 1)[0]
	case "Tz":
		s.scale = numbers(args, 1)[0] / 100
	case "TL":
		s.leading = numbers(args, 1)[0]
	case "Tf":
		if len(args) == 2 {
			s.font, s.size = p.font(resources.Key("Font"), args[0].Name()), args[1].Float64()
		}
	case "Td", "TD":
		to := numbers(args, 2)
		if op == "TD" {
			s.leading = -to[1]
		}
		p.move(to[0], to[1])
	case "Tm":
		s.line = pdfMatrix(numbers(args, 6))
		s.at = s.line
	case "T*":
		p.move(0, -s.leading)
	case "'", "\"":
		p.move(0, -s.leading)
		if op == "\"" && len(args) == 3 {
			s.wordSpace, s.charSpace = args[0].Float64(), args[1].Float64()
		}
		fallthrough
	case "Tj":
		if len(args) > 0 {
			return p.show(args[len(args)-1].RawString())
		}
	case "TJ":
		if len(args) > 0 {
			return p.showAll(args[0])
		}
	case "Do":
		if len(args) == 1 {
			return p.form(resources.Key("XObject").Key(args[0].Name()), resources, depth)
		}
	}
	return nil
}

func (p *pdfText) move(x, y float64) {
	p.state.line = pdfMatrix{1, 0, 0, 1, x, y}.mul(p.state.line)
	p.state.at = p.state.line
}

func (p *pdfText) advance(x float64) {
	p.state.at = pdfMatrix{1, 0, 0, 1, x * p.state.scale, 0}.mul(p.state.at)
}

// form shows a form as a part of the page.
func (p *pdfText) form(x, resources pdf.Value, depth int) error {
	if x.Key("Subtype").Name() != "Form" {
		return nil
	}
	if err := p.f.part(); err != nil {
		return err
	}
	if own := x.Key("Resources"); own.Kind() == pdf.Dict {
		resources = own
	}
	before, saved := p.state, p.saved
	if m := x.Key("Matrix"); m.Len() == 6 {
		var to pdfMatrix
		for i := range to {
			to[i] = m.Index(i).Float64()
		}
		p.state.ctm = to.mul(p.state.ctm)
	}
	err := p.stream(x, resources, depth+1)
	p.state, p.saved = before, saved
	return err
}

func (p *pdfText) showAll(parts pdf.Value) error {
	for i := range parts.Len() {
		part := parts.Index(i)
		if part.Kind() == pdf.String {
			if err := p.show(part.RawString()); err != nil {
				return err
			}
			continue
		}
		p.advance(-part.Float64() / 1000 * p.state.size)
	}
	return nil
}

// ligatures are how fonts draw letters, and nobody searches for them.
var ligatures = strings.NewReplacer("\uFB00", "ff", "\uFB01", "fi", "\uFB02", "fl", "\uFB03", "ffi", "\uFB04", "ffl", "\uFB05", "st", "\uFB06", "st", "\x00", "")

// show writes a string, after what separates it from what was before it.
func (p *pdfText) show(raw string) error {
	s := &p.state
	if s.font == nil || raw == "" {
		return nil
	}
	if err := p.separate(); err != nil {
		return err
	}
	if err := p.f.write(ligatures.Replace(s.font.enc.Decode(raw))); err != nil {
		return err
	}
	p.advance(s.font.width(raw)*s.size + float64(len(raw)/s.font.bytes)*s.charSpace)
	at := s.at.mul(s.ctm)
	p.x, p.y, p.began = at[4], at[5], true
	p.height = math.Abs(s.size) * math.Hypot(at[2], at[3])
	return nil
}

// separate ends the line, or writes a space, if the next glyph is away from
// the last one.
func (p *pdfText) separate() error {
	if !p.began {
		return nil
	}
	at := p.state.at.mul(p.state.ctm)
	height := max(p.height, 0.1)
	switch gap := at[4] - p.x; {
	case math.Abs(at[5]-p.y) > 0.5*height, gap < -height:
		return p.f.line()
	case gap > 0.2*height:
		return p.f.space()
	}
	return nil
}
