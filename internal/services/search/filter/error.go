package filter

import (
	"fmt"
	"unicode/utf16"
)

// Error is what is wrong with an expression.
type Error struct {
	At  int    // the byte of the text that it is about
	Msg string // as Azure says it
}

// Error is the whole text of Azure's answer.
func (e *Error) Error() string { return e.Msg }

// fail is an error of meaning. Only the first is told, so parsing stops by panic;
// catch gives it back.
func (p *parser) fail(at int, format string, args ...any) {
	panic(&Error{At: at, Msg: "Invalid expression: " + fmt.Sprintf(format, args...) + "\r\nParameter name: " + p.parameter})
}

// failAt is an error of syntax, which names its place and the text. format has %d
// and %s for them.
func (p *parser) failAt(at int, format string) {
	p.fail(at, format, p.place(at), p.text)
}

// place is a position as Azure counts: in UTF-16 units.
func (p *parser) place(at int) int {
	n := 0
	for _, r := range p.text[:at] {
		n += max(1, utf16.RuneLen(r))
	}
	return n
}

func catch(err *error) {
	switch e := recover().(type) {
	case nil:
	case *Error:
		*err = e
	default:
		panic(e)
	}
}
