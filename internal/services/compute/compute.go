// Package compute is Microsoft.Compute as far as a managed identity needs it:
// virtual machines exist as resources that bear identities. No machine runs;
// `sekisho run --vm` runs a command as if on one.
package compute

import (
	"regexp"
	"slices"
	"strings"

	"github.com/google/uuid"

	"sekisho/internal/arm"
)

// VirtualMachine is the type's name.
const VirtualMachine = "Microsoft.Compute/virtualMachines"

// Types are the resource types of Microsoft.Compute.
func Types() []*arm.Type {
	return []*arm.Type{{
		Name: VirtualMachine, Versions: []string{"2024-07-01"}, Source: "azure-rest-api-specs compute/ComputeRP/stable/2024-07-01/virtualMachine.json",
		Names: regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9_.-]{0,62}[a-zA-Z0-9_])?$`), NameRule: "1 to 64 letters, digits, hyphens, periods and underscores",
		Tracked: true, Identities: true,
		Plan: planVM,
	}}
}

// writeOnly are the properties, lower-cased, that Azure never shows again; they
// may hold passwords, and no machine here needs them.
// Source: virtualMachine.json, "x-ms-secret" and descriptions of OSProfile.
var writeOnly = []string{"adminpassword", "customdata", "userdata", "protectedsettings", "additionalunattendcontent"}

// planVM keeps what the client writes of the machine, but for secrets, and adds
// what Azure would.
func planVM(old, in *arm.Resource) (*arm.Resource, error) {
	properties, err := arm.DecodeProperties[map[string]any](in)
	if err != nil {
		return nil, err
	}
	if properties == nil {
		properties = map[string]any{}
	}
	strip(properties)
	properties["provisioningState"] = "Succeeded"
	properties["vmId"] = uuid.NewString()
	if old != nil {
		before, err := arm.DecodeProperties[map[string]any](old)
		if err != nil {
			return nil, err
		}
		properties["vmId"] = before["vmId"]
	}
	return in, in.SetProperties(properties)
}

// strip takes the write-only properties out, wherever they stand.
func strip(value any) {
	switch v := value.(type) {
	case map[string]any:
		for name, inner := range v {
			if slices.Contains(writeOnly, strings.ToLower(name)) {
				delete(v, name)
			} else {
				strip(inner)
			}
		}
	case []any:
		for _, inner := range v {
			strip(inner)
		}
	}
}
