package storage_test

import (
	"net/http"
	"strings"
	"testing"

	"sekisho/internal/servicetest"
)

// Short forms for the examples, which are long-winded.
var short = strings.NewReplacer(
	"<B>", "Microsoft.Storage/storageAccounts/blobServices/containers/blobs",
	"<C>", "Microsoft.Storage/storageAccounts/blobServices/containers",
	"<S>", "Microsoft.Storage/storageAccounts",
	"<tag ", "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/tags:",
	"<key>", "<$key_case_sensitive$>",
)

const (
	ifReads   = "!(ActionMatches{'<B>/read'} AND NOT SubOperationMatches{'Blob.List'})"
	ifLists   = "!(ActionMatches{'<B>/read'} AND SubOperationMatches{'Blob.List'})"
	ifTags    = "!(ActionMatches{'<B>/write'} AND SubOperationMatches{'Blob.Write.WithTagHeaders'})"
	ifAdds    = "!(ActionMatches{'<B>/add/action'} AND SubOperationMatches{'Blob.Write.WithTagHeaders'})"
	ifWrites  = "!(ActionMatches{'<B>/write'}) AND !(ActionMatches{'<B>/add/action'})"
	ifSuper   = " AND !(ActionMatches{'<B>/runAsSuperUser/action'})"
	ifSetTags = "!(ActionMatches{'<B>/tags/write'})"
	endpoint  = "@Environment[Microsoft.Network/privateEndpoints] StringEqualsIgnoreCase '/subscriptions/s/resourceGroups/example-group/providers/Microsoft.Network/privateEndpoints/privateendpoint1'"
	engineer  = "@Principal[Microsoft.Directory/CustomSecurityAttributes/Id:Engineering_Project]"
	block     = "x-ms-blob-type: BlockBlob"
)

// try is a request, and whether the condition lets it through.
type try struct {
	method, path, body, headers string
	allowed                     bool
}

func tagsXML(pairs ...string) string {
	var all strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		all.WriteString("<Tag><Key>" + pairs[i] + "</Key><Value>" + pairs[i+1] + "</Value></Tag>")
	}
	return "<Tags><TagSet>" + all.String() + "</TagSet></Tags>"
}

// abacHouse has the blobs of the examples; {snapshot} in a path is a snapshot of
// con1/cascade.
func abacHouse(t *testing.T) (*house, func(string) string) {
	t.Helper()
	h := newHouse(t, "")
	owner := h.with(blobOwner)
	for _, name := range []string{"container1", "container2", "blobs-example-container", "contosocorp"} {
		h.want(201, "", h.signed("PUT", "/"+name+"?restype=container", ""))
	}
	h.want(200, "", h.call("PUT", "/container1?restype=container&comp=metadata", "", &h.Owner, "x-ms-meta-stage: approved"))
	put := func(path, tags string) {
		headers := []string{block}
		if tags != "" {
			headers = append(headers, "x-ms-tags: "+tags)
		}
		h.want(201, "", h.call("PUT", path, "x", owner, headers...))
	}
	put("/con1/cascade", "Project=Cascade")
	put("/con1/baker", "Project=Baker")
	put("/con1/lower", "project=Cascade")
	put("/con1/high", "sensitivity=high")
	put("/con1/low", "sensitivity=low")
	for _, container := range []string{"container1", "container2", "blobs-example-container"} {
		put("/"+container+"/readonly/a", "")
		put("/"+container+"/b", "")
	}
	put("/contosocorp/AlpineFile.txt", "Program=Alpine")
	put("/contosocorp/logsAlpine.txt", "")
	put("/contosocorp/logs/AlpineFile.txt", "Program=Alpine")
	snapshot := h.want(201, "", h.call("PUT", "/con1/cascade?comp=snapshot", "", owner)).Header.Get("x-ms-snapshot")
	h.want(204, "", h.call("PUT", "/con1/cascade?comp=tags", tagsXML("Project", "Cascade", "Other", "1"), owner))
	return h, strings.NewReplacer("{snapshot}", "snapshot="+snapshot).Replace
}

