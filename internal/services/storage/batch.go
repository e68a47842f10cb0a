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

// batchOperations ask nothing for themselves beyond a credential: each part has its
// own, and gate decides it. Source: blob-batch.md, "Authorization".
func (s *Storage) batchOperations() []api.Operation {
	return []api.Operation{
		{Method: http.MethodPost, Pattern: "/", Query: []string{"comp=batch"}, Name: "Service_SubmitBatch", Source: source + "blob-batch.md", Handle: s.batch},
		{Method: http.MethodPost, Pattern: "/{container}", Query: []string{"restype=container", "comp=batch"}, Name: "Container_SubmitBatch", Source: source + "blob-batch.md", Handle: s.batch},
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
	base    string // of its URL, which its signature covers
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
		for _, name := range slices.Sorted(maps.Keys(reply.header)) {
			shown := name
			if strings.HasPrefix(name, "X-Ms-") { // clients look for these as Storage writes them
				shown = strings.ToLower(name)
			}
			fmt.Fprintf(one, "%s: %s\r\n", shown, strings.Join(reply.header[name], ", "))
		}
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

// readPart reads a request of a batch, as it would come alone. Below Sekisho's own
// name its path begins as the batch's own does, or with the account alone, as
// azure-storage-blob for Python writes it.
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
	p.base = call.Origin.Base
	if own := call.Origin.Own; own != "" {
		short := "/" + accountName(call)
		rest, ok := strings.CutPrefix(target, strings.TrimPrefix(p.base, own)+"/")
		if !ok {
			p.base = own + short
			if rest, ok = strings.CutPrefix(target, short+"/"); !ok {
				return p, badPart(i, "it is not for the account of the batch")
			}
		}
		target = rest
	}
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

// readRequest reads the first line and the headers of a request without a body.
func readRequest(in io.Reader) (line string, headers textproto.MIMEHeader, err error) {
	r := textproto.NewReader(bufio.NewReader(io.MultiReader(in, strings.NewReader("\r\n\r\n"))))
	if line, err = r.ReadLine(); err != nil {
		return "", nil, err
	}
	headers, err = r.ReadMIMEHeader()
	return line, headers, err
}
