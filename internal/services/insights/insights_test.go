package insights_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"sekisho/internal/servicetest"
)

// since is a $filter from an hour ago on, as az writes it: without quotes.
func since(more string) string {
	return "?$filter=" + url.QueryEscape("eventTimestamp ge "+time.Now().UTC().Add(-time.Hour).Format("2006-01-02T15:04:05.999999")+more)
}

func values(w *servicetest.World) string {
	return w.Subscription + "/providers/Microsoft.Insights/eventtypes/management/values"
}

// events are "action status" of a list.
func events(t *testing.T, r servicetest.Reply) (all []string) {
	t.Helper()
	if r.Status != 200 {
		t.Fatalf("%d %s", r.Status, r.Body)
	}
	for _, v := range r.Get("value").([]any) {
		e := v.(map[string]any)
		text := func(name string) any { return e[name].(map[string]any)["value"] }
		all = append(all, fmt.Sprintf("%v %v %v", text("operationName"), text("status"), text("subStatus")))
	}
	return all
}

func TestEveryWriteLeavesAnEventWithItsOutcome(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group := w.MakeGroup("rg")
	other := w.MakeGroup("other")
	account := w.MakeAccount(group, "acc")
	w.Need(200, w.ARM("GET", account, "")) // reads leave none
	w.Need(200, w.ARM("POST", account+"/listKeys", ""))
	w.Need(400, w.ARM("PATCH", account, `{"properties":{"publicNetworkAccess":"Maybe"}}`))
	p := w.Principal("stranger")
	w.Need(403, w.ARMAs(p, "DELETE", account, ""))
	w.Need(403, w.ARMAs(p, "GET", account, ""))
	w.Need(200, w.ARM("DELETE", account, ""))
	w.Need(200, w.ARM("DELETE", other, ""))

	const ns = "Microsoft.CognitiveServices/accounts/"
	inGroup := []string{ns + "delete Succeeded OK", ns + "delete Failed Forbidden", ns + "write Failed BadRequest", ns + "listKeys/action Succeeded OK", ns + "write Succeeded Created",
		"Microsoft.Resources/subscriptions/resourceGroups/write Succeeded Created"}
	all := slices.Concat([]string{"Microsoft.Resources/subscriptions/resourceGroups/delete Succeeded OK"}, inGroup[:5],
		[]string{"Microsoft.Resources/subscriptions/resourceGroups/write Succeeded Created"}, inGroup[5:])
	until := time.Now().UTC().Add(time.Minute).Format(time.RFC3339)
	for more, want := range map[string][]string{
		"": all,
		" and eventTimestamp le '" + until + "' and resourceGroupName eq 'RG'":                 inGroup,
		" and resourceUri eq '" + strings.ToUpper(account) + "'":                               inGroup[:5],
		" AND resourceProvider eq 'Microsoft.Resources'":                                       {all[0], all[6], all[7]},
		" and status eq 'Failed'":                                                              inGroup[1:3],
		" and caller eq '" + p.ID + "'":                                                        inGroup[1:2],
		" and eventTimestamp le " + time.Now().UTC().Add(-30*time.Minute).Format(time.RFC3339): nil,
	} {
		if got := events(t, w.ARM("GET", values(w)+since(more), "")); !slices.Equal(got, want) {
			t.Errorf("%s:\n got %q\nwant %q", more, got, want)
		}
	}

	id := "11111111-2222-3333-4444-555555555555"
	w.Need(201, w.Do(servicetest.Request{Method: "PUT", URL: servicetest.URL(other), Body: `{"location":"japaneast"}`, As: &w.Owner, Header: http.Header{"X-Ms-Correlation-Request-Id": {id}}}))
	r := w.ARM("GET", values(w)+since(" and correlationId eq '"+id+"'"), "")
	e := r.Get("value").([]any)[0].(map[string]any)
	if e["resourceId"] != other || e["resourceGroupName"] != "other" || e["correlationId"] != id || e["level"] != "Informational" ||
		e["authorization"].(map[string]any)["action"] != "Microsoft.Resources/subscriptions/resourceGroups/write" || e["caller"] != w.Owner.AppID {
		t.Errorf("event: %s", r.Body)
	}
	if _, err := time.Parse(time.RFC3339, e["eventTimestamp"].(string)); err != nil {
		t.Error(err)
	}
	r = w.ARM("GET", values(w)+since("")+"&$select="+url.QueryEscape("caller , status"), "")
	if e := r.Get("value").([]any)[0].(map[string]any); len(e) != 2 || e["status"] == nil || e["caller"] == nil {
		t.Errorf("selected: %v", e)
	}
}

