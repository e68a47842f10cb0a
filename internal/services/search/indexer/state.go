package indexer

import (
	"maps"
	"time"
)

// State is how far an indexer has come. It is written with the documents of each
// batch, in one transaction.
type State struct {
	// Mark is the high-water mark: what changed up to then is indexed.
	Mark time.Time `json:"mark,omitzero"`
	// Recent are items that changed after the mark and are indexed, by name, with
	// their etags.
	Recent map[string]string `json:"recent,omitempty"`
	// Place is where the reading of the source is; nil before it begins.
	Place *Place `json:"place,omitempty"`
	// Current is the run in progress.
	Current *Result `json:"current,omitempty"`
	// Reset are items that the next run reads again: their paths, or the keys of
	// their documents.
	Reset []string `json:"reset,omitempty"`
}

// Place is how far the source is read. A run that stops leaves it to the next.
type Place struct {
	Began  time.Time         `json:"began"`
	Marker string            `json:"marker,omitempty"` // of the page
	After  string            `json:"after,omitempty"`  // the last name of the page that is done
	Newest time.Time         `json:"newest,omitzero"`  // change that was seen
	Recent map[string]string `json:"recent,omitempty"`
}

// maxRecent bounds Recent. What it does not hold is indexed once more.
const maxRecent = 5000

// tick is how exact the times of changes are.
const tick = time.Second

// recent is from when on changes may come after an item was listed.
func (p *Place) recent() time.Time { return p.Began.Truncate(tick).Add(-tick) }

// seen notes an item of the listing.
func (p *Place) seen(it Item) {
	if it.Modified.After(p.Newest) {
		p.Newest = it.Modified
	}
	if it.Modified.After(p.recent()) && len(p.Recent) < maxRecent {
		if p.Recent == nil {
			p.Recent = map[string]string{}
		}
		p.Recent[it.Name] = it.version()
	}
}

// copy is the place as it is now.
func (p *Place) copy() *Place {
	if p == nil {
		return nil
	}
	c := *p
	c.Recent = maps.Clone(p.Recent)
	return &c
}

// complete moves the mark when the whole source is read.
func (s *State) complete() {
	p := s.Place
	mark := p.Newest
	if r := p.recent(); mark.After(r) {
		mark = r
	}
	if mark.After(s.Mark) {
		s.Mark = mark
	}
	s.Recent, s.Place = p.Recent, nil
}

// changed tells whether an item is new to the indexer.
func (s *State) changed(it Item) bool {
	return it.Modified.After(s.Mark) && s.Recent[it.Name] != it.version()
}

// Tracking is the state as the history of runs shows it.
func (s *State) Tracking() *string {
	if s.Mark.IsZero() {
		return nil
	}
	text := `{"lastFullEnumerationStartTime":"` + s.Mark.UTC().Format(time.RFC3339) + `"}`
	return &text
}

// Statuses of a run.
const (
	InProgress       = "inProgress"
	Success          = "success"
	TransientFailure = "transientFailure"
	WasReset         = "reset"
)

// Result is a run. Source: searchservice.json IndexerExecutionResult.
type Result struct {
	Status    string     `json:"status"`
	Error     *string    `json:"errorMessage"`
	Start     time.Time  `json:"startTime"`
	End       *time.Time `json:"endTime"`
	Errors    []Failure  `json:"errors"`
	Warnings  []Warning  `json:"warnings"`
	Processed int        `json:"itemsProcessed"`
	Failed    int        `json:"itemsFailed"`
	Initial   *string    `json:"initialTrackingState"`
	Final     *string    `json:"finalTrackingState"`
}

// Failure is an error of an item. Source: searchservice.json SearchIndexerError.
type Failure struct {
	Key     string  `json:"key"`
	Name    string  `json:"name"`
	Message string  `json:"errorMessage"`
	Status  int     `json:"statusCode"`
	Details *string `json:"details"`
	Link    *string `json:"documentationLink"`
}

// Warning is what an item is indexed in spite of. Source: searchservice.json
// SearchIndexerWarning.
type Warning struct {
	Key     string  `json:"key"`
	Name    string  `json:"name"`
	Message string  `json:"message"`
	Details *string `json:"details"`
	Link    *string `json:"documentationLink"`
}

// maxNotes is how many errors and warnings of a run are kept, the first ones.
const maxNotes = 1000

// NewResult is a run that begins.
func NewResult(now time.Time, s *State) *Result {
	return &Result{Status: InProgress, Start: now.UTC().Truncate(time.Millisecond), Errors: []Failure{}, Warnings: []Warning{}, Initial: s.Tracking()}
}

// Close ends a run at a state.
func (r *Result) Close(now time.Time, status string, message *string, s *State) {
	now = now.UTC().Truncate(time.Millisecond)
	r.Status, r.Error, r.End, r.Final = status, message, &now, s.Tracking()
}

func (r *Result) fail(f Failure) {
	if len(r.Errors) < maxNotes {
		r.Errors = append(r.Errors, f)
	}
}

func (r *Result) warn(w Warning) {
	if len(r.Warnings) < maxNotes {
		r.Warnings = append(r.Warnings, w)
	}
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
