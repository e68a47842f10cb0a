package edge

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"sekisho/internal/api"
)

// A service reaches Azure's hosts in memory, and any other over the network.
func TestAServiceCallsOthers(t *testing.T) {
	w := start(t, func(c *Config) { c.Names = []string{"sekisho.corp.example"} })
	client := http.Client{Transport: w.Outbound("/the/search/service")}
	for _, host := range []string{"graph.microsoft.com", "sekisho.corp.example", "localhost:" + w.tls[strings.LastIndexByte(w.tls, ':')+1:], w.tls} {
		response, err := client.Get("https://" + host + "/-/x")
		if err != nil {
			t.Fatal(err)
		}
		body(t, response)
		if host == "graph.microsoft.com" {
			if got := w.lastCall(t).origin; got.Kind != api.Sibling || got.Source != "/the/search/service" {
				t.Errorf("%s: %+v", host, got)
			}
		}
	}
	other := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { io.WriteString(rw, "other") }))
	defer other.Close()
	response, err := client.Get(other.URL)
	if err != nil {
		t.Fatal(err)
	}
	if got := body(t, response); got != "other" {
		t.Errorf("the other host: %q", got)
	}
}

func TestAServiceIsHeldToTheProxysRules(t *testing.T) {
	s := New(Config{CA: newTestCA(t), RefuseOther: true})
	u, err := url.Parse("https://example.com/")
	if err != nil {
		t.Fatal(err)
	}
	var refused *api.Error
	if _, err := s.Outbound("/x").RoundTrip(&http.Request{Method: http.MethodGet, URL: u}); !errors.As(err, &refused) || refused.Code != "HostRefused" {
		t.Errorf("where other hosts are refused: %v", err)
	}

	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	s = New(Config{CA: newTestCA(t)})
	for address, reached := range map[string]bool{"127.0.0.1:4443": true, "[::1]:4443": true, "0.0.0.0:4443": false, "192.0.2.1:4443": false} {
		s.listening = []netip.AddrPort{netip.MustParseAddrPort(address)}
		c, err := s.dialOutside(context.Background(), "tcp", other.Addr().String())
		if (err == nil) != reached {
			t.Errorf("listening at %s, what is on this machine: %v", address, err)
		}
		if err == nil {
			c.Close()
		}
	}
}
