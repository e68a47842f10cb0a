package conformance

import (
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// go test -artifacts keeps a picture of each page.
func TestThePagesSpeakJapaneseAndFitAPhone(t *testing.T) {
	t.Parallel()
	s := start(t)
	browser := s.browser()
	w := browser.private()
	w.speaks("ja-JP,ja;q=0.9,en;q=0.8")
	hanako, _ := s.user(w, "hanako")
	taro, _ := s.user(w, "taro")
	app, _ := s.registration(onDevices("窓口"))
	begin := "https://login.microsoftonline.com/" + s.TenantID + "/oauth2/v2.0/authorize?response_type=code&client_id=" + app +
		"&redirect_uri=" + url.QueryEscape("http://localhost:9") + "&scope=" + url.QueryEscape("openid profile https://management.azure.com/user_impersonation")
	number := 0
	fits := func(kind string, words ...string) {
		t.Helper()
		w.is(kind)
		w.says(words...)
		if got := w.eval("document.documentElement.lang"); got != "ja" {
			t.Errorf("the %s page is in %q", kind, got)
		}
		if wide := w.eval("String(document.documentElement.scrollWidth - innerWidth)"); wide != "0" {
			t.Errorf("the %s page is %s px wider than the phone", kind, wide)
		}
		number++
		if err := w.picture(w.context, filepath.Join(t.ArtifactDir(), fmt.Sprintf("%02d %s.png", number, kind))); err != nil {
			t.Error(err)
		}
	}

	w.open(begin)
	fits(pageSignIn, "サインイン", "パスワード")
	w.signIn(hanako.name, "wrong", false)
	fits(pageSignIn, "正しくありません")
	w.signIn(hanako.name, hanako.password, false)
	fits(pageConsent, "窓口", hanako.name)
	w.open(begin + "&prompt=login")
	w.signIn(taro.name, taro.password, false)
	w.open(begin + "&prompt=select_account")
	fits(pagePicker, hanako.name, taro.name)
	w.open(devicePage)
	fits(pageCode, "コード")
	w.enter("ABCDEFGH2")
	fits(pageCode, "コード")
	w.open("https://login.microsoftonline.com/common/oauth2/v2.0/logout")
	fits(pagePicker, "サインアウト")
	w.pick(taro.name)
	fits(pageEnd, "サインアウトしました")
	w.open(strings.Replace(begin, "localhost", "elsewhere", 1))
	fits(pageEnd, "AADSTS50011")
	w.do(chromedp.EmulateViewport(1280, 800))
	w.open(begin)
	fits(pageConsent)
}
