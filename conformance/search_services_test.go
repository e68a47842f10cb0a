package conformance

import "net/http"

// serviceSteps are what is seen of each step of the control plane, in JSON.
var serviceSteps = []seenStep{
	{"name", `[[true, ""], [false, "Invalid"]]`},
	{"create", `["srchpython", "Microsoft.Search/searchServices", "japaneast", "basic", 2, 1, "default", "succeeded", "running", "http401WithBearerChallenge", "free", "enabled", "https://srchpython.search.windows.net", true]`},
	{"name taken", `[[false, "AlreadyExists"], ["ResourceExistsError", 409, "ServiceNameUnavailable"]]`},
	{"errors", `[["HttpResponseError", 400, "InvalidSku"], ["HttpResponseError", 400, "InvalidServiceName"], ["HttpResponseError", 400, "InvalidReplicaCount"], ["HttpResponseError", 400, "SkuChangeNotAllowed"], ["HttpResponseError", 400, "InvalidRequestContent"], ["ResourceNotFoundError", 404, "ResourceNotFound"], ["HttpResponseError", 400, "InvalidPartitionCount"]]`},
	{"update", `[{"is": "changed"}, 3, 1, {"is": "patched"}, 1]`},
	{"network", `["disabled", ["203.0.113.0/24"], "AzureServices", "SystemAssigned", 36, ["HttpResponseError", 400, "InvalidIpRule"]]`},
	{"keys off", `[true, null, true, "http401WithBearerChallenge"]`},
	{"list", `[["srchpython"], ["srchpython"], true, false]`},
	{"admin keys", `[52, true, true, true, true]`},
	{"query keys", `["story", [null, "story"], null, [null], null, ["ResourceNotFoundError", 404, "ResourceNotFound"]]`},
	{"link", `["link", "blob", "Pending", "Succeeded", "Please", ["link"], ["link"]]`},
	{"link changed", `["Now", "At last", true]`},
	{"link errors", `[["HttpResponseError", 400, "SharedPrivateLinkResourceChangeNotAllowed"], ["HttpResponseError", 400, "InvalidGroupId"], ["HttpResponseError", 400, "InvalidPrivateLinkResourceId"], ["HttpResponseError", 400, "InvalidResourceName"], ["ResourceNotFoundError", 404, "ResourceNotFound"]]`},
	{"link deleted", `[null, null, []]`},
	{"private endpoints", `[[], ["ResourceNotFoundError", 404, "PrivateEndpointConnectionNotFound"], ["ResourceNotFoundError", 404, "PrivateEndpointConnectionNotFound"], "allowed"]`},
	{"private links", `["searchService", ["privatelink.search.windows.net"], true]`},
	{"perimeters", `[[], ["ResourceNotFoundError", 404, "NetworkSecurityPerimeterConfigurationNotFound"], ["ResourceNotFoundError", 404, "NetworkSecurityPerimeterConfigurationNotFound"]]`},
	{"usages", `[[false, 1], [true, 16], [false, 6], "B - Basic", ["ResourceNotFoundError", 404, "SkuNotFound"]]`},
	{"operations", `[true]`},
	{"deleted", `[null, null, ["ResourceNotFoundError", 404, "ResourceNotFound"], [true, ""]]`},
}

// pythonManagesSearch: the SDK of the control plane makes each call that it has.
func pythonManagesSearch(s *sekisho) {
	const name = "srchpython"
	storage := s.scope("/providers/Microsoft.Storage/storageAccounts/" + name)
	s.arm().do(s.t, http.MethodPut, storage+storageVersion, object{"location": "japaneast", "kind": "StorageV2", "sku": object{"name": "Standard_LRS"}, "properties": object{}}, nil)
	hear(s.t, s.client([]string{
		"AZURE_TENANT_ID=" + s.TenantID, "OWNER_ID=" + s.Automation.ClientID, "OWNER_SECRET=" + s.Automation.ClientSecret, "SUBSCRIPTION=" + s.SubscriptionID,
		"NAME=" + name, "STORAGE_ID=" + storage,
	}, python(s.t, "azure-mgmt"), program(s.t, "search/services.py")).ok(), serviceSteps)
}
