package authorization_test

import (
	"encoding/json"
	"testing"

	"sekisho/internal/servicetest"
)

const catalogue = "/providers/Microsoft.Authorization/providerOperations"

type providerReply struct {
	ID, Name, Type string
	ResourceTypes  []struct {
		Name       string
		Operations []operationReply
	}
	Operations []operationReply
}

type operationReply struct {
	Name, Origin string
	IsDataAction bool
}

func (p providerReply) of(resource string) map[string]bool {
	planes := map[string]bool{}
	for _, t := range p.ResourceTypes {
		if t.Name == resource {
			for _, op := range t.Operations {
				planes[op.Name] = op.IsDataAction
			}
		}
	}
	return planes
}

func read(t *testing.T, r servicetest.Reply, p *providerReply) {
	t.Helper()
	*p = providerReply{}
	if err := json.Unmarshal([]byte(r.Body), p); err != nil {
		t.Fatal(err)
	}
}

func TestTheOperationsOfAProvider(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	var p providerReply
	read(t, w.Need(200, w.ARM("GET", catalogue+"/microsoft.search?$expand=resourceTypes", "")), &p)
	if p.ID != catalogue+"/Microsoft.Search" || p.Name != "Microsoft.Search" || p.Type != "Microsoft.Authorization/providerOperations" {
		t.Errorf("the provider is %s, %s, %s", p.ID, p.Name, p.Type)
	}
	const search = "Microsoft.Search/searchServices/"
	if data, ok := p.of("searchServices/indexes/documents")[search+"indexes/documents/read"]; !ok || !data {
		t.Error("reading documents is no data action of their type")
	}
	if data, ok := p.of("searchServices")[search+"listAdminKeys/action"]; !ok || data {
		t.Error("listing the keys is no action of the service's type")
	}
	registers := false
	for _, op := range p.Operations {
		registers = registers || op.Name == "Microsoft.Search/register/action" && op.Origin == "user,system"
	}
	if !registers {
		t.Errorf("register is not among the provider's own operations: %+v", p.Operations)
	}

	read(t, w.Need(200, w.ARM("GET", catalogue+"/Microsoft.Search", "")), &p)
	if len(p.ResourceTypes) != 0 {
		t.Error("without $expand the types are there")
	}
	if r := w.ARM("GET", catalogue+"/Microsoft.None", ""); r.Status != 404 || r.Code() != "InvalidResourceNamespace" {
		t.Errorf("an unknown provider: %d %s", r.Status, r.Code())
	}
}

// Source: provider-operations-metadata, Permissions; tutorial-custom-role-cli.md.
func TestWhoMayListTheOperations(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group := w.MakeGroup("rg")
	for _, c := range []struct {
		name, role, scope string
		sees              bool
	}{
		{"reader of the subscription", servicetest.Reader, w.Subscription, true},
		{"reader of a group", servicetest.Reader, group, false},
		{"OpenAI user of the subscription", "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd", w.Subscription, false},
		{"nobody", "", "", false},
	} {
		p := w.Principal(c.name)
		if c.role != "" {
			w.Grant(p.ID, c.role, c.scope)
		}
		for _, path := range []string{catalogue, catalogue + "/Microsoft.Search"} {
			r := w.ARMAs(p, "GET", path, "")
			if c.sees && r.Status != 200 || !c.sees && (r.Status != 403 || r.Code() != "AuthorizationFailed") {
				t.Errorf("%s at %s: %d %s", c.name, path, r.Status, r.Code())
			}
		}
	}
}
