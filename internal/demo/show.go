package demo

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// screen is where the story is told.
type screen struct {
	w     io.Writer
	color bool
}

const (
	bold  = "1"
	dim   = "2"
	red   = "31"
	green = "32"
	cyan  = "36"
)

func (s screen) paint(code, text string) string {
	if !s.color {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (s screen) chapter(text string) { fmt.Fprintf(s.w, "\n%s\n", s.paint(bold, text)) }

func (s screen) step(n int, text string) {
	fmt.Fprintf(s.w, "\n%s %s\n", s.paint(cyan, fmt.Sprintf("%2d.", n)), s.paint(bold, text))
}

func (s screen) note(text string) { fmt.Fprintf(s.w, "    %s\n", s.paint(dim, text)) }

// request shows a call as it goes out, but for its secrets.
func (s screen) request(r request) {
	fmt.Fprintf(s.w, "    → %s %s\n", r.method, r.url)
	for _, name := range slices.Sorted(maps.Keys(r.header)) {
		fmt.Fprintf(s.w, "      %s\n", s.paint(dim, strings.ToLower(name)+": "+hide(name, r.header)))
	}
	switch b := r.body.(type) {
	case nil:
	case url.Values:
		shown := url.Values{}
		for name, values := range b {
			shown[name] = values
		}
		if shown.Get("client_secret") != "" {
			shown.Set("client_secret", "…")
		}
		text, _ := url.QueryUnescape(shown.Encode())
		fmt.Fprintf(s.w, "      %s\n", s.paint(dim, text))
	default:
		raw, _ := json.Marshal(b)
		fmt.Fprintf(s.w, "      %s\n", s.paint(dim, short(string(raw))))
	}
}

// hide leaves enough of a secret to tell it from another.
func hide(name string, h http.Header) string {
	value := h.Get(name)
	switch http.CanonicalHeaderKey(name) {
	case "Api-Key", "X-Identity-Header":
		return head(value, 4) + "…"
	case "Authorization":
		scheme, token, _ := strings.Cut(value, " ")
		return scheme + " " + head(token, 6) + "…"
	}
	return value
}

func head(s string, n int) string { return s[:min(n, len(s))] }

// answer shows what came back: the status and the members that matter.
func (s screen) answer(a *answer, shown string) {
	code := green
	if a.status >= 400 {
		code = red
	}
	fmt.Fprintf(s.w, "    ← %s\n", s.paint(code, fmt.Sprintf("%d %s", a.status, http.StatusText(a.status))))
	for line := range strings.Lines(shown) {
		fmt.Fprintf(s.w, "      %s\n", strings.TrimRight(line, "\n"))
	}
}

func short(s string) string {
	const most = 220
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
