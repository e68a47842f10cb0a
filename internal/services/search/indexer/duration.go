package indexer

import (
	"regexp"
	"strconv"
	"time"
)

// durations are XSD dayTimeDurations.
var durations = regexp.MustCompile(`^P(?:(\d{1,4})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,7})(?:\.(\d{1,9}))?S)?)?$`)

// ParseDuration reads a dayTimeDuration, such as PT2H or P1DT30M.
// Source: https://www.w3.org/TR/xmlschema11-2/#dayTimeDuration
func ParseDuration(text string) (d time.Duration, ok bool) {
	m := durations.FindStringSubmatch(text)
	if m == nil || text[len(text)-1] == 'P' || text[len(text)-1] == 'T' {
		return 0, false
	}
	for i, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second} {
		n, _ := strconv.Atoi("0" + m[i+1])
		d += time.Duration(n) * unit
	}
	if m[5] != "" {
		n, _ := strconv.Atoi((m[5] + "000000000")[:9])
		d += time.Duration(n)
	}
	return d, true
}
