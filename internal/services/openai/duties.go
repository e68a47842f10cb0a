package openai

import (
	"errors"
	"net/http"
	"path"
	"time"

	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/model"
)

// Duties are what the gateway does about calls beside passing them on.
type Duties struct {
	// EnforceLimits holds deployments to what their capacity gives.
	EnforceLimits bool
	// Filter judges prompts and completions; nil leaves them alone.
	Filter *Filter
	// Meter is told of every call of a deployment; it may be nil.
	Meter Meter
	// Now is the clock; time.Now by default.
	Now func() time.Time
}

// Meter counts.
type Meter interface {
	Served(Served)
	// Limited counts a call that the deployment's capacity did not admit.
	// Reason is "tokens", "requests" or "utilization".
	Limited(account, deployment, reason string)
}

// Served is one call of a deployment that came to an end, well or not.
type Served struct {
	Account, Deployment, Model string
	Operation                  string // Azure's operation id
	// Status is the reply's; 499 when the client left before there was one.
	Status   int
	Duration time.Duration
	// Usage is nil where the reply does not tell: a stream of an upstream
	// without stream_options.include_usage.
	Usage *model.Usage
}

// Configure replaces the duties and the names of models beside Azure's own.
// Calls under way keep those that they began with.
func (s *OpenAI) Configure(d Duties, models []string) {
	if d.Now == nil {
		d.Now = time.Now
	}
	s.catalog.configure(models)
	s.duties.Store(&d)
}

// statusClientLeft is nginx's number for a client that hung up.
const statusClientLeft = 499

// served tells the meter of a call that has ended with err.
func (d *Duties) served(call *api.Call, res *arm.Resource, model string, begun time.Time, r *recorder, err error) {
	if d.Meter == nil {
		return
	}
	status := r.status
	if status == 0 {
		status = statusOf(call, err)
	}
	d.Meter.Served(Served{Account: accountName(call), Deployment: res.Name, Model: model, Operation: call.Operation.Name,
		Status: status, Duration: d.Now().Sub(begun), Usage: r.usage})
}

func statusOf(call *api.Call, err error) int {
	var known *api.Error
	switch {
	case errors.As(err, &known):
		return known.Status
	case call.Request.Context().Err() != nil:
		return statusClientLeft
	}
	return http.StatusInternalServerError
}

func accountName(call *api.Call) string { return path.Base(string(call.Target.Scope)) }
