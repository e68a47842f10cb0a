package conformance

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// scientist is a person who may read the workspace and nothing else. Nobody else
// is signed in then.
func (s *studio) scientist() *person {
	s.t.Helper()
	const name, password = "scientist@contoso.com", "Fuji-3776-meters"
	id := s.az("ad", "user", "create", "--display-name", "Scientist", "--user-principal-name", name, "--password", password, "--query", "id", "-o", "tsv").line()
	s.az("role", "assignment", "create", "--assignee-object-id", id, "--assignee-principal-type", "User", "--role", "Reader", "--scope", s.scope(mlExample)).ok()
	s.az("logout").ok()
	return s.person(name, password)
}

var shownCode = regexp.MustCompile(`open the page (\S+) and enter the code (\S+) to authenticate`)

// entersCode signs a person in with the code that a program shows.
func (p *person) entersCode(program *process) {
	p.t.Helper()
	var page string
	p.knows["otc"] = program.until(p.t, func() (string, bool) {
		shown := shownCode.FindStringSubmatch(program.log.String())
		if shown == nil {
			return "", false
		}
		page = shown[1]
		return shown[2], true
	})
	p.visit(page)
}

// headless is a machine where no browser can be opened.
var headless = []string{"DISPLAY=", "WAYLAND_DISPLAY="}

func TestSomebodySignsInToAzuremlCoreWithACode(t *testing.T) {
	t.Parallel()
	s := newStudio(t, nil, "Reader", ofWorkspace)
	who := s.scientist()
	program := s.begin(headless, s.program(importWorkspace, "constructor.py", printDetails)...)
	who.entersCode(program)
	r := program.finish(t)
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
	// azureml-core looks for a browser by name, and opens the one of BROWSER.
	bin := t.TempDir()
	opened := filepath.Join(bin, "opened")
	for name, text := range map[string]string{"firefox": "exit 1", "browser": `printf %s "$1" >"$0.part" && mv "$0.part" ` + opened} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+text+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	program := s.begin([]string{"DISPLAY=:99", "PATH=" + bin + ":" + os.Getenv("PATH"), "BROWSER=" + filepath.Join(bin, "browser") + " %s"},
		s.program("interactive.py", importWorkspace, "constructor.py", printDetails)...)
	page := program.until(t, func() (string, bool) {
		raw, err := os.ReadFile(opened)
		return string(raw), err == nil
	})
	if !strings.HasPrefix(page, "https://login.microsoftonline.com/"+s.TenantID+"/oauth2/v2.0/authorize?") || !strings.Contains(page, "code_challenge_method=S256") {
		t.Errorf("the browser was sent to %s", page)
	}
	if text := who.visit(page); !strings.Contains(text, "You have logged into Microsoft Azure") {
		t.Errorf("the browser shows %q", text)
	}
	s.found(program.finish(t))
}

func TestTheSessionOfSomebodyInTheAzureCLIGetsTheWorkspace(t *testing.T) {
	t.Parallel()
	s := newStudio(t, nil, "Reader", ofWorkspace)
	who := s.scientist()
	login := s.begin(append(headless, "AZ_INSTALLER=PIP", "AZURE_CORE_LOGIN_EXPERIENCE_V2=off"), python(t, "azure-cli"), "-m", "azure.cli", "login", "--use-device-code")
	who.entersCode(login)
	login.finish(t).ok()
	s.found(s.runs(headless, importWorkspace, "cli.py", printDetails))
	s.runs(headless, importWorkspace, "cli.py", describe).fails("The client 'scientist@contoso.com'", "does not have authorization to perform action '"+mlProvider+"/workspaces/write'")
	r := s.runs(headless, importWorkspace, "constructor.py", printDetails)
	s.found(r)
	r.says("Falling back to use azure cli login credentials")
}
