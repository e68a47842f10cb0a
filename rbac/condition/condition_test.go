package condition

import (
	"strings"
	"testing"
)

func mustParse(t testing.TB, source string) *Condition {
	t.Helper()
	c, err := Parse(source)
	if err != nil {
		t.Fatalf("%s\n%v", source, err)
	}
	return c
}

// request is an Input; attributes are pairs of an attribute as a condition
// writes it and its value.
func request(action string, attributes ...any) Input {
	have := map[string]any{}
	for i := 0; i < len(attributes); i += 2 {
		source, name, _ := strings.Cut(strings.TrimSuffix(attributes[i].(string), "]"), "[")
		have[source+Key(name)] = attributes[i+1]
	}
	return Input{Action: action, Attribute: func(source Source, key string) (any, bool) {
		v, ok := have["@"+string(source)+key]
		return v, ok
	}}
}

func (in Input) sub(operation string) Input {
	in.SubOperation = operation
	return in
}

func check(t *testing.T, source string, in Input, want Result) {
	t.Helper()
	c := mustParse(t, source)
	in.fold()
	if got := c.root.eval(&in); got != want {
		t.Errorf("%s\nis %v, want %v", source, got, want)
	}
	if again := mustParse(t, c.String()); again.root.eval(&in) != want {
		t.Errorf("%s\nprints as another condition: %s", source, c)
	}
}

