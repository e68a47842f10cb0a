package storage

import (
	"maps"
	"slices"
	"strings"
	"time"

	"sekisho/internal/api"
	"sekisho/internal/arm"
)

// accountView is what a client reads.
type accountView struct {
	account
	State            string               `json:"provisioningState"`
	PrimaryEndpoints map[string]string    `json:"primaryEndpoints,omitempty"`
	PrimaryLocation  string               `json:"primaryLocation"`
	StatusOfPrimary  string               `json:"statusOfPrimary"`
	Created          string               `json:"creationTime,omitempty"`
	KeyCreation      map[string]time.Time `json:"keyCreationTime,omitempty"`
	PrivateEndpoints []any                `json:"privateEndpointConnections"`
}

// precise is how the provider writes times.
const precise = "2006-01-02T15:04:05.0000000Z"

func viewAccount(r *arm.Resource, origin api.Origin) (any, error) {
	p, err := arm.DecodeProperties[stored](r)
	if err != nil {
		return nil, err
	}
	v := accountView{account: p.account, State: "Succeeded", PrimaryLocation: r.Location, StatusOfPrimary: "available",
		KeyCreation: p.KeyCreation, PrivateEndpoints: []any{}}
	if r.Kind != kindFile {
		v.PrimaryEndpoints = map[string]string{"blob": origin.DataPlane(strings.ToLower(r.Name) + hostSuffix)}
	}
	if r.Kind != kindFile && r.Kind != kindV1 {
		v.PrimaryEndpoints["dfs"] = origin.DataPlane(strings.ToLower(r.Name) + lakeSuffix)
	}
	if r.SystemData != nil {
		v.Created = r.SystemData.CreatedAt.Format(precise)
	}
	v.Encryption = viewEncryption(p.Encryption, r.SystemData)
	return v, nil
}

// viewEncryption shows that blobs and files are encrypted, as every account's are.
// One that was made before they said so has the default.
func viewEncryption(e *encryption, made *arm.SystemData) *encryption {
	if e == nil {
		e = &encryption{KeySource: byStorage, Services: map[string]*encryptionService{"blob": {KeyType: "Account"}, "file": {KeyType: "Account"}}}
	}
	out := *e
	out.Services = map[string]*encryptionService{}
	for _, name := range slices.Sorted(maps.Keys(e.Services)) {
		service := *e.Services[name]
		service.Enabled = true
		if made != nil {
			service.LastEnabled = made.CreatedAt.Format(precise)
		}
		out.Services[name] = &service
	}
	return &out
}
