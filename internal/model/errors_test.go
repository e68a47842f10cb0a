package model

import (
	"errors"
	"testing"
)

func TestErrorsSayWhatAndWhere(t *testing.T) {
	for want, err := range map[string]error{
		"n: too many":                       &InputError{Param: "n", Message: "too many"},
		"not JSON":                          &InputError{Message: "not JSON"},
		"upstream answered with status 503": &UpstreamError{Kind: Status, Status: 503},
		"upstream down: refused":            &UpstreamError{Kind: Down, cause: errors.New("refused")},
		"upstream timeout":                  &UpstreamError{Kind: Timeout},
	} {
		if err.Error() != want {
			t.Errorf("got %q, want %q", err, want)
		}
	}
}
