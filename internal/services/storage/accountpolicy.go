package storage

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"

	"sekisho/internal/arm"
)

// unserved are properties whose features there are none of, each with the values
// that ask for nothing. Source: storage.json
// StorageAccountPropertiesCreateParameters.
var unserved = map[string][]string{
	"isSftpEnabled":                     {"false"},
	"isLocalUserEnabled":                {"false"},
	"isNfsV3Enabled":                    {"false"},
	"enableExtendedGroups":              {"false"},
	"customDomain":                      {`{"name":""}`},
	"allowedCopyScope":                  {`"All"`},
	"immutableStorageWithVersioning":    {`{"enabled":false}`, "{}"},
	"dualStackEndpointPreference":       {`{"publishIpv6Endpoint":false}`, "{}"},
	"geoPriorityReplicationStatus":      {`{"isBlobEnabled":false}`, "{}"},
	"allowSharedKeyAccessForServices":   {"{}"},
	"dataCollaborationPolicyProperties": {"{}"},
	"azureFilesIdentityBasedAuthentication": {`{"directoryServiceOptions":"None"}`, "{}",
		`{"directoryServiceOptions":"None","defaultSharePermission":"None"}`},
}

// refuseUnserved refuses what would be kept and have no effect.
func refuseUnserved(in *arm.Resource) error {
	given, err := arm.DecodeProperties[map[string]json.RawMessage](in)
	if err != nil {
		return err
	}
	for name, harmless := range unserved {
		raw, ok := given[name]
		if !ok {
			continue
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, raw); err != nil {
			return err
		}
		if text := compact.String(); text != "null" && !slices.Contains(harmless, text) {
			if text == "true" {
				text = "True"
			}
			return notAllowed(name, text)
		}
	}
	return nil
}

// sasPeriods are d.hh:mm:ss.
var sasPeriods = regexp.MustCompile(`^\d{1,4}\.([01]\d|2[0-3])(:[0-5]\d){2}$`)

// planPolicies: how long keys and signed URLs should last. It is advice, but for
// a sasPolicy that blocks.
// Source: storage.json KeyPolicy, SasPolicy.
func planPolicies(_ *arm.Resource, p *account) error {
	if k := p.KeyPolicy; k != nil && (k.Days < 1 || k.Days > 1<<31-1) {
		return invalidParameters("keyPolicy.keyExpirationPeriodInDays")
	}
	if s := p.SASPolicy; s != nil {
		if !sasPeriods.MatchString(s.Period) {
			return invalidParameters("sasPolicy.sasExpirationPeriod")
		}
		if err := oneOf("sasPolicy.expirationAction", &s.Action, "Log", "Block"); err != nil {
			return err
		}
	}
	if r := p.Routing; r != nil {
		if r.Microsoft || r.Internet { // hosts of their own, which are not served
			return notAllowed("routingPreference", "publishMicrosoftEndpoints, publishInternetEndpoints")
		}
		return oneOf("routingPreference.routingChoice", &r.Choice, "MicrosoftRouting", "InternetRouting")
	}
	return nil
}
