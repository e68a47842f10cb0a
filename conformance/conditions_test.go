package conformance

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// byTagAndPrefix is of the examples of azure-docs storage/blobs/storage-auth-abac-examples.md:
// "Read blobs with a blob index tag", "New blobs must include a blob index tag", and of
// "Read or list blobs in named containers with a path" the listing.
const byTagAndPrefix = "((!(ActionMatches{'BLOBS/read'} AND NOT SubOperationMatches{'Blob.List'})) OR (@Resource[BLOBS/tags:Project<$key_case_sensitive$>] StringEquals 'Cascade'))" +
	" AND ((!(ActionMatches{'BLOBS/write'} AND SubOperationMatches{'Blob.Write.WithTagHeaders'}) AND !(ActionMatches{'BLOBS/add/action'} AND SubOperationMatches{'Blob.Write.WithTagHeaders'}))" +
	" OR (@Request[BLOBS/tags:Project<$key_case_sensitive$>] StringEquals 'Cascade'))" +
	" AND ((!(ActionMatches{'BLOBS/read'} AND SubOperationMatches{'Blob.List'})) OR (@Request[BLOBS:prefix] StringStartsWith 'open/'))"

func TestUnderAConditionThePythonSDKReadsAndWritesBlobsByTheirTagsAndListsThemByTheirPrefixOnly(t *testing.T) {
	t.Parallel()
	s := start(t)
	w := &blobWorld{sekisho: s, admin: s.arm()}
	account := w.storageAccount("stconditions", true)
	app, secret, principal := w.principal("bound")
	w.admin.do(t, http.MethodPut, s.scope("/providers/Microsoft.Storage/storageAccounts/stconditions/providers/Microsoft.Authorization/roleAssignments/00000000-0000-0000-0000-00000000abac")+"?api-version=2022-04-01",
		object{"properties": object{"principalId": principal, "principalType": "ServicePrincipal",
			"roleDefinitionId": "/subscriptions/" + s.SubscriptionID + "/providers/Microsoft.Authorization/roleDefinitions/b7e6dc6d-f1e8-4753-8033-0f276bb0955b", // Storage Blob Data Owner
			"condition":        strings.ReplaceAll(byTagAndPrefix, "BLOBS", "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"), "conditionVersion": "2.0"}}, nil)

	env := slices.Concat(intercept.environment(s), account, []string{"BOUND_ID=" + app, "BOUND_SECRET=" + secret, "ACCOUNT_URL=https://stconditions.blob.core.windows.net"})
	const refused = `"AuthorizationPermissionMismatch"`
	hear(t, s.client(env, python(t, "azure-storage-blob"), program(t, "blob/conditions.py")).ok(), []seenStep{
		{"read by tag", `["open/cascade", ` + refused + `, ` + refused + `]`},
		{"properties by tag", `[12, ` + refused + `]`},
		{"list by prefix", `[["open/baker", "open/cascade", "open/none"], ` + refused + `, ` + refused + `]`},
		{"write with a tag", `["allowed", ` + refused + `, ` + refused + `]`},
		{"tags changed", `[` + refused + `, "open/baker", "open/cascade"]`},
	})

	// The log tells which part of the condition was false.
	if log := s.cli("audit", "--json", "--principal", principal).ok(); !strings.Contains(log, "] is 'Baker'") {
		t.Errorf("no record says which tag made the condition false: %s", log)
	}
}
