package storage

import (
	"errors"
	"net/http"
	"regexp"
	"strings"
	"time"

	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/store"
)

// kindShare is the store's kind of a file share; the id is "{account id}/{name}".
const kindShare = "fileShare"

// share is a file share. It is a resource and no more: files have no data plane.
// Source: file.json FileShareProperties.
type share struct {
	Name     string            `json:"name"`
	ETag     string            `json:"etag"`
	Modified time.Time         `json:"modified"`
	Quota    arm.Int           `json:"quota"` // GiB
	Tier     string            `json:"tier"`
	TierSet  time.Time         `json:"tierSet"`
	Metadata map[string]string `json:"metadata,omitempty"`
}

type shareProperties struct {
	Quota    arm.Int           `json:"shareQuota,omitempty"`
	Tier     string            `json:"accessTier,omitempty"`
	Metadata map[string]string `json:"metadata,omitempty"`
	Protocol string            `json:"enabledProtocols,omitempty"`
}

type shareView struct {
	shareProperties
	TierSet     string `json:"accessTierChangeTime"`
	Modified    string `json:"lastModifiedTime"`
	LeaseStatus string `json:"leaseStatus"`
	LeaseState  string `json:"leaseState"`
}

// Source: rest-storageservices naming-and-referencing-shares--directories--files--and-metadata.md.
var shareNames = regexp.MustCompile(`^[a-z0-9](-?[a-z0-9]){2,62}$`)

// Bounds of a quota, in GiB. Source: azure-docs storage/files/storage-files-scale-targets.md.
const (
	defaultQuota = 5120
	maxQuota     = 102400
)

func shareID(account *arm.Resource, name string) string { return account.ID + "/" + name }

func viewShare(r *arm.Resource, sh share) child {
	return child{ID: r.ID + "/fileServices/default/shares/" + sh.Name, Name: sh.Name, Type: shareType, ETag: quoted(sh.ETag),
		Properties: shareView{shareProperties{sh.Quota, sh.Tier, sh.Metadata, "SMB"}, sh.TierSet.Format(precise), sh.Modified.Format(precise), "Unlocked", "Available"}}
}

func (s *Storage) putShare(w http.ResponseWriter, call *api.Call) error {
	return s.writeShare(w, call, true)
}
func (s *Storage) patchShare(w http.ResponseWriter, call *api.Call) error {
	return s.writeShare(w, call, false)
}

func (s *Storage) writeShare(w http.ResponseWriter, call *api.Call, create bool) error {
	r, err := s.withFiles(call)
	if err != nil {
		return err
	}
	var in struct {
		Properties shareProperties `json:"properties"`
	}
	if err := arm.ReadBody(call, &in); err != nil {
		return err
	}
	name := call.Var("shareName")
	if !shareNames.MatchString(name) || len(name) > 63 {
		return api.BadRequest("InvalidResourceName", "shareName", "The specified resource name contains invalid characters.")
	}
	if err := in.Properties.check(r.Kind); err != nil {
		return err
	}
	var sh share
	status := http.StatusOK
	err = s.resources.Update(call.Request.Context(), func(tx *store.Tx) error {
		sh, _, err = store.Load[share](tx, kindShare, shareID(r, name))
		absent := errors.Is(err, store.ErrNotFound)
		switch {
		case absent && !create:
			return shareNotFound()
		case absent:
			status = http.StatusCreated
			sh = share{Name: name, Quota: defaultQuota}
		case err != nil:
			return err
		}
		in.Properties.apply(&sh, r.Kind, s.now().UTC())
		record, err := store.Save(tx, store.Record{Kind: kindShare, ID: shareID(r, name), Tenant: r.Tenant}, sh)
		sh.ETag = record.Etag
		return err
	})
	if err != nil {
		return err
	}
	return reply(w, call, status, viewShare(r, sh))
}

// tiers are the tiers of shares, by kind of account; the first is the default.
func tiers(kind string) []string {
	if kind == kindFile {
		return []string{"Premium"}
	}
	return []string{"TransactionOptimized", "Hot", "Cool"}
}

func (p *shareProperties) check(kind string) error {
	if p.Quota < 0 || p.Quota > maxQuota {
		return invalidParameters("shareQuota")
	}
	if p.Tier != "" {
		if err := oneOf("accessTier", &p.Tier, tiers(kind)...); err != nil {
			return err
		}
	}
	for name := range p.Metadata {
		if !identifier(name) {
			return api.BadRequest("InvalidMetadata", "properties.metadata", "The metadata specified is invalid. It has characters that are not permitted.")
		}
	}
	if p.Protocol != "" && !strings.EqualFold(p.Protocol, "SMB") {
		return notSupported("NFS")
	}
	return nil
}

