package conformance

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// browser is a Chromium without a screen that goes through Sekisho's proxy and
// trusts its authority, as the one that `sekisho browse` starts.
type browser struct {
	t       *testing.T
	context context.Context
	close   func() // as a person closes it: what is to be kept is written
}

// browser starts one. It trusts the certificates of pins, too.
func (s *sekisho) browser(pins ...string) *browser { return s.browserAt(s.t.TempDir(), pins...) }

// browserAt starts one with the profile of a directory.
func (s *sekisho) browserAt(profile string, pins ...string) *browser {
	s.t.Helper()
	raw, err := os.ReadFile(filepath.Join(s.data, "ca.pem"))
	if err != nil {
		s.t.Fatal(err)
	}
	block, _ := pem.Decode(raw)
	authority, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		s.t.Fatal(err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(tool(s.t, "chromium")), chromedp.UserDataDir(profile),
		chromedp.Flag("proxy-server", s.printed["proxy"]), chromedp.Flag("ignore-certificate-errors-spki-list", strings.Join(append(pins, pinOf(authority)), ",")))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, leave := chromedp.NewContext(allocator)
	b := &browser{t: s.t, context: ctx}
	b.close = func() {
		if err := chromedp.Cancel(ctx); err != nil {
			s.t.Errorf("close the browser: %v", err)
		}
	}
	s.t.Cleanup(func() { leave(); stop(); chromedp.FromContext(ctx).Allocator.Wait() })
	if err := chromedp.Do(ctx); err != nil {
		s.t.Fatalf("start the browser: %v", err)
	}
	return b
}

// pinOf is a certificate's public key as Chromium lists it.
func pinOf(c *x509.Certificate) string {
	sum := sha256.Sum256(c.RawSubjectPublicKeyInfo)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// window is a tab. What fails in it fails the test.
type window struct {
	t       *testing.T
	context context.Context
}

// in is the same one in a test below its own.
func (b *browser) in(t *testing.T) *browser { return &browser{t, b.context, b.close} }

// private opens a window with cookies of its own.
func (b *browser) private() *window { return b.open(chromedp.WithNewBrowserContext()) }

// window opens one with the cookies of the browser's profile.
func (b *browser) window() *window { return b.open() }

func (b *browser) open(options ...chromedp.ContextOption) *window {
	b.t.Helper()
	ctx, leave := chromedp.NewContext(b.context, options...)
	w := &window{b.t, ctx}
	b.t.Cleanup(leave)
	b.t.Cleanup(w.keep)
	w.do(chromedp.EmulateViewport(390, 844))
	return w
}

// keep shows what the window shows at the end of a test that failed, and with
// -artifacts keeps a picture of it.
func (w *window) keep() {
	if !w.t.Failed() {
		return
	}
	ctx, cancel := context.WithTimeout(w.context, 10*time.Second)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`location.href + "\n" + (document.body ? document.body.innerText : "")`))
	w.t.Logf("the window shows (%v): %s", err, text)
	if err := w.picture(ctx, filepath.Join(w.t.ArtifactDir(), fmt.Sprintf("window-%p.png", w))); err != nil {
		w.t.Log(err)
	}
}

// picture writes what the window shows to a file.
func (w *window) picture(ctx context.Context, path string) error {
	raw, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		return err
	}
	return os.WriteFile(path, raw, 0o600)
}

func (w *window) do(steps ...chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.context, patience)
	defer cancel()
	// The first action makes the tab, which lives as long as its context.
	if err := chromedp.Do(w.context); err != nil {
		w.t.Fatal(err)
	}
	if err := chromedp.Do(ctx, steps...); err != nil {
		w.t.Fatal(err)
	}
}

// speaks sets the language that the browser asks for.
func (w *window) speaks(language string) {
	w.t.Helper()
	w.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": json.RawMessage(strconv.Quote(language))}})
		return err
	}))
}

// The kinds of page that a window can show.
const (
	pageSignIn   = "sign-in"
	pagePassword = "change of password"
	pagePicker   = "picker"
	pageConsent  = "consent"
	pageRefused  = "admin consent needed"
	pageCode     = "device code"
	pageConfirm  = "device confirmation"
	pageEnd      = "end" // of the way: an application's, or one without a form
)

// look is what the page is. It is nothing while the window is on its way, which
// includes the page that posts itself to an application.
const look = `(() => {
	const has = selector => document.querySelector(selector) !== null;
	if (document.readyState !== "complete" || window.left) return "";
	if (has("#newpasswd")) return "` + pagePassword + `";
	if (has("#passwd")) return "` + pageSignIn + `";
	if (has("button.account")) return "` + pagePicker + `";
	if (has("button[value=accept]")) return "` + pageConsent + `";
	if (has("#otc")) return "` + pageCode + `";
	if (has("button[value=continue]")) return "` + pageConfirm + `";
	if (has("button[value=cancel]")) return "` + pageRefused + `";
	if (location.hostname.startsWith("login.") && has("form")) return "";
	return "` + pageEnd + `";
})()`

