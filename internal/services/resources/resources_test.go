package resources_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"sekisho/internal/servicetest"
)

func TestSubscriptionsAreVisibleByARoleAtOrBelow(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group := w.MakeGroup("rg")
	account := w.MakeAccount(group, "acc")
	deployment := w.Deploy(account, "d", "gpt-4o")
	guid := strings.TrimPrefix(w.Subscription, "/subscriptions/")
	for name, c := range map[string]struct {
		role, scope string
		sees        bool
	}{
		"nobody":                {"", "", false},
		"reader":                {servicetest.Reader, w.Subscription, true},
		"reader of the root":    {servicetest.Reader, "/providers/Microsoft.Management/managementGroups/" + w.Tenant, true},
		"reader of a group":     {servicetest.Reader, group, true},
		"user of an account":    {servicetest.OpenAIUser, account, true},
		"reader of a child":     {servicetest.Reader, deployment, true},
		"of another place":      {servicetest.Reader, w.Subscription + "0", false},
		"of an absent resource": {servicetest.Reader, group + "x", false},
	} {
		p := w.Principal(name)
		if c.role != "" {
			w.Grant(p.ID, c.role, c.scope)
		}
		list := w.Need(200, w.ARMAs(p, "GET", "/subscriptions", ""))
		one := w.ARMAs(p, "GET", w.Subscription, "")
		entries, _ := list.Get("value").([]any)
		switch {
		case c.sees && (len(entries) != 1 || one.Get("subscriptionId") != guid || one.Get("tenantId") != w.Tenant || one.Get("state") != "Enabled"):
			t.Errorf("%s does not see the subscription: %s %s", name, list.Body, one.Body)
		case !c.sees && (len(entries) != 0 || one.Status != 403 || one.Code() != "AuthorizationFailed"):
			t.Errorf("%s sees: %s, %d %s", name, list.Body, one.Status, one.Body)
		}
		if list.Get("count", "value") != float64(len(entries)) {
			t.Errorf("%s: count %v of %d", name, list.Get("count"), len(entries))
		}
	}
}

func TestTenantsAreTheCallersOwn(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	r := w.Need(200, w.ARMAs(w.Principal("nobody"), "GET", "/tenants", ""))
	entries, _ := r.Get("value").([]any)
	if len(entries) != 1 || !strings.Contains(r.Body, `"tenantId":"`+w.Tenant+`"`) || !strings.Contains(r.Body, `"defaultDomain":"contoso.com"`) {
		t.Errorf("tenants: %s", r.Body)
	}
	anonymous := w.Do(servicetest.Request{Method: "GET", URL: servicetest.URL("/tenants")})
	if anonymous.Status != 401 || anonymous.Code() != "AuthenticationFailed" || !strings.HasPrefix(anonymous.Header.Get("WWW-Authenticate"), "Bearer authorization_uri=") {
		t.Errorf("without a token: %d %s %v", anonymous.Status, anonymous.Body, anonymous.Header)
	}
}

func TestLocations(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	r := w.Need(200, w.ARM("GET", w.Subscription+"/locations", ""))
	if !strings.Contains(r.Body, `"displayName":"Japan East"`) || !strings.Contains(r.Body, w.Subscription+"/locations/japaneast") || len(r.Names()) < 20 {
		t.Errorf("locations: %.300s", r.Body)
	}
	if r := w.ARMAs(w.Principal("nobody"), "GET", w.Subscription+"/locations", ""); r.Status != 403 {
		t.Errorf("nobody reads locations: %d", r.Status)
	}
}

