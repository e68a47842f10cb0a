package edge

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
)

func TestClassify(t *testing.T) {
	for _, tt := range []struct {
		host string
		want place
	}{
		{"login.microsoftonline.com", place{verdict: served, service: "login"}},
		{"login.windows.net", place{verdict: served, service: "login"}},
		{"login.microsoft.com", place{verdict: served, service: "login"}},
		{"sts.windows.net", place{verdict: served, service: "login"}},
		{"management.azure.com", place{verdict: served, service: "arm"}},
		{"graph.microsoft.com", place{verdict: served, service: "graph"}},
		{"contoso.openai.azure.com", place{verdict: served, service: "openai", account: true}},
		{"contoso.cognitiveservices.azure.com", place{verdict: served, service: "openai", account: true}},
		{"contoso.services.ai.azure.com", place{verdict: served, service: "openai", account: true}},
		{"japaneast.api.cognitive.microsoft.com", place{verdict: served, service: "openai", region: "japaneast"}},

		{"japaneast.api.azureml.ms", place{verdict: served, service: "machinelearning", region: "japaneast"}},
		{"0a1b.workspace.japaneast.api.azureml.ms", place{verdict: served, service: "machinelearning", account: true}},

		{"api.azureml.ms", place{verdict: refused, zone: "azureml.ms"}},
		{"workspace.japaneast.api.azureml.ms", place{verdict: refused, zone: "japaneast.api.azureml.ms"}},
		{"0a1b.inference.japaneast.api.azureml.ms", place{verdict: refused, zone: "inference.japaneast.api.azureml.ms"}},
		{"a.0a1b.workspace.japaneast.api.azureml.ms", place{verdict: refused, zone: "0a1b.workspace.japaneast.api.azureml.ms"}},
		{"endpoint.japaneast.inference.ml.azure.com", place{verdict: refused, zone: "japaneast.inference.ml.azure.com"}},
		{"kv.vault.azure.net", place{verdict: refused, zone: "vault.azure.net"}},
		{"store.file.core.windows.net", place{verdict: refused, zone: "file.core.windows.net"}},
		{"azure.com", place{verdict: refused, zone: "azure.com"}},
		{"openai.azure.com", place{verdict: refused, zone: "azure.com"}},
		{"a.b.openai.azure.com", place{verdict: refused, zone: "b.openai.azure.com"}},
		{"evilopenai.azure.com", place{verdict: refused, zone: "azure.com"}},
		{"api.cognitive.microsoft.com", place{verdict: refused, zone: "cognitive.microsoft.com"}},
		{"login.microsoftonline.us", place{verdict: refused, zone: "microsoftonline.us"}},
		{"contoso.openai.azure.us", place{verdict: refused, zone: "openai.azure.us"}},
		{"management.chinacloudapi.cn", place{verdict: refused, zone: "chinacloudapi.cn"}},
		{"management.usgovcloudapi.net", place{verdict: refused, zone: "usgovcloudapi.net"}},
		{"device.login.microsoftonline.com", place{verdict: refused, zone: "login.microsoftonline.com"}},
		{"eastus.management.azure.com", place{verdict: refused, zone: "management.azure.com"}},
		{"login.live.com", place{verdict: refused, zone: "login.live.com"}},
		{"registry.azurecr.io", place{verdict: refused, zone: "azurecr.io"}},
		{"site.azurewebsites.net", place{verdict: refused, zone: "azurewebsites.net"}},
		{"gateway.azure-api.net", place{verdict: refused, zone: "azure-api.net"}},
		{"canary.graph.microsoft.com", place{verdict: refused, zone: "graph.microsoft.com"}},
		{"dod-graph.microsoft.us", place{verdict: refused, zone: "microsoft.us"}},
		{"169.254.169.254", place{verdict: refused, zone: "169.254.169.254"}},
		{"168.63.129.16", place{verdict: refused, zone: "168.63.129.16"}},

		{"learn.microsoft.com", place{}},
		{"azure.microsoft.com", place{}},
		{"microsoft.com", place{}},
		{"mcr.microsoft.com", place{}},
		{"aka.ms", place{}},
		{"pypi.org", place{}},
		{"github.com", place{}},
		{"localhost", place{}},
		{"openai.azure.com.evil.com", place{}},
		{"notazure.com", place{}},
		{"evilgraph.microsoft.com", place{}},
		{"20.1.2.3", place{}},
		{"fd00::1", place{}},
	} {
		t.Run(tt.host, func(t *testing.T) {
			if got := classify(tt.host); got != tt.want {
				t.Errorf("classify(%q) = %+v, want %+v", tt.host, got, tt.want)
			}
		})
	}
}

