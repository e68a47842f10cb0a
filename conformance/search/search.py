"""The story of AI Search with azure-search-documents 12 and 11: indexes, documents,
queries, errors, keys and roles. Prints what it sees of each step.

The documents, hotels.json, are made for this story, in the schema of Azure's hotels sample."""
import json
import os

from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import HttpResponseError
from azure.identity import ClientSecretCredential
from azure.search.documents import SearchClient
from azure.search.documents.indexes import SearchIndexClient, models
from azure.search.documents.indexes.models import (
    AnalyzeTextOptions, BinaryQuantizationCompression, BM25SimilarityAlgorithm, ComplexField, CorsOptions, CustomAnalyzer, CustomNormalizer,
    DistanceScoringFunction, DistanceScoringParameters, ExhaustiveKnnAlgorithmConfiguration, FreshnessScoringFunction,
    FreshnessScoringParameters, HnswAlgorithmConfiguration, HnswParameters, LexicalAnalyzerName, MagnitudeScoringFunction,
    MagnitudeScoringParameters, MappingCharFilter, PatternTokenizer, RescoringOptions, ScalarQuantizationCompression, ScoringProfile,
    SearchableField, SearchField, SearchIndex, SearchSuggester, SemanticConfiguration, SemanticField, SemanticPrioritizedFields,
    SemanticSearch, SimpleField, SynonymMap, TagScoringFunction, TagScoringParameters, TextWeights, VectorSearch, VectorSearchProfile)
from azure.search.documents.models import VectorizedQuery

SERVICE, DOOR = os.environ["SERVICE"], os.environ["DOOR_URL"]
authority = {"authority": DOOR, "disable_instance_discovery": True} if DOOR else {}
admin = AzureKeyCredential(os.environ["SERVICE_KEY"])
indexes, hotels = SearchIndexClient(SERVICE, admin), SearchClient(SERVICE, "hotels", admin)


def say(step, *seen):
    print(f"{step}: {json.dumps(seen, default=dict)}", flush=True)


def refusal(act, *args, **kwargs):
    """The exception's class, the status and the code of a refusal."""
    try:
        act(*args, **kwargs)
    except HttpResponseError as e:
        return [type(e).__name__, e.status_code, e.error.code if e.error else None]
    return "allowed"


def ids(text="*", **kwargs):
    return [d["HotelId"] for d in hotels.search(text, **kwargs)]


def every(text="*", **kwargs):
    """Those whose order is not promised."""
    return sorted(ids(text, **kwargs))


def either(answer, *names):
    """What 12 names as the service does, and 11 as Python does."""
    return next(answer[name] for name in names if name in answer)


