import com.azure.core.credential.AzureKeyCredential;
import com.azure.core.credential.TokenCredential;
import com.azure.core.exception.HttpResponseException;
import com.azure.core.util.BinaryData;
import com.azure.core.util.Context;
import com.azure.core.models.GeoPoint;
import com.azure.identity.ClientSecretCredentialBuilder;
import com.azure.search.documents.SearchClient;
import com.azure.search.documents.SearchClientBuilder;
import com.azure.search.documents.SearchDocument;
import com.azure.search.documents.indexes.SearchIndexClient;
import com.azure.search.documents.indexes.SearchIndexClientBuilder;
import com.azure.search.documents.indexes.models.*;
import com.azure.search.documents.models.*;
import com.azure.search.documents.util.SearchPagedIterable;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;

/** The story of AI Search with azure-search-documents, as search.py tells it. Prints what it sees of each step. */
public class Search {
    static final String URL = env("SERVICE");
    static final AzureKeyCredential ADMIN = new AzureKeyCredential(env("SERVICE_KEY")), QUERY = new AzureKeyCredential(env("QUERY_KEY"));
    static final SearchIndexClient INDEXES = definitions(ADMIN);
    static final SearchClient HOTELS = documents("hotels", ADMIN);

    static String env(String name) {
        return System.getenv(name);
    }

    static SearchIndexClient definitions(AzureKeyCredential key) {
        return new SearchIndexClientBuilder().endpoint(URL).credential(key).buildClient();
    }

    static SearchClient documents(String index, AzureKeyCredential key) {
        return new SearchClientBuilder().endpoint(URL).indexName(index).credential(key).buildClient();
    }

    static void say(String step, Object... seen) {
        System.out.println(step + ": " + BinaryData.fromObject(seen));
    }

    interface Act {
        void run();
    }

    static final Pattern CODE = Pattern.compile("\"code\":\\s*\"([^\"]*)\"");

    /** The class, the status and the code of a refusal. The code is in the message alone. */
    static List<Object> refusal(Act act) {
        try {
            act.run();
        } catch (HttpResponseException e) {
            Matcher code = CODE.matcher(e.getMessage());
            return Arrays.asList(e.getClass().getSimpleName(), e.getResponse().getStatusCode(), code.find() ? code.group(1) : null);
        }
        return List.of("allowed");
    }

    static <T, R> List<R> each(Iterable<T> list, Function<T, R> seen) {
        return StreamSupport.stream(list.spliterator(), false).map(seen).collect(Collectors.toList());
    }

    static SearchOptions options() {
        return new SearchOptions();
    }

    static SearchPagedIterable search(String text, SearchOptions options) {
        return HOTELS.search(text, options, Context.NONE);
    }

    static String id(SearchResult hit) {
        return (String) hit.getDocument(SearchDocument.class).get("HotelId");
    }

    static List<String> ids(String text, SearchOptions options) {
        return each(search(text, options), Search::id);
    }

    /** Those whose order is not promised. */
    static List<String> every(String text, SearchOptions options) {
        return ids(text, options).stream().sorted().collect(Collectors.toList());
    }

    static List<String> every(String text) {
        return every(text, options());
    }

    static List<String> filtered(String filter) {
        return every("*", options().setFilter(filter));
    }

    static List<String> ordered(String... by) {
        return ids("*", options().setOrderBy(by));
    }

    static List<List<String>> pages(SearchOptions options) {
        return search("*", options).streamByPage().map(page -> each(page.getValue(), Search::id)).collect(Collectors.toList());
    }

    static SearchOptions full() {
        return options().setQueryType(QueryType.FULL);
    }

    static SearchOptions whole() {
        return options().setSearchMode(SearchMode.ALL);
    }

    static VectorizedQuery vector(float x, float y) {
        return new VectorizedQuery(List.of(x, y)).setFields("Vector").setKNearestNeighborsCount(2);
    }

    static SearchOptions vectors(VectorQuery... queries) {
        return options().setVectorSearchOptions(new VectorSearchOptions().setQueries(queries));
    }

