package platform

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

const regionalML = "https://japaneast.api.azureml.ms"

// made makes the workspace of the tests, and gives its id and its GUID.
func (w *world) made(token string) (id, guid string) {
	w.t.Helper()
	w.must(token, "POST", w.sub+"/providers/Microsoft.MachineLearningServices/register", "")
	id = w.group + "/providers/" + workspaces + "/studio"
	return id, w.must(token, "PUT", id, strings.ReplaceAll(workspace, "{group}", w.group)).at("properties", "workspaceId")
}

// The documents are given to everybody, and name the host that was asked.
func TestAWorkspaceTellsWhereItsServicesAre(t *testing.T) {
	w := newWorld(t)
	token := w.token(w.owner(), forARM)
	id, guid := w.made(token)
	own := "https://" + w.p.Addresses().Listen
	host := "https://" + guid + ".workspace.japaneast.api.azureml.ms"
	discovery := w.arm(token, "GET", id, "").at("properties", "discoveryUrl")
	if discovery != regionalML+"/discovery" {
		t.Errorf("discoveryUrl is %s", discovery)
	}
	w.client.Transport.(*http.Transport).Proxy = func(r *http.Request) (*url.URL, error) {
		if "https://"+r.URL.Host == own {
			return nil, nil
		}
		return &url.URL{Scheme: "http", Host: w.p.Addresses().Proxy}, nil
	}
	underOwn := w.send("GET", own+id+"?api-version=2024-04-01", "", "Authorization", "Bearer "+token)
	if got, want := underOwn.at("properties", "discoveryUrl"), own+"/-/azureml/japaneast/discovery"; got != want {
		t.Errorf("under the own name discoveryUrl is %s, want %s", got, want)
	}
	for document, base := range map[string]string{
		discovery: regionalML, discovery + "/workspaces/" + guid: regionalML, discovery + "/workspaces/" + strings.ToUpper(guid): regionalML,
		host + "/discovery": host, host + "/discovery/workspaces/" + guid: host,
		underOwn.at("properties", "discoveryUrl"): own + "/-/azureml/japaneast",
	} {
		r := w.send("GET", document, "")
		for _, service := range []string{"api", "history", "experimentation", "modelmanagement", "pipelines", "hyperdrive", "labeling", "studiocoreservices"} {
			if r.status != 200 || r.at(service) != base {
				t.Errorf("%s: %d, %s is at %q, want %s", document, r.status, service, r.at(service), base)
			}
		}
	}
	const nobody = "00000000-0000-4000-8000-000000000000"
	for address, status := range map[string]int{
		discovery + "/workspaces/" + nobody:                                   404,
		"https://westeurope.api.azureml.ms/discovery/workspaces/" + guid:      404, // not its region
		"https://atlantis.api.azureml.ms/discovery":                           404,
		host + "/discovery/workspaces/" + nobody:                              404,
		"https://" + nobody + ".workspace.japaneast.api.azureml.ms/discovery": 404,
		regionalML + "/history/v1.0" + id + "/experiments":                    501,
		regionalML + "/rp/workspaces" + id:                                    501,
		strings.Replace(host, ".workspace.", ".inference.", 1) + "/discovery": 501,
	} {
		if r := w.send("GET", address, ""); r.status != status || r.at("error", "message") == "" {
			t.Errorf("%s: %d %v, want %d", address, r.status, r.body, status)
		}
	}
	if r := w.send("DELETE", discovery, ""); r.status != 501 || r.at("error", "innerError", "code") != "NotSupported" || r.at("location") != "japaneast" || r.at("correlation", "request") == "" {
		t.Errorf("an operation that is not served: %d %v", r.status, r.body)
	}
}

func TestAWorkspaceThatIsClosedToThePublicNetworkDoesNotAnswerUnderItsName(t *testing.T) {
	w := newWorld(t)
	token := w.token(w.owner(), forARM)
	id, guid := w.made(token)
	w.must(token, "PATCH", id, `{"properties":{"publicNetworkAccess":"Disabled"}}`)
	r := w.send("GET", "https://"+guid+".workspace.japaneast.api.azureml.ms/discovery", "")
	if r.status != 401 || r.at("error", "code") != "UserError" || r.at("error", "innerError", "code") != "PublicAccessClosed" {
		t.Errorf("%d %v", r.status, r.body)
	}
	w.must(token, "GET", id, "") // Resource Manager is another matter
	w.must(token, "DELETE", id, "")
	if r := w.send("GET", "https://"+guid+".workspace.japaneast.api.azureml.ms/discovery", ""); r.status != 404 {
		t.Errorf("after its deletion: %d %v", r.status, r.body)
	}
}
