package conformance

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
)

// person is somebody at a browser in intercept mode: they fill the fields of a
// page in that they know, and press its first button.
type person struct {
	t       *testing.T
	browser *http.Client
	knows   map[string]string // by the field's name
}

func (s *sekisho) person(name, password string) *person {
	s.t.Helper()
	pem, err := os.ReadFile(filepath.Join(s.data, "ca.pem"))
	if err != nil {
		s.t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	proxy, err := url.Parse(s.printed["proxy"])
	if err != nil {
		s.t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, DisableKeepAlives: true, Proxy: func(r *http.Request) (*url.URL, error) {
		if r.URL.Scheme == "http" { // what a client serves for itself
			return nil, nil
		}
		return proxy, nil
	}}
	return &person{t: s.t, browser: &http.Client{Transport: transport, Jar: jar, Timeout: patience}, knows: map[string]string{"login": name, "passwd": password}}
}

// visit opens a page and goes from form to form, until there is none. It gives
// the text of the last page.
func (p *person) visit(address string) string {
	p.t.Helper()
	reply, err := p.browser.Get(address)
	for range 10 {
		if err != nil {
			p.t.Fatal(err)
		}
		page, parseErr := html.Parse(reply.Body)
		reply.Body.Close()
		if parseErr != nil {
			p.t.Fatal(parseErr)
		}
		form := find(page, "form")
		if form == nil {
			if reply.StatusCode != http.StatusOK {
				p.t.Fatalf("%s ends with %d: %s", address, reply.StatusCode, textOf(page))
			}
			return textOf(page)
		}
		action, parseErr := reply.Request.URL.Parse(attribute(form, "action"))
		if parseErr != nil {
			p.t.Fatal(parseErr)
		}
		reply, err = p.browser.PostForm(action.String(), p.fill(form))
	}
	p.t.Fatalf("%s does not end", address)
	return ""
}

// fill gives what a browser sends of a form.
func (p *person) fill(form *html.Node) url.Values {
	values := url.Values{}
	for node := range form.Descendants() {
		name := attribute(node, "name")
		switch {
		case name == "" || node.Data == "input" && attribute(node, "type") == "checkbox":
		case node.Data == "input":
			values.Set(name, attribute(node, "value"))
			if known, ok := p.knows[name]; ok {
				values.Set(name, known)
			}
		case node.Data == "button" && !values.Has(name):
			values.Set(name, attribute(node, "value"))
		}
	}
	return values
}

func find(page *html.Node, tag string) *html.Node {
	for node := range page.Descendants() {
		if node.Type == html.ElementNode && node.Data == tag {
			return node
		}
	}
	return nil
}

func attribute(node *html.Node, name string) string {
	for _, a := range node.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func textOf(page *html.Node) string {
	var text strings.Builder
	for node := range page.Descendants() {
		if node.Type == html.TextNode && node.Parent.Data != "style" && node.Parent.Data != "script" {
			text.WriteString(node.Data + " ")
		}
	}
	return strings.Join(strings.Fields(text.String()), " ")
}

// until waits for what get gives, while the program that it comes from runs.
func (p *process) until(t *testing.T, get func() (string, bool)) string {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if found, ok := get(); ok {
			return found
		}
		select {
		case <-p.done:
			t.Fatalf("it ended before: %v\n%s", p.err, p.log)
		default:
		}
	}
	t.Fatalf("it did not come\n%s", p.log)
	return ""
}

// begin starts a program in intercept mode; finish gives what it left.
func (s *sekisho) begin(more []string, args ...string) *process {
	s.t.Helper()
	cmd := s.command(nil, args...)
	cmd.Env = append(append(cmd.Env, s.env()...), more...)
	return spawn(s.t, cmd)
}

func (p *process) finish(t *testing.T) result {
	t.Helper()
	err := p.wait()
	out := new(strings.Builder)
	if _, copyErr := p.out.WriteTo(out); copyErr != nil {
		t.Fatal(copyErr)
	}
	if err != nil {
		t.Logf("%v", err)
	}
	return result{t: t, command: shown(p.cmd.Args), out: out.String(), stderr: p.log.String(), status: p.cmd.ProcessState.ExitCode()}
}
