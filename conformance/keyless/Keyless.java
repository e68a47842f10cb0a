import com.azure.ai.openai.OpenAIClientBuilder;
import com.azure.ai.openai.models.ChatCompletionsOptions;
import com.azure.ai.openai.models.ChatRequestSystemMessage;
import com.azure.ai.openai.models.ChatRequestUserMessage;
import com.azure.core.credential.KeyCredential;
import com.azure.core.exception.HttpResponseException;
import com.azure.core.http.policy.FixedDelayOptions;
import com.azure.core.http.policy.RetryOptions;
import com.azure.core.management.AzureEnvironment;
import com.azure.core.management.exception.ManagementException;
import com.azure.core.management.profile.AzureProfile;
import com.azure.identity.ClientSecretCredentialBuilder;
import com.azure.resourcemanager.authorization.AuthorizationManager;
import com.azure.resourcemanager.cognitiveservices.CognitiveServicesManager;
import com.azure.resourcemanager.cognitiveservices.models.AccountProperties;
import com.azure.resourcemanager.cognitiveservices.models.DeploymentModel;
import com.azure.resourcemanager.cognitiveservices.models.DeploymentProperties;
import com.azure.resourcemanager.cognitiveservices.models.KeyName;
import com.azure.resourcemanager.cognitiveservices.models.RegenerateKeyParameters;
import com.azure.resourcemanager.cognitiveservices.models.Sku;
import com.azure.resourcemanager.resources.ResourceManager;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * The keyless story with the management SDKs and azure-ai-openai. Prints each
 * step that it has taken. DOOR_URL is an own name, or empty.
 */
public class Keyless {
    static final String GROUP = "rg-keyless", ACCOUNT = env("ACCOUNT"), SUBSCRIPTION = env("SUBSCRIPTION"), DOOR = env("DOOR_URL");

    static String env(String name) {
        return System.getenv(name);
    }

    /**
     * The environment of this door: Azure's, with other endpoints if it is an own
     * name. The SDK chooses a token's audience by the endpoint that a URL begins
     * with, so Graph, which this story does not need, is not at the same one.
     */
    static AzureEnvironment cloud() {
        Map<String, String> endpoints = new HashMap<>(AzureEnvironment.AZURE.getEndpoints());
        if (!DOOR.isEmpty()) {
            endpoints.put("resourceManagerEndpointUrl", DOOR + "/");
            endpoints.put("activeDirectoryEndpointUrl", DOOR + "/");
        }
        return new AzureEnvironment(endpoints);
    }

    static void chat(OpenAIClientBuilder client) {
        chat("chat", client.retryOptions(new RetryOptions(new FixedDelayOptions(0, Duration.ofSeconds(1)))));
    }

    static void chat(String deployment, OpenAIClientBuilder client) {
        String text = client.buildClient()
            .getChatCompletions(deployment, new ChatCompletionsOptions(List.of(
                new ChatRequestSystemMessage("Answer from the text: Mount Fuji is 3776 m high. Lake Biwa is 104 m deep."),
                new ChatRequestUserMessage("How high is Mount Fuji?"))))
            .getChoices().get(0).getMessage().getContent();
        check(text.contains("3776"), text);
    }

    static void check(boolean holds, Object otherwise) {
        if (!holds) {
            throw new AssertionError(otherwise);
        }
    }

    static void refused(int status, String code, Runnable call) {
        try {
            call.run();
        } catch (HttpResponseException e) {
            check(e.getResponse().getStatusCode() == status && code.equals(codeOf(e)), e);
            return;
        }
        throw new AssertionError("answered, not refused with " + status + " " + code);
    }

    static Object codeOf(HttpResponseException e) {
        if (e instanceof ManagementException management) {
            return management.getValue().getCode();
        }
        return ((Map<?, ?>) ((Map<?, ?>) e.getValue()).get("error")).get("code");
    }

