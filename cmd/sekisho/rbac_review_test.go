package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReviewsOfAnExport(t *testing.T) {
	const rg = "/subscriptions/5b000000-0000-0000-0000-000000000001/resourceGroups/rg-ai"
	const removeAccount = "Microsoft.CognitiveServices/accounts/delete"
	dir := t.TempDir()
	for _, name := range []string{"role-assignments.json", "groups.json", "management-groups.json", "role-definitions.json"} {
		raw, err := os.ReadFile(filepath.Join(tenantDir, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := sekisho(t, "rbac", "least", "--export", dir); err == nil || !strings.Contains(err.Error(), "sekisho audit --since 30d --json") {
		t.Errorf("without an audit log: %s %v", out, err)
	}
	call := `{"time":"2026-11-25T00:00:00Z","principal":"A0000000-0000-0000-0000-000000000001","action":"Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action","data":true,"scope":"` +
		rg + `/providers/Microsoft.CognitiveServices/accounts/aoai","decision":"Allowed","assignment":"x"}`
	two := strings.Replace(strings.TrimSuffix(call, "}"), "-25T", "-27T", 1) + `,"also":[{"action":"Microsoft.CognitiveServices/accounts/read","scope":"` + rg + `","assignment":"y"}]}`
	if err := os.WriteFile(filepath.Join(dir, "audit.jsonl"), []byte(call+"\n\n"+call+"\n"+two+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		args []string
		want []string // in this order
		fail string
	}{
		{"who can, by groups, and who is denied", []string{"who-can", removeAccount, rg, "--export", tenantDir},
			[]string{"2 can", "1 denied", "Contributor", "by Operators", "DENIED", "Nobody deletes accounts"}, ""},
		{"who can, in JSON", []string{"who-can", removeAccount, rg, "--export", tenantDir, "--json"},
			[]string{`"can": [`, `"groups": [`, `"denied": [`, `"names": {`}, ""},
		{"who can, under a condition", []string{"who-can", "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read", rg, "--export", tenantDir},
			[]string{"0 can  4 if a condition holds", "◐ bob@contoso.com", "if ((!(ActionMatches"}, ""},
		{"a word is no action", []string{"check", "bob@contoso.com", "listKeys", rg, "--export", tenantDir}, nil, `"listKeys" is not an action`},
		{"no scope to check", []string{"check", "bob@contoso.com", removeAccount, "rg-ai", "--export", tenantDir}, nil, "write it in full, such as /subscriptions/"},
		{"too few arguments", []string{"explain", "bob@contoso.com", removeAccount}, nil, "explain takes PRINCIPAL ACTION SCOPE, not 2 arguments; see: sekisho rbac explain --help"},
		{"no such verb", []string{"explian"}, nil, `no verb "explian" (is it explain?)`},
		{"no such directory", []string{"lint", "--export", tenantDir + "/none"}, nil, "--export: stat "},
		{"diff, a role that is not there", []string{"diff", "--export", tenantDir, "--add", `{"principalId":"bob@contoso.com","roleDefinitionName":"Raeder","scope":"` + rg + `"}`}, nil, `--add: no role is called "Raeder"`},
		{"explain at a management group", []string{"explain", "bob@contoso.com", readBlob, "/providers/Microsoft.Management/managementGroups/platform", "--export", tenantDir},
			[]string{"Storage Blob Data Reader", "custom", "none: one with data actions cannot be assigned at a management group"}, ""},
		{"a pattern is no action", []string{"who-can", "*/read", rg, "--export", tenantDir}, nil, "is not an action"},
		{"no scope", []string{"who-can", removeAccount, "rg-ai", "--export", tenantDir}, nil, `scope "rg-ai"`},
		{"what can", []string{"what-can", "bob@contoso.com", rg, "--export", tenantDir},
			[]string{"bob@contoso.com", "Storage Blob Data Reader", "MAY DO", "IF A CONDITION HOLDS", "blobs/read"}, ""},
		{"what can, every operation", []string{"what-can", "bob@contoso.com", rg, "--export", tenantDir, "--operations"},
			[]string{"Microsoft.Storage", "◐ Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"}, ""},
		{"what a stranger can", []string{"what-can", "a0000000-0000-0000-0000-00000000000f", rg, "--export", tenantDir}, []string{"no role assignment applies here"}, ""},
		{"diff, added by names", []string{"diff", "--export", tenantDir, "--add", `{"principalId":"bob@contoso.com","roleDefinitionName":"Reader","scope":"` + rg + `"}`},
			[]string{"bob@contoso.com", "at ", "+ ", "*/read"}, ""},
		{"diff, removed by the GUID", []string{"diff", "--export", tenantDir, "--remove", "10000000-0000-0000-0000-000000000001"},
			[]string{"ann@contoso.com", "- ", "Microsoft.CognitiveServices/accounts/OpenAI"}, ""},
		{"diff of what is there again", []string{"diff", "--export", tenantDir, "--add", tenantDir + "/role-assignments.json"}, []string{"nothing flips"}, ""},
		{"diff of nothing", []string{"diff", "--export", tenantDir}, nil, "at least one of the flags"},
		{"diff without such an assignment", []string{"diff", "--export", tenantDir, "--remove", "gone"}, nil, "there is no role assignment gone"},
		{"diff with no JSON", []string{"diff", "--export", tenantDir, "--add", "nowhere"}, nil, "neither JSON nor a file"},
		{"least", []string{"least", "--export", dir, "--since", "2026-11-01T00:00:00Z"},
			[]string{"ann@contoso.com", "2 distinct calls", "used 1 of 116", "is enough", "└─ Cognitive Services OpenAI User", "or custom", "1 action and 1 data action", "UNUSED", "Contributor of Operators"}, ""},
		{"least of a call that took two rights", []string{"least", "--export", dir, "--since", "2026-11-26T00:00:00Z"},
			[]string{"ann@contoso.com", "2 distinct calls", "1 action and 1 data action"}, ""},
		{"least, long since", []string{"least", "--export", dir, "--since", "2026-11-28T00:00:00Z"}, []string{"nothing was used"}, ""},
		{"least of another", []string{"least", "--export", dir, "--principal", "bob@contoso.com", "--since", "2026-11-01T00:00:00Z"}, []string{"nothing was used", "UNUSED"}, ""},
		{"lint", []string{"lint", "--export", tenantDir, "--exit-code"}, []string{"nothing found"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out, err := sekisho(t, append([]string{"rbac"}, tt.args...)...)
			if tt.fail != "" {
				if err == nil || !strings.Contains(err.Error(), tt.fail) {
					t.Errorf("error %v, want %q\n%s", err, tt.fail, out)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			rest := out
			for _, want := range tt.want {
				_, after, ok := strings.Cut(rest, want)
				if !ok {
					t.Fatalf("%q is not there, or too early:\n%s", want, out)
				}
				rest = after
			}
		})
	}
}

func TestLintEndsWithAStatusOfItsOwn(t *testing.T) {
	dir := t.TempDir()
	raw := `[{"id":"/x","principalId":"a0000000-0000-0000-0000-000000000001","roleDefinitionId":"e0000000-0000-0000-0000-0000000000ff","scope":"/"}]`
	if err := os.WriteFile(filepath.Join(dir, "role-assignments.json"), []byte(raw), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := sekisho(t, "rbac", "lint", "--export", dir)
	if err != nil || !strings.Contains(out, "unknown-role") || !strings.Contains(out, "1 error, 0 warnings, 0 notes") {
		t.Errorf("%v\n%s", err, out)
	}
	if _, err := sekisho(t, "rbac", "lint", "--export", dir, "--exit-code"); err != exitFindings {
		t.Errorf("exit status: %v", err)
	}
}
