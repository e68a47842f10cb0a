package storage

import (
	"crypto/hmac"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"
)

// sasVectors are signed URLs that Azure's own clients made, of each layout that
// there has been, with keys that are no account's.
type sasVectors struct {
	Account       string `json:"account"`
	Key           string `json:"key"`
	DelegationKey string `json:"delegationKey"`
	Clients       []struct {
		Client  string      `json:"client"`
		Vectors []sasVector `json:"vectors"`
	} `json:"clients"`
}

type sasVector struct {
	Name      string            `json:"name"`
	Container string            `json:"container"`
	Blob      string            `json:"blob"`
	Query     string            `json:"query"`
	By        string            `json:"by"`
	Headers   map[string]string `json:"headers"`
}

func readVectors(t testing.TB, file string, into any) {
	t.Helper()
	raw, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		t.Fatal(err)
	}
}

// text is what a vector's signature must be of.
func (v sasVector) text(t testing.TB, account string) (*sas, string) {
	t.Helper()
	p, err := parseSAS(v.Query)
	if err != nil {
		t.Fatal(err)
	}
	if p.account {
		return p, p.accountText(account)
	}
	resource, err := p.resource(account, v.Container, v.Blob)
	if err != nil {
		t.Fatal(err)
	}
	r := &http.Request{Header: http.Header{}, URL: &url.URL{RawQuery: v.Query}}
	for name, value := range v.Headers {
		r.Header.Set(name, value)
	}
	return p, p.serviceText(r, resource)
}

func TestSignedURLsOfAzuresClientsVerify(t *testing.T) {
	var all sasVectors
	readVectors(t, "sas.json", &all)
	for _, client := range all.Clients {
		for _, v := range client.Vectors {
			t.Run(client.Client+"/"+v.Name, func(t *testing.T) {
				key := all.Key
				if v.By == "delegation" {
					key = all.DelegationKey
				}
				p, text := v.text(t, all.Account)
				if !hmac.Equal(sign(key, []byte(text)), p.signature) {
					t.Errorf("%s\ndoes not verify; the text is\n%s", v.Query, text)
				}
				if p.delegated != (v.By == "delegation") {
					t.Errorf("delegated %v", p.delegated)
				}
			})
		}
	}
}

// No parameter of a signed URL can be changed, added or left out.
func TestEveryParameterIsSigned(t *testing.T) {
	var all sasVectors
	readVectors(t, "sas.json", &all)
	for _, client := range all.Clients {
		for _, v := range client.Vectors {
			t.Run(client.Client+"/"+v.Name, func(t *testing.T) {
				key := all.Key
				if v.By == "delegation" {
					key = all.DelegationKey
				}
				query, err := url.ParseQuery(v.Query)
				if err != nil {
					t.Fatal(err)
				}
				for name := range query {
					if name == "sig" || name == "sv" { // the version chooses what is signed
						continue
					}
					changed, _ := url.ParseQuery(v.Query)
					changed.Set(name, changed.Get(name)+"x")
					v.refused(t, all.Account, key, changed, "with another "+name)
					changed.Del(name)
					v.refused(t, all.Account, key, changed, "without "+name)
				}
				for name, value := range map[string]string{"sip": "10.0.0.0-10.255.255.255", "spr": "https,http", "rsct": "text/html", "rscd": "x", "se": "2030-01-01", "sp": "racwdl"} {
					if query.Has(name) || strings.HasPrefix(name, "rsc") && query.Has("ss") {
						continue // a response header of an account SAS has no effect
					}
					added, _ := url.ParseQuery(v.Query)
					added.Set(name, value)
					v.refused(t, all.Account, key, added, "with "+name+" added")
				}
				other := v
				other.Container += "x"
				if v.Container != "" && !query.Has("ss") {
					other.refused(t, all.Account, key, query, "of another container")
				}
			})
		}
	}
}

