package management

import (
	"net/http"
	"strings"

	"sekisho/internal/access"
	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/rbac"
)

func (s *Management) get(w http.ResponseWriter, call *api.Call) error {
	tree, g, err := s.named(call)
	if err != nil {
		return err
	}
	return s.reply(w, call, tree, g)
}

// reply shows a group, with what $expand asks for.
func (s *Management) reply(w http.ResponseWriter, call *api.Call, tree *access.Tree, g access.ManagementGroup) error {
	query := call.Request.URL.Query()
	details := map[string]any{"version": g.Version, "updatedBy": g.UpdatedBy}
	if !g.UpdatedOn.IsZero() {
		details["updatedTime"] = g.UpdatedOn
	}
	above := tree.Ancestors(g.ID)
	if len(above) > 0 {
		details["parent"] = map[string]any{"id": above[0].ID, "name": above[0].Name, "displayName": above[0].DisplayName}
	}
	properties := map[string]any{"tenantId": call.Caller.Tenant, "displayName": g.DisplayName, "details": details}
	switch expand := strings.ToLower(query.Get("$expand")); expand {
	case "":
	case "children":
		children, err := s.children(call, tree, g.ID, strings.EqualFold(query.Get("$recurse"), "true"))
		if err != nil {
			return err
		}
		properties["children"] = children
	case "path", "ancestors":
		chain := []any{}
		for _, up := range above {
			chain = append(chain, map[string]string{"name": up.Name, "displayName": up.DisplayName})
		}
		details[map[string]string{"path": "path", "ancestors": "managementGroupAncestorsChain"}[expand]] = chain
	default:
		return api.BadRequest("InvalidExpand", "$expand", "The $expand '%s' is invalid: it is children, path or ancestors.", query.Get("$expand"))
	}
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, http.StatusOK, map[string]any{"id": g.ID, "type": typeName, "name": g.Name, "properties": properties})
}

// children are what is right below a group, or all of it.
func (s *Management) children(call *api.Call, tree *access.Tree, id string, recurse bool) ([]any, error) {
	all := []any{}
	for _, child := range tree.Children(id) {
		if g, ok := tree.Group(child); ok {
			view := map[string]any{"type": typeName, "id": g.ID, "name": g.Name, "displayName": g.DisplayName}
			if recurse {
				below, err := s.children(call, tree, g.ID, true)
				if err != nil {
					return nil, err
				}
				view["children"] = below
			}
			all = append(all, view)
			continue
		}
		sub, p, err := s.findSubscription(call, child)
		if err != nil {
			return nil, err
		}
		all = append(all, map[string]any{"type": "/subscriptions", "id": sub.ID, "name": sub.Name, "displayName": p.DisplayName})
	}
	return all, nil
}

// named finds the group that the path names, in the tenant's tree.
func (s *Management) named(call *api.Call) (*access.Tree, access.ManagementGroup, error) {
	tree, err := s.tree(call.Request.Context(), call.Caller.Tenant)
	if err != nil {
		return nil, access.ManagementGroup{}, err
	}
	g, ok := tree.Group(groupID(call))
	if !ok {
		return nil, g, notFound(call.Var("groupId"))
	}
	return tree, g, nil
}

func (s *Management) findSubscription(call *api.Call, id string) (*arm.Resource, arm.Subscription, error) {
	sub, err := s.arm.Find(call.Request.Context(), id)
	if err != nil {
		return nil, arm.Subscription{}, err
	}
	p, err := arm.DecodeProperties[arm.Subscription](sub)
	return sub, p, err
}

// descendants is the same as a flat list.
func (s *Management) descendants(w http.ResponseWriter, call *api.Call) error {
	tree, g, err := s.named(call)
	if err != nil {
		return err
	}
	nodes, err := s.nodes(call, tree, g)
	if err != nil {
		return err
	}
	var views []any
	for _, n := range nodes {
		views = append(views, map[string]any{"id": n.id, "type": n.kind, "name": n.name,
			"properties": map[string]any{"displayName": n.displayName, "parent": map[string]string{"id": n.parent.ID}}})
	}
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, http.StatusOK, arm.ListReply(views, ""))
}

// node is a group or subscription somewhere below a group.
type node struct {
	id, kind, name, displayName string
	parent                      access.ManagementGroup
}

func (s *Management) nodes(call *api.Call, tree *access.Tree, g access.ManagementGroup) (all []node, err error) {
	for _, child := range tree.Children(g.ID) {
		if below, ok := tree.Group(child); ok {
			more, err := s.nodes(call, tree, below)
			if err != nil {
				return nil, err
			}
			all = append(append(all, node{below.ID, typeName, below.Name, below.DisplayName, g}), more...)
			continue
		}
		sub, p, err := s.findSubscription(call, child)
		if err != nil {
			return nil, err
		}
		all = append(all, node{sub.ID, "/subscriptions", sub.Name, p.DisplayName, g})
	}
	return all, nil
}

