package storage

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"sekisho/internal/api"
	"sekisho/internal/services/storage/blob"
)

func (s *Storage) leaseOperations() []api.Operation {
	ofBlob := blobRow(http.MethodPut, "Blob_Lease", "lease-blob.md", writeBlob, "", "w", []string{"comp=lease"}, "", s.leaseBlob)
	ofBlob.Checks = byTags(breaking(ofBlob.Checks))
	ofContainer := containerRow(http.MethodPut, "Container_Lease", "lease-container.md", writeContainer, false, "w", []string{"comp=lease"}, s.leaseContainer)
	ofContainer.Checks = breaking(ofContainer.Checks)
	return []api.Operation{ofBlob, ofContainer}
}

// breaking lets a signed URL that permits deletion break a lease.
// Source: create-account-sas.md, "Account SAS permissions by operation".
func breaking(of checks) checks {
	return func(call *api.Call) ([]api.Check, error) {
		all, err := of(call)
		if err == nil && strings.EqualFold(call.Request.Header.Get("x-ms-lease-action"), "break") {
			all[0].SAS = "dw"
		}
		return all, err
	}
}

// leaseWords are status, state and duration of a lease.
func leaseWords(l blob.Lease, now time.Time) (status, state, duration string) {
	state, status = l.State(now), "unlocked"
	if l.Locked(now) {
		status = "locked"
	}
	if state == blob.Leased {
		if duration = "fixed"; l.Seconds == blob.Forever {
			duration = "infinite"
		}
	}
	return status, state, duration
}

func setLease(h http.Header, l blob.Lease, now time.Time) {
	status, state, duration := leaseWords(l, now)
	h.Set("x-ms-lease-status", status)
	h.Set("x-ms-lease-state", state)
	if duration != "" {
		h.Set("x-ms-lease-duration", duration)
	}
}

// leaseAction reads what a client does with a lease.
// Source: lease-blob.md, "Request headers".
func leaseAction(h http.Header) (a blob.LeaseAction, err error) {
	a.Action = strings.ToLower(h.Get("x-ms-lease-action"))
	if a.Action == "" {
		return a, missingHeader("x-ms-lease-action")
	}
	number := func(name string, least, most int, or ...int) (int, error) {
		text := h.Get(name)
		n, err := strconv.Atoi(text)
		if err != nil || (n < least || n > most) && (len(or) == 0 || n != or[0]) {
			return 0, invalidHeader(name, text)
		}
		return n, nil
	}
	guid := func(name string, into *string, needed bool) error {
		*into = h.Get(name)
		if *into == "" && needed {
			return missingHeader(name)
		}
		if *into == "" {
			return nil
		}
		id, err := uuid.Parse(*into)
		if err != nil {
			return invalidHeader(name, *into)
		}
		*into = id.String()
		return nil
	}
	switch a.Action {
	case "acquire":
		if h.Get("x-ms-lease-duration") == "" {
			return a, missingHeader("x-ms-lease-duration")
		}
		if a.Seconds, err = number("x-ms-lease-duration", 15, 60, blob.Forever); err == nil {
			err = guid("x-ms-proposed-lease-id", &a.Proposed, false)
		}
	case "renew", "release":
		err = guid("x-ms-lease-id", &a.ID, true)
	case "change":
		if err = guid("x-ms-lease-id", &a.ID, true); err == nil {
			err = guid("x-ms-proposed-lease-id", &a.Proposed, true)
		}
	case "break":
		if h.Get("x-ms-lease-break-period") != "" {
			var n int
			n, err = number("x-ms-lease-break-period", 0, 60)
			a.Period = &n
		}
	default:
		err = invalidHeader("x-ms-lease-action", h.Get("x-ms-lease-action"))
	}
	return a, err
}

var leaseStatus = map[string]int{"acquire": http.StatusCreated, "break": http.StatusAccepted}

func leased(w http.ResponseWriter, call *api.Call, a blob.LeaseAction, l blob.Lease, left int, etag string, modified time.Time) error {
	setHeaders(w, call)
	h := w.Header()
	setETag(h, etag, modified)
	switch a.Action {
	case "break":
		h.Set("x-ms-lease-time", strconv.Itoa(left))
	case "release":
	default:
		h.Set("x-ms-lease-id", l.ID)
	}
	status := leaseStatus[a.Action]
	if status == 0 {
		status = http.StatusOK
	}
	w.WriteHeader(status)
	return nil
}

// leaseRequest reads a request about a lease. Its lease id is no condition.
func leaseRequest(call *api.Call) (a blob.LeaseAction, cond blob.Conditions, err error) {
	if cond, err = conditions(call.Request); err == nil {
		a, err = leaseAction(call.Request.Header)
	}
	cond.LeaseID = ""
	return a, cond, err
}

func (s *Storage) leaseBlob(w http.ResponseWriter, call *api.Call) error {
	if err := onlyBase(call); err != nil {
		return err
	}
	a, cond, err := leaseRequest(call)
	if err != nil {
		return err
	}
	b, left, err := s.blobs.LeaseBlob(call.Request.Context(), at(call), a, cond)
	if err != nil {
		return err
	}
	return leased(w, call, a, b.Lease, left, b.ETag, b.Modified)
}

func (s *Storage) leaseContainer(w http.ResponseWriter, call *api.Call) error {
	a, cond, err := leaseRequest(call)
	if err != nil {
		return err
	}
	ctx, account, name := s.container(call)
	c, left, err := s.blobs.LeaseContainer(ctx, account, name, a, cond)
	if err != nil {
		return err
	}
	return leased(w, call, a, c.Lease, left, c.ETag, c.Modified)
}
