package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"sekisho/internal/platform"
	"sekisho/internal/store"
)

func sampleStatus(now time.Time) platform.Status {
	account := "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.CognitiveServices/accounts/aoai"
	denial := store.Entry{Time: now.Add(-time.Minute), PrincipalName: "関所の番人\x1b[31m", Operation: "ChatCompletions_Create", Reason: "NotPermitted", Scope: account,
		Action: "Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action",
		Cause:  "no role assignment of the principal, or of a group that it is in, applies at " + account}
	old := store.Entry{Time: now.Add(-48 * time.Hour), Credential: "anonymous", Operation: "ChatCompletions_Create", Reason: "InvalidKey", Scope: account, Cause: "no account has this key"}
	return platform.Status{Version: "1.2.3", Since: now.Add(-26 * time.Hour), Profile: "azure", Data: "/" + strings.Repeat("long/", 40),
		Addresses: platform.Addresses{Listen: "127.0.0.1:4443", Proxy: "127.0.0.1:4480", Identity: "127.0.0.1:4481"},
		Counts:    platform.Counts{Tenants: 1, ManagedIdentities: 2, Accounts: 12345},
		LastHour:  platform.LastHour{Allowed: 100000, Refused: 1},
		Denials:   []platform.Denial{{Entry: denial, SmallestRole: "Cognitive Services OpenAI User"}, {Entry: old}}}
}

func TestStatusSaysWhatIsNeededAtEveryWidth(t *testing.T) {
	now := time.Now()
	for _, width := range []int{72, 80, 120} {
		p := &page{width: width}
		drawStatus(p, sampleStatus(now), now)
		text := p.text.String()
		for _, want := range []string{"Sekisho 1.2.3", "for 1 d 2 h", "profile   azure", "http://127.0.0.1:4480", "1 tenant ", "2 managed identities", "12345 accounts", "100000 allowed", "1 refused",
			"NotPermitted", "completions/action", "accounts/aoai", "smallest role: Cognitive Services OpenAI User", "(anonymous)", "no account has this key", "╍"} {
			if !strings.Contains(text, want) {
				t.Errorf("%d wide: no %q in\n%s", width, want, text)
			}
		}
		for line := range strings.Lines(text) {
			if line = strings.TrimSuffix(line, "\n"); cells(line) > width-1 || strings.HasSuffix(line, " ") {
				t.Errorf("%d wide: %d cells: %q", width, cells(line), line)
			}
		}
		if strings.ContainsRune(text, '\x1b') {
			t.Errorf("%d wide: an escape sequence without colours", width)
		}
	}
}

func TestStatusColoursOnlyItsOwnWords(t *testing.T) {
	now := time.Now()
	p := &page{width: 80, color: true}
	drawStatus(p, sampleStatus(now), now)
	if text := p.text.String(); !strings.Contains(text, "\x1b[31mNotPermitted\x1b[0m") || !strings.Contains(text, "番人\uFFFD[31m") {
		t.Errorf("%q", text)
	}
}

func TestStatusIsPlainWhereThereIsNoTerminal(t *testing.T) {
	var out bytes.Buffer
	if err := printStatus(&out, sampleStatus(time.Now()), time.Now()); err != nil || strings.ContainsRune(out.String(), '\x1b') || out.Len() == 0 {
		t.Errorf("%v: %q", err, out.String())
	}
}

func TestFitCutsAtCells(t *testing.T) {
	for _, c := range []struct {
		text string
		room int
		want string
	}{{"abc", 3, "abc"}, {"abcd", 3, "ab…"}, {"関所", 4, "関所"}, {"関所", 3, "関…"}, {"関所", 2, "…"}, {"ab", 1, "…"}, {"ab", 0, ""}} {
		if got := fit(c.text, c.room); got != c.want || cells(got) > c.room {
			t.Errorf("%q in %d: got %q, want %q", c.text, c.room, got, c.want)
		}
	}
	if got := tail("CognitiveServices/accounts/OpenAI/x/action", 20); got != "…/OpenAI/x/action" {
		t.Error(got)
	}
}

func TestAParagraphBreaksWordsThatNoLineHoldsAfterASlash(t *testing.T) {
	for text, want := range map[string]string{
		"if a/bb/ccc/dddd holds": " if a/bb/\n ccc/dddd\n holds\n",
		"aaaa/bbbb/cccc/dddd":    " aaaa/bbbb/\n cccc/dddd\n",
		"aa aaaaaaaaaaaa/b":      " aa\n aaaaaaaaa…\n",
		"one two three":          " one two\n three\n",
		"":                       "",
	} {
		p := &page{width: 12}
		p.paragraph("", span("", text))
		if got := p.text.String(); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestAgeHasTwoUnits(t *testing.T) {
	for d, want := range map[time.Duration]string{-time.Second: "0 s", 59 * time.Second: "59 s", 61 * time.Second: "1 min 1 s", 3*time.Hour + 59*time.Minute: "3 h 59 min", 49 * time.Hour: "2 d 1 h"} {
		if got := age(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}

func TestAnAuditShowsEveryRightAndWhatDenied(t *testing.T) {
	var out strings.Builder
	err := printAudit(&out, []store.Entry{
		{PrincipalName: "ann", Action: "Microsoft.A/b/write", Scope: "/subscriptions/s/resourceGroups/one", Decision: store.Allowed, Role: "Our own role",
			Also: []store.Asked{{Action: "Microsoft.C/d/read", Scope: "/subscriptions/s/resourceGroups/two"}}},
		{PrincipalName: "bob", Decision: store.Refused, Reason: "NotPermitted", Cause: "the deny assignment No at /x takes this action away"},
	})
	lines := strings.Split(out.String(), "\n")
	if err != nil || len(lines) != 5 || !strings.Contains(lines[1], "Our own role") || !strings.Contains(lines[2], "+ C/d/read") || !strings.Contains(lines[2], "…/resourceGroups/two") ||
		!strings.Contains(lines[3], "NotPermitted: the deny assignment No at /x") {
		t.Errorf("%v\n%s", err, &out)
	}
}
