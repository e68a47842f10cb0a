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
	for _, it := range s.items(collections[0]) {
		if it.method == http.MethodDelete {
			continue // there is no such call
		}
		add(it.method, "me"+it.suffix, "me_"+it.name, it.page, api.Permission{}, forUsers(it)).Also = ofUsers(it)
	}
	s.addRows(add)

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

// myself is the target of /me.
func myself(call *api.Call) target { return target{collections[0], "", call.Caller.Object} }

// forUsers answers a call on /me.
// Source: the answer to an application, msgraph-sdk-php#1163.
func forUsers(it item) func(http.ResponseWriter, *api.Call) error {
	return func(w http.ResponseWriter, call *api.Call) error {
		if !call.Caller.User {
			return api.BadRequest("BadRequest", "", "/me request is only valid with delegated authentication flow.")
		}
		return it.handle(w, call, myself(call))
	}
}

// ofUsers asks of a user's token what the call on the user asks for.
func ofUsers(it item) func(*api.Call) ([]api.Permission, error) {
	return func(call *api.Call) ([]api.Permission, error) {
		if !call.Caller.User {
			return nil, nil
		}
		needs := []api.Permission{it.needs}
		if it.also == nil || !has(call, it.needs) {
			return needs, nil
		}
		more, err := it.also(call, myself(call))
		return append(needs, more...), err
	}
}

// items are the calls on one object of a collection.
func (s *Graph) items(c collection) []item {
	var mine func(*api.Call, target) ([]api.Permission, error)
	if c.kind == entra.KindUser {
		mine = s.otherUser
	}
	all := []item{{http.MethodGet, "", "Get", c.page + "-get", c.one, mine, s.get}}
	switch c.kind {
	case entra.KindUser:
		all = append(all,
			item{http.MethodPost, "/revokeSignInSessions", "revokeSignInSessions", "user-revokesigninsessions", revoke, s.revokesOthers, s.revokeSessions},
			item{http.MethodGet, "/ownedObjects", "ListOwnedObjects", "user-list-ownedobjects", readOwn, s.ofOther(readOwnedBy), s.listRelated(ownedBy)},
			item{http.MethodPatch, "", "Update", "user-update", updateUsers, s.userChanges, s.updateUser},
			item{http.MethodDelete, "", "Delete", "user-delete", deleteUsers, s.administrator, s.deleteUser})
	case entra.KindGroup:
		all = append(all,
			item{http.MethodPatch, "", "Update", "group-update", updateGroups, both(s.owned(updateGroups), s.memberType), s.updateGroup},
			item{http.MethodDelete, "", "Delete", "group-delete", deleteGroups, s.owned(deleteGroups), s.deleteGroup},
			item{http.MethodGet, "/members", "ListMembers", "group-list-members", readOneGroup, nil, s.listRelated(members)},
			item{http.MethodGet, "/transitiveMembers", "ListTransitiveMembers", "group-list-transitivemembers", readOneGroup, nil, s.listRelated(transitively(members))},
			item{http.MethodGet, "/members/$count", "CountMembers", "group-list-members", readOneGroup, nil, s.countRelated(members)},
			item{http.MethodGet, "/transitiveMembers/$count", "CountTransitiveMembers", "group-list-transitivemembers", readOneGroup, nil, s.countRelated(transitively(members))},
			item{http.MethodPost, "/members/$ref", "AddMember", "group-post-members", writeMembers, both(s.owned(writeMembers), s.memberType), s.addReference(addMember)},
			item{http.MethodDelete, "/members/{member}/$ref", "RemoveMember", "group-delete-members", writeMembers, s.owned(writeMembers), s.removeReference(entra.KindMember)})
		all = append(all, s.ownerItems("group", readOneGroup, updateGroups, s.owned(updateGroups))...)
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
		all = append(all, s.ownerItems("application", readApplications, writeOwners, both(s.owned(writeOwners), readsDirectory))...)
	case entra.KindServicePrincipal:
		owned := s.owned(writeApplications)
		all = append(all,
			item{http.MethodPatch, "", "Update", "serviceprincipal-update", writePrincipals, s.owned(writePrincipals), s.updatePrincipal},
			item{http.MethodDelete, "", "Delete", "serviceprincipal-delete", writeApplications, owned, s.deletePrincipal},
			item{http.MethodPost, "/addPassword", "addPassword", "serviceprincipal-addpassword", writeApplications, owned, s.addPassword},
			item{http.MethodPost, "/removePassword", "removePassword", "serviceprincipal-removepassword", writeApplications, owned, s.removePassword},
			item{http.MethodGet, "/ownedObjects", "ListOwnedObjects", "serviceprincipal-list-ownedobjects", readApplications, nil, s.listRelated(ownedBy)})
		all = append(all, s.ownerItems("serviceprincipal", readApplications, writeOwners, both(s.owned(writeOwners), readsDirectory))...)
	}
	if c.kind == entra.KindApplication {
		return all // it is no member of anything
	}
	all = append(all, s.consentItems(c)...)
	read, list := s.memberPermissions(c, userRead), s.memberPermissions(c)
	all = append(all, []item{
		{http.MethodPost, "/getMemberGroups", "getMemberGroups", "directoryobject-getmembergroups", list.needs, list.also, s.memberGroups(false)},
		{http.MethodPost, "/getMemberObjects", "getMemberObjects", "directoryobject-getmemberobjects", read.needs, read.also, s.memberGroups(true)},
		{http.MethodPost, "/checkMemberGroups", "checkMemberGroups", "directoryobject-checkmembergroups", list.needs, list.also, s.checkMemberGroups("groupIds")},
		{http.MethodPost, "/checkMemberObjects", "checkMemberObjects", "directoryobject-checkmemberobjects", list.needs, list.also, s.checkMemberGroups("ids")},
	}...)
	if c.kind != "" {
		all = append(all,
			item{http.MethodGet, "/memberOf/$count", "CountMemberOf", c.page + "-list-memberof", read.needs, read.also, s.countMemberships(groups)},
			item{http.MethodGet, "/transitiveMemberOf/$count", "CountTransitiveMemberOf", c.page + "-list-transitivememberof", read.needs, read.also, s.countMemberships(transitively(groups))},
			item{http.MethodGet, "/memberOf", "ListMemberOf", c.page + "-list-memberof", read.needs, read.also, s.listMemberships(groups)},
			item{http.MethodGet, "/transitiveMemberOf", "ListTransitiveMemberOf", c.page + "-list-transitivememberof", read.needs, read.also, s.listMemberships(transitively(groups))})
	}
	return all
}

