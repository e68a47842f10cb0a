package entra

import (
	"context"
	"slices"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// ticket is what an access token is to say.
type ticket struct {
	tenant   *Tenant
	subject  *Principal // a user, or the application itself
	client   string     // application id
	proof    string     // appidacr: 0 public, 1 a secret, 2 an assertion
	resource Resource
	audience string
	life     time.Duration
	issued   time.Time
	more     jwt.MapClaims // beside what every token says
}

// accessToken signs an access token.
// Source of the claims: access-token-claims-reference.md.
func (d *Directory) accessToken(ctx context.Context, t ticket) (string, error) {
	tid := t.tenant.ID
	claims := jwt.MapClaims{
		"aud": t.audience, "iat": t.issued.Add(-backdate).Unix(), "nbf": t.issued.Add(-backdate).Unix(), "exp": t.issued.Add(t.life).Unix(),
		"oid": t.subject.ID, "sub": t.subject.ID, "tid": tid, "uti": unique(), "rh": "1." + unique(),
	}
	if t.resource.Version == 2 {
		claims["ver"], claims["iss"] = "2.0", IssuerV2(tid)
		claims["azp"], claims["azpacr"] = t.client, t.proof
	} else {
		claims["ver"], claims["iss"] = "1.0", issuerV1(tid)
		claims["idp"] = issuerV1(tid)
		claims["appid"], claims["appidacr"] = t.client, t.proof
	}
	for name, value := range t.more {
		claims[name] = value
	}
	return d.sign(ctx, claims, t.resource.Version == 1)
}

// sign signs a token of the directory. v1 tokens name the key by x5t, too.
func (d *Directory) sign(ctx context.Context, claims jwt.MapClaims, v1 bool) (string, error) {
	key, err := d.currentKey(ctx)
	if err != nil {
		return "", err
	}
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	token.Header["kid"] = key.ID
	if v1 {
		token.Header["x5t"] = key.ID
	}
	return token.SignedString(key.private)
}

// groupClaims name the groups of a principal where the resource wants them, or
// where to ask for them when they are too many. Microsoft's own resources want
// them always; an application says so by groupMembershipClaims.
// Source: optional-claims.md, "Configure groups optional claims".
func (d *Directory) groupClaims(claims jwt.MapClaims, resource Resource, p *Principal, groups []string) {
	switch {
	case len(groups) == 0 || !resource.wantsGroups():
	case len(groups) > maxGroups:
		kind := "servicePrincipals"
		if p.Type == TypeUser {
			kind = "users"
		}
		claims["_claim_names"] = map[string]string{"groups": "src1"}
		claims["_claim_sources"] = map[string]any{"src1": map[string]string{
			"endpoint": graphName + "/v1.0/" + kind + "/" + p.ID + "/getMemberObjects"}}
	default:
		claims["groups"] = groups
	}
}

// wantsGroups tells whether tokens for the resource name security groups.
func (r Resource) wantsGroups() bool {
	return r.app == nil || slices.Contains([]string{"SecurityGroup", "All"}, r.app.GroupClaims)
}

// wantsRoles tells whether tokens for the resource name directory roles.
func (r Resource) wantsRoles() bool {
	return r.app == nil || r.app.GroupClaims == "DirectoryRole" || r.app.GroupClaims == "All"
}
