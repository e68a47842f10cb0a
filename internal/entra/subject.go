package entra

import (
	"encoding/base64"
	"strings"
)

// Subject is the name by which one application knows a user: no two can tell by
// it that they know the same person.
// Source: entra-docs access-token-claims-reference.md, sub.
func (d *Directory) Subject(tenant, app, object string) string {
	digest := d.seal.Digest("pairwise subject", []byte(strings.ToLower(tenant+"/"+app+"/"+object)))
	return base64.RawURLEncoding.EncodeToString(digest[:])
}
