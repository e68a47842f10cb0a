package review

import (
	"fmt"
	"slices"
	"strings"

	"sekisho/rbac"
	"sekisho/rbac/condition"
	"sekisho/rbac/internal/text"
)

// conditions looks at the conditions of assignments and of custom roles' blocks.
func (l *lint) conditions() {
	for _, a := range l.assignments {
		if a.rule == nil {
			continue
		}
		if !l.condition(a.ID, a.rule) || a.role == nil {
			continue
		}
		given := l.grants(a.role).may
		l.denylist(a, given)
		l.partial(a, given)
	}
	for _, key := range sortedKeys(l.roles) {
		role := l.roles[key]
		for _, b := range role.blocks {
			if b.rule != nil && role.Type == rbac.CustomRole {
				l.condition("role "+role.RoleName, b.rule)
			}
		}
	}
}

// condition looks at a condition by itself, and tells whether it parses.
func (l *lint) condition(place string, c *rule) bool {
	if c.parsed == nil {
		l.find(Error, "condition-syntax", place, fmt.Sprintf("the condition does not parse, so nothing is granted: %v", c.bad), docs+"conditions-format.md")
		return false
	}
	if c.parsed.Ambiguous() {
		l.find(Warning, "condition-ambiguous", place, "AND and OR stand side by side without parentheses, so the order of evaluation is ambiguous: add parentheses",
			docs+"conditions-format.md, \"Grouping and precedence\"")
	}
	var told []string
	for _, atom := range c.parsed.Atoms() {
		for _, o := range []condition.Operand{atom.Left, atom.Right} {
			of := o.Attribute
			if of.Source == "" || slices.Contains(told, of.String()) || documented(of) {
				continue
			}
			told = append(told, of.String())
			l.find(Warning, "condition-attribute", place, of.String()+" is no attribute that Azure documents: a comparison with it is never true", docs+"conditions-format.md, \"Attributes\"")
		}
	}
	return true
}

const (
	assignmentNS = "microsoft.authorization/roleassignments"
	accounts     = "microsoft.storage/storageaccounts"
	containers   = accounts + "/blobservices/containers"
	blobs        = containers + "/blobs"
)

// attributes are those that Azure documents, by source and condition.Key:
// conditions-authorization-actions-attributes.md, storage-auth-abac-attributes.md
// and queues-auth-abac-attributes.md, and those that built-in roles have.
var attributes = map[condition.Source][]string{
	condition.Resource: {
		assignmentNS + ":roledefinitionid", assignmentNS + ":principalid", assignmentNS + ":principaltype",
		accounts + ":name", accounts + ":ishnsenabled", accounts + "/encryptionscopes:name", containers + ":name", containers + "/metadata",
		blobs + ":path", blobs + ":iscurrentversion", blobs + "/tags", blobs + "/tags&$keys$&", accounts + "/queueservices/queues:name",
		"hasobotoken", "microsoft.operationalinsights/workspaces/tables:protectionlevel", "microsoft.insights/logs/tables:protectionlevel",
	},
	condition.Request: {
		assignmentNS + ":roledefinitionid", assignmentNS + ":principalid", assignmentNS + ":principaltype",
		blobs + ":prefix", blobs + ":include", blobs + ":snapshot", blobs + ":versionid", blobs + "/tags", blobs + "/tags&$keys$&", "suboperation",
	},
	condition.Environment: {"isprivatelink", "utcnow", "microsoft.network/privateendpoints", "microsoft.network/virtualnetworks/subnets"},
}

func documented(of condition.Attribute) bool {
	key := text.Fold(of.Name)
	if of.Source == condition.Principal {
		return strings.HasPrefix(key, "microsoft.directory/customsecurityattributes/id:")
	}
	for _, named := range []string{"/tags", "/metadata"} { // by a key of the user's own
		if head, _, ok := strings.Cut(key, named+":"); ok {
			key = head + named
		}
	}
	return slices.Contains(attributes[of.Source], key)
}

const (
	writeAssignments = "microsoft.authorization/roleassignments/write"
	writeRoles       = "microsoft.authorization/roledefinitions/write"
)

