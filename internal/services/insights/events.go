package insights

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/store"
	"sekisho/rbac"
)

const readAction = provider + "/eventtypes/values/read"

// pageSize is how many events a reply has at most.
const pageSize = 200

// list gives the events of a subscription, the newest first. Who may not read
// those of the subscription gets those of the resources that it may.
func (s *Insights) list(w http.ResponseWriter, call *api.Call) error {
	query := call.Request.URL.Query()
	subscription := rbac.Scope("/subscriptions/" + call.Var("subscriptionId"))
	denied := call.Authorize(api.Check{Scope: subscription, Action: readAction})
	f, err := parseFilter(query.Get("$filter"))
	if err != nil {
		if denied != nil {
			return denied
		}
		return err
	}
	if _, err := s.arm.Find(call.Request.Context(), string(subscription)); err != nil {
		if denied != nil {
			return denied
		}
		return err
	}
	entries, err := s.entries(call, f, subscription)
	if err != nil {
		return err
	}
	if denied != nil {
		entries = slices.DeleteFunc(entries, func(e store.Entry) bool {
			return !call.Can(api.Check{Scope: rbac.Scope(e.Scope), Action: readAction})
		})
		if len(entries) == 0 {
			return denied
		}
	}
	if token := query.Get("$skiptoken"); token != "" {
		raw, _ := base64.RawURLEncoding.DecodeString(token)
		i := slices.IndexFunc(entries, func(e store.Entry) bool { return eventID(e) == string(raw) })
		if i < 0 {
			return api.BadRequest("InvalidSkipToken", "$skiptoken", "The $skiptoken '%s' is not one that a list gave.", token)
		}
		entries = entries[i+1:]
	}
	next := ""
	if len(entries) > pageSize {
		entries = entries[:pageSize]
		query.Set("$skiptoken", base64.RawURLEncoding.EncodeToString([]byte(eventID(entries[pageSize-1]))))
		next = call.URL((&url.URL{Path: call.Path, RawQuery: query.Encode()}).String())
	}
	var views []any
	for _, e := range entries {
		views = append(views, selected(view(e), query.Get("$select")))
	}
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, http.StatusOK, arm.ListReply(views, next))
}

// entries are the outcomes, and what the gate refused, newest first.
func (s *Insights) entries(call *api.Call, f filter, subscription rbac.Scope) ([]store.Entry, error) {
	done, err := s.activity.Query(call.Request.Context(), store.AuditFilter{Since: f.since})
	if err != nil {
		return nil, err
	}
	refused, err := s.audit.Query(call.Request.Context(), store.AuditFilter{Since: f.since, Denied: true})
	if err != nil {
		return nil, err
	}
	for _, e := range refused {
		if e.Service == arm.ServiceName && e.Reason == string(api.NotPermitted) && e.Method != http.MethodGet && e.Method != http.MethodHead {
			e.Status = http.StatusForbidden
			done = append(done, e)
		}
	}
	done = slices.DeleteFunc(done, func(e store.Entry) bool {
		return !subscription.Covers(rbac.Scope(e.Scope)) || !f.match(e)
	})
	slices.SortStableFunc(done, func(a, b store.Entry) int { return b.Time.Compare(a.Time) })
	return done, nil
}

func eventID(e store.Entry) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte(e.RequestID+e.Path+e.Time.Format(time.RFC3339Nano))).String()
}

func status(e store.Entry) string {
	if e.Status >= http.StatusBadRequest {
		return "Failed"
	}
	return "Succeeded"
}

// namespace is the resource provider of an event's action.
func namespace(e store.Entry) string {
	name, _, _ := strings.Cut(e.Action, "/")
	return name
}

type localized struct {
	Value          string `json:"value"`
	LocalizedValue string `json:"localizedValue"`
}

func same(s string) localized { return localized{s, s} }

// view is an event of category Administrative.
// Source: azure-monitor activity-log-schema.md.
func view(e store.Entry) map[string]any {
	id := eventID(e)
	at := e.Time.Format("2006-01-02T15:04:05.0000000Z")
	level, properties := "Informational", map[string]any{"eventCategory": "Administrative", "entity": e.Scope, "message": e.Action}
	if status(e) == "Failed" {
		level = "Error"
		properties["statusCode"], properties["statusMessage"] = http.StatusText(e.Status), e.Cause
	}
	parsed, _ := rbac.ParseID(e.Scope)
	reply := strings.ReplaceAll(http.StatusText(e.Status), " ", "")
	address := e.Remote
	if remote, err := netip.ParseAddrPort(e.Remote); err == nil { // as the gate writes it
		address = remote.Addr().String()
	}
	scope := rbac.Scope(e.Scope)
	return map[string]any{
		"authorization": map[string]any{"action": e.Action, "scope": e.Scope, "role": e.Role},
		"caller":        e.PrincipalName, "channels": "Operation",
		"claims":        map[string]string{"appid": e.App, "http://schemas.microsoft.com/identity/claims/objectidentifier": e.Principal, "http://schemas.microsoft.com/identity/claims/tenantid": e.Tenant},
		"correlationId": e.RequestID, "operationId": e.RequestID, "eventDataId": id,
		"id":             fmt.Sprintf("%s/events/%s/ticks/%d", e.Scope, id, e.Time.UnixNano()/100+621355968000000000),
		"eventTimestamp": at, "submissionTimestamp": at,
		"eventName":     localized{"EndRequest", "End request"},
		"category":      same("Administrative"),
		"level":         level,
		"description":   "",
		"httpRequest":   map[string]string{"clientRequestId": e.RequestID, "clientIpAddress": address, "method": e.Method},
		"operationName": same(e.Action), "resourceProviderName": same(namespace(e)),
		"resourceGroupName": scope.ResourceGroup(), "resourceId": e.Scope, "resourceType": same(parsed.Type()),
		"status": same(status(e)), "subStatus": localized{reply, fmt.Sprintf("%s (HTTP Status Code: %d)", http.StatusText(e.Status), e.Status)},
		"properties": properties, "subscriptionId": scope.Subscription(), "tenantId": e.Tenant,
	}
}

// selected leaves the properties that a $select names.
func selected(event map[string]any, names string) map[string]any {
	if strings.TrimSpace(names) == "" {
		return event
	}
	kept := map[string]any{}
	for name := range strings.SplitSeq(names, ",") {
		for key, value := range event {
			if strings.EqualFold(strings.TrimSpace(name), key) {
				kept[key] = value
			}
		}
	}
	return kept
}
