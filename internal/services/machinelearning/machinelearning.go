// Package machinelearning is Microsoft.MachineLearningServices: workspaces of
// Azure Machine Learning as resources, and of their data plane the discovery
// documents, which tell clients where a workspace's services are.
//
// Hubs and projects are kinds of the same type; they are refused until they are
// built, and so are the properties of a workspace that something would have to
// enforce.
package machinelearning

import (
	"context"
	"net/url"

	"sekisho/internal/api"
	"sekisho/internal/arm"
)

const (
	// Namespace is the resource provider's name.
	Namespace     = "Microsoft.MachineLearningServices"
	workspaceType = Namespace + "/workspaces"
	// Service is the name of the data plane's table.
	Service = "machinelearning"
	// zone holds the regional hosts, {region}.api.azureml.ms, and those of each
	// workspace, {workspaceId}.workspace.{region}.api.azureml.ms.
	// Source: azure-docs machine-learning/how-to-custom-dns.md.
	zone = "api.azureml.ms"

	controlSource = "azure-rest-api-specs machinelearningservices/stable/2024-04-01/workspaceRP.json; built-in-roles/ai-machine-learning.md"
)

// versions are api-versions of workspaces, the newest first.
var versions = []string{"2024-10-01", "2024-04-01", "2023-10-01", "2022-05-01", "2021-04-01", "2020-01-01"}

// Resolver finds the workspace that a host name belongs to; arm.Reader is one.
type Resolver interface {
	Resolve(context.Context, *url.URL) (api.Target, error)
}

// Types are the resource types of Microsoft.MachineLearningServices.
func Types() []*arm.Type { return []*arm.Type{workspaces()} }

// DataPlane is the table of {region}.api.azureml.ms and of the workspaces' own
// hosts. Its operations take no token, and what is no operation is refused
// before a token is looked at: so it names no audience.
func DataPlane(workspaces Resolver) api.Service {
	d := discovery{workspaces}
	return api.Service{Name: Service, MaxBody: 1 << 20, WriteError: writeError, Operations: d.operations()}
}
