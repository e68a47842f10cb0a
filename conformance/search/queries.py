"""Ranking by meaning, Japanese text, and a role of one index alone, with azure-search-documents. Prints what it sees of each step."""
import json
import os

from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import HttpResponseError
from azure.identity import ClientSecretCredential
from azure.search.documents import SearchClient
from azure.search.documents.indexes import SearchIndexClient
from azure.search.documents.indexes import models as m

SERVICE, ADMIN_KEY = os.environ["SERVICE"], AzureKeyCredential(os.environ["SERVICE_KEY"])
indexes, docs = SearchIndexClient(SERVICE, ADMIN_KEY), SearchClient(SERVICE, "hotels", ADMIN_KEY)


def say(step, *seen):
    print(f"{step}: {json.dumps(seen, default=dict, ensure_ascii=False)}", flush=True)


def refusal(act, *args, **more):
    """The status, the code and the first words of a refusal."""
    try:
        result = act(*args, **more)
        if hasattr(result, "__next__"):
            list(result)
    except HttpResponseError as e:
        return [e.status_code, e.error.code if e.error else "", (e.error.message if e.error else e.message)[:60]]
    return "allowed"


indexes.create_index(m.SearchIndex(
    name="hotels",
    fields=[m.SimpleField(name="id", type="Edm.String", key=True), m.SearchableField(name="Name"),
            m.SearchableField(name="Description", analyzer_name="en.lucene"), m.SearchableField(name="Japanese", analyzer_name="ja.lucene")],
    semantic_search=m.SemanticSearch(default_configuration_name="s", configurations=[m.SemanticConfiguration(
        name="s", prioritized_fields=m.SemanticPrioritizedFields(title_field=m.SemanticField(field_name="Name"), content_fields=[m.SemanticField(field_name="Description")]))])))
docs.upload_documents([
    {"id": "1", "Name": "City Hotel", "Description": "A grand hotel near Times Square. The lobby has free wifi and a bar.", "Japanese": "関西国際空港に近いホテル"},
    {"id": "2", "Name": "Old Inn", "Description": "Rest by the pool. Free fish each night; the wifi is slow.", "Japanese": "京都の古い旅館"}])
say("japanese", [t.token for t in indexes.analyze_text("hotels", m.AnalyzeTextOptions(text="関西国際空港に泊まる", analyzer_name="ja.lucene")).tokens],
    [[d["id"], d["@search.highlights"]["Japanese"]] for d in docs.search("空港", highlight_fields="Japanese")])
results = docs.search("free wifi in the lobby", query_type="semantic", query_caption="extractive", query_answer="extractive", semantic_configuration_name="s")
first = next(results)
say("semantic", first["id"], 0 < first["@search.reranker_score"] <= 4, first["@search.captions"][0].text, first["@search.captions"][0].highlights, [a.key for a in results.get_answers()])
say("a configuration that is not there", refusal(docs.search, "wifi", query_type="semantic", semantic_configuration_name="other"))

indexes.create_index(m.SearchIndex(name="other", fields=[m.SimpleField(name="id", type="Edm.String", key=True)]))
app = ClientSecretCredential(os.environ["AZURE_TENANT_ID"], os.environ["APP_ID"], os.environ["APP_SECRET"])
say("a role of one index", refusal(SearchClient(SERVICE, "hotels", app).get_document_count), refusal(SearchClient(SERVICE, "other", app).get_document_count))
