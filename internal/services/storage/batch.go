package storage

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"

	"github.com/google/uuid"

	"sekisho/internal/api"
)

// batchOperations ask for the batch itself: each part has a credential of its own,
// and gate decides it. No page has the letters of a signed URL; one without any that
// deletes a blob or sets a tier is of no use to a part either.
// Source: authorize-with-azure-active-directory.md, "Permissions for Blob service
// operations"; blob-batch.md, "Authorization".
func (s *Storage) batchOperations() []api.Operation {
	row := func(pattern, name string, query []string) api.Operation {
		return api.Operation{Method: http.MethodPost, Pattern: pattern, Query: query, Name: name, Action: writeContainer,
			Source: permissionsSource + "; blob-batch.md", Checks: asks(writeContainer, "", false, "dwxy", ""), Handle: s.batch}
	}
	return []api.Operation{
		row("/", "Service_SubmitBatch", []string{"comp=batch"}),
		row("/{container}", "Container_SubmitBatch", []string{"restype=container", "comp=batch"}),
	}
}

// Bounds of a batch. Source: blob-batch.md, "Remarks".
const (
	maxBatchParts = 256
	maxBatchBody  = 4 << 20
)

// part is one request of a batch.
type part struct {
	id      string
	request *http.Request
	base    string // of its URL, as the client wrote it
}

func (s *Storage) batch(w http.ResponseWriter, call *api.Call) error {
	parts, err := readBatch(call)
	if err != nil {
		return err
	}
	var body bytes.Buffer
	out := multipart.NewWriter(&body)
	if err := out.SetBoundary("batchresponse_" + uuid.NewString()); err != nil {
		return err
	}
	for _, p := range parts {
		reply := &recorder{header: http.Header{}}
		call.Visit(reply, p.request, p.base, call.Target)
		header := textproto.MIMEHeader{"Content-Type": {"application/http"}}
		if p.id != "" {
			header["Content-ID"] = []string{p.id}
		}
		one, err := out.CreatePart(header)
		if err != nil {
			return err
		}
		reply.Write(nil)
		fmt.Fprintf(one, "HTTP/1.1 %d %s\r\n", reply.status, http.StatusText(reply.status))
		if reply.body.Len() > 0 {
			reply.header.Set("Content-Length", fmt.Sprint(reply.body.Len()))
		}
		writeHeaders(one, reply.header)
		io.WriteString(one, "\r\n")
		one.Write(reply.body.Bytes())
	}
	out.Close()
	setHeaders(w, call)
	w.Header().Set("Content-Type", "multipart/mixed; boundary="+out.Boundary())
	w.WriteHeader(http.StatusAccepted)
	_, err = w.Write(body.Bytes())
	return err
}

// writeHeaders writes the names of x-ms- headers in small letters, as the service
// does: @azure/storage-blob looks for x-ms-error-code as it is written.
func writeHeaders(w io.Writer, h http.Header) {
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, value := range h[name] {
			if lower := strings.ToLower(name); strings.HasPrefix(lower, "x-ms-") {
				name = lower
			}
			fmt.Fprintf(w, "%s: %s\r\n", name, strings.NewReplacer("\r", " ", "\n", " ").Replace(value))
		}
	}
}

// readBatch reads the parts: all delete, or all set tiers.
func readBatch(call *api.Call) ([]part, error) {
	r := call.Request
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/mixed" || params["boundary"] == "" {
		return nil, invalidHeader("Content-Type", r.Header.Get("Content-Type"))
	}
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxBatchBody+1))
	if err != nil {
		return nil, err
	}
	if len(raw) > maxBatchBody {
		return nil, api.Errorf(http.StatusRequestEntityTooLarge, "RequestBodyTooLarge", "The request body is too large and exceeds the maximum permissible limit. MaxLimit: %d", maxBatchBody)
	}
	in := multipart.NewReader(bytes.NewReader(raw), params["boundary"])
	var all []part
	for {
		one, err := in.NextRawPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, badPart(len(all), err.Error())
		}
		p, err := readPart(call, one, len(all))
		if err != nil {
			return nil, err
		}
		if all = append(all, p); len(all) > maxBatchParts {
			return nil, api.BadRequest("ExceedsMaxBatchRequestCount", "body", "The batch operation exceeds maximum number of allowed subrequests: %d.", maxBatchParts)
		}
		if p.request.Method != all[0].request.Method {
			return nil, badPart(len(all)-1, "all requests of a batch must be for the same operation")
		}
	}
	if len(all) == 0 {
		return nil, badPart(0, "the batch is empty")
	}
	return all, nil
}

