package conformance

import "encoding/json"

// searchSteps are what is seen of each step of search, in JSON.
var searchSteps = []seenStep{
	{"index", `["hotels", true, ["names", "rated", "near", "new", "tagged"], "meaning", "small", ["hotels"]]`},
	{"index again", `[["ResourceExistsError", 409, "ResourceNameAlreadyInUse"]]`},
	{"update rules", `["Added", ["HttpResponseError", 400, "OperationNotAllowed"]]`},
	{"analyze", `[["ab", "cd", "ef"], ["dog", "were", "run"], ["HttpResponseError", 400, "InvalidRequestParameter"]]`},
	{"synonym map", `[["hound, dog", "cheap => budget", "shelter, quiet inn"], ["words"], ["ResourceNotFoundError", 404, ""]]`},
	{"upload", `[[["1", true, 201], ["2", true, 201], ["3", true, 201], ["4", true, 201]], 4]`},
	{"merge", `[[["4", true, 200, false], ["none", false, 404, true]], {"Floors": 2, "HotelName": "Lantern Yard"}]`},
	{"merge or upload", `[[200, 201], ["4"]]`},
	{"delete", `[[200, 200], 4]`},
	{"lookup", `["9007199254740993", [{"BaseRate": 300, "Type": "Suite"}, {"BaseRate": 90, "Type": "Single"}], {"City": "Tokyo"}, "2020-01-01T00:00:00Z", ["pool", "wifi"], false, ["ResourceNotFoundError", 404, null]]`},
	{"simple", `[["1", "2", "3"], ["1", "2"], ["3"], ["1", "4"], ["1"], ["2", "3"], []]`},
	{"search fields", `[["3"], ["2"], ["1"]]`},
	{"full", `[["1"], ["1", "4"], ["3"], ["3"], "3"]`},
	{"comparison", `[["1", "3"], ["4"], ["1"], ["1"], ["2", "4"], ["1"]]`},
	{"collections", `[["1", "4"], ["3", "4"], ["3"], ["2"], ["1", "2", "4"], ["1", "4"]]`},
	{"geography", `[["1", "2"], ["1", "2"]]`},
	{"ismatch", `[["4"], ["3"]]`},
	{"order", `[["1", "3", "2", "4"], ["3", "4", "2", "1"], ["3", "1", "2"]]`},
	{"select", `[{"City": "Osaka"}, ["2", "3"], [["1", "2"]]]`},
	{"facets", `[4, 100, {"Category": [{"count": 1, "value": "boutique"}, {"count": 2, "value": "budget"}, {"count": 1, "value": "resort"}], "Floors": [{"count": 1, "to": 3}, {"count": 2, "from": 3, "to": 6}, {"count": 1, "from": 6}], "LastRenovationDate": [{"count": 1, "value": "2010-01-01T00:00:00Z"}, {"count": 1, "value": "2020-01-01T00:00:00Z"}, {"count": 1, "value": "2024-01-01T00:00:00Z"}], "Rating": [{"count": 2, "value": 2}, {"count": 1, "value": 4}], "Tags": [{"count": 2, "value": "pool"}]}]`},
	{"highlights", `[[{"Description": ["A garden of old <b>trees</b>."]}], [{"Description": ["A <b>quiet</b> <b>inn</b> by the water, where each dog is welcome."]}]]`},
	{"suggest", `[[["1", "[Harb]our Lantern"]], [["1", 4.5]], ["4"], ["HttpResponseError", 400, "InvalidRequestParameter"]]`},
	{"autocomplete", `[["garden"], ["harbour lantern"], ["lantern yard"]]`},
	{"vector", `[["1", "2"], ["1", "2", "3"], ["1", "2"], ["HttpResponseError", 400, "OperationNotAllowed"]]`},
	{"filter modes", `[["1", "3"], ["1"]]`},
	{"fusion", `[["1", "2"], "2", "2", 0.016393, {"1": 0.016667, "2": 0.04918, "3": 0.033333}]`},
	{"semantic", `["3", true, "A garden of old trees.", "A <em>garden</em> of old <em>trees</em>.", ["3"], ["HttpResponseError", 400, "InvalidRequestParameter"]]`},
	{"profiles", `["3", "1", "2", "3", "4", ["HttpResponseError", 400, "InvalidRequestParameter"]]`},
	{"errors", `[["HttpResponseError", 400, "InvalidRequestParameter"], ["HttpResponseError", 400, "InvalidRequestParameter"], ["HttpResponseError", 400, "InvalidRequestParameter"], ["HttpResponseError", 400, "InvalidRequestParameter"], ["HttpResponseError", 400, "InvalidRequestParameter"], ["HttpResponseError", 400, "InvalidRequestParameter"], ["HttpResponseError", 400, "InvalidRequestParameter"], ["ResourceNotFoundError", 404, ""], ["ResourceNotFoundError", 404, ""]]`},
	{"alias", `[["hotels"], 4, ["stay"], "stay", null, ["ResourceNotFoundError", 404, ""]]`},
	{"statistics", `[4, 1]`},
	{"query key", `[4, ["HttpResponseError", 403, ""], ["HttpResponseError", 403, ""], ["HttpResponseError", 403, ""]]`},
	{"Owner", `["allowed", "allowed", [403, ""], [403, ""]]`},
	{"Contributor", `["allowed", "allowed", [403, ""], [403, ""]]`},
	{"Reader", `["allowed", [403, ""], [403, ""], [403, ""]]`},
	{"Search Service Contributor", `["allowed", "allowed", [403, ""], [403, ""]]`},
	{"Search Index Data Contributor", `[[403, ""], [403, ""], "allowed", "allowed"]`},
	{"Search Index Data Reader", `[[403, ""], [403, ""], "allowed", [403, ""]]`},
	{"paging", `[[50, 50, 24], 124]`},
	{"kinds", `[["Edm.String", "Edm.String", "Collection(Edm.Int32)", "Collection(Edm.Int64)", "Collection(Edm.Double)", "Collection(Edm.Boolean)", "Collection(Edm.DateTimeOffset)", "Collection(Edm.GeographyPoint)", "Collection(Edm.Half)", "Collection(Edm.Int16)", "Collection(Edm.SByte)", "Collection(Edm.Byte)"], ["keyword", "whitespace"], [1.3, 0.5], [["https://contoso.com"], 60], [false, "packedBit", "hamming", 2]]`},
	{"of each kind", `[["1"], ["1"], ["1"], ["1"], ["1"], ["1"], ["1"], ["1", "2"], ["1", "2"], ["1", "2"], ["1", "2"], [["HttpResponseError", 400, "InvalidRequestParameter"]]]`},
	{"deleted", `[["ResourceNotFoundError", 404, ""], [], []]`},
}