    static SearchOptions mode(VectorFilterMode mode) {
        return options().setVectorSearchOptions(new VectorSearchOptions().setQueries(vector(1, 0)).setFilterMode(mode)).setFilter("Floors le 5");
    }

    static SearchOptions meaning(String configuration) {
        return options().setQueryType(QueryType.SEMANTIC).setSemanticSearchOptions(new SemanticSearchOptions().setSemanticConfigurationName(configuration)
            .setQueryCaption(new QueryCaption(QueryCaptionType.EXTRACTIVE)).setQueryAnswer(new QueryAnswer(QueryAnswerType.EXTRACTIVE)));
    }

    static double rounded(double score) {
        return Math.round(score * 1e6) / 1e6;
    }

    static String first(SearchOptions options) {
        return ids("*", options).get(0);
    }

    static SearchOptions profile(String name, ScoringParameter... parameters) {
        return options().setScoringProfile(name).setScoringParameters(parameters);
    }

    static List<Map<String, Object>> facets(List<FacetResult> of) {
        return each(of, one -> {
            Map<String, Object> facet = new TreeMap<>(one.getAdditionalProperties());
            facet.put("count", one.getCount());
            return facet;
        });
    }

    static List<String> analyzed(String text, LexicalAnalyzerName analyzer) {
        return each(INDEXES.analyzeText("hotels", new AnalyzeTextOptions(text, analyzer)), AnalyzedTokenInfo::getToken);
    }

    static List<Map<String, List<String>>> highlights(String text) {
        return each(search(text, options().setHighlightFields("Description").setHighlightPreTag("<b>").setHighlightPostTag("</b>")), SearchResult::getHighlights);
    }

    static <T> List<T> suggested(String text, SuggestOptions options, BiFunction<SearchDocument, String, T> seen) {
        return each(HOTELS.suggest(text, "sg", options, Context.NONE), one -> seen.apply(one.getDocument(SearchDocument.class), one.getText()));
    }

    static List<AutocompleteItem> completed(String text, AutocompleteMode mode) {
        return each(HOTELS.autocomplete(text, "sg", new AutocompleteOptions().setAutocompleteMode(mode), Context.NONE), Function.identity());
    }

    static List<IndexingResult> merged(Map<?, ?>... documents) {
        try {
            return HOTELS.mergeDocuments(List.of(documents)).getResults();
        } catch (IndexBatchException e) { // some of them are not
            return e.getIndexingResults();
        }
    }

    static SearchField field(String name, SearchFieldDataType type) {
        return new SearchField(name, type);
    }

    /** What is not said, the service takes as wished for. */
    static SearchField text(String name) {
        return field(name, SearchFieldDataType.STRING).setSearchable(true).setSortable(false);
    }

