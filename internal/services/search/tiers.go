package search

// tier is what a SKU allows. Counts are of one service; there is no limit where
// one is 0, and nothing where it is nothing.
// Source: azure-docs search/search-limits-quotas-capacity.md; of the storage,
// includes/azure-search-limits-per-service.md.
type tier struct {
	name                 string
	replicas, partitions int
	indexes              int
	indexers             int // data sources and skillsets, too
	fields               int
	synonymMaps          int
	synonymRules         int // of a map
	aliases              int
	storageMB, vectorsMB int64 // a partition
	extractBytes         int64
	extractCharacters    int
	// services are how many a subscription has in a region.
	services int
	// links are shared private links, and of how many kinds; 0 is none.
	links, linkKinds int
}

// nothing is the count of what a service can't have.
const nothing = -1

// maxUnits is replicas times partitions.
const maxUnits = 36

var tiers = map[string]tier{
	"free":                 {"free", 1, 1, 3, 3, 1000, 3, 5000, 3, 50, 25, 16 << 20, 32 << 10, 1, 0, 0},
	"basic":                {"basic", 3, 3, 15, 15, 100, 3, 20000, 15, 15 << 10, 5 << 10, 16 << 20, 64 << 10, 16, 10, 4},
	"standard":             {"standard", 12, 12, 50, 50, 1000, 5, 20000, 50, 160 << 10, 35 << 10, 128 << 20, 4 << 20, 16, 100, 7},
	"standard2":            {"standard2", 12, 12, 200, 200, 1000, 10, 20000, 200, 512 << 10, 150 << 10, 256 << 20, 8 << 20, 8, 400, 15},
	"standard3":            {"standard3", 12, 12, 200, 200, 1000, 20, 20000, 200, 1024 << 10, 300 << 10, 256 << 20, 16 << 20, 6, 400, 15},
	"storage_optimized_l1": {"storage_optimized_l1", 12, 12, 10, 10, 1000, 10, 20000, 10, 2048 << 10, 150 << 10, 256 << 20, 4 << 20, 6, 0, 0},
	"storage_optimized_l2": {"storage_optimized_l2", 12, 12, 10, 10, 1000, 10, 20000, 10, 4096 << 10, 300 << 10, 256 << 20, 4 << 20, 6, 0, 0},
}

// tierOf is what a service may, by its SKU and its hosting mode: one of high density
// has many small indexes and no indexers.
func tierOf(sku, hosting string) tier {
	t := tiers[sku]
	if hosting == hostDense {
		t.indexes, t.indexers, t.partitions = 3000, nothing, 3
		t.links, t.linkKinds = 0, 0
	}
	return t
}
