package platform

import (
	"net/http"
	"testing"
	"time"
)

func TestStatusCountsWhatThereIsAndNamesTheRoleThatARefusedCallLacked(t *testing.T) {
	w := newWorld(t)
	token := w.token(w.owner(), forARM)
	before, err := w.p.Status(t.Context())
	check(t, err)
	if want := (Counts{Tenants: 1, Subscriptions: 1, ResourceGroups: 1, Accounts: 1, Deployments: 2, VirtualMachines: 1, ServicePrincipals: 1, RoleAssignments: 2}); before.Counts != want {
		t.Errorf("the sample: %+v, want %+v", before.Counts, want)
	}
	if len(before.Denials) != 0 || before.LastHour.Refused != 0 {
		t.Errorf("nothing was refused yet: %+v, %+v", before.LastHour, before.Denials)
	}
	w.must(token, http.MethodPut, w.sub+"/resourceGroups/rg-2", `{"location":"japaneast"}`)
	w.must(token, http.MethodPatch, w.group+"/providers/Microsoft.Compute/virtualMachines/vm-sample", `{"identity":{"type":"SystemAssigned"}}`)
	outsider := w.actor("outsider")
	w.assign(outsider.object, "Reader", w.group)
	const chat = "https://aoai-sample.openai.azure.com/openai/deployments/gpt-35-turbo/chat/completions?api-version=2024-02-01"
	for range 6 {
		w.send(http.MethodPost, chat, `{"messages":[{"role":"user","content":"hello"}]}`, "api-key", "wrong")
	}
	w.send(http.MethodPost, chat, `{"messages":[{"role":"user","content":"hello"}]}`, "Authorization", "Bearer "+w.token(outsider, forData))

	client, err := Connect(t.Context(), w.p.Data())
	check(t, err)
	s, err := client.Status(t.Context())
	check(t, err)
	c := s.Counts
	if c.ResourceGroups != 2 || c.ManagedIdentities != 1 || c.ServicePrincipals != 2 || c.RoleAssignments != 3 {
		t.Errorf("counts: %+v", c)
	}
	if s.LastHour.Refused != 7 || s.LastHour.Allowed < before.LastHour.Allowed+3 {
		t.Errorf("last hour: %+v; before %+v", s.LastHour, before.LastHour)
	}
	if len(s.Denials) != shownDenials {
		t.Fatalf("%d denials", len(s.Denials))
	}
	if d := s.Denials[0]; d.Reason != "NotPermitted" || d.Principal != outsider.object || d.SmallestRole != "Cognitive Services OpenAI User" {
		t.Errorf("the newest: %+v", d)
	}
	if d := s.Denials[1]; d.Reason != "InvalidKey" || d.SmallestRole != "" {
		t.Errorf("the one before: %+v", d)
	}
	if s.Version != Release || s.Profile != "default" || s.Data != w.p.Data() || s.Addresses != w.p.Addresses() || time.Since(s.Since) > time.Hour || s.Since.IsZero() {
		t.Errorf("what runs: %+v", s)
	}
}
