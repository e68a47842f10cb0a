package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	tenantDir = "../../rbac/export/testdata/contoso"
	keyless   = "../../rbac/export/testdata/templates/keyless.json"
	tenantSub = "/subscriptions/5b000000-0000-0000-0000-000000000001"
	tenantRG  = tenantSub + "/resourceGroups/rg-ai"
	chatCall  = "Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action"
	readBlob  = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"
	deletion  = "Microsoft.CognitiveServices/accounts/delete"
	theOwner  = "c1000000-0000-0000-0000-000000000002"
)

// statusOf is the exit status that main gives a command line.
func statusOf(err error) int {
	var exit exitStatus
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return int(exit)
	}
	return 1
}

// What people see is kept in files; run with SEKISHO_GOLDEN=1 to write them, and
// read them before they are committed.
func TestRBACDrawsForPeople(t *testing.T) {
	assertions := filepath.Join(t.TempDir(), "access.txt")
	write(t, assertions, "can Bob "+readBlob+" "+tenantRG+"\ncannot ann@contoso.com "+chatCall+" "+tenantRG+"/providers/Microsoft.CognitiveServices/accounts/aoai\ncan Operators Microsoft.Search/searchServices/write "+tenantSub+"\n")
	for name, args := range map[string][]string{
		"check-allowed":   {"check", "Bob", readBlob, tenantRG, "--attribute", "Resource:Microsoft.Storage/storageAccounts/blobServices/containers:name=manuals"},
		"check-denied":    {"check", theOwner, deletion, tenantRG},
		"check-refused":   {"check", "Bob", "Microsoft.Search/searchServices/reed", tenantSub},
		"explain-refused": {"explain", "Bob", readBlob, tenantRG},
		"explain-denied":  {"explain", theOwner, deletion, tenantRG, "--misses", "1"},
		"explain-member":  {"explain", "ann@contoso.com", "Microsoft.Compute/virtualMachines/write", tenantSub},
		"assert-failed":   {"assert", assertions},
	} {
		out, _ := sekisho(t, append(append([]string{"rbac"}, args...), "--export", tenantDir)...)
		out = strings.ReplaceAll(out, assertions, "access.txt")
		golden := filepath.Join("testdata", "rbac", name+".txt")
		if os.Getenv("SEKISHO_GOLDEN") != "" {
			if err := os.MkdirAll(filepath.Dir(golden), 0o755); err != nil {
				t.Fatal(err)
			}
			write(t, golden, out)
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if out != string(want) {
			t.Errorf("%s:\n%s\nwant\n%s", name, out, want)
		}
		for line := range strings.Lines(out) {
			if line = strings.TrimSuffix(line, "\n"); cells(line) > 99 && !strings.Contains(line, `"Description"`) {
				t.Errorf("%s: %d cells: %s", name, cells(line), line)
			}
		}
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestRBACExitStatuses(t *testing.T) {
	dir := t.TempDir()
	good, bad, odd, lines := filepath.Join(dir, "good"), filepath.Join(dir, "bad"), filepath.Join(dir, "odd"), filepath.Join(dir, "lines")
	write(t, good, "can ann@contoso.com "+chatCall+" "+tenantRG+"/providers/Microsoft.CognitiveServices/accounts/aoai\n")
	write(t, bad, "can ann@contoso.com "+chatCall+" "+tenantSub+"\n")
	write(t, odd, "may ann@contoso.com "+chatCall+" "+tenantSub+"\n")
	write(t, lines, `{"principal":"p","action":"a","scope":"/"}`+"\nx\n")
	template := []string{"--template", keyless, "--subscription", "5b000000-0000-0000-0000-000000000001"}
	for _, tt := range []struct {
		want int
		args []string
	}{
		{0, []string{"check", "Bob", readBlob, tenantRG}},
		{2, []string{"check", "Bob", readBlob, tenantRG, "--exit-code"}},
		{3, []string{"check", theOwner, deletion, tenantRG, "--exit-code"}},
		{0, []string{"check", "ann@contoso.com", chatCall, tenantRG + "/providers/Microsoft.CognitiveServices/accounts/aoai", "--exit-code"}},
		{2, []string{"check", "ann@contoso.com", chatCall, tenantRG + "/providers/Microsoft.CognitiveServices/accounts/aoai", "--exit-code", "--data-action=false"}},
		{2, []string{"explain", "Bob", readBlob, tenantRG, "--exit-code", "--json"}},
		{1, []string{"check", "Zoe", readBlob, tenantRG, "--exit-code"}},
		{1, []string{"check", "--batch", lines}},
		{1, []string{"check", "--batch", filepath.Join(dir, "none")}},
		{1, []string{"check", "--batch", lines, "p", "a", "/"}},
		{0, []string{"assert", good}},
		{2, []string{"assert", bad}},
		{2, []string{"assert", bad, "--json"}},
		{1, []string{"assert", odd}},
		{1, append([]string{"assert", bad}, template...)}, // its parameter appId is missing
		{0, append([]string{"assert", good, "--parameter", "appId=x"}, template...)},
		{1, []string{"assert", good, "--subscription", "x"}},
	} {
		out, err := sekisho(t, append(append([]string{"rbac"}, tt.args...), "--export", tenantDir)...)
		if got := statusOf(err); got != tt.want {
			t.Errorf("%v: %d (%v), want %d\n%s", tt.args, got, err, tt.want, out)
		}
	}
	if _, err := sekisho(t, "rbac", "check", "a", "b", "/", "--export", filepath.Join(dir, "none")); statusOf(err) != 1 {
		t.Error("a directory that is not there:", err)
	}
}

func TestRBACJSON(t *testing.T) {
	var answer struct {
		Decision, Assignment, Role, AssignedToName, Deny string
		Misses                                           []struct{ Kind, Role string }
		Suggestion                                       struct {
			BuiltInRole string
			CustomRole  struct{ DataActions []string }
		}
	}
	read := func(args ...string) {
		t.Helper()
		out, err := sekisho(t, append(args, "--export", tenantDir, "--json")...)
		if err != nil {
			t.Fatal(err)
		}
		answer.Assignment, answer.Misses = "", nil
		if err := json.Unmarshal([]byte(out), &answer); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	read("rbac", "check", "Operators", "Microsoft.Search/searchServices/read", tenantSub)
	if answer.Decision != "Allowed" || answer.Role != "Contributor" || !strings.HasSuffix(answer.Assignment, "10000000-0000-0000-0000-000000000003") {
		t.Errorf("%+v", answer)
	}
	read("rbac", "explain", "Bob", readBlob, tenantRG)
	if answer.Decision != "NotAllowed" || answer.Assignment != "" || answer.Misses[0].Kind != "condition" || answer.Suggestion.BuiltInRole != "Storage Blob Data Reader" ||
		answer.Suggestion.CustomRole.DataActions[0] != readBlob {
		t.Errorf("%+v", answer)
	}
}

func TestRBACBatchReadsStandardInput(t *testing.T) {
	cmd := root()
	var out bytes.Buffer
	cmd.SetIn(strings.NewReader(`{"principal":"a0000000-0000-0000-0000-000000000001","action":"` + chatCall + `","dataAction":true,"scope":"` + tenantRG + `/providers/Microsoft.CognitiveServices/accounts/aoai"}
{"principal":"c0000000-0000-0000-0000-000000000002","action":"` + deletion + `","dataAction":false,"scope":"` + tenantRG + `"}
`))
	cmd.SetOut(&out)
	cmd.SetArgs([]string{"rbac", "check", "--export", tenantDir, "--batch", "-"})
	if err := cmd.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	if len(lines) != 3 || !strings.HasPrefix(lines[0], `{"decision":"Allowed",`) || !strings.HasPrefix(lines[1], `{"decision":"Denied",`) {
		t.Error(out.String())
	}
}
