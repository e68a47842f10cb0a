package imds

import (
	"crypto/subtle"
	"net/http"
	"strconv"
	"strings"

	"sekisho/internal/entra"
)

// protocol is how the clients on a kind of host ask.
type protocol struct {
	hosts        []Host
	header       string            // that carries the secret
	since, until string            // the oldest api-version, and the newest if there is one
	selectors    map[string]string // query parameter → what it selects by
	// unnamed tells of a selector's value that it selects nothing.
	unnamed func(value string) bool
	// challenged is whether the request must show the key of the run.
	challenged bool
	reply      func(*entra.Token) map[string]any
}

// SecretHeader carries the run's secret; App Service defines it. In the
// protocols without a secret the relay of `sekisho run` adds it.
const SecretHeader = "X-IDENTITY-HEADER"

// Source: azure-docs app-service/overview-managed-identity.md, REST endpoint reference.
var appService = protocol{
	hosts: []Host{Everywhere, AppService}, header: SecretHeader, since: "2019-08-01",
	selectors: map[string]string{"client_id": "client", "principal_id": "object", "object_id": "object", "mi_res_id": "resource"},
	reply: func(t *entra.Token) map[string]any {
		return map[string]any{"access_token": t.AccessToken, "expires_on": strconv.FormatInt(t.Expires.Unix(), 10),
			"resource": t.Resource, "token_type": "Bearer", "client_id": t.Principal.AppID}
	},
}

// Source: the same, "older version of this protocol". The date is as
// azure-identity's azure_ml.py has it from Linux.
var appServiceOf2017 = protocol{
	hosts: []Host{Everywhere, AppService}, header: "secret", since: "2017-09-01", until: "2017-09-01",
	selectors: clientIDAlone,
	reply: func(t *entra.Token) map[string]any {
		reply := appService.reply(t)
		reply["expires_on"] = t.Expires.UTC().Format("01/02/2006 15:04:05 +00:00")
		return reply
	},
}

// clientIDAlone refuses the selectors of the other protocols, which Azure takes
// for nothing: nobody gets another identity than the one asked for.
var clientIDAlone = map[string]string{"clientid": "client", "client_id": "", "object_id": "", "principal_id": "", "msi_res_id": "", "mi_res_id": ""}

// Azure ML compute keeps App Service's older version, with a number for a date.
// Sources: azure-sdk-for-net#40348; azure-sdk-for-python#36047: a clientid that
// is no GUID counts as none.
var machineLearning = protocol{
	hosts: []Host{MachineLearning}, header: "secret", since: "2017-09-01", until: "2017-09-01",
	selectors: clientIDAlone,
	unnamed:   func(value string) bool { return !guid.MatchString(value) },
	reply: func(t *entra.Token) map[string]any {
		reply := appService.reply(t)
		reply["expires_on"] = t.Expires.Unix()
		return reply
	},
}

// Source: entra-docs how-to-use-vm-token.md; numbers are strings.
var metadata = protocol{
	hosts: []Host{Everywhere, VirtualMachine}, header: SecretHeader, since: "2018-02-01",
	selectors: map[string]string{"client_id": "client", "object_id": "object", "msi_res_id": "resource", "mi_res_id": "resource"},
	reply: func(t *entra.Token) map[string]any {
		life := strconv.Itoa(int(t.ExpiresIn.Seconds()))
		return map[string]any{"access_token": t.AccessToken, "refresh_token": "", "client_id": t.Principal.AppID,
			"expires_in": life, "ext_expires_in": life,
			"expires_on": strconv.FormatInt(t.Expires.Unix(), 10), "not_before": strconv.FormatInt(t.NotBefore.Unix(), 10),
			"resource": t.Resource, "token_type": "Bearer"}
	},
}

// Arc's agent wants to be shown that the client may read the files of its group.
// Sources: azure-docs azure-arc/servers/managed-identity-authentication.md; for
// user-assigned identities msal-go verifyAzureArcUserAssignedIdentity: the reply
// confirms the one that was asked for.
var arc = protocol{
	hosts: []Host{Arc}, header: SecretHeader, since: "2019-11-01",
	selectors:  map[string]string{"client_id": "client", "object_id": "object", "msi_res_id": "resource", "mi_res_id": ""},
	challenged: true,
	reply: func(t *entra.Token) map[string]any {
		reply := metadata.reply(t)
		if userAssigned(t.Principal.Resource) {
			reply["object_id"], reply["msi_res_id"] = t.Principal.ID, t.Principal.Resource
		}
		return reply
	},
}

// forged tells why a request without a secret may be one that a server was led
// to make.
func forged(r *http.Request) string {
	switch {
	case !strings.EqualFold(r.Header.Get("Metadata"), "true"):
		return "Required metadata header not specified"
	case len(r.Header.Values("X-Forwarded-For")) > 0:
		return "Requests with an X-Forwarded-For header are refused"
	}
	return ""
}

// opened tells whether a request shows the key of the run.
func (r *run) opened(in *http.Request) bool {
	scheme, key, _ := strings.Cut(in.Header.Get("Authorization"), " ")
	return strings.EqualFold(scheme, "Basic") && subtle.ConstantTimeCompare([]byte(key), []byte(r.key)) == 1
}

// supports tells whether an api-version is one of the protocol's.
func (p *protocol) supports(version string) bool {
	return apiVersion.MatchString(version) && version >= p.since && (p.until == "" || version <= p.until)
}