    static SearchIndex index() {
        CustomNormalizer plain = new CustomNormalizer("plain").setTokenFilters(List.of(TokenFilterName.LOWERCASE, TokenFilterName.ASCII_FOLDING));
        return new SearchIndex("hotels", List.of(
            field("HotelId", SearchFieldDataType.STRING).setKey(true).setFilterable(true).setSortable(true),
            text("HotelName").setSortable(true),
            text("Description").setAnalyzerName(LexicalAnalyzerName.EN_LUCENE).setSynonymMapNames("words"),
            text("Code").setAnalyzerName(LexicalAnalyzerName.fromString("codes")),
            text("Category").setFilterable(true).setFacetable(true).setSortable(true).setNormalizerName(LexicalNormalizerName.fromString("plain")),
            field("Tags", SearchFieldDataType.collection(SearchFieldDataType.STRING)).setSearchable(true).setFilterable(true).setFacetable(true),
            field("ParkingIncluded", SearchFieldDataType.BOOLEAN).setFilterable(true).setFacetable(true),
            field("LastRenovationDate", SearchFieldDataType.DATE_TIME_OFFSET).setFilterable(true).setSortable(true).setFacetable(true),
            field("Rating", SearchFieldDataType.DOUBLE).setFilterable(true).setSortable(true).setFacetable(true),
            field("Floors", SearchFieldDataType.INT32).setFilterable(true).setSortable(true).setFacetable(true),
            field("Visits", SearchFieldDataType.INT64).setFilterable(true),
            field("Location", SearchFieldDataType.GEOGRAPHY_POINT).setFilterable(true).setSortable(true),
            field("Address", SearchFieldDataType.COMPLEX).setFields(text("City").setFilterable(true).setFacetable(true)),
            field("Rooms", SearchFieldDataType.collection(SearchFieldDataType.COMPLEX)).setFields(text("Type").setFilterable(true), field("BaseRate", SearchFieldDataType.DOUBLE).setFilterable(true)),
            vectorField("Vector", SearchFieldDataType.SINGLE, 2, "hnsw"), vectorField("Exact", SearchFieldDataType.SINGLE, 2, "knn").setHidden(true)))
            .setAnalyzers(new CustomAnalyzer("codes", LexicalTokenizerName.fromString("bars")).setCharFilters(CharFilterName.fromString("dashes")).setTokenFilters(TokenFilterName.LOWERCASE))
            .setTokenizers(new PatternTokenizer("bars").setPattern("\\|")).setCharFilters(new MappingCharFilter("dashes", List.of("-=>|"))).setNormalizers(List.of(plain))
            .setSuggesters(new SearchSuggester("sg", List.of("HotelName", "Address/City")))
            .setScoringProfiles(
                new ScoringProfile("names").setTextWeights(new TextWeights(Map.of("HotelName", 50.0, "Description", 1.0))),
                new ScoringProfile("rated").setFunctions(new MagnitudeScoringFunction("Rating", 100, new MagnitudeScoringParameters(1, 5))),
                new ScoringProfile("near").setFunctions(new DistanceScoringFunction("Location", 100, new DistanceScoringParameters("here", 1000))),
                new ScoringProfile("new").setFunctions(new FreshnessScoringFunction("LastRenovationDate", 100, new FreshnessScoringParameters(Duration.ofDays(36500)))),
                new ScoringProfile("tagged").setFunctions(new TagScoringFunction("Tags", 100, new TagScoringParameters("likes"))))
            .setSemanticSearch(new SemanticSearch().setConfigurations(List.of(new SemanticConfiguration("meaning",
                new SemanticPrioritizedFields().setTitleField(new SemanticField("HotelName")).setContentFields(new SemanticField("Description"))))))
            .setVectorSearch(new VectorSearch().setAlgorithms(new HnswAlgorithmConfiguration("graph"), new ExhaustiveKnnAlgorithmConfiguration("scan"))
                .setCompressions(new ScalarQuantizationCompression("small")).setProfiles(new VectorSearchProfile("hnsw", "graph").setCompressionName("small"), new VectorSearchProfile("knn", "scan")));
    }

    public static void main(String[] args) throws Exception {
        define();
        write();
        query();
        rank();
        count();
        kinds();
        INDEXES.deleteIndex("hotels");
        INDEXES.deleteSynonymMap("words");
        say("deleted", refusal(() -> INDEXES.getIndex("hotels")), each(INDEXES.listIndexNames(), Function.identity()), each(INDEXES.listSynonymMapNames(), Function.identity()));
    }

