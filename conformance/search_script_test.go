package conformance

// scriptSteps are what is seen of each step of the JavaScript story, in JSON.
var scriptSteps = []seenStep{
	{"synonym map", `["words", ["pool, swimming bath"]]`},
	{"index", `["inns", 8, "sg", ["inns"]]`},
	{"index again", `[[409, "ResourceNameAlreadyInUse"]]`},
	{"a field more", `[9]`},
	{"analyze", `[["hotel"]]`},
	{"alias", `[["inns"], "stay"]`},
	{"documents", `[[["1", true, 201], ["2", true, 201], ["3", true, 201]]]`},
	{"some of a batch", `[[["3", true, 200], ["9", false, 404]]]`},
	{"lookup", `[7, 3, [null, ""]]`},
	{"simple", `[["1"], ["1"], ["2", "3"], ["3"]]`},
	{"full", `[["2"], ["2"], [400, "InvalidRequestParameter"]]`},
	{"filters", `[["2"], ["1", "2"], ["1"], ["3"], [400, "InvalidRequestParameter"]]`},
	{"order", `[["3", "2", "1"], ["2"]]`},
	{"facets", `[[["bar", 1], ["pool", 1], ["wifi", 1]], [[null, 4, 1], [4, null, 2]], 3, 100]`},
	{"highlights", `[{"1": ["The lobby has free <em>wifi</em> and a bar."], "2": ["Rest by the <em>pool</em>."], "3": ["Great cooking, and a <em>swimming</em> <em>bath</em>."]}]`},
	{"suggest", `[[["[Carrabelle] Inn", 4.2]], ["Carrabelle Inn"]]`},
	{"autocomplete", `[["city"], ["city hotel"]]`},
	{"vectors", `[["1", "2"], ["1", "2", "3"], ["2", "3"], [400, "OperationNotAllowed"]]`},
	{"pages", `[120]`},
	{"statistics", `[123, 1]`},
	{"query key", `[123, [403, ""], [403, ""]]`},
	{"deleted", `[[404, ""], 0]`},
}
