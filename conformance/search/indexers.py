"""The story of indexers with azure-search-documents 12, 11 and a preview. Prints what it sees of each step."""
import json
import os
import time
import uuid

import requests
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import HttpResponseError
from azure.identity import ClientSecretCredential
from azure.search.documents import SearchClient
from azure.search.documents.indexes import SearchIndexClient, SearchIndexerClient
from azure.search.documents.indexes.models import (
    AzureOpenAIEmbeddingSkill, FieldMapping, FieldMappingFunction, HnswAlgorithmConfiguration, IndexingParameters,
    IndexingParametersConfiguration, IndexingSchedule, InputFieldMappingEntry, OutputFieldMappingEntry, SearchField,
    SearchIndex, SearchIndexer, SearchIndexerDataContainer, SearchIndexerDataSourceConnection, SearchIndexerIndexProjection,
    SearchIndexerIndexProjectionSelector, SearchIndexerIndexProjectionsParameters, SearchIndexerSkillset, SimpleField,
    SoftDeleteColumnDeletionDetectionPolicy, SplitSkill, VectorSearch, VectorSearchProfile)
from azure.storage.blob import BlobServiceClient

SERVICE, STORAGE, STORAGE_ID, KEY, OPENAI, OPENAI_ID, IDENTITY, SUBSCRIPTION = (os.environ[name] for name in (
    "SERVICE", "STORAGE", "STORAGE_ID", "STORAGE_KEY", "OPENAI", "OPENAI_ID", "IDENTITY", "SUBSCRIPTION"))
owner = ClientSecretCredential(os.environ["AZURE_TENANT_ID"], os.environ["OWNER_ID"], os.environ["OWNER_SECRET"])
indexes, indexers = SearchIndexClient(SERVICE, owner), SearchIndexerClient(SERVICE, owner)
ROLES = {"blobs": ("2a2b9908-6ea1-4ae2-8e65-a410df84e7d1", STORAGE_ID, uuid.uuid4()),
         "openai": ("5e0bd9bd-7b93-4f28-af87-19fc36ad61bd", OPENAI_ID, uuid.uuid4())}


def role(name, given):
    """Gives the service's identity a role, or takes it."""
    definition, scope, guid = ROLES[name]
    token = owner.get_token("https://management.azure.com/.default").token
    response = requests.request(
        "PUT" if given else "DELETE", f"https://management.azure.com{scope}/providers/Microsoft.Authorization/roleAssignments/{guid}?api-version=2022-04-01",
        headers={"Authorization": "Bearer " + token}, json={"properties": {
            "roleDefinitionId": f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{definition}",
            "principalId": IDENTITY, "principalType": "ServicePrincipal"}} if given else None)
    response.raise_for_status()


def say(step, *seen):
    print(f"{step}: {json.dumps(seen)}", flush=True)


def refusal(act, *args):
    """The status and the text of a refusal."""
    try:
        act(*args)
    except HttpResponseError as e:
        return [e.status_code, e.error.message if e.error else e.message]
    return "allowed"


def ended(name):
    while True:
        last = indexers.get_indexer_status(name).last_result
        if last and last.status != "inProgress":
            return last
        time.sleep(0.1)


def ran(name):
    indexers.run_indexer(name)
    last = ended(name)
    return [last.status, last.item_count, last.failed_item_count]


def documents(index):
    """Read with the service's key: an owner manages indexes and may not query."""
    return list(SearchClient(SERVICE, index, AzureKeyCredential(os.environ["SERVICE_KEY"])).search("*"))


container = BlobServiceClient(f"https://{STORAGE}.blob.core.windows.net", credential={"account_name": STORAGE, "account_key": KEY}).get_container_client("files")
container.create_container()
container.upload_blob("one.txt", "First sentence. Second sentence.", metadata={"gone": "no"})
container.upload_blob("two/three.json", '{"a": 1}')

indexes.create_index(SearchIndex(name="files", fields=[
    SimpleField(name="id", type="Edm.String", key=True), SearchField(name="content", type="Edm.String"), SimpleField(name="metadata_storage_name", type="Edm.String")]))
indexes.create_index(SearchIndex(
    name="parts", fields=[
        SearchField(name="id", type="Edm.String", key=True, searchable=True, analyzer_name="keyword"), SimpleField(name="parent", type="Edm.String", filterable=True),
        SearchField(name="text", type="Edm.String"),
        SearchField(name="vector", type="Collection(Edm.Single)", searchable=True, vector_search_dimensions=8, vector_search_profile_name="p")],
    vector_search=VectorSearch(algorithms=[HnswAlgorithmConfiguration(name="a")], profiles=[VectorSearchProfile(name="p", algorithm_configuration_name="a")])))

