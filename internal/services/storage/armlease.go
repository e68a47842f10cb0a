package storage

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/services/storage/blob"
)

// armLease is what Resource Manager is asked to do with a container's lease.
// Source: blob.json LeaseContainerRequest.
type armLease struct {
	Action   string   `json:"action"`
	ID       string   `json:"leaseId"`
	Period   *arm.Int `json:"breakPeriod"`
	Seconds  *arm.Int `json:"leaseDuration"`
	Proposed string   `json:"proposedLeaseId"`
}

// action is the same as the data plane has it.
func (in armLease) action() (a blob.LeaseAction, err error) {
	a = blob.LeaseAction{Action: strings.ToLower(in.Action)}
	for _, id := range []struct {
		at, text string
		needed   bool
		into     *string
	}{
		{"leaseId", in.ID, a.Action == "renew" || a.Action == "change" || a.Action == "release", &a.ID},
		{"proposedLeaseId", in.Proposed, a.Action == "change", &a.Proposed},
	} {
		if id.text == "" && !id.needed {
			continue
		}
		parsed, err := uuid.Parse(id.text)
		if err != nil {
			return a, invalidParameters(id.at)
		}
		*id.into = parsed.String()
	}
	switch a.Action {
	case "acquire":
		if in.Seconds == nil || *in.Seconds != blob.Forever && (*in.Seconds < 15 || *in.Seconds > 60) {
			return a, invalidParameters("leaseDuration")
		}
		a.Seconds = int(*in.Seconds)
	case "break":
		if in.Period != nil {
			if *in.Period < 0 || *in.Period > 60 {
				return a, invalidParameters("breakPeriod")
			}
			period := int(*in.Period)
			a.Period = &period
		}
	case "renew", "change", "release":
	default:
		return a, invalidParameters("action")
	}
	return a, nil
}

func (s *Storage) armLeaseContainer(w http.ResponseWriter, call *api.Call) error {
	r, err := s.withBlobs(call)
	if err != nil {
		return err
	}
	var in armLease
	if err := arm.ReadBody(call, &in); err != nil {
		return err
	}
	a, err := in.action()
	if err != nil {
		return err
	}
	c, left, err := s.blobs.LeaseContainer(call.Request.Context(), r.Name, call.Var("containerName"), a, blob.Conditions{})
	if err != nil {
		return err
	}
	v := struct {
		ID   string `json:"leaseId,omitempty"`
		Left string `json:"leaseTimeSeconds,omitempty"`
	}{ID: c.Lease.ID}
	if a.Action == "break" {
		v.ID, v.Left = "", strconv.Itoa(left)
	}
	return reply(w, call, http.StatusOK, v)
}
