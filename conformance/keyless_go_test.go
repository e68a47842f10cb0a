package conformance

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/ai/azopenai"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/cognitiveservices/armcognitiveservices"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources"
	"github.com/google/uuid"
)

const keylessGroup = "rg-keyless"

// goStory is an application that tells the keyless story with the Go SDK. As the
// programs in keyless/ it prints each step that it has taken.
type goStory struct {
	account, subscription string
	credential            azcore.TokenCredential
	options               *arm.ClientOptions
}

func goKeyless() error {
	ctx := context.Background()
	s := goStory{account: os.Getenv("ACCOUNT"), subscription: os.Getenv("SUBSCRIPTION"), options: &arm.ClientOptions{}}
	own := os.Getenv("DOOR_URL")
	if own != "" {
		s.options.Cloud = cloud.Configuration{ActiveDirectoryAuthorityHost: own, Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
			cloud.ResourceManager: {Endpoint: own, Audience: "https://management.azure.com"}}}
	}
	tenant := os.Getenv("AZURE_TENANT_ID")
	credential, err := azidentity.NewClientSecretCredential(tenant, os.Getenv("AZURE_CLIENT_ID"), os.Getenv("AZURE_CLIENT_SECRET"),
		&azidentity.ClientSecretCredentialOptions{ClientOptions: s.options.ClientOptions, DisableInstanceDiscovery: own != "" && tenant != "adfs"})
	if err != nil {
		return err
	}
	s.credential = credential
	return s.tell(ctx)
}

func (s goStory) tell(ctx context.Context) error {
	account, err := s.build(ctx)
	if err != nil {
		return fmt.Errorf("build: %w", err)
	}
	fmt.Println("built")
	endpoint := *account.Properties.Endpoint
	key, err := s.rotate(ctx, endpoint)
	if err != nil {
		return fmt.Errorf("key: %w", err)
	}
	token := func(retries int32) (*azopenai.Client, error) {
		return azopenai.NewClient(endpoint, s.credential, &azopenai.ClientOptions{ClientOptions: policy.ClientOptions{Retry: policy.RetryOptions{MaxRetries: retries}}})
	}
	const never = -1
	once, err := token(never)
	if err != nil {
		return err
	}
	_, err = goChat(ctx, once, "chat")
	if err := refusedWith(err, http.StatusUnauthorized, "PermissionDenied"); err != nil {
		return fmt.Errorf("token without a role: %w", err)
	}
	fmt.Println("token denied")
	if err := s.assign(ctx, *account.ID); err != nil {
		return fmt.Errorf("assign: %w", err)
	}
	if err := goKnows(ctx, once, "chat"); err != nil {
		return fmt.Errorf("token with the role: %w", err)
	}
	fmt.Println("token answered")
	if err := s.disableKeys(ctx, endpoint, key); err != nil {
		return fmt.Errorf("disable keys: %w", err)
	}
	fmt.Println("keys disabled")
	if err := goKnows(ctx, once, "chat"); err != nil {
		return fmt.Errorf("keyless: %w", err)
	}
	fmt.Println("keyless")
	patient, err := token(0) // the SDK's own default
	if err != nil {
		return err
	}
	if err := goKnows(ctx, patient, "busy"); err != nil {
		return fmt.Errorf("429: %w", err)
	}
	fmt.Println("429 obeyed")
	return nil
}

func (s goStory) build(ctx context.Context) (account armcognitiveservices.Account, err error) {
	groups, err := armresources.NewResourceGroupsClient(s.subscription, s.credential, s.options)
	if err != nil {
		return account, err
	}
	if _, err := groups.CreateOrUpdate(ctx, keylessGroup, armresources.ResourceGroup{Location: to.Ptr("japaneast")}, nil); err != nil {
		return account, err
	}
	factory, err := armcognitiveservices.NewClientFactory(s.subscription, s.credential, s.options)
	if err != nil {
		return account, err
	}
	creating, err := factory.NewAccountsClient().BeginCreate(ctx, keylessGroup, s.account, armcognitiveservices.Account{
		Kind: to.Ptr("OpenAI"), Location: to.Ptr("japaneast"), SKU: &armcognitiveservices.SKU{Name: to.Ptr("S0")},
		Properties: &armcognitiveservices.AccountProperties{CustomSubDomainName: to.Ptr(s.account)},
	}, nil)
	if err != nil {
		return account, err
	}
	created, err := creating.PollUntilDone(ctx, nil)
	if err != nil {
		return account, err
	}
	deployments := factory.NewDeploymentsClient()
	for name, model := range map[string]armcognitiveservices.DeploymentModel{
		"chat": {Format: to.Ptr("OpenAI"), Name: to.Ptr("gpt-4o-mini"), Version: to.Ptr("2024-07-18")},
		"busy": {Format: to.Ptr("OpenAI"), Name: to.Ptr("gpt-4o"), Version: to.Ptr("2024-11-20")},
	} {
		deploying, err := deployments.BeginCreateOrUpdate(ctx, keylessGroup, s.account, name, armcognitiveservices.Deployment{
			SKU:        &armcognitiveservices.SKU{Name: to.Ptr("Standard"), Capacity: to.Ptr[int32](10)},
			Properties: &armcognitiveservices.DeploymentProperties{Model: &model},
		}, nil)
		if err != nil {
			return account, err
		}
		if _, err := deploying.PollUntilDone(ctx, nil); err != nil {
			return account, err
		}
	}
	var names []string
	for pager := deployments.NewListPager(keylessGroup, s.account, nil); pager.More(); {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return account, err
		}
		for _, d := range page.Value {
			names = append(names, *d.Name)
		}
	}
	if slices.Sort(names); !slices.Equal(names, []string{"busy", "chat"}) {
		return account, fmt.Errorf("deployments: %v", names)
	}
	return created.Account, nil
}