    static void define() {
        INDEXES.createSynonymMap(new SynonymMap("words", "hound, dog"));
        SearchIndex index = index(), made = INDEXES.createIndex(index);
        say("index", made.getName(), each(made.getFields(), SearchField::getName).equals(each(index.getFields(), SearchField::getName)), each(made.getScoringProfiles(), ScoringProfile::getName),
            made.getSemanticSearch().getConfigurations().get(0).getName(), INDEXES.getIndex("hotels").getVectorSearch().getProfiles().get(0).getCompressionName(), each(INDEXES.listIndexNames(), Function.identity()));
        say("index again", refusal(() -> INDEXES.createIndex(index)));
        made.getFields().add(field("Added", SearchFieldDataType.STRING).setFilterable(true));
        List<SearchField> added = INDEXES.createOrUpdateIndex(made).getFields();
        SearchIndex other = INDEXES.getIndex("hotels");
        other.getFields().set(9, field("Floors", SearchFieldDataType.STRING).setFilterable(true).setSortable(true).setFacetable(true));
        say("update rules", added.get(added.size() - 1).getName(), refusal(() -> INDEXES.createOrUpdateIndex(other)));
        say("analyze", analyzed("AB-cd|EF", LexicalAnalyzerName.fromString("codes")), analyzed("The dogs were running", LexicalAnalyzerName.EN_LUCENE),
            refusal(() -> analyzed("x", LexicalAnalyzerName.fromString("none"))));
        SynonymMap words = INDEXES.createOrUpdateSynonymMap(INDEXES.getSynonymMap("words").setSynonyms("hound, dog\ncheap => budget\nshelter, quiet inn"));
        say("synonym map", words.getSynonyms().split("\n"), each(INDEXES.listSynonymMapNames(), Function.identity()), refusal(() -> INDEXES.getSynonymMap("none")));
    }

    static void write() {
        List<?> documents = BinaryData.fromFile(Path.of(env("HOTELS"))).toObject(List.class);
        say("upload", each(HOTELS.uploadDocuments(documents).getResults(), r -> List.of(r.getKey(), r.isSucceeded(), r.getStatusCode())), HOTELS.getDocumentCount());
        say("merge", each(merged(Map.of("HotelId", "4", "Floors", 2), Map.of("HotelId", "none", "Floors", 1)), r -> List.of(r.getKey(), r.isSucceeded(), r.getStatusCode(), r.getErrorMessage() != null)),
            HOTELS.getDocumentWithResponse("4", SearchDocument.class, List.of("HotelName", "Floors"), Context.NONE).getValue());
        say("merge or upload", each(HOTELS.mergeOrUploadDocuments(List.of(Map.of("HotelId", "4", "Added", "yes"), Map.of("HotelId", "5", "HotelName", "Short"))).getResults(), IndexingResult::getStatusCode),
            filtered("Added eq 'yes'"));
        say("delete", each(HOTELS.deleteDocuments(List.of(Map.of("HotelId", "5"), Map.of("HotelId", "none"))).getResults(), IndexingResult::getStatusCode), HOTELS.getDocumentCount());
        SearchDocument found = HOTELS.getDocument("1", SearchDocument.class);
        say("lookup", found.get("Visits").toString(), found.get("Rooms"), found.get("Address"), found.get("LastRenovationDate"), found.get("Tags"), found.containsKey("Exact"),
            refusal(() -> HOTELS.getDocument("none", SearchDocument.class)));
    }

