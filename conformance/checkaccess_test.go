package conformance

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	checkaccess "github.com/Azure/checkaccess-v2-go-sdk/client"
)

func TestTheCheckAccessSDKOfAROIsToldWhatAPrincipalMayDo(t *testing.T) {
	t.Parallel()
	s := start(t)
	admin := s.arm()
	machine := s.vmIdentity(admin)
	s.assign(admin, "00000000-0000-0000-0000-000000000051", s.scope(), "acdd72a7-3385-48ef-bd42-f606fba81ae7", machine)
	variable, path := self(t, "check-access")
	s.run([]string{variable, "MACHINE=" + machine, "RESOURCE=" + s.scope(sampleAccount)}, "--as-sp", "automation", "--", path).ok()
}

// checkAccess is a service that asks the policy decision point of a region.
func checkAccess() error {
	ctx := context.Background()
	credential, err := azidentity.NewClientSecretCredential(os.Getenv("AZURE_TENANT_ID"), os.Getenv("AZURE_CLIENT_ID"), os.Getenv("AZURE_CLIENT_SECRET"), nil)
	if err != nil {
		return err
	}
	client, err := checkaccess.NewRemotePDPClient("https://westus.authorization.azure.net/providers/Microsoft.Authorization/checkAccess?api-version=2021-06-01-preview",
		"https://authorization.azure.net/.default", credential, nil)
	if err != nil {
		return err
	}
	const read, write = "Microsoft.CognitiveServices/accounts/read", "Microsoft.CognitiveServices/accounts/write"
	ask := func(r checkaccess.AuthorizationRequest, want map[string]checkaccess.AccessDecision) error {
		got, err := client.CheckAccess(ctx, r)
		if err != nil {
			return err
		}
		if len(got.Value) != len(want) {
			return fmt.Errorf("%d answers: %+v", len(got.Value), got)
		}
		for _, d := range got.Value {
			if d.AccessDecision != want[d.ActionId] || (d.AccessDecision == checkaccess.Allowed) != (d.RoleAssignment.Id != "") || d.TimeToLiveInMs <= 0 {
				return fmt.Errorf("%+v, want %v", d, want[d.ActionId])
			}
		}
		return nil
	}
	r := checkaccess.AuthorizationRequest{
		Subject: checkaccess.SubjectInfo{Attributes: checkaccess.SubjectAttributes{ObjectId: os.Getenv("MACHINE"), ClaimName: checkaccess.GroupExpansion}},
		Actions: []checkaccess.ActionInfo{{Id: read}, {Id: write}}, Resource: checkaccess.ResourceInfo{Id: os.Getenv("RESOURCE")},
	}
	if err := ask(r, map[string]checkaccess.AccessDecision{read: checkaccess.Allowed, write: checkaccess.NotAllowed}); err != nil {
		return fmt.Errorf("the machine: %w", err)
	}
	r.Actions[0].IsDataAction, r.Actions = true, r.Actions[:1]
	if err := ask(r, map[string]checkaccess.AccessDecision{read: checkaccess.NotAllowed}); err != nil {
		return fmt.Errorf("the other plane: %w", err)
	}
	token, err := credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{"https://management.azure.com/.default"}})
	if err != nil {
		return err
	}
	own, err := client.CreateAuthorizationRequest(os.Getenv("RESOURCE"), []string{read, write}, token.Token)
	if err != nil {
		return err
	}
	if err := ask(*own, map[string]checkaccess.AccessDecision{read: checkaccess.Allowed, write: checkaccess.Allowed}); err != nil {
		return fmt.Errorf("who asks: %w", err)
	}
	r.Resource.Id = "/subscriptions/00000000-0000-0000-0000-000000000000"
	_, err = client.CheckAccess(ctx, r)
	return refusedWith(err, 403, "403")
}
