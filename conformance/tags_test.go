package conformance

import (
	"maps"
	"testing"
)

func TestTheAzureCLIWritesMergesAndTakesAwayTagsAndNothingElseOfAResource(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.login()
	id := s.scope(sampleAccount)
	tagged := func(line string, want map[string]string) {
		t.Helper()
		var tags map[string]string
		s.typed(line + " --query properties.tags").json(&tags)
		if !maps.Equal(tags, want) {
			t.Errorf("az %s: %v, want %v", line, tags, want)
		}
	}
	before := s.typed("resource show --query properties --ids " + id).ok()

	at := " --resource-id " + id
	tagged("tag create --tags team=ai cost=42"+at, map[string]string{"team": "ai", "cost": "42"})
	tagged("tag update --operation merge --tags Team=search env=prod"+at, map[string]string{"team": "search", "cost": "42", "env": "prod"})
	tagged("tag update --operation delete --tags cost=42 env=test"+at, map[string]string{"team": "search", "env": "prod"})
	tagged("tag update --operation replace --tags only=this"+at, map[string]string{"only": "this"})
	var shown map[string]string
	s.typed("cognitiveservices account show -g rg-sample -n aoai-sample --query tags").json(&shown)
	if !maps.Equal(shown, map[string]string{"only": "this"}) {
		t.Errorf("the account shows the tags %v", shown)
	}
	s.typed("tag delete --yes" + at).ok()
	tagged("tag list"+at, map[string]string{})
	tagged("tag create --tags owner=me --resource-id /subscriptions/"+s.SubscriptionID, map[string]string{"owner": "me"})
	s.typed("tag create --tags a=b --resource-id " + id + "/deployments/ada").fails("TagsNotSupported")

	if after := s.typed("resource show --query properties --ids " + id).ok(); after != before {
		t.Errorf("the account was\n%s and is\n%s", before, after)
	}
}