// rotate chats with a key, regenerates it, and gives the new one.
func (s goStory) rotate(ctx context.Context, endpoint string) (key string, err error) {
	accounts, err := armcognitiveservices.NewAccountsClient(s.subscription, s.credential, s.options)
	if err != nil {
		return "", err
	}
	before, err := accounts.ListKeys(ctx, keylessGroup, s.account, nil)
	if err != nil {
		return "", err
	}
	old, err := azopenai.NewClientWithKeyCredential(endpoint, azcore.NewKeyCredential(*before.Key1), nil)
	if err != nil {
		return "", err
	}
	if err := goKnows(ctx, old, "chat"); err != nil {
		return "", err
	}
	fmt.Println("key answered")
	after, err := accounts.RegenerateKey(ctx, keylessGroup, s.account, armcognitiveservices.RegenerateKeyParameters{KeyName: to.Ptr(armcognitiveservices.KeyNameKey1)}, nil)
	if err != nil {
		return "", err
	}
	if *after.Key1 == *before.Key1 || *after.Key2 != *before.Key2 {
		return "", errors.New("regenerating key 1 did not change key 1 alone")
	}
	_, err = goChat(ctx, old, "chat")
	if err := refusedWith(err, http.StatusUnauthorized, "401"); err != nil {
		return "", fmt.Errorf("the old key: %w", err)
	}
	renewed, err := azopenai.NewClientWithKeyCredential(endpoint, azcore.NewKeyCredential(*after.Key1), nil)
	if err != nil {
		return "", err
	}
	if err := goKnows(ctx, renewed, "chat"); err != nil {
		return "", err
	}
	fmt.Println("key rotated")
	return *after.Key1, nil
}

func (s goStory) assign(ctx context.Context, scope string) error {
	factory, err := armauthorization.NewClientFactory(s.subscription, s.credential, s.options)
	if err != nil {
		return err
	}
	found, err := factory.NewRoleDefinitionsClient().NewListPager(scope, &armauthorization.RoleDefinitionsClientListOptions{
		Filter: to.Ptr("roleName eq 'Cognitive Services OpenAI User'")}).NextPage(ctx)
	if err != nil {
		return err
	}
	if len(found.Value) != 1 {
		return fmt.Errorf("%d role definitions of that name", len(found.Value))
	}
	_, err = factory.NewRoleAssignmentsClient().Create(ctx, scope, uuid.NewString(), armauthorization.RoleAssignmentCreateParameters{
		Properties: &armauthorization.RoleAssignmentProperties{PrincipalID: to.Ptr(os.Getenv("PRINCIPAL")),
			RoleDefinitionID: found.Value[0].ID, PrincipalType: to.Ptr(armauthorization.PrincipalTypeServicePrincipal)}}, nil)
	return err
}

// disableKeys switches keys off: the good one is refused, and none is listed.
func (s goStory) disableKeys(ctx context.Context, endpoint, key string) error {
	accounts, err := armcognitiveservices.NewAccountsClient(s.subscription, s.credential, s.options)
	if err != nil {
		return err
	}
	updating, err := accounts.BeginUpdate(ctx, keylessGroup, s.account, armcognitiveservices.Account{
		Properties: &armcognitiveservices.AccountProperties{DisableLocalAuth: to.Ptr(true)}}, nil)
	if err != nil {
		return err
	}
	if _, err := updating.PollUntilDone(ctx, nil); err != nil {
		return err
	}
	client, err := azopenai.NewClientWithKeyCredential(endpoint, azcore.NewKeyCredential(key), nil)
	if err != nil {
		return err
	}
	_, err = goChat(ctx, client, "chat")
	if err := refusedWith(err, http.StatusForbidden, "AuthenticationTypeDisabled"); err != nil {
		return fmt.Errorf("the key: %w", err)
	}
	_, err = accounts.ListKeys(ctx, keylessGroup, s.account, nil)
	return refusedWith(err, http.StatusBadRequest, "BadRequest")
}

// goKnows chats, and demands the answer.
func goKnows(ctx context.Context, client *azopenai.Client, deployment string) error {
	text, err := goChat(ctx, client, deployment)
	if err == nil && !strings.Contains(text, "3776") {
		err = fmt.Errorf("the answer is %q", text)
	}
	return err
}
