package openai

import "testing"

func FuzzParseIPRule(f *testing.F) {
	for _, seed := range []string{"8.8.8.8", "203.0.113.0/24", "203.0.113.7/24", "0.0.0.0/0", "8.8.8.8/33", "::1", "::ffff:8.8.8.8", "fe80::1%eth0", "8.8.8.8/", "/", "", "08.8.8.8"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		prefix, err := parseIPRule(value)
		if err != nil {
			return
		}
		// What is taken is IPv4, and is stored in a form that is taken again.
		again, err := parseIPRule(prefix.String())
		if !prefix.Addr().Is4() || err != nil || again != prefix {
			t.Errorf("%q is %s, then %s (%v)", value, prefix, again, err)
		}
	})
}
