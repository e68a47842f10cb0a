package arm

import (
	"net/http"
	"regexp"

	"sekisho/internal/api"
)

// ServiceName is the name of ARM's table.
const ServiceName = "arm"

// maxBody is ARM's own limit of a request.
const maxBody = 4 << 20

var versions = regexp.MustCompile(`^20\d\d-\d\d-\d\d(-[a-z]+)?$`)

// IsVersion tells whether an api-version is well formed.
func IsVersion(s string) bool { return versions.MatchString(s) }

// Service is the table of management.azure.com: the rows of the providers, each
// behind ARM's demand of an api-version.
func Service(rows ...[]api.Operation) api.Service {
	s := api.Service{
		Name:      ServiceName,
		Audiences: []string{"https://management.azure.com", "https://management.core.windows.net", "797f4846-ba00-4fd7-ba43-dac1f8f63013"},
		MaxBody:   maxBody, WriteError: WriteError,
	}
	for _, ops := range rows {
		for _, op := range ops {
			handle := op.Handle
			op.Handle = func(w http.ResponseWriter, call *api.Call) error {
				if err := checkVersion(call); err != nil {
					return err
				}
				return handle(w, call)
			}
			s.Operations = append(s.Operations, op)
		}
	}
	return s
}

func checkVersion(call *api.Call) error {
	switch version := call.Request.URL.Query().Get("api-version"); {
	case version == "":
		return api.BadRequest("MissingApiVersionParameter", "api-version", "The api-version query parameter (?api-version=) is required for all requests.")
	case !IsVersion(version):
		return api.BadRequest("InvalidApiVersionParameter", "api-version", "The api-version '%s' is invalid. The api-version must be of the form yyyy-MM-dd, with an optional suffix such as -preview.", version)
	}
	return nil
}
