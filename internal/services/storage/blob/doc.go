// Package blob is the engine of Blob storage: containers and blobs of accounts,
// without HTTP and without a question of who may do what.
//
// Bytes live in a bucket, as objects that are written once and never changed; a
// blob is a document that names the objects it is made of. A write puts its bytes
// down first, on disk, and then commits the document: what is acknowledged
// survives a crash, a blob is never half there, and an object that no document
// names is swept. Few bytes have no file: they are an object in the store, which the
// transaction that names it writes. Blobs are found by the id of their container,
// which a new container of the same name does not share, so that deleting a container
// is one write.
package blob
