package blob

import (
	"errors"
	"slices"
	"strconv"
	"strings"
)

// Access is who owns a file or a directory, and what others may do with it.
type Access struct {
	Owner  string `json:"owner"`
	Group  string `json:"group"`
	Sticky bool   `json:"sticky,omitempty"`
	ACL    ACL    `json:"acl"`
}

// plain is an access without named principals.
func plain(owner, group string, user, groups, others Permission) *Access {
	return &Access{Owner: owner, Group: group, ACL: ACL{{Kind: User, Permission: user}, {Kind: Group, Permission: groups}, {Kind: Other, Permission: others}}}
}

// RootAccess is that of a new container's root, made by a principal or, without one,
// by no one of the directory. Source: data-lake-storage-access-control.md,
// "Assigning the owning group for a new file or directory", "The mask".
func RootAccess(by string) *Access {
	by = creator(by)
	return plain(by, by, all, Read|Execute, 0)
}

// Mode is what permissions in octal or symbolic form say.
type Mode struct {
	User, Group, Other Permission
	Sticky             bool
}

var errMode = errors.New("it is neither octal, as 0750, nor symbolic, as rwxr-x---")

// ParseMode reads "0750" or "rwxr-x---", with a t for the sticky bit.
// Source: rest-storageservices datalakestoragegen2/path/create, "x-ms-permissions".
func ParseMode(text string) (m Mode, err error) {
	if n, err := strconv.ParseUint(text, 8, 16); err == nil && len(text) <= 4 && n < 02000 {
		return Mode{Permission(n >> 6 & 7), Permission(n >> 3 & 7), Permission(n & 7), n&01000 != 0}, nil
	}
	text = strings.TrimSuffix(text, "+")
	if len(text) != 9 {
		return m, errMode
	}
	last := text[8]
	m.Sticky = last == 't' || last == 'T'
	plainText := text[:8] + string(last)
	if m.Sticky {
		plainText = text[:8] + map[byte]string{'t': "x", 'T': "-"}[last]
	}
	for i, into := range []*Permission{&m.User, &m.Group, &m.Other} {
		var ok bool
		if *into, ok = ParsePermission(plainText[3*i : 3*i+3]); !ok {
			return m, errMode
		}
	}
	return m, nil
}

// String is the symbolic form.
func (m Mode) String() string {
	text := m.User.String() + m.Group.String() + m.Other.String()
	if m.Sticky {
		last := "T"
		if m.Other&Execute != 0 {
			last = "t"
		}
		text = text[:8] + last
	}
	return text
}

// Without takes the bits of a umask away.
func (m Mode) Without(umask Mode) Mode {
	return Mode{m.User &^ umask.User, m.Group &^ umask.Group, m.Other &^ umask.Other, m.Sticky}
}

// Permissions shows the access as a mode; a plus tells that there is a longer list.
func (a *Access) Permissions() string {
	m := Mode{Sticky: a.Sticky}
	m.User, _ = a.ACL.find(false, User)
	m.Group, _ = a.ACL.find(false, Group)
	m.Other, _ = a.ACL.find(false, Other)
	if mask, ok := a.ACL.find(false, Mask); ok {
		m.Group = mask
	}
	if a.ACL.extended() {
		return m.String() + "+"
	}
	return m.String()
}

// SetMode sets owner, owning group and others; with named principals, the mask
// stands for the group.
func (a *Access) SetMode(m Mode) {
	group := Group
	if _, ok := a.ACL.find(false, Mask); ok {
		group = Mask
	}
	a.Sticky = m.Sticky
	a.ACL = a.ACL.With(Entry{Kind: User, Permission: m.User}, Entry{Kind: group, Permission: m.Group}, Entry{Kind: Other, Permission: m.Other})
}

// Making says what is asked for of a new path's access; nil is the default.
type Making struct {
	Owner, Group string
	Mode, Umask  *Mode
	ACL          ACL
}

// defaultUmask and the default modes: 0027, 0777 and 0666.
// Source: rest-storageservices datalakestoragegen2/path/create, "x-ms-umask".
var (
	defaultUmask  = Mode{0, Write, all, false}
	directoryMode = Mode{all, all, all, false}
	fileMode      = Mode{Read | Write, Read | Write, Read | Write, false}
)

// inherit is the access of what is made in a directory. Where the directory has a
// default list, that is what the new path gets, and the umask has no say.
// Source: data-lake-storage-access-control.md, "Default permissions on new files
// and directories".
func (a *Access) inherit(by string, directory bool, asked Making) *Access {
	mode := fileMode
	if directory {
		mode = directoryMode
	}
	if asked.Mode != nil {
		mode = *asked.Mode
	}
	made := plain(by, a.Group, 0, 0, 0)
	defaults := a.ACL.part(true)
	switch {
	case asked.ACL != nil:
		made.ACL = asked.ACL
	case len(defaults) > 0:
		for i := range defaults {
			defaults[i].Default = false
		}
		had := *made
		had.ACL = defaults
		had.SetMode(Mode{had.masked(User, mode.User), had.masked(Group, mode.Group), had.masked(Other, mode.Other), mode.Sticky})
		made = &had
		if directory {
			made.ACL = made.ACL.With(a.ACL.part(true)...)
		}
	default:
		umask := defaultUmask
		if asked.Umask != nil {
			umask = *asked.Umask
		}
		made.SetMode(mode.Without(umask))
	}
	if asked.Owner != "" {
		made.Owner = asked.Owner
	}
	if asked.Group != "" {
		made.Group = asked.Group
	}
	return made
}

// masked is what is left of a class's permissions under a mode.
func (a *Access) masked(kind string, mode Permission) Permission {
	p, _ := a.ACL.find(false, kind)
	if mask, ok := a.ACL.find(false, Mask); ok && kind == Group {
		p = mask
	}
	return p & mode
}

// Who is a principal, with the groups that it is in.
type Who struct {
	Object string
	Groups []string
}

func (w Who) is(id string) bool { return id != "" && strings.EqualFold(id, w.Object) }

func (w Who) in(id string) bool {
	return id != "" && slices.ContainsFunc(w.Groups, func(g string) bool { return strings.EqualFold(g, id) })
}

// permits tells what a principal may do. Source: data-lake-storage-access-control.md,
// "Access check algorithm"; as there, the mask also bounds the others.
func (a *Access) permits(who Who) Permission {
	if who.is(a.Owner) {
		p, _ := a.ACL.find(false, User)
		return p
	}
	mask, masked := a.ACL.find(false, Mask)
	if !masked {
		mask = all
	}
	groups, member := Permission(0), false
	for _, e := range a.ACL {
		switch {
		case e.Default:
		case e.Kind == User && who.is(e.ID):
			return e.Permission & mask
		case e.Kind == Group && (who.in(e.ID) || e.ID == "" && who.in(a.Group)):
			groups, member = groups|e.Permission, true
		}
	}
	if member {
		return groups & mask
	}
	others, _ := a.ACL.find(false, Other)
	return others & mask
}
