package conformance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/ai/azopenai"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/cognitiveservices/armcognitiveservices"
)

func TestTheGoSDKBuildsAnAccountRotatesItsKeyAssignsARoleAndChats(t *testing.T) {
	t.Parallel()
	s := start(t)
	variable, path := self(t, "go-sdk")
	s.run([]string{variable, "SUBSCRIPTION=" + s.SubscriptionID, "PRINCIPAL=" + s.Automation.ObjectID},
		"--as-sp", "automation", "--", path).ok()
}

func TestTheGoSDKOnAMachineIsAnsweredWithTheMachinesIdentity(t *testing.T) {
	t.Parallel()
	s := start(t)
	admin := s.arm()
	machine := s.vmIdentity(admin)
	variable, path := self(t, "go-identity")
	identity := func() result { return s.run([]string{variable}, "--vm", "vm-sample", "--", path) }

	identity().fails("PermissionDenied", "The principal `"+machine+"` lacks the required data action")
	s.assign(admin, "00000000-0000-0000-0000-000000000002", s.scope(sampleAccount), roleOpenAIUser, machine)
	if text := identity().line(); !strings.Contains(text, "3776") {
		t.Errorf("the answer is %q", text)
	}
	// Azure answers an unassigned machine with 400; a 404 would be retried for a minute.
	admin.do(t, http.MethodPatch, s.scope("/providers/Microsoft.Compute/virtualMachines/vm-sample?api-version=2024-07-01"), object{"identity": object{"type": "None"}}, nil)
	identity().fails("ManagedIdentityCredential", "Identity not found")
}

// vmIdentity gives the sample machine an identity, and its object id.
func (s *sekisho) vmIdentity(c *caller) string {
	s.t.Helper()
	var vm struct{ Identity struct{ PrincipalID string } }
	c.do(s.t, http.MethodPatch, s.scope("/providers/Microsoft.Compute/virtualMachines/vm-sample?api-version=2024-07-01"), object{"identity": object{"type": "SystemAssigned"}}, &vm)
	if vm.Identity.PrincipalID == "" {
		s.t.Fatal("the machine got no identity")
	}
	return vm.Identity.PrincipalID
}

const goGroup, goAccount = "rg-sample", "aoai-go"

// goSDK is an application that builds what it then uses.
func goSDK() error {
	ctx := context.Background()
	credential, err := azidentity.NewClientSecretCredential(os.Getenv("AZURE_TENANT_ID"), os.Getenv("AZURE_CLIENT_ID"), os.Getenv("AZURE_CLIENT_SECRET"), nil)
	if err != nil {
		return err
	}
	scope, err := goBuild(ctx, credential)
	if err != nil {
		return fmt.Errorf("build: %w", err)
	}
	key, err := goRotate(ctx, credential)
	if err != nil {
		return fmt.Errorf("rotate: %w", err)
	}
	if err := goAssign(ctx, credential, scope); err != nil {
		return fmt.Errorf("assign: %w", err)
	}
	client, err := azopenai.NewClientWithKeyCredential(goEndpoint, azcore.NewKeyCredential(key), nil)
	if err != nil {
		return err
	}
	whole, err := goChat(ctx, client, "chat")
	if err != nil {
		return fmt.Errorf("chat with key: %w", err)
	}
	streamed, err := goStream(ctx, client)
	if err == nil && streamed != whole {
		err = fmt.Errorf("%q, but %q in one piece", streamed, whole)
	}
	if err != nil {
		return fmt.Errorf("stream with key: %w", err)
	}
	_, err = goChat(ctx, client, "missing")
	return refusedWith(err, http.StatusNotFound, "DeploymentNotFound")
}

const goEndpoint = "https://" + goAccount + ".openai.azure.com"

