"""The story of definitions, documents and queries with azure-search-documents. Prints what it sees of each step."""
import json
import os
import uuid

import requests
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import HttpResponseError
from azure.identity import ClientSecretCredential
from azure.search.documents import SearchClient
from azure.search.documents.indexes import SearchIndexClient
from azure.search.documents.indexes import models as m
from azure.search.documents.models import VectorizedQuery

SERVICE, SERVICE_ID, ADMIN_KEY, QUERY_KEY, SUBSCRIPTION = (os.environ[name] for name in (
    "SERVICE", "SERVICE_ID", "SERVICE_KEY", "QUERY_KEY", "SUBSCRIPTION"))
owner = ClientSecretCredential(os.environ["AZURE_TENANT_ID"], os.environ["OWNER_ID"], os.environ["OWNER_SECRET"])
indexes = SearchIndexClient(SERVICE, AzureKeyCredential(ADMIN_KEY))
docs = SearchClient(SERVICE, "hotels", AzureKeyCredential(ADMIN_KEY))


def say(step, *seen):
    print(f"{step}: {json.dumps(seen, default=dict)}", flush=True)


def refusal(act, *args, **more):
    """The status, the code and the first words of a refusal."""
    try:
        result = act(*args, **more)
        if hasattr(result, "__next__"):
            list(result)
    except HttpResponseError as e:
        return [e.status_code, e.error.code if e.error else "", (e.error.message if e.error else e.message)[:60]]
    return "allowed"


def found(**query):
    return [d["id"] for d in docs.search(**query)]


names = m.SearchableField(name="Name", type="Edm.String", sortable=True)
fields = [
    m.SimpleField(name="id", type="Edm.String", key=True, sortable=True), names,
    m.SearchableField(name="Description", type="Edm.String", analyzer_name="en.lucene", synonym_map_names=["words"]),
    m.SearchableField(name="Japanese", type="Edm.String", analyzer_name="ja.lucene"),
    m.SearchableField(name="Code", type="Edm.String", analyzer_name="codes"),
    m.SearchField(name="Category", type="Edm.String", searchable=False, filterable=True, facetable=True, normalizer_name="lowercase"),
    m.SearchableField(name="Tags", type="Edm.String", collection=True, filterable=True, facetable=True),
    m.SimpleField(name="Rating", type="Edm.Double", filterable=True, sortable=True, facetable=True),
    m.SimpleField(name="Renovated", type="Edm.DateTimeOffset", filterable=True, sortable=True, facetable=True),
    m.SimpleField(name="Parking", type="Edm.Boolean", filterable=True),
    m.SimpleField(name="Location", type="Edm.GeographyPoint", filterable=True, sortable=True),
    m.ComplexField(name="Rooms", collection=True, fields=[
        m.SearchableField(name="Type", type="Edm.String", filterable=True), m.SimpleField(name="Rate", type="Edm.Double", filterable=True)]),
    m.SearchField(name="Vector", type="Collection(Edm.Single)", searchable=True, vector_search_dimensions=2, vector_search_profile_name="near"),
]
index = m.SearchIndex(
    name="hotels", fields=fields,
    suggesters=[m.SearchSuggester(name="sg", source_fields=["Name"])],
    analyzers=[m.CustomAnalyzer(name="codes", tokenizer_name="keyword_v2", token_filters=["lowercase"], char_filters=["dashes"])],
    char_filters=[m.MappingCharFilter(name="dashes", mappings=["-=>_"])],
    scoring_profiles=[m.ScoringProfile(name="rated", functions=[m.MagnitudeScoringFunction(
        field_name="Rating", boost=5, parameters=m.MagnitudeScoringParameters(boosting_range_start=1, boosting_range_end=5))])],
    semantic_search=m.SemanticSearch(default_configuration_name="s", configurations=[m.SemanticConfiguration(
        name="s", prioritized_fields=m.SemanticPrioritizedFields(title_field=m.SemanticField(field_name="Name"), content_fields=[m.SemanticField(field_name="Description")]))]),
    vector_search=m.VectorSearch(algorithms=[m.HnswAlgorithmConfiguration(name="hnsw")], profiles=[m.VectorSearchProfile(name="near", algorithm_configuration_name="hnsw")]))