indexes.create_synonym_map(SynonymMap(name="words", synonyms=["hound, dog"]))
index = SearchIndex(
    name="hotels",
    fields=[
        SimpleField(name="HotelId", type="Edm.String", key=True, filterable=True, sortable=True),
        SearchableField(name="HotelName", sortable=True),
        SearchableField(name="Description", analyzer_name=LexicalAnalyzerName.EN_LUCENE, synonym_map_names=["words"]),
        SearchableField(name="Code", analyzer_name="codes"),
        SearchField(name="Category", type="Edm.String", searchable=True, filterable=True, facetable=True, sortable=True, normalizer_name="plain"),
        SearchableField(name="Tags", collection=True, filterable=True, facetable=True),
        SimpleField(name="ParkingIncluded", type="Edm.Boolean", filterable=True, facetable=True),
        SimpleField(name="LastRenovationDate", type="Edm.DateTimeOffset", filterable=True, sortable=True, facetable=True),
        SimpleField(name="Rating", type="Edm.Double", filterable=True, sortable=True, facetable=True),
        SimpleField(name="Floors", type="Edm.Int32", filterable=True, sortable=True, facetable=True),
        SimpleField(name="Visits", type="Edm.Int64", filterable=True),
        SimpleField(name="Location", type="Edm.GeographyPoint", filterable=True, sortable=True),
        ComplexField(name="Address", fields=[SearchableField(name="City", filterable=True, facetable=True)]),
        ComplexField(name="Rooms", collection=True, fields=[
            SearchableField(name="Type", filterable=True), SimpleField(name="BaseRate", type="Edm.Double", filterable=True)]),
        SearchField(name="Vector", type="Collection(Edm.Single)", searchable=True, vector_search_dimensions=2, vector_search_profile_name="hnsw"),
        SearchField(name="Exact", type="Collection(Edm.Single)", searchable=True, hidden=True, vector_search_dimensions=2, vector_search_profile_name="knn"),
    ],
    analyzers=[CustomAnalyzer(name="codes", tokenizer_name="bars", char_filters=["dashes"], token_filters=["lowercase"])],
    tokenizers=[PatternTokenizer(name="bars", pattern="\\|")], char_filters=[MappingCharFilter(name="dashes", mappings=["-=>|"])],
    normalizers=[CustomNormalizer(name="plain", token_filters=["lowercase", "asciifolding"])],
    suggesters=[SearchSuggester(name="sg", source_fields=["HotelName", "Address/City"])],
    scoring_profiles=[
        ScoringProfile(name="names", text_weights=TextWeights(weights={"HotelName": 50, "Description": 1})),
        ScoringProfile(name="rated", functions=[MagnitudeScoringFunction(
            field_name="Rating", boost=100, parameters=MagnitudeScoringParameters(boosting_range_start=1, boosting_range_end=5))]),
        ScoringProfile(name="near", functions=[DistanceScoringFunction(
            field_name="Location", boost=100, parameters=DistanceScoringParameters(reference_point_parameter="here", boosting_distance=1000))]),
        ScoringProfile(name="new", functions=[FreshnessScoringFunction(
            field_name="LastRenovationDate", boost=100, parameters=FreshnessScoringParameters(boosting_duration="P36500D"))]),
        ScoringProfile(name="tagged", functions=[TagScoringFunction(
            field_name="Tags", boost=100, parameters=TagScoringParameters(tags_parameter="likes"))]),
    ],
    semantic_search=SemanticSearch(configurations=[SemanticConfiguration(name="meaning", prioritized_fields=SemanticPrioritizedFields(
        title_field=SemanticField(field_name="HotelName"), content_fields=[SemanticField(field_name="Description")]))]),
    vector_search=VectorSearch(
        algorithms=[HnswAlgorithmConfiguration(name="graph"), ExhaustiveKnnAlgorithmConfiguration(name="scan")],
        compressions=[ScalarQuantizationCompression(compression_name="small")],
        profiles=[VectorSearchProfile(name="hnsw", algorithm_configuration_name="graph", compression_name="small"),
                  VectorSearchProfile(name="knn", algorithm_configuration_name="scan")]))
made = indexes.create_index(index)
say("index", made.name, [f.name for f in made.fields] == [f.name for f in index.fields], [s.name for s in made.scoring_profiles],
    made.semantic_search.configurations[0].name, indexes.get_index("hotels").vector_search.profiles[0].compression_name, list(indexes.list_index_names()))
say("index again", refusal(indexes.create_index, index))
made.fields.append(SimpleField(name="Added", type="Edm.String", filterable=True))
added = indexes.create_or_update_index(made)
made = indexes.get_index("hotels")
made.fields[9].type = "Edm.String"
say("update rules", added.fields[-1].name, refusal(indexes.create_or_update_index, made))
say("analyze",
    [t.token for t in indexes.analyze_text("hotels", AnalyzeTextOptions(text="AB-cd|EF", analyzer_name="codes")).tokens],
    [t.token for t in indexes.analyze_text("hotels", AnalyzeTextOptions(text="The dogs were running", analyzer_name="en.lucene")).tokens],
    refusal(indexes.analyze_text, "hotels", AnalyzeTextOptions(text="x", analyzer_name="none")))
words = indexes.get_synonym_map("words")
words.synonyms = ["hound, dog", "cheap => budget", "shelter, quiet inn"]
say("synonym map", indexes.create_or_update_synonym_map(words).synonyms, indexes.get_synonym_map_names(), refusal(indexes.get_synonym_map, "none"))

with open(os.environ["HOTELS"], encoding="utf-8") as file:
    DOCUMENTS = json.load(file)
say("upload", [[r.key, r.succeeded, r.status_code] for r in hotels.upload_documents(DOCUMENTS)], hotels.get_document_count())
say("merge", [[r.key, r.succeeded, r.status_code, bool(r.error_message)] for r in hotels.merge_documents([{"HotelId": "4", "Floors": 2}, {"HotelId": "none", "Floors": 1}])],
    hotels.get_document("4", selected_fields=["HotelName", "Floors"]))
