package rbac

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"sekisho/rbac/internal/text"
)

// ID is an Azure resource id taken apart. The zero ID is the tenant root.
type ID struct {
	Subscription  string
	ResourceGroup string
	// Parent is what the id hangs on: for a resource, the scope in front of its
	// last "/providers/" (the resource that an extension extends, a resource
	// group, a subscription, the root); for a resource group its subscription;
	// for a subscription the root. [Scope.Parent] of a child resource is its
	// parent resource instead.
	Parent Scope
	// Provider is the namespace of the resource provider, "Microsoft.Search";
	// empty for the root, a subscription and a resource group.
	Provider string
	// Types and Names pair up, the child last.
	Types, Names []string
}

// ParseID takes an id apart. It is strict: the error names the segment that is
// wrong, counted from 1. Names stay as written; the fixed words are taken in
// any case.
func ParseID(s string) (ID, error) {
	if s == string(Root) {
		return ID{}, nil
	}
	path, ok := strings.CutPrefix(s, "/")
	if !ok {
		return ID{}, fmt.Errorf("resource id %q: it does not start with a slash", s)
	}
	p := idParser{text: s, segments: strings.Split(path, "/")}
	var id ID
	if p.word("subscriptions") {
		id.Subscription = p.name("the subscription")
		id.Parent = Root
		if p.word("resourceGroups") {
			id.Parent = id.Scope()
			id.ResourceGroup = p.name("the resource group")
		}
	}
	for p.more() {
		if !p.word("providers") {
			p.fail(id.due() + " is due")
			break
		}
		parent := id.Scope()
		id.Parent, id.Types, id.Names = parent, nil, nil
		id.Provider = p.name("the namespace of a resource provider")
		for {
			kind := p.name("a resource type of " + id.Provider)
			id.Types = append(id.Types, kind)
			id.Names = append(id.Names, p.name("the name of the "+kind))
			if !p.more() || text.FoldsTo(p.segments[p.next], "providers") {
				break
			}
		}
	}
	if p.err != nil {
		return ID{}, p.err
	}
	return id, nil
}

// ParseScope checks that text is a scope and gives it with the fixed words in
// Azure's spelling.
func ParseScope(text string) (Scope, error) {
	id, err := ParseID(text)
	if err != nil {
		return "", err
	}
	return id.Scope(), nil
}

// Type is the resource type, "Microsoft.Search/searchServices". Subscriptions
// and resource groups have the names that their actions start with.
func (id ID) Type() string {
	switch {
	case id.Provider != "":
		return id.Provider + "/" + strings.Join(id.Types, "/")
	case id.ResourceGroup != "":
		return "Microsoft.Resources/subscriptions/resourceGroups"
	case id.Subscription != "":
		return "Microsoft.Resources/subscriptions"
	}
	return "Microsoft.Resources/tenants"
}

// Name is the last name in the id; empty for the root.
func (id ID) Name() string {
	switch {
	case len(id.Names) > 0:
		return id.Names[len(id.Names)-1]
	case id.ResourceGroup != "":
		return id.ResourceGroup
	}
	return id.Subscription
}

// Scope is the id as a scope.
func (id ID) Scope() Scope { return Scope(id.String()) }

func (id ID) String() string {
	var b strings.Builder
	switch {
	case id.Provider != "":
		if id.Parent != Root {
			b.WriteString(string(id.Parent))
		}
		b.WriteString("/providers/" + id.Provider)
		for i, kind := range id.Types {
			b.WriteString("/" + kind + "/" + id.Names[i])
		}
	case id.ResourceGroup != "":
		b.WriteString("/subscriptions/" + id.Subscription + "/resourceGroups/" + id.ResourceGroup)
	case id.Subscription != "":
		b.WriteString("/subscriptions/" + id.Subscription)
	default:
		return string(Root)
	}
	return b.String()
}

// due is the fixed word that may follow the id.
func (id ID) due() string {
	switch {
	case id.Provider != "", id.ResourceGroup != "":
		return `"providers"`
	case id.Subscription != "":
		return `"resourceGroups" or "providers"`
	}
	return `"subscriptions" or "providers"`
}

// idParser reads segments from left to right and keeps the first error.
type idParser struct {
	text     string
	segments []string
	next     int
	err      error
}

func (p *idParser) more() bool { return p.err == nil && p.next < len(p.segments) }

// word takes the next segment if it is this fixed word.
func (p *idParser) word(word string) bool {
	if !p.more() || !text.FoldsTo(p.segments[p.next], strings.ToLower(word)) {
		return false
	}
	p.next++
	return true
}

// name takes the next segment as what the caller says that it is.
func (p *idParser) name(what string) string {
	if p.err != nil {
		return ""
	}
	if p.next == len(p.segments) {
		p.fail(what + " is due")
		return ""
	}
	segment := p.segments[p.next]
	switch {
	case segment == "":
		p.fail(what + " is due, and may not be empty")
	case text.FoldsTo(segment, "providers"):
		p.fail(what + " is due, and may not be the reserved word")
	case segment == "." || segment == "..":
		p.fail("a URL gives this segment a meaning of its own")
	case strings.ContainsAny(segment, `?#%\`):
		p.fail(`a URL gives one of ?, #, %, \ in it a meaning of its own`)
	case !utf8.ValidString(segment) || strings.ContainsFunc(segment, unicode.IsControl):
		p.fail("it has a control character, or is not UTF-8")
	}
	p.next++
	return segment
}

func (p *idParser) fail(why string) {
	if p.err != nil {
		return
	}
	segment := "the end"
	if p.next < len(p.segments) {
		segment = fmt.Sprintf("%q", p.segments[p.next])
	}
	p.err = fmt.Errorf("resource id %q: segment %d (%s): %s", p.text, p.next+1, segment, why)
}
