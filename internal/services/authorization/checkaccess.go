package authorization

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/rbac"
	"sekisho/rbac/condition"
)

const checkAccessSource = "kubeguard/guard authz/providers/azure/rbac (v1, 2018-09-01-preview); Azure/checkaccess-v2-go-sdk client/types.go (v2); " +
	"who may: azure-arc azure-rbac.md, accessCheck.json (Microsoft.Authorization/*/read)"

// PDPName is the name of the table behind {region}.authorization.azure.net.
const PDPName = "authorization"

// checkAccessOperations answer whether somebody may do something: v1 at a
// resource of ARM, v2 there too.
func (s *Authorization) checkAccessOperations() []api.Operation {
	return []api.Operation{row(http.MethodPost, "/checkAccess", "CheckAccess", "/roleAssignments/read", checkAccessSource, mayCheckAccess, s.checkAccess)}
}

// PDP is the policy decision point that checkaccess-v2-go-sdk calls.
func (s *Authorization) PDP() api.Service {
	return api.Service{Name: PDPName, Audiences: []string{"https://authorization.azure.net"}, MaxBody: 4 << 20, WriteError: writePDPError,
		Operations: []api.Operation{{
			Method: http.MethodPost, Pattern: "/providers/" + provider + "/checkAccess", Name: "RemotePDP_CheckAccess", Action: provider + "/roleAssignments/read",
			Source: checkAccessSource, Checks: mayCheckAccess, Handle: s.checkAccess,
		}}}
}

// writePDPError has the shape of the SDK's CheckAccessErrorResponse.
func writePDPError(w http.ResponseWriter, call *api.Call, err error) {
	arm.WriteHeaders(w, call)
	status, body := http.StatusInternalServerError, map[string]any{"message": "The server failed."}
	var refused *api.Refusal
	var known *api.Error
	switch {
	case errors.As(err, &refused):
		status, body["message"], body["innererror"] = http.StatusForbidden, refused.Cause, refused.Inner()
		if refused.Reason == api.NoCredential || refused.Reason == api.InvalidToken || refused.Reason == api.WrongTenant {
			status = http.StatusUnauthorized
		}
	case errors.As(err, &known):
		status, body["message"] = known.Status, known.Message
	}
	body["statusCode"] = status
	arm.WriteJSON(w, status, body)
}

// accessQuestion is the body, of both versions.
type accessQuestion struct {
	Subject struct {
		Attributes struct {
			ObjectID   string   `json:"ObjectId"`
			Groups     []string `json:"Groups"`
			Tenant     string   `json:"tid"`
			ClaimNames string   `json:"_claim_names"`
		} `json:"Attributes"`
	} `json:"Subject"`
	Actions []struct {
		ID         string         `json:"Id"`
		Data       bool           `json:"IsDataAction"`
		Attributes map[string]any `json:"Attributes"`
	} `json:"Actions"`
	Resource struct {
		ID         string         `json:"Id"`
		Attributes map[string]any `json:"Attributes"`
	} `json:"Resource"`
	Environment struct {
		Attributes map[string]any `json:"Attributes"`
	} `json:"Environment"`
}

// mostActions is how many actions a call asks for: the clients send no more.
const mostActions = 200

// readQuestion reads the body and puts it back; the resource is the one of the
// path unless the body names one in it.
func readQuestion(call *api.Call) (q accessQuestion, err error) {
	raw, err := arm.PeekBody(call)
	if err != nil {
		return q, err
	}
	if err := json.Unmarshal(raw, &q); err != nil {
		return q, api.BadRequest("InvalidRequestContent", "", "The request content was invalid and could not be deserialized: '%v'.", err)
	}
	scope := call.Var("scope")
	if q.Resource.ID == "" {
		q.Resource.ID = scope
	}
	q.Resource.ID = "/" + strings.Trim(strings.TrimPrefix(q.Resource.ID, "https://management.azure.com"), "/")
	if scope != "" && !rbac.Scope(scope).Covers(rbac.Scope(q.Resource.ID)) {
		return q, api.BadRequest("InvalidRequestContent", "Resource.Id", "The resource '%s' is not at or below '%s'.", q.Resource.ID, scope)
	}
	return q, nil
}

// mayCheckAccess asks for what the answer shows: the role assignments and the
// deny assignments at the resource.
func mayCheckAccess(call *api.Call) ([]api.Check, error) {
	q, err := readQuestion(call)
	if err != nil {
		return nil, err
	}
	at := rbac.Scope(q.Resource.ID)
	return []api.Check{{Scope: at, Action: provider + "/roleAssignments/read"}, {Scope: at, Action: provider + "/denyAssignments/read"}}, nil
}

