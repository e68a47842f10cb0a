package pages

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// every is one of each page, with the same text in all that a user, an
// application or an administrator can name.
func every(lang Lang, named string) map[string]any {
	f := Frame{Lang: lang, Tenant: named, App: named, Action: "/common/login", Flow: named}
	accounts := []Account{{Value: named, Name: named, Username: named, SignedIn: true}, {Value: "2", Username: named}}
	permissions := []Permission{{Name: named, Description: named}, {Name: named}}
	pages := map[string]any{
		"signin":    SignIn{Frame: f, Username: named},
		"keep":      SignIn{Frame: f, Keep: true},
		"picker":    Picker{f, accounts},
		"consent":   Consent{f, named, named, permissions, false, true},
		"unknown":   Consent{Frame: f, Username: named, Permissions: permissions},
		"admin":     Consent{f, named, named, permissions, true, false},
		"needed":    AdminNeeded{f, named, permissions},
		"code":      DeviceCode{Frame: f, Code: named},
		"confirm":   DeviceConfirm{f, named, named},
		"password":  ChangePassword{Frame: f, Username: named},
		"signout":   SignOut{f, accounts},
		"done":      Message{Frame: f, Kind: DeviceDone},
		"declined":  Message{Frame: f, Kind: DeviceDeclined},
		"native":    Message{Frame: f, Kind: NativeClient},
		"signedout": Message{Frame: f, Kind: SignedOut, FrontChannel: []string{"https://one.example/out?sid=1&x=2", "https://one.example/2"}, Continue: "https://app.example/"},
		"error":     Error{f, 700016, named, named, named, named},
		"bare":      Error{Frame: Frame{Lang: lang}},
		"nameless":  Consent{Frame: Frame{Lang: lang, Action: "/consent"}},
		"formpost":  FormPost{"https://app.example/cb", [][2]string{{"code", named}, {"state", named}}, lang},
	}
	for p := range blamed {
		pages["signin "+string(p)] = SignIn{Frame: f, Username: named, Problem: p}
		pages["code "+string(p)] = DeviceCode{Frame: f, Problem: p}
		pages["password "+string(p)] = ChangePassword{Frame: f, Problem: p}
	}
	for _, p := range []Problem{Locked, Disabled, Throttled, SessionExpired, PasswordExpired} {
		pages["signin "+string(p)] = SignIn{Frame: f, Problem: p}
		pages["password "+string(p)] = ChangePassword{Frame: f, Problem: p}
	}
	return pages
}

// written is the answer of a page, and its document.
func written(t *testing.T, page any) (*http.Response, string, *html.Node) {
	t.Helper()
	w := httptest.NewRecorder()
	if err := Write(w, http.StatusOK, page); err != nil {
		t.Fatal(err)
	}
	text := w.Body.String()
	root, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return w.Result(), text, root
}

// all are the elements of a name.
func all(root *html.Node, names ...string) []*html.Node {
	var found []*html.Node
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && slices.Contains(names, n.Data) {
			found = append(found, n)
		}
	}
	return found
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, name string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
}

func content(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return strings.TrimSpace(b.String())
}

// each runs a check on each page in each language.
func each(t *testing.T, named string, check func(t *testing.T, page any, lang Lang)) {
	t.Helper()
	for _, lang := range []Lang{English, Japanese} {
		for name, page := range every(lang, named) {
			t.Run(lang.String()+"/"+name, func(t *testing.T) { check(t, page, lang) })
		}
	}
}

