package storage

import (
	"encoding/base64"
	"strings"
	"time"
)

// sasVersion is that of the signed URLs that Resource Manager issues.
// Source: storage.json, examples of StorageAccounts_ListAccountSAS and ListServiceSAS.
const sasVersion = "2015-04-05"

// sasToken is the query of a signed URL: its parameters in the order in which
// they are written, and what is signed of them.
type sasToken struct {
	query  []string
	signed map[string]string
}

// set adds a parameter, unless it is empty.
func (t *sasToken) set(name, value string) {
	if value == "" {
		return
	}
	if t.signed == nil {
		t.signed = map[string]string{}
	}
	t.signed[name] = value
	t.query = append(t.query, name+"="+escape(value))
}

// sign completes the token with the signature of a text.
func (t *sasToken) sign(key, text string) string {
	return strings.Join(t.query, "&") + "&sig=" + escape(base64.StdEncoding.EncodeToString(sign(key, []byte(text))))
}

// lines are values of parameters, each on a line.
func (t *sasToken) lines(names ...string) string {
	values := make([]string, len(names))
	for i, name := range names {
		values[i] = t.signed[name]
	}
	return strings.Join(values, "\n")
}

// accountText is what is signed of an account's token.
// Source: rest-storageservices create-account-sas.md, "Construct the signature string".
func (t *sasToken) accountText(account string) string {
	return account + "\n" + t.lines("sp", "ss", "srt", "st", "se", "sip", "spr", "sv") + "\n"
}

// serviceText is what is signed of a token for a container or a blob.
// Source: rest-storageservices create-service-sas.md, "Version 2015-04-05".
func (t *sasToken) serviceText(resource string) string {
	return t.lines("sp", "st", "se") + "\n" + resource + "\n" + t.lines("si", "sip", "spr", "sv", "rscc", "rscd", "rsce", "rscl", "rsct")
}

// escape writes a value of a query as the provider does.
func escape(value string) string {
	var b strings.Builder
	for _, c := range []byte(value) {
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-_.~,", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		const digits = "0123456789ABCDEF"
		b.Write([]byte{'%', digits[c>>4], digits[c&15]})
	}
	return b.String()
}

// sasTime is a time in a token; empty for the zero one.
func sasTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05Z")
}
