package storage

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"sekisho/internal/api"
)

// sas is what the query of a signed URL says.
type sas struct {
	query   url.Values
	raw     map[string]string // the parameters of a signature, as written
	version string
	account bool // of the whole account, not of a container or a blob
	// delegated is set for one that a user's delegation key signed.
	delegated     bool
	start, expiry time.Time
	signature     []byte
	first, last   netip.Addr
	httpsOnly     bool
}

// Versions of signed URLs, from which on something is signed that was not before.
// Source: rest-storageservices create-account-sas.md, create-service-sas.md and
// create-user-delegation-sas.md, "Specify the signature".
const (
	sasFirst       = "2015-04-05"
	sasResource    = "2018-11-09" // sr and the snapshot
	sasDirectory   = "2020-02-10" // saoid, suoid, scid; sr=d
	sasEncryption  = "2020-12-06" // ses
	sasDelegatedTo = "2025-07-05" // skdutid, sduoid
	sasRequest     = "2026-04-06" // srh, srq
)

// sasParameters are all that belong to a signature.
var sasParameters = []string{"sv", "ss", "srt", "sr", "sp", "st", "se", "si", "sip", "spr", "ses", "sig", "sdd", "rscc", "rscd", "rsce", "rscl", "rsct",
	"skoid", "sktid", "skt", "ske", "sks", "skv", "saoid", "suoid", "scid", "skdutid", "sduoid", "srh", "srq"}

// badSAS says what is wrong with a signed URL, as Azure's AuthenticationErrorDetail.
type badSAS string

func (e badSAS) Error() string { return string(e) }

const notWellFormed badSAS = "Signature fields not well formed."

// parseSAS reads the query of a signed URL. Errors are badSAS.
func parseSAS(rawQuery string) (*sas, error) {
	query, err := url.ParseQuery(rawQuery)
	if err != nil {
		return nil, notWellFormed
	}
	p := &sas{query: query, raw: map[string]string{}}
	for _, name := range sasParameters {
		switch values := query[name]; {
		case len(values) > 1:
			return nil, notWellFormed
		case len(values) == 1 && strings.TrimSpace(values[0]) == "":
			return nil, emptyField(name)
		case len(values) == 1:
			p.raw[name] = values[0]
		}
	}
	p.version = p.raw["sv"]
	p.account = query.Has("ss") || query.Has("srt")
	p.delegated = !p.account && query.Has("skoid")
	if err := p.check(); err != nil {
		return nil, err
	}
	return p, nil
}

func emptyField(name string) error {
	if slices.Contains([]string{"sv", "ss", "srt", "sr", "sp", "se", "sig", "skoid", "sktid", "skt", "ske", "sks", "skv"}, name) {
		return badSAS(name + " is mandatory. Cannot be empty")
	}
	return badSAS(name + " is optional but cannot be empty")
}