say("merge or upload", [r.status_code for r in hotels.merge_or_upload_documents([{"HotelId": "4", "Added": "yes"}, {"HotelId": "5", "HotelName": "Short"}])], every(filter="Added eq 'yes'"))
say("delete", [r.status_code for r in hotels.delete_documents([{"HotelId": "5"}, {"HotelId": "none"}])], hotels.get_document_count())
found = hotels.get_document("1")
say("lookup", str(found["Visits"]), found["Rooms"], found["Address"], found["LastRenovationDate"], found["Tags"], "Exact" in found, refusal(hotels.get_document, "none"))

say("simple", every("pool"), every("pool -garden", search_mode="all"), every('"old trees"'), every("lan*"), every("hound"), every("small trees"), every("small trees", search_mode="all"))
say("search fields", every("pool", search_fields=["HotelName"]), every("bc", search_fields=["Code"]), every("suite", search_fields=["Rooms/Type"]))
say("full", every("HotelName:lantern AND NOT yard", query_type="full"), every("lanten~1", query_type="full"), every('"garden trees"~2', query_type="full"),
    every("/gard.*/", query_type="full"), ids("pool^5 OR HotelName:garden^50", query_type="full")[0])
say("comparison", every(filter="Rating ge 3.5"), every(filter="Rating eq null"), every(filter="not (Floors gt 3) and ParkingIncluded"),
    every(filter="Category eq 'RESORT'"), every(filter="LastRenovationDate lt 2015-01-01T00:00:00Z or HotelId eq '4'"), every(filter="Visits eq 9007199254740993"))
say("collections", every(filter="Tags/any(t: t eq 'wifi')"), every(filter="Tags/all(t: t ne 'pool')"), every(filter="not Tags/any()"),
    every(filter="Rooms/any(r: r/Type eq 'Single' and r/BaseRate lt 80.0)"), every(filter="Tags/any(t: search.in(t, 'view,pool'))"), every(filter="search.in(HotelId, '1|4', '|')"))
say("geography", every(filter="geo.distance(Location, geography'POINT(139.7 35.7)') le 450"),
    every(filter="geo.intersects(Location, geography'POLYGON((134 34, 140 34, 140 36, 134 36, 134 34))')"))
say("ismatch", every(filter="search.ismatch('lantern') and Floors le 2"), every(filter="search.ismatchscoring('pool', 'HotelName')"))
say("order", ids(order_by=["Rating desc"]), ids(order_by=["Category asc", "HotelId desc"]), ids(order_by=["geo.distance(Location, geography'POINT(141 43)') asc"])[:3])
say("select", list(hotels.search("*", filter="HotelId eq '2'", select=["HotelId", "Address/City"]))[0]["Address"], ids(order_by=["HotelId"], top=2, skip=1),
    [[d["HotelId"] for d in page] for page in hotels.search("*", order_by=["HotelId"], top=2).by_page()])
answer = hotels.search("*", include_total_count=True, minimum_coverage=80, top=0, facets=["Category,sort:value", "Rating,interval:2", "Floors,values:3|6", "Tags,count:1", "LastRenovationDate,interval:year"])
facets = answer.get_facets()
say("facets", answer.get_count(), answer.get_coverage(), facets)
say("highlights", *([d["@search.highlights"] for d in hotels.search(text, highlight_fields="Description", highlight_pre_tag="<b>", highlight_post_tag="</b>")] for text in ("trees", "shelter")))
say("suggest", [[d["HotelId"], either(d, "@search.text", "text")] for d in hotels.suggest("harb", "sg", highlight_pre_tag="[", highlight_post_tag="]")], [[d["HotelId"], d["Rating"]] for d in hotels.suggest("hagbour", "sg", use_fuzzy_matching=True, select=["HotelId", "Rating"])],
    [d["HotelId"] for d in hotels.suggest("lan", "sg", filter="Floors eq 2")], refusal(hotels.suggest, "x", "none"))
say("autocomplete", [a["text"] for a in hotels.autocomplete("gar", "sg")], [either(a, "queryPlusText", "query_plus_text") for a in hotels.autocomplete("harbour lan", "sg", mode="oneTermWithContext")],
    sorted(a["text"] for a in hotels.autocomplete("lan", "sg", mode="twoTerms")))


