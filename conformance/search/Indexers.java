import com.azure.core.credential.AzureKeyCredential;
import com.azure.core.credential.TokenCredential;
import com.azure.core.credential.TokenRequestContext;
import com.azure.core.exception.HttpResponseException;
import com.azure.core.http.HttpClient;
import com.azure.core.http.HttpMethod;
import com.azure.core.http.HttpRequest;
import com.azure.core.http.HttpResponse;
import com.azure.core.util.BinaryData;
import com.azure.core.util.Context;
import com.azure.identity.ClientSecretCredentialBuilder;
import com.azure.search.documents.SearchClientBuilder;
import com.azure.search.documents.SearchDocument;
import com.azure.search.documents.indexes.SearchIndexClient;
import com.azure.search.documents.indexes.SearchIndexClientBuilder;
import com.azure.search.documents.indexes.SearchIndexerClient;
import com.azure.search.documents.indexes.SearchIndexerClientBuilder;
import com.azure.search.documents.indexes.models.*;
import com.azure.storage.blob.BlobContainerClient;
import com.azure.storage.blob.BlobServiceClientBuilder;
import com.azure.storage.blob.options.BlobParallelUploadOptions;
import com.azure.storage.common.StorageSharedKeyCredential;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** The story of indexers with azure-search-documents. Prints what it sees of each step. */
public class Indexers {
    static final String URL = env("SERVICE"), STORAGE = env("STORAGE_ID");
    static final TokenCredential OWNER = new ClientSecretCredentialBuilder().tenantId(env("AZURE_TENANT_ID"))
        .clientId(env("OWNER_ID")).clientSecret(env("OWNER_SECRET")).build();
    static final SearchIndexClient INDEXES = new SearchIndexClientBuilder().endpoint(URL).credential(OWNER).buildClient();
    static final SearchIndexerClient INDEXERS = new SearchIndexerClientBuilder().endpoint(URL).credential(OWNER).buildClient();
    static final String BLOBS = role("2a2b9908-6ea1-4ae2-8e65-a410df84e7d1", STORAGE), OPENAI = role("5e0bd9bd-7b93-4f28-af87-19fc36ad61bd", env("OPENAI_ID"));

    static String env(String name) {
        return System.getenv(name);
    }

    static void say(String step, Object... seen) {
        System.out.println(step + ": " + BinaryData.fromObject(seen));
    }

    /** A role's definition, and the address of its assignment. */
    static String role(String definition, String scope) {
        return definition + " https://management.azure.com" + scope + "/providers/Microsoft.Authorization/roleAssignments/" + UUID.randomUUID() + "?api-version=2022-04-01";
    }

    /** Gives the service's identity a role, or takes it. */
    static void give(String role, boolean given) {
        String[] parts = role.split(" ");
        HttpRequest request = new HttpRequest(given ? HttpMethod.PUT : HttpMethod.DELETE, parts[1]);
        String token = OWNER.getTokenSync(new TokenRequestContext().addScopes("https://management.azure.com/.default")).getToken();
        request.setHeader(com.azure.core.http.HttpHeaderName.AUTHORIZATION, "Bearer " + token);
        if (given) {
            request.setHeader(com.azure.core.http.HttpHeaderName.CONTENT_TYPE, "application/json");
            request.setBody(BinaryData.fromObject(Map.of("properties", Map.of(
                "roleDefinitionId", "/subscriptions/" + env("SUBSCRIPTION") + "/providers/Microsoft.Authorization/roleDefinitions/" + parts[0],
                "principalId", env("IDENTITY"), "principalType", "ServicePrincipal"))));
        }
        try (HttpResponse response = HttpClient.createDefault().sendSync(request, Context.NONE)) {
            if (response.getStatusCode() >= 300) {
                throw new IllegalStateException(response.getStatusCode() + " " + response.getBodyAsBinaryData());
            }
        }
    }

    interface Act {
        void run();
    }

    static final Pattern MESSAGE = Pattern.compile("\"message\":\\s*\"((?:[^\"\\\\]|\\\\.)*)\"");

