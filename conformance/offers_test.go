package conformance

import (
	"slices"
	"testing"
)

func TestTheAzureCLIListsSkusModelsAndTheQuotaThatDeploymentsUse(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.login()
	used := func() (used float64) {
		t.Helper()
		s.typed("cognitiveservices usage list -l japaneast --query", "[?name.value=='OpenAI.Standard.gpt-35-turbo'].currentValue | [0]").json(&used)
		return used
	}
	before := used()
	s.typed("cognitiveservices account deployment create -g rg-sample -n aoai-sample --deployment-name more --model-format OpenAI --model-name gpt-35-turbo --model-version 0125 --sku-name Standard --sku-capacity 7").ok()
	if after := used(); after != before+7 {
		t.Errorf("a deployment of capacity 7 brought the usage from %v to %v", before, after)
	}
	s.typed("cognitiveservices account deployment create -g rg-sample -n aoai-sample --deployment-name vast --model-format OpenAI --model-name gpt-35-turbo --model-version 0125 --sku-name Standard --sku-capacity 100000").
		fails("InsufficientQuota")

	var skus []struct {
		Name, Kind, ResourceType string
		Locations                []string
	}
	s.typed("cognitiveservices account list-skus --kind OpenAI --location japaneast").json(&skus)
	if len(skus) != 1 || skus[0].Name != "S0" || skus[0].ResourceType != "accounts" || !slices.Contains(skus[0].Locations, "JAPANEAST") {
		t.Errorf("list-skus printed %+v", skus)
	}
	// What a region offers is what an account there may deploy.
	type model struct{ Name, Version string }
	var ofRegion, ofAccount []model
	s.typed("cognitiveservices model list -l japaneast --query", "[?kind=='OpenAI'].model.{name: name, version: version}").json(&ofRegion)
	s.typed("cognitiveservices account list-models -g rg-sample -n aoai-sample --query", "[].{name: name, version: version}").json(&ofAccount)
	if !slices.Equal(ofAccount, ofRegion) || !slices.Contains(ofAccount, model{"gpt-4o-mini", "2024-07-18"}) {
		t.Errorf("the region offers %v, the account %v", ofRegion, ofAccount)
	}
}
