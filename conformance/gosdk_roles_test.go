package conformance

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
)

func TestTheGoSDKMakesReadsListsChangesAndDeletesARoleAndReadsAssignmentsInPages(t *testing.T) {
	t.Parallel()
	s := start(t)
	variable, path := self(t, "go-roles")
	s.run([]string{variable, "SUBSCRIPTION=" + s.SubscriptionID}, "--as-sp", "automation", "--", path).ok()
}

// goRoles is an administrator of roles.
func goRoles() error {
	credential, err := azidentity.NewClientSecretCredential(os.Getenv("AZURE_TENANT_ID"), os.Getenv("AZURE_CLIENT_ID"), os.Getenv("AZURE_CLIENT_SECRET"), nil)
	if err != nil {
		return err
	}
	factory, err := armauthorization.NewClientFactory(os.Getenv("SUBSCRIPTION"), credential, nil)
	if err != nil {
		return err
	}
	ctx := context.Background()
	if err := goDefinitions(ctx, factory); err != nil {
		return fmt.Errorf("role definitions: %w", err)
	}
	return goPages(ctx, factory.NewRoleAssignmentsClient())
}

func goDefinitions(ctx context.Context, factory *armauthorization.ClientFactory) error {
	roles, assignments := factory.NewRoleDefinitionsClient(), factory.NewRoleAssignmentsClient()
	scope := "/subscriptions/" + os.Getenv("SUBSCRIPTION")
	const name = "00000000-0000-0000-0002-000000000001"
	want := armauthorization.RoleDefinition{Properties: &armauthorization.RoleDefinitionProperties{
		RoleName: to.Ptr("Go role"), Description: to.Ptr("made by Go"), RoleType: to.Ptr("CustomRole"), AssignableScopes: []*string{&scope},
		Permissions: []*armauthorization.Permission{{Actions: []*string{to.Ptr("*/read")}, NotActions: []*string{to.Ptr("Microsoft.Compute/*")}}},
	}}
	made, err := roles.CreateOrUpdate(ctx, scope, name, want, nil)
	if err != nil {
		return err
	}
	want.Properties.Description = to.Ptr("changed by Go")
	if _, err := roles.CreateOrUpdate(ctx, scope, name, want, nil); err != nil {
		return err
	}
	got, err := roles.GetByID(ctx, *made.ID, nil)
	if err != nil {
		return err
	}
	if p := got.Properties; *got.Name != name || *p.RoleName != "Go role" || *p.Description != "changed by Go" || *p.RoleType != "CustomRole" ||
		len(p.Permissions) != 1 || *p.Permissions[0].NotActions[0] != "Microsoft.Compute/*" || *p.AssignableScopes[0] != scope {
		return fmt.Errorf("got %+v", *got.Properties)
	}
	var names []string
	for pager := roles.NewListPager(scope, &armauthorization.RoleDefinitionsClientListOptions{Filter: to.Ptr("atScopeAndBelow() and type eq 'CustomRole'")}); pager.More(); {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, role := range page.Value {
			names = append(names, *role.Name)
		}
	}
	if !slices.Equal(names, []string{name}) {
		return fmt.Errorf("listed %v", names)
	}
	const assignment = "00000000-0000-0000-0002-000000000002"
	if _, err := assignments.Create(ctx, scope, assignment, goAssignment(*made.ID, assignment), nil); err != nil {
		return err
	}
	_, err = roles.Delete(ctx, scope, name, nil)
	if err := refusedWith(err, http.StatusBadRequest, "RoleDefinitionHasAssignments"); err != nil {
		return err
	}
	if _, err := assignments.DeleteByID(ctx, scope+"/providers/Microsoft.Authorization/roleAssignments/"+assignment, nil); err != nil {
		return err
	}
	if _, err := roles.Delete(ctx, scope, name, nil); err != nil {
		return err
	}
	_, err = roles.Get(ctx, scope, name, nil)
	return refusedWith(err, http.StatusNotFound, "RoleDefinitionDoesNotExist")
}

// goAssignment gives a role to a principal that is said to be one.
func goAssignment(role, principal string) armauthorization.RoleAssignmentCreateParameters {
	return armauthorization.RoleAssignmentCreateParameters{Properties: &armauthorization.RoleAssignmentProperties{
		RoleDefinitionID: &role, PrincipalID: &principal, PrincipalType: to.Ptr(armauthorization.PrincipalTypeServicePrincipal)}}
}

// goPages makes more assignments than one page of a list holds.
func goPages(ctx context.Context, assignments *armauthorization.RoleAssignmentsClient) error {
	const many = 1005
	scope := "/subscriptions/" + os.Getenv("SUBSCRIPTION") + "/resourceGroups/rg-sample"
	role := "/providers/Microsoft.Authorization/roleDefinitions/" + roleReader
	for i := range many {
		id := fmt.Sprintf("00000000-0000-0000-0003-%012d", i)
		if _, err := assignments.Create(ctx, scope, id, goAssignment(role, id), nil); err != nil {
			return err
		}
	}
	seen, pages := map[string]bool{}, 0
	for pager := assignments.NewListForResourceGroupPager("rg-sample", nil); pager.More(); pages++ {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, a := range page.Value {
			if seen[*a.ID] {
				return fmt.Errorf("%s is listed twice", *a.ID)
			}
			seen[*a.ID] = true
		}
	}
	if pages != 2 || len(seen) <= many { // the subscription's Owner is among them
		return fmt.Errorf("%d assignments in %d pages", len(seen), pages)
	}
	return nil
}
