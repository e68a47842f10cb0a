package condition

import (
	"errors"
	"strings"
	"testing"
)

func TestSyntaxErrors(t *testing.T) {
	const expression = "expected an expression (ActionMatches, SubOperationMatches, Exists, an attribute such as @Resource[name], a parenthesis), found "
	tests := []struct {
		name, source string
		offset       int
		message      string
	}{
		{"nothing", "", 0, expression + "the end"},
		{"only space", " \n\t", 3, expression + "the end"},
		{"a bare value", "true", 0, expression + "true"},
		{"an operator first", "AND Exists @Resource[a]", 0, expression + "AND"},
		{"nothing after AND", "Exists @Resource[a] AND ", 24, expression + "the end"},
		{"nothing after NOT", "NOT", 3, expression + "the end"},
		{"nothing in parentheses", "()", 1, expression + ")"},
		{"two expressions", "Exists @Resource[a] Exists @Resource[b]", 20, "expected AND, OR or the end, found Exists"},
		{"a parenthesis too many", "(Exists @Resource[a]))", 21, "expected AND, OR or the end, found )"},
		{"a parenthesis too few", "(Exists @Resource[a]", 20, "expected AND, OR or ), found the end"},
		{"an attribute without @", "Resource[a] StringEquals 'a'", 0, expression + "Resource"},
		{"one ampersand", "Exists @Resource[a] & Exists @Resource[b]", 20, "no condition has '&' outside a text"},
		// conditions-troubleshoot.md, "Error when copying and pasting a condition".
		{"a space that is not one", "Exists\u00a0@Resource[a]", 6, `no condition has '\u00a0' outside a text`},
		{"a character that does not appear", "\ufeffExists @Resource[a]", 0, `no condition has '\ufeff' outside a text`},
		{"curled quotes", "ActionMatches{\u2018a\u2019}", 14, "no condition has '\u2018' outside a text"},
		{"double quotes", `ActionMatches{"a"}`, 14, `no condition has '"' outside a text`},
		{"not UTF-8", "Exists \xff", 7, "this is not UTF-8"},
		{"no comments", "Exists @Resource[a] // or not", 20, "no condition has '/' outside a text"},

		{"an unknown source", "Exists @Subject[a]", 8, "expected Resource, Request, Principal or Environment, and a name in brackets"},
		{"a source alone", "Exists @Resource", 8, "expected Resource, Request, Principal or Environment, and a name in brackets"},
		{"no closing bracket", "Exists @Resource[a", 17, "expected a ] after the name of the attribute"},
		{"no name", "Exists @Resource[]", 17, "expected the name of an attribute, without spaces around it"},
		{"a space around the name", "Exists @Resource[a ]", 17, "expected the name of an attribute, without spaces around it"},
		{"a quote in the name", "Exists @Resource[a'b]", 18, "an attribute's name cannot have ' here"},
		// conditions-troubleshoot.md, "Resource attribute is not valid error": a
		// shell took $key_case_sensitive for its own, or a backslash stayed.
		{"a shell took the suffix", "@Resource[b/tags:Project<$>] StringEquals 'Cascade'", 24, "an attribute's name cannot have '<' here"},
		{"a backslash stayed", `@Resource[b/tags:Project<\$key_case_sensitive\$>] StringEquals 'Cascade'`, 24, "an attribute's name cannot have '<' here"},
		{"a tag without a key", "Exists @Resource[b/tags:<$key_case_sensitive$>]", 24, "expected a colon and a key before <$key_case_sensitive$>"},
		{"Exists of a text", "Exists 'a'", 7, "expected an attribute, found a text"},
		// storage-auth-abac-examples.md: what the visual editor leaves for NOT
		// Exists has to be mended by hand.
		{"null of the visual editor", "@Resource[b/tags:a<$key_case_sensitive$>] null", 42, "there is no operator null"},

		{"ActionMatches of two", "ActionMatches{'a', 'b'}", 17, "expected }, found ,"},
		{"ActionMatches of a word", "ActionMatches{a}", 14, "expected a text in single quotes, found a"},
		{"ActionMatches in parentheses", "ActionMatches('a')", 13, "expected {, found ("},
		{"a text that does not end", "ActionMatches{'a}", 14, "expected a ' at the end of this text"},
		{"a backslash before the last quote", `ActionMatches{'a\'}`, 14, "expected a ' at the end of this text"},
		{"a line break in a text", "ActionMatches{'a\nb'}", 16, `a text cannot have '\n'`},

		{"no operator", "@Resource[a] 'a'", 13, "expected an operator such as StringEquals, found a text"},
		{"an operator of regorus", "@Resource[a] StringContains 'a'", 13, "there is no operator StringContains"},
		{"an unknown quantifier", "@Resource[a] ForAny:StringEquals {'a'}", 13, "there is no operator ForAny:StringEquals"},
		{"a quantifier alone", "@Resource[a] ForAnyOfAnyValues: {'a'}", 13, "there is no operator ForAnyOfAnyValues:"},
		{"a quantifier that the documents do not list", "@Resource[a] ForAnyOfAnyValues:StringStartsWith {'a'}", 13, "StringStartsWith cannot have a quantifier"},
		{"nor this one", "@Resource[a] ForAnyOfAnyValues:BoolEquals {true}", 13, "BoolEquals cannot have a quantifier"},
		{"one value after a quantifier", "@Resource[a] ForAnyOfAnyValues:StringEquals 'a'", 44, "expected values in braces or an attribute, found a text"},
		{"several values without one", "@Resource[a] StringEquals {'a', 'b'}", 32, "StringEquals takes one value; several need a quantifier, such as ForAnyOfAnyValues"},
		{"values first without one", "{'a'} StringEquals 'a'", 6, "expected an operator with a quantifier, such as ForAnyOfAnyValues:StringEquals, after values"},
		{"a text first", "'a' StringEquals @Resource[a]", 0, expression + "a text"},
		{"no value", "@Resource[a] StringEquals", 25, "expected an attribute, a value, or values in braces, found the end"},
		{"no values", "@Resource[a] ForAnyOfAnyValues:StringEquals {}", 45, "expected a value, found }"},
		{"an attribute among values", "@Resource[a] ForAnyOfAnyValues:StringEquals {@Resource[b]}", 45, "expected a value, found an attribute"},
		{"a comma too many", "@Resource[a] ForAnyOfAnyValues:StringEquals {'a',}", 49, "expected a value, found }"},
		{"a comma too few", "@Resource[a] ForAnyOfAnyValues:StringEquals {'a' 'b'}", 49, "expected a comma or }, found a text"},
		{"values that do not end", "@Resource[a] ForAnyOfAnyValues:StringEquals {'a'", 48, "expected a comma or }, found the end"},

		{"a word for a text", "@Resource[a] StringEquals b", 26, "expected a text in single quotes for StringEquals, found b"},
		{"a text for a boolean", "@Resource[a] BoolEquals 'true'", 24, "expected true or false for BoolEquals, found a text"},
		{"a fraction", "@Resource[a] NumericEquals 1.5", 27, "expected a whole number of 64 bits for NumericEquals, found 1.5"},
		{"a number too great", "@Resource[a] NumericEquals 9223372036854775808", 27, "expected a whole number of 64 bits for NumericEquals, found 9223372036854775808"},
		{"a day", "@Resource[a] DateTimeEquals '2022-06-01'", 28, "expected a time in quotes such as '2022-06-01T00:00:00.0Z' for DateTimeEquals, found a text"},
		{"no such day", "@Resource[a] DateTimeEquals '2022-06-31T00:00:00.0Z'", 28, "expected a time in quotes such as '2022-06-01T00:00:00.0Z' for DateTimeEquals, found a text"},
		{"a time of another zone", "@Resource[a] DateTimeEquals '2022-06-01T00:00:00.0+02:00'", 28, "expected a time in quotes such as '2022-06-01T00:00:00.0Z' for DateTimeEquals, found a text"},
		{"a time too fine", "@Resource[a] DateTimeEquals '2022-06-01T00:00:00.00000000Z'", 28, "expected a time in quotes such as '2022-06-01T00:00:00.0Z' for DateTimeEquals, found a text"},
		{"not a GUID", "@Resource[a] GuidEquals b24988ac-6180-42a0-ab88-20f7382dd24", 24, "expected a GUID for GuidEquals, found b24988ac-6180-42a0-ab88-20f7382dd24"},
		{"nor this", "@Resource[a] GuidEquals {b24988ac-618042a0-ab88-20f7382dd24c0}", 25, "expected a GUID for GuidEquals, found b24988ac-618042a0-ab88-20f7382dd24c0"},
		{"another type on the left", "{'a', 1} ForAnyOfAnyValues:StringEquals {2}", 6, "expected a text in single quotes for StringEquals, found 1"},

		{"too deep", strings.Repeat("(", 101) + "Exists @Resource[a]" + strings.Repeat(")", 101), 100, "parentheses nest more than 100 deep"},
		// conditions-faq.md: "A condition can be up to 8 KB long".
		{"too long", "Exists @Resource[" + strings.Repeat("a", 8175) + "]", 8192, "a condition has 8192 bytes at most"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := Parse(tt.source)
			var got *SyntaxError
			if !errors.As(err, &got) {
				t.Fatalf("%q is %v, %v", tt.source, c, err)
			}
			if got.Offset != tt.offset || got.Message != tt.message {
				t.Errorf("%q\nat %d: %s\nwant %d: %s", tt.source, got.Offset, got.Message, tt.offset, tt.message)
			}
		})
	}
}

