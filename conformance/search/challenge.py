"""Authentication by challenge with azure-search-documents and azure-core: what services
that are set to answer http403 and http401WithBearerChallenge say. Prints what it sees
of each step."""
import json
import os
import re
import time

from azure.core import PipelineClient
from azure.core.credentials import AccessToken, AzureKeyCredential
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.policies import BearerTokenCredentialPolicy
from azure.core.rest import HttpRequest
from azure.identity import ClientSecretCredential
from azure.search.documents import SearchClient
from azure.search.documents.indexes import SearchIndexClient
from azure.search.documents.indexes.models import SearchIndex, SimpleField

TENANT, FORBIDDING, CHALLENGING = os.environ["AZURE_TENANT_ID"], os.environ["SERVICE"], os.environ["CHALLENGING"]
app = ClientSecretCredential(TENANT, os.environ["APP_ID"], os.environ["APP_SECRET"])


def say(step, *seen):
    print(f"{step}: {json.dumps(seen)}", flush=True)


class Held:
    """A credential that holds one token, good or bad."""

    def __init__(self, token):
        self.token = token

    def get_token(self, *scopes, **kwargs):
        return AccessToken(self.token, int(time.time()) + 3600)


def challenge(header):
    """The scheme of a challenge and its parameters."""
    if not header:
        return None
    scheme, _, parameters = header.partition(" ")
    return [scheme, {name: value.replace(TENANT, "TENANT") for name, value in re.findall(r'(\w+)="([^"]*)"', parameters)}]


def answer(service, credential, index="hotels"):
    """How many documents there are, or the exception, the status and the challenge."""
    try:
        return SearchClient(service, index, credential).get_document_count()
    except HttpResponseError as e:
        return [type(e).__name__, e.status_code, challenge(e.response.headers.get("WWW-Authenticate"))]


class Challenged(BearerTokenCredentialPolicy):
    """Asks without a token first, and for the one that the challenge names then."""

    def on_request(self, request):
        if self._token:
            super().on_request(request)

    def on_challenge(self, request, response):
        _, asked = challenge(response.http_response.headers["WWW-Authenticate"])
        self.authorize_request(request, asked["resource_id"] + "/.default")
        return True


def follow(service):
    """What a client sees that knows of a service only what its challenge says."""
    client = PipelineClient(service, policies=[Challenged(app)])
    response = client.send_request(HttpRequest("GET", service + "/indexes/hotels/docs/$count?api-version=2024-07-01"))
    return [response.status_code, response.text().lstrip("\ufeff")] if response.status_code == 200 else response.status_code


for service, key in ((FORBIDDING, os.environ["SERVICE_KEY"]), (CHALLENGING, os.environ["CHALLENGING_KEY"])):
    indexes = SearchIndexClient(service, AzureKeyCredential(key))
    for index in ("hotels", "others"):
        indexes.create_index(SearchIndex(name=index, fields=[SimpleField(name="id", type="Edm.String", key=True)]))
    SearchClient(service, "hotels", AzureKeyCredential(key)).upload_documents([{"id": "1"}])

wrong = Held(app.get_token("https://management.azure.com/.default").token)
for name, service in ("http403", FORBIDDING), ("http401WithBearerChallenge", CHALLENGING):
    say(name, answer(service, Held("none")), answer(service, wrong), answer(service, AzureKeyCredential("none")))
say("no role", answer(FORBIDDING, app, "others"), answer(CHALLENGING, app, "others"))
say("keyless", answer(FORBIDDING, app), answer(CHALLENGING, app))
say("challenge followed", follow(CHALLENGING), follow(FORBIDDING))
