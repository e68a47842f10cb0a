// Package platform puts the rooms together into one running Sekisho: it opens
// the data directory, wires store, directory, access, resources, services, gate
// and edge, listens, and answers the commands of the same machine on a control
// socket. It is the only package that imports them all.
package platform
