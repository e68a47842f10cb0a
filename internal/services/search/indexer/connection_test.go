package indexer

import (
	"strings"
	"testing"
)

// Source: azure-docs search/search-howto-indexing-azure-blob-storage.md, "Supported
// credentials and connection strings".
func TestConnectionStrings(t *testing.T) {
	const id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/acct"
	for text, want := range map[string]Connection{
		"DefaultEndpointsProtocol=https;AccountName=acct;AccountKey=a2V5;EndpointSuffix=core.windows.net": {Account: "acct", Key: "a2V5"},
		"AccountName=acct;AccountKey=a2V5;":                                                     {Account: "acct", Key: "a2V5"},
		"BlobEndpoint=https://acct.blob.core.windows.net/;SharedAccessSignature=?sv=1&sig=a%3D": {Account: "acct", SAS: "sv=1&sig=a%3D"},
		"ContainerSharedAccessUri=https://acct.blob.core.windows.net/docs?sv=1&sig=b":           {Account: "acct", SAS: "sv=1&sig=b"},
		"ResourceId=" + id + ";":  {Account: "acct", Resource: id},
		"resourceid=" + id + "/;": {Account: "acct", Resource: id},
	} {
		want.Endpoint = "https://acct.blob.core.windows.net"
		if got, err := ParseConnection(text, "docs"); err != nil || got != want {
			t.Errorf("%s: %+v %v, want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "x", "AccountName=acct", "AccountName=acct;AccountKey=%", "AccountName=ACCT_;AccountKey=a2V5", "AccountKey=a2V5",
		"AccountName=acct;AccountKey=a2V5;AccountKey=a2V5", "AccountName=acct;AccountKey=a2V5;EndpointSuffix=core.chinacloudapi.cn",
		"BlobEndpoint=http://acct.blob.core.windows.net;SharedAccessSignature=sv=1", "BlobEndpoint=https://acct.blob.core.windows.net.example.com;SharedAccessSignature=sv=1",
		"ContainerSharedAccessUri=https://acct.blob.core.windows.net/other?sv=1", "ResourceId=/subscriptions/x", "ResourceId=" + id + "/blobServices/default;"} {
		if got, err := ParseConnection(text, "docs"); err == nil || !strings.Contains(err.Error(), "The connection string is invalid: ") {
			t.Errorf("%s: %+v %v, want an error", text, got, err)
		}
	}
}

func FuzzConnection(f *testing.F) {
	f.Add("AccountName=acct;AccountKey=a2V5", "docs")
	f.Add("ContainerSharedAccessUri=https://acct.blob.core.windows.net/docs?sv=1", "docs")
	f.Fuzz(func(t *testing.T, text, container string) {
		c, err := ParseConnection(text, container)
		if err == nil && (!accountNames.MatchString(c.Account) || c.Endpoint != "https://"+c.Account+blobSuffix) {
			t.Errorf("%q: %+v", text, c)
		}
	})
}
