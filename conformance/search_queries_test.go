package conformance

// querySteps are what is seen of each step of queries, in JSON.
var querySteps = []seenStep{
	{"japanese", `[["関西", "国際", "空港", "泊まる"], [["1", ["関西国際<em>空港</em>に近いホテル"]]]]`},
	{"semantic", `["1", true, "The lobby has free wifi and a bar.", "The <em>lobby</em> has <em>free</em> <em>wifi</em> and a bar.", ["1"]]`},
	{"a configuration that is not there", `[[400, "InvalidRequestParameter", "Unknown semantic configuration 'other'.\r\nParameter name: sem"]]`},
	{"a role of one index", `["allowed", [403, "", "Authorization failed."]]`},
}

// roleOfOneIndex is an application that may query one index.
func (w *searchWorld) roleOfOneIndex(of searchService) []string {
	app, secret := w.application("searcher", of.id+"/indexes/hotels", roleIndexReader)
	return []string{"APP_ID=" + app, "APP_SECRET=" + secret}
}
