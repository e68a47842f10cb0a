package conformance

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/ai/azopenai"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources"
)

// goChatter is an application whose user signs in with azidentity and chats. As the
// programs in signin/ it prints each step that it has taken.
func goChatter() error {
	ctx := context.Background()
	credential, err := azidentity.NewInteractiveBrowserCredential(nil)
	if err != nil {
		return err
	}
	record, err := credential.Authenticate(ctx, &policy.TokenRequestOptions{Scopes: []string{"https://management.azure.com/.default"}})
	if err != nil || record.Username != os.Getenv("USERNAME") || record.TenantID != os.Getenv("AZURE_TENANT_ID") {
		return fmt.Errorf("signed in %+v: %w", record, err)
	}
	fmt.Println("signed in")
	names, err := groupNames(ctx, credential)
	if err != nil {
		return err
	}
	fmt.Println("groups:", strings.Join(names, " "))
	var refused *azcore.ResponseError
	if err := chatAs(ctx, credential); !errors.As(err, &refused) {
		return fmt.Errorf("not refused: %w", err)
	}
	fmt.Println("denied", refused.StatusCode, refused.ErrorCode)
	if err := say("assign"); err != nil {
		return err
	}
	if err := chatAs(ctx, credential); err != nil {
		return err
	}
	fmt.Println("answered")

	byCode, err := azidentity.NewDeviceCodeCredential(&azidentity.DeviceCodeCredentialOptions{
		UserPrompt: func(_ context.Context, m azidentity.DeviceCodeMessage) error { return say("code " + m.UserCode) }})
	if err == nil {
		err = chatAs(ctx, byCode)
	}
	if err != nil {
		return err
	}
	fmt.Println("by code")
	byAz, err := azidentity.NewAzureCLICredential(nil)
	if err == nil {
		err = chatAs(ctx, byAz)
	}
	if err != nil {
		return err
	}
	fmt.Println("by az")

	// The next call is challenged, and signs the user in again.
	if err := say("revoke"); err != nil {
		return err
	}
	if names, err = groupNames(ctx, credential); err != nil || !slices.Equal(names, []string{"rg-sample"}) {
		return fmt.Errorf("the groups are %q: %w", names, err)
	}
	fmt.Println("revoked challenged")
	return nil
}

func groupNames(ctx context.Context, credential azcore.TokenCredential) (names []string, err error) {
	client, err := armresources.NewResourceGroupsClient(os.Getenv("SUBSCRIPTION"), credential, nil)
	if err != nil {
		return nil, err
	}
	for pager := client.NewListPager(nil); pager.More(); {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, group := range page.Value {
			names = append(names, *group.Name)
		}
	}
	return names, nil
}

func chatAs(ctx context.Context, credential azcore.TokenCredential) error {
	client, err := azopenai.NewClient("https://aoai-sample.openai.azure.com", credential, nil)
	if err != nil {
		return err
	}
	reply, err := client.GetChatCompletions(ctx, azopenai.ChatCompletionsOptions{DeploymentName: to.Ptr("gpt-35-turbo"), Messages: []azopenai.ChatRequestMessageClassification{
		&azopenai.ChatRequestSystemMessage{Content: azopenai.NewChatRequestSystemMessageContent("Answer from the text: Mount Fuji is 3776 m high. Lake Biwa is 104 m deep.")},
		&azopenai.ChatRequestUserMessage{Content: azopenai.NewChatRequestUserMessageContent("How high is Mount Fuji?")}}}, nil)
	if err != nil {
		return err
	}
	if text := *reply.Choices[0].Message.Content; !strings.Contains(text, "3776") {
		return fmt.Errorf("the answer is %q", text)
	}
	return nil
}
