// Package servicetest gives the tests of services a small Azure: one tenant,
// one subscription and an Owner of it, with the real store, directory, access,
// resources and gate in a temporary directory. Calls go to gate as edge would
// hand them over; only listeners and TLS are left out.
package servicetest