def vector(values=(1.0, 0.0), field="Vector", k=2, **more):
    return VectorizedQuery(vector=list(values), fields=field, k_nearest_neighbors=k, **more)


say("vector", ids(None, vector_queries=[vector()]), ids(None, vector_queries=[vector(field="Exact", k=3)]), ids(None, vector_queries=[vector(exhaustive=True)]),
    refusal(ids, None, vector_queries=[vector(values=(1.0, 0.0, 0.0))]))
say("filter modes", ids(None, vector_queries=[vector()], filter="Floors le 5", vector_filter_mode="preFilter"),
    ids(None, vector_queries=[vector()], filter="Floors le 5", vector_filter_mode="postFilter"))
# Reciprocal rank fusion: the sum of 1 / (k + rank), k = 60. The service counts ranks from 0.
fused = {d["HotelId"]: d["@search.score"] for d in hotels.search("corner", vector_queries=[vector()])}
several = {d["HotelId"]: d["@search.score"] for d in hotels.search(None, vector_queries=[vector(), vector(values=(0.0, 1.0), weight=2.0)])}
say("fusion", sorted(fused), list(fused)[0], list(several)[0], round(fused["2"] - fused["1"], 6), {i: round(s, 6) for i, s in several.items()})
results = hotels.search("a garden of trees", query_type="semantic", semantic_configuration_name="meaning", query_caption="extractive", query_answer="extractive")
first = next(results)
say("semantic", first["HotelId"], 0 < first["@search.reranker_score"] <= 4, first["@search.captions"][0].text, first["@search.captions"][0].highlights,
    [a.key for a in results.get_answers()], refusal(ids, "trees", query_type="semantic", semantic_configuration_name="other"))
say("profiles", ids("pool", scoring_profile="names")[0], ids(scoring_profile="rated")[0], ids(scoring_profile="near", scoring_parameters=["here-135.5,34.7"])[0],
    ids(scoring_profile="new")[0], ids(scoring_profile="tagged", scoring_parameters=["likes-view"])[0], refusal(ids, scoring_profile="near"))
say("errors", refusal(ids, filter="Rating gt"), refusal(ids, filter="None eq 1"), refusal(ids, order_by=["Description"]), refusal(ids, "a AND (", query_type="full"),
    refusal(ids, top=-1), refusal(hotels.upload_documents, [{"HotelId": "6", "Rating": "high"}]), refusal(hotels.upload_documents, [{"HotelName": "no key"}]),
    refusal(indexes.get_index, "none"), refusal(SearchClient(SERVICE, "none", admin).get_document_count))

if hasattr(models, "SearchAlias"):  # of 12
    indexes.create_alias(models.SearchAlias(name="stay", indexes=["hotels"]))
    say("alias", indexes.get_alias("stay").indexes, SearchClient(SERVICE, "stay", admin).get_document_count(), [a.name for a in indexes.list_aliases()],
        indexes.create_or_update_alias(models.SearchAlias(name="stay", indexes=["hotels"])).name, indexes.delete_alias("stay"), refusal(indexes.get_alias, "stay"))
say("statistics", either(indexes.get_index_statistics("hotels"), "documentCount", "document_count"), either(indexes.get_service_statistics()["counters"], "indexesCount", "index_counter")["usage"])

query = AzureKeyCredential(os.environ["QUERY_KEY"])
say("query key", SearchClient(SERVICE, "hotels", query).get_document_count(), refusal(SearchClient(SERVICE, "hotels", query).upload_documents, DOCUMENTS),
    refusal(SearchIndexClient(SERVICE, query).get_index, "hotels"), refusal(SearchClient(SERVICE, "hotels", AzureKeyCredential("wrong")).get_document_count))
for role in json.loads(os.environ["ROLES"]):
    who = ClientSecretCredential(os.environ["AZURE_TENANT_ID"], role["app"], role["secret"], **authority)
    its, definitions = SearchClient(SERVICE, "hotels", who), SearchIndexClient(SERVICE, who)
    say(role["name"], *("allowed" if seen == "allowed" else seen[1:] for seen in (
        refusal(definitions.get_index, "hotels"), refusal(definitions.create_or_update_synonym_map, words),
        refusal(its.get_document_count), refusal(its.merge_documents, [{"HotelId": "4", "Floors": 2}]))))
