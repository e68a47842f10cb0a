package authorization

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"sekisho/internal/access"
	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/entra"
	"sekisho/internal/store"
	"sekisho/rbac"
)

// names finds the display names of expandedProperties.
type names struct {
	service *Authorization
	call    *api.Call
	tree    *access.Tree
	roles   map[string]access.Definition // that were asked for
}

func (s *Authorization) names(call *api.Call) (*names, error) {
	tree, err := s.tree(call.Request.Context(), call.Caller.Tenant)
	return &names{s, call, tree, map[string]access.Definition{}}, err
}

// role is a role of the tenant; one that is gone has no name.
func (n *names) role(guid string) access.Definition {
	role, ok := n.roles[guid]
	if !ok {
		_ = n.service.store.View(n.call.Request.Context(), func(tx *store.Tx) (err error) {
			role, _, err = n.service.access.Role(tx, n.call.Caller.Tenant, guid)
			return err
		})
		n.roles[guid] = role
	}
	return role
}

// expanded is the expandedProperties of a schedule.
func (n *names) expanded(scope, role, principal, principalType string) map[string]any {
	ctx := n.call.Request.Context()
	at := map[string]any{"id": scope, "displayName": rbac.Scope(scope), "type": "resource"}
	if id, err := rbac.ParseID(scope); err == nil {
		at["displayName"] = id.Name()
		switch id.Type() {
		case "Microsoft.Resources/subscriptions":
			at["type"] = "subscription"
			if res, err := n.service.arm.Find(ctx, scope); err == nil {
				at["displayName"] = subscriptionName(res)
			}
		case "Microsoft.Resources/subscriptions/resourceGroups":
			at["type"] = "resourcegroup"
		case "Microsoft.Management/managementGroups":
			at["type"] = "managementgroup"
			if g, ok := n.tree.Group(scope); ok {
				at["displayName"] = g.DisplayName
			}
		}
	}
	definition := n.role(role)
	who := map[string]any{"id": principal, "displayName": nil, "email": nil, "type": principalType}
	if p, err := n.service.directory.Principal(ctx, principal); err == nil && p != nil {
		who["displayName"] = p.Name
		if p.Type == entra.TypeUser {
			who["email"] = p.Name
		}
	}
	return map[string]any{"scope": at, "principal": who,
		"roleDefinition": map[string]any{"id": roleID(scope, role), "displayName": definition.RoleName, "type": definition.Type}}
}

// subscriptionName is the display name of a subscription.
func subscriptionName(res *arm.Resource) string {
	var properties arm.Subscription
	if err := json.Unmarshal(res.Properties, &properties); err != nil || properties.DisplayName == "" {
		return res.Name
	}
	return properties.DisplayName
}

// moment is a time, or null for none.
func moment(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t
}

// request is a request as the contract prints it: the times as they were asked.
func (n *names) request(r access.ScheduleRequest, now time.Time) map[string]any {
	k := kind{r.Eligible}
	var end any
	if r.Expiration == "AfterDateTime" {
		end = moment(r.End)
	}
	properties := map[string]any{
		"scope": r.Scope, "roleDefinitionId": roleID(r.Scope, r.Role), "principalId": r.PrincipalID, "principalType": r.PrincipalType,
		"requestType": r.Type, "status": statusOf(r, now), "approvalId": nil,
		k.target("ScheduleId"): r.Schedule, k.target("ScheduleInstanceId"): nil,
		"scheduleInfo":  map[string]any{"startDateTime": r.Start, "expiration": map[string]any{"type": optional(r.Expiration), "endDateTime": end, "duration": optional(r.Duration)}},
		"ticketInfo":    map[string]any{"ticketNumber": optional(r.TicketNumber), "ticketSystem": optional(r.TicketSystem)},
		"justification": optional(r.Justification), "requestorId": r.RequestorID, "createdOn": r.CreatedOn,
		"condition": optional(r.Condition), "conditionVersion": optional(r.ConditionVer),
		"expandedProperties": n.expanded(r.Scope, r.Role, r.PrincipalID, r.PrincipalType),
	}
	if !k.eligible {
		properties["linkedRoleEligibilityScheduleId"] = optional(r.Linked)
	}
	return map[string]any{"id": r.ID, "name": r.Name, "type": provider + "/" + k.title("ScheduleRequests"), "properties": properties}
}

func (k kind) target(rest string) string { return "target" + k.title(rest) }

// schedule is a schedule as the contract prints it, or the instance of it that
// runs now.
func (n *names) schedule(s access.Schedule, instance bool, member string) map[string]any {
	k := kind{s.Eligible}
	properties := map[string]any{
		"scope": s.Scope, "roleDefinitionId": roleID(s.Scope, s.Role), "principalId": s.PrincipalID, "principalType": s.PrincipalType,
		"status": "Provisioned", "startDateTime": s.Start, "endDateTime": moment(s.End), "memberType": member, "createdOn": s.CreatedOn,
		"condition": optional(s.Condition), "conditionVersion": optional(s.ConditionVer),
		"expandedProperties": n.expanded(s.Scope, s.Role, s.PrincipalID, s.PrincipalType),
	}
	own := k.path("ScheduleId")
	if !k.eligible {
		properties["assignmentType"] = "Assigned"
		if s.Linked != "" {
			properties["assignmentType"] = "Activated"
		}
		properties["linkedRoleEligibilityScheduleId"] = optional(s.Linked)
	}
	rest, name := "Schedules", s.Name
	if instance {
		rest, name = "ScheduleInstances", instanceName(s.Name)
		properties[own] = s.ID
		if !k.eligible {
			properties["originRoleAssignmentId"] = strings.TrimSuffix(s.Scope, "/") + "/providers/" + provider + "/roleAssignments/" + s.Name
			var linked any
			if s.Linked != "" {
				linked = instanceName(s.Linked)
			}
			properties["linkedRoleEligibilityScheduleInstanceId"] = linked
		}
	} else {
		properties[k.path("ScheduleRequestId")] = optional(s.Request)
		properties["updatedOn"] = s.UpdatedOn
	}
	return map[string]any{"id": k.id(s.Scope, rest, name), "name": name, "type": provider + "/" + k.title(rest), "properties": properties}
}

// instanceName is the GUID of the one instance of a schedule.
func instanceName(schedule string) string {
	return uuid.NewSHA1(uuid.NameSpaceOID, []byte("instance of "+strings.ToLower(schedule))).String()
}

func (s *Authorization) getRequest(w http.ResponseWriter, call *api.Call, k kind) error {
	scope, _, err := s.pimPlace(call)
	if err != nil {
		return err
	}
	var r access.ScheduleRequest
	err = s.store.View(call.Request.Context(), func(tx *store.Tx) (err error) {
		r, err = access.GetScheduleRequest(tx, k.id(scope, "ScheduleRequests", call.Var("name")))
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return requestNotFound(call)
	}
	if err != nil {
		return err
	}
	return s.writeRequest(w, call, r, http.StatusOK)
}
