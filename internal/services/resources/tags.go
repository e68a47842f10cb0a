package resources

import (
	"net/http"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/rbac"
)

const tagsType = "Microsoft.Resources/tags"

// tagSource documents the tags of a scope.
const tagSource = "azure-rest-api-specs resources/stable/2021-04-01/resources.json, Tags_*AtScope; azure-docs tag-resources.md"

func (s *Resources) tagOperations() []api.Operation {
	row := func(method, name, verb string, handle func(http.ResponseWriter, *api.Call) error) api.Operation {
		action := tagsType + "/" + verb
		return api.Operation{Method: method, Pattern: "{scope}/providers/" + tagsType + "/default", Name: name, Action: action, Source: tagSource, Handle: handle,
			Checks: func(call *api.Call) ([]api.Check, error) {
				return []api.Check{{Scope: rbac.Scope(call.Path), Action: action}}, nil
			}}
	}
	return []api.Operation{
		row(http.MethodGet, "Tags_GetAtScope", "read", s.getTags),
		row(http.MethodPut, "Tags_CreateOrUpdateAtScope", "write", s.putTags),
		row(http.MethodPatch, "Tags_UpdateAtScope", "write", s.patchTags),
		row(http.MethodDelete, "Tags_DeleteAtScope", "delete", s.deleteTags),
	}
}

func (s *Resources) getTags(w http.ResponseWriter, call *api.Call) error {
	res, err := s.arm.Find(call.Request.Context(), call.Var("scope"))
	if err != nil {
		return err
	}
	return replyTags(w, call, res)
}

type tagsBody struct {
	Operation  string `json:"operation"`
	Properties *struct {
		Tags map[string]string `json:"tags"`
	} `json:"properties"`
}

func readTags(call *api.Call) (tagsBody, error) {
	var in tagsBody
	if err := arm.ReadBody(call, &in); err != nil {
		return in, err
	}
	if in.Properties == nil {
		return in, api.BadRequest("InvalidRequestContent", "properties", "The request content was invalid: it has no properties.")
	}
	return in, nil
}

func (s *Resources) putTags(w http.ResponseWriter, call *api.Call) error {
	in, err := readTags(call)
	if err != nil {
		return err
	}
	return s.setTags(w, call, func(map[string]string) map[string]string { return in.Properties.Tags })
}

func (s *Resources) patchTags(w http.ResponseWriter, call *api.Call) error {
	in, err := readTags(call)
	if err != nil {
		return err
	}
	tags := in.Properties.Tags
	switch strings.ToLower(in.Operation) {
	case "merge":
		return s.setTags(w, call, func(old map[string]string) map[string]string { return arm.MergeTags(old, tags) })
	case "replace":
		return s.setTags(w, call, func(map[string]string) map[string]string { return tags })
	case "delete":
		return s.setTags(w, call, func(old map[string]string) map[string]string { return arm.WithoutTags(old, tags) })
	}
	return api.BadRequest("InvalidRequestContent", "operation", "The operation '%s' is invalid: it is Merge, Replace or Delete.", in.Operation)
}

func (s *Resources) deleteTags(w http.ResponseWriter, call *api.Call) error {
	_, err := s.arm.SetTags(call.Request.Context(), call.Var("scope"), call.Caller, func(map[string]string) map[string]string { return nil })
	if err != nil {
		return err
	}
	arm.WriteHeaders(w, call)
	w.WriteHeader(http.StatusOK)
	return nil
}

func (s *Resources) setTags(w http.ResponseWriter, call *api.Call, change func(map[string]string) map[string]string) error {
	res, err := s.arm.SetTags(call.Request.Context(), call.Var("scope"), call.Caller, change)
	if err != nil {
		return err
	}
	return replyTags(w, call, res)
}

func replyTags(w http.ResponseWriter, call *api.Call, res *arm.Resource) error {
	tags := res.Tags
	if tags == nil {
		tags = map[string]string{}
	}
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, http.StatusOK, map[string]any{"id": res.ID + "/providers/" + tagsType + "/default", "name": "default", "type": tagsType,
		"properties": map[string]any{"tags": tags}})
}
