package pages

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// hostPort is what may stand in a source of a Content-Security-Policy: nothing
// that could end it. IPv6 has no form there (CSP3, host-source), and Entra takes
// no redirect URI with [::1] (entra-docs reply-url.md).
var hostPort = regexp.MustCompile(`^[A-Za-z0-9.-]+(:[0-9]+)?$`)

// source is the origin of a URL as a source of a policy: scheme, host and port
// for http and https, else the scheme alone (a redirect to an installed app).
func source(raw string) (string, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return "", fmt.Errorf("pages: no URL for a policy: %q", raw)
	}
	switch u.Scheme {
	case "http", "https":
		if hostPort.MatchString(u.Host) {
			return u.Scheme + "://" + u.Host, nil
		}
	case "", "javascript", "data", "blob", "filesystem", "about":
	default:
		return u.Scheme + ":", nil
	}
	return "", fmt.Errorf("pages: no origin for a policy: %q", raw)
}

// webSource is source for pages that a browser shows.
func webSource(raw string) (string, error) {
	s, err := source(raw)
	if err == nil && !strings.Contains(s, "://") {
		return "", fmt.Errorf("pages: neither http nor https: %q", raw)
	}
	return s, err
}

// guard is what the policy of a page lets through, besides its style.
type guard struct {
	script string   // its only script; may be empty
	frames []string // sources
	// noForm is set where there is none. A form's answer may lead to an
	// application, and from there anywhere: Chromium holds form-action against the
	// whole chain, so that no list of sources could be right.
	noForm bool
}

func (g guard) policy() string {
	directives := []string{"default-src 'none'", "style-src " + hash(style)}
	if g.script != "" {
		directives = append(directives, "script-src "+hash(g.script))
	}
	if len(g.frames) > 0 {
		directives = append(directives, "frame-src "+strings.Join(g.frames, " "))
	}
	if g.noForm {
		directives = append(directives, "form-action 'none'")
	}
	return strings.Join(append(directives, "frame-ancestors 'none'", "base-uri 'none'"), "; ")
}

// referrer is the Referrer-Policy. Under no-referrer a browser posts with
// "Origin: null" (Fetch, append a request Origin header); an application that
// form_post reaches may look at it, and learns our origin as it does from Entra.
func (g guard) referrer() string {
	if g.script == submitScript {
		return "strict-origin"
	}
	return "no-referrer"
}

func (Frame) guard() (guard, error) { return guard{}, nil }

func (Error) guard() (guard, error) { return guard{noForm: true}, nil }

func (p FormPost) guard() (guard, error) {
	_, err := webSource(p.URL)
	return guard{script: submitScript}, err
}

func (p Message) guard() (guard, error) {
	g := guard{noForm: true}
	for _, raw := range p.Frames() {
		if s, err := webSource(raw); err == nil && !slices.Contains(g.frames, s) {
			g.frames = append(g.frames, s)
		}
	}
	if p.Continue == "" {
		return g, nil
	}
	if len(g.frames) > 0 {
		g.script = leaveScript
	}
	_, err := webSource(p.Continue)
	return g, err
}

// Frames are the URLs of FrontChannel that a frame may load.
func (p Message) Frames() []string {
	return slices.DeleteFunc(slices.Clone(p.FrontChannel), func(raw string) bool {
		_, err := webSource(raw)
		return err != nil
	})
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}