source = SearchIndexerDataSourceConnection(
    name="blobs", type="azureblob", connection_string=f"ResourceId={STORAGE_ID};", container=SearchIndexerDataContainer(name="files"),
    data_deletion_detection_policy=SoftDeleteColumnDeletionDetectionPolicy(soft_delete_column_name="gone", soft_delete_marker_value="yes"))
made = indexers.create_data_source_connection(source)
made.description = "described"
say("data source", made.connection_string, indexers.create_or_update_data_source_connection(made).description,
    indexers.get_data_source_connection("blobs").container.name, indexers.get_data_source_connection_names())

skills = SearchIndexerSkillset(
    name="chunks", skills=[
        SplitSkill(text_split_mode="sentences", inputs=[InputFieldMappingEntry(name="text", source="/document/content")],
                   outputs=[OutputFieldMappingEntry(name="textItems", target_name="parts")]),
        AzureOpenAIEmbeddingSkill(context="/document/parts/*", resource_url=OPENAI, deployment_name="embed", model_name="text-embedding-3-small", dimensions=8,
                                  inputs=[InputFieldMappingEntry(name="text", source="/document/parts/*")],
                                  outputs=[OutputFieldMappingEntry(name="embedding", target_name="vector")])],
    index_projection=SearchIndexerIndexProjection(
        selectors=[SearchIndexerIndexProjectionSelector(target_index_name="parts", parent_key_field_name="parent", source_context="/document/parts/*", mappings=[
            InputFieldMappingEntry(name="text", source="/document/parts/*"), InputFieldMappingEntry(name="vector", source="/document/parts/*/vector")])],
        parameters=SearchIndexerIndexProjectionsParameters(projection_mode="includeIndexingParentDocuments")))
made = indexers.create_skillset(skills)
made.description = "described"
selector = indexers.get_skillset("chunks").index_projection["selectors"][0]
say("skillset", [s.name for s in made.skills], indexers.create_or_update_skillset(made).description, selector.get("targetIndexName") or selector["target_index_name"],  # of 12, of 11
    indexers.get_skillset_names())

indexer = SearchIndexer(
    name="reads", data_source_name="blobs", target_index_name="files", skillset_name="chunks", schedule=IndexingSchedule(interval="PT1H"),
    parameters=IndexingParameters(batch_size=5, configuration=IndexingParametersConfiguration(parsing_mode="default", query_timeout=None)),
    field_mappings=[FieldMapping(source_field_name="metadata_storage_path", target_field_name="id", mapping_function=FieldMappingFunction(name="base64Encode"))])
say("no role on the storage", refusal(indexers.create_indexer, indexer))
role("blobs", True)
made = indexers.create_indexer(indexer)
last = ended("reads")
say("no role on Azure OpenAI", last.status, last.item_count, last.failed_item_count, last.errors[0].error_message, last.errors[0].name,
    "Web Api response status: 'Unauthorized'" in last.errors[0].details)
role("openai", True)
say("both roles", ran("reads"), sorted(d["metadata_storage_name"] for d in documents("files")), sorted(d["text"] for d in documents("parts")))
say("nothing changed", ran("reads"))

container.upload_blob("four.txt", "Third sentence.", overwrite=True)
role("blobs", False)
indexers.run_indexer("reads")
say("the role on the storage is taken", ended("reads").error_message)
role("blobs", True)
say("and given back", ran("reads"))
container.upload_blob("one.txt", "", metadata={"gone": "yes"}, overwrite=True)
say("deleted", ran("reads"), sorted(d["text"] for d in documents("parts")))

indexers.reset_indexer("reads")
status = indexers.get_indexer_status("reads")
say("reset", status.last_result.status, status.status, len(status.execution_history) > 5, ran("reads"))
if hasattr(indexers, "reset_documents"):  # of a preview
    key = next(d["id"] for d in documents("files") if d["metadata_storage_name"] == "four.txt")
    indexers.reset_documents("reads", {"documentKeys": [key]})
    say("documents reset", ran("reads"), ran("reads"))
made = indexers.get_indexer("reads")
made.is_disabled, made.schedule = True, None
say("indexer", indexers.create_or_update_indexer(made).is_disabled, indexers.get_indexer_names(), [i.name for i in indexers.get_indexers()])
indexers.delete_indexer("reads")
indexers.delete_skillset("chunks")
indexers.delete_data_source_connection("blobs")
say("deleted definitions", refusal(indexers.get_indexer_status, "reads"), indexers.get_skillset_names(), indexers.get_data_source_connection_names())
