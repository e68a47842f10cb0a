package authorization

import (
	"encoding/json"
	"testing"
	"time"
)

var epoch = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"PT8H": 8 * time.Hour, "pt30m": 30 * time.Minute, "P1DT1H1M1S": 25*time.Hour + time.Minute + time.Second, "P365D": 365 * 24 * time.Hour, "P2W": 14 * 24 * time.Hour, "P0D": 0,
	} {
		if end, err := addDuration(epoch, text); err != nil || end.Sub(epoch) != want {
			t.Errorf("%s: %v, %v", text, end.Sub(epoch), err)
		}
	}
	for _, text := range []string{"", "P", "PT", "8H", "P8H", "PT1D", "P1DT", "PTT1H", "P-1D", "P1", "PT1.5H", "P9999999D", "P9000Y", "P1D ", "one day"} {
		if end, err := addDuration(epoch, text); err == nil {
			t.Errorf("%q is %v", text, end.Sub(epoch))
		}
	}
}

func FuzzDuration(f *testing.F) {
	for _, seed := range []string{"PT8H", "P1Y2M3W4DT5H6M7S", "P", "P999999Y", "PT999999S"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		end, err := addDuration(epoch, text)
		if err != nil {
			return
		}
		if end.Before(epoch) {
			t.Errorf("%q ends before it begins: %v", text, end)
		}
		if _, err := json.Marshal(end); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	})
}
