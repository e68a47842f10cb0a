package edge

import (
	"net"
	"net/netip"
	"strconv"
	"strings"

	"sekisho/internal/api"
)

// parseHost splits the authority of a request into a host name in lower case,
// without trailing dot, and a port, which is empty when none was written. The
// name is a DNS name or the text of an IP address; anything else is an error,
// so that a name can be put into messages, URLs and certificates as it is.
func parseHost(authority string) (name, port string, err error) {
	name = authority
	if h, p, splitErr := net.SplitHostPort(authority); splitErr == nil {
		name, port = h, p
		if n, convErr := strconv.ParseUint(port, 10, 16); port != "" && (convErr != nil || n == 0 || strconv.FormatUint(n, 10) != port) {
			return "", "", api.BadRequest("InvalidHost", "Host", "%q is not a port number.", port)
		}
	} else if strings.HasPrefix(name, "[") && strings.HasSuffix(name, "]") {
		name = name[1 : len(name)-1]
	}
	name = strings.TrimSuffix(name, ".")
	if addr, parseErr := netip.ParseAddr(name); parseErr == nil && addr.Zone() == "" {
		return addr.Unmap().String(), port, nil
	}
	name = strings.ToLower(name)
	if !isDNSName(name) {
		return "", "", api.BadRequest("InvalidHost", "Host", "%q is not a host name.", authority)
	}
	return name, port, nil
}

// isDNSName tells whether name is made of labels of letters, digits, hyphens
// and underscores, of the lengths that DNS allows (RFC 1035 §2.3.4).
func isDNSName(name string) bool {
	if len(name) > 253 {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if len(label) == 0 || len(label) > 63 {
			return false
		}
		for _, c := range []byte(label) {
			if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
				return false
			}
		}
	}
	return true
}

// authority writes name and port as the host of an https URL.
func authority(name, port string) string {
	if strings.Contains(name, ":") {
		name = "[" + name + "]"
	}
	if port == "" || port == "443" {
		return name
	}
	return name + ":" + port
}

// within tells whether name is zone or lies below it.
func within(name, zone string) bool {
	below, ok := strings.CutSuffix(name, zone)
	return ok && (below == "" || strings.HasSuffix(below, "."))
}
