package openai

import (
	"errors"
	"net/http"

	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/store"
	"sekisho/rbac"
)

func (s *OpenAI) deletedOperations() []api.Operation {
	const (
		list = "/subscriptions/{subscriptionId}/providers/" + provider + "/deletedAccounts"
		one  = "/subscriptions/{subscriptionId}/providers/" + provider + "/locations/{location}/resourceGroups/{resourceGroupName}/deletedAccounts/{accountName}"
	)
	row := func(method, pattern, name, action string, handle func(http.ResponseWriter, *api.Call) error) api.Operation {
		return api.Operation{Method: method, Pattern: pattern, Name: name, Action: action, Source: controlSource, Handle: handle,
			Checks: func(call *api.Call) ([]api.Check, error) {
				return []api.Check{{Scope: arm.PathScope(call), Action: action}}, nil
			}}
	}
	return []api.Operation{
		row(http.MethodGet, list, "DeletedAccounts_List", provider+"/deletedAccounts/read", s.listDeleted),
		row(http.MethodGet, one, "DeletedAccounts_Get", deletedType+"/read", s.getDeleted),
		row(http.MethodDelete, one, "DeletedAccounts_Purge", deletedType+"/delete", s.purge),
	}
}

func (s *OpenAI) listDeleted(w http.ResponseWriter, call *api.Call) error {
	id := "/subscriptions/" + call.Var("subscriptionId")
	if _, err := s.resources.Find(call.Request.Context(), id); err != nil {
		return err
	}
	var records []store.Record
	err := s.resources.View(call.Request.Context(), func(tx *store.Tx) (err error) {
		records, err = tx.List(kindDeleted, store.Query{Prefix: id + "/"})
		return err
	})
	if err != nil {
		return err
	}
	var views []any
	for _, record := range records {
		d, err := s.decodeDeleted(record)
		if err != nil {
			return err
		}
		if s.expired(d) {
			continue
		}
		view, err := deletedView(d, call.Origin)
		if err != nil {
			return err
		}
		views = append(views, view)
	}
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, http.StatusOK, arm.ListReply(views, ""))
}

func (s *OpenAI) getDeleted(w http.ResponseWriter, call *api.Call) error {
	var d deletedAccount
	err := s.resources.View(call.Request.Context(), func(tx *store.Tx) error {
		record, err := tx.Get(kindDeleted, call.Path)
		if err != nil {
			return err
		}
		d, err = s.decodeDeleted(record)
		return err
	})
	if errors.Is(err, store.ErrNotFound) || err == nil && s.expired(d) {
		return api.Errorf(http.StatusNotFound, "ResourceNotFound", "The deleted account '%s' was not found in location '%s' and resource group '%s'.",
			call.Var("accountName"), call.Var("location"), call.Var("resourceGroupName"))
	}
	if err != nil {
		return err
	}
	view, err := deletedView(d, call.Origin)
	if err != nil {
		return err
	}
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, http.StatusOK, view)
}

// purge lets a deleted account go for good; 204 if there is none.
func (s *OpenAI) purge(w http.ResponseWriter, call *api.Call) error {
	status := http.StatusOK
	err := s.resources.Update(call.Request.Context(), func(tx *store.Tx) error {
		if err := arm.Deletable(tx, rbac.Scope(call.Path)); err != nil {
			return err
		}
		record, err := tx.Get(kindDeleted, call.Path)
		if err != nil {
			return err
		}
		return tx.Delete(kindDeleted, record.ID)
	})
	if errors.Is(err, store.ErrNotFound) {
		status, err = http.StatusNoContent, nil
	}
	if err != nil {
		return err
	}
	arm.WriteHeaders(w, call)
	w.WriteHeader(status)
	return nil
}

func deletedView(d deletedAccount, origin api.Origin) (*arm.Resource, error) {
	view := *d.Account
	properties, err := viewAccount(&view, origin)
	if err != nil {
		return nil, err
	}
	view.ID, view.Type, view.Etag = deletedID(d.Account), deletedType, `"`+d.Account.Etag+`"`
	const layout = "2006-01-02T15:04:05.0000000Z"
	return &view, view.SetProperties(struct {
		accountView
		ProvisioningState  string `json:"provisioningState"`
		DeletionDate       string `json:"deletionDate"`
		ScheduledPurgeDate string `json:"scheduledPurgeDate"`
	}{properties.(accountView), "Deleted", d.Deleted.Format(layout), d.Deleted.Add(retention).Format(layout)})
}