func TestEventsComeInPages(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group := w.MakeGroup("rg")
	for i := range 250 {
		w.Need(200, w.ARM("PATCH", group, fmt.Sprintf(`{"tags":{"n":"%d"}}`, i)))
	}
	first := w.ARM("GET", values(w)+since(""), "")
	link, _ := first.Get("nextLink").(string)
	if n := len(events(t, first)); n != 200 || link == "" {
		t.Fatalf("%d events, next %q", n, link)
	}
	w.Need(200, w.ARM("PATCH", group, `{"tags":{}}`)) // shifts nothing
	second := w.Do(servicetest.Request{Method: "GET", URL: link, As: &w.Owner})
	if n := len(events(t, second)); n != 51 || second.Get("nextLink") != nil {
		t.Errorf("%d events on the second page", n)
	}
	if r := w.ARM("GET", values(w)+since("")+"&$skiptoken=x", ""); r.Status != 400 || r.Code() != "InvalidSkipToken" {
		t.Errorf("%d %s", r.Status, r.Body)
	}
}

func TestWhoSeesWhichEvents(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group := w.MakeGroup("rg")
	w.MakeGroup("other")
	for name, c := range map[string]struct {
		role, scope string
		want        int // events; 0 is a 403
	}{
		"reader of the subscription": {servicetest.Reader, w.Subscription, 2},
		"reader of a group":          {servicetest.Reader, group, 1},
		"OpenAI User":                {servicetest.OpenAIUser, w.Subscription, 0},
		"reader of an empty group":   {servicetest.Reader, w.Subscription + "/resourceGroups/none", 0},
	} {
		p := w.Principal(name)
		w.Grant(p.ID, c.role, c.scope)
		r := w.ARMAs(p, "GET", values(w)+since(""), "")
		if c.want == 0 {
			if r.Status != 403 || r.Code() != "AuthorizationFailed" {
				t.Errorf("%s: %d %s", name, r.Status, r.Body)
			}
		} else if got := events(t, r); len(got) != c.want {
			t.Errorf("%s sees %v", name, got)
		}
	}
}

func TestFiltersThatAzureRefuses(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	now := time.Now().UTC()
	from := "eventTimestamp ge '" + now.Add(-time.Hour).Format(time.RFC3339) + "'"
	for text, says := range map[string]string{
		"":                              "eventTimestamp ge a time",
		"resourceGroupName eq 'rg'":     "from when",
		"eventTimestamp ge yesterday":   "'yesterday', which is not a time",
		from + " or status eq 'Failed'": "not of the form",
		from + " and level eq 'Error'":  "level eq 'Error'",
		from + " and caller ge 'x'":     "caller ge 'x'",
		from + " and":                   "not of the form",
		"eventTimestamp ge '" + now.AddDate(0, 0, -100).Format(time.RFC3339) + "'": "90 days",
		from + " and eventTimestamp le '2020-01-01'":                               "before its start",
	} {
		r := w.ARM("GET", values(w)+"?$filter="+url.QueryEscape(text), "")
		if r.Status != 400 || r.Code() != "BadRequest" || !strings.Contains(r.Message(), says) {
			t.Errorf("%s: %d %s", text, r.Status, r.Body)
		}
	}
}
