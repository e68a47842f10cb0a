package blob

import (
	"fmt"
	"slices"
	"strings"
)

// Superuser owns what was made by no principal of the directory: with an account
// key, or by the service.
const Superuser = "$superuser"

// Permission is a sum of what may be done with a file or a directory.
type Permission uint8

const (
	Execute Permission = 1 << iota
	Write
	Read
	all = Read | Write | Execute
)

// String is the short form, as "r-x".
func (p Permission) String() string {
	text := []byte("---")
	for i, c := range []byte("rwx") {
		if p&(Read>>i) != 0 {
			text[i] = c
		}
	}
	return string(text)
}

// ParsePermission reads the short form.
func ParsePermission(text string) (p Permission, ok bool) {
	if len(text) != 3 {
		return 0, false
	}
	for i := range 3 {
		switch text[i] {
		case "rwx"[i]:
			p |= Read >> i
		case '-':
		default:
			return 0, false
		}
	}
	return p, true
}

// Kinds of entries, in the order that lists have.
const (
	User  = "user"
	Group = "group"
	Mask  = "mask"
	Other = "other"
)

var entryOrder = []string{User, Group, Mask, Other}

// Entry is one of an access control list: what a principal may do, or the owner,
// the owning group and everybody else, which have no id.
type Entry struct {
	Default    bool // for what is made in the directory
	Kind, ID   string
	Permission Permission
}

func (e Entry) String() string {
	text := e.Kind + ":" + e.ID + ":" + e.Permission.String()
	if e.Default {
		text = "default:" + text
	}
	return text
}

// same tells that two entries are about the same principal.
func (e Entry) same(o Entry) bool {
	return e.Default == o.Default && e.Kind == o.Kind && strings.EqualFold(e.ID, o.ID)
}

// ACL is an access control list, in order.
// Source: azure-docs storage/blobs/data-lake-storage-access-control.md.
type ACL []Entry

func (a ACL) String() string {
	words := make([]string, len(a))
	for i, e := range a {
		words[i] = e.String()
	}
	return strings.Join(words, ",")
}

// MarshalText and UnmarshalText keep lists as they are written.
func (a ACL) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (a *ACL) UnmarshalText(text []byte) (err error) {
	*a, err = ParseACL(string(text))
	return err
}

// maxEntries is how many entries an access ACL has, and a default one. Source:
// azure-docs includes/azure-storage-data-lake-rbac-acl-limits.md.
const maxEntries = 32

// ParseACL reads "[default:]kind:id:rwx", with commas between.
func ParseACL(text string) (ACL, error) { return parseACL(text, true) }

// ParseRemoval reads entries that are to be removed, which have no permissions.
func ParseRemoval(text string) (ACL, error) { return parseACL(text, false) }

func parseACL(text string, permissions bool) (list ACL, err error) {
	for word := range strings.SplitSeq(text, ",") {
		word = strings.TrimSpace(word)
		parts := strings.Split(word, ":")
		e := Entry{}
		if e.Default = parts[0] == "default"; e.Default {
			parts = parts[1:]
		}
		want := 2
		if permissions {
			want = 3
		}
		if len(parts) < 1 || len(parts) > want || permissions && len(parts) != want {
			return nil, fmt.Errorf("the entry %q has not the form [default:]kind:id:permissions", word)
		}
		e.Kind = parts[0]
		if len(parts) > 1 {
			e.ID = parts[1]
		}
		ok := slices.Contains(entryOrder, e.Kind) && (e.ID == "" || e.Kind == User || e.Kind == Group)
		if ok && permissions {
			e.Permission, ok = ParsePermission(parts[2])
		}
		switch {
		case !ok:
			return nil, fmt.Errorf("the entry %q is none of user, group, mask and other with permissions such as r-x", word)
		case slices.ContainsFunc(list, e.same):
			return nil, fmt.Errorf("the entry %q is there twice", word)
		}
		list = append(list, e)
	}
	return list.sorted(), nil
}

func (a ACL) sorted() ACL {
	rank := func(e Entry) int {
		n := slices.Index(entryOrder, e.Kind) * 2
		if e.ID != "" {
			n++
		}
		if e.Default {
			n += 100
		}
		return n
	}
	slices.SortStableFunc(a, func(x, y Entry) int { return rank(x) - rank(y) })
	return a
}

// part is the list's access entries, or its default ones.
func (a ACL) part(ofDefault bool) ACL {
	return slices.DeleteFunc(slices.Clone(a), func(e Entry) bool { return e.Default != ofDefault })
}

// find is the permission of an entry without an id, unless it is a principal's.
func (a ACL) find(ofDefault bool, kind string) (Permission, bool) {
	i := slices.IndexFunc(a, Entry{Default: ofDefault, Kind: kind}.same)
	if i < 0 {
		return 0, false
	}
	return a[i].Permission, true
}

// With gives the list with entries put in place of those about the same principal.
func (a ACL) With(entries ...Entry) ACL {
	out := a.Without(entries...)
	return append(out, entries...).sorted()
}

// Without gives the list without the entries about the same principals.
func (a ACL) Without(entries ...Entry) ACL {
	return slices.DeleteFunc(slices.Clone(a), func(e Entry) bool { return slices.ContainsFunc(entries, e.same) })
}

// extended tells whether there is more than owner, owning group and the others.
func (a ACL) extended() bool {
	return slices.ContainsFunc(a, func(e Entry) bool { return e.Default || e.ID != "" || e.Kind == Mask })
}

// Complete holds a list against the rules, and adds what follows from the rest: a
// mask where principals are named, and default entries for owner, group and others.
func (a ACL) Complete(directory bool) (ACL, error) {
	for _, kind := range []string{User, Group, Other} {
		if _, ok := a.find(false, kind); !ok {
			return nil, fmt.Errorf("the entry %s:: is missing", kind)
		}
	}
	defaults := a.part(true)
	if len(defaults) > 0 && !directory {
		return nil, fmt.Errorf("a file has no default entries")
	}
	if len(defaults) > 0 {
		for _, kind := range []string{User, Group, Other} {
			if _, ok := a.find(true, kind); !ok {
				p, _ := a.find(false, kind)
				a = a.With(Entry{Default: true, Kind: kind, Permission: p})
			}
		}
	}
	for _, ofDefault := range []bool{false, true} {
		part := a.part(ofDefault)
		if len(part) > maxEntries {
			return nil, fmt.Errorf("there are %d entries, and at most %d are allowed", len(part), maxEntries)
		}
		if _, ok := part.find(ofDefault, Mask); ok || !slices.ContainsFunc(part, func(e Entry) bool { return e.ID != "" }) {
			continue
		}
		mask := Permission(0)
		for _, e := range part {
			if e.ID != "" || e.Kind == Group {
				mask |= e.Permission
			}
		}
		a = a.With(Entry{Default: ofDefault, Kind: Mask, Permission: mask})
	}
	return a, nil
}
