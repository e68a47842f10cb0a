package storage

import (
	"net/http"

	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/store"
	"sekisho/rbac"
)

// Types of Resource Manager that are kept in the account itself.
const (
	blobServiceType = accountType + "/blobServices"
	containerType   = blobServiceType + "/containers"
	fileServiceType = accountType + "/fileServices"
	shareType       = fileServiceType + "/shares"
)

const (
	accountPath    = "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/" + accountType + "/{storageAccountName}"
	blobPath       = accountPath + "/blobServices/default"
	containersPath = blobPath + "/containers"
	containerPath  = containersPath + "/{containerName}"
	sharesPath     = accountPath + "/fileServices/default/shares"
	sharePath      = sharesPath + "/{shareName}"

	blobSource = "azure-rest-api-specs storage/stable/2024-01-01/blob.json; azure-docs role-based-access-control/permissions/storage.md"
	fileSource = "azure-rest-api-specs storage/stable/2024-01-01/file.json; azure-docs role-based-access-control/permissions/storage.md"
)

// ControlPlane are the rows of Resource Manager beside those of accounts.
func (s *Storage) ControlPlane() []api.Operation {
	row := func(method, pattern, name, action, source string, handle handler) api.Operation {
		return api.Operation{Method: method, Pattern: pattern, Name: name, Action: action, Source: source,
			Checks: atPath(action), Handle: s.unlocked(method, handle)}
	}
	const get, put, patch, post, remove = http.MethodGet, http.MethodPut, http.MethodPatch, http.MethodPost, http.MethodDelete
	rows := []api.Operation{
		row(get, accountPath+"/blobServices", "BlobServices_List", blobServiceType+"/read", blobSource, s.listBlobServices),
		row(get, blobPath, "BlobServices_GetServiceProperties", blobServiceType+"/read", blobSource, s.getBlobService),
		row(put, blobPath, "BlobServices_SetServiceProperties", blobServiceType+"/write", blobSource, s.setBlobService),

		row(get, containersPath, "BlobContainers_List", containerType+"/read", blobSource, s.armListContainers),
		row(put, containerPath, "BlobContainers_Create", containerType+"/write", blobSource, s.armPutContainer),
		row(patch, containerPath, "BlobContainers_Update", containerType+"/write", blobSource, s.armPatchContainer),
		row(get, containerPath, "BlobContainers_Get", containerType+"/read", blobSource, s.armGetContainer),
		row(remove, containerPath, "BlobContainers_Delete", containerType+"/delete", blobSource, s.armDeleteContainer),
		row(post, containerPath+"/lease", "BlobContainers_Lease", containerType+"/lease/action", blobSource, s.armLeaseContainer),

		row(get, accountPath+"/fileServices", "FileServices_List", fileServiceType+"/read", fileSource, s.listFileServices),
		row(get, accountPath+"/fileServices/default", "FileServices_GetServiceProperties", fileServiceType+"/read", fileSource, s.getFileService),
		row(put, accountPath+"/fileServices/default", "FileServices_SetServiceProperties", fileServiceType+"/write", fileSource, s.setFileService),
		row(get, sharesPath, "FileShares_List", shareType+"/read", fileSource, s.listShares),
		row(put, sharePath, "FileShares_Create", shareType+"/write", fileSource, s.putShare),
		row(patch, sharePath, "FileShares_Update", shareType+"/write", fileSource, s.patchShare),
		row(get, sharePath, "FileShares_Get", shareType+"/read", fileSource, s.getShare),
		row(remove, sharePath, "FileShares_Delete", shareType+"/delete", fileSource, s.deleteShare),
	}
	// What is not built answers as it does for accounts that can't have it.
	for _, u := range []struct{ method, path, name, action, feature string }{
		{get, "/queueServices", "QueueServices_List", "/queueServices/read", "Queue"},
		{get, "/queueServices/default", "QueueServices_GetServiceProperties", "/queueServices/read", "Queue"},
		{put, "/queueServices/default", "QueueServices_SetServiceProperties", "/queueServices/write", "Queue"},
		{get, "/queueServices/default/queues", "Queue_List", "/queueServices/queues/read", "Queue"},
		{put, "/queueServices/default/queues/{queueName}", "Queue_Create", "/queueServices/queues/write", "Queue"},
		{get, "/tableServices", "TableServices_List", "/tableServices/read", "Table"},
		{get, "/tableServices/default", "TableServices_GetServiceProperties", "/tableServices/read", "Table"},
		{put, "/tableServices/default", "TableServices_SetServiceProperties", "/tableServices/write", "Table"},
		{get, "/tableServices/default/tables", "Table_List", "/tableServices/tables/read", "Table"},
		{put, "/tableServices/default/tables/{tableName}", "Table_Create", "/tableServices/tables/write", "Table"},
		{post, "/blobServices/default/containers/{containerName}/setLegalHold", "BlobContainers_SetLegalHold", "/blobServices/containers/setLegalHold/action", "LegalHold"},
		{post, "/blobServices/default/containers/{containerName}/clearLegalHold", "BlobContainers_ClearLegalHold", "/blobServices/containers/clearLegalHold/action", "LegalHold"},
		{put, "/blobServices/default/containers/{containerName}/immutabilityPolicies/{immutabilityPolicyName}", "BlobContainers_CreateOrUpdateImmutabilityPolicy",
			"/blobServices/containers/immutabilityPolicies/write", "ImmutabilityPolicy"},
		{put, "/managementPolicies/{managementPolicyName}", "ManagementPolicies_CreateOrUpdate", "/managementPolicies/write", "ManagementPolicy"},
		{put, "/inventoryPolicies/{inventoryPolicyName}", "BlobInventoryPolicies_CreateOrUpdate", "/inventoryPolicies/write", "BlobInventoryPolicy"},
		{put, "/encryptionScopes/{encryptionScopeName}", "EncryptionScopes_Put", "/encryptionScopes/write", "EncryptionScope"},
		{put, "/localUsers/{localUserName}", "LocalUsers_CreateOrUpdate", "/localusers/write", "LocalUser"},
		{put, "/objectReplicationPolicies/{objectReplicationPolicyId}", "ObjectReplicationPolicies_CreateOrUpdate", "/objectReplicationPolicies/write", "ObjectReplication"},
	} {
		rows = append(rows, row(u.method, accountPath+u.path, u.name, accountType+u.action, controlSource, s.notBuilt(u.feature)))
	}
	// And of what is not built there is none.
	for _, u := range []struct{ path, name, action string }{
		{"/privateEndpointConnections", "PrivateEndpointConnections_List", "/privateEndpointConnections/read"},
		{"/encryptionScopes", "EncryptionScopes_List", "/encryptionScopes/read"},
		{"/objectReplicationPolicies", "ObjectReplicationPolicies_List", "/objectReplicationPolicies/read"},
		{"/inventoryPolicies", "BlobInventoryPolicies_List", "/inventoryPolicies/read"},
		{"/localUsers", "LocalUsers_List", "/localusers/read"},
	} {
		rows = append(rows, row(get, accountPath+u.path, u.name, accountType+u.action, controlSource, s.none))
	}
	rows = append(rows, row(get, accountPath+"/managementPolicies/{managementPolicyName}", "ManagementPolicies_Get", accountType+"/managementPolicies/read", controlSource, s.noPolicy))
	return append(rows, s.lists()...)
}