    /** The status and the text of a refusal. */
    static Object refusal(Act act) {
        try {
            act.run();
        } catch (HttpResponseException e) {
            Matcher message = MESSAGE.matcher(e.getMessage());
            return List.of(e.getResponse().getStatusCode(), message.find() ? message.group(1) : e.getMessage());
        }
        return "allowed";
    }

    static IndexerExecutionResult ended() throws Exception {
        for (;;) {
            IndexerExecutionResult last = INDEXERS.getIndexerStatus("reads").getLastResult();
            if (last != null && last.getStatus() != IndexerExecutionStatus.IN_PROGRESS) {
                return last;
            }
            Thread.sleep(100);
        }
    }

    static List<Object> ran() throws Exception {
        INDEXERS.runIndexer("reads");
        IndexerExecutionResult last = ended();
        return List.of(last.getStatus().toString(), last.getItemCount(), last.getFailedItemCount());
    }

    /** Read with the service's key: an owner manages indexes and may not query. */
    static List<String> documents(String index, String field) {
        List<String> found = new ArrayList<>();
        new SearchClientBuilder().endpoint(URL).indexName(index).credential(new AzureKeyCredential(env("SERVICE_KEY"))).buildClient()
            .search("*").forEach(one -> found.add((String) one.getDocument(SearchDocument.class).get(field)));
        Collections.sort(found);
        return found;
    }

    static void put(BlobContainerClient container, String name, String text, Map<String, String> metadata) {
        container.getBlobClient(name).uploadWithResponse(new BlobParallelUploadOptions(BinaryData.fromString(text)).setMetadata(metadata), null, Context.NONE);
    }

    static SearchField field(String name, SearchFieldDataType type) {
        return new SearchField(name, type);
    }

    static InputFieldMappingEntry input(String name, String source) {
        return new InputFieldMappingEntry(name).setSource(source);
    }

    static List<String> sources() {
        return INDEXERS.listDataSourceConnectionNames().stream().collect(Collectors.toList());
    }

    static List<String> skillsets() {
        return INDEXERS.listSkillsetNames().stream().collect(Collectors.toList());
    }

