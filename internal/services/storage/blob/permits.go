package blob

import (
	"context"
	"fmt"
	"strings"

	"sekisho/internal/store"
)

// Need is what an operation needs of the access control lists.
// Source: azure-docs data-lake-storage-access-control.md, "Common scenarios related
// to ACL permissions"; data-lake-storage-access-control-model.md, "Permissions table".
type Need int

const (
	ToRead      Need = iota // a file, or what is known of a path
	ToList                  // a directory
	ToListAll               // a directory and those in it
	ToWrite                 // to a file that is there, or to make one
	ToCreate                // a path that is not there, or replace it
	ToDelete                // a file, or a directory that is empty
	ToDeleteAll             // a directory with what is in it
	ToOwn                   // what the owner may: change permissions
)

// Permits tells whether the access control lists of a container let a principal do
// something, and what decided. reads tells that they may read all without them.
func (s *Store) Permits(ctx context.Context, at Address, need Need, who Who, reads bool) (ok bool, why string, err error) {
	err = s.docs.View(ctx, func(tx *store.Tx) error {
		c, err := loadContainer(tx, at.Account, at.Container)
		if isNotFound(err) {
			return nil
		}
		if err != nil {
			return err
		}
		if !c.Hierarchical {
			why = "there are no access control lists without a hierarchical namespace"
			return nil
		}
		p := &permitting{tx: tx, container: c, who: who, reads: reads}
		if err := p.ask(strings.Trim(at.Name, "/"), need); err != nil {
			return err
		}
		ok, why = p.refused == "", p.refused
		if ok {
			why = "the access control lists allow it"
		}
		return nil
	})
	return ok, why, err
}

// permitting is the work on one question.
type permitting struct {
	tx        *store.Tx
	container *Container
	who       Who
	reads     bool
	refused   string // what does not let them; empty while everything does
}

func (p *permitting) grants(name string, a *Access, want Permission) {
	if has := a.permits(p.who); has&want != want && p.refused == "" {
		p.refused = fmt.Sprintf("the access control list of /%s gives the principal %s, and %s is needed", name, has, want)
	}
}

func (p *permitting) ask(name string, need Need) error {
	parent, parentName, target, err := p.walk(name)
	if err != nil {
		return err
	}
	read := Read
	if p.reads {
		read = 0
	}
	switch {
	case need == ToOwn:
		p.owns(name, target)
	case name == "" && (need == ToDelete || need == ToDeleteAll):
		p.refused = "the root directory can't be deleted"
	case target == nil && need != ToWrite && need != ToCreate && need != ToDelete && need != ToDeleteAll:
		// Who may look into the directory learns that there is nothing.
	case need == ToRead:
		p.grants(name, target.Access, read)
	case need == ToList:
		p.grants(name, target.Access, read|Execute)
	case need == ToListAll:
		p.grants(name, target.Access, read|Execute)
		return p.folders(name, read|Execute)
	case need == ToWrite && target != nil:
		p.grants(name, target.Access, read|Write)
	default:
		p.grants(parentName, parent, Write|Execute)
		if target != nil {
			p.sticky(parent, name, target)
		}
		if need == ToDeleteAll && target != nil && target.Directory {
			p.grants(name, target.Access, all)
			return p.folders(name, all)
		}
	}
	return nil
}

// walk goes down to a path: every directory on the way must let through. It gives
// the last directory that is there, and the path, nil if there is none. The root is
// a directory, too.
func (p *permitting) walk(name string) (parent *Access, parentName string, target *Blob, err error) {
	parent = p.container.root()
	if name == "" {
		return parent, "", &Blob{Directory: true, Access: parent}, nil
	}
	p.grants("", parent, Execute)
	for i := range len(name) + 1 {
		if i < len(name) && name[i] != '/' {
			continue
		}
		b, err := loadBlob(p.tx, p.container.ID, name[:i], "")
		if err != nil || b == nil {
			return parent, parentName, nil, err
		}
		if i == len(name) {
			return parent, parentName, b, nil
		}
		if !b.Directory {
			return parent, parentName, nil, nil
		}
		p.grants(name[:i], b.Access, Execute)
		parent, parentName = b.Access, name[:i]
	}
	return parent, parentName, nil, nil
}

func (p *permitting) owns(name string, target *Blob) {
	if p.reads {
		p.refused = "" // the way is open
	}
	if target == nil || !p.who.is(target.Access.Owner) {
		p.refused = fmt.Sprintf("the principal is not the owner of /%s", name)
	}
}

// sticky directories let only the owner of a path delete or rename it.
func (p *permitting) sticky(parent *Access, name string, target *Blob) {
	if parent.Sticky && !p.who.is(target.Access.Owner) && !p.who.is(parent.Owner) && p.refused == "" {
		p.refused = fmt.Sprintf("the directory of /%s has the sticky bit, and the principal owns neither", name)
	}
}

// folders asks all directories in a directory.
func (p *permitting) folders(name string, want Permission) error {
	key := store.Key{Name: keyFolder, Value: p.container.ID}
	after := ""
	for p.refused == "" {
		page, err := p.tx.List(kindBlob, store.Query{Key: &key, Prefix: below(p.container.ID, name), After: after, Limit: maxPage})
		if err != nil || len(page) == 0 {
			return err
		}
		after = page[len(page)-1].ID
		for _, record := range page {
			b, err := store.Decode[Blob](record)
			if err != nil {
				return err
			}
			if !b.IsDeleted() {
				p.grants(b.Name, b.Access, want)
			}
		}
	}
	return nil
}
