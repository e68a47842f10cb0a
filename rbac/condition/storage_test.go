package condition

import (
	"strings"
	"testing"
	"time"
)

// Short forms for the examples of storage-auth-abac-examples.md, which are
// long-winded: B is the type of blobs, C of containers.
var storage = strings.NewReplacer(
	"<B>", "Microsoft.Storage/storageAccounts/blobServices/containers/blobs",
	"<C>", "Microsoft.Storage/storageAccounts/blobServices/containers",
	"<S>", "Microsoft.Storage/storageAccounts",
)

const (
	readBlob   = "<B>/read"
	writeBlob  = "<B>/write"
	readABlob  = "!(ActionMatches{'<B>/read'} AND NOT SubOperationMatches{'Blob.List'})"
	listBlobs  = "!(ActionMatches{'<B>/read'} AND SubOperationMatches{'Blob.List'})"
	writeTags  = "!(ActionMatches{'<B>/write'} AND SubOperationMatches{'Blob.Write.WithTagHeaders'})"
	addTags    = "!(ActionMatches{'<B>/add/action'} AND SubOperationMatches{'Blob.Write.WithTagHeaders'})"
	container1 = "@Resource[<C>:name] StringEquals 'container1'"
	endpoint1  = "/subscriptions/s/resourceGroups/example-group/providers/Microsoft.Network/privateEndpoints/privateendpoint1"
)

// tag is a blob index tag, as an attribute.
func tag(source, key string) string {
	return "@" + source + "[<B>/tags:" + key + "<$key_case_sensitive$>]"
}

