// Package entra is the directory and the token service: tenants, users, groups,
// applications, service principals, managed identities, their secrets, and the
// keys that sign tokens. It speaks no HTTP; services/login, graph and imds are
// its faces.
//
// Documents live in the store; an in-memory view follows the change feed, so
// that a disabled principal is refused by the very next call. Tokens are signed
// with RS256 as Entra's are; secrets are kept as keyed digests, passwords as
// argon2id hashes, signing keys sealed.
package entra