say("synonym map", indexes.create_synonym_map(m.SynonymMap(name="words", synonyms=["pool, swimming bath"])).name, indexes.get_synonym_map_names())
made = indexes.create_index(index)
say("index", made.name, len(made.fields), list(indexes.list_index_names()), indexes.get_index("hotels").suggesters[0].name)
made.fields.append(m.SimpleField(name="Later", type="Edm.Int32", filterable=True))
say("a field more", len(indexes.create_or_update_index(made).fields))
made.fields[1].sortable = False
say("a field otherwise", refusal(indexes.create_or_update_index, made))
say("a wrong index", refusal(indexes.create_index, m.SearchIndex(name="bad", fields=[m.SimpleField(name="id", type="Edm.Int32", key=True)])))
say("analyze", [t.token for t in indexes.analyze_text("hotels", m.AnalyzeTextOptions(text="The Hotels' pools", analyzer_name="en.lucene")).tokens])
say("alias", indexes.create_alias(m.SearchAlias(name="inns", indexes=["hotels"])).indexes, [a.name for a in indexes.list_aliases()])

results = docs.upload_documents([
    {"id": "1", "Name": "Stay-Kay City Hotel", "Description": "A grand hotel near Times Square. The lobby has free wifi and a bar.", "Japanese": "関西国際空港に近いホテル", "Code": "AB-1",
     "Category": "Boutique", "Tags": ["wifi", "bar"], "Rating": 3.6, "Renovated": "2001-01-18T00:00:00Z", "Parking": False,
     "Location": {"type": "Point", "coordinates": [-73.97, 40.76]}, "Rooms": [{"Type": "Budget Room", "Rate": 96.9}, {"Type": "Deluxe Room", "Rate": 242.5}], "Vector": [1, 0]},
    {"id": "2", "Name": "Old Carrabelle Inn", "Description": "Rest by the pool, or walk to the beach. Fresh fish each night.", "Category": "boutique", "Tags": ["pool", "free parking"],
     "Rating": 4.2, "Renovated": "2022-01-01T00:00:00Z", "Parking": True, "Location": {"type": "Point", "coordinates": [-82.45, 27.38]}, "Rooms": [{"Type": "Suite", "Rate": 110.0}], "Vector": [0.9, 0.1]},
    {"id": "3", "Name": "Gastronomic Landscape", "Description": "Great cooking in a luxury resort with a swimming bath.", "Category": "Resort", "Tags": ["restaurant", "bar"],
     "Rating": 4.8, "Parking": True, "Vector": [0, 1]}])
say("documents", [[r.key, r.succeeded, r.status_code] for r in results])
results = docs.merge_documents([{"id": "3", "Later": 7}, {"id": "9", "Later": 1}])
say("some of a batch", [[r.key, r.succeeded, r.status_code] for r in results])
say("a batch more", [[r.key, r.status_code] for r in docs.merge_or_upload_documents([{"id": "4", "Name": "Gone"}])], [[r.key, r.status_code] for r in docs.delete_documents([{"id": "4"}])])
say("lookup", docs.get_document("3", selected_fields=["id", "Later"]), docs.get_document_count(), refusal(docs.get_document, "4"))
say("a wrong document", refusal(docs.upload_documents, [{"id": "5", "Rating": "high"}]), refusal(docs.upload_documents, [{"id": "5", "None": 1}]))

say("simple", found(search_text="wifi"), sorted(found(search_text="hotel beach")), found(search_text="bar +wifi", search_mode="all"), found(search_text='"times square"'), found(search_text="gastro*"))
say("full", found(search_text="Name:inn", query_type="full"), found(search_text="carabelle~", query_type="full"), found(search_text="/[gl]a.*scape/", query_type="full"),
    found(search_text='"grand times"~3', query_type="full"), refusal(docs.search, "Name:(", query_type="full"))
say("analyzed", found(search_text="空港"), found(search_text="ab_1", search_fields=["Code"]), sorted(found(search_text="pool")))
say("filters", found(filter="Category eq 'BOUTIQUE'", order_by=["id"]), found(filter="Rooms/any(r: r/Rate lt 100 and r/Type eq 'Budget Room')"),
    found(filter="Tags/any(t: search.in(t, 'pool,restaurant', ','))", order_by=["id"]), found(filter="geo.distance(Location, geography'POINT(-73.98 40.75)') le 5"),
    found(filter="search.ismatch('swimming') and Rating gt 4.5"), refusal(docs.search, filter="Nothing eq 1"))
