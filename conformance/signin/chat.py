"""An application whose user signs in with azure-identity and chats. Prints each step
that it has taken."""
import os
import sys

import openai
from azure.identity import AzureCliCredential, DeviceCodeCredential, InteractiveBrowserCredential, get_bearer_token_provider
from azure.mgmt.resource.resources import ResourceManagementClient


def say(line):
    """Has somebody attend to a line, and waits until they have."""
    with open(os.environ["SIGNIN"], "w") as said:
        print(line, file=said)
    sys.stdin.readline()


def chat(credential):
    client = openai.AzureOpenAI(
        azure_endpoint="https://aoai-sample.openai.azure.com", api_version="2024-10-21", max_retries=0,
        azure_ad_token_provider=get_bearer_token_provider(credential, "https://cognitiveservices.azure.com/.default"))
    reply = client.chat.completions.create(model="gpt-35-turbo", messages=[
        {"role": "system", "content": "Answer from the text: Mount Fuji is 3776 m high. Lake Biwa is 104 m deep."},
        {"role": "user", "content": "How high is Mount Fuji?"},
    ])
    assert "3776" in reply.choices[0].message.content, reply


credential = InteractiveBrowserCredential(timeout=100)
record = credential.authenticate(scopes=["https://management.azure.com/.default"])
assert record.username == os.environ["USERNAME"] and record.tenant_id == os.environ["AZURE_TENANT_ID"], record.serialize()
print("signed in")
resources = ResourceManagementClient(credential, os.environ["SUBSCRIPTION"], enable_cae=True)
print("groups:", *(g.name for g in resources.resource_groups.list()))
try:
    chat(credential)
except openai.AuthenticationError as e:
    print("denied", e.status_code, e.response.json()["error"]["code"])
say("assign")
chat(credential)
print("answered")

chat(DeviceCodeCredential(prompt_callback=lambda uri, code, expires: say("code " + code)))
print("by code")
chat(AzureCliCredential())
print("by az")

# The next call is challenged, and signs the user in again.
say("revoke")
assert [g.name for g in resources.resource_groups.list()] == ["rg-sample"]
print("revoked challenged")
