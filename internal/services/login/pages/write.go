package pages

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"sync"
)

//go:embed templates/*.html
var files embed.FS

//go:embed style.css
var style string

// The only scripts: what they do, a button or a link does without them.
const (
	submitScript = `document.forms[0].submit()`
	leaveScript  = `(function(){function go(){location.replace(document.getElementById("continue").href)}` +
		`addEventListener("load",go);setTimeout(go,5000)})()` // a frame that hangs doesn't hold the user
)

// view is what the layout shows around the body of a page.
type view struct {
	Lang   Lang
	Title  string
	Tenant string
	Style  template.CSS
	Body   template.HTML
	Script template.JS
}

// templates are parsed at the first page: most commands never show one.
var templates = sync.OnceValue(func() map[Lang]*template.Template {
	all := map[Lang]*template.Template{}
	for _, lang := range []Lang{English, Japanese} {
		all[lang] = template.Must(template.New("").Funcs(template.FuncMap{
			"say": lang.say, "plain": lang.plain, "initial": initial,
		}).ParseFS(files, "templates/*.html"))
	}
	return all
})

// Write renders one of the pages of this package, with the headers that keep it
// from caches, frames, other origins and foreign script. It writes nothing if it
// fails: a text is missing, or a URL can't be allowed.
func Write(w http.ResponseWriter, status int, of any) error {
	p, ok := of.(page)
	if !ok {
		return fmt.Errorf("pages: %T is no page", of)
	}
	g, err := p.guard()
	if err != nil {
		return err
	}
	html, err := render(p, g.script)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", p.frame().Lang.String())
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", g.policy())
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", g.referrer())
	h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	w.WriteHeader(status)
	_, err = w.Write(html)
	return err
}

func render(p page, script string) ([]byte, error) {
	f := p.frame()
	set := templates()[f.Lang]
	if set == nil {
		return nil, fmt.Errorf("pages: no language %d", f.Lang)
	}
	name, key := p.names()
	title, err := title(p, key)
	if err != nil {
		return nil, err
	}
	var body, out bytes.Buffer
	if err := set.ExecuteTemplate(&body, name, p); err != nil {
		return nil, err
	}
	// Style, script and body are this package's own, the body escaped by its template.
	err = set.ExecuteTemplate(&out, "layout.html", view{f.Lang, title, f.Tenant,
		template.CSS(style), template.HTML(body.String()), template.JS(script)})
	return out.Bytes(), err
}

// title is the state first, so that a reader of many tabs hears it first.
func title(p page, key string) (string, error) {
	f := p.frame()
	text, err := f.Lang.plain(key)
	if err != nil {
		return "", err
	}
	if q, ok := p.(interface{ problem() Problem }); ok && q.problem() != "" {
		if text, err = f.Lang.plain("title.problem", text); err != nil {
			return "", err
		}
	}
	parts := []string{text}
	if f.Tenant != "" {
		parts = append(parts, f.Tenant)
	}
	return strings.Join(append(parts, "Sekisho"), " - "), nil
}

// initial is the first letter of an account's name, for the eye only.
func initial(a Account) string {
	for _, r := range a.Name + a.Username {
		return strings.ToUpper(string(r))
	}
	return ""
}
