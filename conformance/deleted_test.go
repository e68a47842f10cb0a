package conformance

import "testing"

func TestADeletedAccountIsRecoveredOrPurgedByTheAzureCLIAndItsNameIsHeldUntilThen(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.login()
	const account = " -g rg-sample -n aoai-sample"
	const deleted = account + " -l japaneast"
	free := func() (is bool) {
		t.Helper()
		s.typed("rest -m post --query isSubdomainAvailable --uri /subscriptions/"+s.SubscriptionID+"/providers/Microsoft.CognitiveServices/checkDomainAvailability?api-version=2023-05-01",
			"--body", `{"subdomainName": "AOAI-Sample", "type": "Microsoft.CognitiveServices/accounts"}`).json(&is)
		return is
	}
	key, _ := s.keys(s.arm())

	s.typed("cognitiveservices account delete" + account).ok()
	s.typed("cognitiveservices account show" + account).fails("ResourceNotFound")
	if status := s.chatWithKey()(key); status == 200 {
		t.Error("a deleted account answers")
	}
	type view struct {
		ID, Kind   string
		Properties struct{ DeletionDate, ScheduledPurgeDate, Endpoint string }
	}
	var list []view
	s.typed("cognitiveservices account list-deleted").json(&list)
	var shown view
	s.typed("cognitiveservices account show-deleted" + deleted).json(&shown)
	if len(list) != 1 || list[0] != shown || shown.Kind != "OpenAI" || shown.Properties.DeletionDate == "" || shown.Properties.ScheduledPurgeDate <= shown.Properties.DeletionDate ||
		shown.ID != "/subscriptions/"+s.SubscriptionID+"/providers/Microsoft.CognitiveServices/locations/japaneast/resourceGroups/rg-sample/deletedAccounts/aoai-sample" {
		t.Errorf("list-deleted printed %+v, show-deleted %+v", list, shown)
	}
	create := "cognitiveservices account create --kind OpenAI --sku S0 --custom-domain aoai-sample --yes" + deleted
	s.typed(create).fails("FlagMustBeSetForRestore")
	if free() {
		t.Error("a deleted account's domain is said to be free")
	}

	var endpoint string
	s.typed("cognitiveservices account recover --query properties.endpoint" + deleted).json(&endpoint)
	if status := s.chatWithKey()(key); endpoint != "https://aoai-sample.openai.azure.com/" || status != 200 {
		t.Errorf("the recovered account at %q answers its key with %d", endpoint, status)
	}

	s.typed("cognitiveservices account delete" + account).ok()
	s.typed("cognitiveservices account purge" + deleted).ok()
	s.typed("cognitiveservices account list-deleted").json(&list)
	s.typed("cognitiveservices account show-deleted" + deleted).fails("ResourceNotFound")
	if !free() || len(list) != 0 {
		t.Errorf("after the purge the domain is not free, or %+v is left", list)
	}
	s.typed(create).ok()
	if status := s.chatWithKey()(key); status != 401 {
		t.Errorf("the new account answers the old one's key with %d", status)
	}
}
