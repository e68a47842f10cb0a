package store

import (
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
)

// Tx is a transaction, in the hands of the closure of View or Update.
type Tx struct {
	sql      *sql.Tx
	pool     *pool
	stmts    [statementCount]*sql.Stmt // those of pool, bound to sql on first use
	writable bool
	// failed is the first unexpected error of the database. The transaction may
	// be gone with it, so nothing more is done, and nothing is committed, even
	// if the closure goes on.
	failed error
	// changes are the documents written so far, each once; written is where
	// each stands in changes.
	changes []Change
	written map[ref]int
	// unfollowed are kinds whose changes are in no feed; wrote tells of any write.
	unfollowed map[string]bool
	wrote      bool
}

// ref is the identity of a document: its kind and its folded id.
type ref struct{ kind, key string }

var errReadOnly = errors.New("store: a write in a View")

// Get reads a document, or fails with ErrNotFound.
func (t *Tx) Get(kind, id string) (Record, error) {
	rec, err := t.one(getDocument, kind, fold(id))
	if err != nil {
		return Record{}, fmt.Errorf("%s %q: %w", kind, id, err)
	}
	return rec, nil
}

// Lookup reads the document that has a unique key, or fails with ErrNotFound.
func (t *Tx) Lookup(kind string, unique Key) (Record, error) {
	rec, err := t.one(lookupDocument, kind, unique.Name, fold(unique.Value))
	if err != nil {
		return Record{}, fmt.Errorf("%s with %s %q: %w", kind, unique.Name, unique.Value, err)
	}
	return rec, nil
}

// Put creates or replaces a document and returns it with its new etag. If
// rec.Etag is not empty it must be that of the stored document: otherwise Put
// fails with ErrConflict, or with ErrNotFound if there is none. A unique key
// that another document has is a *UniqueError.
func (t *Tx) Put(rec Record) (Record, error) {
	etag, labels, err := t.header(rec)
	switch {
	case errors.Is(err, ErrNotFound) && rec.Etag == "":
		err = nil
	case err == nil && rec.Etag != "" && rec.Etag != etag:
		err = ErrConflict
	}
	if err != nil {
		return Record{}, fmt.Errorf("%s %q: %w", rec.Kind, rec.ID, err)
	}
	return t.write(rec, labels)
}

// Insert creates a document and returns it with its etag; it fails with
// ErrExists if the id is taken, with a *UniqueError if a unique key is.
func (t *Tx) Insert(rec Record) (Record, error) {
	_, _, err := t.header(rec)
	if err == nil {
		err = ErrExists
	}
	if !errors.Is(err, ErrNotFound) {
		return Record{}, fmt.Errorf("%s %q: %w", rec.Kind, rec.ID, err)
	}
	return t.write(rec, "")
}

// Delete removes a document, or fails with ErrNotFound.
func (t *Tx) Delete(kind, id string) error {
	if !t.writable {
		return errReadOnly
	}
	gone := Change{Kind: kind, Deleted: true}
	if err := t.row(deleteDocument, []any{kind, fold(id)}, &gone.Tenant, &gone.ID); err != nil {
		return fmt.Errorf("%s %q: %w", kind, id, err)
	}
	t.changed(gone)
	return nil
}

// header reads what a write must know of the document that it replaces.
func (t *Tx) header(rec Record) (etag, labels string, err error) {
	if !t.writable {
		return "", "", errReadOnly
	}
	if err := rec.check(); err != nil {
		return "", "", err
	}
	err = t.row(getHeader, []any{rec.Kind, fold(rec.ID)}, &etag, &labels)
	return etag, labels, err
}

// write puts a document whose keys were oldLabels before.
func (t *Tx) write(rec Record, oldLabels string) (Record, error) {
	fail := func(err error) (Record, error) {
		return Record{}, fmt.Errorf("%s %q: %w", rec.Kind, rec.ID, err)
	}
	newLabels, err := rec.labels()
	if err != nil {
		return fail(err)
	}
	// Before anything is written: the closure may go on after a *UniqueError.
	if newLabels != oldLabels {
		if err := t.checkUnique(rec); err != nil {
			return fail(err)
		}
	}
	rec.Etag = rand.Text()
	body := rec.Body
	if body == nil {
		body = []byte{} // nil would be NULL
	}
	if err := t.exec(putDocument, rec.Kind, fold(rec.ID), rec.Tenant, rec.ID, rec.Etag, newLabels, body); err != nil {
		return fail(err)
	}
	if newLabels != oldLabels {
		if err := t.replaceKeys(rec); err != nil {
			return fail(err)
		}
	}
	t.changed(Change{Tenant: rec.Tenant, Kind: rec.Kind, ID: rec.ID})
	return rec, nil
}

func (t *Tx) checkUnique(rec Record) error {
	for _, k := range rec.Unique {
		var owner string
		err := t.row(getOwner, []any{rec.Kind, k.Name, fold(k.Value)}, &owner)
		switch {
		case errors.Is(err, ErrNotFound):
		case err != nil:
			return err
		case owner != fold(rec.ID):
			return &UniqueError{Kind: rec.Kind, Key: k}
		}
	}
	return nil
}

func (t *Tx) replaceKeys(rec Record) error {
	key := fold(rec.ID)
	for _, s := range []statement{deleteUniqueKeys, deleteSecondaryKeys} {
		if err := t.exec(s, rec.Kind, key); err != nil {
			return err
		}
	}
	for _, k := range rec.Unique {
		if err := t.exec(insertUniqueKey, rec.Kind, k.Name, fold(k.Value), key); err != nil {
			return err
		}
	}
	for _, k := range rec.Keys {
		if err := t.exec(insertSecondaryKey, rec.Kind, k.Name, fold(k.Value), key); err != nil {
			return err
		}
	}
	return nil
}

func (t *Tx) stmt(s statement) *sql.Stmt {
	if t.stmts[s] == nil {
		t.stmts[s] = t.sql.Stmt(t.pool.prepared[s])
	}
	return t.stmts[s]
}

// one reads the one document that a statement finds.
func (t *Tx) one(s statement, args ...any) (Record, error) {
	var rec Record
	var labels string
	if err := t.row(s, args, &rec.Tenant, &rec.Kind, &rec.ID, &rec.Etag, &labels, &rec.Body); err != nil {
		return Record{}, err
	}
	return rec, rec.setLabels(labels)
}

// row reads one row, or fails with ErrNotFound. Statements run without the
// context: database/sql ends the transaction with its context between them,
// and one that is cut short could take the transaction along unseen.
func (t *Tx) row(s statement, args []any, into ...any) error {
	if t.failed != nil {
		return t.failed
	}
	err := t.stmt(s).QueryRow(args...).Scan(into...)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	t.failed = err
	return err
}

func (t *Tx) exec(s statement, args ...any) error {
	if t.failed != nil {
		return t.failed
	}
	_, t.failed = t.stmt(s).Exec(args...)
	return t.failed
}