    static void query() {
        say("simple", every("pool"), every("pool -garden", whole()), every("\"old trees\""), every("lan*"), every("hound"), every("small trees"), every("small trees", whole()));
        say("search fields", every("pool", options().setSearchFields("HotelName")), every("bc", options().setSearchFields("Code")), every("suite", options().setSearchFields("Rooms/Type")));
        say("full", every("HotelName:lantern AND NOT yard", full()), every("lanten~1", full()), every("\"garden trees\"~2", full()), every("/gard.*/", full()), ids("pool^5 OR HotelName:garden^50", full()).get(0));
        say("comparison", filtered("Rating ge 3.5"), filtered("Rating eq null"), filtered("not (Floors gt 3) and ParkingIncluded"), filtered("Category eq 'RESORT'"),
            filtered("LastRenovationDate lt 2015-01-01T00:00:00Z or HotelId eq '4'"), filtered("Visits eq 9007199254740993"));
        say("collections", filtered("Tags/any(t: t eq 'wifi')"), filtered("Tags/all(t: t ne 'pool')"), filtered("not Tags/any()"), filtered("Rooms/any(r: r/Type eq 'Single' and r/BaseRate lt 80.0)"),
            filtered("Tags/any(t: search.in(t, 'view,pool'))"), filtered("search.in(HotelId, '1|4', '|')"));
        say("geography", filtered("geo.distance(Location, geography'POINT(139.7 35.7)') le 450"), filtered("geo.intersects(Location, geography'POLYGON((134 34, 140 34, 140 36, 134 36, 134 34))')"));
        say("ismatch", filtered("search.ismatch('lantern') and Floors le 2"), filtered("search.ismatchscoring('pool', 'HotelName')"));
        say("order", ordered("Rating desc"), ordered("Category asc", "HotelId desc"), ordered("geo.distance(Location, geography'POINT(141 43)') asc").subList(0, 3));
        SearchResult one = search("*", options().setFilter("HotelId eq '2'").setSelect("HotelId", "Address/City")).iterator().next();
        say("select", one.getDocument(SearchDocument.class).get("Address"), ids("*", options().setOrderBy("HotelId").setTop(2).setSkip(1)), pages(options().setOrderBy("HotelId").setTop(2)));
        SearchPagedIterable answer = search("*", options().setIncludeTotalCount(true).setMinimumCoverage(80.0).setTop(0)
            .setFacets("Category,sort:value", "Rating,interval:2", "Floors,values:3|6", "Tags,count:1", "LastRenovationDate,interval:year"));
        Map<String, Object> facets = new TreeMap<>();
        answer.getFacets().forEach((field, of) -> facets.put(field, facets(of)));
        say("facets", answer.getTotalCount(), answer.getCoverage(), facets);
        say("highlights", highlights("trees"), highlights("shelter"));
        say("suggest", suggested("harb", new SuggestOptions().setHighlightPreTag("[").setHighlightPostTag("]"), (d, text) -> List.of(d.get("HotelId"), text)),
            suggested("hagbour", new SuggestOptions().setUseFuzzyMatching(true).setSelect("HotelId", "Rating"), (d, text) -> List.of(d.get("HotelId"), d.get("Rating"))),
            suggested("lan", new SuggestOptions().setFilter("Floors eq 2"), (d, text) -> d.get("HotelId")), refusal(() -> HOTELS.suggest("x", "none").iterator().next()));
        say("autocomplete", each(completed("gar", AutocompleteMode.ONE_TERM), AutocompleteItem::getText), each(completed("harbour lan", AutocompleteMode.ONE_TERM_WITH_CONTEXT), AutocompleteItem::getQueryPlusText),
            completed("lan", AutocompleteMode.TWO_TERMS).stream().map(AutocompleteItem::getText).sorted().collect(Collectors.toList()));
    }

    static void rank() {
        say("vector", ids(null, vectors(vector(1, 0))), ids(null, vectors(vector(1, 0).setFields("Exact").setKNearestNeighborsCount(3))), ids(null, vectors(vector(1, 0).setExhaustive(true))),
            refusal(() -> ids(null, vectors(new VectorizedQuery(List.of(1f, 0f, 0f)).setFields("Vector")))));
        say("filter modes", ids(null, mode(VectorFilterMode.PRE_FILTER)), ids(null, mode(VectorFilterMode.POST_FILTER)));
        List<SearchResult> fused = each(search("corner", vectors(vector(1, 0))), Function.identity()), several = each(search(null, vectors(vector(1, 0), vector(0, 1).setWeight(2f))), Function.identity());
        Map<String, Double> scores = fused.stream().collect(Collectors.toMap(Search::id, SearchResult::getScore));
        say("fusion", new TreeMap<>(scores).keySet(), id(fused.get(0)), id(several.get(0)), rounded(scores.get("2") - scores.get("1")), several.stream().collect(Collectors.toMap(Search::id, hit -> rounded(hit.getScore()))));
        SearchPagedIterable results = search("a garden of trees", meaning("meaning"));
        SearchResult first = results.iterator().next();
        QueryCaptionResult caption = first.getSemanticSearch().getQueryCaptions().get(0);
        double score = first.getSemanticSearch().getRerankerScore();
        say("semantic", id(first), score > 0 && score <= 4, caption.getText(), caption.getHighlights(), each(results.getSemanticResults().getQueryAnswers(), QueryAnswerResult::getKey),
            refusal(() -> ids("trees", meaning("other"))));
        say("profiles", ids("pool", profile("names")).get(0), first(profile("rated")), first(profile("near", new ScoringParameter("here", new GeoPoint(135.5, 34.7)))), first(profile("new")),
            first(profile("tagged", new ScoringParameter("likes", List.of("view")))), refusal(() -> first(profile("near"))));
        say("errors", refusal(() -> filtered("Rating gt")), refusal(() -> filtered("None eq 1")), refusal(() -> ordered("Description")), refusal(() -> ids("a AND (", full())),
            refusal(() -> ids("*", options().setTop(-1))), refusal(() -> HOTELS.uploadDocuments(List.of(Map.of("HotelId", "6", "Rating", "high")))),
            refusal(() -> HOTELS.uploadDocuments(List.of(Map.of("HotelName", "no key")))), refusal(() -> INDEXES.getIndex("none")), refusal(() -> documents("none", ADMIN).getDocumentCount()));
    }

