package search

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/rbac"
)

const (
	readDocuments   = serviceType + "/indexes/documents/read"
	writeDocuments  = serviceType + "/indexes/documents/write"
	deleteDocuments = serviceType + "/indexes/documents/delete"

	documentSource = "azure-rest-api-specs search/data-plane/Azure.Search/stable/2024-07-01/searchindex.json; azure-docs search/search-security-rbac.md"
)

// DataPlane is the table of {service}.search.windows.net.
func (s *Search) DataPlane() api.Service {
	return api.Service{
		Name: Service, Audiences: []string{"https://search.azure.com", "https://search.azure.us"}, MaxBody: maxBody,
		Canonical: canonical, WriteError: writeError,
		Operations: s.table(),
	}
}

// definitions are the kinds of what is defined on a service.
func (s *Search) definitions() []*definition {
	return []*definition{s.indexDefinition(), s.aliasDefinition(), s.synonymDefinition(), s.dataSourceDefinition(), s.skillsetDefinition(), s.indexerDefinition()}
}

func (s *Search) table() []api.Operation {
	documents := s.documentOperations()
	rows := slices.Concat(s.statOperations(), documents, s.preflights(documents), s.analyzeOperations(), s.indexerOperations())
	for _, d := range s.definitions() {
		rows = append(rows, s.operations(d)...)
	}
	return rows
}

func (s *Search) documentOperations() []api.Operation {
	const docs = "/indexes/{name}/docs"
	row := func(method, pattern, name, action string, query bool, handle handler) api.Operation {
		handle = s.versioned(handle)
		if query {
			handle = s.crossOrigin(handle)
		}
		op := api.Operation{Method: method, Pattern: pattern, Name: "Documents_" + name, Action: action, Data: true, Source: documentSource,
			Keys: true, QueryKeys: query, Checks: atIndex(action, true), Handle: handle}
		if action == readDocuments { // of documents that some may see
			op.Checks, op.OnBehalf = readChecks, userToken
		}
		switch {
		case name == "SearchPost":
			op.Further = []string{elevatedRead}
		case action == writeDocuments:
			op.Checks, op.Further = batchChecks, []string{deleteDocuments}
		}
		return op
	}
	return []api.Operation{
		row(http.MethodPost, docs+"/index", "Index", writeDocuments, false, s.indexDocuments),
		row(http.MethodGet, docs+"/suggest", "SuggestGet", readDocuments, true, s.suggestGet),
		row(http.MethodPost, docs+"/suggest", "SuggestPost", readDocuments, true, s.suggestPost),
		row(http.MethodGet, docs+"/autocomplete", "AutocompleteGet", readDocuments, true, s.completeGet),
		row(http.MethodPost, docs+"/autocomplete", "AutocompletePost", readDocuments, true, s.completePost),
		row(http.MethodGet, docs+"/$count", "Count", readDocuments, true, s.countDocuments),
		row(http.MethodGet, docs+"/{key}", "Get", readDocuments, true, s.getDocument),
		row(http.MethodGet, docs, "SearchGet", readDocuments, true, s.searchGet),
		row(http.MethodPost, docs+"/search", "SearchPost", readDocuments, true, s.searchPost),
	}
}

// atIndex asks at the index that the path names: roles may be of one index alone.
func atIndex(action string, data bool) func(*api.Call) ([]api.Check, error) {
	return func(call *api.Call) ([]api.Check, error) {
		return []api.Check{{Scope: call.Target.Scope + rbac.Scope("/indexes/"+call.Var("name")), Action: action, Data: data}}, nil
	}
}

// batchChecks asks for what the actions of a batch do: to delete a document is a right
// of its own. Source: azure-docs role-based-access-control/permissions/ai-machine-learning.md,
// Microsoft.Search/searchServices/indexes/documents/delete.
func batchChecks(call *api.Call) ([]api.Check, error) {
	raw, err := io.ReadAll(call.Request.Body)
	call.Request.Body = io.NopCloser(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	var all []api.Check
	deletes := map[bool]bool{} // whether there are such, and others
	// A body without the word, or an escape that may hide it, has no such action.
	if bytes.Contains(bytes.ToLower(raw), []byte("delete")) || bytes.Contains(raw, []byte(`\u`)) {
		// It is read as the handler reads it: twice the same key, or one in another
		// case, must not mean two things. What can't be read, the handler refuses.
		batch, _ := decodeBatch[json.RawMessage](bytes.NewReader(raw))
		for _, fields := range batch {
			var verb any
			json.Unmarshal(fields[actionField], &verb)
			text, _ := verb.(string)
			deletes[strings.EqualFold(text, "delete")] = true
		}
	}
	for _, one := range []struct {
		asked  bool
		action string
	}{{deletes[false] || !deletes[true], writeDocuments}, {deletes[true], deleteDocuments}} {
		if one.asked {
			checks, err := atIndex(one.action, true)(call)
			if err != nil {
				return nil, err
			}
			all = append(all, checks...)
		}
	}
	return all, nil
}

// versionOf is the version of the API that a request is of.
func versionOf(call *api.Call) string { return call.Request.URL.Query().Get("api-version") }

// maxURL is how long a URL may be, in bytes. Azure names no status; 414 is HTTP's.
// Source: azure-docs search/search-limits-quotas-capacity.md, "API request limits".
const maxURL = 8 << 10

// versioned holds a request to name a version of the API that can be, in a URL that
// is not too long.
func (s *Search) versioned(handle handler) handler {
	return func(w http.ResponseWriter, call *api.Call) error {
		if n := len(call.URL("")) + len(call.Request.URL.RequestURI()); n > maxURL {
			return api.Errorf(http.StatusRequestURITooLong, "", "The URL of the request has %d bytes, but at most %d are possible. A longer query is sent by POST.", n, maxURL)
		}
		switch version := versionOf(call); {
		case version == "":
			return api.BadRequest("MissingApiVersionParameter", "api-version", "The api-version query parameter (?api-version=) is required for all requests.")
		case !arm.IsVersion(version):
			return api.BadRequest("InvalidApiVersionParameter", "api-version", "Invalid or unsupported api-version: '%s'.", version)
		}
		return handle(w, call)
	}
}
