package platform

import (
	"context"
	"net/http"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"sekisho/internal/entra"
)

// Sekisho goes on with the data directories of every version that there was.
// Its clock is that of the backup, since its client secret ends, too.
func TestSekishoGoesOnWithTheDataOfEveryVersion(t *testing.T) {
	fixtures, err := filepath.Glob("../store/testdata/v*.tar.gz")
	check(t, err)
	if len(fixtures) == 0 {
		t.Fatal("there are no fixtures")
	}
	for _, fixture := range fixtures {
		t.Run(filepath.Base(fixture), func(t *testing.T) {
			data := filepath.Join(t.TempDir(), "data")
			m, _, err := Restore(context.Background(), fixture, data, false)
			check(t, err)
			w := worldOn(t, data, func(o *Options) { o.Now = func() time.Time { return m.Time } })
			token := w.token(w.owner(), forARM)
			key := w.must(token, http.MethodPost, w.account+"/listKeys", "").at("key1")
			const chat = "https://aoai-sample.openai.azure.com/openai/deployments/gpt-35-turbo/chat/completions?api-version=2024-02-01"
			if r := w.send(http.MethodPost, chat, `{"messages":[{"role":"user","content":"hello"}]}`, "api-key", key); r.status != http.StatusOK {
				t.Errorf("chat with the key: %d %v", r.status, r.body)
			}
			s, err := w.p.Status(context.Background())
			check(t, err)
			if c := s.Counts; c.Accounts != 2 || c.ManagedIdentities != 2 || c.RoleAssignments != 4 {
				t.Errorf("counts: %+v", c)
			}
			caller, err := w.p.directory.Verify(context.Background(), token, []string{"https://management.azure.com", "https://management.core.windows.net"})
			if check(t, err); !slices.Contains(caller.DirectoryRoles, entra.GlobalAdministrator) {
				t.Errorf("the automation's directory roles: %v", caller.DirectoryRoles)
			}
			w.must(token, http.MethodPut, w.sub+"/resourceGroups/rg-after", `{"location":"japaneast"}`)
		})
	}
}
