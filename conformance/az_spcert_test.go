package conformance

import "testing"

func TestAServicePrincipalThatTheAzureCLIMakesWithACertificateSignsInWithIt(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.login()
	var made struct {
		AppID, Password string
		File            string `json:"fileWithCertAndPrivateKey"`
	}
	s.az("ad", "sp", "create-for-rbac", "--name", "machine", "--create-cert", "--role", "Reader", "--scopes", s.scope()).json(&made)
	if made.Password != "" || made.File == "" {
		t.Fatalf("create-for-rbac printed %+v", made)
	}
	machine := s.freshAz()
	login := func() result {
		return machine("login", "--service-principal", "-u", made.AppID, "--certificate", made.File, "--tenant", s.TenantID)
	}
	login().ok()
	machine("group", "show", "-n", "rg-sample").ok()
	// Another certificate takes its place.
	var reset struct {
		File string `json:"fileWithCertAndPrivateKey"`
	}
	s.az("ad", "app", "credential", "reset", "--id", made.AppID, "--create-cert").json(&reset)
	machine = s.freshAz()
	login().fails("AADSTS700027")
	made.File = reset.File
	login().ok()
}
