"""An application that signs its user in with MSAL for Python, keeps the tokens, and
loses them. Prints each step that it has taken."""
import json
import os
import sys
import webbrowser

import msal

SCOPES = ["https://management.azure.com/user_impersonation"]
app = msal.PublicClientApplication(os.environ["AZURE_CLIENT_ID"], authority="https://login.microsoftonline.com/" + os.environ["AZURE_TENANT_ID"])


def say(line):
    """Has somebody attend to a line, and waits until they have."""
    with open(os.environ["SIGNIN"], "w") as said:
        print(line, file=said)
    sys.stdin.readline()


def took(step, result):
    if "access_token" not in result:
        raise SystemExit(f"{step}: {result}")
    print(step)
    return result


def silent(force=False):
    (account,) = app.get_accounts()
    return app.acquire_token_silent_with_error(SCOPES, account=account, force_refresh=force)


def refresh_token():
    (kept,) = app.token_cache.search("RefreshToken")
    return kept["secret"]


def sign_in():
    return app.acquire_token_interactive(SCOPES, prompt="select_account", timeout=100)


def lost(deed):
    say(deed)
    refused = silent(force=True)
    if "error" not in refused:
        raise SystemExit(f"a token after {deed}")
    print(deed, refused["error"], *refused["error_codes"], refused.get("suberror", ""))


first = took("obtained", sign_in())
again = took("cached", silent())
assert again["token_source"] == "cache" and again["access_token"] == first["access_token"], again
before = refresh_token()
fresh = took("refreshed", silent(force=True))
assert fresh["token_source"] == "identity_provider" and fresh["access_token"] != first["access_token"], fresh
assert refresh_token() != before
print("rotated")

for account in app.get_accounts():
    app.remove_account(account)
flow = app.initiate_device_flow(SCOPES)
say("code " + flow["user_code"])
took("by code", app.acquire_token_by_device_flow(flow))

lost("revoked")
took("obtained", sign_in())
lost("disabled")
say("enabled")
took("obtained", sign_in())
lost("deleted")
