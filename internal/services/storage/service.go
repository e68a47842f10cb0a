package storage

import (
	"encoding/xml"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/services/storage/blob"
)

func (s *Storage) serviceOperations() []api.Operation {
	properties := []string{"restype=service", "comp=properties"}
	about := []string{"restype=account", "comp=properties"}
	info := func(pattern, name, types string) api.Operation {
		return api.Operation{Method: http.MethodGet, Pattern: pattern, Query: about, Name: name, Action: getInfo, Source: source + "get-account-information.md",
			Checks: asks(getInfo, "", false, "rwdlacuptfixy", types), Handle: s.accountInfo}
	}
	return []api.Operation{
		serviceRow(http.MethodGet, "Service_GetProperties", "get-blob-service-properties.md", readService, "r", properties, s.getService),
		serviceRow(http.MethodPut, "Service_SetProperties", "set-blob-service-properties.md", writeService, "w", properties, s.setService),
		serviceRow(http.MethodGet, "Service_GetStatistics", "get-blob-service-stats.md", readService, "r", []string{"restype=service", "comp=stats"}, noStats),
		info("/", "Service_GetAccountInfo", "s"),
		info("/{container}", "Container_GetAccountInfo", "c"),
		info("/{container}/{blob}", "Blob_GetAccountInfo", "o"),
	}
}

func noStats(_ http.ResponseWriter, call *api.Call) error {
	return invalidQuery("comp", call.Request.URL.Query().Get("comp"), "It is for the secondary endpoint of an account with read access to it, and there is none.")
}

func (s *Storage) accountInfo(w http.ResponseWriter, call *api.Call) error {
	r, err := s.resources.Find(call.Request.Context(), string(call.Target.Scope))
	if err != nil {
		return err
	}
	p, err := arm.DecodeProperties[account](r)
	if err != nil {
		return err
	}
	setHeaders(w, call)
	h := w.Header()
	h.Set("x-ms-sku-name", r.SKU.Name)
	h.Set("x-ms-account-kind", r.Kind)
	h.Set("x-ms-is-hns-enabled", strconv.FormatBool(hierarchical(p)))
	h.Set("Content-Length", "0")
	w.WriteHeader(http.StatusOK)
	return nil
}

// serviceXML is what set-blob-service-properties.md has in its body: what is left
// out stays as it is.
type serviceXML struct {
	XMLName xml.Name      `xml:"StorageServiceProperties"`
	Logging *loggingXML   `xml:"Logging"`
	Hours   *metricsXML   `xml:"HourMetrics"`
	Minutes *metricsXML   `xml:"MinuteMetrics"`
	CORS    *corsXML      `xml:"Cors"`
	Version *string       `xml:"DefaultServiceVersion"`
	Delete  *retentionXML `xml:"DeleteRetentionPolicy"`
	Website *websiteXML   `xml:"StaticWebsite"`
}

type retentionXML struct {
	Enabled bool `xml:"Enabled"`
	Days    int  `xml:"Days,omitempty"`
}

type loggingXML struct {
	Version   string       `xml:"Version"`
	Delete    bool         `xml:"Delete"`
	Read      bool         `xml:"Read"`
	Write     bool         `xml:"Write"`
	Retention retentionXML `xml:"RetentionPolicy"`
}

type metricsXML struct {
	Version   string       `xml:"Version"`
	Enabled   bool         `xml:"Enabled"`
	APIs      *bool        `xml:"IncludeAPIs"`
	Retention retentionXML `xml:"RetentionPolicy"`
}

type corsXML struct {
	Rules []corsRuleXML `xml:"CorsRule"`
}

type corsRuleXML struct {
	Origins string `xml:"AllowedOrigins"`
	Methods string `xml:"AllowedMethods"`
	Headers string `xml:"AllowedHeaders"`
	Exposed string `xml:"ExposedHeaders"`
	MaxAge  int    `xml:"MaxAgeInSeconds"`
}

type websiteXML struct {
	Enabled bool `xml:"Enabled"`
}

// retention reads a policy: 1 to 365 days.
func (x retentionXML) retention(at string) (days int, err error) {
	switch {
	case !x.Enabled:
		return 0, nil
	case x.Days < 1 || x.Days > 365:
		return 0, invalidNode(at+"/Days", strconv.Itoa(x.Days))
	}
	return x.Days, nil
}

func retained(days int) retentionXML { return retentionXML{Enabled: days > 0, Days: days} }

