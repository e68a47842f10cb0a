package storage

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"sekisho/internal/api"
	"sekisho/internal/arm"
)

func TestVersionsOfTheDataPlane(t *testing.T) {
	if !slices.IsSorted(serviceVersions) || !slices.Contains(serviceVersions, serviceVersion) || serviceVersions[0] != oldestVersion {
		t.Error("the list of versions is out of order, or lacks one that is used")
	}
	for version, takes := range map[string][2]bool{ // by default, strictly
		"2026-02-06": {true, true}, "2009-09-19": {true, true}, "2008-10-27": {true, true},
		"2099-01-01": {true, false}, "2026-02-07": {true, false}, "2020-01-01": {true, false},
		"2008-10-26": {false, false}, "1999-01-01": {false, false}, "2026-2-6": {false, false}, "latest": {false, false}, "2026-02-06 ": {false, false},
	} {
		for i, s := range []*Storage{{now: time.Now}, {now: time.Now, strict: true}} {
			if got := s.takes(version); got != takes[i] {
				t.Errorf("%q, strict: %v: %v", version, i == 1, got)
			}
			call := &api.Call{Request: &http.Request{URL: &url.URL{}, Header: http.Header{"X-Ms-Version": {version}}}}
			_, err := s.credential(call)
			var e *api.Error
			if refused := errors.As(err, &e) && e.Code == "InvalidHeaderValue" && e.Status == http.StatusBadRequest; refused == takes[i] {
				t.Errorf("%q, strict: %v: %v", version, i == 1, err)
			}
			call.Request.Header.Del("x-ms-version")
			call.Request.URL.RawQuery = "sp=r&ss=b&srt=o&se=2020-01-01&sig=" + strings.Repeat("A", 43) + "%3D&sv=" + url.QueryEscape(version)
			_, err = s.signedURL(call)
			var refused *api.Refusal
			if version >= sasFirst && (!errors.As(err, &refused) || (refused.Cause == `Version value "`+version+`" of sv is not supported for signed URLs.`) == takes[i]) {
				t.Errorf("sv=%q, strict: %v: %v", version, i == 1, err)
			}
		}
	}
}

// An account that is stored as the first version did says nothing of encryption.
func TestAnAccountOfAnEarlyVersionIsShown(t *testing.T) {
	r := &arm.Resource{Name: "early", Kind: kindV2, Location: "japaneast"}
	if err := r.SetProperties(map[string]any{"accessTier": "Hot"}); err != nil {
		t.Fatal(err)
	}
	got, err := viewAccount(r, api.Origin{})
	if err != nil {
		t.Fatal(err)
	}
	e := got.(accountView).Encryption
	if e.KeySource != byStorage || len(e.Services) != 2 || !e.Services["blob"].Enabled || e.Services["file"].KeyType != "Account" {
		t.Errorf("%+v", e)
	}
}
