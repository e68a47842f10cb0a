package schema

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

var durations = regexp.MustCompile(`^(-)?P(?:(\d{1,6})D)?(?:T(?:(\d{1,8})H)?(?:(\d{1,8})M)?(?:(\d{1,9}(?:\.\d{1,9})?)S)?)?$`)

// ParseDuration reads an XSD "dayTimeDuration" (P1D, PT15M, -P3DT2H), which may be
// negative. Source: azure-docs search/index-add-scoring-profiles.md,
// "Set boostingDuration for freshness function".
func ParseDuration(text string) (time.Duration, error) {
	m := durations.FindStringSubmatch(text)
	if m == nil || m[2] == "" && m[3] == "" && m[4] == "" && m[5] == "" || text[len(text)-1] == 'T' {
		return 0, fmt.Errorf("'%s' is not a duration such as P1D or PT15M", text)
	}
	total := 0.0
	for i, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second} {
		n, _ := strconv.ParseFloat(m[2+i], 64) // of nothing, 0
		total += n * float64(unit)
	}
	if total >= 1<<63 {
		return 0, fmt.Errorf("'%s' is too long", text)
	}
	if m[1] != "" {
		total = -total
	}
	return time.Duration(total), nil
}
