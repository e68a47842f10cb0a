package search

import "testing"

// Shrink leaves a tier 1 MB of documents and 1 MB of vectors until the test ends.
func Shrink(t *testing.T, sku string) {
	full := tiers[sku]
	small := full
	small.storageMB, small.vectorsMB = 1, 1
	tiers[sku] = small
	t.Cleanup(func() { tiers[sku] = full })
}