func TestSyntaxErrorTellsLineAndColumn(t *testing.T) {
	_, err := Parse("(\n  Exists @Resource[a]\r\n  AND ActionMatches{'ü'} or\n)")
	var got *SyntaxError
	if !errors.As(err, &got) || got.Line != 4 || got.Column != 1 {
		t.Errorf("%+v", err)
	}
	_, err = Parse("Exists @Resource[a] AND\n ActionMatches{'ü'} ~")
	if want := "condition, line 2, column 21: no condition has '~' outside a text"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestCanonicalForm(t *testing.T) {
	tests := []struct{ source, want string }{
		{"( ( ( exists\r\n\t@REQUEST[a] ) ) )", "Exists @Request[a]"},
		{"!exists @Request[a]&&!(!(not suboperationmatches{'B*'}))", "NOT Exists @Request[a] AND NOT SubOperationMatches{'B*'}"},
		{"(Exists @Request[a] and Exists @Request[b]) AnD Exists @Request[c]", "Exists @Request[a] AND Exists @Request[b] AND Exists @Request[c]"},
		{"!(Exists @Request[a]||Exists @Request[b])", "!(Exists @Request[a] OR Exists @Request[b])"},
		{"Exists @Request[a] OR (Exists @Request[b] AND Exists @Request[c])", "Exists @Request[a] OR (Exists @Request[b] AND Exists @Request[c])"},
		{"Exists @Request[a] OR Exists @Request[b] AND Exists @Request[c]", "Exists @Request[a] OR Exists @Request[b] AND Exists @Request[c]"},
		{"@Request[a] NUMERICEQUALS {-007}", "@Request[a] NumericEquals -7"},
		{"@Request[a] BoolEquals True", "@Request[a] BoolEquals true"},
		{"@Request[a] GuidEquals 'B24988AC618042A0AB8820F7382DD24C'", "@Request[a] GuidEquals b24988ac-6180-42a0-ab88-20f7382dd24c"},
		{`@Request[a] StringLike 'a\*\\\'\\'`, `@Request[a] StringLike 'a\*\\\'\\'`},
		{`@Request[a] StringLike 'a\\b'`, `@Request[a] StringLike 'a\b'`},
		{"@Request[a] ForAllOfAllValues:StringLike{'a','b' , 'c'}", "@Request[a] ForAllOfAllValues:StringLike {'a', 'b', 'c'}"},
		{"@Request[b/tags:A key<$key_case_sensitive$>] StringEquals ''", "@Request[b/tags:A key<$key_case_sensitive$>] StringEquals ''"},
		{"@Request[b/tags&$values$&] ForAnyOfAnyValues:StringEquals @Principal[a]", "@Request[b/tags&$values$&] ForAnyOfAnyValues:StringEquals @Principal[a]"},
	}
	for _, tt := range tests {
		c := mustParse(t, tt.source)
		if got := c.String(); got != tt.want {
			t.Errorf("%s\ngot  %s\nwant %s", tt.source, got, tt.want)
		}
		if again := mustParse(t, c.String()); again.String() != tt.want {
			t.Errorf("%s prints as %s, and that as %s", tt.source, c, again)
		}
	}
}

func TestLimits(t *testing.T) {
	mustParse(t, "Exists @Resource["+strings.Repeat("a", 8174)+"]")
	mustParse(t, strings.Repeat("(", 100)+"Exists @Resource[a]"+strings.Repeat(")", 100))
	mustParse(t, "Exists @Resource[a]"+strings.Repeat(" AND (Exists @Resource[a])", 101))
	c := mustParse(t, strings.Repeat("!", 8000)+"Exists @Resource[a]")
	if got := c.String(); got != "Exists @Resource[a]" {
		t.Error(got)
	}
	deep := mustParse(t, strings.Repeat("!(Exists @Resource[b] OR ", 100)+"Exists @Resource[a]"+strings.Repeat(")", 100))
	mustParse(t, deep.String())
	deep.Trace(Input{})
}

func FuzzParse(f *testing.F) {
	for _, source := range []string{
		"", "!", "(((", "Exists @Resource[a]", "ActionMatches{'*'} AND !(SubOperationMatches{'Blob.List'} || Exists @Environment[UtcNow])",
		both("RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {"+contributor+", "+reader+"}", "PrincipalType] StringEqualsIgnoreCase 'User'"),
		`@Request[a] StringLike 'a\*\\\'\\' OR @Request[a] NumericLessThan -5 AND @Request[a] BoolNotEquals false`,
		"@Request[b/tags:Project<$key_case_sensitive$>] ForAllOfAllValues:StringNotLikeIgnoreCase @Principal[Id:a_b]",
		"@Request[b/tags&$keys$&] ForAnyOfAllValues:NumericEquals {1,2}", "{'a'} ForAllOfAnyValues:StringEquals {'b'}",
		"@Environment[UtcNow] DateTimeGreaterThan '2023-04-01T13:00:00.000Z'", "@Resource[HasObotoken] boolequals true",
		"@Resource[a\u00a0] StringEquals 'ü\u200b'", "NOT NOT (Exists @Resource[a])",
	} {
		f.Add(source)
	}
	in := request("Microsoft.X/a/read", "@Resource[a]", "a", "@Request[a]", []any{1, "a", true})
	f.Fuzz(func(t *testing.T, source string) {
		c, err := Parse(source)
		if err != nil {
			var at *SyntaxError
			if !errors.As(err, &at) || at.Offset < 0 || at.Offset > len(source) || at.Line < 1 || at.Column < 1 || at.Message == "" {
				t.Fatalf("%q: %+v", source, err)
			}
			return
		}
		printed := c.String()
		if len(printed) > MaxLength {
			return
		}
		again, err := Parse(printed)
		if err != nil {
			t.Fatalf("%q prints as %q: %v", source, printed, err)
		}
		if again.String() != printed || again.Ambiguous() != c.Ambiguous() || again.Holds(in) != c.Holds(in) {
			t.Fatalf("%q prints as %q, and that as %q", source, printed, again)
		}
		if len(c.Trace(in)) == 0 {
			t.Fatalf("%q: nothing decides it", source)
		}
	})
}
