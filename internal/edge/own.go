package edge

import (
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"sekisho/internal/api"
)

// Under Sekisho's own name (https://localhost:4443) the services of the cloud
// are at their Azure paths, and the data plane of an account is a path:
// /-/openai/{account}/… stands for https://{account}.openai.azure.com/….

// ownPaths tells the services of the cloud apart by the first segment of the
// path. What begins otherwise begins with a tenant, and is sign-in.
var ownPaths = map[string]string{
	"subscriptions": "arm", "providers": "arm", "tenants": "arm", "metadata": "arm",
	"v1.0": "graph", "beta": "graph", "oidc": "graph",
}

// isOwn tells whether a host name is Sekisho's own.
func (s *Server) isOwn(name string) bool {
	if addr, err := netip.ParseAddr(name); err == nil {
		return addr.IsLoopback() || addr.IsPrivate()
	}
	return name == "localhost" || s.names[name]
}

// ownAddress finds the target of a request to an own name. The request that it
// gives has the path that the service knows.
func (s *Server) ownAddress(r *http.Request, origin api.Origin) (*http.Request, api.Origin, api.Target, error) {
	origin.Own = origin.Base
	rest, isData := strings.CutPrefix(r.URL.EscapedPath(), api.OwnPrefix)
	if !isData {
		first, _, _ := strings.Cut(strings.TrimLeft(r.URL.Path, "/"), "/")
		if first == "" {
			return r, origin, api.Target{}, s.welcome(origin.Own)
		}
		service, ok := ownPaths[strings.ToLower(first)]
		if !ok {
			service = "login"
		}
		return r, origin, api.Target{Service: service}, nil
	}
	zone, rest, _ := strings.Cut(rest, "/")
	label, rest, _ := strings.Cut(rest, "/")
	name, ok := dataHost(strings.ToLower(zone), strings.ToLower(label))
	if !ok {
		return r, origin, api.Target{}, api.Errorf(http.StatusNotFound, "ResourceNotFound",
			"Sekisho has no data plane at %s%s/%s. Data planes are at %s.", api.OwnPrefix, zone, label, strings.Join(dataPaths(), ", "))
	}
	// The path may begin with two slashes, which a URL reference takes for a host.
	inner, err := url.ParseRequestURI("https://" + name + "/" + rest)
	if err != nil {
		return r, origin, api.Target{}, api.BadRequest("BadRequest", "path", "The path is invalid: %v.", err)
	}
	inner.RawQuery = r.URL.RawQuery
	stripped := *r
	stripped.URL = inner
	origin.Base = origin.Own + api.OwnPrefix + zone + "/" + label
	target, err := s.targetOf(&stripped, name)
	return &stripped, origin, target, err
}

// dataHost is Azure's host name for a data plane's path.
func dataHost(zone, label string) (string, bool) {
	for domain, name := range api.OwnZones {
		if name == zone && isDNSName(label) && !strings.Contains(label, ".") {
			return label + "." + domain, true
		}
	}
	return "", false
}

func dataPaths() []string {
	var all []string
	for _, name := range slices.Sorted(maps.Values(api.OwnZones)) {
		all = append(all, api.OwnPrefix+name+"/{name}/")
	}
	return all
}

// welcome tells a person what is here.
func (s *Server) welcome(own string) *api.Error {
	return api.Errorf(http.StatusNotFound, "NotFound",
		"This is Sekisho. Azure Resource Manager is at %[1]s/subscriptions, sign-in at %[1]s/{tenant}, Microsoft Graph at %[1]s/v1.0, data planes at %[2]s.",
		own, strings.Join(dataPaths(), ", "))
}

// targetOf finds the target of a request to one of Azure's host names.
func (s *Server) targetOf(r *http.Request, name string) (api.Target, error) {
	p := classify(name)
	if p.account {
		return s.resolver.Resolve(r.Context(), &url.URL{Scheme: "https", Host: name, Path: r.URL.Path, RawPath: r.URL.RawPath})
	}
	return api.Target{Service: p.service, Location: p.region}, nil
}