    static void count() {
        say("statistics", INDEXES.getIndexStatistics("hotels").getDocumentCount(), INDEXES.getServiceStatistics().getCounters().getIndexCounter().getUsage());
        Map<String, Object> floors = Map.of("HotelId", "4", "Floors", 2);
        say("query key", documents("hotels", QUERY).getDocumentCount(), refusal(() -> documents("hotels", QUERY).uploadDocuments(List.of(floors))), refusal(() -> definitions(QUERY).getIndex("hotels")),
            refusal(() -> documents("hotels", new AzureKeyCredential("wrong")).getDocumentCount()));
        SynonymMap words = INDEXES.getSynonymMap("words");
        for (Object each : BinaryData.fromString(env("ROLES")).toObject(List.class)) {
            Map<?, ?> role = (Map<?, ?>) each;
            TokenCredential who = new ClientSecretCredentialBuilder().tenantId(env("AZURE_TENANT_ID")).clientId((String) role.get("app")).clientSecret((String) role.get("secret")).build();
            SearchIndexClient definitions = new SearchIndexClientBuilder().endpoint(URL).credential(who).buildClient();
            SearchClient its = new SearchClientBuilder().endpoint(URL).indexName("hotels").credential(who).buildClient();
            say((String) role.get("name"), Arrays.<Act>asList(() -> definitions.getIndex("hotels"), () -> definitions.createOrUpdateSynonymMap(words), its::getDocumentCount, () -> its.mergeDocuments(List.of(floors)))
                .stream().map(Search::refusal).map(seen -> seen.size() == 1 ? seen.get(0) : seen.subList(1, 3)).toArray());
        }
        HOTELS.uploadDocuments(IntStream.range(0, 120).mapToObj(i -> Map.of("HotelId", String.format("many%03d", i))).collect(Collectors.toList()));
        say("paging", each(pages(options().setOrderBy("HotelId")), List::size), ordered("HotelId").stream().distinct().count());
    }

    static SearchField kind(String name, SearchFieldDataType of) {
        return field(name, SearchFieldDataType.collection(of)).setFilterable(true);
    }

    static SearchField vectorField(String name, SearchFieldDataType of, int dimensions, String profile) {
        return field(name, SearchFieldDataType.collection(of)).setSearchable(true).setVectorSearchDimensions(dimensions).setVectorSearchProfileName(profile);
    }

    static HnswAlgorithmConfiguration graph(String name, VectorSearchAlgorithmMetric metric) {
        return new HnswAlgorithmConfiguration(name).setParameters(new HnswParameters().setMetric(metric));
    }

