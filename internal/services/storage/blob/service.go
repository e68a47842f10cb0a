package blob

import (
	"context"
	"errors"
	"time"

	"sekisho/internal/store"
)

// Service is what an account says of its blobs.
// Source: rest-storageservices set-blob-service-properties.md.
type Service struct {
	DefaultVersion string     `json:"defaultVersion,omitempty"`
	CORS           []CORSRule `json:"cors,omitempty"`
	// DeleteDays and ContainerDeleteDays are how long what was deleted may be
	// restored; 0 is not at all.
	DeleteDays          int  `json:"deleteDays,omitempty"`
	ContainerDeleteDays int  `json:"containerDeleteDays,omitempty"`
	Logging             Logs `json:"logging,omitzero"`
	Hours               Sums `json:"hours,omitzero"`
	Minutes             Sums `json:"minutes,omitzero"`
}

// CORSRule lets pages of other origins use the account.
type CORSRule struct {
	Origins, Methods, Headers, Exposed []string
	Seconds                            int
}

// Logs and Sums are settings of classic analytics, which are kept and have no
// effect.
type Logs struct {
	Version             string
	Delete, Read, Write bool
	Days                int
}

// Sums are classic metrics.
type Sums struct {
	Version       string
	Enabled, APIs bool
	Days          int
}

// ServiceOf gives an account's settings.
func (s *Store) ServiceOf(ctx context.Context, account string) (p Service, err error) {
	err = s.docs.View(ctx, func(tx *store.Tx) error {
		p, err = loadService(tx, account)
		return err
	})
	return p, err
}

// ChangeService changes an account's settings.
func (s *Store) ChangeService(ctx context.Context, account string, change func(*Service) error) error {
	return s.docs.Update(ctx, func(tx *store.Tx) error {
		p, err := loadService(tx, account)
		if err != nil {
			return err
		}
		if err := change(&p); err != nil {
			return err
		}
		_, err = store.Save(tx, store.Record{Kind: kindService, ID: account}, p)
		return err
	})
}

func loadService(tx *store.Tx, account string) (Service, error) {
	p, _, err := store.Load[Service](tx, kindService, account)
	if errors.Is(err, store.ErrNotFound) {
		return Service{}, nil
	}
	return p, err
}

// retain is what a deletion leaves of something for some days; nothing for none.
func retain(days int, now time.Time) Retained {
	if days == 0 {
		return Retained{}
	}
	return Retained{Deleted: now.UTC(), Expires: now.UTC().AddDate(0, 0, days)}
}
