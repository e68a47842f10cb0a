package machinelearning

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"sekisho/internal/api"
	"sekisho/internal/arm"
)

const (
	discoveryPath = "/discovery"
	// discoverySource says what the documents hold, and that nobody is asked who
	// they are: azureml-core gets them without a token.
	discoverySource = "azure-docs machine-learning/how-to-manage-rest.md; azureml-core 1.61.0 _base_sdk_common/service_discovery.py"
)

// services are the names under which clients look a service up. On Azure all
// are at the regional host today; older documents give hosts of their own.
var services = []string{"api", "experimentation", "history", "hyperdrive", "labeling", "modelmanagement", "pipelines", "studiocoreservices"}

type discovery struct{ workspaces Resolver }

func (d discovery) operations() []api.Operation {
	return []api.Operation{
		{Method: http.MethodGet, Pattern: discoveryPath, Name: "Discovery_Get", Source: discoverySource, Open: true, Handle: d.ofRegion},
		{Method: http.MethodGet, Pattern: discoveryPath + "/workspaces/{workspaceId}", Name: "Discovery_GetForWorkspace", Source: discoverySource, Open: true, Handle: d.ofWorkspace},
	}
}

func (d discovery) ofRegion(w http.ResponseWriter, call *api.Call) error {
	if region := call.Target.Location; !slices.ContainsFunc(arm.Locations, func(l arm.Location) bool { return l.Name == region }) {
		return api.Errorf(http.StatusNotFound, "NotFound", "Azure has no region '%s'.", region)
	}
	return writeDocument(w, call)
}

// ofWorkspace answers on the host of the workspace's region and on its own.
func (d discovery) ofWorkspace(w http.ResponseWriter, call *api.Call) error {
	id := call.Var("workspaceId")
	found, err := d.workspaces.Resolve(call.Request.Context(), &url.URL{Host: workspaceHost(id, call.Target.Location)})
	var absent *api.Error
	if err != nil && !errors.As(err, &absent) {
		return err
	}
	if err != nil || call.Target.Scope != "" && found.Scope.Key() != call.Target.Scope.Key() {
		return api.Errorf(http.StatusNotFound, "NotFound", "There is no workspace '%s' at %s.", id, call.Origin.Base)
	}
	return writeDocument(w, call)
}

// writeDocument gives every service the base that the client reached this one
// under.
func writeDocument(w http.ResponseWriter, call *api.Call) error {
	document := map[string]string{}
	for _, name := range services {
		document[name] = call.Origin.Base
	}
	w.Header().Set("x-request-id", call.ID)
	return arm.WriteJSON(w, http.StatusOK, document)
}

// writeError renders an error in the shape that Azure Machine Learning's
// services share.
// Source: Azure/azure-powershell MachineLearningServices/test/cmdlet-test.md, as
// recorded; of closed public access Azure/azure-cli-extensions#6294.
func writeError(w http.ResponseWriter, call *api.Call, err error) {
	e := api.Errorf(http.StatusInternalServerError, "ServiceError", "The server failed.")
	inner := map[string]any(nil)
	var refused *api.Refusal
	var known *api.Error
	switch {
	case errors.As(err, &refused):
		e = api.Errorf(http.StatusUnauthorized, "UserError", "User is not authorized to access provided resources due to none of the workspaces/registries are accessible from outside of the designated private link.")
		inner = refused.Inner()
	case errors.As(err, &known):
		e = known
	}
	switch e.Code {
	case api.CodeNoRoute, api.CodeMethodNotAllowed:
		// Clients do not try a 501 again.
		e = api.Errorf(http.StatusNotImplemented, "UserError", "%s %s is not supported. Of the data plane of Azure Machine Learning, Sekisho serves the discovery documents.", call.Request.Method, call.Request.URL.Path)
		inner = map[string]any{"code": "NotSupported"}
	case "NotFound":
		e = &api.Error{Status: e.Status, Code: "UserError", Message: e.Message}
		inner = map[string]any{"code": "NotFound"}
	}
	w.Header().Set("x-request-id", call.ID)
	body := map[string]any{"code": e.Code, "message": e.Message}
	if inner != nil {
		body["innerError"] = inner
	}
	arm.WriteJSON(w, e.Status, map[string]any{
		"error":       body,
		"correlation": map[string]string{"operation": strings.ReplaceAll(call.ID, "-", ""), "request": call.ID},
		"environment": call.Target.Location, "location": call.Target.Location,
		"time": time.Now().UTC().Format("2006-01-02T15:04:05.0000000+00:00"),
	})
}