func TestAtoms(t *testing.T) {
	c := mustParse(t, `(!(actionmatches{'Microsoft.Authorization/*/WRITE'}) OR (
		@request[Microsoft.Authorization/roleAssignments:RoleDefinitionId] foranyofanyvalues:guidequals {4E50C84CC78E4E12BC6F3E4C3D2F1A0B}
		AND NOT Exists @Principal[Id:Set_X]))`)
	const guid = "4e50c84c-c78e-4e12-bc6f-3e4c3d2f1a0b"
	atoms := c.Atoms()
	if len(atoms) != 3 {
		t.Fatalf("%+v", atoms)
	}
	if a := atoms[0]; a.Operator != "ActionMatches" || !a.Negated || a.Right.Values[0] != "Microsoft.Authorization/*/WRITE" {
		t.Errorf("%+v", a)
	}
	a := atoms[1]
	if want := (Attribute{Request, "Microsoft.Authorization/roleAssignments:RoleDefinitionId"}); a.Left.Attribute != want {
		t.Errorf("%+v", a)
	}
	if a.Operator != "ForAnyOfAnyValues:GuidEquals" || a.Negated || len(a.Right.Values) != 1 || a.Right.Values[0] != guid {
		t.Errorf("%+v", a)
	}
	if a := atoms[2]; a.Operator != "Exists" || !a.Negated || a.Left.Attribute.Source != Principal {
		t.Errorf("%+v", a)
	}
	want := "NOT ActionMatches{'Microsoft.Authorization/*/WRITE'} OR " +
		"(@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {" + guid + "} AND NOT Exists @Principal[Id:Set_X])"
	if got := c.String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestAmbiguous(t *testing.T) {
	tests := []struct {
		source string
		want   bool
	}{
		{"a AND b OR c", true}, // the example of "Grouping and precedence"
		{"(a AND b) OR c", false},
		{"a AND (b OR c)", false},
		{"a OR b AND c", true},
		{"a OR b OR c", false},
		{"a && b && !c", false},
		{"a AND b", false},
		{"NOT (a AND b OR c)", true},
		{"a AND (b OR (c OR a AND b))", true},
		{"(a AND b OR c)", true},
		{"!!(a AND b) OR c", false},
		{"((a AND b) AND c) OR (a AND b)", false},
		{"(a AND b) AND c OR a", true},
	}
	for _, tt := range tests {
		source := strings.NewReplacer("a", "Exists @Resource[a]", "b", "Exists @Resource[b]", "c", "Exists @Resource[c]").Replace(tt.source)
		c := mustParse(t, source)
		if got := c.Ambiguous(); got != tt.want {
			t.Errorf("%s: %v", tt.source, got)
		}
		if again := mustParse(t, c.String()); again.Ambiguous() != tt.want {
			t.Errorf("%s prints as %s", tt.source, c)
		}
	}
}

// Where AND and OR mix, AND binds closer.
func TestPrecedence(t *testing.T) {
	for _, source := range []string{
		"Exists @Resource[no] AND Exists @Resource[no] OR Exists @Resource[yes]",
		"Exists @Resource[yes] OR Exists @Resource[yes] AND Exists @Resource[no]",
		"NOT Exists @Resource[no] OR Exists @Resource[no]",
	} {
		check(t, source, request("", "@Resource[yes]", true), True)
	}
}

func TestTrace(t *testing.T) {
	const role = "@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId]"
	const kind = "@Request[Microsoft.Authorization/roleAssignments:PrincipalType]"
	source := `(!(ActionMatches{'Microsoft.Authorization/roleAssignments/write'}) OR (` + role +
		` ForAnyOfAnyValues:GuidEquals {5e467623-bb1f-42f4-a55d-6e525e11384b} AND ` + kind + ` StringEqualsIgnoreCase 'Group'))` +
		` AND !(ActionMatches{'Microsoft.Authorization/roleAssignments/delete'})`
	const write = "Microsoft.Authorization/roleAssignments/write"
	tests := []struct {
		name string
		in   Input
		want []string
	}{
		{"another role", request(write, role, "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", kind, "Group"), []string{
			"ActionMatches{'" + write + "'} is true: the action is '" + write + "'",
			role + " ForAnyOfAnyValues:GuidEquals {5e467623-bb1f-42f4-a55d-6e525e11384b} is false: " + role + " is '8e3af657-a8ff-443c-a75c-2fe8c4bcb635'",
		}},
		{"no type", request(write, role, "5e467623-bb1f-42f4-a55d-6e525e11384b"), []string{
			"ActionMatches{'" + write + "'} is true: the action is '" + write + "'",
			kind + " StringEqualsIgnoreCase 'Group' is undecided: " + kind + " is absent",
		}},
		{"it holds", request("Microsoft.Authorization/roleAssignments/read"), []string{
			"ActionMatches{'" + write + "'} is false: the action is 'Microsoft.Authorization/roleAssignments/read'",
			"ActionMatches{'Microsoft.Authorization/roleAssignments/delete'} is false: the action is 'Microsoft.Authorization/roleAssignments/read'",
		}},
		{"the other half", request("microsoft.authorization/roleAssignments/delete"), []string{
			"ActionMatches{'Microsoft.Authorization/roleAssignments/delete'} is true: the action is 'microsoft.authorization/roleAssignments/delete'",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, step := range mustParse(t, source).Trace(tt.in) {
				got = append(got, step.String())
			}
			if strings.Join(got, "\n") != strings.Join(tt.want, "\n") {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}

func TestTraceShowsWhatItSaw(t *testing.T) {
	in := request("", "@Resource[a]", []string{"x", "y"}, "@Principal[b]", []any{true, 2}).sub("Blob.List")
	got := mustParse(t, `@Resource[a] ForAnyOfAnyValues:StringEquals @Principal[b] AND (NOT SubOperationMatches{'blob.*'} OR Exists @Resource[c])`).Trace(in)
	want := []string{
		"SubOperationMatches{'blob.*'} is true: the suboperation is 'Blob.List'",
		"Exists @Resource[c] is false",
	}
	if len(got) != len(want) || got[0].String() != want[0] || got[1].String() != want[1] {
		t.Errorf("got %v, want %q", got, want)
	}
	// Under NOT, what makes the AND no more than undecided is all of it.
	if got := mustParse(t, "NOT (@Resource[c] StringEquals 'x' AND Exists @Resource[a])").Trace(in); len(got) != 2 {
		t.Errorf("got %v", got)
	}
	if got := mustParse(t, "NOT (@Resource[c] StringEquals 'x' OR Exists @Resource[c])").Trace(in); len(got) != 1 {
		t.Errorf("got %v", got)
	}
	step := mustParse(t, `@Resource[a] ForAnyOfAnyValues:StringEquals @Principal[b]`).Trace(in)[0]
	if got, want := step.String(), "@Resource[a] ForAnyOfAnyValues:StringEquals @Principal[b] is undecided: @Resource[a] is {'x', 'y'}, @Principal[b] is {true, 2}"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestKey(t *testing.T) {
	tests := []struct{ name, want string }{
		{"Microsoft.Storage/storageAccounts:Name", "microsoft.storage/storageaccounts:name"},
		{"Microsoft.Storage/blobs/tags:Project<$Key_case_sensitive$>", "microsoft.storage/blobs/tags:Project<$key_case_sensitive$>"},
		{"Microsoft.Storage/blobs/tags:A:B<$key_case_sensitive$>", "microsoft.storage/blobs/tags:A:B<$key_case_sensitive$>"},
		{"Microsoft.Storage/blobs/tags&$KEYS$&", "microsoft.storage/blobs/tags&$keys$&"},
		{"UtcNow", "utcnow"},
	}
	for _, tt := range tests {
		if got := Key(tt.name); got != tt.want {
			t.Errorf("Key(%q) = %q", tt.name, got)
		}
	}
}

func BenchmarkHolds(b *testing.B) {
	const roles = "{5e467623-bb1f-42f4-a55d-6e525e11384b, a795c7a0-d4a2-40c1-ae25-d81f01202912}"
	half := func(source, verb string) string {
		return "((!(ActionMatches{'Microsoft.Authorization/roleAssignments/" + verb + "'})) OR " +
			"(@" + source + "[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals " + roles +
			" AND @" + source + "[Microsoft.Authorization/roleAssignments:PrincipalType] ForAnyOfAnyValues:StringEqualsIgnoreCase {'User', 'Group'}))"
	}
	c := mustParse(b, half("Request", "write")+" AND "+half("Resource", "delete"))
	in := Input{
		Action: "microsoft.authorization/roleassignments/write",
		Attribute: func(source Source, key string) (any, bool) {
			switch key {
			case "microsoft.authorization/roleassignments:roledefinitionid":
				return "a795c7a0-d4a2-40c1-ae25-d81f01202912", true
			case "microsoft.authorization/roleassignments:principaltype":
				return "Group", true
			}
			return nil, false
		},
	}
	for b.Loop() {
		if !c.Holds(in) {
			b.Fatal("it does not hold")
		}
	}
}
