package graph

import (
	"net/http"
	"slices"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/entra"
)

// itemHandler answers a call on one object.
type itemHandler func(w http.ResponseWriter, call *api.Call, t target) error

// item is a call on one object of a collection: the row of /users/{id} and of
// /users('…') alike.
type item struct {
	method, suffix, name, page string
	needs                      api.Permission
	also                       func(*api.Call, target) ([]api.Permission, error)
	handle                     itemHandler
}

// Service is its table.
func (s *Graph) Service() api.Service {
	svc := api.Service{Name: Service, Audiences: []string{"https://graph.microsoft.com", entra.GraphAppID}, MaxBody: maxBody, WriteError: writeError}
	add := func(method, pattern, name, page string, needs api.Permission, handle func(http.ResponseWriter, *api.Call) error) *api.Operation {
		svc.Operations = append(svc.Operations, api.Operation{Method: method, Pattern: "/v1.0/" + pattern, Name: name, Source: source(page), Permission: needs, Handle: handle})
		return &svc.Operations[len(svc.Operations)-1]
	}
	for _, c := range collections {
		add(http.MethodGet, c.path, c.path+"_List", c.page+"-list", c.read, func(w http.ResponseWriter, call *api.Call) error { return s.list(w, call, c) })
	}
	add(http.MethodPost, "applications", "applications_Create", "application-post-applications", createApplications, s.createApplication)
	add(http.MethodPost, "servicePrincipals", "servicePrincipals_Create", "serviceprincipal-post-serviceprincipals", writePrincipals, s.createPrincipal).Also =
		func(call *api.Call) ([]api.Permission, error) { return s.ofOwnApplication(call) }
	add(http.MethodPost, "users", "users_Create", "user-post-users", createUsers, s.createUser)
	add(http.MethodPost, "invitations", "invitations_Create", "invitation-post", inviteGuests, s.invite).Also = s.invitesMember
	add(http.MethodPost, "groups", "groups_Create", "group-post-groups", createGroups, s.createGroup).Also =
		func(call *api.Call) ([]api.Permission, error) { return s.memberType(call, target{}) }
	add(http.MethodPost, "directoryObjects/getByIds", "directoryObjects_getByIds", "directoryobject-getbyids", readDirectory, s.getByIDs)
	add(http.MethodGet, "organization", "organization_List", "organization-list", readOrganization, s.organization)
	for _, path := range []string{"me", "me/ownedObjects", "me/memberOf", "me/transitiveMemberOf"} {
		add(http.MethodGet, path, strings.ReplaceAll(path, "/", "_")+"_Get", "user-get", api.Permission{}, me)
	}

	keyed := map[string][]item{} // by method and suffix
	var order []string
	for _, c := range append(slices.Clone(collections), directoryObjects) {
		for _, it := range s.items(c) {
			op := add(it.method, c.path+"/{id}"+it.suffix, c.path+"_"+it.name, it.page, it.needs,
				func(w http.ResponseWriter, call *api.Call) error {
					return it.handle(w, call, target{c, "", call.Var("id")})
				})
			if it.also != nil {
				op.Also = func(call *api.Call) ([]api.Permission, error) { return it.also(call, target{c, "", call.Var("id")}) }
			}
			if c.kind == "" {
				continue
			}
			it.name = c.path
			row := it.method + " " + it.suffix
			if keyed[row] == nil {
				order = append(order, row)
			}
			keyed[row] = append(keyed[row], it)
		}
	}
	for _, row := range order {
		svc.Operations = append(svc.Operations, keyedRow(keyed[row]))
	}
	return svc
}

// keyedRow is the row for a call on an object that is named by a key in
// parentheses: it needs what the row of the collection needs, which is why the
// items bear the collection's path as their name.
func keyedRow(items []item) api.Operation {
	find := func(call *api.Call) (item, target, error) {
		t, err := keyedTarget(call.Var("entity"))
		if err != nil {
			return item{}, t, err
		}
		i := slices.IndexFunc(items, func(it item) bool { return it.name == t.path })
		if i < 0 {
			return item{}, t, noSegment(lastSegment(call))
		}
		return items[i], t, nil
	}
	suffix := strings.NewReplacer("/", "_", "$", "", "{", "", "}", "").Replace(items[0].suffix)
	return api.Operation{
		Method: items[0].method, Pattern: "/v1.0/{entity}" + items[0].suffix, Source: source("serviceprincipal-get"),
		Name: "directoryObjects_ByKey" + suffix + "_" + items[0].method,
		Also: func(call *api.Call) ([]api.Permission, error) {
			it, t, err := find(call)
			if err != nil {
				return nil, err
			}
			needs := []api.Permission{it.needs}
			if it.also == nil || !has(call, it.needs) {
				return needs, nil
			}
			more, err := it.also(call, t)
			return append(needs, more...), err
		},
		Handle: func(w http.ResponseWriter, call *api.Call) error {
			it, t, err := find(call)
			if err != nil {
				return err
			}
			return it.handle(w, call, t)
		},
	}
}