    static void deploy(CognitiveServicesManager services, String name, String model, String version) {
        services.deployments().define(name).withExistingAccount(GROUP, ACCOUNT)
            .withSku(new Sku().withName("Standard").withCapacity(10))
            .withProperties(new DeploymentProperties().withModel(
                new DeploymentModel().withFormat("OpenAI").withName(model).withVersion(version)))
            .create();
    }

    public static void main(String[] args) {
        var profile = new AzureProfile(env("AZURE_TENANT_ID"), SUBSCRIPTION, cloud());
        var builder = new ClientSecretCredentialBuilder()
            .tenantId(env("AZURE_TENANT_ID")).clientId(env("AZURE_CLIENT_ID")).clientSecret(env("AZURE_CLIENT_SECRET"));
        if (!DOOR.isEmpty()) {
            builder.authorityHost(DOOR);
            if (!env("AZURE_TENANT_ID").equals("adfs")) {
                builder.disableInstanceDiscovery();
            }
        }
        var credential = builder.build();
        var services = CognitiveServicesManager.authenticate(credential, profile);
        var access = AuthorizationManager.authenticate(credential, profile);

        ResourceManager.authenticate(credential, profile).withSubscription(SUBSCRIPTION)
            .resourceGroups().define(GROUP).withRegion("japaneast").create();
        var account = services.accounts().define(ACCOUNT).withExistingResourceGroup(GROUP).withRegion("japaneast")
            .withKind("OpenAI").withSku(new Sku().withName("S0"))
            .withProperties(new AccountProperties().withCustomSubDomainName(ACCOUNT)).create();
        deploy(services, "chat", "gpt-4o-mini", "2024-07-18");
        deploy(services, "busy", "gpt-4o", "2024-11-20");
        var deployments = services.deployments().list(GROUP, ACCOUNT).stream().map(d -> d.name()).sorted().toList();
        check(deployments.equals(List.of("busy", "chat")), deployments);
        System.out.println("built");

        String endpoint = account.properties().endpoint();
        var keys = services.accounts().listKeys(GROUP, ACCOUNT);
        chat(new OpenAIClientBuilder().endpoint(endpoint).credential(new KeyCredential(keys.key1())));
        System.out.println("key answered");

        var rotated = services.accounts().regenerateKey(GROUP, ACCOUNT, new RegenerateKeyParameters().withKeyName(KeyName.KEY1));
        check(!rotated.key1().equals(keys.key1()) && rotated.key2().equals(keys.key2()), "key 1 alone did not change");
        refused(401, "401", () -> chat(new OpenAIClientBuilder().endpoint(endpoint).credential(new KeyCredential(keys.key1()))));
        chat(new OpenAIClientBuilder().endpoint(endpoint).credential(new KeyCredential(rotated.key1())));
        System.out.println("key rotated");

        refused(401, "PermissionDenied", () -> chat(new OpenAIClientBuilder().endpoint(endpoint).credential(credential)));
        System.out.println("token denied");

        var role = access.roleDefinitions().getByScopeAndRoleName(account.id(), "Cognitive Services OpenAI User");
        access.roleAssignments().define(UUID.randomUUID().toString()).forObjectId(env("PRINCIPAL"))
            .withRoleDefinition(role.id()).withScope(account.id()).create();
        chat(new OpenAIClientBuilder().endpoint(endpoint).credential(credential));
        System.out.println("token answered");

        account.update().withProperties(new AccountProperties().withDisableLocalAuth(true)).apply();
        refused(403, "AuthenticationTypeDisabled",
            () -> chat(new OpenAIClientBuilder().endpoint(endpoint).credential(new KeyCredential(rotated.key1()))));
        refused(400, "BadRequest", () -> services.accounts().listKeys(GROUP, ACCOUNT));
        System.out.println("keys disabled");

        chat(new OpenAIClientBuilder().endpoint(endpoint).credential(credential));
        System.out.println("keyless");

        chat("busy", new OpenAIClientBuilder().endpoint(endpoint).credential(credential));
        System.out.println("429 obeyed");
    }
}
