package storage

import (
	"net/http"
	"slices"

	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/services/storage/blob"
)

// blobService is properties of blobServices/default.
// Source: blob.json BlobServiceProperties.
type blobService struct {
	CORS            *corsRules `json:"cors,omitempty"`
	DefaultVersion  *string    `json:"defaultServiceVersion,omitempty"`
	Delete          *retention `json:"deleteRetentionPolicy,omitempty"`
	ContainerDelete *retention `json:"containerDeleteRetentionPolicy,omitempty"`
	Versioning      *arm.Bool  `json:"isVersioningEnabled,omitempty"`
	Snapshots       *arm.Bool  `json:"automaticSnapshotPolicyEnabled,omitempty"`
	ChangeFeed      *enabled   `json:"changeFeed,omitempty"`
	Restore         *enabled   `json:"restorePolicy,omitempty"`
	LastAccess      *access    `json:"lastAccessTimeTrackingPolicy,omitempty"`
	StaticWebsite   *enabled   `json:"staticWebsite,omitempty"`
}

type enabled struct {
	Enabled arm.Bool `json:"enabled"`
}

type access struct {
	Enable arm.Bool `json:"enable"`
}

type retention struct {
	Enabled   arm.Bool  `json:"enabled"`
	Days      arm.Int   `json:"days,omitempty"`
	Permanent *arm.Bool `json:"allowPermanentDelete,omitempty"`
}

type corsRules struct {
	Rules []corsRule `json:"corsRules"`
}

type corsRule struct {
	Origins []string `json:"allowedOrigins"`
	Methods []string `json:"allowedMethods"`
	Seconds arm.Int  `json:"maxAgeInSeconds"`
	Exposed []string `json:"exposedHeaders"`
	Headers []string `json:"allowedHeaders"`
}

func viewRetention(days int) *retention {
	no := arm.Bool(false)
	return &retention{Enabled: days > 0, Days: arm.Int(days), Permanent: &no}
}

func viewService(r *arm.Resource, p blob.Service) child {
	v := blobService{CORS: &corsRules{Rules: []corsRule{}}, Delete: viewRetention(p.DeleteDays), ContainerDelete: &retention{Enabled: p.ContainerDeleteDays > 0, Days: arm.Int(p.ContainerDeleteDays)}}
	for _, rule := range p.CORS {
		v.CORS.Rules = append(v.CORS.Rules, corsRule{rule.Origins, rule.Methods, arm.Int(rule.Seconds), rule.Exposed, rule.Headers})
	}
	if p.DefaultVersion != "" {
		v.DefaultVersion = &p.DefaultVersion
	}
	return child{ID: r.ID + "/blobServices/default", Name: "default", Type: blobServiceType, SKU: r.SKU, Properties: v}
}

func (s *Storage) getBlobService(w http.ResponseWriter, call *api.Call) error {
	v, err := s.blobService(call)
	if err != nil {
		return err
	}
	return reply(w, call, http.StatusOK, v)
}

func (s *Storage) listBlobServices(w http.ResponseWriter, call *api.Call) error {
	v, err := s.blobService(call)
	if err != nil {
		return err
	}
	return reply(w, call, http.StatusOK, arm.ListReply([]any{v}, ""))
}

func (s *Storage) blobService(call *api.Call) (child, error) {
	r, err := s.withBlobs(call)
	if err != nil {
		return child{}, err
	}
	p, err := s.blobs.ServiceOf(call.Request.Context(), r.Name)
	return viewService(r, p), err
}

func (s *Storage) setBlobService(w http.ResponseWriter, call *api.Call) error {
	r, err := s.withBlobs(call)
	if err != nil {
		return err
	}
	var in struct {
		Properties blobService `json:"properties"`
	}
	if err := arm.ReadBody(call, &in); err != nil {
		return err
	}
	if err := in.Properties.check(); err != nil {
		return err
	}
	if v := in.Properties.DefaultVersion; v != nil && *v != "" && !s.takes(*v) {
		return invalidParameters("defaultServiceVersion")
	}
	var now blob.Service
	err = s.blobs.ChangeService(call.Request.Context(), r.Name, func(p *blob.Service) error {
		in.Properties.apply(p)
		now = *p
		return nil
	})
	if err != nil {
		return err
	}
	return reply(w, call, http.StatusOK, viewService(r, now))
}

// check refuses what is not built, and what is out of bounds.
// Source: blob.json DeleteRetentionPolicy, CorsRules.
func (in *blobService) check() error {
	for _, f := range []struct {
		on      bool
		feature string
	}{
		{in.Versioning != nil && bool(*in.Versioning), "Versioning"},
		{in.Snapshots != nil && bool(*in.Snapshots), "AutomaticSnapshotPolicy"},
		{in.ChangeFeed != nil && bool(in.ChangeFeed.Enabled), "ChangeFeed"},
		{in.Restore != nil && bool(in.Restore.Enabled), "RestorePolicy"},
		{in.LastAccess != nil && bool(in.LastAccess.Enable), "LastAccessTimeTracking"},
		{in.StaticWebsite != nil && bool(in.StaticWebsite.Enabled), "StaticWebsite"},
		{in.Delete != nil && in.Delete.Permanent != nil && bool(*in.Delete.Permanent), "PermanentDelete"},
	} {
		if f.on {
			return notSupported(f.feature)
		}
	}
	for name, policy := range map[string]*retention{"deleteRetentionPolicy": in.Delete, "containerDeleteRetentionPolicy": in.ContainerDelete} {
		if policy != nil && bool(policy.Enabled) && (policy.Days < 1 || policy.Days > 365) {
			return invalidParameters(name + ".days")
		}
	}
	if in.CORS == nil {
		return nil
	}
	if len(in.CORS.Rules) > 5 {
		return invalidParameters("cors.corsRules")
	}
	for _, rule := range in.CORS.Rules {
		if len(rule.Origins) == 0 || len(rule.Origins) > 64 || len(rule.Methods) == 0 || rule.Seconds < 0 {
			return invalidParameters("cors.corsRules")
		}
		for _, method := range rule.Methods {
			if !slices.Contains([]string{"DELETE", "GET", "HEAD", "MERGE", "POST", "OPTIONS", "PUT", "PATCH", "CONNECT", "TRACE"}, method) {
				return invalidParameters("cors.corsRules")
			}
		}
	}
	return nil
}

// apply writes what is given; what is not stays.
func (in *blobService) apply(p *blob.Service) {
	days := func(policy *retention, into *int) {
		if policy == nil {
			return
		}
		if *into = 0; bool(policy.Enabled) {
			*into = int(policy.Days)
		}
	}
	days(in.Delete, &p.DeleteDays)
	days(in.ContainerDelete, &p.ContainerDeleteDays)
	if in.DefaultVersion != nil {
		p.DefaultVersion = *in.DefaultVersion
	}
	if in.CORS == nil {
		return
	}
	p.CORS = nil
	for _, r := range in.CORS.Rules {
		p.CORS = append(p.CORS, blob.CORSRule{Origins: r.Origins, Methods: r.Methods, Headers: r.Headers, Exposed: r.Exposed, Seconds: int(r.Seconds)})
	}
}
