package gate

import (
	"sekisho/internal/api"
	"sekisho/rbac/condition"
)

// publicNetwork is what conditions see of a call for which the operation has
// nothing to say: one for all calls, so that it costs them nothing.
var publicNetwork = &api.Attributes{Get: environment}

// withEnvironment adds the attributes of the environment to those of the
// request. UtcNow is not among them: rbac takes it from the clock that it
// decides by.
func withEnvironment(given *api.Attributes) *api.Attributes {
	if given == nil {
		return publicNetwork
	}
	all := &api.Attributes{SubOperation: given.SubOperation, Get: environment}
	if given.Get != nil {
		all.Get = func(source condition.Source, key string) (any, bool) {
			if source == condition.Environment {
				return environment(source, key)
			}
			return given.Get(source, key)
		}
	}
	return all
}

// environment is the way in that a call took. No call comes over a private
// endpoint, for there are none yet; what does not exist has no attribute.
// Source: azure-docs role-based-access-control/conditions-format.md, "Environment attributes".
func environment(source condition.Source, key string) (any, bool) {
	if source == condition.Environment && key == "isprivatelink" {
		return false, true
	}
	return nil, false
}
