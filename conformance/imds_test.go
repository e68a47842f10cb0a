package conformance

import (
	"strings"
	"testing"
)

func TestOnAMachineWithTheMetadataAddressPythonAndGoGetTheirTokensThroughIMDS(t *testing.T) {
	t.Parallel()
	ns := newNamespace(t, "ip address add 169.254.169.254/32 dev lo")
	s := startIn(t, ns)
	// Without the variables of App Service clients turn to 169.254.169.254.
	machine := func(more []string, args ...string) result {
		return s.run(more, append([]string{"--vm", "vm-sample", "--", "env", "-u", "IDENTITY_ENDPOINT", "-u", "IDENTITY_HEADER", "-u", "MSI_ENDPOINT", "-u", "MSI_SECRET"}, args...)...)
	}
	variable, path := self(t, "go-identity")
	inPython := func() result { return machine(nil, python(t, "openai"), program(t, "openai/machine.py")) }
	inGo := func() result { return machine([]string{variable}, path) }

	inPython().fails("ManagedIdentityCredential", "Identity not found")
	inGo().fails("ManagedIdentityCredential", "Identity not found")

	s.login()
	principal := s.az("vm", "identity", "assign", "-g", "rg-sample", "-n", "vm-sample", "--query", "systemAssignedIdentity", "-o", "tsv").line()
	s.az("role", "assignment", "create", "--assignee-object-id", principal, "--assignee-principal-type", "ServicePrincipal",
		"--role", "Cognitive Services OpenAI User", "--scope", s.scope(sampleAccount)).ok()

	for name, client := range map[string]func() result{"Python": inPython, "Go": inGo} {
		if text := client().line(); !strings.Contains(text, "3776") {
			t.Errorf("%s was answered %q", name, text)
		}
	}
	// DefaultAzureCredential finds IMDS by a probe: the article's program again.
	answered(t, machine([]string{"OPENAI_API_BASE=https://aoai-sample.openai.azure.com"}, python(t, "openai-0.28"), program(t, "seed000/aoai.py")))
	for line := range strings.Lines(s.cli("audit", "--json", "--principal", principal).ok()) {
		if strings.Contains(line, `"service":"imds"`) && !strings.Contains(line, `"path":"/metadata/identity/oauth2/token"`) {
			t.Errorf("a token came another way: %s", line)
		}
	}
}