say("order", found(order_by=["Rating desc"]), found(order_by=["Renovated"], top=2), found(order_by=["Rating"], skip=1, top=1), found(scoring_profile="rated"))
results = docs.search("wifi pool", facets=["Category", "Rating,interval:1", "Tags,count:1,sort:value"], include_total_count=True, highlight_fields="Description", minimum_coverage=100, select=["id"])
page = {d["id"]: d["@search.highlights"] for d in results}
say("facets", results.get_facets(), results.get_count(), results.get_coverage())
say("highlights", page)
say("suggest", docs.suggest("carr", "sg", select=["Rating"], highlight_pre_tag="[", highlight_post_tag="]"), docs.suggest("carabelle", "sg", use_fuzzy_matching=True))
say("autocomplete", [a["text"] for a in docs.autocomplete("ci", "sg")], [a["text"] for a in docs.autocomplete("ci", "sg", mode="twoTerms")])
near = VectorizedQuery(vector=[1, 0], k_nearest_neighbors=2, fields="Vector")
say("vectors", found(vector_queries=[near]), found(search_text="restaurant", vector_queries=[near]), found(vector_queries=[near], filter="Parking", vector_filter_mode="preFilter"),
    refusal(docs.search, vector_queries=[VectorizedQuery(vector=[1, 0, 0], k_nearest_neighbors=2, fields="Vector")]))
results = docs.search("free wifi lobby", query_type="semantic", query_caption="extractive", query_answer="extractive", semantic_configuration_name="s")
first = next(results)
say("semantic", first["id"], 0 < first["@search.reranker_score"] <= 4, first["@search.captions"][0].text, [a.key for a in results.get_answers()])
docs.upload_documents([{"id": f"p{i:03}", "Name": "Page", "Rating": float(i)} for i in range(120)])
results = docs.search("page", order_by=["Rating"])
say("pages", [len(list(p)) for p in results.by_page()])
say("statistics", indexes.get_index_statistics("hotels").document_count, indexes.get_service_statistics().counters.index_counter.usage)

reader = SearchClient(SERVICE, "hotels", AzureKeyCredential(QUERY_KEY))
say("query key", reader.get_document_count(), refusal(reader.upload_documents, [{"id": "5"}]), refusal(SearchIndexClient(SERVICE, AzureKeyCredential(QUERY_KEY)).get_index, "hotels"),
    refusal(SearchClient(SERVICE, "hotels", AzureKeyCredential("A" * 52)).get_document_count))
app = ClientSecretCredential(os.environ["AZURE_TENANT_ID"], os.environ["APP_ID"], os.environ["APP_SECRET"])
by_token = SearchClient(SERVICE, "hotels", app), SearchIndexClient(SERVICE, app)
ways = {
    "reads documents": lambda: by_token[0].get_document_count(),
    "writes documents": lambda: by_token[0].merge_or_upload_documents([{"id": "1", "Later": 1}]),
    "reads indexes": lambda: by_token[1].get_index("hotels"),
    "writes indexes": lambda: by_token[1].create_or_update_synonym_map(m.SynonymMap(name="words", synonyms=["pool, swimming bath"])),
    "reads documents of another index": lambda: SearchClient(SERVICE, "other", app).get_document_count(),
}
indexes.create_index(m.SearchIndex(name="other", fields=[m.SimpleField(name="id", type="Edm.String", key=True)]))


def role(definition, scope, given, name=uuid.uuid4()):
    token = owner.get_token("https://management.azure.com/.default").token
    requests.request(
        "PUT" if given else "DELETE", f"https://management.azure.com{scope}/providers/Microsoft.Authorization/roleAssignments/{name}?api-version=2022-04-01",
        headers={"Authorization": "Bearer " + token}, json={"properties": {
            "roleDefinitionId": f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{definition}",
            "principalId": os.environ["APP_OBJECT"], "principalType": "ServicePrincipal"}} if given else None).raise_for_status()


for name, definition, scope in (
        ("nothing", "", ""),
        ("Owner", "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", SERVICE_ID),
        ("Contributor", "b24988ac-6180-42a0-ab88-20f7382dd24c", SERVICE_ID),
        ("Reader", "acdd72a7-3385-48ef-bd42-f606fba81ae7", SERVICE_ID),
        ("Search Service Contributor", "7ca78c08-252a-4471-8644-bb5ff32d4ba0", SERVICE_ID),
        ("Search Index Data Contributor", "8ebe5a00-799e-43f5-93ac-243d3dce84a7", SERVICE_ID),
        ("Search Index Data Reader", "1407120a-92aa-4202-b7e9-c0e197c71c8f", SERVICE_ID),
        ("Search Index Data Reader of one index", "1407120a-92aa-4202-b7e9-c0e197c71c8f", SERVICE_ID + "/indexes/hotels")):
    if definition:
        role(definition, scope, True)
    say("as " + name, [what for what, act in ways.items() if refusal(act) == "allowed"])
    if definition:
        role(definition, scope, False)

indexes.delete_alias("inns")
indexes.delete_index("hotels")
say("deleted", list(indexes.list_index_names()), refusal(indexes.get_index, "hotels"))
