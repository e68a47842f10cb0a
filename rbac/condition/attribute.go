package condition

import (
	"strings"
	"unicode"

	"sekisho/rbac/internal/text"
)

// Source is where an attribute is looked for.
type Source string

// The sources of conditions-format.md, "Attributes".
const (
	Resource    Source = "Resource"    // the object that is accessed, such as a container's name
	Request     Source = "Request"     // the request, such as the prefix of blobs to list
	Principal   Source = "Principal"   // custom security attributes of who asks
	Environment Source = "Environment" // the network and the time
)

var sources = [...]Source{Resource, Request, Principal, Environment}

// Attribute names an attribute. The zero value names none.
type Attribute struct {
	Source Source
	Name   string // as written
}

// String gives the attribute as a condition writes it.
func (a Attribute) String() string { return "@" + string(a.Source) + "[" + a.Name + "]" }

// What Azure Storage adds to the name of its blob index tags
// (storage-auth-abac-attributes.md): the value of one tag whose key counts with
// its case, the keys of all tags, and the values of all tags.
const (
	caseSensitive = "<$key_case_sensitive$>"
	allKeys       = "&$keys$&"
	allValues     = "&$values$&"
)

// Key is the form of an attribute's name for comparing, and the one that
// [Input.Attribute] is asked with. Names are taken in any case, so it is lower
// case, except for a tag's key that says it is case-sensitive:
// microsoft.storage/.../blobs/tags:Project<$key_case_sensitive$>.
func Key(name string) string {
	folded := text.Fold(name)
	kind, _, tagged := strings.Cut(name, ":")
	if !tagged || !strings.HasSuffix(folded, caseSensitive) {
		return folded
	}
	tag := name[len(kind) : len(name)-len(caseSensitive)]
	return text.Fold(kind) + tag + caseSensitive
}

// badName tells what is wrong with an attribute's name, and where in it. What
// shells make of a name whose $ they took for their own is an error, as
// conditions-troubleshoot.md has it for tags:Project<$>.
func badName(name string) (at int, why string) {
	plain := name
	if cut := len(name) - len(caseSensitive); cut >= 0 && text.FoldsTo(name[cut:], caseSensitive) {
		plain = name[:cut]
		if _, key, _ := strings.Cut(plain, ":"); key == "" {
			return cut, "expected a colon and a key before " + caseSensitive
		}
	} else {
		for _, suffix := range []string{allKeys, allValues} {
			if cut := len(name) - len(suffix); cut >= 0 && text.FoldsTo(name[cut:], suffix) {
				plain = name[:cut]
			}
		}
	}
	if plain == "" || plain != strings.TrimSpace(plain) {
		return 0, "expected the name of an attribute, without spaces around it"
	}
	for i, r := range plain {
		if unicode.IsControl(r) || strings.ContainsRune("[{}'\"@$<>&\\`", r) {
			return i, "an attribute's name cannot have " + quoteRune(r) + " here"
		}
	}
	return 0, ""
}