// kind waits until the window shows a page.
func (w *window) kind() string {
	w.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		// It fails while a page is exchanged for another.
		if kind, err := chromedp.Run(w.context, chromedp.Evaluate[string](look)); err == nil && kind != "" {
			return kind
		}
	}
	w.t.Fatal("the browser shows no page")
	return ""
}

// is demands a kind of page.
func (w *window) is(kind string) {
	w.t.Helper()
	if got := w.kind(); got != kind {
		w.t.Fatalf("the page is %s, want %s", got, kind)
	}
}

// says demands words on the page.
func (w *window) says(words ...string) {
	w.t.Helper()
	w.kind()
	text := w.text()
	for _, word := range words {
		if !strings.Contains(text, word) {
			w.t.Fatalf("the page does not say %q:\n%s", word, text)
		}
	}
}

func (w *window) text() string { return w.eval("document.body.innerText") }

func (w *window) eval(expression string) string {
	w.t.Helper()
	text, err := chromedp.Run(w.context, chromedp.Evaluate[string](expression))
	if err != nil {
		w.t.Fatalf("%s: %v", expression, err)
	}
	return text
}

// open goes to a page. That nobody listens there is the page's matter.
func (w *window) open(url string) {
	w.t.Helper()
	w.do(chromedp.Evaluate[chromedp.Void]("window.left = true; location.href = " + strconv.Quote(url)))
	w.kind()
}

// click presses a button, and waits for the page after it.
func (w *window) click(selector string) {
	w.t.Helper()
	w.do(chromedp.Evaluate[chromedp.Void]("window.left = true"), chromedp.Click(chromedp.CSS(selector)))
	w.kind()
}

// fill types into a field in place of what it holds.
func (w *window) fill(selector, text string) {
	w.t.Helper()
	w.do(chromedp.Evaluate[chromedp.Void]("document.querySelector("+strconv.Quote(selector)+").value = ''"), chromedp.SendKeys(chromedp.CSS(selector), text))
}

func (w *window) signIn(name, password string, keep bool) {
	w.t.Helper()
	w.is(pageSignIn)
	w.fill("#login", name)
	w.fill("#passwd", password)
	if keep {
		w.do(chromedp.Click(chromedp.CSS("#kmsi")))
	}
	w.click("button[value=signin]")
}

// pick chooses an account by its name; the empty one is another account.
func (w *window) pick(name string) {
	w.t.Helper()
	w.is(pagePicker)
	w.do(chromedp.Evaluate[chromedp.Void](`[...document.querySelectorAll("button.account")].find(b => ` + strconv.Quote(name) + ` ? b.innerText.includes(` + strconv.Quote(name) + `) : !b.value).id = "picked"`))
	w.click("#picked")
}

func (w *window) consent() {
	w.t.Helper()
	w.is(pageConsent)
	w.click("button[value=accept]")
}

func (w *window) enter(code string) {
	w.t.Helper()
	w.is(pageCode)
	w.fill("#otc", code)
	w.click("button.first")
}

// somebody has an account, and goes through the pages with it.
type somebody struct {
	*window
	name, password string
}

// opens goes to a page, and does what the pages after it ask.
func (p *somebody) opens(url string) {
	p.t.Helper()
	p.open(url)
	p.through()
}

// devicePage is where a device's code is typed.
const devicePage = "https://login.microsoft.com/device"

// enters types a code at a page, and goes through those after it.
func (p *somebody) enters(page, code string) {
	p.t.Helper()
	p.open(page)
	p.enter(code)
	p.through()
}

// change chooses another password.
func (p *somebody) change(password string) {
	p.t.Helper()
	p.is(pagePassword)
	p.fill("#passwd", p.password)
	p.fill("#newpasswd", password)
	p.fill("#confirmnewpasswd", password)
	p.click("button[value=change]")
	p.password = password
}

func (p *somebody) through() {
	p.t.Helper()
	for range 9 {
		switch p.kind() {
		case pageSignIn:
			p.signIn(p.name, p.password, false)
		case pagePassword:
			p.change(p.password + "-new")
		case pagePicker:
			name := p.name
			if !strings.Contains(p.text(), name) {
				name = ""
			}
			p.pick(name)
		case pageConsent:
			p.consent()
		case pageConfirm:
			p.click("button[value=continue]")
		default:
			return
		}
	}
	p.t.Fatal("the pages have no end")
}