    static void kinds() {
        INDEXES.createIndex(new SearchIndex("kinds", List.of(
            field("id", SearchFieldDataType.STRING).setKey(true).setSortable(true),
            text("Text").setIndexAnalyzerName(LexicalAnalyzerName.WHITESPACE).setSearchAnalyzerName(LexicalAnalyzerName.KEYWORD),
            kind("Numbers", SearchFieldDataType.INT32), kind("Big", SearchFieldDataType.INT64), kind("Rates", SearchFieldDataType.DOUBLE), kind("Flags", SearchFieldDataType.BOOLEAN),
            kind("Dates", SearchFieldDataType.DATE_TIME_OFFSET), kind("Places", SearchFieldDataType.GEOGRAPHY_POINT),
            vectorField("Half", SearchFieldDataType.HALF, 2, "bits").setStored(false).setHidden(true), vectorField("Short", SearchFieldDataType.INT16, 2, "graph"),
            vectorField("Tiny", SearchFieldDataType.SBYTE, 2, "graph"), vectorField("Bits", SearchFieldDataType.BYTE, 16, "packed").setVectorEncodingFormat(VectorEncodingFormat.PACKED_BIT)))
            .setSimilarity(new BM25SimilarityAlgorithm().setK1(1.3).setB(0.5)).setCorsOptions(new CorsOptions(List.of("https://contoso.com")).setMaxAgeInSeconds(60L))
            .setVectorSearch(new VectorSearch().setAlgorithms(graph("g", VectorSearchAlgorithmMetric.EUCLIDEAN), graph("h", VectorSearchAlgorithmMetric.HAMMING))
                .setCompressions(new BinaryQuantizationCompression("binary").setRescoringOptions(new RescoringOptions().setRescoringEnabled(true).setDefaultOversampling(2.0)))
                .setProfiles(new VectorSearchProfile("bits", "g").setCompressionName("binary"), new VectorSearchProfile("graph", "g"), new VectorSearchProfile("packed", "h"))));
        SearchIndex made = INDEXES.getIndex("kinds");
        List<SearchField> fields = made.getFields();
        BM25SimilarityAlgorithm similarity = (BM25SimilarityAlgorithm) made.getSimilarity();
        HnswAlgorithmConfiguration packed = (HnswAlgorithmConfiguration) made.getVectorSearch().getAlgorithms().get(1);
        say("kinds", each(fields, one -> one.getType().toString()), List.of(fields.get(1).getSearchAnalyzerName().toString(), fields.get(1).getIndexAnalyzerName().toString()),
            List.of(similarity.getK1(), similarity.getB()), List.of(made.getCorsOptions().getAllowedOrigins(), made.getCorsOptions().getMaxAgeInSeconds()),
            List.of(fields.get(8).isStored(), fields.get(11).getVectorEncodingFormat().toString(), packed.getParameters().getMetric().toString(),
                made.getVectorSearch().getCompressions().get(0).getRescoringOptions().getDefaultOversampling()));
        SearchClient many = documents("kinds", ADMIN);
        many.uploadDocuments(BinaryData.fromFile(Path.of(env("KINDS"))).toObject(List.class));
        BiFunction<String, SearchOptions, List<Object>> found = (text, options) -> each(many.search(text, options, Context.NONE), hit -> hit.getDocument(SearchDocument.class).get("id"));
        List<Object> seen = new ArrayList<>(List.of(found.apply("Wi-Fi", options())));
        for (String filter : List.of("Numbers/any(n: n gt 1)", "Big/any(n: n eq 9007199254740991)", "Rates/any(n: n lt 1)", "Flags/any(f: f)", "Dates/any(d: d lt 2021-01-01T00:00:00Z)",
            "Places/any(p: geo.distance(p, geography'POINT(139.7 35.7)') le 10)")) {
            seen.add(found.apply("*", options().setFilter(filter)));
        }
        seen.add(found.apply(null, vectors(vector(1, 0).setFields("Half"))));
        seen.add(found.apply(null, vectors(vector(100, -100).setFields("Short"))));
        seen.add(found.apply(null, vectors(vector(100, -100).setFields("Tiny"))));
        seen.add(found.apply(null, vectors(vector(240, 0).setFields("Bits"))));
        seen.add(List.of(refusal(() -> many.uploadDocuments(List.of(Map.of("id", "3", "Tiny", List.of(128, 0)))))));
        say("of each kind", seen.toArray());
        INDEXES.deleteIndex("kinds");
    }
}