func (s *Authorization) checkAccess(w http.ResponseWriter, call *api.Call) error {
	q, err := readQuestion(call)
	if err != nil {
		return err
	}
	who := q.Subject.Attributes
	switch {
	case !arm.IsGUID(who.ObjectID):
		return api.BadRequest("InvalidRequestContent", "Subject.Attributes.ObjectId", "The ObjectId '%s' is not a GUID.", who.ObjectID)
	case who.Tenant != "" && !strings.EqualFold(who.Tenant, call.Caller.Tenant):
		return api.BadRequest("InvalidRequestContent", "Subject.Attributes.tid", "The tenant '%s' is not the one of the caller.", who.Tenant)
	case len(q.Actions) == 0 || len(q.Actions) > mostActions:
		return api.BadRequest("InvalidRequestContent", "Actions", "A request has 1 to %d actions; this has %d.", mostActions, len(q.Actions))
	}
	snapshot, err := s.access.Snapshot(call.Request.Context())
	if err != nil {
		return err
	}
	now := s.options.Now()
	decisions := make([]any, len(q.Actions))
	for i, action := range q.Actions {
		if action.ID == "" {
			return api.BadRequest("InvalidRequestContent", "Actions", "An action has no Id.")
		}
		given := attributesOf(action.Attributes, q.Resource.Attributes, q.Environment.Attributes)
		result := snapshot.Check(rbac.Question{
			// The groups are those of the token; one that has too many for a token
			// says so, and the directory knows them.
			Principal: who.ObjectID, Groups: who.Groups, GroupsOnly: who.ClaimNames == "",
			Action: action.ID, Data: action.Data, Scope: rbac.Scope(q.Resource.ID), Time: now,
			SubOperation: given.SubOperation, Attribute: given.Get,
		})
		decisions[i] = decisionView(action.ID, action.Data, result, now)
	}
	arm.WriteHeaders(w, call)
	w.Header().Set("x-ms-ratelimit-remaining-subscription-reads", "11999")
	if strings.HasPrefix(call.Request.URL.Query().Get("api-version"), "2018-") {
		return arm.WriteJSON(w, http.StatusOK, decisions)
	}
	return arm.WriteJSON(w, http.StatusOK, map[string]any{"value": decisions, "nextLink": nil})
}

// attributesOf are what conditions see: of the action, which is the request, of
// the resource and of the environment, by the names that conditions write.
func attributesOf(action, resource, environment map[string]any) api.Attributes {
	all := given{}
	all.put(condition.Request, action)
	all.put(condition.Resource, resource)
	all.put(condition.Environment, environment)
	sub, _ := all[condition.Request]["suboperation"].(string)
	return api.Attributes{SubOperation: sub, Get: all.get}
}

// timeToLive is how long clients keep an answer, as guard's tests have it.
const timeToLive = 5 * time.Minute

func decisionView(action string, data bool, r rbac.Result, now time.Time) map[string]any {
	ttl := timeToLive
	view := map[string]any{"actionId": action, "accessDecision": r.Decision.String(), "isDataAction": data, "roleAssignment": nil, "denyAssignment": nil}
	switch r.Decision {
	case rbac.Allowed:
		a := r.Assignment
		if left := a.Until.Sub(now); !a.Until.IsZero() && left < ttl {
			ttl = left
		}
		view["roleAssignment"] = map[string]any{
			"id": a.ID, "roleDefinitionId": roleID(string(a.Scope), a.RoleDefinition), "principalId": a.Principal, "principalType": a.PrincipalType,
			"scope": a.Scope, "condition": optional(a.Condition), "conditionVersion": versionOf(a.Condition), "canDelegate": false,
			"delegatedManagedIdentityResourceId": nil, "description": nil,
		}
	case rbac.Denied:
		view["denyAssignment"] = deniedView(r.Deny)
	}
	view["timeToLiveInMs"] = ttl.Milliseconds()
	return view
}

func versionOf(condition string) any {
	if condition == "" {
		return nil
	}
	return "2.0"
}

// deniedView has the fields that guard reads, isSystemProtected as a text.
func deniedView(d *rbac.DenyAssignment) map[string]any {
	view := map[string]any{
		"id": d.ID, "name": d.Name, "description": optional(d.Description), "scope": d.Scope, "doNotApplyToChildScopes": d.ThisScopeOnly,
		"condition": optional(d.Condition), "conditionVersion": versionOf(d.Condition), "isSystemProtected": strconv.FormatBool(d.SystemProtected), "isBuiltIn": false,
	}
	if len(d.Permissions) > 0 {
		p := permissionView(d.Permissions[0])
		view["actions"], view["noActions"], view["dataActions"], view["noDataActions"] = p["actions"], p["notActions"], p["dataActions"], p["notDataActions"]
	}
	return view
}
