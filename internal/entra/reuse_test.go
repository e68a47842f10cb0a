package entra

import (
	"testing"
	"time"

	"sekisho/internal/store"
)

func TestTokensAreGivenAgainOnlyWhileTheySayTheSame(t *testing.T) {
	w := newWorld(t)
	if a, b := w.issue(armURI), w.issue(armURI); a.AccessToken == b.AccessToken {
		t.Fatal("by default each token is signed afresh")
	}
	if err := w.d.ReuseTokens(5 * time.Minute); err != nil {
		t.Fatal(err)
	}
	first := w.issue(armURI)
	w.advance(4 * time.Minute)
	again := w.issue(armURI)
	if again.AccessToken != first.AccessToken || !again.Expires.Equal(first.Expires) || again.ExpiresIn != first.ExpiresIn-4*time.Minute {
		t.Errorf("after 4 minutes: the same %v, expires %v of %v, in %v", again.AccessToken == first.AccessToken, again.Expires, first.Expires, again.ExpiresIn)
	}
	for name, other := range map[string]*Token{"another resource": w.issue(graphURI), "another spelling": w.issue(armURI + "/")} {
		if other.AccessToken == first.AccessToken {
			t.Errorf("%s got the same token", name)
		}
	}
	w.advance(time.Minute)
	if late := w.issue(armURI); late.AccessToken == first.AccessToken {
		t.Error("after 5 minutes the token was given again")
	}
	second := w.issue(armURI)
	w.update(func(tx *store.Tx) error {
		const group = "dddddddd-0000-0000-0000-00000000000a"
		if err := PutGroup(tx, contoso, Group{ID: group, DisplayName: "g"}); err != nil {
			return err
		}
		return AddMember(tx, contoso, group, appObj)
	})
	third := w.issue(armURI)
	if third.AccessToken == second.AccessToken {
		t.Error("a token was given again that lacks a group")
	}
	if err := w.d.RotateKeys(t.Context()); err != nil {
		t.Fatal(err)
	}
	if w.issue(armURI).AccessToken == third.AccessToken {
		t.Error("a token was given again that the old key signed")
	}
}