func TestEveryPageIsADocumentThatReadersUnderstand(t *testing.T) {
	each(t, "Contoso", func(t *testing.T, page any, lang Lang) {
		res, text, root := written(t, page)
		if got := attr(all(root, "html")[0], "lang"); got != lang.String() || res.Header.Get("Content-Language") != got {
			t.Errorf("lang = %q, Content-Language = %q", got, res.Header.Get("Content-Language"))
		}
		if title := content(all(root, "title")[0]); !strings.HasSuffix(title, " - Sekisho") || len(title) < 15 {
			t.Errorf("title = %q", title)
		}
		if h1 := all(root, "h1"); len(h1) != 1 || content(h1[0]) == "" {
			t.Errorf("%d h1", len(h1))
		}
		if len(all(root, "main")) != 1 || !strings.Contains(text, texts[lang]["about"]) {
			t.Error("no main, or it does not say that it is Sekisho's")
		}
		ids := map[string]bool{}
		for _, n := range all(root, "input", "p", "a") {
			if id := attr(n, "id"); id != "" {
				if ids[id] {
					t.Errorf("id %q twice", id)
				}
				ids[id] = true
			}
		}
		labels := map[string]bool{}
		for _, n := range all(root, "label") {
			labels[attr(n, "for")] = content(n) != ""
		}
		focused := 0
		for _, n := range all(root, "input", "button", "a", "iframe") {
			if has(n, "autofocus") {
				focused++
			}
			switch {
			case n.Data == "iframe":
				if attr(n, "title") == "" || !has(n, "hidden") {
					t.Error("an iframe without title, or shown")
				}
			case n.Data != "input":
				if content(n) == "" {
					t.Errorf("an empty %s", n.Data)
				}
			case attr(n, "type") != "hidden" && !labels[attr(n, "id")]:
				t.Errorf("no label for %q", attr(n, "name"))
			}
			for _, id := range strings.Fields(attr(n, "aria-describedby")) {
				if !ids[id] {
					t.Errorf("%q is described by %q, which is not there", attr(n, "name"), id)
				}
			}
		}
		if focused > 1 {
			t.Errorf("%d elements with autofocus", focused)
		}
		for _, form := range all(root, "form") {
			if attr(form, "method") != "post" || attr(form, "action") == "" {
				t.Error("a form that does not post, or nowhere")
			}
		}
	})
}

func TestProblemIsAnnouncedAndTiedToItsField(t *testing.T) {
	for _, c := range []struct {
		page    any
		invalid []string
		focus   string
	}{
		{SignIn{Problem: WrongPassword, Username: "a@contoso.com"}, []string{"login", "passwd"}, "passwd"},
		{SignIn{Problem: NotInTenant, Username: "a@contoso.com"}, []string{"login"}, "login"},
		{SignIn{Problem: Locked, Username: "a@contoso.com"}, nil, "passwd"},
		{SignIn{Problem: MissingUsername}, []string{"login"}, "login"},
		{DeviceCode{Problem: ExpiredCode}, []string{"otc"}, "otc"},
		{ChangePassword{Problem: WrongOld}, []string{"passwd"}, "passwd"},
		{ChangePassword{Problem: Mismatch}, []string{"newpasswd", "confirmnewpasswd"}, "passwd"},
	} {
		_, text, root := written(t, c.page)
		if !strings.Contains(text, `id="problem" role="alert"`) || !strings.HasPrefix(content(all(root, "title")[0]), "Error: ") {
			t.Errorf("%+v: not announced", c.page)
		}
		var invalid []string
		focus := ""
		for _, n := range all(root, "input") {
			described := slices.Contains(strings.Fields(attr(n, "aria-describedby")), "problem")
			if has(n, "aria-invalid") {
				invalid = append(invalid, attr(n, "name"))
				if !described {
					t.Errorf("%+v: %s is invalid, and not told why", c.page, attr(n, "name"))
				}
			}
			if has(n, "autofocus") {
				if focus = attr(n, "name"); !described {
					t.Errorf("%+v: %s has the focus, and is not told the problem", c.page, focus)
				}
			}
		}
		if !slices.Equal(invalid, c.invalid) || focus != c.focus {
			t.Errorf("%+v: invalid %v, focus %q; want %v, %q", c.page, invalid, focus, c.invalid, c.focus)
		}
	}
	_, text, root := written(t, ChangePassword{Problem: PasswordExpired})
	if strings.Contains(text, `role="alert"`) || strings.HasPrefix(content(all(root, "title")[0]), "Error") {
		t.Error("an expired password is the reason of the page, and not its error")
	}
}

