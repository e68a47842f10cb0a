package platform

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"

	"sekisho/internal/api"
)

// Plain serves the data planes without TLS, by the Host header, on the way that
// every request takes from the gate on. It is for measuring what that way costs
// (bench); no command listens with it.
func (p *Platform) Plain() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		target, err := p.reader.Resolve(r.Context(), &url.URL{Scheme: "https", Host: r.Host, Path: r.URL.Path})
		if err != nil {
			http.Error(w, err.Error(), http.StatusNotFound)
			return
		}
		remote, _ := netip.ParseAddrPort(r.RemoteAddr)
		local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
		origin := api.Origin{Remote: remote, Base: "https://" + r.Host}
		if local != nil {
			origin.Local, _ = netip.ParseAddrPort(local.String())
		}
		p.gate.ServeCall(w, r, origin, target)
	})
}
