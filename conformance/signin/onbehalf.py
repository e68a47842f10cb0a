"""A middle tier that acts on behalf of its user with MSAL for Python. The user's
application and the middle tier are both here. Prints each step that it has taken."""
import os
import sys

import msal
import requests

AUTHORITY = "https://login.microsoftonline.com/" + os.environ["AZURE_TENANT_ID"]
API = "api://" + os.environ["MIDDLE"] + "/access_as_user"
GRAPH = ["https://graph.microsoft.com/User.Read"]


def say(line):
    """Has somebody attend to a line, and waits until they have."""
    with open(os.environ["SIGNIN"], "w") as said:
        print(line, file=said)
    sys.stdin.readline()


def took(step, result):
    if "access_token" not in result:
        raise SystemExit(f"{step}: {result}")
    print(step)
    return result["access_token"]


def refused(step, result):
    print(step, result["error"], *result["error_codes"], result.get("suberror"))


front = msal.PublicClientApplication(os.environ["FRONT"], authority=AUTHORITY)


def middle_tier(secret=os.environ["SECRET"]):
    """A new one: for a minute, the library answers what was refused by itself."""
    return msal.ConfidentialClientApplication(os.environ["MIDDLE"], client_credential=secret, authority=AUTHORITY)


theirs = took("for the middle tier", front.acquire_token_interactive([API], timeout=100))
refused("not consented", middle_tier().acquire_token_on_behalf_of(theirs, GRAPH))
say("consent")
middle = middle_tier()
token = took("on behalf", middle.acquire_token_on_behalf_of(theirs, GRAPH))
me = requests.get("https://graph.microsoft.com/v1.0/me", headers={"Authorization": "Bearer " + token}).json()
print("as", me["userPrincipalName"])
(account,) = middle.get_accounts()
again = middle.acquire_token_silent(GRAPH, account=account)
assert again["token_source"] == "cache" and again["access_token"] == token, again
print("cached")
refused("by another", middle_tier("another").acquire_token_on_behalf_of(theirs, GRAPH))
refused("with its own", middle.acquire_token_on_behalf_of(token, GRAPH))
