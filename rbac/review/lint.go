package review

import (
	"cmp"
	"slices"
	"strings"

	"sekisho/rbac"
)

// Severity orders findings.
type Severity string

const (
	// Error: something does not work as it is written.
	Error Severity = "error"
	// Warning: something is likely not what was meant, or unsafe.
	Warning Severity = "warning"
	// Note: something can be tidier.
	Note Severity = "note"
)

// Finding is something that Lint found.
type Finding struct {
	Severity Severity `json:"severity"`
	Rule     string   `json:"rule"`
	// Place is what it is about: the id of an assignment, the name of a role, or
	// a scope.
	Place string `json:"place"`
	Why   string `json:"why"`
	// Source is the document that says so.
	Source string `json:"source"`
}

// Lint looks for what is broken, unsafe or untidy, and lists the gravest first.
//
//	condition-syntax      a condition does not parse, so it never holds
//	condition-attribute   it names an attribute that no document has
//	condition-ambiguous   AND and OR stand side by side without parentheses
//	condition-denylist    it forbids roles by name: a new custom role is none
//	condition-partial     it filters an action, and not another that does the same
//	unknown-role          an assignment of a role that is not there
//	unknown-action        a custom role names what no provider has
//	wildcard-data-action  a custom role has data actions with a star
//	redundant-assignment  another assignment gives all that this one does
//	too-many-owners       a subscription has more than three
//	limit                 a limit of Azure's is reached to four fifths
func (r *Review) Lint() []Finding {
	l := &lint{Review: r, findings: []Finding{}}
	l.conditions()
	l.roleDefinitions()
	l.redundant()
	l.owners()
	l.limits()
	rank := []Severity{Error, Warning, Note}
	slices.SortStableFunc(l.findings, func(a, b Finding) int {
		return cmp.Or(slices.Index(rank, a.Severity)-slices.Index(rank, b.Severity), strings.Compare(a.Rule, b.Rule), strings.Compare(a.Place, b.Place))
	})
	return l.findings
}

type lint struct {
	*Review
	findings []Finding
}

func (l *lint) find(s Severity, rule, place, why, source string) {
	l.findings = append(l.findings, Finding{s, rule, place, why, source})
}

const (
	docs        = "azure-docs role-based-access-control/"
	ownerRole   = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
	manyOwners  = 3
	storageDocs = "azure-docs storage/blobs/"
)

// limited is a limit of Azure's on how many there may be.
type limited struct {
	most         int
	what, source string
}

var (
	perSubscription    = limited{4000, "role assignments in the subscription", docs + "troubleshoot-limits.md"}
	perManagementGroup = limited{500, "role assignments at the management group", "azure-docs azure-resource-manager/management/azure-subscription-service-limits.md, \"Azure RBAC limits\""}
	perTenant          = limited{5000, "custom roles in the tenant", docs + "custom-roles.md"}
)

// where is the subscription or management group that an assignment counts
// against, and its limit.
func where(s rbac.Scope) (rbac.Scope, limited, bool) {
	if id := s.Subscription(); id != "" {
		return rbac.Scope("/subscriptions/" + id), perSubscription, true
	}
	const groups = "/providers/microsoft.management/managementgroups/"
	if rest, ok := strings.CutPrefix(s.Key(), groups); ok {
		name, _, _ := strings.Cut(rest, "/")
		return rbac.Scope(string(s)[:len(groups)+len(name)]), perManagementGroup, true
	}
	return "", limited{}, false
}
