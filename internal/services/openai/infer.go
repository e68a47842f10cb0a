package openai

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/model"
)

// chatChecks asks for the extensions' action when the request brings data
// sources (On Your Data).
func chatChecks(call *api.Call) ([]api.Check, error) {
	action := call.Operation.Action
	body, err := arm.PeekBody(call)
	if err != nil {
		return nil, err
	}
	if bringsData(body) {
		action = actions + "deployments/extensions/chat/completions/action"
	}
	return []api.Check{{Scope: call.Target.Scope, Action: action, Data: true}}, nil
}

func bringsData(body []byte) bool {
	// This spares parsing most bodies twice; a name may be written in escapes.
	if !bytes.Contains(body, []byte(`"data`)) && !bytes.Contains(body, []byte(`\u`)) {
		return false
	}
	var in map[string]json.RawMessage
	if json.Unmarshal(body, &in) != nil {
		return false // the handler tells what is wrong
	}
	_, snake := in["data_sources"]
	_, camel := in["dataSources"]
	return snake || camel
}

// dated are the operations whose api-version is a date; without one Azure
// finds no such resource.
func dated(handle func(http.ResponseWriter, *api.Call) error) func(http.ResponseWriter, *api.Call) error {
	return func(w http.ResponseWriter, call *api.Call) error {
		if err := checkVersion(call); err != nil {
			return err
		}
		return handle(w, call)
	}
}

func checkVersion(call *api.Call) error {
	if !arm.IsVersion(call.Request.URL.Query().Get("api-version")) {
		return notFound()
	}
	return nil
}

func notFound() *api.Error {
	return api.Errorf(http.StatusNotFound, "404", "Resource not found")
}

func (s *OpenAI) inferDated(w http.ResponseWriter, call *api.Call, op model.Operation) error {
	if err := checkVersion(call); err != nil {
		return err
	}
	body, err := readObject(call)
	if err != nil {
		return err
	}
	return s.infer(w, call, op, call.Var("deployment-id"), body)
}

// inferV1 finds the deployment in the body's model, as the v1 surface does.
func (s *OpenAI) inferV1(w http.ResponseWriter, call *api.Call, op model.Operation) error {
	body, err := readObject(call)
	if err != nil {
		return err
	}
	var in struct {
		Model string `json:"model"`
	}
	if err := json.Unmarshal(body, &in); err != nil || in.Model == "" {
		return api.BadRequest("", "", "you must provide a model parameter")
	}
	return s.infer(w, call, op, in.Model, body)
}

// readObject reads a JSON object.
func readObject(call *api.Call) ([]byte, error) {
	body, err := io.ReadAll(call.Request.Body)
	if err != nil {
		return nil, err
	}
	if model.IsObject(body) {
		return body, nil
	}
	var syntax *json.SyntaxError
	var whole json.RawMessage
	if err := json.Unmarshal(body, &whole); errors.As(err, &syntax) {
		return nil, api.BadRequest("BadRequest", "", "We could not parse the JSON body of your request: %v at position %d.", err, syntax.Offset)
	}
	return nil, api.BadRequest("BadRequest", "", "The body of your request must be a JSON object.")
}

// infer answers for a deployment, and tells the meter how it ended.
func (s *OpenAI) infer(w http.ResponseWriter, call *api.Call, op model.Operation, name string, body []byte) (err error) {
	res, ok, err := s.reader.Get(call.Request.Context(), string(call.Target.Scope)+"/deployments/"+name)
	if err != nil {
		return err
	}
	if !ok {
		return deploymentNotFound()
	}
	d, err := s.decoded(res)
	if err != nil {
		return err
	}
	duties := s.duties.Load()
	out := &recorder{ResponseWriter: w}
	begun := duties.Now()
	defer func() { duties.served(call, res, d.Model.Name, begun, out, err) }()
	if m, ok := s.catalog.find(d.Model.Name, d.Model.Version); !ok || !m.can(op) {
		return api.BadRequest("OperationNotSupported", "", "The %s operation does not work with the specified model, %s. Please choose different model and try again. You can learn more about which models can be used with each operation here: https://go.microsoft.com/fwlink/?linkid=2197993.", operationWord(op), d.Model.Name)
	}
	if bringsData(body) {
		return api.BadRequest("BadRequest", "", "On Your Data (data_sources) is not supported by this Sekisho yet.")
	}
	return s.answer(out, call, duties, res, model.Request{Operation: op, Model: d.Model.Name, Body: body, Header: call.Request.Header})
}

// decoded reads a deployment's properties, once for each version of it.
func (s *OpenAI) decoded(res *arm.Resource) (deployment, error) {
	if d, ok := s.known.Get(res.Etag); ok {
		return d, nil
	}
	d, err := arm.DecodeProperties[deployment](res)
	if err == nil {
		s.known.Add(res.Etag, d)
	}
	return d, err
}

