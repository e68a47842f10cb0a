package schema

import (
	"testing"
	"time"
)

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{"PT5M": 5 * time.Minute, "P1D": 24 * time.Hour, "P1DT2H3M4.5S": 26*time.Hour + 3*time.Minute + 4500*time.Millisecond, "PT230S": 230 * time.Second, "-P3DT2H": -74 * time.Hour} {
		if got, err := ParseDuration(text); err != nil || got != want {
			t.Errorf("%s: %v %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "P", "PT", "P1DT", "5M", "PT5", "P1M", "P1Y", "PT1.5M", "pt5m"} {
		if got, err := ParseDuration(text); err == nil {
			t.Errorf("%s: %v, want none", text, got)
		}
	}
}
