package storage

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// accountText is what signs an account SAS: each parameter on a line. Source:
// create-account-sas.md, "Construct the signature string".
func (p *sas) accountText(account string) string {
	lines := []string{account, p.raw["sp"], p.raw["ss"], p.raw["srt"], p.raw["st"], p.raw["se"], p.raw["sip"], p.raw["spr"], p.version}
	if p.version >= sasEncryption {
		lines = append(lines, p.raw["ses"])
	}
	return strings.Join(lines, "\n") + "\n"
}

// serviceText is what signs a SAS of a container or a blob. Source:
// create-service-sas.md, "Specify the signature"; create-user-delegation-sas.md,
// "Specify the signature".
func (p *sas) serviceText(r *http.Request, resource string) string {
	lines := []string{p.raw["sp"], p.raw["st"], p.raw["se"], resource}
	if p.delegated {
		lines = append(lines, p.raw["skoid"], p.raw["sktid"], p.raw["skt"], p.raw["ske"], p.raw["sks"], p.raw["skv"])
		if p.version >= sasDirectory {
			lines = append(lines, p.raw["saoid"], p.raw["suoid"], p.raw["scid"])
		}
		if p.version >= sasDelegatedTo {
			lines = append(lines, p.raw["skdutid"], p.raw["sduoid"])
		}
	} else {
		lines = append(lines, p.raw["si"])
	}
	lines = append(lines, p.raw["sip"], p.raw["spr"], p.version)
	if p.version >= sasResource {
		lines = append(lines, p.raw["sr"], p.moment())
	}
	if p.version >= sasEncryption {
		lines = append(lines, p.raw["ses"])
	}
	if p.delegated && p.version >= sasRequest {
		lines = append(lines, p.requestHeaders(r.Header), p.requestQuery())
	}
	lines = append(lines, p.raw["rscc"], p.raw["rscd"], p.raw["rsce"], p.raw["rscl"], p.raw["rsct"])
	return strings.Join(lines, "\n")
}

// moment is the snapshot or the version of the blob that is signed for.
func (p *sas) moment() string {
	switch p.raw["sr"] {
	case "bs":
		return p.query.Get("snapshot")
	case "bv":
		return p.query.Get("versionid")
	}
	return ""
}

// requestHeaders are the headers that the request must have, with their values.
func (p *sas) requestHeaders(h http.Header) string {
	text := ""
	for _, name := range listed(p.raw["srh"]) {
		text += name + ":" + h.Get(name) + "\n"
	}
	return text
}

// requestQuery are the query parameters that the request must have.
func (p *sas) requestQuery() string {
	text := ""
	for _, name := range listed(p.raw["srq"]) {
		text += "\n" + name + ":" + p.query.Get(name)
	}
	return text
}

func listed(text string) []string {
	if text == "" {
		return nil
	}
	names := strings.Split(text, ",")
	for i, name := range names {
		if plain, err := url.PathUnescape(name); err == nil {
			names[i] = plain
		}
	}
	return names
}

// resource is what a SAS of a container or a blob is for, out of what the request
// addresses: a signature for anything else does not fit.
func (p *sas) resource(account, container, blob string) (string, error) {
	root := "/blob/" + account + "/" + container
	switch p.raw["sr"] {
	case "c":
		return root, nil
	case "d":
		depth, _ := strconv.Atoi(p.raw["sdd"])
		if depth == 0 {
			return root + "/", nil
		}
		segments := strings.Split(strings.Trim(blob, "/"), "/")
		if blob == "" || depth > len(segments) {
			return "", badSAS("Signed Directory Depth Invalid")
		}
		return root + "/" + strings.Join(segments[:depth], "/"), nil
	}
	return root + "/" + blob, nil
}