// list gives the groups that the caller may read.
func (s *Management) list(w http.ResponseWriter, call *api.Call) error {
	nodes, err := s.visible(call)
	if err != nil {
		return err
	}
	var views []any
	for _, n := range nodes {
		if n.kind == typeName {
			views = append(views, map[string]any{"id": n.id, "type": n.kind, "name": n.name,
				"properties": map[string]any{"tenantId": call.Caller.Tenant, "displayName": n.displayName}})
		}
	}
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, http.StatusOK, arm.ListReply(views, ""))
}

// entities are the groups and subscriptions that the caller may read.
func (s *Management) entities(w http.ResponseWriter, call *api.Call) error {
	nodes, err := s.visible(call)
	if err != nil {
		return err
	}
	var views []any
	for _, n := range nodes {
		var parent any
		if n.parent.ID != "" {
			parent = map[string]string{"id": n.parent.ID}
		}
		views = append(views, map[string]any{"id": n.id, "type": n.kind, "name": n.name,
			"properties": map[string]any{"tenantId": call.Caller.Tenant, "displayName": n.displayName, "parent": parent}})
	}
	reply := arm.ListReply(views, "")
	reply["count"] = len(views)
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, http.StatusOK, reply)
}

// visible are the root and all below it that the caller may read.
func (s *Management) visible(call *api.Call) (seen []node, err error) {
	tree, err := s.tree(call.Request.Context(), call.Caller.Tenant)
	if err != nil {
		return nil, err
	}
	root := tree.Root()
	all, err := s.nodes(call, tree, root)
	if err != nil {
		return nil, err
	}
	for _, n := range append([]node{{id: root.ID, kind: typeName, name: root.Name, displayName: root.DisplayName}}, all...) {
		action := typeName + "/read"
		if n.kind != typeName {
			action = "Microsoft.Resources/subscriptions/read"
		}
		if call.Can(api.Check{Scope: rbac.Scope(n.id), Action: action}) {
			seen = append(seen, n)
		}
	}
	return seen, nil
}

func (s *Management) subscriptions(w http.ResponseWriter, call *api.Call) error {
	return s.replySubscriptions(w, call, func(views []any) any { return arm.ListReply(views, "") }, "")
}

func (s *Management) subscription(w http.ResponseWriter, call *api.Call) error {
	return s.replySubscriptions(w, call, func(views []any) any { return views[0] }, subscriptionID(call))
}

// replySubscriptions shows the subscriptions right below a group, or the one of
// them that only names.
func (s *Management) replySubscriptions(w http.ResponseWriter, call *api.Call, body func([]any) any, only string) error {
	tree, g, err := s.named(call)
	if err != nil {
		return err
	}
	var views []any
	for _, child := range tree.Children(g.ID) {
		if _, group := tree.Group(child); group || only != "" && !strings.EqualFold(only, child) {
			continue
		}
		sub, err := s.arm.Find(call.Request.Context(), child)
		if err != nil {
			return err
		}
		view, err := subscriptionView(sub, g)
		if err != nil {
			return err
		}
		views = append(views, view)
	}
	if only != "" && len(views) == 0 {
		return api.Errorf(http.StatusNotFound, "NotFound", "The subscription '%s' is not in the management group '%s'.", call.Var("subscriptionId"), g.Name)
	}
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, http.StatusOK, body(views))
}

func subscriptionView(sub *arm.Resource, g access.ManagementGroup) (map[string]any, error) {
	p, err := arm.DecodeProperties[arm.Subscription](sub)
	return map[string]any{"id": g.ID + "/subscriptions/" + sub.Name, "type": typeName + "/subscriptions", "name": sub.Name,
		"properties": map[string]any{"tenant": sub.Tenant, "displayName": p.DisplayName, "state": p.State, "parent": map[string]string{"id": g.ID}}}, err
}

func (s *Management) checkName(w http.ResponseWriter, call *api.Call) error {
	var in struct {
		Name string `json:"name"`
		Type string `json:"type"`
	}
	if err := arm.ReadBody(call, &in); err != nil {
		return err
	}
	tree, err := s.tree(call.Request.Context(), call.Caller.Tenant)
	if err != nil {
		return err
	}
	reply := map[string]any{"nameAvailable": true, "reason": nil, "message": nil}
	if !groupNames.MatchString(in.Name) {
		reply = map[string]any{"nameAvailable": false, "reason": "Invalid", "message": "The name '" + in.Name + "' is not one that a management group may have."}
	} else if _, taken := tree.Group(access.GroupPrefix + in.Name); taken {
		reply = map[string]any{"nameAvailable": false, "reason": "AlreadyExists", "message": "The management group '" + in.Name + "' already exists."}
	}
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, http.StatusOK, reply)
}