func TestEveryServedHostLiesInAZoneOfAzure(t *testing.T) {
	for _, pattern := range patterns() {
		host := strings.NewReplacer("{account}", "contoso", "{region}", "japaneast").Replace(pattern)
		if classify(host).verdict != served {
			t.Errorf("%s is named as served and is not", host)
		}
		if !slices.ContainsFunc(azureZones, func(zone string) bool { return within(host, zone) }) {
			t.Errorf("the CA could not sign for %s", host)
		}
	}
}

// FuzzClassify compares with a second classifier, which looks at labels.
func FuzzClassify(f *testing.F) {
	for _, seed := range []string{
		"contoso.openai.azure.com", "evilopenai.azure.com", "openai.azure.com.evil.com", "OPENAI.azure.com.",
		"x.y.openai.azure.com", "kv.vault.azure.net:443", "japaneast.api.cognitive.microsoft.com", "learn.microsoft.com",
		"169.254.169.254", "[::ffff:169.254.169.254]:80", "w.workspace.japaneast.api.azureml.ms", "workspace.japaneast.api.azureml.ms", "azure.com..", ".azure.com", "xn--zure-0ra.com", "notazure.com",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, authority string) {
		host, _, err := parseHost(authority)
		if err != nil {
			return
		}
		if again, _, err := parseHost(host); err != nil || again != host {
			t.Fatalf("parseHost is not stable: %q, then %q, %v", host, again, err)
		}
		got := classify(host)
		if want := classifyByLabels(host); got.verdict != want {
			t.Errorf("classify(%q) = %+v, want verdict %d", host, got, want)
		}
		if (got.service != "") != (got.verdict == served) || (got.zone != "") != (got.verdict == refused) {
			t.Errorf("classify(%q) = %+v: service goes with served, zone with refused", host, got)
		}
	})
}

func classifyByLabels(host string) verdict {
	labels := strings.Split(host, ".")
	endsIn := func(zone string) (int, bool) {
		z := strings.Split(zone, ".")
		if len(labels) < len(z) || !slices.Equal(labels[len(labels)-len(z):], z) {
			return 0, false
		}
		return len(labels) - len(z), true
	}
	if _, err := netip.ParseAddr(host); err == nil {
		if host == "169.254.169.254" || host == "168.63.129.16" {
			return refused
		}
		return other
	}
	for name := range cloudHosts {
		if above, ok := endsIn(name); ok && above == 0 {
			return served
		}
	}
	for _, zone := range []string{"openai.azure.com", "cognitiveservices.azure.com", "services.ai.azure.com", "api.cognitive.microsoft.com", "api.azureml.ms"} {
		if above, ok := endsIn(zone); ok && above == 1 {
			return served
		}
	}
	if above, ok := endsIn("api.azureml.ms"); ok && above == 3 && labels[1] == "workspace" {
		return served
	}
	for _, zone := range azureZones {
		if _, ok := endsIn(zone); ok {
			return refused
		}
	}
	return other
}

func TestEntriesOfNoProxyThatWouldLeadAzurePastTheProxyAreKnown(t *testing.T) {
	for entry, want := range map[string]bool{
		"*": true, "*.": true, ".": true,
		"azure.com": true, ".azure.com": true, "*.openai.azure.com": true, "aoai-sample.openai.azure.com": true,
		"management.azure.com:443": true, "kv1.vault.azure.net": true, "com": true, ".MICROSOFT.com": true, "graph.microsoft.com": true,
		"localhost": false, "127.0.0.1": false, "::1": false, "10.0.0.0/8": false, "::ffff:0:0/96": false,
		"internal.example": false, ".corp.example": false, "notazure.com": false, "azure.com.example": false, "learn.microsoft.com": false,
	} {
		if got := Bypasses(entry); got != want {
			t.Errorf("Bypasses(%q) = %t", entry, got)
		}
	}
}