// goBuild makes an account with a deployment and reads them back.
func goBuild(ctx context.Context, credential azcore.TokenCredential) (scope string, err error) {
	factory, err := armcognitiveservices.NewClientFactory(os.Getenv("SUBSCRIPTION"), credential, nil)
	if err != nil {
		return "", err
	}
	accounts, deployments := factory.NewAccountsClient(), factory.NewDeploymentsClient()
	if _, err := accounts.Get(ctx, goGroup, goAccount, nil); refusedWith(err, http.StatusNotFound, "ResourceNotFound") != nil {
		return "", fmt.Errorf("before it is there: %w", err)
	}
	creating, err := accounts.BeginCreate(ctx, goGroup, goAccount, armcognitiveservices.Account{
		Kind: to.Ptr("OpenAI"), Location: to.Ptr("japaneast"), SKU: &armcognitiveservices.SKU{Name: to.Ptr("S0")},
		Properties: &armcognitiveservices.AccountProperties{CustomSubDomainName: to.Ptr(goAccount)},
	}, nil)
	if err != nil {
		return "", err
	}
	created, err := creating.PollUntilDone(ctx, nil)
	if err != nil {
		return "", err
	}
	got, err := accounts.Get(ctx, goGroup, goAccount, nil)
	if err != nil {
		return "", err
	}
	if *got.ID != *created.ID || *got.Properties.Endpoint != goEndpoint+"/" || *got.Properties.ProvisioningState != armcognitiveservices.ProvisioningStateSucceeded {
		return "", fmt.Errorf("created %s, got %s at %s, %s", *created.ID, *got.ID, *got.Properties.Endpoint, *got.Properties.ProvisioningState)
	}
	var names []string
	for pager := accounts.NewListPager(nil); pager.More(); {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return "", err
		}
		for _, a := range page.Value {
			names = append(names, *a.Name)
		}
	}
	if slices.Sort(names); !slices.Equal(names, []string{goAccount, "aoai-sample"}) {
		return "", fmt.Errorf("listed %v", names)
	}
	deploying, err := deployments.BeginCreateOrUpdate(ctx, goGroup, goAccount, "chat", armcognitiveservices.Deployment{
		SKU:        &armcognitiveservices.SKU{Name: to.Ptr("Standard"), Capacity: to.Ptr[int32](2)},
		Properties: &armcognitiveservices.DeploymentProperties{Model: &armcognitiveservices.DeploymentModel{Format: to.Ptr("OpenAI"), Name: to.Ptr("gpt-4o-mini"), Version: to.Ptr("2024-07-18")}},
	}, nil)
	if err != nil {
		return "", err
	}
	deployed, err := deploying.PollUntilDone(ctx, nil)
	if err != nil {
		return "", err
	}
	if *deployed.SKU.Capacity != 2 || *deployed.Properties.ProvisioningState != armcognitiveservices.DeploymentProvisioningStateSucceeded {
		return "", fmt.Errorf("deployed %+v", deployed.Deployment)
	}
	return *got.ID, nil
}

// goRotate regenerates key 1, and gives it; the old one must be refused.
func goRotate(ctx context.Context, credential azcore.TokenCredential) (string, error) {
	accounts, err := armcognitiveservices.NewAccountsClient(os.Getenv("SUBSCRIPTION"), credential, nil)
	if err != nil {
		return "", err
	}
	before, err := accounts.ListKeys(ctx, goGroup, goAccount, nil)
	if err != nil {
		return "", err
	}
	after, err := accounts.RegenerateKey(ctx, goGroup, goAccount, armcognitiveservices.RegenerateKeyParameters{KeyName: to.Ptr(armcognitiveservices.KeyNameKey1)}, nil)
	if err != nil {
		return "", err
	}
	if *after.Key1 == *before.Key1 || *after.Key2 != *before.Key2 {
		return "", errors.New("regenerating key 1 did not change key 1 alone")
	}
	old, err := azopenai.NewClientWithKeyCredential(goEndpoint, azcore.NewKeyCredential(*before.Key1), nil)
	if err != nil {
		return "", err
	}
	_, err = goChat(ctx, old, "chat")
	return *after.Key1, refusedWith(err, http.StatusUnauthorized, "401")
}

