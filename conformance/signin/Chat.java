import com.azure.ai.openai.OpenAIClientBuilder;
import com.azure.ai.openai.models.ChatCompletionsOptions;
import com.azure.ai.openai.models.ChatRequestSystemMessage;
import com.azure.ai.openai.models.ChatRequestUserMessage;
import com.azure.core.credential.TokenCredential;
import com.azure.core.credential.TokenRequestContext;
import com.azure.core.exception.HttpResponseException;
import com.azure.core.management.AzureEnvironment;
import com.azure.core.management.exception.ManagementException;
import com.azure.core.management.profile.AzureProfile;
import com.azure.identity.AzureCliCredentialBuilder;
import com.azure.identity.DeviceCodeCredentialBuilder;
import com.azure.identity.InteractiveBrowserCredentialBuilder;
import com.azure.resourcemanager.resources.ResourceManager;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * An application whose user signs in with azure-identity and chats. Prints each
 * step that it has taken.
 */
public class Chat {
    static final BufferedReader ANSWERS = new BufferedReader(new InputStreamReader(System.in));

    /** Has somebody attend to a line, and waits until they have. */
    static void say(String line) {
        try {
            Files.writeString(Path.of(System.getenv("SIGNIN")), line + "\n");
            ANSWERS.readLine();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static void chat(TokenCredential credential) {
        String text = new OpenAIClientBuilder().endpoint("https://aoai-sample.openai.azure.com").credential(credential).buildClient()
            .getChatCompletions("gpt-35-turbo", new ChatCompletionsOptions(List.of(
                new ChatRequestSystemMessage("Answer from the text: Mount Fuji is 3776 m high. Lake Biwa is 104 m deep."),
                new ChatRequestUserMessage("How high is Mount Fuji?"))))
            .getChoices().get(0).getMessage().getContent();
        if (!text.contains("3776")) {
            throw new AssertionError(text);
        }
    }

    static String groups(ResourceManager resources) {
        return resources.resourceGroups().list().stream().map(g -> g.name()).collect(Collectors.joining(" "));
    }

    public static void main(String[] args) {
        var credential = new InteractiveBrowserCredentialBuilder().build();
        var record = credential.authenticate(new TokenRequestContext().addScopes("https://management.azure.com/.default")).block();
        if (!record.getUsername().equals(System.getenv("USERNAME")) || !record.getHomeAccountId().endsWith("." + System.getenv("AZURE_TENANT_ID"))) {
            throw new AssertionError(record.getUsername() + " is " + record.getHomeAccountId());
        }
        System.out.println("signed in");
        var profile = new AzureProfile(System.getenv("AZURE_TENANT_ID"), System.getenv("SUBSCRIPTION"), AzureEnvironment.AZURE);
        var resources = ResourceManager.authenticate(credential, profile).withSubscription(System.getenv("SUBSCRIPTION"));
        System.out.println("groups: " + groups(resources));
        try {
            chat(credential);
        } catch (HttpResponseException e) {
            Object code = ((Map<?, ?>) ((Map<?, ?>) e.getValue()).get("error")).get("code");
            System.out.println("denied " + e.getResponse().getStatusCode() + " " + code);
        }
        say("assign");
        chat(credential);
        System.out.println("answered");

        // Unlike the browser's, this builder has no client of its own.
        chat(new DeviceCodeCredentialBuilder().clientId("04b07795-8ddb-461a-bbee-02f9e1bf7b46").challengeConsumer(challenge -> say("code " + challenge.getUserCode())).build());
        System.out.println("by code");
        chat(new AzureCliCredentialBuilder().build());
        System.out.println("by az");

        // Its clients for ARM do not announce that they understand challenges.
        say("revoke");
        try {
            groups(resources);
        } catch (ManagementException e) {
            System.out.println("revoked refused " + e.getResponse().getStatusCode() + " " + e.getValue().getCode());
        }
        System.exit(0); // the client's threads go on
    }
}
