package storage

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"sekisho/internal/api"
	"sekisho/internal/services/storage/blob"
	"sekisho/rbac/condition"
)

// What the page's lists hold, by the tables of storage-auth-abac-attributes.md.
func TestAttributesOfEachAction(t *testing.T) {
	call := &api.Call{Request: &http.Request{URL: &url.URL{RawQuery: "prefix=p&versionid=v"}}}
	keys := map[aspects]string{ofContainer: containerNameKey, ofPath: pathKey, ofVersion: isCurrentKey}
	for action, want := range map[string]map[string]aspects{
		readBlob:    {"Container_ListBlobs": ofContainer, "FileSystem_ListPaths": ofContainer, "Blob_Download": ofContainer | ofPath | ofVersion, "Path_Read": ofContainer | ofPath | ofVersion},
		writeBlob:   {"Blob_SetTier": ofContainer | ofPath | ofVersion, "BlockBlob_Upload": ofContainer | ofPath, "Path_AppendData": ofContainer | ofPath},
		removeBlob:  {"Blob_Delete": ofContainer | ofPath | ofVersion},
		readTags:    {"Blob_GetTags": ofContainer | ofPath | ofVersion},
		writeTags:   {"Blob_SetTags": ofContainer | ofPath | ofVersion},
		filterBlobs: {"Service_FilterBlobs": 0},
		moveBlob:    {"Path_Create": ofContainer | ofPath},
		modifyBlob:  {"Path_SetAccessControl": ofContainer | ofPath},
		ownBlob:     {"Path_SetAccessControl": ofContainer | ofPath},
		// Of an action that is in none of the lists nothing but the account is seen.
		blobActions + "/runAsSuperUser/action": {"Path_Read": 0},
	} {
		for name, has := range want {
			call.Operation, call.Target.Service = &api.Operation{Name: name}, Service
			if strings.HasPrefix(name, "Path_") || strings.HasPrefix(name, "FileSystem_") {
				call.Target.Service = LakeService
			}
			// What is in the request is told without a look at what is stored.
			got := (*Storage)(nil).attributes(call, blob.Address{Container: "c", Name: "n"}, action)
			for one, key := range keys {
				if _, ok := got.Get(condition.Resource, key); ok != (has&one != 0) {
					t.Errorf("%s of %s: %s is there: %v", action, name, key, ok)
				}
			}
			if _, ok := got.Get(condition.Request, prefixKey); ok != (name == "Container_ListBlobs") {
				t.Errorf("%s of %s: the prefix is there: %v", action, name, ok)
			}
			if _, ok := got.Get(condition.Environment, pathKey); ok {
				t.Errorf("%s of %s: the path is of the environment", action, name)
			}
		}
	}
}
