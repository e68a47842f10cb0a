package conformance

// azManagesSearch: the CLI makes a service, changes it, and reads and renews its keys.
func azManagesSearch(s *sekisho) {
	s.login()
	is := func(want, line string) {
		s.t.Helper()
		if got := s.typed(line + " -o tsv").ok(); got != want+"\n" {
			s.t.Errorf("az %s: %q, want %q", line, got, want)
		}
	}
	const of = " -g rg-sample --service-name srchaz"
	is("basic", "search service create -g rg-sample -n srchaz --sku basic -l japaneast --query sku.name")
	is("2", "search service update -g rg-sample -n srchaz --replica-count 2 --query replicaCount")
	is("2", "search service show -g rg-sample -n srchaz --query replicaCount")
	before := s.typed("search admin-key show" + of + " --query primaryKey -o tsv").ok()
	after := s.typed("search admin-key renew" + of + " --key-kind primary --query primaryKey -o tsv").ok()
	if before == after {
		s.t.Error("the renewed admin key is the one before")
	}
	is("story", "search query-key create"+of+" -n story --query name")
	is("1", "search query-key list"+of+" --query length([?name=='story'])")
	s.typed("search service delete -g rg-sample -n srchaz --yes").ok()
	if got := s.typed("search service list -g rg-sample --query length([?name=='srchaz']) -o tsv").ok(); got != "0\n" {
		s.t.Error("a deleted service is listed")
	}
}
