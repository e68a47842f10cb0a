package graph

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"sekisho/internal/api"
	"sekisho/internal/entra"
	"sekisho/internal/store"
)

// addMember puts a principal into a group.
// Source: group-post-members.md.
func addMember(tx *store.Tx, tenant, group, member string) error {
	member, err := referable(tx, tenant, group, member, "members")
	if err != nil {
		return err
	}
	if _, err := tx.Get(entra.KindMember, group+"/"+member); !errors.Is(err, store.ErrNotFound) {
		return cmp.Or(err, alreadyThere("members"))
	}
	return entra.AddMember(tx, tenant, group, member)
}

// addOwner makes a principal an owner of an object.
// Source: group-post-owners.md, application-post-owners.md.
func addOwner(tx *store.Tx, tenant, object, owner string) error {
	owner, err := referable(tx, tenant, object, owner, "owners")
	if err != nil {
		return err
	}
	if _, err := tx.Get(entra.KindOwner, object+"/"+owner); !errors.Is(err, store.ErrNotFound) {
		return cmp.Or(err, alreadyThere("owners"))
	}
	return entra.AddOwner(tx, tenant, object, owner)
}

// alreadyThere: as in azure-docs-powershell-azuread#167.
func alreadyThere(property string) error {
	return api.BadRequest("Request_BadRequest", property, "One or more added object references already exist for the following modified properties: '%s'.", property)
}

// referable finds what may be a member or an owner, and gives its id as kept: a
// user or a service principal, and for members a group.
// Source: the text is azure-cli#12946's.
func referable(tx *store.Tx, tenant, object, id, property string) (string, error) {
	record, err := findObject(tx, tenant, id)
	if err != nil {
		return "", err
	}
	kind := collectionOf(record.Kind).odataType
	if record.Kind == entra.KindApplication || record.Kind == entra.KindGroup && property == "owners" {
		kind = strings.ToUpper(kind[:1]) + kind[1:]
		return "", api.BadRequest("Request_BadRequest", property, "The reference target '%s_%s' of type '%s' is invalid for the '%s' reference.", kind, record.ID, kind, property)
	}
	if strings.EqualFold(record.ID, object) {
		return "", api.BadRequest("Request_BadRequest", property, "The object '%s' can't be among its own %s.", record.ID, property)
	}
	return record.ID, nil
}

// linked reads the object id of a body {"@odata.id": "…/directoryObjects/{id}"}.
func linked(b *body) (string, error) {
	var link string
	b.text("@odata.id", &link, maxText)
	id, ok := referenced(link)
	if !ok {
		b.fail(api.BadRequest("Request_BadRequest", "@odata.id", "Invalid URL format specified in @odata.id for $ref: '%s'.", link))
	}
	return id, b.done()
}

func (s *Graph) addReference(add func(tx *store.Tx, tenant, object, id string) error) itemHandler {
	return func(w http.ResponseWriter, call *api.Call, t target) error {
		b, err := readBody(call, "ReferenceLink", false)
		if err != nil {
			return err
		}
		id, err := linked(b)
		if err != nil {
			return err
		}
		err = s.store.Update(call.Request.Context(), func(tx *store.Tx) error {
			record, err := t.find(tx, call)
			if err != nil {
				return err
			}
			return add(tx, record.Tenant, record.ID, id)
		})
		if err != nil {
			return err
		}
		return noContent(w, call)
	}
}

// removeReference takes a member out, or an owner.
// Source: group-delete-members.md, application-delete-owners.md.
func (s *Graph) removeReference(kind string) itemHandler {
	return func(w http.ResponseWriter, call *api.Call, t target) error {
		id := call.Var("member")
		if uuid.Validate(id) != nil {
			return api.BadRequest("Request_BadRequest", "id", "Invalid object identifier '%s'.", id)
		}
		err := s.store.Update(call.Request.Context(), func(tx *store.Tx) error {
			record, err := t.find(tx, call)
			if err != nil {
				return err
			}
			err = tx.Delete(kind, record.ID+"/"+id)
			if errors.Is(err, store.ErrNotFound) {
				return errNotFound(id)
			}
			return err
		})
		if err != nil {
			return err
		}
		return noContent(w, call)
	}
}

// memberType asks for the permission to write what becomes a member, beside
// that to write the group's members.
// Source: group-post-members.md, Permissions.
func (s *Graph) memberType(call *api.Call, _ target) (needs []api.Permission, err error) {
	b, err := peekBody(call, "Group")
	if err != nil {
		return nil, err
	}
	ids := b.references("members")
	var link string
	if b.text("@odata.id", &link, maxText); link != "" {
		if id, ok := referenced(link); ok {
			ids = append(ids, id)
		}
	}
	if b.err != nil {
		return nil, nil // the handler says what is wrong with it
	}
	err = s.store.View(call.Request.Context(), func(tx *store.Tx) error {
		needs = nil
		for _, id := range ids {
			record, err := findObject(tx, call.Caller.Tenant, id)
			var missing *api.Error
			if errors.As(err, &missing) {
				continue
			}
			if err != nil {
				return err
			}
			own := map[string]string{entra.KindUser: userWriteAll, entra.KindGroup: groupWriteAll, entra.KindServicePrincipal: appWriteAll}[record.Kind]
			needs = append(needs, by(api.AllUsers, permit([]string{own, directoryWriteAll}, updateGroups.DirectoryRoles...)))
		}
		return nil
	})
	return needs, err
}

