package model

import "strings"

// maxInputs is how many texts one request may hold.
const maxInputs = 2048

const textOrTokens = "one of a string, array of strings, array of integers or array of arrays of integers"

// input is one text to complete or to embed, with what it costs.
type input struct {
	text   string
	tokens int
}

// inputs reads the four ways to write a prompt or an input: a text, several,
// the tokens of a text, the tokens of several.
func (d *decoder) inputs(v value, model string) []input {
	if v.kind() == "a string" {
		return []input{d.written(v, model)}
	}
	longest := maxInputs
	if v.kind() == "an array" && startsWithNumber(v) {
		longest = maxTokens
	}
	elements := d.array(v, textOrTokens, longest)
	if d.err != nil {
		return nil
	}
	if longest == maxTokens {
		return []input{d.tokens(v, elements, model)}
	}
	all := make([]input, len(elements))
	for i, e := range elements {
		switch e.kind() {
		case "a string":
			all[i] = d.written(e, model)
		case "an array":
			all[i] = d.tokens(e, d.array(e, "an array of integers", maxTokens), model)
		default:
			d.mistyped(e, "one of a string or array of integers")
		}
		if d.err != nil {
			return nil
		}
	}
	return all
}

// startsWithNumber tells tokens from texts: the two have different bounds.
func startsWithNumber(array value) bool {
	inner := strings.TrimLeft(string(array.raw[1:min(len(array.raw), 64)]), " \t\r\n")
	return inner != "" && strings.ContainsRune("-0123456789", rune(inner[0]))
}

func (d *decoder) written(v value, model string) input {
	text := d.text(v)
	return input{text, CountTokens(model, text)}
}

func (d *decoder) tokens(v value, elements []value, model string) input {
	ids := make([]uint, len(elements))
	for i, e := range elements {
		ids[i] = uint(d.integer(e, 0, maxTokens, 0))
	}
	if d.err != nil {
		return input{}
	}
	text, err := decode(model, ids)
	if err != nil {
		d.fail(badInput("invalid_value", v.path, "Invalid '%s': %v (in the vocabulary of %s).", v.path, err, model))
	}
	return input{text, len(ids)}
}
