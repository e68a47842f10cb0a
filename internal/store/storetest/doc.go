// Package storetest is the conformance suite of the document store. Every
// database that Sekisho can keep its documents in runs it unchanged.
package storetest
