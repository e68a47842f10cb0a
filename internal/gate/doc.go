// Package gate is the only place that allows or denies a call. In this order
// it asks:
//
//  1. the network rules of the target (a rule that trusted services may pass
//     waits for the verified token);
//  2. who is calling: an Entra token, an account key, or nobody;
//  3. may the caller do this: Azure RBAC, or Graph's application permissions.
//
// It writes one audit record of what it decided, and hands an admitted call to
// the operation's handler. It knows tokens, keys and roles only through the
// interfaces declared here.
package gate
