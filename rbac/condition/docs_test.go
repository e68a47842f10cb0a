package condition

import (
	"encoding/json"
	"testing"
	"time"
)

// Every example of conditions-format.md that says what it comes to, among them
// the table "Operator examples" of its form of 2021. Resource[name1] there is
// short for @Resource[name1].
func TestOperatorExamples(t *testing.T) {
	const write = "Microsoft.Authorization/roleAssignments/write"
	const read = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"
	const project = "@Request[Microsoft.Storage/storageAccounts/blobServices/containers/blobs/tags:Project<$key_case_sensitive$>]"
	const scope = "@Resource[Microsoft.Storage/storageAccounts/encryptionScopes:name]"
	const version = "@Request[Microsoft.Storage/storageAccounts/blobServices/containers/blobs:versionId]"
	const path = "@Resource[Microsoft.Storage/storageAccounts/blobServices/containers/blobs:path]"
	abcd := request("", "@Resource[name1]", "abcd")
	tests := []struct {
		source string
		in     Input
		want   Result
	}{
		{"ActionMatches{'" + read + "'}", request(read), True},
		{"ActionMatches{'Microsoft.Authorization/roleAssignments/*'}", request(write), True},
		{"ActionMatches{'Microsoft.Authorization/roleDefinitions/*'}", request(write), False},
		{"SubOperationMatches{'Blob.List'}", request(read).sub("Blob.List"), True},
		{"SubOperationMatches{'Blob.List'}", request(read).sub("Blob.Write.Tier"), False},
		{"SubOperationMatches{'Blob.List'}", request(read), False},
		{"Exists @Request[Microsoft.Storage/storageAccounts/blobServices/containers/blobs:snapshot]",
			request(read, "@Request[Microsoft.Storage/storageAccounts/blobServices/containers/blobs:snapshot]", "2022-06-01T00:00:00.0Z"), True},
		{"Exists @Request[Microsoft.Storage/storageAccounts/blobServices/containers/blobs:snapshot]", request(read), False},
		{"NOT Exists " + version, request(read), True},
		{version + " DateTimeEquals '2022-06-01T00:00:00.0Z' OR NOT Exists " + version, request(read), True},
		{version + " DateTimeEquals '2022-06-01T00:00:00.0Z' OR NOT Exists " + version, request(read, version, "2022-06-01T00:00:00.0000000Z"), True},
		{version + " DateTimeEquals '2022-06-01T00:00:00.0Z' OR NOT Exists " + version, request(read, version, "2022-06-01T00:00:00.0000001Z"), False},
		{"@Resource[Microsoft.Storage/storageAccounts:isHnsEnabled] BoolEquals true", request("", "@Resource[microsoft.storage/storageaccounts:ishnsenabled]", true), True},
		{project + " StringEquals 'Cascade'", request("", project, "Cascade"), True},
		{project + " StringEquals 'Cascade'", request("", project, "cascade"), False},
		{path + " StringLike 'readonly/*'", request("", path, "readonly/a/b.txt"), True},
		{"@Resource[name1] StringLike 'a*c?'", abcd, True},
		{"@Resource[name1] StringLike 'A*C?'", abcd, False},
		{"@Resource[name1] StringLikeIgnoreCase 'A*C?'", abcd, True},
		{"@Resource[name1] StringLike 'a*c'", abcd, False},
		{scope + " ForAnyOfAnyValues:StringEquals {'validScope1', 'validScope2'}", request("", scope, "validScope2"), True},
		{scope + " ForAnyOfAnyValues:StringEquals {'validScope1', 'validScope2'}", request("", scope, "validScope3"), False},
		{"{'red', 'blue'} ForAnyOfAnyValues:StringEquals {'blue', 'green'}", Input{}, True},
		{"{'red', 'blue'} ForAnyOfAnyValues:StringEquals {'orange', 'green'}", Input{}, False},
		{project + " ForAllOfAnyValues:StringEquals {'Cascade', 'Baker', 'Skagit'}", request("", project, []string{"Baker", "Cascade"}), True},
		{project + " ForAllOfAnyValues:StringEquals {'Cascade', 'Baker', 'Skagit'}", request("", project, []string{"Baker", "Alpine"}), False},
		{"{'red', 'blue'} ForAllOfAnyValues:StringEquals {'orange', 'red', 'blue'}", Input{}, True},
		{"{'red', 'blue'} ForAllOfAnyValues:StringEquals {'red', 'green'}", Input{}, False},
		{"{10, 20} ForAnyOfAllValues:NumericLessThan {15, 18}", Input{}, True},
		{"{10, 20} ForAnyOfAllValues:NumericLessThan {10, 18}", Input{}, False},
		{"{10, 20} ForAllOfAllValues:NumericLessThan {5, 15, 18}", Input{}, False},
		{"{10, 20} ForAllOfAllValues:NumericLessThan {25, 30}", Input{}, True},
		{"{10, 20} ForAllOfAllValues:NumericLessThan {15, 25, 30}", Input{}, False},
	}
	for _, tt := range tests {
		check(t, tt.source, tt.in, tt.want)
	}
}

