package storage

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/services/storage/blob"
)

// corsOperations answer browsers before they send a request of another origin's
// page. Source: preflight-blob-request.md.
func (s *Storage) corsOperations() (all []api.Operation) {
	for _, pattern := range []string{"/", "/{container}", "/{container}/{blob}"} {
		all = append(all, api.Operation{Method: http.MethodOptions, Pattern: pattern, Name: "Preflight", Open: true, Source: source + "preflight-blob-request.md", Handle: s.preflight})
	}
	return all
}

func (s *Storage) preflight(w http.ResponseWriter, call *api.Call) error {
	h := call.Request.Header
	origin, method := h.Get("Origin"), h.Get("Access-Control-Request-Method")
	if origin == "" {
		return missingHeader("Origin")
	}
	if method == "" {
		return missingHeader("Access-Control-Request-Method")
	}
	p, err := s.blobs.ServiceOf(call.Request.Context(), accountName(call))
	if err != nil {
		return err
	}
	wanted := words(h.Get("Access-Control-Request-Headers"))
	rule := matching(p.CORS, origin, method, wanted)
	if rule == nil {
		return api.Errorf(http.StatusForbidden, "CorsPreflightFailure", "CORS not enabled or no matching rule found for this request.")
	}
	setHeaders(w, call)
	allowOrigin(w.Header(), rule, origin)
	w.Header().Set("Access-Control-Allow-Methods", method)
	if len(wanted) > 0 {
		w.Header().Set("Access-Control-Allow-Headers", strings.Join(wanted, ","))
	}
	w.Header().Set("Access-Control-Max-Age", strconv.Itoa(rule.Seconds))
	w.WriteHeader(http.StatusOK)
	return nil
}

// matching is the first rule that allows a request; nil if none does.
func matching(rules []blob.CORSRule, origin, method string, headers []string) *blob.CORSRule {
	for i, r := range rules {
		if !slices.ContainsFunc(r.Origins, func(o string) bool { return fits(o, origin) }) || !slices.Contains(r.Methods, method) {
			continue
		}
		if !slices.ContainsFunc(headers, func(h string) bool {
			return !slices.ContainsFunc(r.Headers, func(allowed string) bool { return fits(strings.ToLower(allowed), strings.ToLower(h)) })
		}) {
			return &rules[i]
		}
	}
	return nil
}

// fits holds a text against one that may have an asterisk.
func fits(pattern, text string) bool {
	before, after, wild := strings.Cut(pattern, "*")
	if !wild {
		return pattern == text
	}
	return len(text) >= len(before)+len(after) && strings.HasPrefix(text, before) && strings.HasSuffix(text, after)
}

func allowOrigin(h http.Header, rule *blob.CORSRule, origin string) {
	if slices.Contains(rule.Origins, "*") {
		h.Set("Access-Control-Allow-Origin", "*")
		return
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Allow-Credentials", "true")
	h.Add("Vary", "Origin")
}

// crossOrigin lets the page of another origin read an operation's reply, where a
// rule says so.
func (s *Storage) crossOrigin(op api.Operation) api.Operation {
	handle := op.Handle
	op.Handle = func(w http.ResponseWriter, call *api.Call) error {
		if origin := call.Request.Header.Get("Origin"); origin != "" {
			p, err := s.blobs.ServiceOf(call.Request.Context(), accountName(call))
			if err != nil {
				return err
			}
			if rule := matching(p.CORS, origin, call.Request.Method, nil); rule != nil {
				allowOrigin(w.Header(), rule, origin)
				if len(rule.Exposed) > 0 {
					w.Header().Set("Access-Control-Expose-Headers", strings.Join(rule.Exposed, ","))
				}
			}
		}
		return handle(w, call)
	}
	return op
}