// refused asks that a signature does not fit a query.
func (v sasVector) refused(t *testing.T, account, key string, query url.Values, what string) {
	t.Helper()
	v.Query = query.Encode()
	p, err := parseSAS(v.Query)
	if err != nil {
		return
	}
	if !p.account {
		if _, err := p.resource(account, v.Container, v.Blob); err != nil {
			return
		}
	}
	if p, text := v.text(t, account); hmac.Equal(sign(key, []byte(text)), p.signature) {
		t.Errorf("%s it verifies all the same", what)
	}
}

func TestMalformedSignedURLsSayWhatIsWrong(t *testing.T) {
	const sig = "&sig=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA%3D"
	const service, account = "sv=2020-12-06&sr=b&sp=r&se=2030-01-01", "sv=2020-12-06&ss=b&srt=o&sp=r&se=2030-01-01"
	const user = "sv=2020-12-06&sr=b&sp=r&se=2030-01-01&skoid=11111111-2222-3333-4444-555555555555&sktid=11111111-2222-3333-4444-555555555555&skt=2026-01-01&ske=2026-01-02&sks=b&skv=2020-12-06"
	for query, want := range map[string]string{
		service + sig:                                  "",
		account + sig:                                  "",
		user + sig:                                     "",
		"sv=2020-12-06&sp=r&se=2030-01-01" + sig:       "sr is mandatory. Cannot be empty",
		"sv=2020-12-06&sr=b&se=2030-01-01" + sig:       "sp is mandatory. Cannot be empty",
		"sv=2020-12-06&sr=b&sp=r" + sig:                "se is mandatory. Cannot be empty",
		"sr=b&sp=r&se=2030-01-01" + sig:                "sv is mandatory. Cannot be empty",
		"sv=2020-12-06&sr=b&si=p" + sig:                "",
		"sv=2020-12-06&ss=b&sp=r&se=2030-01-01" + sig:  "srt is mandatory. Cannot be empty",
		"sv=2020-12-06&srt=o&sp=r&se=2030-01-01" + sig: "ss is mandatory. Cannot be empty",
		service:                                  "sig is mandatory. Cannot be empty",
		service + "&sig=":                        "sig is mandatory. Cannot be empty",
		service + "&sig=%25":                     "Signature fields not well formed.",
		service + "&sig=AAAA":                    "Signature size is invalid",
		service + "&st=" + sig:                   "st is optional but cannot be empty",
		service + "&st=yesterday" + sig:          "Signature fields not well formed.",
		service + "&sp=rw" + sig:                 "Signature fields not well formed.",
		service + "&sip=10.0.0.300" + sig:        "Invalid sip format",
		service + "&sip=10.0.0.9-10.0.0.1" + sig: "Invalid sip format",
		service + "&sip=::1" + sig:               "Invalid sip format",
		service + "&spr=http" + sig:              "Signature fields not well formed.",
		service + "%zz" + sig:                    "Signature fields not well formed.",
		strings.Replace(service, "2020-12-06", "2014-02-14", 1) + sig:    `Version value "2014-02-14" of sv is not supported for signed URLs.`,
		strings.Replace(service, "2020-12-06", "latest", 1) + sig:        `Version value "latest" of sv is not supported for signed URLs.`,
		strings.Replace(service, "sr=b", "sr=q", 1) + sig:                "Signature fields not well formed.",
		strings.Replace(service, "sr=b", "sr=d", 1) + sig:                "sdd is mandatory. Cannot be empty",
		strings.Replace(service, "sr=b", "sr=d&sdd=-1", 1) + sig:         "Signed Directory Depth Invalid",
		strings.Replace(service, "sp=r", "sp=wr", 1) + sig:               "Signature fields not well formed.",
		strings.Replace(service, "sp=r", "sp=rr", 1) + sig:               "Signature fields not well formed.",
		strings.Replace(service, "sp=r", "sp=rq", 1) + sig:               "Signature fields not well formed.",
		strings.Replace(account, "srt=o", "srt=ox", 1) + sig:             "Signature fields not well formed.",
		strings.Replace(account, "ss=b", "ss=bz", 1) + sig:               "Signature fields not well formed.",
		strings.Replace(user, "&skv=2020-12-06", "", 1) + sig:            "skv is mandatory. Cannot be empty",
		strings.Replace(user, "sks=b", "sks=q", 1) + sig:                 "Signature fields not well formed.",
		strings.Replace(user, "sv=2020-12-06", "sv=2017-11-09", 1) + sig: "Signature fields not well formed.",
		user + "&si=p" + sig:   "Signature fields not well formed.",
		user + "&scid=x" + sig: "Signature fields not well formed.",
		user + "&saoid=11111111-2222-3333-4444-555555555555&suoid=11111111-2222-3333-4444-555555555555" + sig: "Signature fields not well formed.",
	} {
		_, err := parseSAS(query)
		if got := ""; err != nil {
			if got = err.Error(); got != want {
				t.Errorf("%s\n%q, want %q", query, got, want)
			}
		} else if want != "" {
			t.Errorf("%s\nis taken, want %q", query, want)
		}
	}
}