func badPart(i int, reason string) error {
	return api.BadRequest("InvalidInput", fmt.Sprintf("part[%d]", i), "One of the request inputs is not valid: %s.", reason)
}

// readPart reads a request of a batch, as it would come alone.
func readPart(call *api.Call, in *multipart.Part, i int) (p part, err error) {
	if kind, _, _ := mime.ParseMediaType(in.Header.Get("Content-Type")); kind != "application/http" {
		return p, badPart(i, "its Content-Type is not application/http")
	}
	p.id = in.Header.Get("Content-ID")
	line, headers, err := readRequest(in)
	if err != nil {
		return p, badPart(i, err.Error())
	}
	method, rest, _ := strings.Cut(line, " ")
	target, _, _ := strings.Cut(rest, " ")
	p.base, target = baseOfPart(call, target)
	u, err := url.ParseRequestURI("/" + strings.TrimPrefix(target, "/"))
	if err != nil {
		return p, badPart(i, "its URL is invalid")
	}
	query := u.Query()
	switch comp := query.Get("comp"); {
	case method == http.MethodDelete && comp == "", method == http.MethodPut && comp == "tier":
	default:
		return p, badPart(i, "a batch may delete blobs or set their tiers")
	}
	container, _, inside := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	if only := call.Var("container"); !inside || query.Has("restype") || only != "" && container != only {
		return p, badPart(i, "it is not for a blob that the batch reaches")
	}
	p.request = call.Request.Clone(call.Request.Context())
	p.request.Method, p.request.URL, p.request.RequestURI = method, u, u.RequestURI()
	headers.Del("Content-Length") // it is 0, which signatures since 2015 leave out
	p.request.Header, p.request.Body, p.request.ContentLength = http.Header(headers), http.NoBody, 0
	// A shared key signs all headers of the service: none may come to them.
	if p.request.Header.Get("x-ms-version") == "" && !strings.HasPrefix(p.request.Header.Get("Authorization"), sharedKeyScheme) {
		p.request.Header.Set("x-ms-version", call.Request.Header.Get("x-ms-version"))
	}
	return p, nil
}

// baseOfPart takes what leads to the account from a part's path. Below Sekisho's
// own name that is what the batch's own path begins with, or the account's name
// alone: azure-storage-blob for Python takes localhost to be an emulator, whose
// paths begin so.
func baseOfPart(call *api.Call, target string) (base, rest string) {
	base = call.Origin.Base
	own, err := url.Parse(base)
	if err != nil || own.Path == "" {
		return base, target
	}
	if rest, ok := strings.CutPrefix(target, "/"+accountName(call)+"/"); ok {
		return strings.TrimSuffix(base, own.EscapedPath()) + "/" + accountName(call), "/" + rest
	}
	return base, strings.TrimPrefix(target, own.EscapedPath())
}

// readRequest reads the first line and the headers of a request without a body.
func readRequest(in io.Reader) (line string, headers textproto.MIMEHeader, err error) {
	r := textproto.NewReader(bufio.NewReader(io.MultiReader(in, strings.NewReader("\r\n\r\n"))))
	if line, err = r.ReadLine(); err != nil {
		return "", nil, err
	}
	headers, err = r.ReadMIMEHeader()
	return line, headers, err
}
