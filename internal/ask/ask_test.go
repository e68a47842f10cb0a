package ask

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"sekisho/rbac"
	"sekisho/rbac/condition"
	"sekisho/rbac/export"
)

func TestParseAttribute(t *testing.T) {
	for text, want := range map[string]Attribute{
		"Resource:x/y:name=manuals":                     {condition.Resource, "x/y:name", "manuals"},
		"@request:X=":                                   {condition.Request, "x", ""},
		"Environment:isPrivateLink=true":                {condition.Environment, "isprivatelink", true},
		"Request:n=-12":                                 {condition.Request, "n", json.Number("-12")},
		"Request:n=007":                                 {condition.Request, "n", "007"},
		`Request:n="12"`:                                {condition.Request, "n", "12"},
		`Principal:p=["a",1,false]`:                     {condition.Principal, "p", []any{"a", json.Number("1"), false}},
		"Resource:b/tags:A=B<$key_case_sensitive$>=c=d": {condition.Resource, "b/tags:A=B<$key_case_sensitive$>", "c=d"},
	} {
		if got, err := ParseAttribute(text); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v %v", text, got, err)
		}
	}
	for text, want := range map[string]string{
		"name=x": "is not written", "Resource:name": "is not written", "Resource:=x": "is not written", "Resourse:n=x": "not a source",
		`Resource:n=["a"`: "neither a text", `Resource:n="a" b`: "neither a text", `Resource:n=[[1]]`: "a list may hold", `Resource:n=[null]`: "a list may hold",
	} {
		if _, err := ParseAttribute(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

func TestThePlaneIsThatOfTheCatalogueUnlessSaid(t *testing.T) {
	yes, no := true, false
	for _, tt := range []struct {
		action string
		data   *bool
		want   bool
	}{
		{chat, nil, true}, {strings.ToUpper(chat), nil, true}, {chat, &no, false}, {remove, nil, false}, {remove, &yes, true}, {"Microsoft.Unheard/of/read", nil, false},
	} {
		q, err := contoso(t).Question(Query{Principal: "bob", Action: tt.action, Scope: sub, Data: tt.data})
		if err != nil || q.Data != tt.want || q.Principal != bob {
			t.Errorf("%s: %+v %v", tt.action, q, err)
		}
	}
	for want, in := range map[string]Query{
		"no principal is called": {Principal: "zoe", Action: chat, Scope: sub},
		"group: no principal":    {Principal: "bob", Action: chat, Scope: sub, Groups: []string{"zoe"}},
		"is not an action":       {Principal: "bob", Action: "*/read", Scope: sub},
		"start with a slash":     {Principal: "bob", Action: chat, Scope: "rg"},
		"not a source":           {Principal: "bob", Action: chat, Scope: sub, Attributes: []string{"x:y=z"}},
	} {
		if _, err := contoso(t).Question(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %s", in, err, want)
		}
	}
}

func TestGroupsOfAQuestionCount(t *testing.T) {
	w := contoso(t)
	q, err := w.Question(Query{Principal: ann, Action: "Microsoft.Compute/virtualMachines/write", Scope: sub, Groups: []string{"Operators"}})
	if err != nil {
		t.Fatal(err)
	}
	a := w.Check(q)
	if a.Decision != "Allowed" || a.AssignedToName != "Operators" || a.AssignedToType != "Group" || a.PrincipalName != "ann@contoso.com" {
		t.Errorf("%+v", a)
	}
}

func TestExplainTellsWhatWasLacked(t *testing.T) {
	w := contoso(t)
	a := w.Explain(rbac.Question{Principal: bob, Action: blobs, Data: true, Scope: group}, 5)
	if a.Decision != "NotAllowed" || len(a.Misses) != 1 || a.Misses[0].Kind != rbac.ConditionFalse || a.Misses[0].AssignedToName != "Readers of manuals" ||
		len(a.Misses[0].Steps) != 2 || !strings.Contains(a.Misses[0].Steps[1], "is absent") {
		t.Errorf("%+v", a)
	}
	if s := a.Suggestion; s == nil || s.BuiltIn != "Storage Blob Data Reader" || s.Custom.DataActions[0] != blobs || s.Custom.AssignableScopes[0] != group {
		t.Errorf("%+v", a.Suggestion)
	}
	denied := w.Explain(rbac.Question{Principal: owner, Action: remove, Scope: account}, 0)
	if denied.Decision != "Denied" || denied.Suggestion != nil || denied.DenyName != "Nobody deletes accounts" || denied.Misses[0].Kind != rbac.OnlyDenied ||
		denied.Misses[0].Role != "Owner" || denied.Misses[1].Kind != rbac.NotMember {
		t.Errorf("%+v", denied)
	}
	if one := w.Explain(rbac.Question{Principal: owner, Action: remove, Scope: account}, 1); len(one.Misses) != 1 || one.MoreMisses != 1 {
		t.Errorf("%+v", one)
	}
}

// What is suggested, put into the world, flips the decision.
func TestTheSuggestionAllows(t *testing.T) {
	for _, q := range []rbac.Question{
		{Principal: bob, Action: blobs, Data: true, Scope: account},
		{Principal: bob, Action: "Microsoft.Search/searchServices/write", Scope: sub},
		{Principal: bob, Action: "Microsoft.Management/managementGroups/read", Scope: "/providers/Microsoft.Management/managementGroups/platform"},
	} {
		s := contoso(t).Explain(q, 0).Suggestion
		custom := rbac.RoleDefinition{Name: "custom", RoleName: s.Custom.Name, Permissions: []rbac.Permission{{Actions: s.Custom.Actions, DataActions: s.Custom.DataActions}}}
		for _, name := range []string{s.BuiltIn, s.Usual, custom.RoleName} {
			if name == "" {
				continue
			}
			e := contoso(t).Export
			e.World.Roles = append(e.World.Roles, custom)
			for _, r := range e.World.Roles {
				if r.RoleName == name {
					e.World.Assignments = append(e.World.Assignments, rbac.RoleAssignment{ID: "new", Scope: q.Scope, Principal: bob, RoleDefinition: r.Name})
				}
			}
			if !New(e).Snapshot.Allows(q) {
				t.Errorf("%s does not allow %s", name, q.Action)
			}
		}
	}
	if s := contoso(t).Explain(rbac.Question{Principal: bob, Action: "Microsoft.Resources/tags/write", Scope: "/"}, 0).Suggestion; s.Custom != nil {
		t.Error("a custom role for the root")
	}
}

func TestSplitWords(t *testing.T) {
	for text, want := range map[string][]string{
		"":                             nil,
		"  # all comment":              nil,
		"can a\tb  c # d":              {"can", "a", "b", "c"},
		"can a#1 b":                    {"can", "a#1", "b"},
		`can "Readers of # manuals" x`: {"can", "Readers of # manuals", "x"},
		`can 'a "b" c' O'Brien`:        {"can", `a "b" c`, "O'Brien"},
		`R:x="a b" R:y=["c d","e"]`:    {`R:x="a b"`, `R:y=["c d","e"]`},
		`R:x='a b' ""`:                 {"R:x=a b", ""},
	} {
		if got, err := splitWords(text); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %q %v", text, got, err)
		}
	}
	for _, text := range []string{`"a`, `a='b`, `a="b`} {
		if _, err := splitWords(text); err == nil {
			t.Errorf("%s splits", text)
		}
	}
}

func TestAssertions(t *testing.T) {
	w := contoso(t)
	all, err := w.Assertions(strings.NewReader("\ufeff# who may what\r\n\r\n" +
		"can ann@contoso.com " + chat + " " + account + "\r\n" +
		"can Bob " + blobs + " " + group + " 'Resource:" + named + "=manuals'  # the group's\n" +
		"cannot Bob " + blobs + " " + group + "\n" +
		"cannot bob " + remove + " " + account + " dataAction=false\n" +
		"can ann@contoso.com Microsoft.Compute/virtualMachines/write " + sub + " group=Operators\n" +
		"can bob " + remove + " " + account + "\n" +
		"cannot ann@contoso.com " + chat + " " + account))
	if err != nil {
		t.Fatal(err)
	}
	var failed []int
	for _, a := range all {
		if o := w.Assert(a); !o.OK {
			failed = append(failed, o.Line)
			if o.Answer == nil || (o.Answer.Decision == "Allowed") == o.Can {
				t.Errorf("line %d: %+v", o.Line, o.Answer)
			}
		}
	}
	if len(all) != 7 || !reflect.DeepEqual(failed, []int{8, 9}) {
		t.Errorf("%d assertions, %v fail", len(all), failed)
	}
	_, err = w.Assertions(strings.NewReader("may a b /c\ncan a\n\ncan zoe " + chat + " /\ncan bob " + chat + " / x\ncan bob " + chat + " / x=y\ncan bob " + chat + " / dataAction=maybe\ncan \"bob\n"))
	for _, want := range []string{`line 1: "may" is neither can nor cannot`, "line 2: expected: can PRINCIPAL", `line 4: no principal is called "zoe"`,
		`line 5: "x" is not written key=value`, `line 6: "x" is none of`, "line 7: dataAction is true or false", `line 8: the " is not closed`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %s in %v", want, err)
		}
	}
}

func FuzzAssertions(f *testing.F) {
	f.Add(`can "ann@contoso.com" ` + chat + " " + account + ` group=Operators Resource:x="a b" # c`)
	w := New(export.New(rbac.World{}))
	f.Fuzz(func(t *testing.T, text string) {
		all, err := w.Assertions(strings.NewReader(text))
		if err == nil {
			for _, a := range all {
				w.Assert(a)
			}
		}
	})
}