// attempt makes a request as somebody who has a role under a condition only.
func (h *house) attempt(as *servicetest.Principal, place func(string) string, one try) {
	h.t.Helper()
	var headers []string
	if one.headers != "" {
		headers = strings.Split(one.headers, "; ")
	}
	r := h.call(one.method, place(one.path), one.body, as, headers...)
	refused := r.Status == http.StatusForbidden && r.Header.Get("x-ms-error-code") == "AuthorizationPermissionMismatch"
	if one.allowed == refused || r.Status == http.StatusUnauthorized || r.Status >= http.StatusInternalServerError {
		h.t.Errorf("%s %s (%s) %s: %d %s, want it allowed: %v", one.method, one.path, one.headers, one.body, r.Status, r.Header.Get("x-ms-error-code"), one.allowed)
	}
}

const read, list = "GET", "?restype=container&comp=list"

// Source: azure-docs storage/blobs/storage-auth-abac-examples.md: the conditions as
// they are there, for the role that each is for.
func TestDocumentedConditions(t *testing.T) {
	h, place := abacHouse(t)
	for _, e := range []struct {
		name, role, condition string
		tries                 []try
	}{
		{"Read blobs with a blob index tag", blobOwner, "((" + ifReads + ") OR (@Resource[<tag Project<key>] StringEquals 'Cascade'))", []try{
			{read, "/con1/cascade", "", "", true},
			{"HEAD", "/con1/cascade", "", "", true},
			{read, "/con1/cascade?comp=metadata", "", "", true},
			{read, "/con1/cascade?comp=blocklist", "", "", true},
			{read, "/con1/baker", "", "", false},
			{read, "/con1/lower", "", "", false}, // a key's case counts
			{"HEAD", "/con1/a", "", "", false},
			{read, "/con1/none", "", "", false},
			{read, "/con1/a?comp=metadata", "", "", false},
			{read, "/con1/a?comp=blocklist", "", "", false},
			{read, "/con1" + list, "", "", true},
			{read, "/con1/baker?comp=tags", "", "", true}, // another action
			{"PUT", "/con1/copy", "", "x-ms-copy-source: " + host + "/con1/cascade", true},
			{"PUT", "/con1/copy", "", "x-ms-copy-source: " + host + "/con1/baker", false},
			{"PUT", "/con1/new", "x", block, true},
		}},
		{"the same, as it was written in 2021", blobReader, "(!(ActionMatches{'<B>/read'} AND @Request[subOperation] ForAnyOfAnyValues:StringEqualsIgnoreCase {'Blob.Read.WithTagConditions'}) OR @Resource[<tag Project<key>] StringEquals 'Cascade')", []try{
			{read, "/con1/cascade", "", "", true},
			{read, "/con1/baker", "", "", false},
			{read, "/con1" + list, "", "", true},
		}},
		{"New blobs must include a blob index tag", blobOwner, "((" + ifTags + " AND " + ifAdds + ") OR (@Request[<tag Project<key>] StringEquals 'Cascade'))", []try{
			{"PUT", "/con1/n1", "x", block + "; x-ms-tags: Project=Cascade", true},
			{"PUT", "/con1/n2", "x", block + "; x-ms-tags: Project=Baker", false},
			{"PUT", "/con1/n3", "x", block, false},
			{"PUT", "/con1/n4", "", "x-ms-blob-type: AppendBlob", false},
			{"PUT", "/con1/n5", "", "x-ms-copy-source: " + host + "/con1/a", false},
			{"PUT", "/con1/n6", "", "x-ms-copy-source: " + host + "/con1/a; x-ms-requires-sync: true", false},
			{"PUT", "/con1/n7", "", "x-ms-copy-source: " + host + "/con1/a; " + block, false},
			{"PUT", "/con1/n8?comp=blocklist", "<BlockList></BlockList>", "", false},
			{"PUT", "/con1/n8?comp=blocklist", "<BlockList></BlockList>", "x-ms-tags: Project=Cascade", true},
			{"PUT", "/con1/n9?comp=block&blockid=AAAA", "x", "", true},
			{"PUT", "/con1/a", "x", block, false},
			{"PUT", "/con1/a?comp=metadata", "", "", true},
			{read, "/con1/a", "", "", true},
		}},
		{"Existing blobs must have blob index tag keys", blobOwner, "((" + ifTags + " AND " + ifSetTags + ") OR (@Request[<B>/tags&$keys$&] ForAllOfAnyValues:StringEquals {'Project', 'Program'}))", []try{
			{"PUT", "/con1/a?comp=tags", tagsXML("Program", "Alpine", "Project", "Cascade"), "", true},
			{"PUT", "/con1/a?comp=tags", tagsXML("Mode", "Baker"), "", false},
			{"PUT", "/con1/a?comp=tags", tagsXML(), "", false},
			{"PUT", "/con1/a?comp=tags", "<Tags", "", false},
			{"PUT", "/con1/a?comp=tags", tagsXML("Project", "1", "Project", "2"), "", false},
			{"PUT", "/con1/a", "x", block + "; x-ms-tags: Program=Alpine&Project=Cascade", true},
			{"PUT", "/con1/a", "x", block + "; x-ms-tags: Program=Alpine&Mode=Cascade", false},
		}},
		{"Existing blobs must have a blob index tag key and values", blobOwner, "((" + ifTags + " AND " + ifSetTags + ") OR (@Request[<B>/tags&$keys$&] ForAnyOfAnyValues:StringEquals {'Project'} AND @Request[<tag Project<key>] ForAllOfAnyValues:StringEquals {'Cascade', 'Baker', 'Skagit'}))", []try{
			{"PUT", "/con1/a?comp=tags", tagsXML("Project", "Skagit"), "", true},
			{"PUT", "/con1/a?comp=tags", tagsXML("Project", "Alpine"), "", false},
			{"PUT", "/con1/a?comp=tags", tagsXML("Program", "Skagit"), "", false},
		}},
		{"Read, write, or delete blobs in named containers", blobOwner, "((!(ActionMatches{'<B>/delete'}) AND !(ActionMatches{'<B>/read'}) AND " + ifWrites + ifSuper + ") OR (@Resource[<C>:name] StringEquals 'blobs-example-container'))", []try{
			{"PUT", "/container1/Example5.txt", "x", block, false},
			{read, "/container1/b", "", "", false},
			{read, "/container1" + list, "", "", false},
			{"DELETE", "/container1/b", "", "", false},
			{"PUT", "/container1/b?comp=tier", "", "x-ms-access-tier: Cool", false},
			{"PUT", "/container1/b?comp=snapshot", "", "", false},
			{"PUT", "/container1/b?comp=lease", "", "x-ms-lease-action: acquire; x-ms-lease-duration: 15", false},
			{"PUT", "/blobs-example-container/Example5.txt", "x", block, true},
			{"PUT", "/blobs-example-container/copy", "", "x-ms-copy-source: " + host + "/container1/b", false},
			{read, "/blobs-example-container/Example5.txt", "", "", true},
			{read, "/blobs-example-container" + list, "", "", true},
			{"DELETE", "/blobs-example-container/Example5.txt", "", "", true},
		}},
		{"Read blobs in named containers with a path", blobReader, "((" + ifReads + ") OR (@Resource[<C>:name] StringEquals 'blobs-example-container' AND @Resource[<B>:path] StringLike 'readonly/*'))", []try{
			{read, "/blobs-example-container/b", "", "", false},
			{read, "/blobs-example-container/readonly/a", "", "", true},
			{read, "/blobs-example-container/readonly%2Fa", "", "", true},
			{read, "/container1/readonly/a", "", "", false},
		}},
		{"Read or list blobs in named containers with a path", blobReader, "((" + ifReads + ") OR (@Resource[<C>:name] StringEquals 'blobs-example-container' AND @Resource[<B>:path] StringStartsWith 'readonly/')) AND ((" +
			ifLists + ") OR (@Resource[<C>:name] StringEquals 'blobs-example-container' AND @Request[<B>:prefix] StringStartsWith 'readonly/'))", []try{
			{read, "/blobs-example-container/readonly/a", "", "", true},
			{read, "/blobs-example-container/b", "", "", false},
			{read, "/blobs-example-container" + list + "&prefix=readonly/", "", "", true},
			{read, "/blobs-example-container" + list + "&prefix=readonly%2Fa", "", "", true},
			{read, "/blobs-example-container" + list + "&prefix=read", "", "", false},
			{read, "/blobs-example-container" + list + "&prefix=", "", "", false},
			{read, "/blobs-example-container" + list, "", "", false},
			{read, "/container1" + list + "&prefix=readonly/", "", "", false},
		}},
		{"Write blobs in named containers with a path", blobContributor, "((" + ifWrites + ") OR (@Resource[<C>:name] StringEquals 'contosocorp' AND @Resource[<B>:path] StringLike 'uploads/contoso/*'))", []try{
			{"PUT", "/contosocorp/Example7.txt", "x", block, false},
			{"PUT", "/contosocorp/uploads/contoso/Example7.txt", "x", block, true},
			{"PUT", "/contosocorp/uploads/contoso/Example7.txt", "y", block, true},
			{"PUT", "/contosocorp/uploads/contoso/b?comp=block&blockid=AAAA", "x", "", true},
			{"PUT", "/contosocorp/uploads/b?comp=block&blockid=AAAA", "x", "", false},
			{read, "/contosocorp/logsAlpine.txt", "", "", true},
		}},
		{"Read blobs with a blob index tag and a path", blobReader, "((" + ifReads + ") OR (@Resource[<tag Program<key>] StringEquals 'Alpine')) AND ((" + ifReads + ") OR (@Resource[<B>:path] StringLike 'logs*'))", []try{
			{read, "/contosocorp/AlpineFile.txt", "", "", false},
			{read, "/contosocorp/logsAlpine.txt", "", "", false},
			{read, "/contosocorp/logs/AlpineFile.txt", "", "", true},
		}},
		{"Read only current blob versions", blobReader, "((" + ifReads + ") OR (@Resource[<B>:isCurrentVersion] BoolEquals true))", []try{
			{read, "/con1/cascade", "", "", true},
			{read, "/con1/cascade?{snapshot}", "", "", false},
			{read, "/con1/cascade?versionid=2022-06-01T23:38:32.8883645Z", "", "", false},
			{read, "/con1" + list, "", "", true},
		}},
		{"Read current blob versions and a specific blob version", blobReader, "((" + ifReads + ") OR (@Request[<B>:versionId] DateTimeEquals '2022-06-01T23:38:32.8883645Z' OR @Resource[<B>:isCurrentVersion] BoolEquals true))", []try{
			{read, "/con1/cascade", "", "", true},
			{read, "/con1/cascade?versionid=2022-06-01T23:38:32.8883645Z", "", "", true}, // to be told that there is none
			{read, "/con1/cascade?versionid=2022-06-01T23:38:32.8883646Z", "", "", false},
		}},
		{"Delete old blob versions", blobOwner, "((!(ActionMatches{'<B>/delete'}) AND !(ActionMatches{'<B>/deleteBlobVersion/action'})) OR (@Request[<B>:versionId] DateTimeLessThan '2022-06-01T00:00:00.0Z'))", []try{
			{"DELETE", "/con1/low?versionid=2023-06-01T00:00:00.0000000Z", "", "", false},
			{"DELETE", "/con1/low", "", "", false},
			{"DELETE", "/con1/low?versionid=2021-06-01T00:00:00.0000000Z", "", "", true}, // which is not there,
			{"HEAD", "/con1/low", "", "", true},                                          // and the blob stays
		}},
		{"Read current blob versions and any blob snapshots", blobReader, "((" + ifReads + ") OR (Exists @Request[<B>:snapshot] OR @Resource[<B>:isCurrentVersion] BoolEquals true))", []try{
			{read, "/con1/cascade", "", "", true},
			{read, "/con1/cascade?{snapshot}", "", "", true},
			{read, "/con1/cascade?versionid=2022-06-01T23:38:32.8883645Z", "", "", false},
		}},
		{"Read only storage accounts with hierarchical namespace enabled", blobReader, "((" + ifReads + ") OR (@Resource[<S>:isHnsEnabled] BoolEquals true))", []try{
			{read, "/con1/a", "", "", false}, {read, "/con1" + list, "", "", true},
		}},
		{"Read blobs with specific encryption scopes", blobReader, "((" + ifReads + ") OR (@Resource[<S>/encryptionScopes:name] ForAnyOfAnyValues:StringEquals {'validScope1', 'validScope2'}))", []try{
			{read, "/con1/a", "", "", false},
		}},
		{"Read or write blobs in named storage account", blobContributor, "((" + ifReads + " AND " + ifWrites + ") OR (@Resource[<S>:name] StringEquals '" + accountName + "'))", []try{
			{read, "/con1/a", "", "", true}, {"PUT", "/con1/a", "x", block, true},
		}},
		{"Read or write blobs in another storage account", blobContributor, "((" + ifReads + " AND " + ifWrites + ") OR (@Resource[<S>:name] StringEquals 'sampleaccount'))", []try{
			{read, "/con1/a", "", "", false}, {"PUT", "/con1/a", "x", block, false},
		}},
		{"Read or write blobs based on blob index tags and custom security attributes", blobOwner, "((" + ifReads + ") OR (" + engineer + " StringEquals @Resource[<tag Project<key>])) AND ((" + ifTags + " AND " + ifAdds + ") OR (" + engineer + " StringEquals @Request[<tag Project<key>]))", []try{
			{read, "/con1/cascade", "", "", false}, {"PUT", "/con1/n1", "x", block + "; x-ms-tags: Project=Cascade", false},
		}},
		{"Allow access to a container only from a specific private endpoint", blobContributor, "((!(ActionMatches{'<B>/read'}) AND " + ifWrites + " AND !(ActionMatches{'<B>/delete'})) OR ((@Resource[<C>:name] StringEquals 'container1' AND " + endpoint + ") OR @Resource[<C>:name] StringNotEquals 'container1'))", []try{
			{read, "/container1/b", "", "", false}, {read, "/container1" + list, "", "", false}, {read, "/container2/b", "", "", true},
		}},
		{"Require private link access to read blobs with high sensitivity", blobReader, "((" + ifReads + ") OR ((@Resource[<tag sensitivity<key>] StringEquals 'high' AND @Environment[isPrivateLink] BoolEquals true) OR @Resource[<tag sensitivity<key>] StringNotEquals 'high' OR NOT Exists @Resource[<tag sensitivity<key>]))", []try{
			{read, "/con1/high", "", "", false}, {read, "/con1/low", "", "", true}, {read, "/con1/a", "", "", true},
		}},
		{"Allow read access to blobs after a specific date and time", blobReader, "((!(ActionMatches{'<B>/read'})) OR ((@Resource[<C>:name] StringEquals 'container1' AND @Environment[UtcNow] DateTimeGreaterThan '2023-04-01T13:00:00.000Z') OR (@Resource[<C>:name] StringEquals 'container2' AND @Environment[UtcNow] DateTimeLessThan '2023-04-01T13:00:00.000Z')))", []try{
			{read, "/container1/b", "", "", true}, {read, "/container2/b", "", "", false},
		}},
		{"Read blobs in container with specific metadata", blobReader, "((" + ifReads + ") OR (@Resource[<C>/metadata:Stage] StringEquals 'approved'))", []try{
			{read, "/container1/b", "", "", true}, {read, "/container2/b", "", "", false}, {read, "/none/b", "", "", false},
		}},
		{"Write or delete blobs in container with specific metadata", blobContributor, "((" + ifWrites + " AND !(ActionMatches{'<B>/delete'})) OR (@Resource[<C>/metadata:stage] StringEquals 'approved'))", []try{
			{"PUT", "/container1/n", "x", block, true}, {"DELETE", "/container1/n", "", "", true},
			{"PUT", "/container2/n", "x", block, false}, {"DELETE", "/container2/b", "", "", false},
		}},
		{"Allow list blob operation to include blob metadata, snapshots, or versions", blobReader, "((" + ifLists + ") OR (@Request[<B>:include] ForAllOfAnyValues:StringEqualsIgnoreCase {'metadata', 'snapshots', 'versions'}))", []try{
			{read, "/con1" + list + "&include=metadata,Snapshots", "", "", true}, {read, "/con1" + list + "&include=metadata,copy", "", "", false},
		}},
		{"Restrict list blob operation to not include blob metadata", blobReader, "((" + ifLists + ") OR (@Request[<B>:include] ForAllOfAllValues:StringNotEquals {'metadata'}))", []try{
			{read, "/con1" + list + "&include=copy", "", "", true}, {read, "/con1" + list + "&include=copy,METADATA", "", "", false},
		}},
		{"set a tier of what is current", blobContributor, "(!(ActionMatches{'<B>/write'} AND SubOperationMatches{'Blob.Write.Tier'}) OR @Resource[<B>:isCurrentVersion] BoolEquals true)", []try{
			{"PUT", "/con1/high?comp=tier", "", "x-ms-access-tier: Cool", true},
			{"PUT", "/con1/high?comp=tier&{snapshot}", "", "x-ms-access-tier: Cool", false},
			{"PUT", "/con1/high?comp=metadata", "", "", true},
		}},
		{"find blobs by tags: nothing but the account is seen", blobOwner, "(!(ActionMatches{'<B>/filter/action'}) OR @Resource[<C>:name] StringEquals 'con1')", []try{
			{read, "/?comp=blobs&where=Project%3D'Cascade'", "", "", false},
			{read, "/con1?restype=container&comp=blobs&where=Project%3D'Cascade'", "", "", false},
		}},
		{"read and write tags by tags", blobOwner, "((!(ActionMatches{'<B>/tags/read'}) AND " + ifSetTags + ") OR (@Resource[<tag Project<key>] StringEquals 'Cascade'))", []try{
			{read, "/con1/cascade?comp=tags", "", "", true}, {read, "/con1/baker?comp=tags", "", "", false},
			{read, "/con1/cascade", "", "x-ms-if-tags: Project='Cascade'", true}, {read, "/con1/baker", "", "x-ms-if-tags: Project='Baker'", false},
			{read, "/con1" + list + "&include=tags", "", "", false},
			{"PUT", "/con1/copy", "", "x-ms-copy-source: " + host + "/con1/cascade; x-ms-copy-source-tag-option: COPY", true},
			{"PUT", "/con1/copy", "", "x-ms-copy-source: " + host + "/con1/baker; x-ms-copy-source-tag-option: COPY", false},
			{"PUT", "/con1/baker?comp=tags", tagsXML("Project", "Cascade"), "", false}, {"PUT", "/con1/cascade?comp=tags", tagsXML("Project", "Baker"), "", true},
		}},
		{"values of tags are no attribute, nor is a key in any case", blobOwner, "((" + ifReads + ") OR (@Resource[<B>/tags&$values$&] ForAnyOfAnyValues:StringEquals {'Baker'} OR @Resource[<tag Project] StringEquals 'Baker'))", []try{
			{read, "/con1/baker", "", "", false},
		}},
	} {
		t.Run(e.name, func(t *testing.T) {
			was := h.t
			h.t = t
			defer func() { h.t = was }()
			p := h.Principal("under " + e.name)
			h.GrantIf(p.ID, e.role, h.account, short.Replace(e.condition))
			for _, one := range e.tries {
				h.attempt(&p, place, one)
			}
		})
	}
}

// A signed URL of a user's is bounded by the conditions that bound the user.
// Source: azure-docs storage/blobs/storage-auth-abac-security.md, "Use of other
// authorization mechanisms".
func TestConditionsBoundUserDelegationSAS(t *testing.T) {
	h, _ := abacHouse(t)
	p := h.Principal("delegates")
	h.GrantIf(p.ID, blobReader, h.account, short.Replace("(("+ifReads+") OR (@Resource[<tag Project<key>] StringEquals 'Cascade'))"))
	sas := h.delegated(&p, "c", "/con1", "r")
	for path, status := range map[string]int{"/con1/cascade": 200, "/con1/baker": 403} {
		code := ""
		if status == 403 {
			code = "AuthorizationPermissionMismatch"
		}
		h.want(status, code, h.call("GET", path+"?"+sas, "", nil))
	}
}