func (s *Storage) none(w http.ResponseWriter, call *api.Call) error {
	if _, err := s.find(call); err != nil {
		return err
	}
	return reply(w, call, http.StatusOK, arm.ListReply(nil, ""))
}

func (s *Storage) noPolicy(w http.ResponseWriter, call *api.Call) error {
	r, err := s.find(call)
	if err != nil {
		return err
	}
	return api.Errorf(http.StatusNotFound, "ManagementPolicyNotFound", "No ManagementPolicy found for account %s", r.Name)
}

// atPath asks for an action at what the path names.
func atPath(action string) func(*api.Call) ([]api.Check, error) {
	return func(call *api.Call) ([]api.Check, error) {
		return []api.Check{{Scope: arm.PathScope(call), Action: action}}, nil
	}
}

// unlocked stops what a management lock holds.
func (s *Storage) unlocked(method string, handle handler) handler {
	held := map[string]func(*store.Tx, rbac.Scope) error{http.MethodPut: arm.Writable, http.MethodPatch: arm.Writable,
		http.MethodPost: arm.Writable, http.MethodDelete: arm.Deletable}[method]
	if held == nil {
		return handle
	}
	return func(w http.ResponseWriter, call *api.Call) error {
		err := s.resources.View(call.Request.Context(), func(tx *store.Tx) error { return held(tx, arm.PathScope(call)) })
		if err != nil {
			return err
		}
		return handle(w, call)
	}
}

// notSupported is Azure's answer to a feature that an account can't have.
// Source: MicrosoftDocs/azure-docs#75231, Azure/azure-rest-api-specs#23852.
func notSupported(feature string) error {
	return api.BadRequest("FeatureNotSupportedForAccount", "", "%s is not supported for the account.", feature)
}

func (s *Storage) notBuilt(feature string) handler {
	return func(w http.ResponseWriter, call *api.Call) error {
		if _, err := s.find(call); err != nil {
			return err
		}
		return notSupported(feature)
	}
}

// withBlobs finds the account of a call, which has blobs.
func (s *Storage) withBlobs(call *api.Call) (*arm.Resource, error) {
	r, err := s.find(call)
	if err == nil && r.Kind == kindFile {
		err = notSupported("Blob")
	}
	return r, err
}

// withFiles finds the account of a call, which has file shares.
func (s *Storage) withFiles(call *api.Call) (*arm.Resource, error) {
	r, err := s.find(call)
	if err == nil && (r.Kind == kindBlob || r.Kind == kindBlockBlob) {
		err = notSupported("File")
	}
	return r, err
}

// child is a resource that is kept in an account, as clients read it.
type child struct {
	ID         string   `json:"id"`
	Name       string   `json:"name"`
	Type       string   `json:"type"`
	ETag       string   `json:"etag,omitempty"`
	SKU        *arm.SKU `json:"sku,omitempty"`
	Properties any      `json:"properties"`
}
