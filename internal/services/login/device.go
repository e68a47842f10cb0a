package login

import (
	"net/http"
	"net/url"
	"strconv"

	"sekisho/internal/api"
	"sekisho/internal/entra"
	"sekisho/internal/services/login/pages"
)

// devicecode begins a sign-in at another machine.
// Source: entra-docs v2-oauth2-device-code.md, "Device authorization response".
func (s *Login) devicecode(version int) func(http.ResponseWriter, *api.Call) error {
	return func(w http.ResponseWriter, call *api.Call) error {
		if h := call.Request.Header; h.Get("Content-Type") == "" {
			h.Set("Content-Type", "application/x-www-form-urlencoded") // azure-identity for Java does not say what its body is
		}
		form, err := formOf(call.Request)
		if err != nil {
			return err
		}
		client, _, err := credentials(call.Request, form)
		call.Caller.App = clientID(client)
		if err != nil {
			return err
		}
		asked, scope, err := askedOf(call, form, version)
		if err != nil {
			return err
		}
		switch {
		case client == "":
			return entra.MissingParameter("client_id")
		case asked.None() && version == 1:
			return entra.MissingParameter("resource")
		case asked.None():
			return entra.MissingParameter("scope")
		}
		authority, err := s.tenant(call)
		if err != nil {
			return err
		}
		code, err := s.directory.BeginDevice(call.Request.Context(), authority, client, asked, scope, version, call.Origin.Remote.Addr())
		if err != nil {
			return err
		}
		page := "https://login.microsoft.com/device"
		if call.Origin.Own != "" {
			page = call.URL(pathDevice)
		}
		life, interval := int(entra.DeviceLife.Seconds()), int(entra.DeviceInterval.Seconds())
		reply := map[string]any{
			"user_code": code.UserCode, "device_code": code.DeviceCode, "verification_uri": page, "expires_in": life, "interval": interval,
			"message": "To sign in, use a web browser to open the page " + page + " and enter the code " + code.UserCode + " to authenticate.",
		}
		if version == 1 {
			delete(reply, "verification_uri")
			reply["verification_url"], reply["expires_in"], reply["interval"] = page, strconv.Itoa(life), strconv.Itoa(interval)
		}
		setHeaders(w, call)
		return writeJSON(w, http.StatusOK, reply)
	}
}

// device is the page that asks for the code which a device shows.
func (s *Login) device(w http.ResponseWriter, call *api.Call) error {
	return s.showCode(w, call, call.Request.URL.Query().Get("otc"))
}

func (s *Login) showCode(w http.ResponseWriter, call *api.Call, code string) error {
	frame, err := s.frame(w, call, flow{}, pathDevice)
	if err != nil {
		return err
	}
	return pages.Write(w, http.StatusOK, pages.DeviceCode{Frame: frame, Code: code})
}

// deviceCode takes the code, and begins the sign-in that it stands for.
func (s *Login) deviceCode(w http.ResponseWriter, call *api.Call) error {
	if _, err := s.open(call); err != nil {
		return err
	}
	code := call.Request.PostForm.Get("otc")
	d, err := s.directory.Device(code, call.Origin.Remote.Addr())
	if err != nil {
		frame, fault := s.frame(w, call, flow{}, pathDevice)
		if fault != nil {
			return fault
		}
		return again(err, pages.DeviceCode{Frame: frame, Code: code, Problem: pages.WrongCode})
	}
	call.Caller.App = d.Client
	f := flow{Authority: d.Authority, Version: d.Version, UserCode: d.UserCode,
		Request: url.Values{"client_id": {d.Client}, "response_type": {"code"}, "prompt": {"select_account"}}}
	if d.Version == 1 {
		f.Request.Set("resource", d.Scope)
	} else {
		f.Request.Set("scope", d.Scope)
	}
	return s.start(w, call, f)
}

// showDevice asks whether the sign-in at the device is the person's own: somebody
// else may have sent them the code.
func (s *Login) showDevice(w http.ResponseWriter, call *api.Call, f flow, a entra.SessionAccount) error {
	frame, err := s.frame(w, call, f, pathConfirm)
	if err != nil {
		return err
	}
	return pages.Write(w, http.StatusOK, pages.DeviceConfirm{Frame: frame, Username: a.Home.Name, Code: f.UserCode})
}

// confirmDevice gives the device its answer.
func (s *Login) confirmDevice(w http.ResponseWriter, call *api.Call) error {
	f, err := s.open(call)
	if err != nil {
		return err
	}
	a, _, err := s.account(call, f.User)
	if err != nil {
		return err
	}
	if a == nil || f.UserCode == "" {
		return s.page(call, entra.SessionLost())
	}
	call.Caller.Name, call.Caller.Object, call.Caller.Tenant = a.Home.Name, a.Home.ID, a.Home.Tenant
	kind := pages.DeviceDone
	if call.Request.PostForm.Get("action") != "continue" {
		a, kind = nil, pages.DeviceDeclined
	}
	if err := s.directory.AnswerDevice(f.UserCode, a); err != nil {
		return s.page(call, err)
	}
	return pages.Write(w, http.StatusOK, pages.Message{Frame: pages.Frame{Lang: language(call, f)}, Kind: kind})
}
