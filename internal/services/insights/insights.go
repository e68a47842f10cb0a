// Package insights is Microsoft.Insights as far as it is ARM's own: the activity
// log, which tells for ninety days who wrote what in a subscription and how it
// went. Outcomes are recorded around ARM's table; what the gate refused is read
// from the audit log.
package insights

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/store"
)

const (
	provider = "Microsoft.Insights"
	// source documents the operation, its filter and its action.
	source = "azure-rest-api-specs monitor ActivityLogs_List 2015-04-01; azure-docs permissions/monitor.md, eventtypes/values/read"
	// retention is how long events stay.
	// Source: azure-monitor activity-log.md, "Retention period".
	retention = 90 * 24 * time.Hour
)

// Log is where events are kept, and where the gate writes its decisions.
type Log interface {
	Append(store.Entry)
	Query(context.Context, store.AuditFilter) ([]store.Entry, error)
}

// Open opens the activity log of a data directory: a log of its own, as it is
// kept for another time than the audit log.
func Open(data string) (*store.Audit, error) {
	dir := filepath.Join(data, "activity")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return store.OpenAudit(dir, retention)
}

// Insights is the service.
type Insights struct {
	arm      *arm.Manager
	activity Log
	audit    Log
}

// New makes the service. audit is the gate's log.
func New(m *arm.Manager, activity, audit Log) *Insights {
	return &Insights{m, activity, audit}
}

// Operations are the rows of ARM that this service serves.
func (s *Insights) Operations() []api.Operation {
	return []api.Operation{{
		Method: http.MethodGet, Pattern: "/subscriptions/{subscriptionId}/providers/" + provider + "/eventtypes/management/values",
		Name: "ActivityLogs_List", Action: readAction, Source: source, Filtered: true,
		Checks: arm.SubscriptionChecks(readAction), Handle: s.list,
	}}
}

// Recorded is ARM's table with the outcome of every write in a subscription
// recorded.
func Recorded(service api.Service, log Log) api.Service {
	rows := make([]api.Operation, len(service.Operations))
	for i, op := range service.Operations {
		if op.Method != http.MethodGet && op.Method != http.MethodHead {
			op.Handle = record(op.Handle, log)
		}
		rows[i] = op
	}
	service.Operations = rows
	return service
}

func record(handle func(http.ResponseWriter, *api.Call) error, log Log) func(http.ResponseWriter, *api.Call) error {
	return func(w http.ResponseWriter, call *api.Call) error {
		scope := arm.PathScope(call)
		if scope.Subscription() == "" {
			return handle(w, call)
		}
		out := &outcome{ResponseWriter: w}
		err := handle(out, call)
		e := store.Entry{
			Time: time.Now().UTC(), RequestID: cmp.Or(call.Request.Header.Get("x-ms-correlation-request-id"), call.ID),
			Service: arm.ServiceName, Operation: call.Operation.Name, Method: call.Request.Method, Path: call.Path,
			Tenant: call.Caller.Tenant, Principal: call.Caller.Object, PrincipalName: call.Caller.Name, App: call.Caller.App,
			Remote: call.Origin.Remote.Addr().String(), Scope: string(scope), Decision: store.Allowed,
			Action: strings.ReplaceAll(call.Operation.Action, "{namespace}", call.Var("namespace")), Status: out.status,
		}
		var known *api.Error
		var refused *api.Refusal
		switch {
		case err == nil:
		case errors.As(err, &known):
			e.Status, e.Reason, e.Cause = known.Status, known.Code, known.Message
		case errors.As(err, &refused):
			e.Status, e.Reason, e.Cause = http.StatusForbidden, string(refused.Reason), refused.Cause
		default:
			e.Status, e.Reason = http.StatusInternalServerError, "InternalServerError"
		}
		log.Append(e)
		return err
	}
}

// outcome remembers the status of a reply.
type outcome struct {
	http.ResponseWriter
	status int
}

func (o *outcome) WriteHeader(status int) {
	o.status = status
	o.ResponseWriter.WriteHeader(status)
}

func (o *outcome) Write(b []byte) (int, error) {
	if o.status == 0 {
		o.status = http.StatusOK
	}
	return o.ResponseWriter.Write(b)
}

func (o *outcome) Unwrap() http.ResponseWriter { return o.ResponseWriter }