// items are the calls on one object of a collection.
func (s *Graph) items(c collection) []item {
	all := []item{{http.MethodGet, "", "Get", c.page + "-get", c.read, nil, s.get}}
	switch c.kind {
	case entra.KindUser:
		all = append(all,
			item{http.MethodPatch, "", "Update", "user-update", updateUsers, s.userChanges, s.updateUser},
			item{http.MethodDelete, "", "Delete", "user-delete", deleteUsers, s.administrator, s.deleteUser})
	case entra.KindGroup:
		all = append(all,
			item{http.MethodPatch, "", "Update", "group-update", updateGroups, s.memberType, s.updateGroup},
			item{http.MethodDelete, "", "Delete", "group-delete", deleteGroups, nil, s.deleteGroup},
			item{http.MethodGet, "/members", "ListMembers", "group-list-members", readGroups, nil, s.listRelated(members)},
			item{http.MethodGet, "/transitiveMembers", "ListTransitiveMembers", "group-list-transitivemembers", readGroups, nil, s.listRelated(transitively(members))},
			item{http.MethodPost, "/members/$ref", "AddMember", "group-post-members", writeMembers, s.memberType, s.addReference(addMember)},
			item{http.MethodDelete, "/members/{member}/$ref", "RemoveMember", "group-delete-members", writeMembers, nil, s.removeReference(entra.KindMember)})
		all = append(all, s.ownerItems("group", readGroups, updateGroups, nil)...)
	case entra.KindApplication:
		owned := s.owned(writeApplications)
		all = append(all,
			item{http.MethodPatch, "", "Update", "application-update", writeApplications, owned, s.updateApplication},
			item{http.MethodDelete, "", "Delete", "application-delete", writeApplications, owned, s.deleteApplication},
			item{http.MethodPost, "/addPassword", "addPassword", "application-addpassword", writeApplications, owned, s.addPassword},
			item{http.MethodPost, "/removePassword", "removePassword", "application-removepassword", writeApplications, owned, s.removePassword},
			item{http.MethodGet, "/federatedIdentityCredentials", "ListFederatedIdentityCredentials", "application-list-federatedidentitycredentials", readApplications, nil, s.listFederated},
			item{http.MethodPost, "/federatedIdentityCredentials", "CreateFederatedIdentityCredential", "application-post-federatedidentitycredentials", writeApplications, owned, s.createFederated},
			item{http.MethodGet, "/federatedIdentityCredentials/{credential}", "GetFederatedIdentityCredential", "federatedidentitycredential-get", readApplications, nil, s.getFederated},
			item{http.MethodPatch, "/federatedIdentityCredentials/{credential}", "UpdateFederatedIdentityCredential", "federatedidentitycredential-update", writeApplications, owned, s.updateFederated},
			item{http.MethodDelete, "/federatedIdentityCredentials/{credential}", "DeleteFederatedIdentityCredential", "federatedidentitycredential-delete", writeApplications, owned, s.deleteFederated})
		all = append(all, s.ownerItems("application", readApplications, writeOwners, readsDirectory)...)
	case entra.KindServicePrincipal:
		owned := s.owned(writeApplications)
		all = append(all,
			item{http.MethodPatch, "", "Update", "serviceprincipal-update", writePrincipals, s.owned(writePrincipals), s.updatePrincipal},
			item{http.MethodDelete, "", "Delete", "serviceprincipal-delete", writeApplications, owned, s.deletePrincipal},
			item{http.MethodPost, "/addPassword", "addPassword", "serviceprincipal-addpassword", writeApplications, owned, s.addPassword},
			item{http.MethodPost, "/removePassword", "removePassword", "serviceprincipal-removepassword", writeApplications, owned, s.removePassword})
		all = append(all, s.ownerItems("serviceprincipal", readApplications, writeOwners, readsDirectory)...)
	}
	if c.kind == entra.KindApplication {
		return all // it is no member of anything
	}
	needs, more := memberPermissions(c)
	all = append(all, []item{
		{http.MethodPost, "/getMemberGroups", "getMemberGroups", "directoryobject-getmembergroups", needs, more, s.memberGroups},
		{http.MethodPost, "/getMemberObjects", "getMemberObjects", "directoryobject-getmemberobjects", needs, more, s.memberGroups},
		{http.MethodPost, "/checkMemberGroups", "checkMemberGroups", "directoryobject-checkmembergroups", needs, more, s.checkMemberGroups("groupIds")},
		{http.MethodPost, "/checkMemberObjects", "checkMemberObjects", "directoryobject-checkmemberobjects", needs, more, s.checkMemberGroups("ids")},
	}...)
	if c.kind != "" {
		all = append(all,
			item{http.MethodGet, "/memberOf", "ListMemberOf", c.page + "-list-memberof", needs, more, s.listRelated(groups)},
			item{http.MethodGet, "/transitiveMemberOf", "ListTransitiveMemberOf", c.page + "-list-transitivememberof", needs, more, s.listRelated(transitively(groups))})
	}
	return all
}

func (s *Graph) ownerItems(page string, read, write api.Permission, also func(*api.Call, target) ([]api.Permission, error)) []item {
	return []item{
		{http.MethodGet, "/owners", "ListOwners", page + "-list-owners", read, nil, s.listRelated(owners)},
		{http.MethodPost, "/owners/$ref", "AddOwner", page + "-post-owners", write, also, s.addReference(addOwner)},
		{http.MethodDelete, "/owners/{member}/$ref", "RemoveOwner", page + "-delete-owners", write, also, s.removeReference(entra.KindOwner)},
	}
}

// readsDirectory asks for the right to read what becomes an owner, beside that
// to write owners.
// Source: application-post-owners.md, Permissions.
func readsDirectory(*api.Call, target) ([]api.Permission, error) {
	return []api.Permission{permit([]string{directoryReadAll, directoryWriteAll}, writeOwners.DirectoryRoles...)}, nil
}

// memberPermissions are what it takes to read the groups that an object is in:
// of a user, both to read users and to read groups.
// Source: directoryobject-checkmembergroups.md, Permissions.
func memberPermissions(c collection) (api.Permission, func(*api.Call, target) ([]api.Permission, error)) {
	switch c.kind {
	case entra.KindUser:
		return readUsers, func(*api.Call, target) ([]api.Permission, error) { return []api.Permission{readGroups}, nil }
	case entra.KindServicePrincipal:
		return without(readApplications, appWriteOwned), nil
	}
	return c.read, nil
}
