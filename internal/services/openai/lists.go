package openai

import (
	"net/http"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/arm"
)

func (s *OpenAI) reply(w http.ResponseWriter, call *api.Call, v any) error {
	setHeaders(w, call)
	return arm.WriteJSON(w, http.StatusOK, v)
}

func (s *OpenAI) listModels(w http.ResponseWriter, call *api.Call) error {
	var all []any
	for _, m := range s.catalog.models {
		all = append(all, m.dataView())
	}
	return s.reply(w, call, map[string]any{"data": all, "object": "list"})
}

func (s *OpenAI) getModel(w http.ResponseWriter, call *api.Call) error {
	for _, m := range s.catalog.models {
		if view := m.dataView(); strings.EqualFold(view["id"].(string), call.Var("model-id")) {
			return s.reply(w, call, view)
		}
	}
	return notFound()
}

// listModelsV1 is the same in OpenAI's own shape.
func (s *OpenAI) listModelsV1(w http.ResponseWriter, call *api.Call) error {
	var all []any
	for _, m := range s.catalog.models {
		all = append(all, v1Model(m))
	}
	return s.reply(w, call, map[string]any{"object": "list", "data": all})
}

func (s *OpenAI) getModelV1(w http.ResponseWriter, call *api.Call) error {
	for _, m := range s.catalog.models {
		if strings.EqualFold(m.dataView()["id"].(string), call.Var("model-id")) {
			return s.reply(w, call, v1Model(m))
		}
	}
	return notFound()
}

func v1Model(m catalogModel) map[string]any {
	return map[string]any{"id": m.dataView()["id"], "object": "model", "created": 0, "owned_by": "openai"}
}

// listDeployments is the data plane's own list, of api-versions up to
// 2023-03-15-preview.
func (s *OpenAI) listDeployments(w http.ResponseWriter, call *api.Call) error {
	resources, err := s.resources.Children(call.Request.Context(), string(call.Target.Scope), accountType+"/deployments")
	if err != nil {
		return err
	}
	all := []any{}
	for _, r := range resources {
		view, err := s.deploymentData(r)
		if err != nil {
			return err
		}
		all = append(all, view)
	}
	return s.reply(w, call, map[string]any{"data": all, "object": "list"})
}

func (s *OpenAI) getDeployment(w http.ResponseWriter, call *api.Call) error {
	r, ok, err := s.reader.Get(call.Request.Context(), string(call.Target.Scope)+"/deployments/"+call.Var("deployment-id"))
	if err != nil {
		return err
	}
	if !ok {
		return deploymentNotFound()
	}
	view, err := s.deploymentData(r)
	if err != nil {
		return err
	}
	return s.reply(w, call, view)
}

func (s *OpenAI) deploymentData(r *arm.Resource) (map[string]any, error) {
	p, err := arm.DecodeProperties[deployment](r)
	if err != nil {
		return nil, err
	}
	created := int64(0)
	if r.SystemData != nil {
		created = r.SystemData.CreatedAt.Unix()
	}
	return map[string]any{
		"id": r.Name, "object": "deployment", "model": p.Model.Name, "status": "succeeded", "owner": "organization-owner",
		"scale_settings": map[string]string{"scale_type": "standard"}, "created_at": created, "updated_at": created,
	}, nil
}
