package export

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf16"

	"sekisho/rbac"
	"sekisho/rbac/builtin"
	"sekisho/rbac/condition"
)

const (
	sub     = "/subscriptions/5b000000-0000-0000-0000-000000000001"
	group1  = sub + "/resourceGroups/rg-ai"
	account = group1 + "/providers/Microsoft.CognitiveServices/accounts/aoai"
	chat    = "Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action"
	blobs   = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"
	ann     = "a0000000-0000-0000-0000-000000000001"
	bob     = "a0000000-0000-0000-0000-000000000002"
	carl    = "a0000000-0000-0000-0000-000000000003"
	studio  = "c0000000-0000-0000-0000-000000000001"
	owner   = "c0000000-0000-0000-0000-000000000002"
)

func contoso(t *testing.T) *Export {
	t.Helper()
	e, err := Read(os.DirFS("testdata/contoso"))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestAnExportDecides(t *testing.T) {
	manuals := func(source condition.Source, key string) (any, bool) {
		return "manuals", source == condition.Resource && key == "microsoft.storage/storageaccounts/blobservices/containers:name"
	}
	delete := "Microsoft.CognitiveServices/accounts/delete"
	for name, tt := range map[string]struct {
		q    rbac.Question
		want rbac.Decision
	}{
		"a role of az's flat shape":          {rbac.Question{Principal: ann, Action: chat, Data: true, Scope: account}, rbac.Allowed},
		"on the other plane":                 {rbac.Question{Principal: ann, Action: chat, Scope: account}, rbac.NotAllowed},
		"through a group, condition true":    {rbac.Question{Principal: bob, Action: blobs, Data: true, Scope: group1, Attribute: manuals}, rbac.Allowed},
		"through a group, condition unknown": {rbac.Question{Principal: bob, Action: blobs, Data: true, Scope: group1}, rbac.NotAllowed},
		"through a group in a group":         {rbac.Question{Principal: carl, Action: blobs, Data: true, Scope: group1, Attribute: manuals}, rbac.Allowed},
		"from a management group":            {rbac.Question{Principal: carl, Action: "Microsoft.Compute/virtualMachines/write", Scope: group1}, rbac.Allowed},
		"a custom role of ARM's shape":       {rbac.Question{Principal: studio, Action: "Microsoft.MachineLearningServices/workspaces/jobs/write", Scope: group1}, rbac.Allowed},
		"its notActions":                     {rbac.Question{Principal: studio, Action: "Microsoft.MachineLearningServices/workspaces/write", Scope: group1}, rbac.NotAllowed},
		"denied to an owner":                 {rbac.Question{Principal: owner, Action: delete, Scope: account}, rbac.Denied},
		"denied to who has nothing":          {rbac.Question{Principal: bob, Action: delete, Scope: account}, rbac.Denied},
		"excluded from the denial":           {rbac.Question{Principal: carl, Action: delete, Scope: account}, rbac.Allowed},
		"a denial that is an audit only":     {rbac.Question{Principal: owner, Action: "Microsoft.Compute/virtualMachines/write", Scope: group1}, rbac.Allowed},
	} {
		if got := rbac.NewSnapshot(contoso(t).World).Check(tt.q); got.Decision != tt.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestBuiltInRolesAreThereAndThoseOfTheFileWin(t *testing.T) {
	e := contoso(t)
	if got, want := len(e.World.Roles), len(builtin.Roles())+1; got != want {
		t.Errorf("%d roles, want %d", got, want)
	}
	for _, r := range e.World.Roles {
		switch r.RoleName {
		case "Reader":
			if r.Description != "View all resources, as of some other day." || r.Type != rbac.BuiltInRole {
				t.Errorf("%+v", r)
			}
		case "AI Studio Developer":
			if r.Type != rbac.CustomRole || r.Name != "e0000000-0000-0000-0000-000000000001" {
				t.Errorf("%+v", r)
			}
		}
	}
}

// What runs gives all of its roles; a custom one must not be lost on the way.
func TestAnExportOfAWorldKeepsItsRoles(t *testing.T) {
	custom := rbac.RoleDefinition{Name: "c0000000-0000-0000-0000-0000000000aa", RoleName: "Chatter", Type: rbac.CustomRole,
		AssignableScopes: []string{"/"}, Permissions: []rbac.Permission{{DataActions: []string{"A.B/*"}, NotDataActions: []string{"A.B/c/action"}}}}
	for name, roles := range map[string][]rbac.RoleDefinition{"with the built-in ones": append(builtin.Roles(), custom), "alone": {custom}} {
		e := New(rbac.World{Roles: roles, Assignments: []rbac.RoleAssignment{{ID: "/a", Scope: "/", Principal: "p", RoleDefinition: custom.Name}}})
		raw, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		read := new(Export)
		if err := json.Unmarshal(raw, read); err != nil {
			t.Fatal(err)
		}
		for place, world := range map[string]rbac.World{"made": e.World, "read": read.World} {
			if len(world.Roles) != len(builtin.Roles())+1 {
				t.Errorf("%s, %s: %d roles", name, place, len(world.Roles))
			}
			snapshot := rbac.NewSnapshot(world)
			for action, want := range map[string]rbac.Decision{"A.B/d/action": rbac.Allowed, "A.B/c/action": rbac.NotAllowed} {
				if got := snapshot.Check(rbac.Question{Principal: "p", Action: action, Data: true, Scope: "/x"}).Decision; got != want {
					t.Errorf("%s, %s: %s is %v", name, place, action, got)
				}
			}
		}
	}
}

func TestNamesAreKeptAndFound(t *testing.T) {
	e := contoso(t)
	for id, want := range map[string]string{
		ann: "ann@contoso.com", strings.ToUpper(bob): "bob@contoso.com", carl: carl, owner: "c1000000-0000-0000-0000-000000000002",
		"9a000000-0000-0000-0000-000000000002": "Operators", rbac.Everyone: "everyone", "x": "x",
	} {
		if got := e.NameOf(id); got != want {
			t.Errorf("%s is called %s, want %s", id, got, want)
		}
	}
	unknown := "ffffffff-0000-0000-0000-000000000000"
	for name, want := range map[string]string{
		"ANN@contoso.com": ann, "Bob": bob, carl: carl, "c1000000-0000-0000-0000-000000000002": owner, "operators": "9a000000-0000-0000-0000-000000000002", unknown: unknown,
	} {
		if got, err := e.Find(name); got != want || err != nil {
			t.Errorf("%s: %s %v", name, got, err)
		}
	}
	e.PutPrincipal(Principal{ID: "other", DisplayName: "bob"})
	if _, err := e.Find("Bob"); err == nil || !strings.Contains(err.Error(), "2 principals are called") || !strings.Contains(err.Error(), bob) {
		t.Error(err)
	}
	if _, err := e.Find("Zoe"); err == nil || !strings.Contains(err.Error(), `no principal is called "Zoe"`) {
		t.Error(err)
	}
	if e.Places["/providers/microsoft.management/managementgroups/platform"] != "Platform" {
		t.Errorf("%v", e.Places)
	}
}

func TestErrorsSayWhereAndWhat(t *testing.T) {
	good := `{"id":"/subscriptions/s/providers/Microsoft.Authorization/roleAssignments/a","principalId":"p","roleDefinitionId":"r"}`
	for _, tt := range []struct{ file, text, want string }{
		{assignmentsFile, ``, "role-assignments.json: the file is empty"},
		{assignmentsFile, `"x"`, `expected an array, or a reply {"value": [...]}`},
		{assignmentsFile, `{"value": 3}`, "expected an array"},
		{assignmentsFile, `{"error": {}}`, "expected an array"},
		{assignmentsFile, `[` + good, "the file ends in the middle of the list"},
		{assignmentsFile, `[` + good + `] []`, "more after the list"},
		{assignmentsFile, `{"value": [` + good + `], "nextLink": "https://x"}`, "goes on at its nextLink"},
		{assignmentsFile, `[` + good + `,{"id":"x","principalId":"p","roleDefinitionId":"r"}]`, "role-assignments.json: element 1: scope is missing"},
		{assignmentsFile, `[{"scope":"subscriptions/s","principalId":"p","roleDefinitionId":"r"}]`, `element 0: scope "subscriptions/s" does not start with a slash`},
		{assignmentsFile, `[{"scope":"/","roleDefinitionId":"r"}]`, "element 0: principalId is missing"},
		{assignmentsFile, `[{"scope":"/","principalId":"p"}]`, "element 0: roleDefinitionId is missing"},
		{assignmentsFile, `[{"scope":"/","principalId":"p","roleDefinitionName":"No such role"}]`, `no role is called "No such role"`},
		{assignmentsFile, `[{"scope":7}]`, "element 0: "},
		{assignmentsFile, `[null]`, "element 0: scope is missing"},
		{rolesFile, `[{"roleName":"x"}]`, "role-definitions.json: element 0: name, the GUID"},
		{rolesFile, `[{"name":"x"}]`, "element 0: roleName is missing"},
		{rolesFile, `[{"name":"x","roleName":"y","roleType":"z"}]`, `roleType "z" is neither`},
		{deniesFile, `[{"id":"x","properties":{"scope":"s"}}]`, `deny-assignments.json: element 0: scope "s" does not start`},
		{deniesFile, `[{"id":"x","properties":{"scope":"/","principals":[{"type":"User"}]}}]`, "principals: element 0 has no id"},
		{deniesFile, `[{"id":"x","properties":{"principals":["p"]}}]`, "element 0: scope is missing"},
		{placesFile, `[{"parent":{"id":null}}]`, "management-groups.json: element 0: id is missing"},
		{placesFile, `[{"id":"/resourceGroups/x"}]`, "neither a management group nor a subscription"},
		{placesFile, `[{"id":"/subscriptions/x","parent":{"id":"/subscriptions/y"}}]`, `parent.id "/subscriptions/y" is not a management group`},
		{groupsFile, `[{"displayName":"x"}]`, "groups.json: element 0: id is missing"},
		{groupsFile, `[{"id":"g","members":[{"id":"m"},{}]}]`, "element 0: members: element 1 has no id"},
		{principalsFile, `[{}]`, "principals.json: element 0: id is missing"},
	} {
		_, err := Read(fstest.MapFS{tt.file: {Data: []byte(tt.text)}})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s %s: %v, want %s", tt.file, tt.text, err, tt.want)
		}
	}
}

func TestOtherShapesThatAreSeen(t *testing.T) {
	text := `[{"scope":"/subscriptions/s","principalId":"p","roleDefinitionName":"reader"},
		{"scope":"/subscriptions/s","principalId":"q","roleDefinitionId":"acdd72a7-3385-48ef-bd42-f606fba81ae7"}]`
	var utf16le bytes.Buffer
	utf16le.WriteString("\xff\xfe")
	for _, unit := range utf16.Encode([]rune(text)) {
		utf16le.Write([]byte{byte(unit), byte(unit >> 8)})
	}
	for name, raw := range map[string][]byte{"plain": []byte(text), "a byte order mark": []byte("\xef\xbb\xbf" + text), "Windows PowerShell": utf16le.Bytes(),
		"ARM's reply": []byte(`{"nextLink":"","value":` + text + `}`)} {
		e, err := Read(fstest.MapFS{assignmentsFile: {Data: raw}})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, principal := range []string{"p", "q"} { // neither has an id, and both count
			if !rbac.NewSnapshot(e.World).Allows(rbac.Question{Principal: principal, Action: "Microsoft.X/y/read", Scope: "/subscriptions/s"}) {
				t.Errorf("%s: %s may not read", name, principal)
			}
		}
	}
	e, err := Read(fstest.MapFS{})
	if err != nil || len(e.World.Roles) != len(builtin.Roles()) {
		t.Errorf("no files: %v", err)
	}
}

type file struct{ bytes.Buffer }

func (*file) Close() error { return nil }

func written(t *testing.T, e *Export) fstest.MapFS {
	t.Helper()
	files := map[string]*file{}
	if err := e.Write(func(name string) (io.WriteCloser, error) { files[name] = &file{}; return files[name], nil }); err != nil {
		t.Fatal(err)
	}
	dir := fstest.MapFS{}
	for name, f := range files {
		dir[name] = &fstest.MapFile{Data: f.Bytes()}
	}
	return dir
}

func TestWhatIsWrittenIsReadAgain(t *testing.T) {
	e := contoso(t)
	again, err := Read(written(t, e))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(e, again) {
		t.Errorf("files:\ngot  %+v\nwant %+v", again, e)
	}
	raw, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	if len(raw) > 20_000 {
		t.Errorf("one object has %d bytes: built-in roles are in it", len(raw))
	}
	over := new(Export)
	if err := json.Unmarshal(raw, over); err != nil || !reflect.DeepEqual(e, over) {
		t.Errorf("one object: %v\ngot  %+v\nwant %+v", err, over, e)
	}
}

func FuzzRead(f *testing.F) {
	for _, name := range Files() {
		if raw, err := os.ReadFile("testdata/contoso/" + name); err == nil {
			f.Add(name, raw)
		}
		f.Add(name, []byte(`{"value":[{"id":"/subscriptions/x","properties":{"scope":"/","principals":["p"],"roleName":"r"}}],"nextLink":null}`))
		f.Add(name, []byte("\xff\xfe[\x00]\x00"))
	}
	f.Fuzz(func(t *testing.T, name string, raw []byte) {
		e, err := Read(fstest.MapFS{name: {Data: raw}})
		if err != nil {
			return
		}
		e.World.Roles = slices.DeleteFunc(e.World.Roles, func(r rbac.RoleDefinition) bool { // they cost time
			_, known := builtin.Find(r.Name)
			return known
		})
		rbac.NewSnapshot(e.World).Explain(rbac.Question{Principal: ann, Action: chat, Data: true, Scope: account})
		again, err := Read(written(t, e))
		if err != nil {
			t.Fatalf("what was written does not read: %v", err)
		}
		if !reflect.DeepEqual(e.World.Assignments, again.World.Assignments) || len(e.World.Denies) != len(again.World.Denies) {
			t.Errorf("read %+v\nafter writing %+v", e.World.Assignments, again.World.Assignments)
		}
	})
}
