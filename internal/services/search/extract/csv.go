package extract

import (
	"strings"
	"unicode/utf8"
)

// delimited reads a document from each line of delimited text. It is not
// encoding/csv: the documentation's own example has spaces around quotes.
func (f *file) delimited(each func(Document) error) error {
	text, _ := decode(f.data, f.opt.Encoding)
	c := &csv{text: text, delimiter: ',', line: 1}
	if d := f.opt.DelimitedTextDelimiter; d != "" {
		c.delimiter, _ = utf8.DecodeRuneInString(d)
	}
	var headers []string
	if f.opt.DelimitedTextHeaders != "" {
		for name := range strings.SplitSeq(f.opt.DelimitedTextHeaders, ",") {
			headers = append(headers, strings.TrimSpace(name))
		}
	}
	first := f.opt.FirstLineContainsHeaders
	var row []string
	for {
		line := c.line
		var err error
		if row, err = c.read(row[:0]); err != nil {
			return err
		}
		switch {
		case len(row) == 0:
			return nil
		case len(row) == 1 && row[0] == "":
			continue // a blank line
		case first:
			// Names that the indexer gives go before those in the file.
			if first = false; headers == nil {
				headers = append(headers, row...)
			}
			continue
		case len(row) > len(headers):
			return unparsable("Line %d has %d columns; there are %d headers.", line, len(row), len(headers))
		}
		doc := make(Document, len(row))
		for i, value := range row {
			doc[headers[i]] = value
		}
		if err := each(doc); err != nil {
			return err
		}
	}
}

// csv reads records of delimited text.
type csv struct {
	text      string
	delimiter rune
	line      int
}

// read appends the fields of the next record to row; none is the end.
func (c *csv) read(row []string) ([]string, error) {
	if c.text == "" {
		return row, nil
	}
	for {
		field, more, err := c.field()
		if err != nil {
			return nil, err
		}
		if row = append(row, field); !more {
			return row, nil
		}
	}
}

// field reads a field, and tells whether another follows it in its record.
func (c *csv) field() (field string, more bool, err error) {
	rest := strings.TrimLeft(c.text, " ")
	if !strings.HasPrefix(rest, `"`) {
		end := strings.IndexFunc(c.text, func(r rune) bool { return r == c.delimiter || r == '\n' })
		if end < 0 {
			end = len(c.text)
		}
		field = strings.Trim(strings.TrimSuffix(c.text[:end], "\r"), " ")
		return field, c.next(c.text[end:]), nil
	}
	began, rest := c.line, rest[1:]
	var b strings.Builder
	for {
		end := strings.IndexByte(rest, '"')
		if end < 0 {
			return "", false, unparsable("The quote that begins on line %d does not end.", began)
		}
		b.WriteString(rest[:end])
		c.line += strings.Count(rest[:end], "\n")
		rest = rest[end+1:]
		if !strings.HasPrefix(rest, `"`) {
			break
		}
		b.WriteByte('"')
		rest = rest[1:]
	}
	end := strings.IndexFunc(rest, func(r rune) bool { return r == c.delimiter || r == '\n' })
	if end < 0 {
		end = len(rest)
	}
	if after := strings.TrimSpace(rest[:end]); after != "" {
		return "", false, unparsable("Line %d has text between a closing quote and the next delimiter.", c.line)
	}
	return b.String(), c.next(rest[end:]), nil
}

// next goes beyond what ended a field.
func (c *csv) next(rest string) (more bool) {
	if rest == "" {
		c.text = ""
		return false
	}
	ended, size := utf8.DecodeRuneInString(rest)
	c.text = rest[size:]
	if ended == '\n' {
		c.line++
		return false
	}
	return true
}
