package pages

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

const hostile = `"><script>alert(1)</script><img src=x onerror=alert(1)> {0}' javascript:alert(1) ` + "\u202e"

func TestHostileTextStaysText(t *testing.T) {
	each(t, hostile, func(t *testing.T, page any, _ Lang) {
		res, _, root := written(t, page)
		scripts := all(root, "script")
		if len(all(root, "img")) != 0 || len(scripts) > 1 {
			t.Fatal("it became markup")
		}
		for _, n := range scripts {
			if !strings.Contains(res.Header.Get("Content-Security-Policy"), hash(n.FirstChild.Data)) {
				t.Error("a script that the policy does not know")
			}
		}
	})
}

func TestNothingIsLoadedAndNoElementHasScriptOrStyle(t *testing.T) {
	each(t, "Contoso", func(t *testing.T, page any, _ Lang) {
		res, text, root := written(t, page)
		for n := range root.Descendants() {
			if n.Type != html.ElementNode {
				continue
			}
			for _, a := range n.Attr {
				if strings.HasPrefix(a.Key, "on") || a.Key == "style" {
					t.Errorf("<%s %s>", n.Data, a.Key)
				}
				external := strings.Contains(a.Val, "//")
				given := n.Data == "iframe" || n.Data == "a" || n.Data == "form" && strings.HasPrefix(a.Val, "https://app.example/")
				if external && !given {
					t.Errorf("<%s %s=%q>", n.Data, a.Key, a.Val)
				}
			}
		}
		if strings.Contains(style, "url(") || strings.Contains(style, "@import") || strings.Contains(text, "ZgotmplZ") {
			t.Error("the style loads something, or a template hid something")
		}
		if shown := all(root, "style")[0].FirstChild.Data; !strings.Contains(res.Header.Get("Content-Security-Policy"), hash(shown)) {
			t.Error("the policy does not know the style as written")
		}
	})
}

func TestHeaders(t *testing.T) {
	plain := "default-src 'none'; style-src " + hash(style) + "; frame-ancestors 'none'; base-uri 'none'"
	formless := strings.Replace(plain, "frame-ancestors", "form-action 'none'; frame-ancestors", 1)
	for _, c := range []struct {
		name     string
		page     any
		policy   string
		referrer string
	}{
		{"form", SignIn{}, plain, "no-referrer"},
		{"pointer", &SignIn{}, plain, "no-referrer"},
		{"error", Error{}, formless, "no-referrer"},
		{"message", Message{Kind: DeviceDone, Continue: "https://app.example/"}, formless, "no-referrer"},
		{"frames", Message{Kind: SignedOut, FrontChannel: []string{"https://a.example/1", "https://a.example/2", "http://localhost:3000/out", "javascript:alert(1)", "//b.example", "https://c.example;script-src *"}},
			strings.Replace(formless, "form-action", "frame-src https://a.example http://localhost:3000; form-action", 1), "no-referrer"},
		{"frames and on", Message{Kind: SignedOut, FrontChannel: []string{"https://a.example/1"}, Continue: "https://app.example/"},
			strings.Replace(formless, "form-action", "script-src "+hash(leaveScript)+"; frame-src https://a.example; form-action", 1), "no-referrer"},
		{"form post", FormPost{URL: "https://app.example:8443/cb"},
			strings.Replace(plain, "frame-ancestors", "script-src "+hash(submitScript)+"; frame-ancestors", 1), "strict-origin"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			if err := Write(w, http.StatusForbidden, c.page); err != nil {
				t.Fatal(err)
			}
			if w.Code != http.StatusForbidden {
				t.Errorf("status = %d", w.Code)
			}
			for name, want := range map[string]string{
				"Content-Security-Policy": c.policy, "Referrer-Policy": c.referrer,
				"Content-Type": "text/html; charset=utf-8", "Content-Language": "en", "Cache-Control": "no-store",
				"X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff",
				"Strict-Transport-Security": "max-age=31536000; includeSubDomains",
			} {
				if got := w.Header().Get(name); got != want {
					t.Errorf("%s = %s\nwant %s", name, got, want)
				}
			}
		})
	}
}

func TestFramesThatMayNotLoadAreLeftOut(t *testing.T) {
	_, _, root := written(t, Message{Kind: SignedOut, FrontChannel: []string{"javascript:alert(1)", "https://a.example/1?sid=2", "data:text/html,x"}})
	if frames := all(root, "iframe"); len(frames) != 1 || attr(frames[0], "src") != "https://a.example/1?sid=2" {
		t.Errorf("%d frames", len(frames))
	}
}

func TestNothingIsWrittenWhereAPageCannotBe(t *testing.T) {
	for name, page := range map[string]any{
		"no page":           "hello",
		"unknown kind":      Message{Kind: "Lost"},
		"unknown problem":   SignIn{Problem: "Lost"},
		"unknown language":  SignIn{Frame: Frame{Lang: 7}},
		"script to post to": FormPost{URL: "javascript:alert(1)"},
		"app to post to":    FormPost{URL: "msauth://auth"},
		"nowhere to post":   FormPost{},
		"script to go to":   Message{Kind: SignedOut, Continue: "javascript:alert(1)"},
	} {
		w := httptest.NewRecorder()
		if err := Write(w, http.StatusOK, page); err == nil || w.Body.Len() != 0 || len(w.Header()) != 0 {
			t.Errorf("%s: err = %v, %d bytes, %v", name, err, w.Body.Len(), w.Header())
		}
	}
}

// FuzzSource: whatever a URL is, its source can't end the directive it is in.
func FuzzSource(f *testing.F) {
	for _, seed := range []string{"http://localhost:8400", "msauth://x", "https://a;b", "https://a b", "HTTPS://A.example:1/é", "x+y.z:'self'", "https://u:p@h/"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		s, err := source(raw)
		if err == nil && (s == "" || strings.ContainsAny(s, " \t\r\n;,'\"*@[]<>")) {
			t.Errorf("source(%q) = %q", raw, s)
		}
	})
}
