package search

import (
	"errors"
	"net/http"
	"strings"

	"github.com/bits-and-blooms/bitset"

	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/services/search/engine"
	"sekisho/rbac"
	"sekisho/rbac/condition"
)

// Headers of a query whose documents are seen by some alone, and the previews of the
// API that have them: others ignore them, and see what everybody sees.
// Source: azure-ai-docs search/search-query-access-control-rbac-enforcement.md.
const (
	userHeader     = "x-ms-query-source-authorization"
	userSince      = "2025-05-01"
	elevatedHeader = "x-ms-enable-elevated-read"
	elevatedSince  = "2025-11-01"
)

const (
	elevatedRead = serviceType + "/indexes/contentSecurity/elevatedOperations/read"
	readBlobs    = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"
)

// preview tells whether a request uses a preview of the API of a day, or a later one.
func preview(r *http.Request, since string) bool {
	day, ok := strings.CutSuffix(strings.ToLower(r.URL.Query().Get("api-version")), "-preview")
	return ok && arm.IsVersion(day) && day >= since
}

// userToken is the token of the user who is to see the documents. It comes without
// "Bearer".
// Source: azure-ai-docs search/search-query-sensitivity-labels.md, "Query example".
func userToken(call *api.Call) string {
	if !preview(call.Request, userSince) {
		return ""
	}
	return call.Request.Header.Get(userHeader)
}

// userRefusal is what is wrong with the user's token. The words behind the header's
// name are those of the library that Azure verifies tokens with.
// Source: Azure/azure-sdk-for-python#42540; Azure/azure-sdk-for-js search-documents
// searchClient.spec.ts, "content security"; what clients were answered
// (BearerReadAccessTokenFailed, TokenExpired); the others by the names of
// Microsoft.IdentityModel.S2S.Tokens.AuthenticationFailureType.
func userRefusal(call *api.Call, r *api.Refusal) string {
	why := "TokenValidationFailed"
	var bad interface{ Code() string }
	switch {
	case r.Reason == api.WrongTenant:
		why = "InvalidIssuer"
	case !errors.As(r.Err, &bad): // a good token, but no user's
		why = "UnsupportedAccessTokenType"
	case strings.Count(userToken(call), ".") != 2 || strings.Contains(userToken(call), " "): // "Bearer" stands there, too
		why = "BearerReadAccessTokenFailed"
	case bad.Code() == "Expired":
		why = "TokenExpired"
	case bad.Code() == "Audience":
		why = "Audience claim is invalid in the JWT token."
	}
	return "Invalid header '" + userHeader + "': " + why
}

// elevated tells whether a query asks for documents whoever may see them: "The
// x-ms-enable-elevated-read header only works on Search POST actions."
func elevated(call *api.Call) bool {
	return call.Operation.Name == "Documents_SearchPost" && preview(call.Request, elevatedSince) &&
		strings.EqualFold(call.Request.Header.Get(elevatedHeader), "true")
}

// readChecks asks for the right to read documents, and for that to read those of
// others if the query does. No key stands for the latter.
func readChecks(call *api.Call) ([]api.Check, error) {
	checks, err := atIndex(readDocuments, true)(call)
	if err == nil && elevated(call) {
		checks = append(checks, api.Check{Scope: checks[0].Scope, Action: elevatedRead, Data: true, TokensOnly: true})
	}
	return checks, err
}

// sight is what of an index a query sees; nil is all of it.
type sight struct{ grants []engine.Grant }

// What the fields of permissions hold beside ids. "none" is nobody's id.
const everybody = "all"

// seen tells what of an index a query sees: where the index keeps permissions, the
// documents of the user in whose name it asks, and those that are everybody's.
// Permissions in one field suffice; a document without any is nobody's.
// Source: azure-ai-docs search/search-index-access-control-lists-and-rbac-push-api.md,
// "ACL access resolution rules".
func (s *Search) seen(call *api.Call, o *opened) (*sight, error) {
	of := o.schema()
	if of.PermissionFilter != "enabled" || elevated(call) {
		return nil, nil
	}
	see := &sight{}
	for _, f := range of.Fields {
		values := map[string]bool{}
		switch f.PermissionFilter {
		case "userIds":
			values[everybody] = true
			if call.User != nil {
				values[strings.ToLower(call.User.Caller.Object)] = true
			}
		case "groupIds":
			values[everybody] = true
			if call.User != nil {
				for _, group := range call.User.Groups {
					values[group] = true
				}
			}
		case "rbacScope":
			if call.User == nil {
				continue
			}
			for _, scope := range o.x.Distinct(f.Name) {
				may, err := readsContainer(call.User, scope)
				if err != nil { // rather nothing than a part
					return nil, err
				}
				if may {
					values[scope] = true
				}
			}
		default:
			continue
		}
		see.grants = append(see.grants, engine.Grant{Path: f.Name, Values: values})
	}
	return see, nil
}

// readsContainer asks whether a user may read the blobs of a container, by its id. A
// scope that is none of a container lets nobody see anything.
func readsContainer(user *api.User, scope string) (bool, error) {
	account, container, ok := containerOf(scope)
	if !ok {
		return false, nil
	}
	return user.Can(api.Check{Scope: rbac.Scope(scope), Action: readBlobs, Data: true, Attributes: &api.Attributes{
		Get: func(source condition.Source, key string) (any, bool) {
			if source != condition.Resource {
				return nil, false
			}
			// What else conditions may ask of a blob is nowhere in the index, and
			// does not hold.
			switch key {
			case "microsoft.storage/storageaccounts:name":
				return account, true
			case "microsoft.storage/storageaccounts/blobservices/containers:name":
				return container, true
			}
			return nil, false
		}}})
}

// containerOf takes the id of a blob container apart.
func containerOf(scope string) (account, container string, ok bool) {
	id, err := rbac.ParseID(scope)
	if err != nil || id.Subscription == "" || id.ResourceGroup == "" || !strings.EqualFold(id.Provider, "Microsoft.Storage") ||
		!strings.EqualFold(strings.Join(id.Types, "/"), "storageAccounts/blobServices/containers") || strings.Count(strings.ToLower(scope), "/providers/") != 1 {
		return "", "", false
	}
	return id.Names[0], id.Names[2], true
}

// slots are those of the documents that are seen; nil is all.
func (see *sight) slots(v *engine.View) *bitset.BitSet {
	if see == nil {
		return nil
	}
	return v.Granted(see.grants)
}

// sees tells whether a document is seen, as it is kept now: between a search and the
// reading of what it found, a document may have become another's.
func (see *sight) sees(d *stored) bool {
	if see == nil {
		return true
	}
	for _, g := range see.grants {
		switch v := d.Fields[g.Path].(type) {
		case string:
			if g.Values[v] {
				return true
			}
		case []any:
			for _, one := range v {
				if text, ok := one.(string); ok && g.Values[text] {
					return true
				}
			}
		}
	}
	return false
}
