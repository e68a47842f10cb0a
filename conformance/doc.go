// Package conformance is the proof: real, unmodified clients do real jobs
// against a running Sekisho: in intercept mode, by its own name, or by Azure's
// names in a hosts file. A story is one test, and its name is the story's text.
// What each client did in the keyless story, and which operations it drove of Blob
// storage and AI Search, is written to docs/COVERAGE.md.
//
// Sekisho runs as a process of its own, built from this tree; so do the clients,
// with nothing in their environment but what `sekisho env` or `sekisho run`
// gives them. clients/install.sh installs them, pinned (`make clients`). A client
// that is missing fails its tests.
package conformance
