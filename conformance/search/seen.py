"""Documents that some may see, with the preview of azure-search-documents: an
application searches in the name of two users who sign in. Prints what it sees of each
step."""
import json
import os
import sys

import requests
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import HttpResponseError
from azure.identity import ClientSecretCredential, DeviceCodeCredential
from azure.search.documents import SearchClient
from azure.search.documents.indexes import SearchIndexClient
from azure.search.documents.indexes import models as m
from azure.search.documents.models import VectorizedQuery

TENANT, SERVICE, ADMIN_KEY = os.environ["AZURE_TENANT_ID"], os.environ["SERVICE"], AzureKeyCredential(os.environ["SERVICE_KEY"])
USERS, GROUPS, CONTAINER = json.loads(os.environ["USERS"]), json.loads(os.environ["GROUPS"]), os.environ["CONTAINER_ID"]
SEARCH, GRAPH = "https://search.azure.com/.default", "https://graph.microsoft.com/.default"
reader, contributor = (ClientSecretCredential(TENANT, os.environ[who + "_ID"], os.environ[who + "_SECRET"]) for who in ("READER", "CONTRIBUTOR"))
indexes = SearchIndexClient(SERVICE, ADMIN_KEY)
documents = SearchClient(SERVICE, "documents", reader)


def say(step, *seen):
    print(f"{step}: {json.dumps(seen)}", flush=True)


def attend(line):
    """Has somebody attend to a line, and waits until they have."""
    with open(os.environ["SIGNIN"], "w") as said:
        print(line, file=said)
    sys.stdin.readline()


def refusal(act, *args, **more):
    """The exception's class, the status and the text of a refusal."""
    try:
        result = act(*args, **more)
        return list(result) if hasattr(result, "__next__") else result
    except HttpResponseError as e:
        return [type(e).__name__, e.status_code, e.error.message if e.error else None]


def ids(found):
    return sorted(d["id"] for d in found)


def doors(token):
    """What each way to the documents shows in the name of a user."""
    asked = {"query_source_authorization": token} if token else {}
    header = {"headers": {"x-ms-query-source-authorization": token}} if token else {}
    counted = documents.search("*", include_total_count=True, top=0, facets=["id,count:100"], **asked)
    near = VectorizedQuery(vector=[1.0, 0.0], fields="near", k_nearest_neighbors=100)

    def found(key):
        return not isinstance(refusal(documents.get_document, key, **asked), list)
    return {
        "search": ids(documents.search("*", **asked)), "words": ids(documents.search("report", **asked)), "filter": ids(documents.search("*", filter="id ne 'x'", **asked)),
        "facets": sorted(f["value"] for f in counted.get_facets()["id"]), "vector": ids(documents.search(None, vector_queries=[near], **asked)),
        "hybrid": ids(documents.search("report", vector_queries=[near], **asked)), "suggest": ids(documents.suggest("repo", "sg", top=100, **header)),
        "lookup": sorted(key for key in DOCUMENTS if found(key)),
        "semantic": ids(documents.search("report", query_type="semantic", semantic_configuration_name="s", **asked)),
    }, [counted.get_count(), documents.get_document_count(**header), [a["text"] for a in documents.autocomplete("repo", "sg", **header)]]


def sees(token=None):
    """The documents that all ways agree on, and how many there are."""
    shown, counts = doors(token)
    everywhere = shown.pop("search")
    differ = {name: found for name, found in shown.items() if found != everywhere}
    return [everywhere, *counts] if not differ else [everywhere, differ]