// Each operator of conditions-format.md, true, false and negated.
func TestOperators(t *testing.T) {
	const id = "B24988AC-6180-42a0-ab88-20f7382dd24c"
	in := request("",
		"@Resource[yes]", true,
		"@Resource[word]", "Straße/Ab",
		"@Resource[seven]", 7,
		"@Resource[at]", time.Date(2022, 6, 1, 23, 38, 32, 888364599, time.UTC),
		"@Resource[id]", id,
	)
	tests := []struct {
		source string
		want   Result
	}{
		{"@Resource[yes] BoolEquals true", True},
		{"@Resource[yes] boolequals FALSE", False}, // built-in roles write boolequals
		{"@Resource[yes] BoolNotEquals false", True},
		{"@Resource[yes] BoolNotEquals true", False},
		{"@Resource[word] StringEquals 'Straße/Ab'", True},
		{"@Resource[word] StringEquals 'straße/ab'", False},
		{"@Resource[word] StringEqualsIgnoreCase 'STRAßE/ab'", True},
		{"@Resource[word] StringNotEquals 'straße/ab'", True},
		{"@Resource[word] StringNotEqualsIgnoreCase 'straße/ab'", False},
		{"@Resource[word] StringStartsWith 'Straße/'", True},
		{"@Resource[word] StringStartsWith 'straße/'", False},
		{"@Resource[word] StringStartsWith ''", True},
		{"@Resource[word] StringStartsWithIgnoreCase 'straße/A'", True},
		{"@Resource[word] StringNotStartsWith 'straße/'", True},
		{"@Resource[word] StringNotStartsWithIgnoreCase 'straße/'", False},
		{"@Resource[word] StringLike '*?e/A*'", True},
		{"@Resource[word] StringNotLike '*?e/A*'", False},
		{"@Resource[word] StringLikeIgnoreCase 'S???A?E*AB'", False}, // one ? too many
		{"@Resource[word] StringLikeIgnoreCase 'S?RA?E*AB'", True},
		{"@Resource[word] StringNotLikeIgnoreCase 's*'", False},
		{"@Resource[seven] NumericEquals 7", True},
		{"@Resource[seven] NumericNotEquals 7", False},
		{"@Resource[seven] NumericLessThan 7", False},
		{"@Resource[seven] NumericLessThanEquals 7", True},
		{"@Resource[seven] NumericGreaterThan -7", True},
		{"@Resource[seven] NumericGreaterThanEquals 8", False},
		{"@Resource[at] DateTimeEquals '2022-06-01T23:38:32.8883645Z'", True},
		{"@Resource[at] DateTimeNotEquals '2022-06-01T23:38:32.8883645Z'", False},
		{"@Resource[at] DateTimeLessThan '2022-06-01T23:38:32.8883646Z'", True},
		{"@Resource[at] DateTimeLessThanEquals '2022-06-01T23:38:32.8883644Z'", False},
		{"@Resource[at] DateTimeGreaterThan '2022-06-01T23:38:32Z'", True},
		{"@Resource[at] DateTimeGreaterThanEquals '9999-12-31T23:59:59.9999999Z'", False},
		{"@Resource[id] GuidEquals b24988ac-6180-42a0-ab88-20f7382dd24c", True},
		{"@Resource[id] GuidEquals {b24988ac618042a0ab8820f7382dd24c}", True}, // unhyphenated, as in Azure Sphere Owner
		{"@Resource[id] GuidEquals 'b24988ac-6180-42a0-ab88-20f7382dd24c'", True},
		{"@Resource[id] GuidNotEquals b24988ac-6180-42a0-ab88-20f7382dd24d", True},
		{"@Resource[id] ForAllOfAnyValues:GuidNotEquals {b24988ac618042a0ab8820f7382dd24c}", False},
		{"@Resource[id] GuidEquals @Resource[id]", True},
		{"@Resource[word] StringEquals @Resource[id]", False},
	}
	for _, tt := range tests {
		check(t, tt.source, in, tt.want)
	}
}