func TestADirectorySASReachesWhatIsBelowItsDepth(t *testing.T) {
	p := &sas{raw: map[string]string{"sr": "d", "sdd": "2"}}
	for blob, want := range map[string]string{
		"a/b": "/blob/acc/c/a/b", "a/b/c/d": "/blob/acc/c/a/b", "a": "", "": "", "a/bc/d": "/blob/acc/c/a/bc",
	} {
		if got, _ := p.resource("acc", "c", blob); got != want {
			t.Errorf("%q: %q, want %q", blob, got, want)
		}
	}
}

func FuzzParseSAS(f *testing.F) {
	var all sasVectors
	readVectors(f, "sas.json", &all)
	for _, client := range all.Clients {
		for _, v := range client.Vectors {
			f.Add(v.Query, v.Container, v.Blob)
		}
	}
	f.Add("sv=2020-12-06&sr=d&sdd=99999999999999999999&sp=r&se=2030-01-01&sig=AA", "c", "a//b")
	f.Fuzz(func(t *testing.T, query, container, blob string) {
		p, err := parseSAS(query)
		if err != nil {
			return
		}
		if len(p.signature) != 32 || p.version < sasFirst {
			t.Fatalf("%q is taken: %+v", query, p)
		}
		if p.account {
			p.accountText("account")
			return
		}
		if resource, err := p.resource("account", container, blob); err == nil {
			if !strings.HasPrefix(resource, "/blob/account/"+container) {
				t.Fatalf("%q reaches %q", query, resource)
			}
			p.serviceText(&http.Request{Header: http.Header{}}, resource)
		}
	})
}

func TestAnExpirationPolicy(t *testing.T) {
	for text, want := range map[string]time.Duration{"1.12:05:06": 36*time.Hour + 5*time.Minute + 6*time.Second, "0.01:00:00": time.Hour, "00:00:59": 59 * time.Second} {
		if got, err := parsePeriod(text); err != nil || got != want {
			t.Errorf("%q: %v %v", text, got, err)
		}
	}
	for _, text := range []string{"", "1", "1.25:00:00", "-1.00:00:00", "x.00:00:00"} {
		if got, err := parsePeriod(text); err == nil {
			t.Errorf("%q is taken: %v", text, got)
		}
	}
	at := time.Now()
	for _, tt := range []struct {
		start, expiry time.Time
		want          string
	}{
		{at, at.Add(time.Hour), ""},
		{at, at.Add(time.Hour + time.Second), "too long"},
		{time.Time{}, at.Add(time.Minute), "missing"},
	} {
		if got := tooLong(tt.start, tt.expiry, time.Hour); !strings.Contains(got, tt.want) || (tt.want == "") != (got == "") {
			t.Errorf("%v: %q", tt, got)
		}
	}
}
