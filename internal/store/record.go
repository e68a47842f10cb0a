package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Record is one stored document.
type Record struct {
	Tenant string
	Kind   string
	ID     string
	// Etag changes with every write. Put compares it with the stored one,
	// unless it is empty.
	Etag string
	// Unique are keys that no two documents of the kind share, over all
	// tenants: host names, UPNs, application ids.
	Unique []Key
	// Keys are secondary keys that any number of documents may share.
	Keys []Key
	Body []byte
}

// Key is a name and a value by which documents are found. Values compare
// case-insensitively.
type Key struct{ Name, Value string }

// What Tx methods fail with, wrapped with the kind and the id.
var (
	ErrNotFound = errors.New("not found")
	ErrExists   = errors.New("already exists")
	ErrConflict = errors.New("changed since it was read")
	ErrClosed   = errors.New("closed")
)

// UniqueError says that another document of the kind has the key already. It
// is an ErrExists.
type UniqueError struct {
	Kind string
	Key  Key
}

func (e *UniqueError) Error() string {
	return fmt.Sprintf("%s with %s %q %v", e.Kind, e.Key.Name, e.Key.Value, ErrExists)
}

func (e *UniqueError) Unwrap() error { return ErrExists }

// Load gets a document and decodes its body.
func Load[T any](tx *Tx, kind, id string) (T, Record, error) {
	rec, err := tx.Get(kind, id)
	if err != nil {
		var zero T
		return zero, Record{}, err
	}
	v, err := Decode[T](rec)
	return v, rec, err
}

// Decode reads the body of a record.
func Decode[T any](rec Record) (T, error) {
	var v T
	if err := json.Unmarshal(rec.Body, &v); err != nil {
		return v, fmt.Errorf("%s %q: body: %w", rec.Kind, rec.ID, err)
	}
	return v, nil
}

// Save puts rec with v as its body.
func Save(tx *Tx, rec Record, v any) (Record, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return Record{}, fmt.Errorf("%s %q: body: %w", rec.Kind, rec.ID, err)
	}
	rec.Body = body
	return tx.Put(rec)
}

// fold is how ids and key values compare. The rune-by-rune mapping keeps a
// prefix of an id a prefix of the folded id.
func fold(s string) string { return strings.ToLower(s) }

// check refuses what not every database can hold as text.
func (r Record) check() error {
	switch {
	case r.Kind == "":
		return errors.New("document without a kind")
	case r.ID == "":
		return fmt.Errorf("%s without an id", r.Kind)
	}
	texts := []string{r.Kind, r.ID, r.Tenant}
	for _, keys := range [][]Key{r.Unique, r.Keys} {
		for _, k := range keys {
			texts = append(texts, k.Name, k.Value)
		}
	}
	for _, s := range texts {
		if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
			return fmt.Errorf("%s %q: %q is not text (UTF-8 without NUL)", r.Kind, r.ID, s)
		}
	}
	return nil
}

// labels are the keys of a record as they were written. The tables that find
// documents by key hold them folded.
type labels struct {
	Unique []Key `json:",omitempty"`
	Keys   []Key `json:",omitempty"`
}

func (r Record) labels() (string, error) {
	if len(r.Unique) == 0 && len(r.Keys) == 0 {
		return "", nil
	}
	text, err := json.Marshal(labels{r.Unique, r.Keys})
	return string(text), err
}

func (r *Record) setLabels(text string) error {
	if text == "" {
		return nil
	}
	var l labels
	if err := json.Unmarshal([]byte(text), &l); err != nil {
		return fmt.Errorf("%s %q: keys: %w", r.Kind, r.ID, err)
	}
	r.Unique, r.Keys = l.Unique, l.Keys
	return nil
}
