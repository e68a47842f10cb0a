package platform

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

const (
	keyRefused  = "401" // Azure OpenAI's code of a bad or missing key
	publicOff   = "AccessDenied"
	byFirewall  = "403"
	keysOff     = "AuthenticationTypeDisabled"
	regionalURL = "https://japaneast.api.cognitive.microsoft.com/openai/deployments/gpt-35-turbo/chat/completions?api-version=2024-10-21"
)

func (w *world) keys(owner, account string) (key1, key2 string) {
	w.t.Helper()
	r := w.must(owner, "POST", account+"/listKeys", "")
	return r.at("key1"), r.at("key2")
}

func (w *world) patch(owner, properties string) {
	w.t.Helper()
	w.must(owner, "PATCH", w.account, `{"properties":`+properties+`}`)
}

// door is a world in which somebody may chat, by token and by key.
func door(t *testing.T) (w *world, owner, token, key string) {
	w = newWorld(t)
	owner = w.token(w.owner(), forARM)
	who := w.actor("user")
	w.assign(who.object, openAIUser, w.account)
	key, _ = w.keys(owner, w.account)
	return w, owner, w.token(who, forData), key
}

// Which rule answers first is what a client can find out without a credential:
// the network's, whatever the credential; then the credential's.
// Source: azure-docs cognitive-services-virtual-networks.md; dataplane.md §4.
func TestTheNetworkDecidesBeforeTheCredential(t *testing.T) {
	w, owner, token, key := door(t)
	acls := func(action, rules string) string {
		return fmt.Sprintf(`{"publicNetworkAccess":"Enabled","networkAcls":{"defaultAction":%q,"bypass":"AzureServices","ipRules":[%s],"virtualNetworkRules":[]}}`, action, rules)
	}
	for _, c := range []struct {
		name, properties string
		code             string // of the network's refusal; empty if it lets through
	}{
		{"public access off", `{"publicNetworkAccess":"Disabled"}`, publicOff},
		{"off beats a rule that would let through", `{"publicNetworkAccess":"Disabled","networkAcls":{"defaultAction":"Allow","ipRules":[],"virtualNetworkRules":[]}}`, publicOff},
		{"deny without a rule, trusted services aside", acls("Deny", ""), byFirewall},
		{"deny, and a rule for somebody else", acls("Deny", `{"value":"203.0.113.0/24"}`), byFirewall},
		{"deny, and a rule for this address", acls("Deny", `{"value":"203.0.113.7"},{"value":"127.0.0.1"}`), ""},
		{"deny, and a rule for this range", acls("Deny", `{"value":"127.0.0.0/8"}`), ""},
		{"a rule has no effect while the default allows", acls("Allow", `{"value":"203.0.113.0/24"}`), ""},
	} {
		w.patch(owner, c.properties)
		for credential, code := range map[string]string{"api-key: " + key: "", "Authorization: Bearer " + token: "", "api-key: wrong": keyRefused, "X-None: ": keyRefused} {
			header, value, _ := strings.Cut(credential, ": ")
			r := w.chat(header, value)
			switch {
			case c.code != "":
				w.expect(c.name+", "+header, r, http.StatusForbidden, c.code)
			case code != "":
				w.expect(c.name+", "+header, r, http.StatusUnauthorized, code)
			default:
				w.admitted(c.name+", "+header, r)
			}
		}
	}
}

func TestAKeyOpensItsOwnAccountOnly(t *testing.T) {
	w, owner, _, key := door(t)
	other := w.group + "/providers/Microsoft.CognitiveServices/accounts/other"
	w.must(owner, "PUT", other, `{"location":"japaneast","kind":"OpenAI","sku":{"name":"S0"},"properties":{"customSubDomainName":"other"}}`)
	othersKey, _ := w.keys(owner, other)
	w.admitted("its own key", w.chat("api-key", key))
	w.admitted("by the other header", w.chat("Ocp-Apim-Subscription-Key", key))
	w.expect("another account's key", w.chat("api-key", othersKey), http.StatusUnauthorized, keyRefused)
	w.expect("a key with a byte more", w.chat("api-key", key+"A"), http.StatusUnauthorized, keyRefused)
	w.expect("a key as a bearer outside v1", w.chat("Authorization", "Bearer "+key), http.StatusUnauthorized, "")
	v1 := func(credential ...string) reply {
		return w.send("POST", dataPlane+"/v1/chat/completions", `{"model":"gpt-35-turbo",`+messages+`}`, credential...)
	}
	w.admitted("a key as a bearer on v1", v1("Authorization", "Bearer "+key))
	w.expect("another account's key as a bearer on v1", v1("Authorization", "Bearer "+othersKey), http.StatusUnauthorized, keyRefused)
	w.must(owner, "POST", w.account+"/regenerateKey", `{"keyName":"Key1"}`)
	w.expect("the key after it was regenerated", w.chat("api-key", key), http.StatusUnauthorized, keyRefused)
	w.must(owner, "DELETE", other, "")
	w.expect("the key of an account that is gone", w.chat("api-key", othersKey), http.StatusUnauthorized, keyRefused)
}

// A regional host is shared: the key tells the account, and a token has none.
// Source: azure-docs cognitive-services-custom-subdomains.md.
func TestARegionalHostTakesKeysAndNoTokens(t *testing.T) {
	w, owner, token, key := door(t)
	regional := func(url string, credential ...string) reply {
		return w.send("POST", url, "{"+messages+"}", credential...)
	}
	w.admitted("a key", regional(regionalURL, "api-key", key))
	w.expect("a token", regional(regionalURL, bearer(token)...), http.StatusBadRequest, "BadRequest")
	w.expect("a key in another region", regional(strings.Replace(regionalURL, "japaneast", "eastus", 1), "api-key", key), http.StatusUnauthorized, keyRefused)
	w.expect("a bad key", regional(regionalURL, "api-key", "wrong"), http.StatusUnauthorized, keyRefused)
	w.patch(owner, `{"publicNetworkAccess":"Disabled"}`)
	w.expect("a key of a closed account", regional(regionalURL, "api-key", key), http.StatusForbidden, publicOff)
	w.patch(owner, `{"publicNetworkAccess":"Enabled","disableLocalAuth":true}`)
	w.expect("a key of an account without keys", regional(regionalURL, "api-key", key), http.StatusForbidden, keysOff)
}

// Source: promptfoo#2099 and litellm#21814 for the answer, which is the same for
// every key.
func TestAnAccountWithoutKeysTakesTokensOnly(t *testing.T) {
	w, owner, token, key := door(t)
	w.patch(owner, `{"disableLocalAuth":true}`)
	w.expect("a good key", w.chat("api-key", key), http.StatusForbidden, keysOff)
	w.expect("a bad key", w.chat("api-key", "wrong"), http.StatusForbidden, keysOff)
	w.admitted("a token", w.chat(bearer(token)...))
	if r := w.arm(owner, "POST", w.account+"/listKeys", ""); r.status != http.StatusBadRequest || r.at("key1") != "" {
		t.Errorf("listKeys: %d %v", r.status, r.body)
	}
	w.patch(owner, `{"disableLocalAuth":false}`)
	w.admitted("the key, when keys are on again", w.chat("api-key", key))
}
