package conformance

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/cache"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"
)

var deskScopes = []string{"https://management.azure.com/user_impersonation"}

// desk is an application that signs its user in with MSAL for Go, keeps the
// tokens, and loses them. As the programs in signin/ it prints each step that it
// has taken.
type desk struct {
	app  public.Client
	kept []byte // the library's cache
}

// Export is told the cache whenever it has changed.
func (d *desk) Export(_ context.Context, m cache.Marshaler, _ cache.ExportHints) (err error) {
	d.kept, err = m.Marshal()
	return err
}

// Replace is asked for the cache before it is read.
func (d *desk) Replace(context.Context, cache.Unmarshaler, cache.ReplaceHints) error { return nil }

// answers are what whoever attends gives back.
var answers = bufio.NewReader(os.Stdin)

// say has somebody attend to a line, and waits until they have.
func say(line string) error {
	if err := os.WriteFile(os.Getenv("SIGNIN"), []byte(line+"\n"), 0); err != nil {
		return err
	}
	_, err := answers.ReadString('\n')
	return err
}

func goLose() error {
	d := &desk{}
	var err error
	if d.app, err = public.New(os.Getenv("AZURE_CLIENT_ID"), public.WithAuthority("https://login.microsoftonline.com/"+os.Getenv("AZURE_TENANT_ID")), public.WithCache(d)); err != nil {
		return err
	}
	ctx := context.Background()
	if err := d.keep(ctx); err != nil {
		return err
	}
	if err := d.byCode(ctx); err != nil {
		return err
	}
	if err := d.lost(ctx, "revoked"); err != nil {
		return err
	}
	if _, err := d.signIn(ctx); err != nil {
		return err
	}
	fmt.Println("obtained")
	if err := d.lost(ctx, "disabled"); err != nil {
		return err
	}
	if err := say("enabled"); err != nil {
		return err
	}
	if _, err := d.signIn(ctx); err != nil {
		return err
	}
	fmt.Println("obtained")
	return d.lost(ctx, "deleted")
}

func (d *desk) keep(ctx context.Context) error {
	first, err := d.signIn(ctx)
	if err != nil {
		return err
	}
	fmt.Println("obtained")
	again, err := d.silent(ctx, false)
	if err != nil || again.Metadata.TokenSource != public.TokenSourceCache || again.AccessToken != first.AccessToken {
		return fmt.Errorf("not the token of before: %v", err)
	}
	fmt.Println("cached")
	before := d.refreshToken()
	fresh, err := d.silent(ctx, true)
	if err != nil || fresh.Metadata.TokenSource != public.TokenSourceIdentityProvider || fresh.AccessToken == first.AccessToken {
		return fmt.Errorf("not another token: %v", err)
	}
	fmt.Println("refreshed")
	if after := d.refreshToken(); before == "" || after == before {
		return errors.New("not another refresh token")
	}
	fmt.Println("rotated")
	return d.app.RemoveAccount(ctx, fresh.Account)
}

func (d *desk) byCode(ctx context.Context) error {
	code, err := d.app.AcquireTokenByDeviceCode(ctx, deskScopes)
	if err != nil {
		return err
	}
	if err := say("code " + code.Result.UserCode); err != nil {
		return err
	}
	if _, err := code.AuthenticationResult(ctx); err != nil {
		return err
	}
	fmt.Println("by code")
	return nil
}

func (d *desk) signIn(ctx context.Context) (public.AuthResult, error) {
	return d.app.AcquireTokenInteractive(ctx, deskScopes, public.WithOpenURL(say))
}

// silent asks the cache. The library passes it by only for a challenge's claims.
func (d *desk) silent(ctx context.Context, force bool) (public.AuthResult, error) {
	accounts, err := d.app.Accounts(ctx)
	if err != nil || len(accounts) != 1 {
		return public.AuthResult{}, fmt.Errorf("accounts: %v %v", accounts, err)
	}
	options := []public.AcquireSilentOption{public.WithSilentAccount(accounts[0])}
	if force {
		options = append(options, public.WithClaims(`{"access_token":{"nbf":{"essential":true,"value":"1700000000"}}}`))
	}
	return d.app.AcquireTokenSilent(ctx, deskScopes, options...)
}

func (d *desk) refreshToken() string {
	var kept struct {
		RefreshToken map[string]struct{ Secret string }
	}
	if json.Unmarshal(d.kept, &kept) != nil || len(kept.RefreshToken) != 1 {
		return ""
	}
	for _, token := range kept.RefreshToken {
		return token.Secret
	}
	return ""
}

var numbered = regexp.MustCompile(`"error":"(\w+)","error_codes":\[(\d+)\]`)

func (d *desk) lost(ctx context.Context, deed string) error {
	if err := say(deed); err != nil {
		return err
	}
	_, err := d.silent(ctx, true)
	if err == nil {
		return errors.New("a token after " + deed)
	}
	found := numbered.FindStringSubmatch(err.Error())
	if found == nil {
		return err
	}
	fmt.Println(deed, found[1], found[2])
	return nil
}