func TestFieldsAndButtons(t *testing.T) {
	f := Frame{Action: "/x?a=1&b=2", Flow: "the flow"}
	accounts := []Account{{Value: "1", Username: "a@contoso.com"}}
	for _, c := range []struct {
		page  any
		named string
	}{
		{SignIn{Frame: f, Username: "u", Keep: true}, "flow=the flow login=u passwd= kmsi=true action=signin action=cancel"},
		{Picker{f, accounts}, "flow=the flow account=1 account="},
		{Consent{Frame: f, CanConsentForOrganization: true}, "flow=the flow org=true action=accept action=cancel"},
		{Consent{Frame: f, Admin: true}, "flow=the flow action=accept action=cancel"},
		{AdminNeeded{Frame: f}, "flow=the flow action=cancel"},
		{DeviceCode{Frame: f, Code: "C"}, "flow=the flow otc=C ="},
		{DeviceConfirm{Frame: f}, "flow=the flow action=continue action=cancel"},
		{ChangePassword{Frame: f, Username: "u"}, "flow=the flow =u passwd= newpasswd= confirmnewpasswd= action=change action=cancel"},
		{SignOut{f, accounts}, "flow=the flow account=1"},
		{FormPost{URL: "https://app.example/x?a=1&b=2", Fields: [][2]string{{"code", "c"}, {"state", `"s"`}}}, `code=c state="s" =`},
		{Message{Frame: f, Kind: SignedOut}, ""},
		{Error{Frame: f}, ""},
	} {
		_, _, root := written(t, c.page)
		var named []string
		for _, n := range all(root, "input", "button") {
			named = append(named, attr(n, "name")+"="+attr(n, "value"))
		}
		if got := strings.Join(named, " "); got != c.named {
			t.Errorf("%T: %s\nwant %s", c.page, got, c.named)
		}
		for _, form := range all(root, "form") {
			if !strings.HasSuffix(attr(form, "action"), "/x?a=1&b=2") {
				t.Errorf("%T: action = %q", c.page, attr(form, "action"))
			}
		}
	}
	_, text, _ := written(t, SignIn{Frame: f})
	for _, want := range []string{`autocomplete="username"`, `autocomplete="current-password"`, `value="cancel" formnovalidate`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s", want)
		}
	}
	if strings.Contains(text, "checked") {
		t.Error("kmsi is checked unasked")
	}
}

func BenchmarkWrite(b *testing.B) {
	page := SignIn{Frame: Frame{Lang: Japanese, Tenant: "Contoso", App: "Azure CLI", Action: "/common/login"}, Problem: WrongPassword}
	for b.Loop() {
		if err := Write(httptest.NewRecorder(), http.StatusOK, page); err != nil {
			b.Fatal(err)
		}
	}
}

func TestLanguage(t *testing.T) {
	for _, c := range []struct {
		accept, ui string
		want       Lang
	}{
		{"", "", English},
		{"ja", "", Japanese},
		{"ja-JP,ja;q=0.9,en;q=0.8", "", Japanese},
		{"en-US,en;q=0.9,ja;q=0.8", "", English},
		{"fr-FR, ja;q=0.5", "", Japanese},
		{"fr", "", English},
		{"en", "ja", Japanese},
		{"ja", "en-GB", English},
		{"ja", "xx fr", Japanese},
		{"en", "fr ja en", Japanese},
		{"; garbage ,,=", "!!", English},
	} {
		if got := Language(c.accept, c.ui); got != c.want {
			t.Errorf("Language(%q, %q) = %s, want %s", c.accept, c.ui, got, c.want)
		}
	}
}
