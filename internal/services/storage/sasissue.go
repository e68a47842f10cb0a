package storage

import (
	"net/http"
	"net/netip"
	"strings"
	"time"

	"sekisho/internal/api"
	"sekisho/internal/arm"
)

// tokenRequest is what both kinds of tokens are asked for with.
// Source: storage.json AccountSasParameters, ServiceSasParameters.
type tokenRequest struct {
	Permission string `json:"signedPermission"`
	IP         string `json:"signedIp"`
	Protocol   string `json:"signedProtocol"`
	Start      string `json:"signedStart"`
	Expiry     string `json:"signedExpiry"`
	Key        string `json:"keyToSign"`
}

// permissions puts the letters of a permission into the order in which they are
// signed. Source: create-service-sas.md, "Specify permissions".
func permissions(given, known string) (string, bool) {
	out := ""
	for _, letter := range known {
		if strings.ContainsRune(given, letter) {
			out += string(letter)
		}
	}
	return out, len(out) == len(given)
}

// plan fills in what may be left out, and refuses what no token has. Without an
// expiry, or a permission, a stored access policy must have them.
func (in *tokenRequest) plan(now time.Time, known string, policy bool) error {
	var ok bool
	if in.Permission, ok = permissions(in.Permission, known); !ok || in.Permission == "" && !policy {
		return invalidParameters("signedPermission")
	}
	start, ok := optionalTime(in.Start)
	if !ok {
		return invalidParameters("signedStart")
	}
	expiry, ok := optionalTime(in.Expiry)
	switch {
	case !ok, expiry.IsZero() && !policy, !expiry.IsZero() && !expiry.After(now):
		return invalidParameters("signedExpiry")
	case !expiry.IsZero() && !start.Before(expiry):
		return invalidParameters("signedStart")
	}
	in.Start, in.Expiry = sasTime(start), sasTime(expiry)
	if in.Protocol != "" && in.Protocol != "https" && in.Protocol != "https,http" {
		return invalidParameters("signedProtocol")
	}
	if in.IP != "" && !ipRange(in.IP) {
		return invalidParameters("signedIp")
	}
	if in.Key == "" {
		in.Key = keyNames[0]
	}
	var err error
	in.Key, err = keyName("keyToSign", in.Key)
	return err
}

// ipRange tells whether a text is an IPv4 address, or two with a hyphen.
func ipRange(text string) bool {
	from, to, ranged := strings.Cut(text, "-")
	a, err := netip.ParseAddr(from)
	if err != nil || !a.Is4() || !ranged {
		return err == nil && a.Is4()
	}
	b, err := netip.ParseAddr(to)
	return err == nil && b.Is4() && !b.Less(a)
}

// optionalTime reads a time, or a day; nothing is the zero time.
func optionalTime(text string) (time.Time, bool) {
	if text == "" {
		return time.Time{}, true
	}
	return parseTime(text)
}

func (s *Storage) listAccountSAS(w http.ResponseWriter, call *api.Call) error {
	var in struct {
		tokenRequest
		Services string `json:"signedServices"`
		Types    string `json:"signedResourceTypes"`
	}
	r, key, err := s.signWith(call, &in, &in.tokenRequest, "rwdlacup", func() bool { return false })
	if err != nil {
		return err
	}
	var ok bool
	if in.Services, ok = permissions(in.Services, "bqtf"); !ok || in.Services == "" {
		return invalidParameters("signedServices")
	}
	if in.Types, ok = permissions(in.Types, "sco"); !ok || in.Types == "" {
		return invalidParameters("signedResourceTypes")
	}
	t := &sasToken{}
	for _, p := range [][2]string{{"sv", sasVersion}, {"ss", in.Services}, {"srt", in.Types}, {"sp", in.Permission},
		{"st", in.Start}, {"se", in.Expiry}, {"sip", in.IP}, {"spr", in.Protocol}} {
		t.set(p[0], p[1])
	}
	return reply(w, call, http.StatusOK, map[string]string{"accountSasToken": t.sign(key, t.accountText(r.Name))})
}

func (s *Storage) listServiceSAS(w http.ResponseWriter, call *api.Call) error {
	var in struct {
		tokenRequest
		Canonical   string `json:"canonicalizedResource"`
		Resource    string `json:"signedResource"`
		Identifier  string `json:"signedIdentifier"`
		Cache       string `json:"rscc"`
		Disposition string `json:"rscd"`
		Encoding    string `json:"rsce"`
		Language    string `json:"rscl"`
		ContentType string `json:"rsct"`
	}
	r, key, err := s.signWith(call, &in, &in.tokenRequest, "racwdl", func() bool { return in.Identifier != "" })
	if err != nil {
		return err
	}
	if len(in.Identifier) > 64 {
		return invalidParameters("signedIdentifier")
	}
	container, blob, ok := canonicalBlob(in.Canonical, r.Name)
	switch {
	case in.Resource != "b" && in.Resource != "c": // of files there is no data plane
		return invalidParameters("signedResource")
	case !ok || container == "" || (blob != "") != (in.Resource == "b"):
		return invalidParameters("canonicalizedResource")
	}
	t := &sasToken{}
	for _, p := range [][2]string{{"sv", sasVersion}, {"sr", in.Resource}, {"si", in.Identifier}, {"st", in.Start}, {"se", in.Expiry},
		{"sp", in.Permission}, {"sip", in.IP}, {"spr", in.Protocol}, {"rscc", in.Cache}, {"rscd", in.Disposition}, {"rsce", in.Encoding},
		{"rscl", in.Language}, {"rsct", in.ContentType}} {
		t.set(p[0], p[1])
	}
	return reply(w, call, http.StatusOK, map[string]string{"serviceSasToken": t.sign(key, t.serviceText(in.Canonical))})
}

// canonicalBlob takes /blob/{account}/{container}/{blob} apart.
func canonicalBlob(text, account string) (container, blob string, ok bool) {
	rest, ok := strings.CutPrefix(text, "/blob/"+account+"/")
	container, blob, _ = strings.Cut(rest, "/")
	return container, blob, ok
}

// signWith reads a request for a token, and the key that it is signed with.
func (s *Storage) signWith(call *api.Call, body any, in *tokenRequest, known string, policy func() bool) (*arm.Resource, string, error) {
	r, err := s.find(call)
	if err != nil {
		return nil, "", err
	}
	if err := arm.ReadBody(call, body); err != nil {
		return nil, "", err
	}
	if err := in.plan(s.now(), known, policy()); err != nil {
		return nil, "", err
	}
	keys, err := s.keys.List(call.Request.Context(), r.ID)
	return r, keys[in.Key], err
}
