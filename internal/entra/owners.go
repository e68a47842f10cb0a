package entra

import "sekisho/internal/store"

// KindOwner is the store's kind of an ownership, whose id is "object/owner":
// owner may change the application, service principal or group.
const KindOwner = "directoryOwner"

// Owner is one ownership.
type Owner struct {
	Object string `json:"object"`
	Owner  string `json:"owner"`
}

// AddOwner makes a principal an owner of an object.
func AddOwner(tx *store.Tx, tenant, object, owner string) error {
	return put(tx, tenant, KindOwner, object+"/"+owner, Owner{object, owner}, nil,
		store.Key{Name: "object", Value: object}, store.Key{Name: "owner", Value: owner})
}

// Remove deletes a principal or an application with all that hangs on it in the
// directory: memberships, ownerships, directory roles, consent. Role assignments of Azure
// stay, as on Azure, which lists them with "Identity not found".
// Source: azure-docs role-based-access-control/troubleshooting.md, "Role
// assignments with identity not found".
func Remove(tx *store.Tx, kind, id string) error {
	for _, edge := range []struct{ kind, key string }{
		{KindMember, "member"}, {KindMember, "group"}, {KindOwner, "owner"}, {KindOwner, "object"}, {KindRoleAssignment, "principal"},
		{KindPermissionGrant, "client"}, {KindPermissionGrant, "principal"}, {KindPermissionGrant, "resource"}, {KindAppRoleAssignment, "principal"}, {KindAppRoleAssignment, "resource"},
	} {
		edges, err := tx.List(edge.kind, store.Query{Key: &store.Key{Name: edge.key, Value: id}})
		if err != nil {
			return err
		}
		for _, e := range edges {
			if err := tx.Delete(edge.kind, e.ID); err != nil {
				return err
			}
		}
	}
	return tx.Delete(kind, id)
}
