package edge

import (
	"strings"
	"testing"
)

func TestParseHost(t *testing.T) {
	for _, tt := range []struct{ about, in, name, port string }{
		{"a plain name", "graph.microsoft.com", "graph.microsoft.com", ""},
		{"upper case is lowered", "Graph.Microsoft.COM:443", "graph.microsoft.com", "443"},
		{"a trailing dot is dropped", "graph.microsoft.com.", "graph.microsoft.com", ""},
		{"a trailing dot before a port is dropped", "graph.microsoft.com.:8443", "graph.microsoft.com", "8443"},
		{"an empty port is none", "graph.microsoft.com:", "graph.microsoft.com", ""},
		{"an IPv4 address", "127.0.0.1:4443", "127.0.0.1", "4443"},
		{"an IPv6 address", "[::1]:4443", "::1", "4443"},
		{"an IPv6 address without port", "[::1]", "::1", ""},
		{"an IPv4 address in IPv6 is one of IPv4", "[::ffff:169.254.169.254]:80", "169.254.169.254", "80"},
		{"an address has one spelling", "[0:0::0:1]:1", "::1", "1"},
	} {
		t.Run(tt.about, func(t *testing.T) {
			name, port, err := parseHost(tt.in)
			if err != nil || name != tt.name || port != tt.port {
				t.Errorf("parseHost(%q) = %q, %q, %v; want %q, %q", tt.in, name, port, err, tt.name, tt.port)
			}
		})
	}
}

func TestParseHostRefuses(t *testing.T) {
	for about, in := range map[string]string{
		"nothing":                       "",
		"a dot":                         ".",
		"an empty label":                "kv..vault.azure.net",
		"two trailing dots":             "azure.com..",
		"a name that is not ASCII":      "ａｚｕｒｅ.com",
		"a line break":                  "azure.com\r\nX: y",
		"user information":              "user@azure.com",
		"a path":                        "azure.com/x",
		"a port that is no number":      "azure.com:https",
		"port zero":                     "azure.com:0",
		"a port beyond 65535":           "azure.com:65536",
		"a port with leading zeros":     "azure.com:00443",
		"a signed port":                 "azure.com:+443",
		"an address with a zone":        "[fe80::1%eth0]:443",
		"a label of 64 characters":      strings.Repeat("a", 64) + ".azure.com",
		"a name of over 253 characters": strings.Repeat("a.", 126) + "com",
	} {
		t.Run(about, func(t *testing.T) {
			if name, port, err := parseHost(in); err == nil {
				t.Errorf("parseHost(%q) = %q, %q; want an error", in, name, port)
			}
		})
	}
}

func TestAuthority(t *testing.T) {
	for _, tt := range []struct{ name, port, want string }{
		{"graph.microsoft.com", "", "graph.microsoft.com"},
		{"graph.microsoft.com", "443", "graph.microsoft.com"},
		{"graph.microsoft.com", "4443", "graph.microsoft.com:4443"},
		{"::1", "", "[::1]"},
		{"::1", "4443", "[::1]:4443"},
	} {
		if got := authority(tt.name, tt.port); got != tt.want {
			t.Errorf("authority(%q, %q) = %q, want %q", tt.name, tt.port, got, tt.want)
		}
	}
}
