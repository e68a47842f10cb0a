// Package edge is where connections come in and addresses are read.
//
// It accepts connections, ends TLS with certificates of Sekisho's own CA, and
// is the forward proxy that Azure clients are pointed at. From the host name of
// a request it finds the api.Target (which resource of which service), from the
// connection the api.Origin (which way the request came), and hands both to a
// Handler. It allows and denies nothing: that is gate's work.
//
// Host names fall into three sets (zones.go): those that Sekisho serves; the
// rest of Azure's zones, which are answered with an error and never forwarded,
// so that a user's key does not reach the real Microsoft by accident; and all
// others, which the proxy tunnels untouched.
//
// The files, in the order of a request: proxy.go takes CONNECT and ends it here
// or in tunnel.go; conn.go carries a connection's origin to its requests;
// dispatch.go reads the address of one request; zones.go and host.go know
// names; ca.go and leaf.go make certificates; bundle.go tells clients of them.
package edge
