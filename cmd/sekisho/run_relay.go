package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"sekisho/internal/platform"
)

// relay is the server that a host has beside the command, such as the instance
// metadata service. As on Azure, every process that reaches it has the machine's
// identity.
func relay(granted platform.Run) (end func(), err error) {
	to := granted.Relay
	if to == nil {
		return func() {}, nil
	}
	ln, err := net.Listen("tcp", to.Address)
	switch {
	case err != nil && to.Optional:
		return func() {}, nil
	case err != nil:
		return nil, fmt.Errorf("this kind of host has a server at %s: %w", to.Address, err)
	}
	remove, err := writeKey(to)
	if err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	target := &url.URL{Scheme: "http", Host: granted.Identity}
	proxy := &httputil.ReverseProxy{
		Transport: &http.Transport{},
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			// What is refused must arrive for it to be refused.
			r.Out.Header["X-Forwarded-For"] = r.In.Header["X-Forwarded-For"]
			r.Out.Header.Set(granted.Header, granted.Secret)
		},
	}
	server := &http.Server{Handler: onlyNumbers(proxy), ReadHeaderTimeout: 10 * time.Second}
	go server.Serve(ln)
	return func() {
		server.Shutdown(context.Background())
		remove()
	}, nil
}

// onlyNumbers refuses a request for a host that is a name: a page in a browser
// can have its own name resolve to this address, and then send any header.
func onlyNumbers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		if _, err := netip.ParseAddr(host); err != nil && host != "localhost" {
			w.Header().Set("Content-Type", "application/json; charset=utf-8")
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintln(w, `{"error":"invalid_request","error_description":"The Host header is not an address of this machine"}`)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// writeKey writes the file by which the clients of Arc's agent prove that they
// may have tokens.
func writeKey(to *platform.Relay) (remove func(), err error) {
	if to.KeyFile == "" {
		return func() {}, nil
	}
	if err := os.MkdirAll(filepath.Dir(to.KeyFile), 0o750); err != nil {
		return nil, fmt.Errorf("clients of Azure Arc read a key that root alone can write: %w", err)
	}
	f, err := os.OpenFile(to.KeyFile, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o400)
	if err != nil {
		return nil, fmt.Errorf("clients of Azure Arc read a key that root alone can write: %w", err)
	}
	_, err = f.WriteString(to.Key)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, errors.Join(err, os.Remove(to.KeyFile))
	}
	return func() { os.Remove(to.KeyFile) }, nil
}