// denylist finds a delegation that names the roles which may not be given: one
// who makes a custom role of the same actions walks around it. Of those who hold
// such an assignment, who may make roles is worse.
func (l *lint) denylist(a *assignment, given set) {
	if op, ok := l.ops.find(writeAssignments, false); !ok || !given.has(op) {
		return
	}
	for _, atom := range a.rule.parsed.Atoms() {
		left, right := condition.Key(atom.Left.Attribute.Name), condition.Key(atom.Right.Attribute.Name)
		if left != assignmentNS+":roledefinitionid" && right != assignmentNS+":roledefinitionid" || strings.Contains(atom.Operator, "Not") == atom.Negated || atom.Operator == "Exists" {
			continue
		}
		severity, who := Warning, "whoever can make a custom role with the same actions, or asks for one that is not in the list, walks around it"
		if l.mayMakeRoles(a) {
			severity, who = Error, "and the same principal can write role definitions: a new custom role with the same actions is not in the list"
		}
		l.find(severity, "condition-denylist", a.ID, "the condition lists the roles that may not be assigned; "+who+". List those that may be instead",
			"NetSPI 2026, by way of HackTricks cloud; "+docs+"delegate-role-assignments-examples.md")
		return
	}
}

// mayMakeRoles tells whether who has the assignment may write role definitions
// somewhere.
func (l *lint) mayMakeRoles(a *assignment) bool {
	for _, id := range l.reach(a.holder) {
		for _, other := range l.byHolder[id] {
			if other.grants(l.Review, writeRoles, false) == condition.True {
				return true
			}
		}
	}
	return false
}

// alike are actions that do the same to somebody who wants around a condition,
// given what attribute it looks at (any, if empty).
var alike = []struct {
	attribute   string
	actions     []string
	data        bool
	why, source string
}{
	{"", []string{writeAssignments, "microsoft.authorization/roleassignments/delete"}, false,
		"who can delete assignments can take away those that the condition forbids to make", docs + "delegate-role-assignments-examples.md"},
	{"", []string{blobs + "/write", blobs + "/add/action"}, true,
		"a blob is made by either", docs + "conditions-troubleshoot.md, \"Condition is not enforced\", cause 2"},
	{blobs + ":path", []string{blobs + "/read", blobs + "/write", blobs + "/delete", blobs + "/move/action"}, true,
		"who can rename a blob can move it to where the condition lets it through", storageDocs + "storage-auth-abac-security.md, \"Blob path\""},
	{blobs + ":path", []string{blobs + "/read", blobs + "/write", blobs + "/delete", blobs + "/runassuperuser/action"}, true,
		"it opens all paths", storageDocs + "storage-auth-abac-security.md, \"Blob path\""},
	{blobs + "/tags", []string{blobs + "/read", blobs + "/write", blobs + "/delete", blobs + "/tags/write"}, true,
		"who can write the tags can make the condition true", storageDocs + "storage-auth-abac-security.md, \"Blob index tags\""},
}

// partial finds conditions that filter some of the actions that do the same, and
// let another of the role's through.
func (l *lint) partial(a *assignment, given set) {
	for _, family := range alike {
		if family.attribute != "" && !looksAt(a.rule.parsed, family.attribute) {
			continue
		}
		var filtered, open []string
		for _, action := range family.actions {
			op, ok := l.ops.find(action, family.data)
			if !ok || !given.has(op) {
				continue
			}
			if a.rule.certain(action) == condition.True {
				open = append(open, l.ops.ops[op].Name)
			} else {
				filtered = append(filtered, l.ops.ops[op].Name)
			}
		}
		if family.attribute != "" { // only the last is a way around
			open = slices.DeleteFunc(open, func(name string) bool { return !strings.EqualFold(name, family.actions[len(family.actions)-1]) })
		}
		if len(filtered) > 0 && len(open) > 0 {
			l.find(Warning, "condition-partial", a.ID, fmt.Sprintf("the condition filters %s and not %s, which %s grants too: %s",
				strings.Join(filtered, ", "), strings.Join(open, ", "), a.role.RoleName, family.why), family.source)
		}
	}
	// Listing is a suboperation of reading.
	read := blobs + "/read"
	if op, ok := l.ops.find(read, true); ok && given.has(op) && a.rule.certain(read) != condition.True &&
		a.rule.parsed.Certain(condition.Input{Action: read, SubOperation: "Blob.List"}) == condition.True {
		l.find(Note, "condition-partial", a.ID, "the condition filters reading blobs and not listing them (Blob.List): all names are seen",
			storageDocs+"storage-auth-abac-attributes.md, \"List blobs\"")
	}
}

func looksAt(c *condition.Condition, attribute string) bool {
	return slices.ContainsFunc(c.Atoms(), func(a condition.Atom) bool {
		for _, o := range []condition.Operand{a.Left, a.Right} {
			if key := text.Fold(o.Attribute.Name); key == attribute || strings.HasPrefix(key, attribute+":") || strings.HasPrefix(key, attribute+"&") {
				return true
			}
		}
		return false
	})
}
