package builtin

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"sekisho/rbac"
)

//go:embed roles.json.gz
var packed []byte

// Roles lists the built-in roles, by name. The list is the caller's; what the
// definitions point to is shared and may not be changed.
func Roles() []rbac.RoleDefinition { return slices.Clone(roles()) }

// Find gives the role with this GUID, current name or former name, in any case.
func Find(nameOrGUID string) (rbac.RoleDefinition, bool) {
	key := strings.ToLower(nameOrGUID)
	if guid, ok := formerNames[key]; ok {
		key = guid
	}
	i, ok := index()[key]
	if !ok {
		return rbac.RoleDefinition{}, false
	}
	return roles()[i], true
}

// formerNames are names, in lower case, that documents and scripts still use.
var formerNames = map[string]string{
	"azure ai user":            "53ca6127-db72-4b80-b1b0-d745d6d5456d", // Foundry User
	"azure ai project manager": "eadc314b-1a2d-4efa-be10-5d325db5065e", // Foundry Project Manager
	"azure ai account owner":   "e47c6f54-e4a2-4754-9501-8e0985b135e1", // Foundry Account Owner
	"azure ai owner":           "c883944f-8b7b-4483-af10-35834be79c4a", // Foundry Owner
}

var roles = sync.OnceValue(func() []rbac.RoleDefinition {
	roles, err := decode(packed)
	if err != nil {
		panic(fmt.Sprintf("builtin: the embedded roles.json.gz is broken: %v", err))
	}
	return roles
})

func decode(packed []byte) ([]rbac.RoleDefinition, error) {
	unpacked, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	var roles []rbac.RoleDefinition
	if err := json.NewDecoder(unpacked).Decode(&roles); err != nil {
		return nil, err
	}
	for i := range roles {
		roles[i].Type = rbac.BuiltInRole
	}
	return roles, nil
}

var index = sync.OnceValue(func() map[string]int {
	index := map[string]int{}
	for i, r := range roles() {
		index[strings.ToLower(r.Name)] = i
		index[strings.ToLower(r.RoleName)] = i
	}
	return index
})
