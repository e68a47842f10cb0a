package conformance

import (
	"slices"
	"testing"
)

// Source: azure-docs storage/common/storage-account-create.md, manage keys and
// network rules in storage-account-keys-manage.md and storage-network-security.md.
func TestAzMakesAStorageAccountKeepsItsRulesAndRenewsItsKeys(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.login()
	const account = "stconformance"
	storage := func(words ...string) result { return s.az(append([]string{"storage"}, words...)...) }
	named := []string{"-g", "rg-sample", "-n", account}
	of := func(words ...string) result {
		return storage(append(append([]string{"account"}, words...), named...)...)
	}

	var free struct{ NameAvailable bool }
	storage("account", "check-name", "-n", account).json(&free)
	if !free.NameAvailable {
		t.Error("the name is taken before there is an account")
	}
	var made struct {
		Kind, ProvisioningState string
		AllowBlobPublicAccess   bool
		PrimaryEndpoints        map[string]string
	}
	of("create", "-l", "japaneast", "--sku", "Standard_LRS", "--kind", "StorageV2").json(&made)
	if made.Kind != "StorageV2" || made.ProvisioningState != "Succeeded" || made.AllowBlobPublicAccess || made.PrimaryEndpoints["blob"] != "https://"+account+".blob.core.windows.net/" {
		t.Errorf("made: %+v", made)
	}
	storage("account", "create", "-g", "rg-sample", "-n", "No-Name", "-l", "japaneast").fails("AccountNameInvalid")

	var updated struct {
		MinimumTlsVersion    string
		AllowSharedKeyAccess bool
	}
	of("update", "--min-tls-version", "TLS1_2", "--allow-shared-key-access", "false").json(&updated)
	if updated.MinimumTlsVersion != "TLS1_2" || updated.AllowSharedKeyAccess {
		t.Errorf("updated: %+v", updated)
	}

	var keys, renewed []struct{ KeyName, Value string }
	storage("account", "keys", "list", "-g", "rg-sample", "-n", account).json(&keys)
	storage("account", "keys", "renew", "-g", "rg-sample", "-n", account, "--key", "key1").json(&renewed)
	if len(keys) != 2 || len(renewed) != 2 || len(keys[0].Value) != 88 || keys[0].Value == renewed[0].Value || keys[1] != renewed[1] {
		t.Error("not just key1 was renewed")
	}

	rules := func(words ...string) (values []string) {
		storage(slices.Concat([]string{"account", "network-rule"}, words, []string{"-g", "rg-sample", "--account-name", account, "--query", "networkRuleSet.ipRules[].ipAddressOrRange"})...).json(&values)
		return values
	}
	if got := rules("add", "--ip-address", "203.0.113.0/24", "8.8.8.8"); !slices.Equal(got, []string{"203.0.113.0/24", "8.8.8.8"}) {
		t.Errorf("rules: %v", got)
	}
	if got := rules("remove", "--ip-address", "8.8.8.8"); !slices.Equal(got, []string{"203.0.113.0/24"}) {
		t.Errorf("rules: %v", got)
	}

	in := []string{"-g", "rg-sample", "--storage-account", account}
	container := func(words ...string) result {
		return storage(slices.Concat([]string{"container-rm"}, words, in)...)
	}
	container("create", "-n", "docs", "--metadata", "a=b").ok()
	container("create", "-n", "open", "--public-access", "blob").fails("PublicAccessNotPermitted")
	var containers []string
	container("list", "--query", "[].name").json(&containers)
	if !slices.Equal(containers, []string{"docs"}) {
		t.Errorf("containers: %v", containers)
	}
	container("delete", "-n", "docs", "--yes").ok()
	storage(slices.Concat([]string{"share-rm", "create", "-n", "share", "--quota", "10"}, in)...).ok()
	storage("account", "blob-service-properties", "update", "-g", "rg-sample", "-n", account, "--enable-versioning", "true").fails("FeatureNotSupportedForAccount")

	// A customer-managed key, which the operator lets be used.
	const vault = "https://contoso.vault.azure.net/"
	of("update", "--assign-identity").ok()
	encrypted := []string{"update", "--encryption-key-source", "Microsoft.Keyvault", "--encryption-key-vault", vault, "--encryption-key-name", "cmk"}
	of(encrypted...).fails("KeyVaultKeyNotFound")
	s.cli("key", "enable", vault, "cmk").ok()
	of(encrypted...).ok()
	s.cli("key", "disable", vault, "cmk").says("cmk", "false")
	of("update", "--encryption-key-source", "Microsoft.Storage").fails("KeyVaultKeyNotFound")

	of("delete", "--yes").ok()
	of("show").fails("ResourceNotFound")
}
