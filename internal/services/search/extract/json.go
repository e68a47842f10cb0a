package extract

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// json reads the documents of a JSON file: one, the elements of an array, or
// one on each line.
func (f *file) json(each func(Document) error) error {
	text, _ := decode(f.data, f.opt.Encoding)
	if err := f.nesting(text); err != nil {
		return err
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	switch f.opt.ParsingMode {
	case ParseJSON:
		doc, err := f.object(d)
		if err != nil {
			return err
		}
		if _, err := d.Token(); !errors.Is(err, io.EOF) {
			return unparsable("Something follows the JSON object at offset %d; parsingMode json expects one.", d.InputOffset())
		}
		return each(doc)
	case ParseJSONLines:
		return f.jsonLines(text, each)
	}
	if err := f.seek(d); err != nil {
		return err
	}
	if t, err := d.Token(); err != nil {
		return badJSON(d, err)
	} else if t != json.Delim('[') {
		return unparsable("The JSON at document root '%s' is not an array; parsingMode jsonArray expects one.", f.opt.DocumentRoot)
	}
	for d.More() {
		doc, err := f.object(d)
		if err != nil {
			return err
		}
		if err := each(doc); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return badJSON(d, err)
	}
	return nil
}

func (f *file) jsonLines(text string, each func(Document) error) error {
	for number := 1; text != ""; number++ {
		line, rest, _ := strings.Cut(text, "\n")
		text = rest
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		var doc Document
		if err := decodeJSON([]byte(line), &doc); err != nil || doc == nil {
			return unparsable("Line %d is not a JSON object: %v", number, orNull(err))
		}
		if err := each(doc); err != nil {
			return err
		}
	}
	return nil
}

func (f *file) object(d *json.Decoder) (Document, error) {
	var doc Document
	if err := d.Decode(&doc); err != nil || doc == nil {
		return nil, badJSON(d, orNull(err))
	}
	return doc, nil
}

// orNull is why a value without an error is no object.
func orNull(err error) error {
	if err == nil {
		return errors.New("it is null")
	}
	return err
}

func badJSON(d *json.Decoder, err error) error {
	return unparsable("Invalid JSON at offset %d: %v", d.InputOffset(), err)
}

// seek goes to the value that documentRoot names: a path of properties.
func (f *file) seek(d *json.Decoder) error {
	for _, name := range strings.Split(strings.Trim(f.opt.DocumentRoot, "/"), "/") {
		if name == "" {
			continue
		}
		if t, err := d.Token(); err != nil {
			return badJSON(d, err)
		} else if t != json.Delim('{') {
			return unparsable("The document root '%s' is not in the JSON.", f.opt.DocumentRoot)
		}
		for found := false; !found; {
			t, err := d.Token()
			if err != nil {
				return badJSON(d, err)
			}
			if t == json.Delim('}') {
				return unparsable("The document root '%s' is not in the JSON.", f.opt.DocumentRoot)
			}
			if found = t == name; !found {
				var skip json.RawMessage
				if err := d.Decode(&skip); err != nil {
					return badJSON(d, err)
				}
			}
		}
	}
	return nil
}

// nesting refuses values that are nested too deep, before any is built.
func (f *file) nesting(text string) error {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted:
			switch c {
			case '\\':
				i++
			case '"':
				quoted = false
			}
		case c == '"':
			quoted = true
		case c == '{', c == '[':
			if depth++; depth > f.opt.Limits.Depth {
				return unparsable("The JSON is nested more than %d deep.", f.opt.Limits.Depth)
			}
		case c == '}', c == ']':
			depth--
		}
	}
	return nil
}
