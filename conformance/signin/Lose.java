import com.microsoft.aad.msal4j.DeviceCodeFlowParameters;
import com.microsoft.aad.msal4j.IAccount;
import com.microsoft.aad.msal4j.IAuthenticationResult;
import com.microsoft.aad.msal4j.InteractiveRequestParameters;
import com.microsoft.aad.msal4j.MsalServiceException;
import com.microsoft.aad.msal4j.Prompt;
import com.microsoft.aad.msal4j.PublicClientApplication;
import com.microsoft.aad.msal4j.SilentParameters;
import com.microsoft.aad.msal4j.SystemBrowserOptions;
import com.microsoft.aad.msal4j.TokenSource;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An application that signs its user in with MSAL for Java, keeps the tokens, and
 * loses them. Prints each step that it has taken.
 */
public class Lose {
    static final Set<String> SCOPES = Set.of("https://management.azure.com/user_impersonation");
    static final BufferedReader ANSWERS = new BufferedReader(new InputStreamReader(System.in));
    static PublicClientApplication app;

    /** Has somebody attend to a line, and waits until they have. */
    static void say(String line) {
        try {
            Files.writeString(Path.of(System.getenv("SIGNIN")), line + "\n");
            ANSWERS.readLine();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static IAuthenticationResult silent(boolean force) throws Exception {
        IAccount account = app.getAccounts().join().iterator().next();
        return app.acquireTokenSilently(SilentParameters.builder(SCOPES, account).forceRefresh(force).build()).get();
    }

    static String refreshToken() {
        Matcher kept = Pattern.compile("\"credential_type\":\"RefreshToken\"[^}]*\"secret\":\"([^\"]+)\"|\"secret\":\"([^\"]+)\"[^}]*\"credential_type\":\"RefreshToken\"").matcher(app.tokenCache().serialize());
        check(kept.find(), "a refresh token in the cache");
        return kept.group();
    }

    static IAuthenticationResult signIn() throws Exception {
        return app.acquireToken(InteractiveRequestParameters.builder(URI.create("http://localhost")).scopes(SCOPES).prompt(Prompt.SELECT_ACCOUNT)
            .systemBrowserOptions(SystemBrowserOptions.builder().openBrowserAction(url -> say(url.toString())).build()).build()).get();
    }

    static void lost(String deed) throws Exception {
        say(deed);
        try {
            silent(true);
        } catch (ExecutionException e) {
            MsalServiceException refused = (MsalServiceException) e.getCause();
            Matcher number = Pattern.compile("AADSTS(\\d+)").matcher(refused.getMessage());
            check(number.find(), "a number in " + refused.getMessage());
            System.out.println(deed + " " + refused.errorCode() + " " + number.group(1) + " " + refused.getClass().getSimpleName());
            return;
        }
        throw new AssertionError("a token after " + deed);
    }

    static void check(boolean good, String what) {
        if (!good) {
            throw new AssertionError(what);
        }
    }

    public static void main(String[] args) throws Exception {
        app = PublicClientApplication.builder(System.getenv("AZURE_CLIENT_ID")).authority("https://login.microsoftonline.com/" + System.getenv("AZURE_TENANT_ID")).build();

        IAuthenticationResult first = signIn();
        System.out.println("obtained");
        IAuthenticationResult again = silent(false);
        check(again.metadata().tokenSource() == TokenSource.CACHE && again.accessToken().equals(first.accessToken()), "the token of before");
        System.out.println("cached");
        String before = refreshToken();
        IAuthenticationResult fresh = silent(true);
        check(fresh.metadata().tokenSource() == TokenSource.IDENTITY_PROVIDER && !fresh.accessToken().equals(first.accessToken()), "another token");
        System.out.println("refreshed");
        check(!refreshToken().equals(before), "another refresh token");
        System.out.println("rotated");

        app.removeAccount(fresh.account()).join();
        app.acquireToken(DeviceCodeFlowParameters.builder(SCOPES, code -> say("code " + code.userCode())).build()).get();
        System.out.println("by code");

        lost("revoked");
        signIn();
        System.out.println("obtained");
        lost("disabled");
        say("enabled");
        signIn();
        System.out.println("obtained");
        lost("deleted");
        System.exit(0); // the client's threads go on
    }
}