indexes.create_index(m.SearchIndex(
    name="documents", permission_filter_option="enabled",
    fields=[
        m.SimpleField(name="id", type="Edm.String", key=True, filterable=True, facetable=True), m.SearchableField(name="title"),
        m.SearchField(name="users", type="Collection(Edm.String)", filterable=True, permission_filter=m.PermissionFilter.USER_IDS),
        m.SearchField(name="groups", type="Collection(Edm.String)", filterable=True, permission_filter=m.PermissionFilter.GROUP_IDS),
        m.SearchField(name="scope", type="Edm.String", filterable=True, permission_filter=m.PermissionFilter.RBAC_SCOPE),
        m.SearchField(name="near", type="Collection(Edm.Single)", searchable=True, vector_search_dimensions=2, vector_search_profile_name="p")],
    suggesters=[m.SearchSuggester(name="sg", source_fields=["title"])],
    semantic_search=m.SemanticSearch(configurations=[m.SemanticConfiguration(
        name="s", prioritized_fields=m.SemanticPrioritizedFields(content_fields=[m.SemanticField(field_name="title")]))]),
    vector_search=m.VectorSearch(algorithms=[m.HnswAlgorithmConfiguration(name="a")], profiles=[m.VectorSearchProfile(name="p", algorithm_configuration_name="a")])))
made = indexes.get_index("documents")
say("index", made.permission_filter_option, {f.name: f.permission_filter for f in made.fields if f.permission_filter})

DOCUMENTS = {  # by whom they are seen
    "outer": {"groups": [GROUPS["outer"]]}, "inner": {"groups": [GROUPS["inner"]]}, "other": {"groups": [GROUPS["other"]]},
    "both": {"users": [USERS["hanako"]], "groups": [GROUPS["other"]]}, "taro": {"users": [USERS["taro"]]}, "all": {"groups": ["all"]},
    "none": {"users": ["none"], "groups": ["none"]}, "nobody": {}, "scope": {"scope": CONTAINER}}
SearchClient(SERVICE, "documents", ADMIN_KEY).upload_documents([{"id": key, "title": "A report", "near": [1.0, 0.5], **seen} for key, seen in DOCUMENTS.items()])

people = {name: DeviceCodeCredential(prompt_callback=lambda uri, code, expires, name=name: attend(f"code {name} {code}"), tenant_id=TENANT) for name in USERS}
tokens = {name: person.get_token(SEARCH).token for name, person in people.items()}
say("hanako", *sees(tokens["hanako"]))
say("taro", *sees(tokens["taro"]))
say("no user", *sees())
for gone in "outer without middle", "inner without hanako", "container without hanako":
    attend(gone)
    say(gone, sees(tokens["hanako"])[0], sees(tokens["taro"])[0])

graph = {name: person.get_token(GRAPH).token for name, person in people.items()}
say("tokens", *(refusal(documents.search, "*", query_source_authorization=token) for token in (
    "Bearer " + tokens["taro"], tokens["taro"][:-9] + "AAAAAAAAA", graph["taro"], reader.get_token(SEARCH).token)))
say("elevated", *(ids(seen) if seen and isinstance(seen[0], dict) else seen for seen in (
    refusal(SearchClient(SERVICE, "documents", who).search, "*", enable_elevated_read=True) for who in (reader, ADMIN_KEY, contributor))))
say("of a stable version", ids(SearchClient(SERVICE, "documents", reader, api_version="2026-04-01").search("*", headers={"x-ms-query-source-authorization": tokens["taro"]})))

# The pattern before it: the application asks the directory for the user's groups, and
# filters by them.
indexes.create_index(m.SearchIndex(name="trimmed", fields=[
    m.SimpleField(name="id", type="Edm.String", key=True), m.SearchField(name="group_ids", type="Collection(Edm.String)", filterable=True)]))
SearchClient(SERVICE, "trimmed", ADMIN_KEY).upload_documents([{"id": key, "group_ids": seen.get("groups", [])} for key, seen in DOCUMENTS.items()])


def trimmed(name):
    answer = requests.get("https://graph.microsoft.com/v1.0/me/transitiveMemberOf?$select=id", headers={"Authorization": "Bearer " + graph[name]})
    answer.raise_for_status()
    groups = ", ".join(group["id"] for group in answer.json()["value"])
    return ids(SearchClient(SERVICE, "trimmed", reader).search("*", filter=f"group_ids/any(g:search.in(g, '{groups}'))"))


say("filtered", trimmed("hanako"), trimmed("taro"))
attend("inner with hanako")
say("filtered again", trimmed("hanako"))