// answer holds the call to the deployment's capacity and to the content
// filter, asks the model, and passes its reply on.
func (s *OpenAI) answer(w *recorder, call *api.Call, duties *Duties, res *arm.Resource, req model.Request) error {
	ctx := call.Request.Context()
	var in request
	if duties.EnforceLimits || duties.Filter != nil {
		in = readRequest(req.Operation, req.Body)
	}
	if duties.EnforceLimits {
		estimated := in.estimate()
		headers, over := s.limits.admit(duties.Now(), res, req.Model, estimated)
		maps.Copy(w.Header(), headers)
		if over != nil {
			return s.refuse(call, duties, res, over)
		}
		defer func() {
			actual := cost{} // what failed took nothing
			if w.usage != nil {
				actual = cost{w.usage.PromptTokens, w.usage.CompletionTokens}
			} else if w.status != 0 {
				actual = estimated // the reply did not tell
			}
			s.limits.settle(duties.Now(), res, req.Model, estimated, actual)
		}()
	}
	prompts, err := duties.Filter.prompts(ctx, req.Operation, in)
	if err != nil {
		return err
	}
	reply, err := s.models.For(req.Model).Do(ctx, req)
	if err != nil {
		return modelError(err)
	}
	defer reply.Body.Close()
	w.usage = reply.Usage
	setHeaders(w, call)
	w.Header().Set("Content-Type", reply.ContentType)
	w.Header().Set("X-Ms-Deployment-Name", res.Name)
	filter := duties.Filter
	if prompts == nil {
		filter = nil
	}
	if reply.ContentType == model.EventStream {
		return stream(ctx, w, reply.Body, filter, prompts)
	}
	return whole(ctx, w, reply.Body, filter, prompts)
}

// refuse is the answer to a call that the capacity does not admit. It names the
// kind of the account, as Azure's does.
func (s *OpenAI) refuse(call *api.Call, duties *Duties, res *arm.Resource, over *overLimit) error {
	if duties.Meter != nil {
		duties.Meter.Limited(accountName(call), res.Name, over.reason)
	}
	account, ok, err := s.reader.Get(call.Request.Context(), string(call.Target.Scope))
	if err != nil {
		return err
	}
	if !ok {
		return deploymentNotFound()
	}
	return tooMany(call, account.Kind, over)
}

func operationWord(op model.Operation) string {
	return map[model.Operation]string{model.Chat: "chatCompletion", model.Completions: "completion", model.Embeddings: "embeddings"}[op]
}

// modelError maps a model's failure to Azure OpenAI's answer.
func modelError(err error) error {
	var input *model.InputError
	if errors.As(err, &input) {
		return &api.Error{Status: http.StatusBadRequest, Code: input.Code, Message: input.Message, Target: input.Param}
	}
	var up *model.UpstreamError
	if !errors.As(err, &up) {
		return err
	}
	switch up.Kind {
	case model.Timeout:
		return api.Errorf(http.StatusRequestTimeout, "Timeout", "The operation was timeout.")
	case model.Garbage:
		return api.Errorf(http.StatusBadGateway, "BadGateway", "The model server behind this deployment gave an answer that is not of this operation.")
	case model.Status:
		return upstreamStatus(up)
	}
	return unavailable(up, "The model server behind this deployment is not reachable.")
}

// upstreamStatus passes on what the client can mend. That the upstream refuses
// Sekisho's own credentials is not the client's affair.
func upstreamStatus(up *model.UpstreamError) error {
	switch up.Status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		code, text := "", "The model server refused the request."
		var body struct {
			Error struct {
				Message string `json:"message"`
				Code    any    `json:"code"`
				Param   string `json:"param"`
			} `json:"error"`
		}
		if json.Unmarshal(up.Body, &body) == nil && body.Error.Message != "" {
			text = body.Error.Message
		}
		if s, ok := body.Error.Code.(string); ok {
			code = s
		}
		return &api.Error{Status: up.Status, Code: code, Message: text, Target: body.Error.Param}
	case http.StatusTooManyRequests:
		e := api.Errorf(up.Status, "429", "The model server behind this deployment takes no more requests for now. Please retry later.")
		if up.RetryAfter > 0 {
			e.Header = retryHeaders(up.RetryAfter)
		}
		return e
	}
	return unavailable(up, fmt.Sprintf("The model server behind this deployment answered with status %d.", up.Status))
}

// unavailable tells when to come back, where that is known.
func unavailable(up *model.UpstreamError, text string) error {
	e := api.Errorf(http.StatusServiceUnavailable, "ServiceUnavailable", "%s", text)
	if up.RetryAfter > 0 {
		e.Header = retryHeaders(up.RetryAfter)
	}
	return e
}

// setHeaders sets what every reply of the data plane has. The names are in
// net/http's spelling, which is how they go out, whatever is written here.
func setHeaders(w http.ResponseWriter, call *api.Call) {
	h := w.Header()
	id := []string{call.ID}
	h["Apim-Request-Id"], h["X-Request-Id"] = id, id
	if call.Target.Location != "" {
		h.Set("X-Ms-Region", regionName(call.Target.Location))
	}
	if id := call.Request.Header["X-Ms-Client-Request-Id"]; len(id) > 0 {
		h["X-Ms-Client-Request-Id"] = id[:1]
	}
	h["X-Content-Type-Options"] = noSniff
	h["Strict-Transport-Security"] = httpsOnly
}

var (
	noSniff   = []string{"nosniff"}
	httpsOnly = []string{"max-age=31536000; includeSubDomains; preload"}
)

// regionName is a region as x-ms-region shows it: "East US".
func regionName(location string) string {
	for _, l := range arm.Locations {
		if strings.EqualFold(l.Name, location) {
			return l.DisplayName
		}
	}
	return location
}
