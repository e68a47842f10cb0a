package conformance

import (
	"strings"
	"testing"
)

// scientist is a person who may read the workspace and nothing else. Nobody else
// is signed in then.
func (s *studio) scientist() *somebody {
	s.t.Helper()
	const name, password = "scientist@contoso.com", "Fuji-3776-meters"
	id := s.az("ad", "user", "create", "--display-name", "Scientist", "--user-principal-name", name, "--password", password, "--query", "id", "-o", "tsv").line()
	s.az("role", "assignment", "create", "--assignee-object-id", id, "--assignee-principal-type", "User", "--role", "Reader", "--scope", s.scope(mlExample)).ok()
	s.az("logout").ok()
	return &somebody{s.browser().private(), name, password}
}

// headless is a machine where no browser can be opened.
var headless = []string{"DISPLAY=", "WAYLAND_DISPLAY="}

func TestSomebodySignsInToAzuremlCoreWithACode(t *testing.T) {
	t.Parallel()
	s := newStudio(t, nil, "Reader", ofWorkspace)
	who := s.scientist()
	r := s.byCode(who, headless, s.program(importWorkspace, "constructor.py", printDetails)...)
	s.found(r)
	r.says("Interactive authentication successfully completed.")

	// It is remembered; and what the person may not, the program may not.
	again := s.runs(headless, "interactive.py", importWorkspace, "constructor.py", describe)
	again.fails("The client 'scientist@contoso.com'", "does not have authorization to perform action '"+mlProvider+"/workspaces/write'")
	if strings.Contains(again.out+again.stderr, "Performing interactive authentication") {
		t.Errorf("it asked again: %s%s", again.out, again.stderr)
	}
}

func TestSomebodySignsInToAzuremlCoreInABrowser(t *testing.T) {
	t.Parallel()
	s := newStudio(t, nil, "Reader", ofWorkspace)
	who := s.scientist()
	opens := func(page string) {
		if !strings.HasPrefix(page, "https://login.microsoftonline.com/"+s.TenantID+"/oauth2/v2.0/authorize?") || !strings.Contains(page, "code_challenge_method=S256") {
			t.Errorf("the browser was sent to %s", page)
		}
		who.opens(page)
		who.says("You have logged into Microsoft Azure")
	}
	s.found(s.attended(opens, nil, s.program("interactive.py", importWorkspace, "constructor.py", printDetails)...))
}

func TestTheSessionOfSomebodyInTheAzureCLIGetsTheWorkspace(t *testing.T) {
	t.Parallel()
	s := newStudio(t, nil, "Reader", ofWorkspace)
	s.azAs(s.scientist(), "login").ok()
	s.found(s.runs(headless, importWorkspace, "cli.py", printDetails))
	s.runs(headless, importWorkspace, "cli.py", describe).fails("The client 'scientist@contoso.com'", "does not have authorization to perform action '"+mlProvider+"/workspaces/write'")
	r := s.runs(headless, importWorkspace, "constructor.py", printDetails)
	s.found(r)
	r.says("Falling back to use azure cli login credentials")
}
