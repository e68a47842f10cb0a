package blob

import (
	"strings"
	"time"
)

// Conditions are the conditional headers of a request, and the lease that it
// bears. Source: rest-storageservices
// specifying-conditional-headers-for-blob-service-operations.md.
type Conditions struct {
	IfMatch, IfNoneMatch               string
	IfModifiedSince, IfUnmodifiedSince time.Time
	LeaseID                            string
}

// check holds the conditions against what is there; etag is empty if nothing is.
// A read that they stop is a 304, a write a 412.
func (c Conditions) check(etag string, modified time.Time, read bool) error {
	failed := conditionNotMet()
	if read {
		failed = notModified()
	}
	second := modified.Truncate(time.Second) // as HTTP writes times
	switch {
	case c.IfMatch != "" && (etag == "" || c.IfMatch != "*" && !sameETag(c.IfMatch, etag)):
		return conditionNotMet()
	case c.IfNoneMatch == "*" && etag != "" && !read:
		return fail(409, "BlobAlreadyExists", "The specified blob already exists.")
	case c.IfNoneMatch != "" && etag != "" && (c.IfNoneMatch == "*" || sameETag(c.IfNoneMatch, etag)):
		return failed
	case !c.IfModifiedSince.IsZero() && etag != "" && !second.After(c.IfModifiedSince):
		return failed
	case !c.IfUnmodifiedSince.IsZero() && etag != "" && second.After(c.IfUnmodifiedSince):
		return conditionNotMet()
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