// Clients look a type's api-version up here before they touch a resource.
func TestProvidersTellTheirTypesAndVersions(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	r := w.Need(200, w.ARM("GET", w.Subscription+"/providers", ""))
	var list struct {
		Value []struct {
			Namespace, RegistrationState, RegistrationPolicy string
			ResourceTypes                                    []struct {
				ResourceType           string
				APIVersions, Locations []string
			}
		}
	}
	if err := json.Unmarshal([]byte(r.Body), &list); err != nil {
		t.Fatal(err)
	}
	types := map[string]bool{}
	for _, p := range list.Value {
		want, state := "RegistrationRequired", "Registered"
		if p.Namespace == "Microsoft.Authorization" || p.Namespace == "Microsoft.Resources" {
			want = "RegistrationFree"
		}
		if p.Namespace == "Microsoft.Insights" || p.Namespace == "Microsoft.Management" || p.Namespace == "Microsoft.Subscription" { // without types to write
			state = "NotRegistered"
		}
		if p.RegistrationPolicy != want || p.RegistrationState != state {
			t.Errorf("%s: %s, %s", p.Namespace, p.RegistrationPolicy, p.RegistrationState)
		}
		for _, rt := range p.ResourceTypes {
			types[p.Namespace+"/"+rt.ResourceType] = true
			if len(rt.APIVersions) == 0 || len(rt.Locations) == 0 {
				t.Errorf("%s/%s has no api-versions or no locations", p.Namespace, rt.ResourceType)
			}
		}
	}
	for _, name := range []string{"Microsoft.CognitiveServices/accounts", "Microsoft.CognitiveServices/accounts/deployments",
		"Microsoft.Resources/resourceGroups", "Microsoft.Compute/virtualMachines", "Microsoft.ManagedIdentity/userAssignedIdentities"} {
		if !types[name] {
			t.Errorf("%s is missing in %v", name, types)
		}
	}
	if one := w.Need(200, w.ARM("GET", w.Subscription+"/providers/microsoft.compute", "")); one.Get("namespace") != "Microsoft.Compute" {
		t.Errorf("one provider: %s", one.Body)
	}
	if none := w.ARM("GET", w.Subscription+"/providers/Microsoft.Nonsense", ""); none.Status != 404 || none.Code() != "InvalidResourceNamespace" {
		t.Errorf("no provider: %d %s", none.Status, none.Body)
	}
}

// Source: clients.md §(a) and §(f): Azure Stack's shape in 2015, an array in
// 2019-05-01, one object from 2022-09-01 on, for which Terraform fails if name,
// resourceManager or microsoftGraphResourceId is empty.
func TestMetadataInThreeShapes(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	get := func(version string) servicetest.Reply {
		return w.Do(servicetest.Request{Method: "GET", URL: "https://" + servicetest.ManagementHost + "/metadata/endpoints?api-version=" + version})
	}
	stack := w.Need(200, get("2015-01-01"))
	if stack.Get("authentication", "loginEndpoint") != "https://login.microsoftonline.com/" || stack.Get("galleryEndpoint") == nil || stack.Get("graphEndpoint") == nil {
		t.Errorf("2015: %s", stack.Body)
	}
	var array []map[string]any
	if err := json.Unmarshal([]byte(w.Need(200, get("2019-05-01")).Body), &array); err != nil || len(array) != 1 || array[0]["name"] != "AzureCloud" {
		t.Errorf("2019: %v %v", array, err)
	}
	object := w.Need(200, get("2022-09-01"))
	for name, want := range map[string]string{
		"name": "AzureCloud", "resourceManager": "https://management.azure.com/", "microsoftGraphResourceId": "https://graph.microsoft.com/",
	} {
		if object.Get(name) != want {
			t.Errorf("2022: %s is %v, want %s", name, object.Get(name), want)
		}
	}
	if audiences := fmt.Sprint(object.Get("authentication", "audiences")); audiences != "[https://management.core.windows.net/ https://management.azure.com/]" {
		t.Errorf("audiences %s", audiences)
	}
	if r := get(""); r.Status != 400 || r.Code() != "MissingApiVersionParameter" {
		t.Errorf("without a version: %d %s", r.Status, r.Body)
	}
}
