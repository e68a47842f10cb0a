package openai_test

import (
	"bytes"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"sekisho/internal/servicetest"
)

// listKeys gives the two keys of an account.
func listKeys(t *testing.T, w *servicetest.World, account string) (key1, key2 string) {
	t.Helper()
	r := w.Need(200, w.ARM("POST", account+"/listKeys", ""))
	if names := slices.Sorted(maps.Keys(r.JSON)); !slices.Equal(names, []string{"key1", "key2"}) {
		t.Fatalf("listKeys: %v", names)
	}
	return r.Get("key1").(string), r.Get("key2").(string)
}

// chat makes a chat call with a key and gives the reply.
func chat(w *servicetest.World, host, key string) servicetest.Reply {
	return w.Do(servicetest.Request{Method: "POST", Key: key, Body: `{"messages":[{"role":"user","content":"hello"}]}`,
		URL: "https://" + host + "/openai/deployments/chat/chat/completions?api-version=2024-10-21"})
}

func TestRegeneratingOneKeyLeavesTheOther(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	account := w.MakeAccount(w.MakeGroup("rg"), "keys")
	w.Deploy(account, "chat", "gpt-4o")
	const host = "keys.openai.azure.com"
	key1, key2 := listKeys(t, w, account)
	if len(key1) != 84 || len(key2) != 84 || key1 == key2 {
		t.Errorf("keys of %d and %d characters", len(key1), len(key2))
	}
	r := w.Need(200, w.ARM("POST", account+"/regenerateKey", `{"keyName":"Key2"}`))
	if r.Get("key1") != key1 || r.Get("key2") == key2 {
		t.Error("regenerating key2 did not leave key1 and replace key2")
	}
	again1, again2 := listKeys(t, w, account)
	if again1 != key1 || again2 != r.Get("key2") {
		t.Error("listKeys does not show what regenerateKey gave")
	}
	w.Need(200, chat(w, host, key1))
	w.Need(200, chat(w, host, again2))
	wantError(t, chat(w, host, key2), 401, "401") // from the next call on
	for _, body := range []string{`{"keyName":"key3"}`, `{"keyName":""}`, `{}`} {
		wantError(t, w.ARM("POST", account+"/regenerateKey", body), 400, "InvalidKeyName")
	}
	// A PUT of the account leaves its keys.
	w.Need(200, w.ARM("PUT", account, `{"properties":{}}`))
	if put1, _ := listKeys(t, w, account); put1 != key1 {
		t.Error("a PUT of the account changed its keys")
	}
}

// Source of the text: microsoft-foundry-for-vscode#192 (identity.md §0).
func TestDisabledKeysAreNotListedAndComeBackTheSame(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	account := w.MakeAccount(w.MakeGroup("rg"), "off")
	w.Deploy(account, "chat", "gpt-4o")
	key1, key2 := listKeys(t, w, account)
	w.Need(200, w.ARM("PATCH", account, `{"properties":{"disableLocalAuth":"true"}}`))
	r := w.ARM("POST", account+"/listKeys", "")
	wantError(t, r, 400, "BadRequest")
	if r.Message() != "Failed to list key. disableLocalAuth is set to be true" {
		t.Errorf("message %q", r.Message())
	}
	wantError(t, w.ARM("POST", account+"/regenerateKey", `{"keyName":"Key1"}`), 400, "BadRequest")
	wantError(t, chat(w, "off.openai.azure.com", key1), 403, "AuthenticationTypeDisabled")
	w.Need(200, w.ARM("PATCH", account, `{"properties":{"disableLocalAuth":false}}`))
	if a, b := listKeys(t, w, account); a != key1 || b != key2 {
		t.Error("the keys are not those from before")
	}
	w.Need(200, chat(w, "off.openai.azure.com", key1))
}

func TestKeysNeedTheirOwnPermission(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	account := w.MakeAccount(w.MakeGroup("rg"), "acc")
	for role, status := range map[string]int{servicetest.Reader: 403, servicetest.OpenAIUser: 403, servicetest.OpenAIContributor: 403, servicetest.Contributor: 200} {
		p := w.Principal(role)
		w.Grant(p.ID, role, account)
		if r := w.ARMAs(p, "POST", account+"/listKeys", ""); r.Status != status {
			t.Errorf("listKeys with role %s: %d, want %d", role, r.Status, status)
		}
	}
}

// The whole data directory, write-ahead log and all, holds no key.
func TestKeysAreSealedAtRest(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	account := w.MakeAccount(w.MakeGroup("rg"), "sealed")
	w.Deploy(account, "chat", "gpt-4o")
	key1, key2 := listKeys(t, w, account)
	w.Need(200, chat(w, "sealed.openai.azure.com", key1))
	found := false
	err := filepath.WalkDir(w.Dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, key := range []string{key1, key2} {
			if bytes.Contains(raw, []byte(key[:24])) {
				t.Errorf("%s holds a key in clear", e.Name())
			}
		}
		found = found || bytes.Contains(raw, []byte(account))
		return nil
	})
	if err != nil || !found {
		t.Errorf("the scan did not see the account itself (%v): it proves nothing", err)
	}
}

// A key that is made while others are read is whole for each of them.
func TestConcurrentRegenerationLeavesOneGoodPair(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	account := w.MakeAccount(w.MakeGroup("rg"), "race")
	w.Deploy(account, "chat", "gpt-4o")
	done := make(chan servicetest.Reply)
	for range 6 {
		go func() { done <- w.ARM("POST", account+"/regenerateKey", `{"keyName":"Key1"}`) }()
	}
	given := map[any]bool{}
	for range 6 {
		r := <-done
		if r.Status != 200 {
			t.Errorf("regenerateKey: %d %s", r.Status, r.Body)
		}
		given[r.Get("key1")] = true
	}
	key1, _ := listKeys(t, w, account)
	if len(given) != 6 || !given[key1] {
		t.Errorf("%d different keys were given; the last is among them: %v", len(given), given[key1])
	}
	for key := range given {
		if r := chat(w, "race.openai.azure.com", key.(string)); (r.Status == 200) != (key == key1) {
			t.Errorf("of the keys given, one that is not the last answers %d", r.Status)
		}
	}
}
