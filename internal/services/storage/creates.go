package storage

import (
	"sekisho/internal/api"
	"sekisho/internal/services/storage/blob"
)

// overwrites is what a call needs that writes over the blob it addresses.
func (s *Storage) overwrites(call *api.Call) api.Check {
	return s.lakeCheck(call, at(call), writeBlob, "w", blob.ToWrite)
}

// creates is what a call needs that makes the blob it addresses: less, as long as
// there is none. Source: put-blob.md, "Permissions".
func (s *Storage) creates(call *api.Call) ([]api.Check, error) {
	check := s.overwrites(call)
	if call.Caller.Credential == api.SharedKey { // who may do all
		return []api.Check{check}, nil
	}
	_, err := s.blobs.Get(call.Request.Context(), at(call), blob.Conditions{})
	switch {
	case notFound(err):
		check.Or, check.SAS = addBlob, "cw"
	case err != nil:
		return nil, err
	}
	return []api.Check{check}, nil
}

// keepOthers makes a call that may only create fail where another created the
// blob since gate looked.
func (s *Storage) keepOthers(call *api.Call, cond *blob.Conditions) {
	if !call.Can(s.overwrites(call)) {
		cond.IfNoneMatch = "*"
	}
}