    public static void main(String[] args) throws Exception {
        BlobContainerClient container = new BlobServiceClientBuilder().endpoint("https://" + env("STORAGE") + ".blob.core.windows.net")
            .credential(new StorageSharedKeyCredential(env("STORAGE"), env("STORAGE_KEY"))).buildClient().createBlobContainer("files");
        put(container, "one.txt", "First sentence. Second sentence.", Map.of("gone", "no"));
        put(container, "two/three.json", "{\"a\": 1}", Map.of());

        INDEXES.createIndex(new SearchIndex("files", List.of(field("id", SearchFieldDataType.STRING).setKey(true),
            field("content", SearchFieldDataType.STRING).setSearchable(true), field("metadata_storage_name", SearchFieldDataType.STRING))));
        INDEXES.createIndex(new SearchIndex("parts", List.of(
            field("id", SearchFieldDataType.STRING).setKey(true).setSearchable(true).setAnalyzerName(LexicalAnalyzerName.KEYWORD),
            field("parent", SearchFieldDataType.STRING).setFilterable(true), field("text", SearchFieldDataType.STRING).setSearchable(true),
            field("vector", SearchFieldDataType.collection(SearchFieldDataType.SINGLE)).setSearchable(true).setVectorSearchDimensions(8).setVectorSearchProfileName("p")))
            .setVectorSearch(new VectorSearch().setAlgorithms(new HnswAlgorithmConfiguration("a")).setProfiles(new VectorSearchProfile("p", "a"))));

        SearchIndexerDataSourceConnection source = INDEXERS.createDataSourceConnection(
            new SearchIndexerDataSourceConnection("blobs", SearchIndexerDataSourceType.AZURE_BLOB, "ResourceId=" + STORAGE + ";", new SearchIndexerDataContainer("files"))
                .setDataDeletionDetectionPolicy(new SoftDeleteColumnDeletionDetectionPolicy().setSoftDeleteColumnName("gone").setSoftDeleteMarkerValue("yes")));
        String shown = source.getConnectionString();
        source = INDEXERS.createOrUpdateDataSourceConnection(source.setDescription("described"));
        say("data source", shown, source.getDescription(), INDEXERS.getDataSourceConnection("blobs").getContainer().getName(), sources());

        SearchIndexerSkillset skills = INDEXERS.createSkillset(new SearchIndexerSkillset("chunks", List.of(
            new SplitSkill(List.of(input("text", "/document/content")), List.of(new OutputFieldMappingEntry("textItems").setTargetName("parts")))
                .setTextSplitMode(TextSplitMode.SENTENCES),
            new AzureOpenAIEmbeddingSkill(List.of(input("text", "/document/parts/*")), List.of(new OutputFieldMappingEntry("embedding").setTargetName("vector")))
                .setResourceUrl(env("OPENAI")).setDeploymentName("embed").setModelName(AzureOpenAIModelName.TEXT_EMBEDDING_3_SMALL).setDimensions(8)
                .setContext("/document/parts/*")))
            .setIndexProjection(new SearchIndexerIndexProjection(List.of(new SearchIndexerIndexProjectionSelector("parts", "parent", "/document/parts/*",
                List.of(input("text", "/document/parts/*"), input("vector", "/document/parts/*/vector")))))
                .setParameters(new SearchIndexerIndexProjectionsParameters().setProjectionMode(IndexProjectionMode.INCLUDE_INDEXING_PARENT_DOCUMENTS))));
        List<String> names = skills.getSkills().stream().map(SearchIndexerSkill::getName).collect(Collectors.toList());
        skills = INDEXERS.createOrUpdateSkillset(skills.setDescription("described"));
        say("skillset", names, skills.getDescription(), INDEXERS.getSkillset("chunks").getIndexProjection().getSelectors().get(0).getTargetIndexName(), skillsets());

        SearchIndexer definition = new SearchIndexer("reads", "blobs", "files").setSkillsetName("chunks").setSchedule(new IndexingSchedule(Duration.ofHours(1)))
            .setParameters(new IndexingParameters().setBatchSize(5)
                .setIndexingParametersConfiguration(new IndexingParametersConfiguration().setParsingMode(BlobIndexerParsingMode.DEFAULT)))
            .setFieldMappings(new FieldMapping("metadata_storage_path").setTargetFieldName("id").setMappingFunction(new FieldMappingFunction("base64Encode")));
        say("no role on the storage", refusal(() -> INDEXERS.createIndexer(definition)));
        give(BLOBS, true);
        INDEXERS.createIndexer(definition);
        IndexerExecutionResult last = ended();
        SearchIndexerError error = last.getErrors().get(0);
        say("no role on Azure OpenAI", last.getStatus().toString(), last.getItemCount(), last.getFailedItemCount(), error.getErrorMessage(), error.getName(),
            error.getDetails().contains("Web Api response status: 'Unauthorized'"));
        give(OPENAI, true);
        say("both roles", ran(), documents("files", "metadata_storage_name"), documents("parts", "text"));
        say("nothing changed", ran());

        put(container, "four.txt", "Third sentence.", Map.of());
        give(BLOBS, false);
        INDEXERS.runIndexer("reads");
        say("the role on the storage is taken", ended().getErrorMessage());
        give(BLOBS, true);
        say("and given back", ran());
        put(container, "one.txt", "", Map.of("gone", "yes"));
        say("deleted", ran(), documents("parts", "text"));

        INDEXERS.resetIndexer("reads");
        SearchIndexerStatus status = INDEXERS.getIndexerStatus("reads");
        say("reset", status.getLastResult().getStatus().toString(), status.getStatus().toString(), status.getExecutionHistory().size() > 5, ran());
        SearchIndexer updated = INDEXERS.createOrUpdateIndexer(INDEXERS.getIndexer("reads").setIsDisabled(true).setSchedule(null));
        say("indexer", updated.isDisabled(), INDEXERS.listIndexerNames().stream().collect(Collectors.toList()),
            INDEXERS.listIndexers().stream().map(SearchIndexer::getName).collect(Collectors.toList()));
        INDEXERS.deleteIndexer("reads");
        INDEXERS.deleteSkillset("chunks");
        INDEXERS.deleteDataSourceConnection("blobs");
        say("deleted definitions", refusal(() -> INDEXERS.getIndexerStatus("reads")), skillsets(), sources());
    }
}
