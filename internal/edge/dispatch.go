package edge

import (
	"encoding/json"
	"errors"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"

	"sekisho/internal/api"
)

// dispatch reads the address of a request that came over TLS and hands it on.
func (s *Server) dispatch(w http.ResponseWriter, r *http.Request) {
	reply := &reply{ResponseWriter: w}
	defer s.recoverPanic(reply, r)
	inner, origin, target, err := s.address(r)
	if err != nil {
		s.fail(reply, r, err)
		return
	}
	s.handler.ServeCall(reply, inner, origin, target)
}

// address finds origin and target of a request, and the request with the path
// that its service knows.
func (s *Server) address(r *http.Request) (*http.Request, api.Origin, api.Target, error) {
	origin := connOf(r).origin
	name, port, err := parseHost(r.Host)
	if err != nil {
		return r, origin, api.Target{}, err
	}
	if err := checkHost(r, name); err != nil {
		return r, origin, api.Target{}, err
	}
	if r.Method == http.MethodConnect {
		return r, origin, api.Target{}, api.Errorf(http.StatusMethodNotAllowed, "MethodNotAllowed",
			"%s is no proxy: send CONNECT to Sekisho's proxy port.", name)
	}
	origin.Base = "https://" + authority(name, port)
	if s.isOwn(name) {
		return s.ownAddress(r, origin)
	}
	target, err := s.target(r, name)
	return r, origin, target, err
}

// checkHost fails unless the host of the request is the one that the connection
// was opened for: by CONNECT, and by the SNI (RFC 9110 §7.4).
func checkHost(r *http.Request, name string) error {
	misdirected := func(opened string) error {
		return api.Errorf(http.StatusMisdirectedRequest, "MisdirectedRequest",
			"The request is for %s, but its connection was opened for %s.", name, opened)
	}
	if sni := strings.ToLower(r.TLS.ServerName); sni != "" && sni != name {
		return misdirected(sni)
	}
	if connect := connOf(r).connect; connect != "" && connect != name {
		return misdirected(connect)
	}
	return nil
}

func (s *Server) target(r *http.Request, name string) (api.Target, error) {
	switch p := classify(name); p.verdict {
	case refused:
		return api.Target{}, s.notServed(r, name, p.zone)
	case other:
		return api.Target{}, api.Errorf(http.StatusNotFound, "HostNotFound",
			"Nothing is served under the name %s. Sekisho serves %s.", name, strings.Join(patterns(), ", "))
	}
	return s.targetOf(r, name)
}

// notServed is the error for a host in a zone of Azure's. 501 is the one server
// error that Azure's clients do not retry.
func (s *Server) notServed(r *http.Request, name, what string) *api.Error {
	s.log.Warn("refused a request to Azure that Sekisho does not serve", "host", r.Host, "remote", r.RemoteAddr)
	if what != name {
		what += " (" + name + ")"
	}
	return api.Errorf(http.StatusNotImplemented, "ServiceNotServed",
		"Sekisho does not serve %s. The request was stopped here and nothing was sent to Azure. "+
			"To reach the real service, take this client off Sekisho's proxy.", what)
}

// fail answers with an error. What is no *api.Error is for the log only.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	var known *api.Error
	if !errors.As(err, &known) {
		s.log.Error("request failed", "host", r.Host, "method", r.Method, "path", r.URL.Path, "error", err)
		known = internalError()
	}
	writeError(w, known)
}

func internalError() *api.Error {
	return api.Errorf(http.StatusInternalServerError, "InternalServerError", "Sekisho failed on this request. Its log says why.")
}

// writeError renders an error in the shape of ARM and Graph, which is what most
// clients of Azure read; x-ms-error-code is where azcore looks first.
func writeError(w http.ResponseWriter, e *api.Error) {
	h := w.Header()
	for key, values := range e.Header {
		h[key] = values
	}
	body := errorBody(e)
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("X-Ms-Error-Code", e.Code)
	w.WriteHeader(e.Status)
	w.Write(body)
}

func errorBody(e *api.Error) []byte {
	type inner struct {
		Code    string `json:"code"`
		Message string `json:"message"`
		Target  string `json:"target,omitempty"`
	}
	body, err := json.Marshal(map[string]inner{"error": {e.Code, e.Message, e.Target}})
	if err != nil {
		panic(err) // three strings always marshal
	}
	return body
}

// recoverPanic logs a panic of a handler. The client gets a 500, or a broken
// connection when it has part of an answer already.
func (s *Server) recoverPanic(w *reply, r *http.Request) {
	cause := recover()
	if cause == nil {
		return
	}
	if cause != http.ErrAbortHandler {
		s.log.Error("panic", "host", r.Host, "method", r.Method, "path", r.URL.Path, "panic", cause, "stack", string(debug.Stack()))
	}
	if cause == http.ErrAbortHandler || w.begun {
		panic(http.ErrAbortHandler)
	}
	clear(w.Header())
	writeError(w, internalError())
}

// reply knows whether the answer has begun.
type reply struct {
	http.ResponseWriter
	begun bool
}

func (w *reply) WriteHeader(status int) {
	w.begun = w.begun || status >= 200
	w.ResponseWriter.WriteHeader(status)
}

func (w *reply) Write(b []byte) (int, error) {
	w.begun = true
	return w.ResponseWriter.Write(b)
}

// Flush is here for handlers that look for an http.Flusher to stream.
func (w *reply) Flush() {
	w.begun = true
	w.ResponseWriter.(http.Flusher).Flush()
}

// Unwrap is for http.ResponseController.
func (w *reply) Unwrap() http.ResponseWriter { return w.ResponseWriter }
