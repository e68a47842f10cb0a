package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sekisho/rbac"
	"sekisho/rbac/export"
	"sekisho/rbac/review"
)

func rbacDiff() *cobra.Command {
	var add, remove []string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "diff [--add ASSIGNMENT]... [--remove ID]...",
		Short: "Tell what would flip if role assignments came and went",
		Long: `Tell what would flip if role assignments came and went: which principal could do
what where, and could not before, or the other way round. Groups are spread to
their members, and a line stands for everything below its scope.

--add takes what az role assignment list prints, an object or an array, in a file
or as text:

  {"principalId": OBJECT-ID, "roleDefinitionId": ID, "scope": SCOPE}

roleDefinitionName may stand for roleDefinitionId, and a name for an object id.
--remove takes the id of an assignment, or the GUID at its end.`,
		Example: `  sekisho rbac diff --add '{"principalId":"ann@contoso.com","roleDefinitionName":"Reader","scope":"/subscriptions/5b…"}'
  sekisho rbac diff --export tenant/ --remove 0d1c…`,
		Args: cobra.NoArgs,
	}
	from := sourceFlags(cmd)
	f := cmd.Flags()
	f.StringArrayVar(&add, "add", nil, "role assignment in JSON, or a file of them; repeatable")
	f.StringArrayVar(&remove, "remove", nil, "id of a role assignment; repeatable")
	f.BoolVar(&asJSON, "json", false, "one JSON object")
	cmd.MarkFlagsOneRequired("add", "remove")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		e, err := openRBAC(cmd, from.dir, from.data)
		if err != nil {
			return err
		}
		after := e.World
		after.Assignments = slices.Clone(after.Assignments)
		for _, id := range remove {
			if after.Assignments, err = without(after.Assignments, id); err != nil {
				return fmt.Errorf("--remove: %w", err)
			}
		}
		for i, text := range add {
			more, err := readAssignments(e, text)
			if err != nil {
				return fmt.Errorf("--add: %w", err)
			}
			for j := range more {
				if !strings.Contains(text, `"id"`) { // those without an id are new, not one of the world's
					more[j].ID = fmt.Sprintf("added %d.%d", i, j)
				}
			}
			after.Assignments = append(after.Assignments, more...)
		}
		return tellReview(cmd, e, asJSON, review.Diff(e.World, after), drawChanges)
	}
	return cmd
}

// without takes an assignment away, by its id or the GUID at its end.
func without(all []rbac.RoleAssignment, id string) ([]rbac.RoleAssignment, error) {
	var found []int
	for i, a := range all {
		if strings.EqualFold(a.ID, id) || !strings.Contains(id, "/") && strings.EqualFold(a.ID[strings.LastIndexByte(a.ID, '/')+1:], id) {
			found = append(found, i)
		}
	}
	switch len(found) {
	case 0:
		return nil, fmt.Errorf("there is no role assignment %s", id)
	case 1:
		return slices.Delete(all, found[0], found[0]+1), nil
	}
	return nil, fmt.Errorf("%d role assignments end in %s; give the whole id, such as %s", len(found), id, all[found[0]].ID)
}

// readAssignments reads assignments as an export has them, from a file or from
// the text itself; roles by name are those of e.
func readAssignments(e *export.Export, text string) ([]rbac.RoleAssignment, error) {
	raw := []byte(strings.TrimSpace(text))
	if len(raw) == 0 || raw[0] != '{' && raw[0] != '[' {
		var err error
		if raw, err = os.ReadFile(text); err != nil {
			return nil, fmt.Errorf("%q is neither JSON nor a file: %w", text, err)
		}
		raw = bytes.TrimSpace(raw)
	}
	var reply struct{ Value json.RawMessage }
	if bytes.HasPrefix(raw, []byte("{")) && (json.Unmarshal(raw, &reply) != nil || reply.Value == nil) {
		raw = slices.Concat([]byte("["), raw, []byte("]"))
	}
	roles, err := json.Marshal(e.World.Roles)
	if err != nil {
		return nil, err
	}
	added, err := export.Read(files{"role-assignments.json": raw, "role-definitions.json": roles})
	if err != nil {
		return nil, errors.New(strings.TrimPrefix(err.Error(), "role-assignments.json: ")) // it is no such file here
	}
	if len(added.World.Assignments) == 0 {
		return nil, errors.New("there is no role assignment in it")
	}
	for i := range added.World.Assignments {
		a := &added.World.Assignments[i]
		if a.Principal, err = e.Find(a.Principal); err != nil {
			return nil, err
		}
		if a.PrincipalType == "" {
			a.PrincipalType = e.Principals[strings.ToLower(a.Principal)].Type
		}
	}
	return added.World.Assignments, nil
}

// files are files in memory, for reading.
type files map[string][]byte

func (f files) Open(name string) (fs.File, error) {
	raw, ok := f[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &file{name, int64(len(raw)), bytes.NewReader(raw)}, nil
}

type file struct {
	name string
	size int64
	*bytes.Reader
}

func (f *file) Stat() (fs.FileInfo, error) { return f, nil }
func (f *file) Close() error               { return nil }
func (f *file) Name() string               { return f.name }
func (f *file) Size() int64                { return f.size }
func (f *file) Mode() fs.FileMode          { return 0o400 }
func (f *file) ModTime() time.Time         { return time.Time{} }
func (f *file) IsDir() bool                { return false }
func (f *file) Sys() any                   { return nil }