func TestStorageExamples(t *testing.T) {
	type try struct {
		in   Input
		want Result
	}
	of := func(action string, attributes ...any) Input {
		for i := 0; i < len(attributes); i += 2 {
			attributes[i] = storage.Replace(attributes[i].(string))
		}
		return request(storage.Replace(action), attributes...)
	}
	examples := []struct {
		name, condition string
		tries           []try
	}{
		{"Read blobs with a blob index tag",
			"((" + readABlob + ") OR (" + tag("Resource", "Project") + " StringEquals 'Cascade'))", []try{
				{of(readBlob, tag("Resource", "Project"), "Cascade"), True},
				{of(readBlob, tag("Resource", "Project"), "Baker"), False},
				{of(readBlob, tag("Resource", "project"), "Cascade"), Undecided}, // the key's case counts
				{of(readBlob), Undecided},
				{of(readBlob).sub("Blob.List"), True},
				{of(writeBlob), True},
			}},
		{"New blobs must include a blob index tag",
			"((" + writeTags + " AND " + addTags + ") OR (" + tag("Request", "Project") + " StringEquals 'Cascade'))", []try{
				{of(writeBlob, tag("Request", "Project"), "Cascade").sub("Blob.Write.WithTagHeaders"), True},
				{of(writeBlob, tag("Request", "Project"), "Baker").sub("Blob.Write.WithTagHeaders"), False},
				{of("<B>/add/action", tag("Request", "Project"), "Baker").sub("Blob.Write.WithTagHeaders"), False},
				{of(writeBlob), True},
			}},
		// "at least one of the allowed keys": so ForAll over no keys is not true.
		{"Existing blobs must have blob index tag keys",
			"((" + writeTags + " AND !(ActionMatches{'<B>/tags/write'})) OR (@Request[<B>/tags&$keys$&] ForAllOfAnyValues:StringEquals {'Project', 'Program'}))", []try{
				{of("<B>/tags/write", "@Request[<B>/tags&$keys$&]", []string{"Program", "Project"}), True},
				{of("<B>/tags/write", "@Request[<B>/tags&$keys$&]", []string{"Mode"}), False},
				{of("<B>/tags/write", "@Request[<B>/tags&$keys$&]", []string{}), Undecided},
			}},
		{"Existing blobs must have a blob index tag key and values",
			"((" + writeTags + " AND !(ActionMatches{'<B>/tags/write'})) OR (@Request[<B>/tags&$keys$&] ForAnyOfAnyValues:StringEquals {'Project'} AND " +
				tag("Request", "Project") + " ForAllOfAnyValues:StringEquals {'Cascade', 'Baker', 'Skagit'}))", []try{
				{of("<B>/tags/write", "@Request[<B>/tags&$keys$&]", []string{"Project"}, tag("Request", "Project"), "Skagit"), True},
				{of("<B>/tags/write", "@Request[<B>/tags&$keys$&]", []string{"Project"}, tag("Request", "Project"), "Alpine"), False},
			}},
		{"Read, write, or delete blobs in named containers",
			"((!(ActionMatches{'<B>/delete'}) AND !(ActionMatches{'<B>/read'}) AND !(ActionMatches{'<B>/write'}) AND !(ActionMatches{'<B>/add/action'}))" +
				" OR (@Resource[<C>:name] StringEquals 'blobs-example-container'))", []try{
				{of(readBlob, "@Resource[<C>:name]", "blobs-example-container"), True},
				{of("<B>/DELETE", "@Resource[<C>:name]", "ungranted"), False},
				{of("<B>/move/action", "@Resource[<C>:name]", "ungranted"), True},
			}},
		{"Read or list blobs in named containers with a path",
			"((" + readABlob + ") OR (" + container1 + " AND @Resource[<B>:path] StringStartsWith 'readonly/'))" +
				" AND ((" + listBlobs + ") OR (" + container1 + " AND @Request[<B>:prefix] StringStartsWith 'readonly/'))", []try{
				{of(readBlob, "@Resource[<C>:name]", "container1", "@Resource[<B>:path]", "readonly/a"), True},
				{of(readBlob, "@Resource[<C>:name]", "container1", "@Resource[<B>:path]", "a"), False},
				{of(readBlob, "@Resource[<C>:name]", "container1", "@Request[<B>:prefix]", "readonly/x").sub("Blob.List"), True},
				{of(readBlob, "@Resource[<C>:name]", "container1", "@Request[<B>:prefix]", "").sub("Blob.List"), False}, // the portal's prefix=''
			}},
		{"Read current blob versions and a specific blob version",
			"((" + readABlob + ") OR (@Request[<B>:versionId] DateTimeEquals '2022-06-01T23:38:32.8883645Z' OR @Resource[<B>:isCurrentVersion] BoolEquals true))", []try{
				{of(readBlob, "@Resource[<B>:isCurrentVersion]", true), True},
				{of(readBlob, "@Resource[<B>:isCurrentVersion]", false, "@Request[<B>:versionId]", "2022-06-01T23:38:32.8883645Z"), True},
				{of(readBlob, "@Resource[<B>:isCurrentVersion]", false, "@Request[<B>:versionId]", "2022-06-01T23:38:32.8883646Z"), False},
			}},
		{"Delete old blob versions",
			"((!(ActionMatches{'<B>/delete'}) AND !(ActionMatches{'<B>/deleteBlobVersion/action'})) OR (@Request[<B>:versionId] DateTimeLessThan '2022-06-01T00:00:00.0Z'))", []try{
				{of("<B>/delete", "@Request[<B>:versionId]", "2022-05-31T23:59:59.9999999Z"), True},
				{of("<B>/delete", "@Request[<B>:versionId]", "2022-06-01T00:00:00.0Z"), False},
				{of("<B>/delete"), Undecided},
			}},
		{"Read current blob versions and any blob snapshots",
			"((" + readABlob + ") OR (Exists @Request[<B>:snapshot] OR @Resource[<B>:isCurrentVersion] BoolEquals true))", []try{
				{of(readBlob, "@Request[<B>:snapshot]", "2022-06-01T23:38:32.8883645Z", "@Resource[<B>:isCurrentVersion]", false), True},
				{of(readBlob, "@Resource[<B>:isCurrentVersion]", false), False},
			}},
		{"Read or write blobs based on blob index tags and custom security attributes",
			"((" + readABlob + ") OR (@Principal[Microsoft.Directory/CustomSecurityAttributes/Id:Engineering_Project] StringEquals " + tag("Resource", "Project") + "))", []try{
				{of(readBlob, "@Principal[Microsoft.Directory/CustomSecurityAttributes/Id:Engineering_Project]", "Baker", tag("Resource", "Project"), "Baker"), True},
				{of(readBlob, "@Principal[Microsoft.Directory/CustomSecurityAttributes/Id:Engineering_Project]", "Baker", tag("Resource", "Project"), "Cascade"), False},
				{of(readBlob, tag("Resource", "Project"), "Cascade"), Undecided},
			}},
		{"Read blobs based on blob index tags and multi-value custom security attributes",
			"((" + readABlob + ") OR (" + tag("Resource", "Project") + " ForAnyOfAnyValues:StringEquals @Principal[Microsoft.Directory/CustomSecurityAttributes/Id:Engineering_Project]))", []try{
				{of(readBlob, tag("Resource", "Project"), "Cascade", "@Principal[Microsoft.Directory/CustomSecurityAttributes/Id:Engineering_Project]", []any{"Baker", "Cascade"}), True},
				{of(readBlob, tag("Resource", "Project"), "Skagit", "@Principal[Microsoft.Directory/CustomSecurityAttributes/Id:Engineering_Project]", []any{"Baker", "Cascade"}), False},
			}},
		{"Allow access to a container only from a specific private endpoint",
			"((!(ActionMatches{'<B>/read'})) OR ((" + container1 + " AND @Environment[Microsoft.Network/privateEndpoints] StringEqualsIgnoreCase '" + endpoint1 + "')" +
				" OR @Resource[<C>:name] StringNotEquals 'container1'))", []try{
				{of(readBlob, "@Resource[<C>:name]", "container1", "@Environment[Microsoft.Network/privateEndpoints]", strings.ToUpper(endpoint1)), True},
				{of(readBlob, "@Resource[<C>:name]", "container1"), Undecided},
				{of(readBlob, "@Resource[<C>:name]", "container2"), True},
			}},
		// The truth table of this example has a row for a blob without the tag.
		{"Require private link access to read blobs with high sensitivity",
			"((" + readABlob + ") OR ((" + tag("Resource", "sensitivity") + " StringEquals 'high' AND @Environment[isPrivateLink] BoolEquals true) OR " +
				tag("Resource", "sensitivity") + " StringNotEquals 'high' OR NOT Exists " + tag("Resource", "sensitivity") + "))", []try{
				{of(readBlob, tag("Resource", "sensitivity"), "high", "@Environment[isPrivateLink]", true), True},
				{of(readBlob, tag("Resource", "sensitivity"), "high", "@Environment[isPrivateLink]", false), False},
				{of(readBlob, tag("Resource", "sensitivity"), "low", "@Environment[isPrivateLink]", true), True},
				{of(readBlob, tag("Resource", "sensitivity"), "low", "@Environment[isPrivateLink]", false), True},
				{of(readBlob, "@Environment[isPrivateLink]", true), True},
				{of(readBlob, "@Environment[isPrivateLink]", false), True},
			}},
		{"Require that write operations to blobs use specific blob index tag keys and values, and from a specific endpoint",
			"((" + addTags + " AND " + writeTags + ") OR ((" + tag("Request", "sensitivity") + " ForAnyOfAnyValues:StringEqualsIgnoreCase {'high', 'low', 'medium'} AND " +
				"@Environment[Microsoft.Network/privateEndpoints] StringEqualsIgnoreCase '" + endpoint1 + "') OR " +
				"@Request[<B>/tags&$keys$&] ForAnyOfAnyValues:StringNotEqualsIgnoreCase {'sensitivity'}))", []try{
				{of(writeBlob, "@Request[<B>/tags&$keys$&]", []string{"sensitivity"}, tag("Request", "sensitivity"), "HIGH",
					"@Environment[Microsoft.Network/privateEndpoints]", endpoint1).sub("Blob.Write.WithTagHeaders"), True},
				{of(writeBlob, "@Request[<B>/tags&$keys$&]", []string{"sensitivity"}, tag("Request", "sensitivity"), "none",
					"@Environment[Microsoft.Network/privateEndpoints]", endpoint1).sub("Blob.Write.WithTagHeaders"), False},
				{of(writeBlob, "@Request[<B>/tags&$keys$&]", []string{"other"}).sub("Blob.Write.WithTagHeaders"), True},
			}},
		{"Allow read access to blobs after a specific date and time",
			"((!(ActionMatches{'<B>/read'})) OR ((" + container1 + " AND @Environment[UtcNow] DateTimeGreaterThan '2023-04-01T13:00:00.000Z') OR @Resource[<C>:name] StringNotEquals 'container1'))", []try{
				{of(readBlob, "@Resource[<C>:name]", "container1", "@Environment[UtcNow]", time.Date(2023, 4, 1, 13, 0, 0, 0, time.UTC)), False},
				{of(readBlob, "@Resource[<C>:name]", "container1", "@Environment[utcNow]", time.Date(2023, 4, 1, 15, 0, 1, 0, time.FixedZone("", 7200))), True},
			}},
		// The same, as the documents of 2021 wrote it.
		{"a suboperation as an attribute",
			"(!(ActionMatches{'<B>/read'} AND @Request[subOperation] ForAnyOfAnyValues:StringEqualsIgnoreCase {'Blob.Read.WithTagConditions'}) OR " + container1 + ")", []try{
				{of(readBlob, "@Resource[<C>:name]", "container2").sub("Blob.Read.WithTagConditions"), False},
				{of(readBlob, "@Resource[<C>:name]", "container1").sub("Blob.Read.WithTagConditions"), True},
				{of(readBlob, "@Resource[<C>:name]", "container2").sub("Blob.List"), True},
			}},
	}
	for _, e := range examples {
		t.Run(e.name, func(t *testing.T) {
			for _, try := range e.tries {
				check(t, storage.Replace(e.condition), try.in, try.want)
			}
		})
	}
}
