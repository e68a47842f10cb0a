package login

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

const (
	v1 = "/" + tenant + "/oauth2/token"
	v2 = "/" + tenant + "/oauth2/v2.0/token"
)

// v2 answers with numbers. Source: entra-docs v2-oauth2-client-creds-grant-flow.md.
func TestTokenV2(t *testing.T) {
	s := newServer(t)
	for _, path := range []string{v2, "/contoso.com/oauth2/v2.0/token", strings.ToUpper(v2), v2 + "/", v2 + "?client-request-id=x"} {
		w := s.post(path, s.form("claims", `{"access_token":{"xms_cc":{"values":["CP1"]}}}`, "client_info", "1",
			"scope", "https://management.core.windows.net//.default openid offline_access profile"))
		reply := decode(t, w)
		if w.Code != 200 || reply["token_type"] != "Bearer" || reply["expires_in"] != 3599.0 || reply["ext_expires_in"] != 3599.0 || len(reply) != 4 {
			t.Fatalf("%s: %d %v", path, w.Code, reply)
		}
		if got := payload(t, reply)["aud"]; got != "https://management.core.windows.net/" {
			t.Errorf("%s: aud = %v", path, got)
		}
		if got := w.Header().Get("Cache-Control"); !strings.Contains(got, "no-store") {
			t.Errorf("Cache-Control = %q", got)
		}
	}
}

// v1 answers with numbers as strings. Source: clients.md §1 and adal's replies.
func TestTokenV1(t *testing.T) {
	s := newServer(t)
	w := s.post(v1, s.form("scope", "", "resource", "https://management.core.windows.net/"))
	reply := decode(t, w)
	if w.Code != 200 {
		t.Fatalf("%d %v", w.Code, reply)
	}
	claims := payload(t, reply)
	for name, want := range map[string]any{
		"token_type": "Bearer", "expires_in": "3599", "ext_expires_in": "3599", "resource": "https://management.core.windows.net/",
		"expires_on": json.Number(number(claims["exp"])).String(), "not_before": json.Number(number(claims["nbf"])).String(),
	} {
		if reply[name] != want {
			t.Errorf("%s = %#v, want %#v", name, reply[name], want)
		}
	}
	if claims["aud"] != "https://management.core.windows.net/" {
		t.Errorf("aud = %v", claims["aud"])
	}
}

func number(v any) string { raw, _ := json.Marshal(v); return string(raw) }

