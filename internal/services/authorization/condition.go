package authorization

import (
	"slices"
	"strings"

	"sekisho/internal/api"
	"sekisho/rbac/condition"
)

// readCondition reads the condition, if there is one, of what at is the path of
// in a body: a role assignment, a request for one or a deny assignment. It gives
// the version to keep, and refuses attributes of the sources without.
//
// Azure's text says no more than its first sentence, of a wrong version too
// (MicrosoftDocs/azure-docs#119449). AND beside OR without parentheses is
// refused: conditions-format.md, "Grouping and precedence", calls the order of
// evaluation ambiguous and says that parentheses must be added.
func readCondition(at, text, version string, without ...condition.Source) (string, error) {
	at += ".condition"
	if text == "" {
		return "", nil
	}
	if version != "2.0" {
		return "", badCondition(at+"Version", "The conditionVersion '%s' is not valid; the only accepted value is '2.0'.", version)
	}
	parsed, err := condition.Parse(text)
	if err != nil {
		return "", badCondition(at, "%v.", err)
	}
	if parsed.Ambiguous() {
		return "", badCondition(at, "AND and OR stand side by side: add parentheses to say which is evaluated first.")
	}
	for _, atom := range parsed.Atoms() {
		for _, side := range []condition.Operand{atom.Left, atom.Right} {
			a := side.Attribute
			if !validAttribute(a) {
				return "", badCondition(at, "%s attribute %s is not valid.", a.Source, a.Name)
			}
			if a.Source != "" && slices.Contains(without, a.Source) {
				return "", badCondition(at, "Attributes of @%s are not supported here.", a.Source)
			}
		}
	}
	return version, nil
}

func badCondition(target, format string, args ...any) error {
	return api.BadRequest("InvalidRoleAssignmentCondition", target, "The given role assignment condition is invalid. "+format, args...)
}

// environment are the attributes of that source.
// Source: conditions-format.md, "Environment attributes".
var environment = []string{"isprivatelink", "microsoft.network/privateendpoints", "microsoft.network/virtualnetworks/subnets", "utcnow"}

// validAttribute tells whether there is an attribute, so far as all of its kind
// are known: those of the environment, and of role assignments. The text of the
// error is conditions-troubleshoot.md's, "Resource attribute is not valid error".
func validAttribute(a condition.Attribute) bool {
	key := condition.Key(a.Name)
	switch {
	case a.Source == condition.Environment:
		return slices.Contains(environment, key)
	case !strings.HasPrefix(key, strings.ToLower(provider)+"/"):
		return true
	}
	return (a.Source == condition.Request || a.Source == condition.Resource) &&
		slices.Contains([]string{roleAttribute, principalAttribute, principalTypeAttribute}, key)
}

// given are the attributes that a question names, by condition.Key.
type given map[condition.Source]map[string]any

func (g given) put(source condition.Source, values map[string]any) {
	g[source] = map[string]any{}
	for name, value := range values {
		g[source][condition.Key(name)] = value
	}
}

// get is what conditions see. Where nothing is said of the way in, it is the
// public one.
func (g given) get(source condition.Source, key string) (any, bool) {
	if v, ok := g[source][key]; ok {
		return v, true
	}
	if source == condition.Environment && key == "isprivatelink" {
		return false, true
	}
	return nil, false
}
