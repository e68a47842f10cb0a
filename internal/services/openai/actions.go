package openai

import (
	"crypto/md5"
	"encoding/hex"
	"net/http"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/arm"
)

// keyNames are an account's two keys.
var keyNames = []string{"key1", "key2"}

func internalID(r *arm.Resource) string {
	sum := md5.Sum([]byte(strings.ToLower(r.ID))) // a stable name, no secret
	return hex.EncodeToString(sum[:])
}

func (s *OpenAI) accountActions() []api.Operation {
	return []api.Operation{
		{Method: http.MethodPost, Pattern: "listKeys", Name: "Accounts_ListKeys", Action: accountType + "/listKeys/action", Handle: s.listKeys},
		{Method: http.MethodPost, Pattern: "regenerateKey", Name: "Accounts_RegenerateKey", Action: accountType + "/regenerateKey/action", Handle: s.regenerateKey},
		{Method: http.MethodGet, Pattern: "skus", Name: "Accounts_ListSkus", Action: accountType + "/skus/read", Handle: s.accountSKUs},
		{Method: http.MethodGet, Pattern: "usages", Name: "Accounts_ListUsages", Action: accountType + "/usages/read", Handle: s.accountUsages},
		{Method: http.MethodGet, Pattern: "models", Name: "Accounts_ListModels", Action: accountType + "/models/read", Handle: s.accountModels},
	}
}

// localAuth finds the account of a call and refuses where its keys are off.
// Source of the text: microsoft-foundry-for-vscode#192.
func (s *OpenAI) localAuth(call *api.Call, verb string) (*arm.Resource, error) {
	r, err := s.resources.Find(call.Request.Context(), string(arm.PathScope(call)))
	if err != nil {
		return nil, err
	}
	p, err := arm.DecodeProperties[account](r)
	if err != nil {
		return nil, err
	}
	if p.DisableLocalAuth {
		return nil, api.BadRequest("BadRequest", "", "Failed to %s key. disableLocalAuth is set to be true", verb)
	}
	return r, nil
}

func (s *OpenAI) listKeys(w http.ResponseWriter, call *api.Call) error {
	r, err := s.localAuth(call, "list")
	if err != nil {
		return err
	}
	keys, err := s.keys.List(call.Request.Context(), r.ID)
	if err != nil {
		return err
	}
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, http.StatusOK, keys)
}

func (s *OpenAI) regenerateKey(w http.ResponseWriter, call *api.Call) error {
	r, err := s.localAuth(call, "regenerate")
	if err != nil {
		return err
	}
	var in struct {
		KeyName string `json:"keyName"`
	}
	if err := arm.ReadBody(call, &in); err != nil {
		return err
	}
	name := strings.ToLower(in.KeyName)
	if name != "key1" && name != "key2" {
		return api.BadRequest("InvalidKeyName", "keyName", "The key name '%s' is invalid: it is Key1 or Key2.", in.KeyName)
	}
	keys, err := s.keys.Regenerate(call.Request.Context(), r.ID, name)
	if err != nil {
		return err
	}
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, http.StatusOK, keys)
}

// accountModels lists the models that the account can deploy.
func (s *OpenAI) accountModels(w http.ResponseWriter, call *api.Call) error {
	if _, err := s.resources.Find(call.Request.Context(), string(arm.PathScope(call))); err != nil {
		return err
	}
	var all []any
	for _, m := range s.catalog.models {
		all = append(all, m.armView())
	}
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, http.StatusOK, arm.ListReply(all, ""))
}

// locationModels lists the models of a region.
func (s *OpenAI) locationModels(w http.ResponseWriter, call *api.Call) error {
	var all []any
	for _, m := range s.catalog.models {
		for _, kind := range []string{"OpenAI", "AIServices"} {
			all = append(all, map[string]any{"kind": kind, "skuName": "S0", "model": m.armView()})
		}
	}
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, http.StatusOK, arm.ListReply(all, ""))
}