// lookupByScript: JavaScript's numbers are not exact above 2^53, and its client fails
// on a 404 without a body.
const lookupByScript = `["9007199254740992", [{"BaseRate": 300, "Type": "Suite"}, {"BaseRate": 90, "Type": "Single"}], {"City": "Tokyo"}, "2020-01-01T00:00:00Z", ["pool", "wifi"], false, ["TypeError", null, null]]`

const (
	roleOwner       = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
	roleIndexReader = "1407120a-92aa-4202-b7e9-c0e197c71c8f"
)

// searchRoles are the roles that search is used with.
// Source: azure-docs search/search-security-rbac.md.
var searchRoles = []struct{ name, role string }{
	{"Owner", roleOwner},
	{"Contributor", "b24988ac-6180-42a0-ab88-20f7382dd24c"},
	{"Reader", roleReader},
	{"Search Service Contributor", "7ca78c08-252a-4471-8644-bb5ff32d4ba0"},
	{"Search Index Data Contributor", "8ebe5a00-799e-43f5-93ac-243d3dce84a7"},
	{"Search Index Data Reader", roleIndexReader},
}

// everyRole is a principal of each of them.
func (w *searchWorld) everyRole(of searchService) []string {
	type who struct {
		Name   string `json:"name"`
		App    string `json:"app"`
		Secret string `json:"secret"`
	}
	var all []who
	for _, r := range searchRoles {
		app, secret := w.application(r.name, of.id, r.role)
		all = append(all, who{r.name, app, secret})
	}
	roles, err := json.Marshal(all)
	if err != nil {
		w.t.Fatal(err)
	}
	return []string{"ROLES=" + string(roles)}
}
