package management

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/google/uuid"

	"sekisho/internal/access"
	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/entra"
	"sekisho/internal/store"
)

// groupNames is what a management group may be called.
// Source: resource-name-rules.md, Microsoft.Management.
var groupNames = regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9_.()-]{0,88}[a-zA-Z0-9_()-])?$`)

// maxDepth is how many levels of groups there are below the root.
// Source: overview.md, "a management group tree can support up to six levels of depth".
const maxDepth = 6

// ownerRole is the GUID of Owner, which the creator of a group becomes.
const ownerRole = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"

// change is the body of a PUT, and, in its own shape, of a PATCH.
type change struct {
	Properties struct {
		DisplayName *string `json:"displayName"`
		Details     struct {
			Parent struct {
				ID *string `json:"id"`
			} `json:"parent"`
		} `json:"details"`
	} `json:"properties"`
	DisplayName   *string `json:"displayName"`
	ParentGroupID *string `json:"parentGroupId"`
}

func (c change) parent() string {
	for _, p := range []*string{c.Properties.Details.Parent.ID, c.ParentGroupID} {
		if p != nil {
			return strings.TrimSuffix(*p, "/")
		}
	}
	return ""
}

func (c change) displayName() string {
	for _, p := range []*string{c.Properties.DisplayName, c.DisplayName} {
		if p != nil {
			return *p
		}
	}
	return ""
}

// peek reads a body and leaves it for the handler: what the one does not see the
// other does not write.
func peek(call *api.Call) (change, error) {
	raw, err := arm.PeekBody(call)
	if err != nil {
		return change{}, err
	}
	var in change
	if len(bytes.TrimSpace(raw)) > 0 {
		err = arm.ReadBody(call, &in)
		call.Request.Body = io.NopCloser(bytes.NewReader(raw))
	}
	return in, err
}

func (s *Management) put(w http.ResponseWriter, call *api.Call) error {
	return s.write(w, call, true)
}

func (s *Management) patch(w http.ResponseWriter, call *api.Call) error {
	return s.write(w, call, false)
}

func (s *Management) write(w http.ResponseWriter, call *api.Call, create bool) error {
	in, err := peek(call)
	if err != nil {
		return err
	}
	if create && !groupNames.MatchString(call.Var("groupId")) {
		return api.BadRequest("InvalidGroupId", "groupId", "The management group ID '%s' is invalid: 1 to 90 letters, digits, hyphens, underscores, parentheses and periods, beginning with a letter or digit and not ending in a period.", call.Var("groupId"))
	}
	if len(in.displayName()) > 250 {
		return api.BadRequest("InvalidDisplayName", "properties.displayName", "The display name of a management group has at most 250 characters; %d were given.", len(in.displayName()))
	}
	var g access.ManagementGroup
	var tree *access.Tree
	err = s.store.Update(call.Request.Context(), func(tx *store.Tx) error {
		var found bool
		if tree, err = access.LoadTree(tx, call.Caller.Tenant); err != nil {
			return err
		}
		if err := still(call, toWrite(tree, call, in.parent())); err != nil {
			return err
		}
		if g, found = tree.Group(groupID(call)); !found {
			if !create {
				return notFound(call.Var("groupId"))
			}
			g = access.ManagementGroup{ID: groupID(call), Name: call.Var("groupId"), DisplayName: call.Var("groupId")}
		}
		if name := in.displayName(); name != "" {
			g.DisplayName = name
		}
		g.Version, g.UpdatedOn, g.UpdatedBy = g.Version+1, time.Now().UTC(), call.Caller.Object
		err := access.PutGroup(tx, call.Caller.Tenant, g)
		if errors.Is(err, store.ErrExists) {
			return api.Errorf(http.StatusConflict, "Conflict", "The management group ID '%s' is already used.", g.Name)
		}
		if err != nil {
			return err
		}
		if err := s.place(tx, call, tree, g, found, in.parent()); err != nil {
			return err
		}
		if !found {
			if err := s.own(tx, call, g); err != nil {
				return err
			}
		}
		tree, err = access.LoadTree(tx, call.Caller.Tenant)
		return err
	})
	if err != nil {
		return err
	}
	return s.reply(w, call, tree, g)
}

// place puts a group below its parent, if that changes.
func (s *Management) place(tx *store.Tx, call *api.Call, tree *access.Tree, g access.ManagementGroup, found bool, parent string) error {
	old, below := tree.Parent(g.ID)
	switch {
	case !below && parent != "":
		return api.BadRequest("BadRequest", "properties.details.parent.id", "The root management group '%s' can't be moved below another.", g.Name)
	case !below || found && (parent == "" || strings.EqualFold(parent, old.ID)):
		return nil
	case parent == "":
		parent = tree.Root().ID
	}
	target, ok := tree.Group(parent)
	if !ok {
		return api.Errorf(http.StatusNotFound, "ParentNotFound", "The parent management group '%s' of '%s' could not be found.", parent, g.Name)
	}
	if err := fits(tree, g, target); err != nil {
		return err
	}
	return access.PutParent(tx, call.Caller.Tenant, access.Parent{Child: g.ID, Parent: target.ID})
}

// fits refuses a place that would close a circle or be too deep.
func fits(tree *access.Tree, g, target access.ManagementGroup) error {
	above := append([]access.ManagementGroup{target}, tree.Ancestors(target.ID)...)
	for _, up := range above {
		if strings.EqualFold(up.ID, g.ID) {
			return api.BadRequest("BadRequest", "properties.details.parent.id",
				"The management group '%s' can't be moved below '%s', which is itself or below it: management groups make no circle.", g.Name, target.Name)
		}
	}
	if depth := len(above) - 1 + height(tree, g.ID); depth > maxDepth {
		return api.BadRequest("BadRequest", "properties.details.parent.id",
			"The management group '%s' can't be below '%s': the tree would be %d levels deep, and it has at most %d below the root.", g.Name, target.Name, depth, maxDepth)
	}
	return nil
}

// height is how many levels of groups there are from a group down, itself among
// them.
func height(tree *access.Tree, id string) int {
	most := 0
	for _, child := range tree.Children(id) {
		if _, group := tree.Group(child); group {
			most = max(most, height(tree, child))
		}
	}
	return most + 1
}

// own makes the creator of a group its Owner.
// Source: overview.md, "Important facts about management groups".
func (s *Management) own(tx *store.Tx, call *api.Call, g access.ManagementGroup) error {
	kind := entra.TypeServicePrincipal
	if strings.Contains(call.Caller.Name, "@") {
		kind = entra.TypeUser
	}
	now, name := time.Now().UTC(), uuid.NewString()
	return access.Put(tx, call.Caller.Tenant, access.Assignment{ID: g.ID + "/providers/Microsoft.Authorization/roleAssignments/" + name, Name: name, Scope: g.ID, Role: ownerRole,
		PrincipalID: call.Caller.Object, PrincipalType: kind, CreatedOn: now, UpdatedOn: now, CreatedBy: call.Caller.Object, UpdatedBy: call.Caller.Object})
}

// delete answers 204: the clients know 202 and 204, and it is done.
func (s *Management) delete(w http.ResponseWriter, call *api.Call) error {
	err := s.store.Update(call.Request.Context(), func(tx *store.Tx) error {
		tree, err := access.LoadTree(tx, call.Caller.Tenant)
		if err != nil {
			return err
		}
		g, ok := tree.Group(groupID(call))
		switch children := tree.Children(groupID(call)); {
		case !ok:
			return nil
		case strings.EqualFold(g.ID, tree.Root().ID):
			return api.BadRequest("BadRequest", "groupId", "The root management group '%s' can't be deleted.", g.Name)
		case len(children) > 0:
			return api.BadRequest("BadRequest", "groupId", "The management group '%s' can't be deleted while it has children: move or delete '%s' first.", g.Name, strings.Join(children, "', '"))
		}
		return s.access.DeleteGroup(tx, g.ID)
	})
	if err != nil {
		return err
	}
	arm.WriteHeaders(w, call)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Management) addSubscription(w http.ResponseWriter, call *api.Call) error {
	sub, err := s.arm.Find(call.Request.Context(), subscriptionID(call))
	if err != nil {
		return err
	}
	var g access.ManagementGroup
	err = s.store.Update(call.Request.Context(), func(tx *store.Tx) error {
		tree, err := access.LoadTree(tx, sub.Tenant)
		if err != nil {
			return err
		}
		var ok bool
		if g, ok = tree.Group(groupID(call)); !ok {
			return notFound(call.Var("groupId"))
		}
		if err := still(call, toMove(tree, call)); err != nil {
			return err
		}
		return access.PutParent(tx, sub.Tenant, access.Parent{Child: sub.ID, Parent: g.ID})
	})
	if err != nil {
		return err
	}
	view, err := subscriptionView(sub, g)
	if err != nil {
		return err
	}
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, http.StatusOK, view)
}

// removeSubscription takes a subscription out of a group, back below the root.
func (s *Management) removeSubscription(w http.ResponseWriter, call *api.Call) error {
	sub, err := s.arm.Find(call.Request.Context(), subscriptionID(call))
	if err != nil {
		return err
	}
	status := http.StatusOK
	err = s.store.Update(call.Request.Context(), func(tx *store.Tx) error {
		tree, err := access.LoadTree(tx, sub.Tenant)
		if err != nil {
			return err
		}
		if _, ok := tree.Group(groupID(call)); !ok {
			return notFound(call.Var("groupId"))
		}
		if old, _ := tree.Parent(sub.ID); !strings.EqualFold(old.ID, groupID(call)) {
			status = http.StatusNoContent
			return nil
		}
		if err := still(call, toMove(tree, call)); err != nil {
			return err
		}
		return access.PutParent(tx, sub.Tenant, access.Parent{Child: sub.ID, Parent: tree.Root().ID})
	})
	if err != nil {
		return err
	}
	arm.WriteHeaders(w, call)
	w.WriteHeader(status)
	return nil
}

func notFound(name string) error {
	return api.Errorf(http.StatusNotFound, "NotFound", "The management group '%s' could not be found.", name)
}
