"""The keyless story with the management SDKs and the newest openai package.
Prints each step that it has taken. DOOR_URL is an own name, or empty."""
import os
import uuid

import openai
from azure.core.exceptions import HttpResponseError
from azure.identity import ClientSecretCredential, get_bearer_token_provider
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.authorization.models import RoleAssignmentCreateParameters
from azure.mgmt.cognitiveservices import CognitiveServicesManagementClient
from azure.mgmt.cognitiveservices.models import (
    Account, AccountProperties, Deployment, DeploymentModel, DeploymentProperties, Sku)
from azure.mgmt.resource.resources import ResourceManagementClient

GROUP, ACCOUNT = "rg-keyless", os.environ["ACCOUNT"]
SUBSCRIPTION, DOOR = os.environ["SUBSCRIPTION"], os.environ["DOOR_URL"]
authority, cloud = {}, {}
if DOOR:
    authority = {"authority": DOOR, "disable_instance_discovery": os.environ["AZURE_TENANT_ID"] != "adfs"}
    cloud = {"base_url": DOOR, "credential_scopes": ["https://management.azure.com/.default"]}
credential = ClientSecretCredential(
    os.environ["AZURE_TENANT_ID"], os.environ["AZURE_CLIENT_ID"], os.environ["AZURE_CLIENT_SECRET"], **authority)
accounts = CognitiveServicesManagementClient(credential, SUBSCRIPTION, **cloud)
access = AuthorizationManagementClient(credential, SUBSCRIPTION, **cloud)


def chat(model="chat", max_retries=0, **by):
    client = openai.AzureOpenAI(azure_endpoint=account.properties.endpoint, api_version="2024-10-21", max_retries=max_retries, **by)
    reply = client.chat.completions.create(model=model, messages=[
        {"role": "system", "content": "Answer from the text: Mount Fuji is 3776 m high. Lake Biwa is 104 m deep."},
        {"role": "user", "content": "How high is Mount Fuji?"},
    ])
    assert "3776" in reply.choices[0].message.content, reply


def refused(status, code, act, **by):
    try:
        act(**by)
    except openai.APIStatusError as e:
        got = e.status_code, e.response.json()["error"]["code"]
    except HttpResponseError as e:
        got = e.status_code, e.error.code
    else:
        got = None
    assert got == (status, code), f"{got}, not {status} {code}"


ResourceManagementClient(credential, SUBSCRIPTION, **cloud).resource_groups.create_or_update(GROUP, {"location": "japaneast"})
account = accounts.accounts.begin_create(GROUP, ACCOUNT, Account(
    kind="OpenAI", location="japaneast", sku=Sku(name="S0"), properties=AccountProperties(custom_sub_domain_name=ACCOUNT))).result()
for name, model, version in ("chat", "gpt-4o-mini", "2024-07-18"), ("busy", "gpt-4o", "2024-11-20"):
    accounts.deployments.begin_create_or_update(GROUP, ACCOUNT, name, Deployment(
        sku=Sku(name="Standard", capacity=10),
        properties=DeploymentProperties(model=DeploymentModel(format="OpenAI", name=model, version=version)))).result()
assert sorted(d.name for d in accounts.deployments.list(GROUP, ACCOUNT)) == ["busy", "chat"]
print("built")

keys = accounts.accounts.list_keys(GROUP, ACCOUNT)
chat(api_key=keys.key1)
print("key answered")

new = accounts.accounts.regenerate_key(GROUP, ACCOUNT, key_name="Key1")
assert new.key1 != keys.key1 and new.key2 == keys.key2
refused(401, "401", chat, api_key=keys.key1)
chat(api_key=new.key1)
print("key rotated")

token = {"azure_ad_token_provider": get_bearer_token_provider(credential, "https://cognitiveservices.azure.com/.default")}
refused(401, "PermissionDenied", chat, **token)
print("token denied")

[role] = access.role_definitions.list(account.id, filter="roleName eq 'Cognitive Services OpenAI User'")
access.role_assignments.create(account.id, str(uuid.uuid4()), RoleAssignmentCreateParameters(
    role_definition_id=role.id, principal_id=os.environ["PRINCIPAL"], principal_type="ServicePrincipal"))
chat(**token)
print("token answered")

accounts.accounts.begin_update(GROUP, ACCOUNT, Account(properties=AccountProperties(disable_local_auth=True))).result()
refused(403, "AuthenticationTypeDisabled", chat, api_key=new.key1)
refused(400, "BadRequest", accounts.accounts.list_keys, resource_group_name=GROUP, account_name=ACCOUNT)
print("keys disabled")

chat(**token)
print("keyless")

chat("busy", openai.DEFAULT_MAX_RETRIES, **token)
print("429 obeyed")
