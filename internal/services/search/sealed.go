package search

import (
	"encoding/json"
	"strings"

	"sekisho/internal/arm"
	"sekisho/internal/services/search/schema"
	"sekisho/internal/store"
)

// sealed is a definition that holds credentials, as it is kept.
type sealed struct {
	Sealed []byte `json:"sealed"`
}

// loadDefinition reads a definition as its client wrote it.
func (s *Search) loadDefinition(tx *store.Tx, d *definition, at place) (store.Record, error) {
	rec, err := tx.Get(d.kind, at.id())
	if err == nil {
		err = s.unseal(d, &rec)
	}
	return rec, err
}

func (s *Search) unseal(d *definition, rec *store.Record) error {
	if !d.secret {
		return nil
	}
	return unseal(s.seal, rec)
}

func unseal(seal arm.Sealer, rec *store.Record) error {
	body, err := store.Decode[sealed](*rec)
	if err == nil {
		rec.Body, err = seal.Open(rec.Kind, strings.ToLower(rec.ID), body.Sealed)
	}
	return err
}

// indexAt reads the definition of an index, which holds the keys of its vectorizers.
func indexAt(tx *store.Tx, seal arm.Sealer, at place) (*schema.Index, store.Record, error) {
	rec, err := tx.Get(kindIndex, at.id())
	if err == nil {
		err = unseal(seal, &rec)
	}
	if err != nil {
		return nil, rec, err
	}
	of, err := store.Decode[*schema.Index](rec)
	return of, rec, err
}

// putSealed writes a definition, and gives it as loadDefinition does.
func (s *Search) putSealed(tx *store.Tx, d *definition, at place, body json.RawMessage) (store.Record, error) {
	rec := store.Record{Tenant: at.tenant, Kind: d.kind, ID: at.id(), Body: body}
	if !d.secret {
		return tx.Put(rec)
	}
	hidden, err := s.seal.Seal(d.kind, strings.ToLower(rec.ID), body)
	if err != nil {
		return rec, err
	}
	rec, err = store.Save(tx, rec, sealed{hidden})
	rec.Body = body
	return rec, err
}
