package search

import (
	"context"
	"errors"
	"slices"

	"sekisho/internal/jobs"
	"sekisho/internal/services/search/indexer"
	"sekisho/internal/store"
)

// kindFamily is the kind of what parts of a parent an indexer has put into an index:
// {service}/{indexer}/{index}/{parent}.
const kindFamily = "searchProjection"

type family struct {
	Keys []string `json:"keys"`
}

// sink writes for an indexer. It implements indexer.Sink.
type sink struct {
	s      *Search
	job    *jobs.Run
	at     place
	scope  string // the service
	target string // index
	open   map[string]*opened
}

// Check implements indexer.Sink.
func (k *sink) Check(index, key string, fields map[string]any) error {
	of := k.open[index].schema()
	if err := checkKey(of.KeyField().Name, key); err != nil {
		return err
	}
	return checkFields(of.Fields, fields, key)
}

// Full implements indexer.Sink.
func (k *sink) Full(ctx context.Context) (string, error) { return k.s.full(ctx, k.scope, k.at) }

// Write implements indexer.Sink. Each index is written in a transaction with what
// tells of its families, the target index in one with the state. Before its end a
// crash leaves documents that the next run writes again, under the same keys.
func (k *sink) Write(ctx context.Context, b indexer.Batch) (rejected []indexer.Rejection, err error) {
	var others []string
	for _, d := range b.Documents {
		if d.Index != k.target && !slices.Contains(others, d.Index) {
			others = append(others, d.Index)
		}
	}
	for _, f := range b.Families {
		if f.Index != k.target && !slices.Contains(others, f.Index) {
			others = append(others, f.Index)
		}
	}
	for _, index := range others {
		some, err := k.write(ctx, index, b, func(*store.Tx) error { return nil })
		if err != nil {
			return nil, err
		}
		rejected = append(rejected, some...)
	}
	some, err := k.write(ctx, k.target, b, func(tx *store.Tx) error { return k.save(tx, b) })
	return append(rejected, some...), err
}

// save writes how far the indexer has come.
func (k *sink) save(tx *store.Tx, b indexer.Batch) error {
	_, rec, err := k.s.loadProgress(tx, k.at)
	if err != nil {
		return err
	}
	if _, err := store.Save(tx, rec, b.State); err != nil {
		return err
	}
	if b.Ended == nil {
		return nil
	}
	return addHistory(tx, k.at, *b.Ended)
}

// write writes what is of one index.
func (k *sink) write(ctx context.Context, index string, b indexer.Batch, also func(*store.Tx) error) ([]indexer.Rejection, error) {
	var actions []action
	for _, d := range b.Documents {
		switch {
		case d.Index != index:
		case d.Delete:
			actions = append(actions, action{verb: "delete", key: d.Key})
		default:
			actions = append(actions, action{verb: "mergeOrUpload", key: d.Key, fields: d.Fields})
		}
	}
	families := slices.DeleteFunc(slices.Clone(b.Families), func(f indexer.Family) bool { return f.Index != index })
	gone, err := k.gone(ctx, families)
	if err != nil {
		return nil, err
	}
	for _, key := range gone {
		actions = append(actions, action{verb: "delete", key: key})
	}
	update := func(ctx context.Context, fn func(*store.Tx) error) error {
		return k.job.Update(ctx, func(tx *store.Tx) error {
			if err := fn(tx); err != nil {
				return err
			}
			for _, f := range families {
				if err := k.putFamily(tx, f); err != nil {
					return err
				}
			}
			return also(tx)
		})
	}
	if len(actions) == 0 {
		return nil, update(ctx, func(*store.Tx) error { return nil })
	}
	results, err := k.s.apply(ctx, k.open[index], actions, update)
	var rejected []indexer.Rejection
	for _, r := range results {
		if !r.Done {
			rejected = append(rejected, indexer.Rejection{Index: index, Key: r.Key, Text: value(r.Error)})
		}
	}
	return rejected, err
}

// gone are the parts that parents had and have no more. Who else would write them
// is no other than this run.
func (k *sink) gone(ctx context.Context, families []indexer.Family) (keys []string, err error) {
	err = k.s.store.View(ctx, func(tx *store.Tx) error {
		keys = nil
		for _, f := range families {
			had, _, err := store.Load[family](tx, kindFamily, k.familyID(f))
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
			for _, key := range had.Keys {
				if !slices.Contains(f.Keys, key) {
					keys = append(keys, key)
				}
			}
		}
		return nil
	})
	return keys, err
}

func (k *sink) familyID(f indexer.Family) string {
	return documentID(k.at.id()+"/"+f.Index, f.Parent)
}

func (k *sink) putFamily(tx *store.Tx, f indexer.Family) error {
	if len(f.Keys) > 0 {
		_, err := store.Save(tx, store.Record{Tenant: k.at.tenant, Kind: kindFamily, ID: k.familyID(f)}, family{f.Keys})
		return err
	}
	if err := tx.Delete(kindFamily, k.familyID(f)); err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return nil
}

// end ends a run that cannot go on, at what is written of it.
func (k *sink) end(ctx context.Context, problem string) error {
	return k.job.Update(ctx, func(tx *store.Tx) error {
		state, _, err := k.s.loadProgress(tx, k.at)
		if err != nil || state.Current == nil {
			return err
		}
		result := state.Current
		state.Current = nil
		result.Close(k.s.now(), indexer.TransientFailure, &problem, &state)
		return k.save(tx, indexer.Batch{State: &state, Ended: result})
	})
}
