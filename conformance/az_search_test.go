package conformance

import "strings"

// azManagesSearch: the CLI makes a service, changes it in each way that it has flags
// for, reads and renews its keys, and links it.
func azManagesSearch(s *sekisho) {
	s.login()
	is := func(want, line string) {
		s.t.Helper()
		got := strings.ReplaceAll(strings.TrimSuffix(s.typed(line+" -o tsv").ok(), "\n"), "\n", " ")
		if got != want {
			s.t.Errorf("az %s: %q, want %q", line, got, want)
		}
	}
	const named, of = " -g rg-sample -n srchaz", " -g rg-sample --service-name srchaz"
	is("true", "search service check-name-availability --name srchaz --type searchServices --query nameAvailable")
	is("basic free SystemAssigned enabled http401WithBearerChallenge", "search service create"+named+" --sku basic -l japaneast --semantic-search free --identity-type SystemAssigned"+
		" --public-network-access enabled --auth-options aadOrApiKey --aad-auth-failure-mode http401WithBearerChallenge"+
		" --query [sku.name,semanticSearch,identity.type,publicNetworkAccess,authOptions.aadOrApiKey.aadAuthFailureMode]")
	is("false AlreadyExists", "search service check-name-availability --name srchaz --type searchServices --query [nameAvailable,reason]")
	is("2", "search service update"+named+" --replica-count 2 --query replicaCount")
	is("2", "search service show"+named+" --query replicaCount")

	is("true None", "search service update"+named+" --disable-local-auth true --query [disableLocalAuth,authOptions]")
	is("false http403", "search service update"+named+" --disable-local-auth false --auth-options aadOrApiKey --aad-auth-failure-mode http403"+
		" --query [disableLocalAuth,authOptions.aadOrApiKey.aadAuthFailureMode]")
	is("apiKeyOnly", "search service update"+named+" --auth-options apiKeyOnly --query keys(authOptions)")
	is("disabled disabled 203.0.113.0/24 198.51.100.7", "search service update"+named+" --public-network-access disabled --ip-rules 203.0.113.0/24,198.51.100.7"+
		" --semantic-search disabled --identity-type None --query [publicNetworkAccess,semanticSearch,networkRuleSet.ipRules[].value][]")
	is("true", "search service show"+named+" --query !identity||identity.type=='None'")
	is("0", "search service update"+named+" --ip-rules null --query length(networkRuleSet.ipRules)")
	s.typed("search service update"+named+" --ip-rules ::1").fails("(InvalidIpRule)", "ipRules[0].value '::1'")
	s.typed("search service update"+named+" --replica-count 4").fails("(InvalidReplicaCount)", "a service of the SKU basic has 1 to 3")

	before := s.typed("search admin-key show" + of + " --query primaryKey -o tsv").ok()
	after := s.typed("search admin-key renew" + of + " --key-kind primary --query primaryKey -o tsv").ok()
	if before == after {
		s.t.Error("the renewed admin key is the one before")
	}
	key := s.typed("search query-key create" + of + " -n story --query key -o tsv").line()
	is("1 story", "search query-key list"+of+" --query [length([?!name]),[?name].name|[0]]")
	s.typed("search query-key delete" + of + " --key-value " + key).ok()
	is("0", "search query-key list"+of+" --query length([?name])")

	link := " --group-id blob --resource-id " + s.scope("/providers/Microsoft.Storage/storageAccounts/staz") + " -n link" + of
	is("Please Pending Succeeded", "search shared-private-link-resource create"+link+" --request-message Please --query properties.[requestMessage,status,provisioningState]")
	is("Now", "search shared-private-link-resource update"+link+" --request-message Now --query properties.requestMessage")
	is("link", "search shared-private-link-resource list"+of+" --query [].name")
	is("Now", "search shared-private-link-resource show -n link"+of+" --query properties.requestMessage")
	s.typed("search shared-private-link-resource create"+strings.Replace(link, "blob", "mail", 1)+" --request-message Please").fails("(InvalidGroupId)", "one of blob, table, dfs, file")
	s.typed("search shared-private-link-resource delete --yes -n link" + of).ok()
	s.typed("search shared-private-link-resource show -n link"+of).fails("(ResourceNotFound)", "sharedPrivateLinkResources/link")

	is("searchService", "search private-link-resource list"+of+" --query [].properties.groupId")
	is("0", "search private-endpoint-connection list"+of+" --query length(@)")
	s.typed("search private-endpoint-connection show -n none" + of).fails("(PrivateEndpointConnectionNotFound)")
	s.typed("search private-endpoint-connection update -n none --status Rejected --description No --actions-required None" + of).fails("(PrivateEndpointConnectionNotFound)")
	s.typed("search private-endpoint-connection delete --yes -n none" + of).ok() // there is none, as is wanted
	is("0", "search service network-security-perimeter-configuration list -g rg-sample --search-service-name srchaz --query length(@)")
	is("7", "search usage list --location japaneast --query length(@)")
	is("16", "search usage show --location japaneast --sku-name basic --query limit")

	s.typed("search service delete --yes" + named).ok()
	is("0", "search service list -g rg-sample --query length([?name=='srchaz'])")
}