// conditions-format.md, "StringLike" and "Special characters".
func TestLike(t *testing.T) {
	tests := []struct {
		pattern, text string
		want          bool
	}{
		{"", "", true},
		{"", "a", false},
		{"*", "", true},
		{"*", "a/b", true},
		{"?", "", false},
		{"?", "/", true},
		{"?", "ß", true},
		{"??", "ß", false},
		{"?", "\xff", true},
		{"logs*", "logs", true},
		{"logs*", "logs/AlpineFile.txt", true},
		{"logs*", "log", false},
		{"*.txt", "a.txt.txt", true},
		{"a*b*c", "a-c-b", false},
		{"ab*bc", "abc", false},
		{"a*?c", "ac", false},
		{"a*?c", "abbc", true},
		{`a\*c`, "a*c", true},
		{`a\*c`, "abc", false},
		{`a\?`, "a?", true},
		{`a\?`, "ab", false},
		{`a\b`, `a\b`, true},
		{`a\`, `a\`, true},
		{`\\*`, `\*`, true},
		{`\\*`, `\\`, false},
		{"*\\**", "a*b", true},
		{"*\\**", "ab", false},
	}
	for _, tt := range tests {
		if got := isLike(tt.text, tt.pattern); got != tt.want {
			t.Errorf("%q like %q: %v", tt.text, tt.pattern, got)
		}
	}
}

// The package comment says where Azure's documents give these.
func TestWhatCannotBeCompared(t *testing.T) {
	in := request("",
		"@Resource[one]", "a",
		"@Resource[single]", []string{"a"},
		"@Resource[two]", []any{"a", "b"},
		"@Resource[mixed]", []any{"a", 1},
		"@Resource[none]", []string{},
		"@Resource[nil]", nil,
		"@Resource[number]", json.Number("10"),
		"@Resource[half]", 0.5,
		"@Resource[big]", float64(1<<63),
		"@Resource[exponent]", json.Number("1e2"),
		"@Resource[yes]", "true",
	)
	tests := []struct {
		name, source string
		want         Result
	}{
		{"absent", "@Resource[absent] StringEquals 'a'", Undecided},
		{"absent, and a negated operator", "@Resource[absent] StringNotEquals 'a'", Undecided},
		{"absent under NOT", "NOT @Resource[absent] StringEquals 'a'", Undecided},
		{"absent on the right", "@Resource[one] StringEquals @Resource[absent]", Undecided},
		{"absent in an AND with false", "@Resource[absent] StringEquals 'a' AND @Resource[one] StringEquals 'b'", False},
		{"absent in an AND with true", "@Resource[absent] StringEquals 'a' AND @Resource[one] StringEquals 'a'", Undecided},
		{"absent in an OR with true", "@Resource[absent] StringEquals 'a' OR @Resource[one] StringEquals 'a'", True},
		{"absent in an OR with false", "@Resource[absent] StringEquals 'a' OR @Resource[one] StringEquals 'b'", Undecided},
		{"of another source", "@Request[one] StringEquals 'a'", Undecided},
		{"no values, all of them", "@Resource[none] ForAllOfAnyValues:StringEquals {'a'}", Undecided},
		{"no values do not exist", "Exists @Resource[none]", False},
		{"nil does not exist", "Exists @Resource[nil]", False},
		{"an empty text does", "Exists @Resource[two]", True},
		{"a list of one is one", "@Resource[single] StringEquals 'a'", True},
		{"several without a quantifier", "@Resource[two] StringEquals 'a'", Undecided},
		{"several on the right without a quantifier", "@Resource[one] StringEquals @Resource[two]", Undecided},
		{"several with one", "@Resource[two] ForAnyOfAnyValues:StringEquals {'b'}", True},
		{"one of another type among them", "@Resource[mixed] ForAnyOfAnyValues:StringEquals {'a'}", Undecided},
		{"a text is no number", "@Resource[one] NumericEquals 1", Undecided},
		{"a number is no text", "@Resource[number] StringNotEquals 'a'", Undecided},
		{"a text is no boolean", "@Resource[yes] BoolEquals true", Undecided},
		{"a text that is no GUID", "@Resource[one] GuidNotEquals b24988ac-6180-42a0-ab88-20f7382dd24c", Undecided},
		{"a text that is no time", "@Resource[one] DateTimeNotEquals '2022-06-01T00:00:00.0Z'", Undecided},
		{"a number of JSON", "@Resource[number] NumericEquals 10", True},
		{"a whole number with an exponent", "@Resource[exponent] NumericEquals 100", True},
		{"only integers are supported", "@Resource[half] NumericLessThan 1", Undecided},
		{"of 64 bits", "@Resource[big] NumericGreaterThan 1", Undecided},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { check(t, tt.source, in, tt.want) })
	}
	check(t, "Exists @Resource[a] OR @Resource[a] StringEquals 'a'", Input{}, Undecided)
}
