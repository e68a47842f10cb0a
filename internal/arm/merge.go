package arm

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"strings"
)

// change gives the resource that a client asks for; old is nil where there is
// none. It may be called more than once.
type change func(old *Resource) (*Resource, error)

// readChange reads the body of a PUT or PATCH. gate's question for linked
// scopes and the handler both read it here: what the one does not see the other
// does not write.
func readChange(method string, body []byte) (change, error) {
	if method != http.MethodPatch {
		var in Resource
		if err := decodeBody(body, &in); err != nil {
			return nil, err
		}
		return func(*Resource) (*Resource, error) { fresh := in; return &fresh, nil }, nil
	}
	var patch map[string]any
	if err := decodeBody(body, &patch); err != nil {
		return nil, err
	}
	return func(old *Resource) (*Resource, error) {
		if old == nil {
			return nil, errAbsent
		}
		return merge(old, patch)
	}, nil
}

// merge applies a JSON merge patch (RFC 7396) to what a client may change. A
// member that is null is as if it were not there, and tags are replaced as a
// whole, as ARM does.
func merge(old *Resource, patch map[string]any) (*Resource, error) {
	raw, err := json.Marshal(old)
	if err != nil {
		return nil, err
	}
	var current map[string]any
	if err := decodeBody(raw, &current); err != nil {
		return nil, err
	}
	for _, field := range []string{"tags", "sku", "identity", "properties", "kind", "managedBy"} {
		value := patch[field]
		switch {
		case value == nil:
		case field == "tags":
			current[field] = value
		case field == "identity":
			current[field] = mergeIdentity(current[field], value)
		default:
			current[field] = mergeValue(current[field], value)
		}
	}
	if raw, err = json.Marshal(current); err != nil {
		return nil, err
	}
	merged := &Resource{}
	return merged, decodeBody(raw, merged)
}

// mergeIdentity lets a PATCH take all user-assigned identities away by a type
// that has none, and name those that are there in any case.
func mergeIdentity(old, patch any) any {
	given, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	before, _ := old.(map[string]any)
	users, named := given["userAssignedIdentities"].(map[string]any)
	if named {
		given = maps.Clone(given)
		given["userAssignedIdentities"] = respell(users, before["userAssignedIdentities"])
	}
	merged := mergeValue(old, given).(map[string]any)
	if kind, _ := given["type"].(string); kind != "" && !named && !strings.Contains(strings.ToLower(kind), "userassigned") {
		delete(merged, "userAssignedIdentities")
	}
	return merged
}

// respell gives ids the spelling that they have in old.
func respell(ids map[string]any, old any) map[string]any {
	known, _ := old.(map[string]any)
	spelling := map[string]string{}
	for id := range known {
		spelling[strings.ToLower(id)] = id
	}
	out := map[string]any{}
	for id, value := range ids {
		if s, ok := spelling[strings.ToLower(id)]; ok {
			id = s
		}
		out[id] = value
	}
	return out
}

func mergeValue(old, patch any) any {
	p, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	merged := map[string]any{}
	if o, ok := old.(map[string]any); ok {
		maps.Copy(merged, o)
	}
	for k, v := range p {
		if v == nil {
			delete(merged, k)
		} else {
			merged[k] = mergeValue(merged[k], v)
		}
	}
	return merged
}

// isNull tells whether a JSON value is absent or null.
func isNull(raw json.RawMessage) bool {
	return len(raw) == 0 || bytes.Equal(raw, []byte("null"))
}
