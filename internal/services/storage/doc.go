// Package storage is Azure Storage as far as Blob storage goes: the resource
// provider Microsoft.Storage, and the data plane at
// {account}.blob.core.windows.net, with the same blobs as the paths of a Data Lake at
// {account}.dfs.core.windows.net. What a blob is, package blob knows; here are
// the wire, the table that gate decides by, and the signatures of Storage: shared
// keys and shared access signatures.
package storage
