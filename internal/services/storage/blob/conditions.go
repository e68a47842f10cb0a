package blob

import (
	"net/http"
	"strings"
	"time"
)

// Conditions are the conditional headers of a request, and the lease that it
// bears. Source: rest-storageservices
// specifying-conditional-headers-for-blob-service-operations.md.
type Conditions struct {
	IfMatch, IfNoneMatch               string
	IfModifiedSince, IfUnmodifiedSince time.Time
	// IfTags is what the blob's tags must be like; nil is any.
	IfTags  TagQuery
	LeaseID string
}

// use is what a request does with what is there.
type use int

const (
	reads   use = iota
	changes     // what is there
	creates     // it, or replaces what is there
)

// check holds the conditions against what is there; etag is empty if nothing is.
// A read that they stop is a 304, a write a 412. If-None-Match and
// If-Modified-Since are alternatives, all others must hold.
func (c Conditions) check(etag string, modified time.Time, tags map[string]string, how use) error {
	there := etag != ""
	second := modified.Truncate(time.Second) // as HTTP writes times
	switch {
	case c.IfMatch != "" && (!there || c.IfMatch != "*" && !sameETag(c.IfMatch, etag)),
		there && !c.IfUnmodifiedSince.IsZero() && second.After(c.IfUnmodifiedSince),
		c.IfTags != nil && !(there && c.IfTags.holds("", tags)):
		return conditionNotMet()
	case !there:
		return nil
	case c.IfNoneMatch == "*" && how == creates:
		return fail(http.StatusConflict, "BlobAlreadyExists", "The specified blob already exists.")
	case c.IfNoneMatch == "*":
		return fail(http.StatusBadRequest, "UnsatisfiableCondition", "The request includes an unsatisfiable condition for this operation.")
	}
	asked, met := false, false
	if c.IfNoneMatch != "" {
		asked, met = true, !sameETag(c.IfNoneMatch, etag)
	}
	if !c.IfModifiedSince.IsZero() {
		asked, met = true, met || second.After(c.IfModifiedSince)
	}
	switch {
	case !asked || met:
		return nil
	case how == reads:
		return notModified()
	}
	return conditionNotMet()
}

// source holds the conditions against the source of a copy.
func (c Conditions) source(b *Blob) error {
	if c.check(b.ETag, b.Modified, b.Tags, changes) != nil {
		return fail(http.StatusPreconditionFailed, "SourceConditionNotMet", "The source condition specified using HTTP conditional header(s) is not met.")
	}
	return nil
}

// sameETag tells whether a header names an ETag, quoted or not.
func sameETag(header, etag string) bool {
	for one := range strings.SplitSeq(header, ",") {
		if strings.Trim(strings.TrimSpace(one), `"`) == strings.Trim(etag, `"`) {
			return true
		}
	}
	return false
}
