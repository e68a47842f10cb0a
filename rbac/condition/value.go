package condition

import (
	"encoding/hex"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"

	"sekisho/rbac/internal/text"
)

// value is what an operator compares, in the form of its family.
type value struct {
	written string // of a literal, how String writes it, without quotes
	text    string // of words; folded if the operator ignores case
	number  int64  // of integers and booleans; of a moment, see ticks
	guid    [16]byte
}

// value makes of an attribute's value one that the operator compares, if the
// types fit.
func (o *operator) value(of any) (value, bool) {
	switch o.family {
	case boolean:
		truth, ok := of.(bool)
		return boolValue(truth), ok
	case words:
		s, ok := of.(string)
		if o.ignoreCase {
			s = text.Fold(s)
		}
		return value{text: s}, ok
	case integer:
		n, ok := whole(of)
		return value{number: n}, ok
	case moment:
		at, ok := of.(time.Time)
		if s, isText := of.(string); isText {
			at, ok = parseMoment(s)
		}
		return value{number: ticks(at)}, ok
	}
	s, _ := of.(string)
	id, ok := parseGUID(s)
	return value{guid: id}, ok
}

func boolValue(truth bool) value {
	if truth {
		return value{number: 1}
	}
	return value{}
}

// whole is the integer that a number is. Azure compares no others
// (conditions-format.md, "Numeric comparison operators").
func whole(of any) (int64, bool) {
	switch n := of.(type) {
	case int:
		return int64(n), true
	case int64:
		return n, true
	case float64:
		return int64(n), n == math.Trunc(n) && n >= math.MinInt64 && n < math.MaxInt64
	case json.Number:
		if i, err := n.Int64(); err == nil {
			return i, true
		}
		f, err := n.Float64()
		if err != nil {
			return 0, false
		}
		return whole(f)
	}
	return 0, false
}

// parseMoment reads yyyy-mm-ddThh:mm:ss.fffffffZ with up to seven digits after
// the point, or none and no point (conditions-format.md, "DateTime comparison
// operators").
func parseMoment(s string) (time.Time, bool) {
	const seconds = len("2006-01-02T15:04:05")
	if len(s) <= seconds || s[len(s)-1] != 'Z' || len(s) > seconds+len(".0000000Z") {
		return time.Time{}, false
	}
	if s[seconds] != 'Z' && s[seconds] != '.' {
		return time.Time{}, false
	}
	at, err := time.Parse(time.RFC3339, s)
	return at, err == nil
}

// ticks counts hundreds of nanoseconds from 1970: as fine as Azure's format,
// and no year of four digits overflows it.
func ticks(at time.Time) int64 { return at.Unix()*1e7 + int64(at.Nanosecond())/100 }

// parseGUID reads a GUID with its hyphens, as the documents write it, or without
// any, as some built-in roles do.
func parseGUID(s string) (id [16]byte, ok bool) {
	var digits [32]byte
	switch {
	case len(s) == 32:
		copy(digits[:], s)
	case len(s) == 36 && s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-':
		copy(digits[:8], s[:8])
		copy(digits[8:12], s[9:13])
		copy(digits[12:16], s[14:18])
		copy(digits[16:20], s[19:23])
		copy(digits[20:], s[24:])
	default:
		return id, false
	}
	_, err := hex.Decode(id[:], digits[:])
	return id, err == nil
}

func formatGUID(id [16]byte) string {
	s := hex.EncodeToString(id[:])
	return strings.Join([]string{s[:8], s[8:12], s[12:16], s[16:20], s[20:]}, "-")
}

// literal reads a token as a value of the operator's family; if it is not one,
// it says what would be.
func (o *operator) literal(t token) (v value, expected string) {
	ok := false
	switch {
	case o.family == boolean && t.kind == word && (text.FoldsTo(t.text, "true") || text.FoldsTo(t.text, "false")):
		v, ok = boolValue(text.FoldsTo(t.text, "true")), true
		v.written = text.Fold(t.text)
	case o.family == words && t.kind == quoted:
		v, ok = o.value(t.text)
		v.written = t.text
	case o.family == integer && t.kind == word:
		n, err := strconv.ParseInt(t.text, 10, 64)
		v, ok = value{number: n, written: strconv.FormatInt(n, 10)}, err == nil
	case o.family == moment && t.kind == quoted:
		v, ok = o.value(t.text)
		v.written = t.text
	case o.family == guid && (t.kind == word || t.kind == quoted):
		v, ok = o.value(t.text)
		v.written = formatGUID(v.guid)
	}
	if ok {
		return v, ""
	}
	return value{}, [...]string{
		boolean: "true or false",
		words:   "a text in single quotes",
		integer: "a whole number of 64 bits",
		moment:  "a time in quotes such as '2022-06-01T00:00:00.0Z'",
		guid:    "a GUID",
	}[o.family]
}
