package imds

import (
	"errors"
	"net/http"
	"net/netip"
	"time"

	"sekisho/internal/entra"
)

// cloudShell is the host of a run that is in a user's Cloud Shell. Its endpoint
// gives that user's tokens: there are no managed identities there.
// Sources: azure-docs cloud-shell/msi-authorization.md, "Limitations"; azure-cli
// msal_credentials.py, CloudShellCredential.
const cloudShell Host = "cloud-shell"

const (
	ShellPath = "/oauth2/token"
	// shellAddress is where msal looks, whatever the environment says.
	// Source: msal cloudshell.py.
	shellAddress, shellName = "127.0.0.1:50342", "http://localhost:50342"
)

// BeginShell lets a process be in the Cloud Shell of a user, by object id, until
// end is called.
func (s *Server) BeginShell(user string) (_ Grant, end func()) {
	return s.begin(&run{host: cloudShell, user: user, begun: time.Now()}, Grant{
		Secret: random(),
		// By the last two msal and az know where they are.
		Variables: map[string]string{"MSI_ENDPOINT": shellName + ShellPath, "AZUREPS_HOST_ENVIRONMENT": "cloud-shell/1.0", "ACC_CLOUD": "PROD"},
		Relay:     &Relay{Address: shellAddress},
	})
}

// serveShell takes the form that clients post. As on Azure, what else is in it is
// ignored: it is the user, whoever is asked for.
func (s *Server) serveShell(w http.ResponseWriter, r *http.Request) {
	if problem := forged(r); problem != "" {
		failShell(w, http.StatusBadRequest, "BadRequest", problem)
		return
	}
	under := s.run(r.Header.Get(SecretHeader))
	if under == nil || under.host != cloudShell {
		failShell(w, http.StatusUnauthorized, "Unauthorized", "The request comes from no Cloud Shell that is open.")
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil {
		failShell(w, http.StatusBadRequest, "BadRequest", "The body is no form: "+err.Error())
		return
	}
	resource := r.PostForm.Get("resource")
	if resource == "" {
		failShell(w, http.StatusBadRequest, "BadRequest", "The resource parameter is missing")
		return
	}
	remote, _ := netip.ParseAddrPort(r.RemoteAddr)
	token, err := s.directory.ShellToken(r.Context(), under.user, under.begun, resource, remote.Addr())
	e := entry(r, "CloudShell_Token", resource, err)
	e.Principal, e.App = under.user, entra.CloudShellAppID
	if user, _ := s.directory.Principal(r.Context(), under.user); user != nil {
		e.Tenant, e.PrincipalName = user.Tenant, user.Name
	}
	s.audit.Append(e)
	var refused *entra.Error
	switch {
	case errors.As(err, &refused) && refused.OAuth == "invalid_resource":
		failShell(w, http.StatusBadRequest, "AudienceNotSupported", "Audience "+resource+" is not a supported MSI token audience.")
	case errors.As(err, &refused):
		failShell(w, http.StatusBadRequest, refused.OAuth, refused.Error())
	case err != nil:
		s.log.Error("Cloud Shell's endpoint", "err", err)
		failShell(w, http.StatusInternalServerError, "InternalError", "Sekisho failed to serve this request; its log tells why.")
	default:
		reply := metadata.reply(&token.Token)
		delete(reply, "client_id")
		writeJSON(w, http.StatusOK, reply)
	}
}

// failShell answers in the shape of msal cloudshell.py.
func failShell(w http.ResponseWriter, status int, code, text string) {
	writeJSON(w, status, map[string]any{"error": map[string]string{"code": code, "message": text}})
}
