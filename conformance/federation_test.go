package conformance

import (
	"os"
	"path/filepath"
	"testing"
)

func TestTheAzureCLIMakesAnIdentityThatAClusterSignsInAs(t *testing.T) {
	t.Parallel()
	s := &secretless{sekisho: start(t)}
	s.openCluster()
	s.token = filepath.Join(s.home, "token")
	s.project(workloadSubject)
	s.login()
	var identity struct{ ClientID, PrincipalID string }
	s.typed("identity create -g rg-sample -n workload").json(&identity)
	type credential struct {
		Name, Issuer, Subject string
		Audiences             []string
	}
	var made credential
	create := "identity federated-credential create -g rg-sample --identity-name workload --subject " + workloadSubject
	s.typed(create + " -n cluster --issuer " + s.cluster).json(&made)
	if made.Name != "cluster" || made.Issuer != s.cluster || made.Subject != workloadSubject || len(made.Audiences) != 1 || made.Audiences[0] != exchangeAudience {
		t.Errorf("created %+v", made)
	}
	s.typed(create + " -n other --issuer " + s.cluster).fails("Issuer and subject combination already exists")
	s.typed("role assignment create --role Reader --assignee-object-id", identity.PrincipalID, "--assignee-principal-type", "ServicePrincipal", "--scope", s.scope()).ok()

	raw, err := os.ReadFile(s.token)
	if err != nil {
		t.Fatal(err)
	}
	sign := func() result {
		return s.az("login", "--service-principal", "-u", identity.ClientID, "--tenant", s.TenantID, "--federated-token", string(raw))
	}
	s.az("logout").ok()
	sign().ok()
	s.typed("group show -n rg-sample").ok()
	s.typed("identity federated-credential delete -y -n cluster -g rg-sample --identity-name workload").fails("AuthorizationFailed", "federatedIdentityCredentials/delete")
	s.az("logout").ok()
	s.login()
	s.typed("identity federated-credential delete -y -n cluster -g rg-sample --identity-name workload").ok()
	var left []credential
	if s.typed("identity federated-credential list -g rg-sample --identity-name workload").json(&left); len(left) != 0 {
		t.Errorf("after the deletion: %+v", left)
	}
	s.az("logout").ok()
	sign().fails("AADSTS70025")
}
