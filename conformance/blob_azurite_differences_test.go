package conformance

// azuriteDifferences are those between Azurite and Sekisho, with what decides:
// mostly the page of the operation in rest-storageservices.
var azuriteDifferences = []difference{
	// Every reply.
	{"*", "+x-ms-version", "versioning-for-the-azure-storage-services.md: replies name the version; Azurite's refusals don't"},
	{"PUT *BlockBlob*", "+x-ms-content-crc64", "put-blob.md: returned for version 2019-02-02 and later"},
	{"GET *", "-x-ms-blob-content-md5", "get-blob.md: returned for a range only"},
	{"* | If-*", "-content-type", "a 304 has no body"},
	{"HEAD *", "-x-ms-access-tier-change-time", "get-blob-properties.md: returned if the tier was ever set"},
	{"HEAD *", "-x-ms-access-tier-inferred", "get-blob-properties.md: returned if the tier is not set"},

	// Containers.
	{"* /cont?restype=container*", "+x-ms-default-encryption-scope", "get-container-properties.md"},
	{"* /cont?restype=container*", "+x-ms-deny-encryption-scope-override", "get-container-properties.md"},
	{"* /cont?restype=container&comp=metadata", "-x-ms-*", "get-container-metadata.md: metadata, ETag and Last-Modified only"},
	{"HEAD /cont?restype=container&comp=acl", "-x-ms-*", "get-container-acl.md: the access level, ETag and Last-Modified only"},
	{"HEAD /cont?restype=container&comp=acl", "+content-type", "as of the GET, whose body it leaves out"},
	{"PUT /wide?*", "201 -> 400 InvalidHeaderValue", "create-container.md: x-ms-blob-public-access is container or blob"},
	{"GET *comp=nonsense", "200 -> 400 InvalidQueryParameterValue", "common-rest-api-error-codes.md"},
	{"PUT *&comp=lease | x-ms-lease-action: acquire", "201 -> 400 MissingRequiredHeader", "lease-container.md: x-ms-lease-duration is required for acquire"},
	{"PUT *&comp=lease | x-ms-lease-action: dance", "409 ContainerAlreadyExists -> 400 InvalidHeaderValue", "lease-container.md: no such action; Azurite takes it for Create Container"},
	{"PUT *&comp=lease", "409 ContainerAlreadyExists -> 400 MissingRequiredHeader", "lease-container.md: the action is required; Azurite takes it for Create Container"},

	// Codes that Azurite leaves out of its refusals.
	{"*", "400 -> 400 InvalidXmlDocument", "common-rest-api-error-codes.md"},
	{"*", "400 -> 400 InvalidQueryParameterValue", "common-rest-api-error-codes.md"},
	{"*", "400 -> 400 InvalidHeaderValue", "common-rest-api-error-codes.md"},
	{"*", "400 -> 400 MissingRequiredHeader", "common-rest-api-error-codes.md"},
	{"*", "400 -> 400 MissingRequiredQueryParameter", "common-rest-api-error-codes.md"},
	{"GET *maxresults=*", "400 -> 400 OutOfRangeQueryParameterValue", "list-blobs.md, list-containers2.md: maxresults is above 0"},
	{"PUT *comp=tags*", "400 -> 400 EmptyTagName", "blob-service-error-codes.md"},
	{"POST /cont*", "400 -> 405 UnsupportedHttpVerb", "common-rest-api-error-codes.md"},

	// Blobs.
	{"GET * | x-ms-range-get-content-md5: true", "200 -> 400 InvalidHeaderValue", "get-blob.md: without a range it is an error"},
	{"GET * | Range: bytes=-2", "0 no HTTP -> 200", "specifying-the-range-header-for-blob-service-operations.md: not a range of the service's, so that it is left; Azurite writes a Content-Length of NaN"},
	{"GET * | Range: bytes=5-9", "206 -> 416 InvalidRange", "get-blob.md: the range begins behind the blob's end"},
	{"GET * | Range: lines=1-2", "206 -> 200", "RFC 9110, 14.2: an unknown unit is left"},
	{"GET /cont/empty | Range: bytes=0-", "206 -> 416 InvalidRange", "get-blob.md: an empty blob has no range; the SDKs expect it"},
	{"GET * | If-Modified-Since: yesterday", "304 ConditionNotMet -> 400 InvalidHeaderValue", "specifying-conditional-headers-for-blob-service-operations.md: dates are RFC 1123"},
	{"HEAD /cont/none | If-Match*", "412 ConditionNotMet -> 404 BlobNotFound", "specifying-conditional-headers-for-blob-service-operations.md: conditions are of a resource that there is"},
	{"GET /cont/a?comp=metadata", "-*", "get-blob-metadata.md: metadata, ETag and Last-Modified only"},
	{"PUT /cont/a?comp=tier*", "400 AccessTierNotSupportedForBlobType -> 400 InvalidHeaderValue", "set-blob-tier.md: no such tier for any blob"},
	{"GET /cont/append", "-content-md5", "put-blob.md: of block blobs only"},
	{"GET /cont/a*", "-content-md5", "set-blob-properties.md: an MD5 that is not set again is cleared"},
	{"GET /?comp=blobs", "500 -> 400 MissingRequiredQueryParameter", "find-blobs-by-tags.md: where is required"},
	{"PUT /cont/page*", "201 -> 400 BlobTypeNotSupported", "page blobs are a limit of Sekisho's: README.md"},

	// Blocks and append blobs.
	{"PUT *blockid=CCCC", "201 -> 400 InvalidHeaderValue", "put-block.md: Content-Length is above 0"},
	{"GET *comp=blocklist*", "-etag", "get-block-list.md: returned if the blob has committed blocks"},
	{"GET *comp=blocklist*", "-last-modified", "get-block-list.md: returned if the blob has committed blocks"},
	{"PUT *comp=blocklist*", "-content-md5", "put-block-list.md: returned only when the request has it"},
	{"PUT *comp=blocklist*Newest*", "400 InvalidBlockList -> 400 InvalidXmlDocument", "put-block-list.md: no such element"},
	{"PUT *comp=blocklist", "500 -> 400 InvalidXmlDocument", "put-block-list.md: the list is required"},
	{"PUT *AppendBlob | <hello", "400 InvalidOperation -> 400 InvalidHeaderValue", "put-blob.md: Content-Length of an append blob is 0"},
	{"* /cont/append", "-x-ms-blob-sealed", "get-blob-properties.md: of sealed blobs"},

	// Leases, snapshots, copies.
	{"PUT *acquire | x-ms-lease-duration: 61", "409 LeaseAlreadyPresent -> 400 InvalidHeaderValue", "lease-blob.md: 15 to 60 seconds; headers are read first"},
	{"PUT *x-ms-proposed-lease-id: nonsense", "409 LeaseAlreadyPresent -> 400 InvalidHeaderValue", "lease-blob.md: a GUID; headers are read first"},
	{"* /cont/a?snapshot=*", "-x-ms-lease-*", "lease-blob.md: a snapshot has no lease"},
	{"PUT /cont/a?snapshot=*", "200 -> 400 InvalidQueryParameterValue", "creating-a-snapshot-of-a-blob.md: snapshots are read-only"},
	{"DELETE /cont/a?snapshot=*", "400 InvalidOperation -> 400 InvalidQueryParameterValue", "delete-blob.md: x-ms-delete-snapshots is not for a snapshot"},
	{"PUT /cont/copy | *none", "404 BlobNotFound -> 404 CannotVerifyCopySource", "copy-blob.md: the source's absence"},
	{"HEAD /cont/copy", "-x-ms-incremental-copy", "get-blob-properties.md: of page blobs"},
	{"PUT /cont/copied*", "+content-md5", "copy-blob-from-url.md"},
	{"PUT /cont/copied*", "412 ConditionNotMet -> 412 SourceConditionNotMet", "blob-service-error-codes.md"},

	// Who asks.
	{"OPTIONS *", "+vary", "cross-origin-resource-sharing--cors--support-for-the-azure-storage-services.md"},
	{"OPTIONS *", "+x-ms-request-id", "preflight-blob-request.md"},
	{"OPTIONS *", "400 InvalidHeaderValue -> 400 MissingRequiredHeader", "preflight-blob-request.md: Origin is required"},
	{"* | !none*", "403 AuthorizationFailure -> 401 NoAuthenticationInformation", "authorize-with-azure-active-directory.md: Azurite has no challenge"},
	{"* | !wrong key", "403 AuthorizationFailure -> 403 AuthenticationFailed", "common-rest-api-error-codes.md"},
	{"* | !none", "403 AuthorizationFailure -> 403 AuthenticationFailed", "common-rest-api-error-codes.md: a signed URL whose signature is wrong"},
	{"* | !lite", "403 AuthorizationFailure -> 200", "authorize-with-shared-key.md: Shared Key Lite"},
	{"* | !old", "200 -> 403 AuthenticationFailed", "authorize-with-shared-key.md: a request is valid for 15 minutes"},
	{"* | !malformed", "403 AuthorizationFailure -> 400 InvalidAuthenticationInfo", "common-rest-api-error-codes.md"},
}