func (p *shareProperties) apply(sh *share, kind string, now time.Time) {
	if p.Quota != 0 {
		sh.Quota = p.Quota
	}
	tier := p.Tier
	if tier == "" && sh.Tier == "" {
		tier = tiers(kind)[0]
	}
	if tier != "" && tier != sh.Tier {
		sh.Tier, sh.TierSet = tier, now
	}
	if p.Metadata != nil {
		sh.Metadata = p.Metadata
	}
	sh.Modified = now
}

func shareNotFound() error {
	return api.Errorf(http.StatusNotFound, "ShareNotFound", "The specified share does not exist.")
}

func (s *Storage) getShare(w http.ResponseWriter, call *api.Call) error {
	r, err := s.withFiles(call)
	if err != nil {
		return err
	}
	var sh share
	err = s.resources.View(call.Request.Context(), func(tx *store.Tx) error {
		var record store.Record
		sh, record, err = store.Load[share](tx, kindShare, shareID(r, call.Var("shareName")))
		if errors.Is(err, store.ErrNotFound) {
			return shareNotFound()
		}
		sh.ETag = record.Etag
		return err
	})
	if err != nil {
		return err
	}
	return reply(w, call, http.StatusOK, viewShare(r, sh))
}

func (s *Storage) deleteShare(w http.ResponseWriter, call *api.Call) error {
	r, err := s.withFiles(call)
	if err != nil {
		return err
	}
	status := http.StatusOK
	err = s.resources.Update(call.Request.Context(), func(tx *store.Tx) error {
		return tx.Delete(kindShare, shareID(r, call.Var("shareName")))
	})
	switch {
	case errors.Is(err, store.ErrNotFound):
		status = http.StatusNoContent
	case err != nil:
		return err
	}
	arm.WriteHeaders(w, call)
	w.WriteHeader(status)
	return nil
}

func (s *Storage) listShares(w http.ResponseWriter, call *api.Call) error {
	r, err := s.withFiles(call)
	if err != nil {
		return err
	}
	l, err := readListing(call)
	if err != nil {
		return err
	}
	values, next := []any{}, ""
	err = s.resources.View(call.Request.Context(), func(tx *store.Tx) error {
		q := store.Query{Prefix: shareID(r, l.prefix), Limit: l.limit + 1}
		if l.after != "" {
			q.After = shareID(r, l.after)
		}
		records, err := tx.List(kindShare, q)
		if err != nil {
			return err
		}
		last := ""
		for i, record := range records {
			if i == l.limit {
				next = l.next(call, last)
				break
			}
			sh, err := store.Decode[share](record)
			if err != nil {
				return err
			}
			sh.ETag, last = record.Etag, sh.Name
			values = append(values, viewShare(r, sh))
		}
		return nil
	})
	if err != nil {
		return err
	}
	return reply(w, call, http.StatusOK, arm.ListReply(values, next))
}

// removeShares takes away the shares of an account.
func removeShares(tx *store.Tx, r *arm.Resource) error {
	records, err := tx.List(kindShare, store.Query{Prefix: shareID(r, "")})
	if err != nil {
		return err
	}
	for _, record := range records {
		if err := tx.Delete(kindShare, record.ID); err != nil {
			return err
		}
	}
	return nil
}

// fileService is properties of fileServices/default. There is nothing to set:
// files have no data plane, and shares are not kept when they are deleted.
// Source: file.json FileServiceProperties.
type fileService struct {
	CORS   *corsRules `json:"cors,omitempty"`
	Delete *retention `json:"shareDeleteRetentionPolicy,omitempty"`
}

func (s *Storage) fileService(call *api.Call) (child, error) {
	r, err := s.withFiles(call)
	if err != nil {
		return child{}, err
	}
	return child{ID: r.ID + "/fileServices/default", Name: "default", Type: fileServiceType, SKU: r.SKU,
		Properties: fileService{&corsRules{Rules: []corsRule{}}, &retention{}}}, nil
}

func (s *Storage) getFileService(w http.ResponseWriter, call *api.Call) error {
	v, err := s.fileService(call)
	if err != nil {
		return err
	}
	return reply(w, call, http.StatusOK, v)
}

func (s *Storage) listFileServices(w http.ResponseWriter, call *api.Call) error {
	v, err := s.fileService(call)
	if err != nil {
		return err
	}
	return reply(w, call, http.StatusOK, arm.ListReply([]any{v}, ""))
}

func (s *Storage) setFileService(w http.ResponseWriter, call *api.Call) error {
	v, err := s.fileService(call)
	if err != nil {
		return err
	}
	var in struct {
		Properties fileService `json:"properties"`
	}
	if err := arm.ReadBody(call, &in); err != nil {
		return err
	}
	switch p := in.Properties; {
	case p.Delete != nil && bool(p.Delete.Enabled):
		return notSupported("Soft Delete")
	case p.CORS != nil && len(p.CORS.Rules) > 0:
		return notSupported("Cors")
	}
	return reply(w, call, http.StatusOK, v)
}
