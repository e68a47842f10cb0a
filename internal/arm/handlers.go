package arm

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"path"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/store"
	"sekisho/rbac"
)

// handleWrite serves PUT and PATCH.
func (m *Manager) handleWrite(w http.ResponseWriter, call *api.Call, t *Type) error {
	body, err := io.ReadAll(call.Request.Body)
	if err != nil {
		return err
	}
	change, err := readChange(call.Request.Method, body)
	if err != nil {
		return err
	}
	res, created, err := m.Put(call.Request.Context(), Write{
		Type: t, ID: call.Path, Caller: call.Caller, Change: change,
		IfMatch: call.Request.Header.Get("If-Match"), IfNoneMatch: call.Request.Header.Get("If-None-Match"),
	})
	if errors.Is(err, errAbsent) {
		return m.absent(call.Request.Context(), call.Path)
	}
	if err != nil {
		return err
	}
	status := http.StatusOK
	if created {
		status = cmp.Or(t.Created, http.StatusCreated)
	}
	return m.reply(w, call, status, res)
}

func (m *Manager) handleGet(w http.ResponseWriter, call *api.Call) error {
	res, err := m.Find(call.Request.Context(), string(PathScope(call)))
	if err != nil {
		return err
	}
	return m.reply(w, call, http.StatusOK, res)
}

func (m *Manager) handleHead(w http.ResponseWriter, call *api.Call) error {
	if _, err := m.Find(call.Request.Context(), string(PathScope(call))); err != nil {
		return err
	}
	WriteHeaders(w, call)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// handleDelete answers 204 where there is nothing to delete, unless what it
// would be in is not there either.
func (m *Manager) handleDelete(w http.ResponseWriter, call *api.Call, t *Type) error {
	id := string(PathScope(call))
	found, err := m.Delete(call.Request.Context(), id, call.Request.Header.Get("If-Match"))
	if err != nil {
		return err
	}
	status := cmp.Or(t.Deleted, http.StatusOK)
	if !found {
		err := m.absent(call.Request.Context(), id)
		var missing *api.Error
		if !errors.As(err, &missing) || missing.Code != codeResourceNotFound {
			return err
		}
		status = http.StatusNoContent
	}
	WriteHeaders(w, call)
	w.WriteHeader(status)
	return nil
}

// Find reads a resource, or tells in ARM's words that it does not exist.
func (m *Manager) Find(ctx context.Context, id string) (*Resource, error) {
	res, ok, err := m.reader.Get(ctx, id)
	if err == nil && !ok {
		err = m.absent(ctx, id)
	}
	return res, err
}

// FindScope finds where roles may be assigned: a resource, or what of its data plane
// is a scope. Whether the latter is there, ARM does not know.
func (m *Manager) FindScope(ctx context.Context, id string) (scope, tenant string, err error) {
	res, err := m.Find(ctx, id)
	if err == nil {
		return res.ID, res.Tenant, nil
	}
	parsed, bad := rbac.ParseID(id)
	above := rbac.Scope(id)
	for n := len(parsed.Types) - 1; bad == nil && n > 0; n-- {
		above, _ = above.Parent()
		t, known := m.registry.Get(parsed.Provider + "/" + strings.Join(parsed.Types[:n], "/"))
		if !known {
			continue
		}
		for _, pattern := range t.Scopes {
			if is, _ := path.Match(strings.ToLower(pattern), strings.ToLower(id[len(above)+1:])); !is {
				continue
			}
			if res, err = m.Find(ctx, string(above)); err != nil {
				return "", "", err
			}
			return res.ID + "/" + strings.Replace(pattern, "*", parsed.Name(), 1), res.Tenant, nil
		}
	}
	return "", "", err
}

// FindTx is Find of what is in a transaction, to change it.
func (m *Manager) FindTx(tx *store.Tx, id string) (*Resource, error) {
	res, err := m.load(tx, id)
	if err != nil || res != nil {
		return res, err
	}
	parsed, err := rbac.ParseID(id)
	if err != nil {
		return nil, badID(id, err)
	}
	return nil, NotFound(parsed)
}

// absent is ARM's answer for a resource that does not exist: it names the
// outermost of what is missing.
func (m *Manager) absent(ctx context.Context, id string) error {
	parsed, err := rbac.ParseID(id)
	if err != nil {
		return badID(id, err)
	}
	subscription := rbac.Scope("/subscriptions/" + parsed.Subscription)
	parent, _ := rbac.Scope(id).Parent()
	for _, above := range []struct {
		named bool
		scope rbac.Scope
		err   error
	}{
		{parsed.Subscription != "", subscription, SubscriptionNotFound(parsed.Subscription)},
		{parsed.ResourceGroup != "", subscription + "/resourceGroups/" + rbac.Scope(parsed.ResourceGroup), groupNotFound(parsed.ResourceGroup)},
		{len(parsed.Names) > 1, parent, parentNotFound(string(parent[strings.LastIndex(string(parent), "/")+1:]))},
	} {
		if !above.named {
			continue
		}
		if _, ok, err := m.reader.Get(ctx, string(above.scope)); err != nil || !ok {
			return cmp.Or(err, above.err)
		}
	}
	return NotFound(parsed)
}

func (m *Manager) reply(w http.ResponseWriter, call *api.Call, status int, res *Resource) error {
	view, err := m.view(res, call.Origin)
	if err != nil {
		return err
	}
	WriteHeaders(w, call)
	if view.Etag != "" {
		w.Header().Set("ETag", view.Etag)
	}
	return WriteJSON(w, status, view)
}

// view is a resource as clients read it.
func (m *Manager) view(res *Resource, origin api.Origin) (*Resource, error) {
	out := *res
	if out.Type == TypeGroup { // Azure's groups have neither
		out.Etag, out.SystemData = "", nil
	}
	if out.Etag != "" {
		out.Etag = `"` + out.Etag + `"`
	}
	if t, ok := m.registry.Get(res.Type); ok && t.View != nil {
		properties, err := t.View(res, origin)
		if err != nil {
			return nil, err
		}
		if err := out.SetProperties(properties); err != nil {
			return nil, err
		}
	}
	return &out, nil
}
