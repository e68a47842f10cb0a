package storage_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/services/storage"
	"sekisho/internal/servicetest"
)

// Those whose rows are below, in the order of the cells.
var rolesOfRows = []struct{ name, guid string }{
	{"Owner", servicetest.Owner},
	{"Contributor", servicetest.Contributor},
	{"Reader", servicetest.Reader},
	{"Storage Blob Data Reader", blobReader},
	{"Storage Blob Data Contributor", blobContributor},
	{"Storage Blob Data Owner", blobOwner},
	{"Storage File Data Privileged Contributor", "69566ab7-960f-475b-8e7c-b3118f30c6bd"},
}

// What each role may (Y) and may not (n) call: first those that manage, then those of
// blobs, then that of files. Source: the operations' actions in rest-storageservices
// authorize-with-azure-active-directory.md, held against the roles' definitions in
// azure-docs role-based-access-control/built-in-roles/storage.md and privileged.md; for
// the Data Lake, its actions in azure-docs role-based-access-control/permissions/storage.md.
var rowsByCells = map[string]string{
	"YYY YYY n": "Service_ListContainers Container_GetProperties Container_GetMetadata Service_ListFileSystems FileSystem_GetProperties",
	"YYY nnn n": "Service_GetProperties Service_GetStatistics",
	"YYn nnn n": "Service_SetProperties Service_GetAccountInfo Container_GetAccountInfo Blob_GetAccountInfo",
	"YYn nnY n": "Container_GetAccessPolicy Container_SetAccessPolicy",
	"YYn YYY n": "Service_GetUserDelegationKey",
	"YYn nYY n": `Service_SubmitBatch Container_SubmitBatch Container_Create Container_SetMetadata Container_Lease Container_Delete Container_Restore
		Blob_Undelete FileSystem_Create FileSystem_SetProperties FileSystem_Delete`,
	"nnn YYY n": `Container_ListBlobs Blob_Download Blob_GetProperties Blob_GetMetadata BlockBlob_GetBlockList
		FileSystem_ListPaths Path_Read Path_GetProperties`,
	"nnn nYY n": `BlockBlob_Upload PageBlob_Create AppendBlob_Create Blob_SetMetadata Blob_SetHTTPHeaders Blob_SetTier Blob_Lease Blob_CreateSnapshot Blob_Delete
		BlockBlob_StageBlock BlockBlob_CommitBlockList AppendBlob_AppendBlock AppendBlob_Seal
		BlockBlob_PutBlobFromURL Blob_CopyFromURL Blob_StartCopyFromURL Blob_AbortCopyFromURL BlockBlob_StageBlockFromURL AppendBlob_AppendBlockFromURL
		Path_Create Path_Delete Path_Lease Path_AppendData Path_FlushData Path_Update`,
	"nnn nnY n": "Blob_GetTags Blob_SetTags Service_FilterBlobs Container_FilterBlobs Path_SetAccessControl Path_SetAccessControlRecursive",
}

// requestOf is a request for a row: enough for gate to decide it.
func requestOf(op api.Operation, service string) servicetest.Request {
	path := strings.NewReplacer("{container}", "con", "{blob}", "blob").Replace(op.Pattern)
	header := http.Header{"X-Ms-Version": {version}}
	for word := range strings.FieldsSeq(op.Header) {
		name, value, _ := strings.Cut(word, "=")
		switch name {
		case "x-ms-copy-source":
			value = "https://lake.blob.core.windows.net/con/source"
		case "x-ms-rename-source":
			value = "/con/source"
		}
		header.Set(name, value)
	}
	return servicetest.Request{Method: op.Method, URL: "https://lake." + service + ".core.windows.net" + path + "?" + strings.Join(op.Query, "&"), Header: header}
}

func TestWhatEachRoleMayAndMayNotCallOfAllRows(t *testing.T) {
	cells := map[string]string{}
	for row, names := range rowsByCells {
		for name := range strings.FieldsSeq(names) {
			cells[name] = strings.ReplaceAll(row, " ", "")
		}
	}
	l := newLake(t, true)
	as := make([]servicetest.Principal, len(rolesOfRows))
	for i, role := range rolesOfRows {
		as[i] = l.Principal("with " + role.name)
		l.Grant(as[i].ID, role.guid, l.account)
	}
	seen := map[string]bool{}
	tables := storage.New(arm.NewKeys(nil, nil), nil, nil, storage.Options{Now: time.Now})
	for _, service := range []api.Service{tables.DataPlane(), tables.Lake()} {
		for _, op := range service.Operations {
			if op.Name == "Preflight" { // which browsers make, and nobody is asked for
				continue
			}
			seen[op.Name] = true
			if len(cells[op.Name]) != len(rolesOfRows) {
				t.Errorf("%s %s: %q tells not of each role", service.Name, op.Name, cells[op.Name])
				continue
			}
			for i, role := range rolesOfRows {
				// Each finds the same: what one with the role did before is undone.
				l.do(l.super, "PUT", "/con?resource=filesystem", "")
				l.do(l.super, "PUT", "/con/source?resource=file", "")
				r := requestOf(op, service.Name)
				r.As = &as[i]
				reply := l.Do(r)
				refused := reply.Status == http.StatusForbidden && reply.Header.Get("x-ms-error-code") == "AuthorizationPermissionMismatch"
				if may := cells[op.Name][i] == 'Y'; refused == may || !refused && slices.Contains([]int{401, 403, 405, 500}, reply.Status) {
					t.Errorf("%s, %s %s: %d %s", role.name, service.Name, op.Name, reply.Status, reply.Body)
				}
				if action := op.Action; refused && r.Method != http.MethodHead && !strings.Contains(reply.Body, action) {
					t.Errorf("%s, %s %s: the refusal does not tell of %s: %s", role.name, service.Name, op.Name, action, reply.Body)
				}
			}
		}
	}
	for name := range cells {
		if !seen[name] {
			t.Errorf("%s is no row", name)
		}
	}
}