// both asks for what two ask for.
func both(a, b func(*api.Call, target) ([]api.Permission, error)) func(*api.Call, target) ([]api.Permission, error) {
	return func(call *api.Call, t target) ([]api.Permission, error) {
		needs, err := a(call, t)
		if err != nil || !slices.ContainsFunc(needs, func(p api.Permission) bool { return !has(call, p) }) {
			more, err := b(call, t)
			return append(needs, more...), err
		}
		return needs, nil
	}
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
	return []api.Permission{by(api.AllUsers, permit([]string{directoryReadAll, directoryWriteAll}, writeOwners.DirectoryRoles...))}, nil
}

// memberPermissions are what it takes to read the groups that an object is in:
// of a user, both to read users and to read groups. Of the user who calls, the
// right to read groups is enough, or one of own.
// Source: directoryobject-checkmembergroups.md, user-list-memberof.md, Permissions.
func (s *Graph) memberPermissions(c collection, own ...string) item {
	switch c.kind {
	case entra.KindUser:
		mine := by(api.AllUsers, with(readGroups, own...))
		door := with(mine, readUsers.Scopes...)
		door.Roles, door.DirectoryRoles = readUsers.Roles, slices.Concat(readUsers.DirectoryRoles, readGroups.DirectoryRoles)
		return item{needs: door, also: func(call *api.Call, t target) ([]api.Permission, error) {
			is, err := s.self(call, t)
			switch {
			case is:
				return []api.Permission{mine}, nil
			case err != nil && !isClientError(err):
				return nil, err
			}
			return []api.Permission{readUsers, readGroups}, nil
		}}
	case entra.KindServicePrincipal:
		return item{needs: by(api.Members, without(readApplications, appWriteOwned))}
	}
	return item{needs: c.read}
}
