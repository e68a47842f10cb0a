package rbac

// ForPeople tells by what a role says of itself whether people may be advised to
// take it: it is neither deprecated, nor made for a service of Microsoft's.
func (r RoleDefinition) ForPeople() bool { return !r.notForPeople() }