hotels.upload_documents([{"HotelId": f"many{i:03}"} for i in range(120)])
say("paging", [len(list(page)) for page in hotels.search("*", order_by=["HotelId"]).by_page()], len(set(ids(order_by=["HotelId"]))))
kinds = SearchIndex(
    name="kinds",
    fields=[
        SimpleField(name="id", type="Edm.String", key=True, sortable=True), SearchableField(name="Text", index_analyzer_name="whitespace", search_analyzer_name="keyword"),
        *(SimpleField(name=name, type=f"Collection({of})", filterable=True) for name, of in (
            ("Numbers", "Edm.Int32"), ("Big", "Edm.Int64"), ("Rates", "Edm.Double"), ("Flags", "Edm.Boolean"), ("Dates", "Edm.DateTimeOffset"), ("Places", "Edm.GeographyPoint"))),
        SearchField(name="Half", type="Collection(Edm.Half)", searchable=True, stored=False, hidden=True, vector_search_dimensions=2, vector_search_profile_name="bits"),
        SearchField(name="Short", type="Collection(Edm.Int16)", searchable=True, vector_search_dimensions=2, vector_search_profile_name="graph"),
        SearchField(name="Tiny", type="Collection(Edm.SByte)", searchable=True, vector_search_dimensions=2, vector_search_profile_name="graph"),
        SearchField(name="Bits", type="Collection(Edm.Byte)", searchable=True, vector_search_dimensions=16, vector_search_profile_name="packed", vector_encoding_format="packedBit")],
    similarity=BM25SimilarityAlgorithm(k1=1.3, b=0.5), cors_options=CorsOptions(allowed_origins=["https://contoso.com"], max_age_in_seconds=60),
    vector_search=VectorSearch(
        algorithms=[HnswAlgorithmConfiguration(name="g", parameters=HnswParameters(metric="euclidean")), HnswAlgorithmConfiguration(name="h", parameters=HnswParameters(metric="hamming"))],
        compressions=[BinaryQuantizationCompression(compression_name="binary", rescoring_options=RescoringOptions(enable_rescoring=True, default_oversampling=2))],
        profiles=[VectorSearchProfile(name="bits", algorithm_configuration_name="g", compression_name="binary"), VectorSearchProfile(name="graph", algorithm_configuration_name="g"),
                  VectorSearchProfile(name="packed", algorithm_configuration_name="h")]))
indexes.create_index(kinds)
made = indexes.get_index("kinds")
say("kinds", [f.type for f in made.fields], [made.fields[1].search_analyzer_name, made.fields[1].index_analyzer_name], [made.similarity.k1, made.similarity.b],
    [made.cors_options.allowed_origins, made.cors_options.max_age_in_seconds],
    [made.fields[8].stored, made.fields[11].vector_encoding_format, made.vector_search.algorithms[1].parameters.metric, made.vector_search.compressions[0].rescoring_options.default_oversampling])
many = SearchClient(SERVICE, "kinds", admin)
with open(os.environ["KINDS"], encoding="utf-8") as file:
    many.upload_documents(json.load(file))


def kind(text="*", **kwargs):
    return [d["id"] for d in many.search(text, **kwargs)]


say("of each kind", kind("Wi-Fi"), *(kind(filter=f) for f in (
    "Numbers/any(n: n gt 1)", "Big/any(n: n eq 9007199254740991)", "Rates/any(n: n lt 1)", "Flags/any(f: f)", "Dates/any(d: d lt 2021-01-01T00:00:00Z)",
    "Places/any(p: geo.distance(p, geography'POINT(139.7 35.7)') le 10)")),
    *(kind(None, vector_queries=[vector(values, field)]) for field, values in (("Half", (1, 0)), ("Short", (100, -100)), ("Tiny", (100, -100)), ("Bits", (240, 0)))),
    [refusal(many.upload_documents, [{"id": "3", "Tiny": [128, 0]}])])
indexes.delete_index("kinds")
indexes.delete_index("hotels")
indexes.delete_synonym_map("words")
say("deleted", refusal(indexes.get_index, "hotels"), list(indexes.list_index_names()), indexes.get_synonym_map_names())
