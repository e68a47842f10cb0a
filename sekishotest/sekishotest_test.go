package sekishotest_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/ai/azopenai"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"sekisho/sekishotest"
)

// A program with the real SDKs: refused until it has its role, refused again
// once that is taken away.
func TestAProgramNeedsItsRole(t *testing.T) {
	t.Parallel()
	s := sekishotest.Start(t)
	program := s.ServicePrincipal("program")
	client := newClient(t, s, program)

	_, err := ask(client)
	var refused *azcore.ResponseError
	if !errors.As(err, &refused) || refused.ErrorCode != "PermissionDenied" {
		t.Fatalf("without a role: %v", err)
	}
	assignment := s.Grant(program.ObjectID, "Cognitive Services OpenAI User", s.Account())
	answer, err := ask(client)
	if err != nil || !strings.Contains(answer, "3776") {
		t.Errorf("with its role: %q, %v", answer, err)
	}
	s.Revoke(assignment)
	if _, err := ask(client); !errors.As(err, &refused) || refused.ErrorCode != "PermissionDenied" {
		t.Errorf("without it again: %v", err)
	}
}

// newClient is how a program makes its client; only the transport is the test's.
func newClient(t *testing.T, s *sekishotest.Sekisho, p sekishotest.Principal) *azopenai.Client {
	t.Helper()
	options := policy.ClientOptions{Transport: s.HTTPClient()}
	credential, err := azidentity.NewClientSecretCredential(p.TenantID, p.ClientID, p.ClientSecret, &azidentity.ClientSecretCredentialOptions{ClientOptions: options})
	if err != nil {
		t.Fatal(err)
	}
	client, err := azopenai.NewClient("https://aoai-sample.openai.azure.com", credential, &azopenai.ClientOptions{ClientOptions: options})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func ask(client *azopenai.Client) (string, error) {
	resp, err := client.GetChatCompletions(context.Background(), azopenai.ChatCompletionsOptions{
		DeploymentName: to.Ptr("gpt-35-turbo"),
		Messages: []azopenai.ChatRequestMessageClassification{&azopenai.ChatRequestUserMessage{
			Content: azopenai.NewChatRequestUserMessageContent("Mount Fuji is 3776 metres high. How high is Mount Fuji?")}},
	}, nil)
	if err != nil {
		return "", err
	}
	return *resp.Choices[0].Message.Content, nil
}

func TestInstancesAreApartAndNeitherFoundByCommandsOfTheUser(t *testing.T) {
	home := t.TempDir()
	t.Setenv("XDG_STATE_HOME", home)
	a, b := sekishotest.Start(t), sekishotest.Start(t)
	if a.Credentials.TenantID == b.Credentials.TenantID {
		t.Error("two instances with one tenant")
	}
	form := "grant_type=client_credentials&client_id=" + a.Automation().ClientID + "&client_secret=" + a.Automation().ClientSecret + "&scope=https://management.azure.com/.default"
	resp, err := b.HTTPClient().Post("https://login.microsoftonline.com/"+b.Credentials.TenantID+"/oauth2/v2.0/token", "application/x-www-form-urlencoded", strings.NewReader(form))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized && resp.StatusCode != http.StatusBadRequest {
		t.Errorf("one instance took the other's secret: %s", resp.Status)
	}
	if entries, err := os.ReadDir(home); err != nil || len(entries) > 0 {
		t.Errorf("the user's state directory: %v, %v", entries, err)
	}
}

// childVariable makes this test binary a program that asks for a token as on a
// virtual machine.
const childVariable = "SEKISHOTEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) == "" {
		os.Exit(m.Run())
	}
	if err := listSubscriptions(); err != nil {
		os.Stderr.WriteString(err.Error())
		os.Exit(1)
	}
}

// listSubscriptions prints what the machine's identity sees.
func listSubscriptions() error {
	credential, err := azidentity.NewManagedIdentityCredential(nil)
	if err != nil {
		return err
	}
	token, err := credential.GetToken(context.Background(), policy.TokenRequestOptions{Scopes: []string{"https://management.azure.com/.default"}})
	if err != nil {
		return err
	}
	req, err := http.NewRequest(http.MethodGet, "https://management.azure.com/subscriptions?api-version=2022-12-01", nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token.Token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(os.Stdout, resp.Body)
	return err
}

func TestAChildProcessHasTheIdentityOfItsMachine(t *testing.T) {
	t.Parallel()
	s := sekishotest.Start(t)
	vm := s.ResourceGroup() + "/providers/Microsoft.Compute/virtualMachines/vm-sample"
	principal := s.Identity(vm)
	s.Grant(principal, "Reader", s.Subscription())
	child := exec.Command(os.Args[0])
	child.Env = slices.Concat(os.Environ(), s.MachineEnviron("vm-sample"), []string{childVariable + "=1"})
	out, err := child.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var list struct {
		Value []struct{ SubscriptionID string }
	}
	if err := json.Unmarshal(out, &list); err != nil || len(list.Value) != 1 || list.Value[0].SubscriptionID != s.Credentials.SubscriptionID {
		t.Errorf("%v: %s", err, out)
	}
}

func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		sekishotest.Start(b)
	}
}
