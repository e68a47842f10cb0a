package entra

import (
	"testing"
	"time"

	"sekisho/internal/store"
)

func TestSecretsThatEndSoonAreToldUnlessTheyWereRotated(t *testing.T) {
	w := newWorld(t)
	day := 24 * time.Hour
	secret := func(name string, life time.Duration) PasswordCredential {
		_, c := w.d.NewSecret(name, w.now.Add(-day), w.now.Add(life))
		return c
	}
	put := func(secrets ...PasswordCredential) {
		w.update(func(tx *store.Tx) error {
			return PutApplication(tx, contoso, Application{ID: "aaaaaaaa-0000-0000-0000-000000000003", AppID: appID, DisplayName: "app", PasswordCredentials: secrets})
		})
	}
	for _, c := range []struct {
		name    string
		secrets []PasswordCredential
		want    string
	}{
		{"none", nil, ""},
		{"far", []PasswordCredential{secret("far", 90*day)}, ""},
		{"soon", []PasswordCredential{secret("soon", 10*day)}, "soon"},
		{"over", []PasswordCredential{secret("over", -time.Hour)}, "over"},
		{"rotated", []PasswordCredential{secret("old", 10*day), secret("new", 300*day)}, ""},
		{"both soon", []PasswordCredential{secret("first", 10*day), secret("second", 20*day)}, "second"},
	} {
		put(c.secrets...)
		all, err := w.d.Expiring(t.Context(), w.now.Add(30*day))
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, e := range all {
			got += e.Name
		}
		if got != c.want {
			t.Errorf("%s: told of %q, want %q", c.name, got, c.want)
		}
	}
}
