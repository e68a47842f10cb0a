package blob

import (
	"errors"
	"net/http"

	"sekisho/internal/api"
)

// Errors are Storage's own. Source: rest-storageservices blob-service-error-codes.md
// and common-rest-api-error-codes.md.
func fail(status int, code, text string) *api.Error { return api.Errorf(status, code, "%s", text) }

// The answers that more than one operation gives.
func ContainerNotFound() *api.Error {
	return fail(http.StatusNotFound, "ContainerNotFound", "The specified container does not exist.")
}

func NotFound() *api.Error {
	return fail(http.StatusNotFound, "BlobNotFound", "The specified blob does not exist.")
}

func conditionNotMet() *api.Error {
	return fail(http.StatusPreconditionFailed, "ConditionNotMet", "The condition specified using HTTP conditional header(s) is not met.")
}

func notModified() *api.Error {
	return fail(http.StatusNotModified, "ConditionNotMet", "The condition specified using HTTP conditional header(s) is not met.")
}

func invalidBlobType() *api.Error {
	return fail(http.StatusConflict, "InvalidBlobType", "The blob type is invalid for this operation.")
}

func isNotFound(err error) bool {
	var e *api.Error
	return errors.As(err, &e) && e.Status == http.StatusNotFound
}

func archived() *api.Error {
	return fail(http.StatusConflict, "BlobArchived", "This operation is not permitted on an archived blob.")
}