func payload(t *testing.T, reply map[string]any) map[string]any {
	t.Helper()
	token, _ := reply["access_token"].(string)
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("access_token = %q", token)
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(strings.NewReader(string(raw)))
	decoder.UseNumber()
	var claims map[string]any
	if err := decoder.Decode(&claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

// RFC 6749 §2.3.1: both parts are form-encoded.
func TestBasicCredentials(t *testing.T) {
	s := newServer(t)
	for name, c := range map[string]struct {
		user, password string
		status         int
	}{
		"plain":          {app, s.secret, 200},
		"escaped":        {url.QueryEscape(app), strings.ReplaceAll(s.secret, "~", "%7E"), 200},
		"wrong":          {app, "wrong", 401},
		"without secret": {app, "", 401},
		"without client": {"", s.secret, 400},
	} {
		w := s.do(http.MethodPost, v2, s.form("client_id", "", "client_secret", "").Encode(), http.Header{
			"Content-Type":  {"application/x-www-form-urlencoded"},
			"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(c.user+":"+c.password))}})
		if w.Code != c.status {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}

// Source: identity.md §1, Errors, unless a case says otherwise.
func TestTokenRefusals(t *testing.T) {
	s := newServer(t)
	for _, c := range []struct {
		name, path string
		form       url.Values
		status     int
		oauth      string
		number     float64
	}{
		{"wrong secret", v2, s.form("client_secret", "wrong"), 401, "invalid_client", 7000215},
		{"no secret", v2, s.form("client_secret", ""), 401, "invalid_client", 7000218},
		{"unknown application", v2, s.form("client_id", "bbbbbbbb-0000-0000-0000-000000000001"), 400, "unauthorized_client", 700016},
		{"no client", v2, s.form("client_id", ""), 400, "invalid_request", 900144},
		{"no grant", v2, s.form("grant_type", ""), 400, "invalid_request", 900144},
		{"nothing", v2, nil, 400, "invalid_request", 900144},
		{"grant that is not served", v2, s.form("grant_type", "urn:x"), 400, "unsupported_grant_type", 70003},
		{"grant in capitals", v2, s.form("grant_type", "Client_Credentials"), 400, "unsupported_grant_type", 70003},
		{"no scope (oidc-cli#7)", v2, s.form("scope", ""), 400, "invalid_request", 90014},
		{"scope without .default (msgraph-sdk-python#181)", v2, s.form("scope", "User.Read"), 400, "invalid_scope", 1002012},
		{"two resources", v2, s.form("scope", "https://a/.default https://b/.default"), 400, "invalid_scope", 700022},
		{"unknown resource", v2, s.form("scope", "https://nowhere.example/.default"), 400, "invalid_resource", 500011},
		{"resource at v2", v2, s.form("resource", "https://management.azure.com"), 400, "invalid_request", 901002},
		{"resource alone at v2", v2, s.form("scope", "", "resource", "https://management.azure.com"), 400, "invalid_request", 901002},
		{"no resource at v1", v1, s.form(), 400, "invalid_request", 900144},
		{"unknown resource at v1", v1, s.form("resource", " https://management.azure.com"), 400, "invalid_resource", 500011},
		{"unknown tenant", "/nowhere.example/oauth2/v2.0/token", s.form(), 400, "invalid_request", 90002},
		{"common (azure-docs#24064)", "/common/oauth2/v2.0/token", s.form(), 400, "invalid_request", 50059},
		{"a parameter twice", v2, url.Values{"grant_type": {"client_credentials"}, "client_id": {app, app}}, 400, "invalid_request", 9000411},
	} {
		t.Run(c.name, func(t *testing.T) {
			wantError(t, s.post(c.path, c.form), c.status, c.oauth, c.number)
		})
	}
}

func wantError(t *testing.T, w *httptest.ResponseRecorder, status int, oauth string, number float64) {
	t.Helper()
	reply := decode(t, w)
	codes, _ := reply["error_codes"].([]any)
	if w.Code != status || reply["error"] != oauth || len(codes) != 1 || codes[0] != number {
		t.Errorf("%d %s, want %d %s %v", w.Code, w.Body, status, oauth, number)
	}
}

// A secret in the URL is no credential: it would be in logs.
func TestParametersInTheURLDoNotCount(t *testing.T) {
	s := newServer(t)
	wantError(t, s.post(v2+"?"+s.form().Encode(), nil), 400, "invalid_request", 900144)
}

func TestBodiesThatAreNoForm(t *testing.T) {
	s := newServer(t)
	for _, c := range []struct {
		name, contentType, body string
		number                  float64
	}{
		// What Entra answers to JSON: it finds no parameters.
		{"JSON", "application/json", `{"grant_type":"client_credentials"}`, 900144},
		{"no content type", "", "grant_type=client_credentials", 900144},
		{"bad escape", "application/x-www-form-urlencoded", "grant_type=%zz", 9002313},
		{"semicolons", "application/x-www-form-urlencoded", "grant_type=client_credentials;client_id=x", 9002313},
		{"bad content type", "application/x-www-form-urlencoded; =", "grant_type=client_credentials", 9002313},
		{"empty", "application/x-www-form-urlencoded", "", 900144},
	} {
		t.Run(c.name, func(t *testing.T) {
			wantError(t, s.do(http.MethodPost, v2, c.body, http.Header{"Content-Type": {c.contentType}}), 400, "invalid_request", c.number)
		})
	}
}

func TestOversizedForm(t *testing.T) {
	s := newServer(t)
	w := s.post(v2, s.form("claims", strings.Repeat("x", maxBody)))
	if reply := decode(t, w); w.Code != http.StatusRequestEntityTooLarge || reply["error"] != "invalid_request" || reply["access_token"] != nil {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := s.post(v2, s.form("claims", strings.Repeat("x", maxBody/2))); w.Code != 200 {
		t.Errorf("half of that: %d %s", w.Code, w.Body)
	}
}

// Source: identity.md §1, Errors, Shape. Today's Entra parts the lines of the
// description with spaces (azure-keyvault-emulator#324, of 2025).
func TestShapeOfErrors(t *testing.T) {
	s := newServer(t)
	const id = "0774b819-134d-4815-9573-a31a98397420"
	body := s.form("client_secret", "wrong").Encode()
	form := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	w := s.do(http.MethodPost, v2, body, http.Header{"Content-Type": form["Content-Type"], "Client-Request-Id": {id}, "Return-Client-Request-Id": {"true"}})
	reply := decode(t, w)
	trace, _ := reply["trace_id"].(string)
	stamp, _ := reply["timestamp"].(string)
	if !regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`).MatchString(trace) || w.Header().Get("x-ms-request-id") != trace {
		t.Errorf("trace_id = %q, x-ms-request-id = %q", trace, w.Header().Get("x-ms-request-id"))
	}
	if !regexp.MustCompile(`^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$`).MatchString(stamp) {
		t.Errorf("timestamp = %q", stamp)
	}
	description, _ := reply["error_description"].(string)
	if tail := " Trace ID: " + trace + " Correlation ID: " + id + " Timestamp: " + stamp; !strings.HasPrefix(description, "AADSTS7000215: Invalid client secret provided.") || !strings.HasSuffix(description, tail) {
		t.Errorf("error_description = %q", description)
	}
	if reply["correlation_id"] != id || w.Header().Get("client-request-id") != id || reply["error_uri"] != base+"/error?code=7000215" || len(reply) != 7 {
		t.Errorf("reply = %v, header %v", reply, w.Header())
	}
	// JavaScript sends its id in the URL.
	if reply := decode(t, s.do(http.MethodPost, v2+"?client-request-id="+id, body, form)); reply["correlation_id"] != id {
		t.Errorf("correlation_id = %v", reply["correlation_id"])
	}
	for _, bad := range []string{"", "<script>", "{" + id + "}", strings.Repeat("x", 5000)} {
		w := s.do(http.MethodPost, v2, body, http.Header{"Content-Type": form["Content-Type"], "Client-Request-Id": {bad}})
		if reply := decode(t, w); reply["correlation_id"] != reply["trace_id"] || w.Header().Get("client-request-id") != "" {
			t.Errorf("client-request-id %q: reply = %v, header %v", bad, reply, w.Header())
		}
	}
}

func TestSecretsAreInNoErrorAndNoAudit(t *testing.T) {
	s := newServer(t)
	const wrong = "Sup3rS3cret"
	w := s.post(v2, s.form("client_secret", wrong))
	s.post(v2, s.form())
	if strings.Contains(w.Body.String(), wrong) {
		t.Errorf("the reply has the secret: %s", w.Body)
	}
	if len(s.audit) != 2 || s.audit[0].Decision != "Refused" || s.audit[0].App != app || s.audit[1].Decision != "Allowed" || s.audit[1].Principal != "aaaaaaaa-0000-0000-0000-000000000002" || s.audit[1].Tenant != tenant {
		t.Fatalf("audit = %+v", s.audit)
	}
	for _, e := range s.audit {
		if raw, _ := json.Marshal(e); strings.Contains(string(raw), wrong) || strings.Contains(string(raw), s.secret) {
			t.Errorf("the audit has the secret: %s", raw)
		}
	}
}

func TestOtherMethodsAndPaths(t *testing.T) {
	s := newServer(t)
	for _, c := range []struct {
		method, path string
		status       int
	}{
		{http.MethodGet, v2, 405}, {http.MethodPut, v1, 405}, {http.MethodPost, "/" + tenant + "/oauth2/v2.0/nothing", 404}, {http.MethodGet, "/", 404},
	} {
		w := s.do(c.method, c.path, "", nil)
		if reply := decode(t, w); w.Code != c.status || reply["error"] != "invalid_request" {
			t.Errorf("%s %s: %d %s", c.method, c.path, w.Code, w.Body)
		}
	}
}

// As azure-identity for Java asks for a device's code.
func TestADevicesRequestNeedNotSayThatItIsAForm(t *testing.T) {
	s := newServer(t)
	form := url.Values{"client_id": {"04b07795-8ddb-461a-bbee-02f9e1bf7b46"}, "scope": {"https://management.azure.com/.default"}}
	w := s.do(http.MethodPost, "/organizations/oauth2/v2.0/devicecode", form.Encode(), nil)
	if reply := decode(t, w); w.Code != http.StatusOK || reply["user_code"] == nil {
		t.Errorf("%d %v", w.Code, reply)
	}
}
