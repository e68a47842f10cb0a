package openai

import (
	"net/http"
	"regexp"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/arm"
)

// deployment is properties of accounts/deployments.
type deployment struct {
	Model struct {
		Format  string `json:"format"`
		Name    string `json:"name"`
		Version string `json:"version,omitempty"`
	} `json:"model"`
	ScaleSettings *struct {
		ScaleType string   `json:"scaleType,omitempty"`
		Capacity  *arm.Int `json:"capacity,omitempty"`
	} `json:"scaleSettings,omitempty"`
	RAIPolicyName  string `json:"raiPolicyName,omitempty"`
	VersionUpgrade string `json:"versionUpgradeOption,omitempty"`
}

const deploymentType = accountType + "/deployments"

var deploymentNames = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}[a-zA-Z0-9]$|^[a-zA-Z0-9]$`)

// deploymentSKUs are the deployment types of Azure OpenAI.
// Source: azure-ai-docs openai/how-to/deployment-types.md.
var deploymentSKUs = []string{"Standard", "GlobalStandard", "DataZoneStandard", "GlobalBatch", "DataZoneBatch",
	"ProvisionedManaged", "GlobalProvisionedManaged", "DataZoneProvisionedManaged", "DeveloperTier"}

func (s *OpenAI) deployments() *arm.Type {
	return &arm.Type{
		Name: deploymentType, Source: controlSource, Versions: versions,
		Names: deploymentNames, NameRule: "1 to 64 letters, digits, hyphens, periods and underscores",
		Plan:   s.planDeployment,
		Commit: s.commitDeployment,
		View:   s.viewDeployment,
	}
}

func (s *OpenAI) planDeployment(old, in *arm.Resource) (*arm.Resource, error) {
	p, err := arm.DecodeProperties[deployment](in)
	if err != nil {
		return nil, err
	}
	if p.Model.Name == "" {
		return nil, api.BadRequest("InvalidResourceProperties", "properties.model.name", "The deployment must name a model: properties.model.name is missing.")
	}
	if p.Model.Format == "" {
		p.Model.Format = "OpenAI"
	}
	m, ok := s.catalog.find(p.Model.Name, p.Model.Version)
	if !ok || !strings.EqualFold(p.Model.Format, "OpenAI") {
		return nil, api.BadRequest("DeploymentModelNotSupported", "properties.model",
			"The model 'Format: %s, Name: %s, Version: %s' of account deployment is not supported.", p.Model.Format, p.Model.Name, p.Model.Version)
	}
	p.Model.Format, p.Model.Name, p.Model.Version = "OpenAI", m.Name, m.Version
	if p.VersionUpgrade, err = oneOf("properties.versionUpgradeOption", p.VersionUpgrade,
		"OnceNewDefaultVersionAvailable", "OnceCurrentVersionExpired", "NoAutoUpgrade"); err != nil {
		return nil, err
	}
	if err := planDeploymentSKU(old, in, p); err != nil {
		return nil, err
	}
	p.ScaleSettings = nil // the sku holds it since api-version 2023-05-01
	return in, in.SetProperties(p)
}

// planDeploymentSKU settles the deployment's type and capacity: in sku, or in
// scaleSettings as api-versions before 2023-05-01 write it.
func planDeploymentSKU(old, in *arm.Resource, p deployment) error {
	if in.SKU == nil && old != nil {
		in.SKU = old.SKU
	}
	if in.SKU == nil {
		in.SKU = &arm.SKU{Name: "Standard"}
		if p.ScaleSettings != nil {
			in.SKU.Capacity = p.ScaleSettings.Capacity
		}
	}
	var err error
	if in.SKU.Name, err = oneOf("sku.name", in.SKU.Name, deploymentSKUs...); err != nil {
		return err
	}
	if in.SKU.Capacity == nil {
		one := arm.Int(1)
		in.SKU.Capacity = &one
	}
	if *in.SKU.Capacity < 1 {
		return api.BadRequest("InvalidCapacity", "sku.capacity", "The capacity %d is not at least 1.", *in.SKU.Capacity)
	}
	return nil
}

type deploymentView struct {
	deployment
	ProvisioningState string            `json:"provisioningState"`
	Capabilities      map[string]string `json:"capabilities"`
}

func (s *OpenAI) viewDeployment(r *arm.Resource, _ api.Origin) (any, error) {
	p, err := arm.DecodeProperties[deployment](r)
	if err != nil {
		return nil, err
	}
	v := deploymentView{deployment: p, ProvisioningState: "Succeeded"}
	if m, ok := s.catalog.find(p.Model.Name, p.Model.Version); ok {
		v.Capabilities = m.capabilities()
	}
	return v, nil
}

// deploymentNotFound is the data plane's answer. Source: autogen#822.
func deploymentNotFound() *api.Error {
	return api.Errorf(http.StatusNotFound, "DeploymentNotFound", "The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, please wait a moment and try again.")
}
