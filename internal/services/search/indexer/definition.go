package indexer

import (
	"encoding/json"
	"time"

	"sekisho/internal/services/search/schema"
)

// Definition is an indexer. Source: searchservice.json SearchIndexer.
type Definition struct {
	Name           string          `json:"name"`
	Description    *string         `json:"description"`
	DataSource     string          `json:"dataSourceName"`
	Skillset       *string         `json:"skillsetName"`
	Index          string          `json:"targetIndexName"`
	Disabled       *bool           `json:"disabled"`
	Schedule       *Schedule       `json:"schedule"`
	Parameters     *Parameters     `json:"parameters"`
	Mappings       []Mapping       `json:"fieldMappings"`
	OutputMappings []Mapping       `json:"outputFieldMappings"`
	Cache          json.RawMessage `json:"cache,omitempty"`
	EncryptionKey  json.RawMessage `json:"encryptionKey"`
}

// Schedule is when an indexer runs by itself.
type Schedule struct {
	Interval string     `json:"interval"`
	Start    *time.Time `json:"startTime"`
}

// Every is the interval.
func (s *Schedule) Every() time.Duration {
	d, _ := schema.ParseDuration(s.Interval)
	return d
}

// Bounds of an interval. Source: azure-docs search/search-howto-schedule-indexers.md.
const (
	minInterval = 5 * time.Minute
	maxInterval = 24 * time.Hour
)

// Parameters of an indexer's runs.
type Parameters struct {
	BatchSize      *int           `json:"batchSize"`
	MaxFailed      *int           `json:"maxFailedItems"`
	MaxFailedBatch *int           `json:"maxFailedItemsPerBatch"`
	Configuration  *Configuration `json:"configuration"`
}

// defaultBatch is how many blobs are a batch. Source: azure-docs
// search/search-howto-indexing-azure-blob-storage.md: "the default batch size is 10".
const defaultBatch = 10

// maxBatch bounds what is in memory at a time.
const maxBatch = 1000

// BatchSize is how many items are read, enriched and written together.
func (d *Definition) BatchSize() int {
	if d.Parameters == nil || d.Parameters.BatchSize == nil {
		return defaultBatch
	}
	return *d.Parameters.BatchSize
}

// Tolerated is how many items may fail, in a run and in a batch; -1 is any number.
func (d *Definition) Tolerated() (run, batch int) {
	if d.Parameters == nil {
		return 0, 0
	}
	or := func(n *int) int {
		if n == nil {
			return 0
		}
		return *n
	}
	return or(d.Parameters.MaxFailed), or(d.Parameters.MaxFailedBatch)
}

// Enabled tells whether it runs by itself.
func (d *Definition) Enabled() bool { return d.Disabled == nil || !*d.Disabled }

// Config is the configuration, if only the default one.
func (d *Definition) Config() Configuration {
	if d.Parameters == nil || d.Parameters.Configuration == nil {
		return Configuration{}
	}
	return *d.Parameters.Configuration
}

// Plan checks an indexer, without what it refers to.
func (d *Definition) Plan() error {
	switch {
	case d.DataSource == "":
		return invalid("dataSourceName", "indexer : The data source name is required.")
	case d.Index == "":
		return invalid("targetIndexName", "indexer : The target index name is required.")
	case d.Skillset != nil && *d.Skillset == "":
		d.Skillset = nil
	}
	if !isNull(d.Cache) {
		return invalid("cache", "indexer : An enrichment cache is not supported here.")
	}
	d.Cache = nil
	if err := noEncryptionKey(d.EncryptionKey); err != nil {
		return err
	}
	if s := d.Schedule; s != nil {
		every, err := schema.ParseDuration(s.Interval)
		if err != nil {
			return invalid("schedule.interval", "indexer : The schedule's interval '%s' is not a duration such as PT2H.", s.Interval)
		}
		if every < minInterval || every > maxInterval {
			return invalid("schedule.interval", "indexer : The schedule's interval '%s' is invalid: it is at least 5 minutes and at most 1 day.", s.Interval)
		}
	}
	if err := d.planParameters(); err != nil {
		return err
	}
	if d.Mappings == nil {
		d.Mappings = []Mapping{}
	}
	if d.OutputMappings == nil {
		d.OutputMappings = []Mapping{}
	}
	for i := range d.Mappings {
		if err := d.Mappings[i].plan("fieldMappings"); err != nil {
			return err
		}
	}
	for i := range d.OutputMappings {
		m := &d.OutputMappings[i]
		if err := m.plan("outputFieldMappings"); err != nil {
			return err
		}
		if _, err := ParsePath(m.Source); err != nil {
			return invalid("outputFieldMappings", "outputFieldMappings : %v", err)
		}
	}
	return nil
}

func (d *Definition) planParameters() error {
	p := d.Parameters
	if p == nil {
		return nil
	}
	if p.BatchSize != nil && (*p.BatchSize < 1 || *p.BatchSize > maxBatch) {
		return invalid("parameters.batchSize", "indexer : batchSize is %d; it is between 1 and %d.", *p.BatchSize, maxBatch)
	}
	for _, most := range []struct {
		name string
		n    *int
	}{{"maxFailedItems", p.MaxFailed}, {"maxFailedItemsPerBatch", p.MaxFailedBatch}} {
		if most.n != nil && *most.n < -1 {
			return invalid("parameters."+most.name, "indexer : %s is %d; it is -1 for no limit, or not negative.", most.name, *most.n)
		}
	}
	if p.Configuration == nil {
		return nil
	}
	return p.Configuration.plan(d.Skillset != nil)
}
