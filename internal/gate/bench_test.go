package gate

import (
	"net/http"
	"testing"

	"sekisho/internal/store"
)

// nowhere is a reply and an audit that keep nothing.
type nowhere struct{ header http.Header }

func (w nowhere) Header() http.Header       { return w.header }
func (nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (nowhere) WriteHeader(int)             {}
func (nowhere) Append(store.Entry)          {}

// BenchmarkDecision is a whole call through the gate, less what it asks: the
// verifier, the roles and the audit are fakes.
func BenchmarkDecision(b *testing.B) {
	for _, credential := range []struct{ name, header, value string }{{"token", "Authorization", "Bearer a.good.token"}, {"key", "api-key", "good-key"}} {
		b.Run(credential.name, func(b *testing.B) {
			h := newHouse()
			h.grants = []string{mayRead}
			g := h.gate(b)
			g.Audit = nowhere{}
			r := newRequest("GET", "/things")
			r.Header.Set(credential.header, credential.value)
			target, w := account(), nowhere{http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				h.asked = h.asked[:0]
				g.ServeCall(w, r, fromOutside, target)
			}
		})
	}
}
