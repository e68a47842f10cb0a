package arm

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"sekisho/internal/api"
	"sekisho/rbac"
)

// ServiceName is the name of ARM's table.
const ServiceName = "arm"

// maxBody is ARM's own limit of a request.
const maxBody = 4 << 20

// IsVersion tells whether an api-version is well formed: a day of this century,
// and maybe a suffix such as -preview.
func IsVersion(s string) bool {
	day, suffix := s[:min(len(s), len(time.DateOnly))], s[min(len(s), len(time.DateOnly)):]
	if _, err := time.Parse(time.DateOnly, day); err != nil || !strings.HasPrefix(day, "20") {
		return false
	}
	word, dashed := strings.CutPrefix(suffix, "-")
	isLetter := func(r rune) bool { return 'a' <= r|0x20 && r|0x20 <= 'z' }
	return suffix == "" || dashed && word != "" && !strings.ContainsFunc(word, func(r rune) bool { return !isLetter(r) })
}

// Service is the table of management.azure.com: the rows of the providers, each
// behind what ARM demands of every request.
func Service(rows ...[]api.Operation) api.Service {
	served := namespaces{}
	s := api.Service{
		Name:      ServiceName,
		Audiences: []string{"https://management.azure.com", "https://management.core.windows.net", "797f4846-ba00-4fd7-ba43-dac1f8f63013"},
		MaxBody:   maxBody, WriteError: served.writeError,
	}
	for _, op := range slices.Concat(rows...) {
		if _, below, ok := strings.Cut(op.Pattern, "/providers/"); ok {
			served[strings.ToLower(before(below, "/"))] = true
		}
		checks, handle := op.Checks, op.Handle
		if checks != nil {
			op.Checks = func(call *api.Call) ([]api.Check, error) {
				if err := checkPath(call); err != nil {
					return nil, err
				}
				return checks(call)
			}
		}
		op.Handle = func(w http.ResponseWriter, call *api.Call) error {
			if err := checkVersion(call); err != nil {
				return err
			}
			return handle(w, call)
		}
		s.Operations = append(s.Operations, op)
	}
	return s
}

// checkPath runs before any question of authorization, which is asked about
// the path.
func checkPath(call *api.Call) error {
	if id := rbac.Scope(call.Path).Subscription(); id != "" && !IsGUID(id) {
		return api.BadRequest("InvalidSubscriptionId", "subscriptionId", "The provided subscription identifier '%s' is malformed or invalid.", id)
	}
	return nil
}

// IsGUID tells whether s is a GUID in the one form that Azure's ids have.
func IsGUID(s string) bool { return len(s) == 36 && uuid.Validate(s) == nil }

func checkVersion(call *api.Call) error {
	switch version := call.Request.URL.Query().Get("api-version"); {
	case version == "":
		return api.BadRequest("MissingApiVersionParameter", "api-version", "The api-version query parameter (?api-version=) is required for all requests.")
	case !IsVersion(version):
		return api.BadRequest("InvalidApiVersionParameter", "api-version", "The api-version '%s' is invalid. The api-version must be of the form yyyy-MM-dd, with an optional suffix such as -preview.", version)
	}
	return nil
}
