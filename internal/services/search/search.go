package search

import (
	"log/slog"
	"net/http"
	"time"

	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/jobs"
	"sekisho/internal/services/search/indexer"
	"sekisho/internal/store"
)

const (
	provider    = "Microsoft.Search"
	serviceType = provider + "/searchServices"
	// Service is the name of the data plane's table.
	Service = "search"

	hostSuffix = ".search.windows.net"

	controlSource = "azure-rest-api-specs search/resource-manager/Microsoft.Search/stable/2025-05-01/search.json; azure-docs role-based-access-control/permissions/ai-machine-learning.md"
)

// versions of Microsoft.Search, the newest first.
var versions = []string{"2025-05-01", "2025-02-01-preview", "2024-06-01-preview", "2024-03-01-preview", "2023-11-01", "2022-09-01", "2021-04-01-preview",
	"2020-08-01", "2020-08-01-preview", "2020-03-13", "2019-10-01-preview", "2015-08-19"}

// Search is the service.
type Search struct {
	store     *store.Store
	resources *arm.Manager
	reader    *arm.Reader
	keys      *arm.Keys
	seal      arm.Sealer
	jobs      *jobs.Jobs
	files     indexer.Reader
	log       *slog.Logger
	indexes   *indexes
	out       Outbound
	thesauri  thesauri
	reranker  Reranker // nil: the one that is built in
	now       func() time.Time
}

// keySize is the length of a key in characters.
const keySize = 52

// New makes the service's declarations; Attach completes it. Indexes that are made
// of documents lie in dir.
func New(s *store.Store, keys *arm.Keys, seal arm.Sealer, dir string, now func() time.Time) *Search {
	s.Unfollow(kindDocument)
	return &Search{store: s, keys: keys.Characters(keySize), seal: seal, indexes: newIndexes(s, seal, dir), now: now}
}

// RunIndexers has jobs run the indexers; files are read by a reader of their own.
func (s *Search) RunIndexers(j *jobs.Jobs, files indexer.Reader, log *slog.Logger) {
	s.jobs, s.files, s.log = j, files, log
	j.Register(jobKind, s.runIndexer)
}

// Attach gives the service the resources, which are made of its declarations, and
// the way to others.
func (s *Search) Attach(resources *arm.Manager, reader *arm.Reader, out Outbound) {
	s.resources, s.reader, s.out = resources, reader, out
}

// RankWith has a model rank semantically.
func (s *Search) RankWith(r Reranker) { s.reranker = r }

// Close closes the indexes.
func (s *Search) Close() error { return s.indexes.close() }

// Types are the resource types of Microsoft.Search.
func (s *Search) Types() []*arm.Type { return []*arm.Type{s.services(), s.sharedLinks()} }

type handler = func(http.ResponseWriter, *api.Call) error
