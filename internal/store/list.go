package store

import (
	"database/sql"
	"fmt"
	"math"
	"unicode/utf8"
)

// Query selects documents of one kind. The zero Query selects all of them.
type Query struct {
	// Prefix is how ids begin, in any case.
	Prefix string
	// After is an id: the list begins with the next one.
	After string
	// Limit is the most that is wanted; 0 is no limit.
	Limit int
	// Key is a secondary key that the documents have.
	Key *Key
}

// List reads documents in the order of their lower-cased ids.
func (t *Tx) List(kind string, q Query) ([]Record, error) {
	from, below := bounds(q.Prefix, q.After)
	var s statement
	var args []any
	if q.Key == nil {
		s, args = listFrom, []any{kind, from, limit(q.Limit)}
		if below != "" {
			s, args = listBetween, append(args, below)
		}
	} else {
		s, args = listKeyFrom, []any{kind, q.Key.Name, fold(q.Key.Value), from, limit(q.Limit)}
		if below != "" {
			s, args = listKeyBetween, append(args, below)
		}
	}

	var list []Record
	err := t.rows(func() (*sql.Rows, error) { return t.stmt(s).Query(args...) },
		func(rows *sql.Rows) error {
			var rec Record
			var labels string
			if err := rows.Scan(&rec.Tenant, &rec.Kind, &rec.ID, &rec.Etag, &labels, &rec.Body); err != nil {
				return err
			}
			err := rec.setLabels(labels)
			list = append(list, rec)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", kind, err)
	}
	return list, nil
}

// bounds gives the range of folded ids, from ≤ key < below, that begin with
// prefix and follow after. An empty below is no bound.
//
// One range, and no LIKE, keeps the scan in the index and gives no character
// of an id a meaning.
func bounds(prefix, after string) (from, below string) {
	from = fold(prefix)
	below = successor(from)
	if after != "" {
		// No text without NUL lies between after and this.
		from = max(from, fold(after)+"\x01")
	}
	return from, below
}

// successor is the least text that is greater than every text with the prefix,
// or empty if there is none. Texts compare by bytes, which for UTF-8 is the
// order of their runes.
func successor(prefix string) string {
	for prefix != "" {
		last, size := utf8.DecodeLastRuneInString(prefix)
		prefix = prefix[:len(prefix)-size]
		switch {
		case last == utf8.MaxRune:
			continue
		case last == '\uD7FF': // the surrogates that follow are not text
			return prefix + "\uE000"
		}
		return prefix + string(last+1)
	}
	return ""
}

func limit(n int) int {
	if n <= 0 {
		return math.MaxInt
	}
	return n
}

// rows calls scan for each row of a query.
func (t *Tx) rows(query func() (*sql.Rows, error), scan func(*sql.Rows) error) (err error) {
	if t.failed != nil {
		return t.failed
	}
	defer func() { t.failed = err }()
	rows, err := query()
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