var (
	dates = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}$`)
	guids = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
)

func (p *sas) check() (err error) {
	mandatory := []string{"sv", "sr"}
	switch {
	case p.account:
		mandatory = []string{"sv", "sp", "ss", "srt", "se"}
	case p.delegated:
		mandatory = []string{"sv", "sr", "sp", "se", "skoid", "sktid", "skt", "ske", "sks", "skv"}
	case p.raw["si"] == "":
		mandatory = []string{"sv", "sr", "sp", "se"}
	}
	for _, name := range append(mandatory, "sig") {
		if p.raw[name] == "" {
			return emptyField(name)
		}
	}
	if !dates.MatchString(p.version) || p.version < sasFirst {
		return badSAS("Version value " + strconv.Quote(p.version) + " of sv is not supported for signed URLs.")
	}
	if p.signature, err = base64.StdEncoding.DecodeString(p.raw["sig"]); err != nil {
		return notWellFormed
	}
	if len(p.signature) != sha256.Size {
		return badSAS("Signature size is invalid")
	}
	if p.start, err = p.time("st"); err != nil {
		return err
	}
	if p.expiry, err = p.time("se"); err != nil {
		return err
	}
	if err := p.checkWay(); err != nil {
		return err
	}
	if err := p.checkLetters(); err != nil {
		return err
	}
	return p.checkResource()
}

// time reads a time of the signature; zero if it has none.
func (p *sas) time(name string) (time.Time, error) {
	text := p.raw[name]
	if text == "" {
		return time.Time{}, nil
	}
	at, ok := parseTime(text)
	if !ok {
		return time.Time{}, notWellFormed
	}
	return at, nil
}

// timeForms are those of ISO 8601 that Storage takes. Source: rest-storageservices
// formatting-datetime-values.md.
var timeForms = []string{"2006-01-02", "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05.9999999Z07:00"}

func parseTime(text string) (time.Time, bool) {
	for _, form := range timeForms {
		if at, err := time.Parse(form, text); err == nil {
			return at.UTC(), true
		}
	}
	return time.Time{}, false
}

// checkWay reads which way in is allowed.
func (p *sas) checkWay() error {
	switch p.raw["spr"] {
	case "", "https,http", "http,https":
	case "https":
		p.httpsOnly = true
	default:
		return notWellFormed
	}
	text := p.raw["sip"]
	if text == "" {
		return nil
	}
	first, last, ranged := strings.Cut(text, "-")
	if !ranged {
		last = first
	}
	var errFirst, errLast error
	p.first, errFirst = netip.ParseAddr(first)
	p.last, errLast = netip.ParseAddr(last)
	if errFirst != nil || errLast != nil || !p.first.Is4() || !p.last.Is4() || p.last.Less(p.first) {
		return badSAS("Invalid sip format")
	}
	return nil
}

// Letters of permissions. Source: create-account-sas.md, create-service-sas.md,
// "Permissions for a directory, container, or blob".
const (
	accountLetters = "rwdxylacuptfi"
	serviceLetters = "racwdxyltfmeopi"
	// orderedLetters have the order that a service SAS keeps: "wr" is invalid. The
	// SDKs do not agree about those that came later.
	orderedLetters = "racwdl"
)

func (p *sas) checkLetters() error {
	if p.account {
		if !within(p.raw["ss"], "bqtf") || !within(p.raw["srt"], "sco") {
			return notWellFormed
		}
		if !within(p.raw["sp"], accountLetters) {
			return notWellFormed
		}
		return nil
	}
	if !validPermission(p.raw["sp"]) {
		return notWellFormed
	}
	return nil
}

// validPermission tells whether the letters are those of a container or a blob.
func validPermission(letters string) bool {
	last := -1
	for _, r := range letters {
		if i := strings.IndexRune(orderedLetters, r); i >= 0 {
			if i < last {
				return false
			}
			last = i
		}
	}
	return within(letters, serviceLetters)
}

// within tells whether a text has only letters of a set, each once.
func within(text, set string) bool {
	for i, r := range text {
		if !strings.ContainsRune(set, r) || strings.ContainsRune(text[:i], r) {
			return false
		}
	}
	return true
}

// checkResource reads what of the account a signed URL is for.
func (p *sas) checkResource() error {
	if p.account {
		return nil
	}
	sr, depth := p.raw["sr"], p.raw["sdd"]
	switch {
	case sr == "b" || sr == "c":
	case (sr == "bs" || sr == "bv") && p.version >= sasResource:
	case sr == "d" && p.version >= sasDirectory:
		if depth == "" {
			return badSAS("sdd is mandatory. Cannot be empty")
		}
		if n, err := strconv.Atoi(depth); err != nil || n < 0 {
			return badSAS("Signed Directory Depth Invalid")
		}
	default:
		return notWellFormed
	}
	if len(p.raw["si"]) > maxPolicyID {
		return notWellFormed
	}
	if p.delegated {
		return p.checkDelegation()
	}
	return nil
}

func (p *sas) checkDelegation() error {
	if p.version < sasResource || p.raw["si"] != "" || p.raw["sks"] != "b" || !dates.MatchString(p.raw["skv"]) {
		return notWellFormed
	}
	for _, name := range []string{"skoid", "sktid", "saoid", "suoid", "scid", "skdutid", "sduoid"} {
		if text := p.raw[name]; text != "" && !guids.MatchString(text) {
			return notWellFormed
		}
	}
	if p.raw["saoid"] != "" && p.raw["suoid"] != "" {
		return notWellFormed
	}
	for _, name := range []string{"skt", "ske"} {
		if _, err := p.time(name); err != nil {
			return err
		}
	}
	return nil
}

// overrides are headers of a reply that a signed URL of a blob names. Source:
// create-service-sas.md, "Specify query parameters to override response headers".
var overrides = map[string]string{"rscc": "Cache-Control", "rscd": "Content-Disposition", "rsce": "Content-Encoding", "rscl": "Content-Language", "rsct": "Content-Type"}

// override sets what the signed URL of a call says of the reply.
func override(h http.Header, call *api.Call) {
	query := call.Request.URL.Query()
	if c := call.Caller.Credential; c != api.SAS && c != api.DelegationSAS || query.Has("ss") {
		return
	}
	for name, header := range overrides {
		if value := query.Get(name); value != "" {
			h.Set(header, value)
		}
	}
}