// relation gives the ids of the objects that stand in a relation to another.
type relation func(tx *store.Tx, id string) ([]string, error)

func members(tx *store.Tx, group string) ([]string, error) {
	return edges(tx, entra.KindMember, "group", group, func(m entra.Member) string { return m.Member })
}

func groups(tx *store.Tx, member string) ([]string, error) {
	return edges(tx, entra.KindMember, "member", member, func(m entra.Member) string { return m.Group })
}

func owners(tx *store.Tx, object string) ([]string, error) {
	return edges(tx, entra.KindOwner, "object", object, func(o entra.Owner) string { return o.Owner })
}

// ownedBy are the objects that a principal owns.
func ownedBy(tx *store.Tx, owner string) ([]string, error) {
	return edges(tx, entra.KindOwner, "owner", owner, func(o entra.Owner) string { return o.Object })
}

func edges[T any](tx *store.Tx, kind, key, id string, end func(T) string) (ids []string, err error) {
	records, err := tx.List(kind, store.Query{Key: &store.Key{Name: key, Value: id}})
	for _, record := range records {
		edge, err := store.Decode[T](record)
		if err != nil {
			return nil, err
		}
		ids = append(ids, end(edge))
	}
	return ids, err
}

// transitively follows a relation to its end. Groups may be in a ring.
func transitively(step relation) relation {
	return func(tx *store.Tx, id string) ([]string, error) {
		var all []string
		seen := map[string]bool{strings.ToLower(id): true}
		for queue := []string{id}; len(queue) > 0; queue = queue[1:] {
			next, err := step(tx, queue[0])
			if err != nil {
				return nil, err
			}
			for _, n := range next {
				if key := strings.ToLower(n); !seen[key] {
					seen[key] = true
					all, queue = append(all, n), append(queue, n)
				}
			}
		}
		return all, nil
	}
}

// related reads the objects in a relation to the target, as Graph shows them.
func (s *Graph) related(call *api.Call, t target, r relation) (all []map[string]any, err error) {
	err = s.store.View(call.Request.Context(), func(tx *store.Tx) error {
		record, err := t.find(tx, call)
		if err != nil {
			return err
		}
		ids, err := r(tx, record.ID)
		all = nil
		for _, id := range ids {
			found, err := findObject(tx, record.Tenant, id)
			var missing *api.Error
			if errors.As(err, &missing) {
				continue
			}
			if err != nil {
				return err
			}
			entity, err := showIn(tx, found)
			if err != nil {
				return err
			}
			entity["@odata.type"] = "#microsoft.graph." + collectionOf(found.Kind).odataType
			all = append(all, entity)
		}
		return err
	})
	return sorted(all), err
}

// memberGroups answers getMemberGroups and, with directory roles, too,
// getMemberObjects: ids of all groups, by nesting, too.
// Source: directoryobject-getmembergroups.md, directoryobject-getmemberobjects.md.
func (s *Graph) memberGroups(roles bool) itemHandler {
	return func(w http.ResponseWriter, call *api.Call, t target) error {
		b, err := readBody(call, "MemberGroups", false)
		if err != nil {
			return err
		}
		securityOnly := false
		b.boolean("securityEnabledOnly", &securityOnly)
		if err := b.done(); err != nil {
			return err
		}
		found, err := s.related(call, t, transitively(groups))
		if err != nil {
			return err
		}
		ids := []string{}
		for _, group := range found {
			if !securityOnly || group["securityEnabled"] == true {
				ids = append(ids, group["id"].(string))
			}
		}
		if roles && !securityOnly {
			held, err := s.rolesOf(call, t)
			if err != nil {
				return err
			}
			for _, role := range held {
				ids = append(ids, role["id"].(string))
			}
		}
		return replyStrings(w, call, ids)
	}
}

// maxCheck is how many groups one call may ask about.
const maxCheck = 20

// checkMemberGroups tells of which of the named groups the target is a member.
// Source: directoryobject-checkmembergroups.md, directoryobject-checkmemberobjects.md.
func (s *Graph) checkMemberGroups(property string) itemHandler {
	return func(w http.ResponseWriter, call *api.Call, t target) error {
		b, err := readBody(call, "CheckMemberGroups", false)
		if err != nil {
			return err
		}
		b.require(property)
		var asked []string
		b.texts(property, &asked, maxCheck)
		if slices.ContainsFunc(asked, func(id string) bool { return uuid.Validate(id) != nil }) {
			b.invalid(property, " It names objects by GUID.")
		}
		if err := b.done(); err != nil {
			return err
		}
		found, err := s.related(call, t, transitively(groups))
		if err != nil {
			return err
		}
		ids := []string{}
		for _, group := range found {
			id := group["id"].(string)
			if slices.ContainsFunc(asked, func(a string) bool { return strings.EqualFold(a, id) }) {
				ids = append(ids, id)
			}
		}
		return replyStrings(w, call, ids)
	}
}

func replyStrings(w http.ResponseWriter, call *api.Call, ids []string) error {
	return reply(w, call, map[string]any{"@odata.context": call.URL("/v1.0/$metadata#Collection(Edm.String)"), "value": ids})
}
