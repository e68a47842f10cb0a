package indexer

import (
	"encoding/base64"
	"net/url"
	"regexp"
	"strings"
)

// Connection is what a connection string says. One of Key, SAS and Resource is set.
type Connection struct {
	Account  string
	Endpoint string // https://{account}.blob.core.windows.net
	Key      string // base64
	SAS      string // a query, without "?"
	Resource string // the account's id: who reads is a managed identity
}

const blobSuffix = ".blob.core.windows.net"

var (
	accountNames = regexp.MustCompile(`^[a-z0-9]{3,24}$`)
	accountIDs   = regexp.MustCompile(`(?i)^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.Storage/storageAccounts/([a-z0-9]{3,24})/?$`)
)

// ParseConnection reads a connection string to a container of blobs.
// Source: azure-docs search/search-howto-indexing-azure-blob-storage.md, "Supported
// credentials and connection strings".
func ParseConnection(text, container string) (c Connection, err error) {
	bad := func(why string) (Connection, error) {
		return Connection{}, invalid("credentials.connectionString", "dataSource : The connection string is invalid: %s", why)
	}
	values := map[string]string{}
	for part := range strings.SplitSeq(text, ";") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		name, value, ok := strings.Cut(part, "=")
		if !ok {
			return bad("it is made of Name=Value pairs, with semicolons between.")
		}
		name = strings.ToLower(strings.TrimSpace(name))
		if _, twice := values[name]; twice {
			return bad("it names " + name + " twice.")
		}
		values[name] = strings.TrimSpace(value)
	}
	if id := values["resourceid"]; id != "" {
		m := accountIDs.FindStringSubmatch(id)
		if m == nil {
			return bad("ResourceId is not the id of a storage account.")
		}
		c = Connection{Account: strings.ToLower(m[1]), Resource: strings.TrimSuffix(id, "/")}
		c.Endpoint = "https://" + c.Account + blobSuffix
		return c, nil
	}
	if uri := values["containersharedaccessuri"]; uri != "" {
		u, err := url.Parse(uri)
		if err != nil || u.RawQuery == "" || strings.Trim(u.Path, "/") != container {
			return bad("ContainerSharedAccessUri is not the URL of the container with a shared access signature.")
		}
		return endpoint(u.Scheme+"://"+u.Host, Connection{SAS: u.RawQuery}, bad)
	}
	where := values["blobendpoint"]
	if where == "" {
		if suffix := values["endpointsuffix"]; suffix != "" && suffix != "core.windows.net" {
			return bad("its EndpointSuffix is not core.windows.net.")
		}
		where = "https://" + values["accountname"] + blobSuffix
	}
	switch {
	case values["sharedaccesssignature"] != "":
		return endpoint(where, Connection{SAS: strings.TrimPrefix(values["sharedaccesssignature"], "?")}, bad)
	case values["accountkey"] != "":
		if key, err := base64.StdEncoding.DecodeString(values["accountkey"]); err != nil || len(key) == 0 {
			return bad("AccountKey is not base64.")
		}
		if values["accountname"] == "" {
			return bad("it has no AccountName.")
		}
		return endpoint(where, Connection{Key: values["accountkey"]}, bad)
	}
	return bad("it has neither AccountKey, nor SharedAccessSignature, nor ResourceId.")
}

// endpoint completes a connection. The host is one of Azure's: what else an address
// could name is not for a client to have called.
func endpoint(where string, c Connection, bad func(string) (Connection, error)) (Connection, error) {
	u, err := url.Parse(where)
	if err != nil || u.Scheme != "https" || strings.Trim(u.Path, "/") != "" {
		return bad("its blob endpoint is not https://{account}" + blobSuffix + ".")
	}
	name, ok := strings.CutSuffix(strings.ToLower(u.Host), blobSuffix)
	if !ok || !accountNames.MatchString(name) {
		return bad("its blob endpoint is not https://{account}" + blobSuffix + ".")
	}
	c.Account, c.Endpoint = name, "https://"+name+blobSuffix
	return c, nil
}