func (s *Storage) getService(w http.ResponseWriter, call *api.Call) error {
	p, err := s.blobs.ServiceOf(call.Request.Context(), accountName(call))
	if err != nil {
		return err
	}
	metrics := func(m blob.Sums) *metricsXML {
		x := &metricsXML{Version: "1.0", Enabled: m.Enabled, Retention: retained(m.Days)}
		if m.Enabled {
			x.APIs = &m.APIs
		}
		return x
	}
	del := retained(p.DeleteDays)
	x := serviceXML{Hours: metrics(p.Hours), Minutes: metrics(p.Minutes), CORS: &corsXML{}, Delete: &del, Website: &websiteXML{},
		Logging: &loggingXML{Version: "1.0", Delete: p.Logging.Delete, Read: p.Logging.Read, Write: p.Logging.Write, Retention: retained(p.Logging.Days)}}
	if p.DefaultVersion != "" {
		x.Version = &p.DefaultVersion
	}
	for _, r := range p.CORS {
		x.CORS.Rules = append(x.CORS.Rules, corsRuleXML{strings.Join(r.Origins, ","), strings.Join(r.Methods, ","), strings.Join(r.Headers, ","), strings.Join(r.Exposed, ","), r.Seconds})
	}
	setHeaders(w, call)
	return writeXML(w, http.StatusOK, x)
}

// maxServiceBody bounds the body of Set Blob Service Properties.
const maxServiceBody = 64 << 10

func (s *Storage) setService(w http.ResponseWriter, call *api.Call) error {
	var x serviceXML
	if err := readXML(call.Request, maxServiceBody, &x); err != nil {
		return err
	}
	if x.Version != nil && !s.takes(*x.Version) {
		return invalidNode("DefaultServiceVersion", *x.Version)
	}
	err := s.blobs.ChangeService(call.Request.Context(), accountName(call), x.apply)
	if err != nil {
		return err
	}
	return done(w, call, http.StatusAccepted)
}

func (x serviceXML) apply(p *blob.Service) (err error) {
	if x.Website != nil && x.Website.Enabled {
		return api.BadRequest("UnsupportedXmlNode", "StaticWebsite/Enabled", "One of the XML nodes specified in the request body is not supported: static websites are not.")
	}
	if x.Version != nil {
		p.DefaultVersion = *x.Version
	}
	if x.Delete != nil {
		if p.DeleteDays, err = x.Delete.retention("DeleteRetentionPolicy"); err != nil {
			return err
		}
	}
	if l := x.Logging; l != nil {
		p.Logging = blob.Logs{Version: l.Version, Delete: l.Delete, Read: l.Read, Write: l.Write}
		if p.Logging.Days, err = l.Retention.retention("Logging/RetentionPolicy"); err != nil {
			return err
		}
	}
	for _, m := range []struct {
		name string
		from *metricsXML
		into *blob.Sums
	}{{"HourMetrics", x.Hours, &p.Hours}, {"MinuteMetrics", x.Minutes, &p.Minutes}} {
		if m.from == nil {
			continue
		}
		if m.from.Enabled && m.from.APIs == nil {
			return api.BadRequest("MissingRequiredXmlNode", m.name+"/IncludeAPIs", "A required XML node was not specified in the request body.")
		}
		*m.into = blob.Sums{Version: m.from.Version, Enabled: m.from.Enabled, APIs: m.from.APIs != nil && *m.from.APIs}
		if m.into.Days, err = m.from.Retention.retention(m.name + "/RetentionPolicy"); err != nil {
			return err
		}
	}
	if x.CORS != nil {
		p.CORS, err = x.CORS.rules()
	}
	return err
}

// maxCORSRules is how many rules an account has at most.
// Source: cross-origin-resource-sharing--cors--support-for-the-azure-storage-services.md.
const maxCORSRules = 5

var corsMethods = []string{"DELETE", "GET", "HEAD", "MERGE", "PATCH", "POST", "OPTIONS", "PUT"}

func (x corsXML) rules() (all []blob.CORSRule, err error) {
	if len(x.Rules) > maxCORSRules {
		return nil, invalidNode("Cors", strconv.Itoa(len(x.Rules))+" rules")
	}
	for i, r := range x.Rules {
		at := "Cors/CorsRule[" + strconv.Itoa(i+1) + "]/"
		rule := blob.CORSRule{Origins: words(r.Origins), Methods: words(r.Methods), Headers: words(r.Headers), Exposed: words(r.Exposed), Seconds: r.MaxAge}
		switch {
		case len(rule.Origins) == 0:
			return nil, invalidNode(at+"AllowedOrigins", r.Origins)
		case len(rule.Methods) == 0 || slices.ContainsFunc(rule.Methods, func(m string) bool { return !slices.Contains(corsMethods, m) }):
			return nil, invalidNode(at+"AllowedMethods", r.Methods)
		case r.MaxAge < 0:
			return nil, invalidNode(at+"MaxAgeInSeconds", strconv.Itoa(r.MaxAge))
		}
		all = append(all, rule)
	}
	return all, nil
}

func words(text string) (all []string) {
	for word := range strings.SplitSeq(text, ",") {
		if word = strings.TrimSpace(word); word != "" {
			all = append(all, word)
		}
	}
	return all
}
