package storage

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"sekisho/internal/api"
	"sekisho/internal/arm"
)

// expiration is properties.sasPolicy of an account: how long signed URLs may be
// valid. Source: azure-docs storage/common/sas-expiration-policy.md.
type expiration struct {
	Policy *struct {
		Period string `json:"sasExpirationPeriod"` // days.hours:minutes:seconds
		Action string `json:"expirationAction"`    // Log or Block
	} `json:"sasPolicy"`
}

// withinPolicy refuses a signed URL that is valid for longer than its account
// lets them be. One of a stored access policy is not asked.
func (s *Storage) withinPolicy(call *api.Call, p *sas) error {
	if p.raw["si"] != "" {
		return nil
	}
	r, err := s.resources.Find(call.Request.Context(), string(call.Target.Scope))
	if err != nil {
		return err
	}
	e, err := arm.DecodeProperties[expiration](r)
	if err != nil || e.Policy == nil || !strings.EqualFold(e.Policy.Action, "Block") {
		return err
	}
	period, err := parsePeriod(e.Policy.Period)
	if err != nil {
		return err
	}
	if why := tooLong(p.start, p.expiry, period); why != "" {
		return bad(call, "%s: the account's sasPolicy lets signed URLs be valid for %s", why, e.Policy.Period)
	}
	return nil
}

// tooLong says what a policy minds in the times of a signed URL.
func tooLong(start, expiry time.Time, period time.Duration) string {
	switch {
	case start.IsZero():
		return "The signed start (st) is missing"
	case expiry.Sub(start) > period:
		return "The signed URL is valid for too long"
	}
	return ""
}

// parsePeriod reads "1.12:05:06".
func parsePeriod(text string) (time.Duration, error) {
	days, clock, ok := strings.Cut(text, ".")
	if !ok {
		days, clock = "0", text
	}
	n, err := strconv.Atoi(days)
	at, bad := time.Parse("15:04:05", clock)
	if err != nil || bad != nil || n < 0 {
		return 0, fmt.Errorf("sasExpirationPeriod %q is not of the form days.hours:minutes:seconds", text)
	}
	return time.Duration(n)*24*time.Hour + at.Sub(at.Truncate(24*time.Hour)), nil
}
