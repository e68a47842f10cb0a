package review

import (
	"slices"
	"strings"
	"time"

	"sekisho/rbac"
	"sekisho/rbac/internal/text"
)

// Use is a call that was decided: what a line of Sekisho's audit log says of
// it, under the same names in JSON.
type Use struct {
	Time          time.Time  `json:"time"`
	Principal     string     `json:"principal"` // object id
	PrincipalName string     `json:"principalName,omitempty"`
	Method        string     `json:"method,omitempty"`
	Action        string     `json:"action"`
	Data          bool       `json:"data,omitempty"`
	Scope         rbac.Scope `json:"scope"`
	Decision      string     `json:"decision,omitempty"`
	// Assignment is the role assignment that allowed.
	Assignment string `json:"assignment,omitempty"`
}

// counts tells whether the call took a role: it was allowed, to somebody, and
// by an assignment, either the one that it names or one of the world. (A list
// that is filtered by what the caller may see is allowed to all.)
func (r *Review) counts(u Use) bool {
	if u.Principal == "" || u.Action == "" || u.Scope == "" || u.Decision != "Allowed" {
		return false
	}
	return u.Assignment != "" || r.allows(u)
}

func (r *Review) allows(u Use) bool {
	chain, reached := r.chain(u.Scope), r.reach(text.Fold(u.Principal))
	action := text.Fold(u.Action)
	for _, holder := range reached {
		for _, a := range r.byHolder[holder] {
			if slices.Contains(chain, a.key) && a.grants(r, action, u.Data) >= 0 {
				return true
			}
		}
	}
	return false
}

// creates tells whether the call may have made what it was about: a PUT whose
// action is to write a thing of the scope's own type.
func (u Use) creates() bool {
	if !strings.EqualFold(u.Method, "PUT") || u.Data {
		return false
	}
	id, err := rbac.ParseID(string(u.Scope))
	return err == nil && strings.EqualFold(u.Action, id.Type()+"/write")
}

// assignable is the scope at or next above s at which a role can be assigned
// before the calls are made: not within what they make themselves, and not
// below a "locations", which names no resource.
func assignable(s rbac.Scope, made map[string]bool) rbac.Scope {
	best := s
	for _, up := range s.Ancestors() {
		if parent, ok := up.Parent(); ok && (made[up.Key()] || isLocation(up)) {
			best = parent
		}
	}
	return best
}

func isLocation(s rbac.Scope) bool {
	key := s.Key()
	at := strings.LastIndexByte(key, '/')
	return at > 0 && strings.HasSuffix(key[:at], "/locations")
}
