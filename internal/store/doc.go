// Package store keeps what Sekisho must not forget: documents, the feed of
// their changes, the key that secrets are sealed under, and the audit log.
//
// All of it lives in one data directory that belongs to one process:
//
//	lock        held while the process runs (Lock)
//	sekisho.db  documents and feed (Open)
//	audit.db    the audit log (OpenAudit)
//	master.key  wraps data.key, unless a key URL does (OpenSealer)
//	data.key    the wrapped data key (OpenSealer)
//
// Open them in this order: Lock, OpenSealer, Open, OpenAudit. The sealer comes
// before the database because a database without its data key means that the
// key was lost, and then no new key may silently take its place.
//
// BackUp copies them into one file while they are used, Restore makes a data
// directory of that file, and Erase deletes one.
//
// # Documents
//
// A Record is a JSON document under (kind, id). Kinds are exact; ids and the
// values of keys compare case-insensitively, as Azure's do, and are kept as
// they were last written. View reads one snapshot. Update writes, one at a
// time; its closure may run again, so it must have no effect but through its
// Tx, and it must not call Update itself.
//
// # Feed
//
// Every committed write appends a Change. Sequence numbers are assigned in the
// transaction that writes, in commit order, so a follower that has read up to
// n never misses a change that becomes visible later with a number below n.
//
// The feed tells states, not history: it keeps only the newest change of each
// document. A follower that was away finds each changed document once, and
// reads its present state from the documents. The change of a deleted document
// stays for as long as the store, so that a follower may be away for any time.
//
// What is derived from documents is kept current by a Follower: it calls Sync
// before each use, which costs one atomic load while nothing changes.
package store