// goAssign chats with a token before, while and after it has a role: each time
// the very next call knows.
func goAssign(ctx context.Context, credential azcore.TokenCredential, scope string) error {
	factory, err := armauthorization.NewClientFactory(os.Getenv("SUBSCRIPTION"), credential, nil)
	if err != nil {
		return err
	}
	roles, assignments := factory.NewRoleDefinitionsClient(), factory.NewRoleAssignmentsClient()
	client, err := azopenai.NewClient(goEndpoint, credential, nil)
	if err != nil {
		return err
	}
	_, err = goChat(ctx, client, "chat")
	if err := refusedWith(err, http.StatusUnauthorized, "PermissionDenied"); err != nil {
		return err
	}
	found, err := roles.NewListPager(scope, &armauthorization.RoleDefinitionsClientListOptions{Filter: to.Ptr("roleName eq 'Cognitive Services OpenAI User'")}).NextPage(ctx)
	if err != nil {
		return err
	}
	if len(found.Value) != 1 || *found.Value[0].Name != roleOpenAIUser {
		return fmt.Errorf("%d role definitions of that name", len(found.Value))
	}
	const name = "00000000-0000-0000-0000-000000000003"
	if _, err := assignments.Create(ctx, scope, name, armauthorization.RoleAssignmentCreateParameters{Properties: &armauthorization.RoleAssignmentProperties{
		PrincipalID: to.Ptr(os.Getenv("PRINCIPAL")), RoleDefinitionID: found.Value[0].ID, PrincipalType: to.Ptr(armauthorization.PrincipalTypeServicePrincipal)}}, nil); err != nil {
		return err
	}
	if _, err := goChat(ctx, client, "chat"); err != nil {
		return fmt.Errorf("with the role: %w", err)
	}
	var here []string
	for pager := assignments.NewListForScopePager(scope, &armauthorization.RoleAssignmentsClientListForScopeOptions{Filter: to.Ptr("atScope()")}); pager.More(); {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, a := range page.Value {
			if *a.Properties.Scope == scope {
				here = append(here, *a.Name)
			}
		}
	}
	if !slices.Equal(here, []string{name}) {
		return fmt.Errorf("assignments at the account: %v", here)
	}
	if _, err := assignments.Delete(ctx, scope, name, nil); err != nil {
		return err
	}
	_, err = goChat(ctx, client, "chat")
	return refusedWith(err, http.StatusUnauthorized, "PermissionDenied")
}

func goMessages() []azopenai.ChatRequestMessageClassification {
	return []azopenai.ChatRequestMessageClassification{
		&azopenai.ChatRequestSystemMessage{Content: azopenai.NewChatRequestSystemMessageContent("Answer from the text: Mount Fuji is 3776 m high. Lake Biwa is 104 m deep.")},
		&azopenai.ChatRequestUserMessage{Content: azopenai.NewChatRequestUserMessageContent("How high is Mount Fuji?")},
	}
}

func goChat(ctx context.Context, client *azopenai.Client, deployment string) (string, error) {
	reply, err := client.GetChatCompletions(ctx, azopenai.ChatCompletionsOptions{Messages: goMessages(), DeploymentName: to.Ptr(deployment)}, nil)
	if err != nil {
		return "", err
	}
	if len(reply.Choices) != 1 || reply.Choices[0].Message == nil || reply.Choices[0].Message.Content == nil {
		return "", fmt.Errorf("%d choices, or no message", len(reply.Choices))
	}
	return *reply.Choices[0].Message.Content, nil
}

func goStream(ctx context.Context, client *azopenai.Client) (string, error) {
	reply, err := client.GetChatCompletionsStream(ctx, azopenai.ChatCompletionsStreamOptions{Messages: goMessages(), DeploymentName: to.Ptr("chat")}, nil)
	if err != nil {
		return "", err
	}
	defer reply.ChatCompletionsStream.Close()
	var text strings.Builder
	for {
		event, err := reply.ChatCompletionsStream.Read()
		if errors.Is(err, io.EOF) {
			return text.String(), nil
		}
		if err != nil {
			return "", err
		}
		for _, choice := range event.Choices {
			if choice.Delta != nil && choice.Delta.Content != nil {
				text.WriteString(*choice.Delta.Content)
			}
		}
	}
}

// refusedWith is nil for the SDK's error of that status and code.
func refusedWith(err error, status int, code string) error {
	var response *azcore.ResponseError
	if errors.As(err, &response) && response.StatusCode == status && response.ErrorCode == code {
		return nil
	}
	return fmt.Errorf("want a %d %s, got: %w", status, code, err)
}

// goIdentity is an application on a machine: it has nothing but the machine's
// identity.
func goIdentity() error {
	ctx := context.Background()
	credential, err := azidentity.NewManagedIdentityCredential(nil)
	if err != nil {
		return err
	}
	if _, err := credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{"https://cognitiveservices.azure.com/.default"}}); err != nil {
		return err
	}
	client, err := azopenai.NewClient("https://aoai-sample.openai.azure.com", credential, nil)
	if err != nil {
		return err
	}
	text, err := goChat(ctx, client, "gpt-35-turbo")
	fmt.Println(text)
	return err
}
