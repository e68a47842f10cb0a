// Package compute is Microsoft.Compute as far as a managed identity needs it:
// virtual machines exist as resources that bear identities. No machine runs;
// `sekisho run --vm` runs a command as if on one.
package compute

import (
	"encoding/json"
	"regexp"
	"strconv"

	"github.com/google/uuid"

	"sekisho/internal/api"
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

// planVM keeps what the client writes of the machine, but for secrets, and adds
// what Azure would.
func planVM(old, in *arm.Resource) (*arm.Resource, error) {
	properties := map[string]json.RawMessage{}
	if len(in.Properties) > 0 {
		if err := json.Unmarshal(in.Properties, &properties); err != nil {
			return nil, api.BadRequest("InvalidRequestContent", "properties", "The request content was invalid: properties is not a JSON object.")
		}
	}
	if raw, ok := properties["osProfile"]; ok {
		profile := map[string]json.RawMessage{}
		if err := json.Unmarshal(raw, &profile); err != nil {
			return nil, api.BadRequest("InvalidRequestContent", "properties.osProfile", "The request content was invalid: properties.osProfile is not a JSON object.")
		}
		delete(profile, "adminPassword") // never shown again, never needed here
		delete(profile, "customData")
		kept, err := json.Marshal(profile)
		if err != nil {
			return nil, err
		}
		properties["osProfile"] = kept
	}
	properties["provisioningState"] = json.RawMessage(`"Succeeded"`)
	delete(properties, "vmId")
	if old != nil {
		var before struct {
			ID json.RawMessage `json:"vmId"`
		}
		if err := json.Unmarshal(old.Properties, &before); err != nil {
			return nil, err
		}
		properties["vmId"] = before.ID
	} else {
		properties["vmId"] = json.RawMessage(strconv.Quote(uuid.NewString()))
	}
	return in, in.SetProperties(properties)
}
