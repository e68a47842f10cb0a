// The story of indexers with @azure/search-documents. Prints what it sees of each step.
const { randomUUID } = require('node:crypto')
const { createDefaultHttpClient, createHttpHeaders, createPipelineFromOptions, createPipelineRequest } = require('@azure/core-rest-pipeline')
const { ClientSecretCredential } = require('@azure/identity')
const { AzureKeyCredential, SearchClient, SearchIndexClient, SearchIndexerClient } = require('@azure/search-documents')
const { BlobServiceClient, StorageSharedKeyCredential } = require('@azure/storage-blob')

const { SERVICE: url, SERVICE_KEY: key, STORAGE: account, STORAGE_ID: storage, OPENAI_ID: openAI, ...env } = process.env
const owner = new ClientSecretCredential(env.AZURE_TENANT_ID, env.OWNER_ID, env.OWNER_SECRET)
const indexes = new SearchIndexClient(url, owner)
const indexers = new SearchIndexerClient(url, owner)
const roles = { blobs: ['2a2b9908-6ea1-4ae2-8e65-a410df84e7d1', storage, randomUUID()], openai: ['5e0bd9bd-7b93-4f28-af87-19fc36ad61bd', openAI, randomUUID()] }
const say = (step, ...seen) => console.log(`${step}: ${JSON.stringify(seen)}`)
const pause = (ms) => new Promise((done) => setTimeout(done, ms))

// Gives the service's identity a role, or takes it.
async function role(name, given) {
  const [definition, scope, guid] = roles[name]
  const { token } = await owner.getToken('https://management.azure.com/.default')
  const request = createPipelineRequest({
    url: `https://management.azure.com${scope}/providers/Microsoft.Authorization/roleAssignments/${guid}?api-version=2022-04-01`,
    method: given ? 'PUT' : 'DELETE',
    headers: createHttpHeaders({ Authorization: 'Bearer ' + token, 'Content-Type': 'application/json' }),
    body: given ? JSON.stringify({ properties: {
      roleDefinitionId: `/subscriptions/${env.SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/${definition}`,
      principalId: env.IDENTITY, principalType: 'ServicePrincipal',
    } }) : undefined,
  })
  const { status, bodyAsText } = await createPipelineFromOptions({}).sendRequest(createDefaultHttpClient(), request)
  if (status >= 300) throw new Error(`${status} ${bodyAsText}`)
}

// The status and the text of a refusal.
async function refusal(act) {
  try {
    await act
  } catch (e) {
    return [e.statusCode, e.details?.error?.message ?? e.message]
  }
  return 'allowed'
}

// The client's own lists of names ask for the name alone, and then fail on properties
// that are not there: dist/commonjs/models/azure/search/documents/indexes/models.js.
const names = async (list) => (await list).map((one) => one.name)

async function ended(name) {
  for (;;) {
    const { lastResult: last } = await indexers.getIndexerStatus(name)
    if (last && last.status !== 'inProgress') return last
    await pause(100)
  }
}

async function ran(name) {
  await indexers.runIndexer(name)
  const last = await ended(name)
  return [last.status, last.itemCount, last.failedItemCount]
}

// Read with the service's key: an owner manages indexes and may not query.
async function documents(index, field) {
  const found = []
  for await (const one of (await new SearchClient(url, index, new AzureKeyCredential(key)).search('*')).results) found.push(one.document[field])
  return found.sort()
}

async function main() {
  const container = new BlobServiceClient(`https://${account}.blob.core.windows.net`, new StorageSharedKeyCredential(account, env.STORAGE_KEY)).getContainerClient('files')
  const put = (name, text, metadata) => container.getBlockBlobClient(name).upload(text, Buffer.byteLength(text), { metadata })
  await container.create()
  await put('one.txt', 'First sentence. Second sentence.', { gone: 'no' })
  await put('two/three.json', '{"a": 1}')

  await indexes.createIndex({ name: 'files', fields: [
    { name: 'id', type: 'Edm.String', key: true }, { name: 'content', type: 'Edm.String', searchable: true }, { name: 'metadata_storage_name', type: 'Edm.String' }] })
  await indexes.createIndex({
    name: 'parts',
    fields: [
      { name: 'id', type: 'Edm.String', key: true, searchable: true, analyzerName: 'keyword' }, { name: 'parent', type: 'Edm.String', filterable: true },
      { name: 'text', type: 'Edm.String', searchable: true },
      { name: 'vector', type: 'Collection(Edm.Single)', searchable: true, vectorSearchDimensions: 8, vectorSearchProfileName: 'p' }],
    vectorSearch: { algorithms: [{ name: 'a', kind: 'hnsw' }], profiles: [{ name: 'p', algorithmConfigurationName: 'a' }] },
  })

  let source = await indexers.createDataSourceConnection({
    name: 'blobs', type: 'azureblob', connectionString: `ResourceId=${storage};`, container: { name: 'files' },
    dataDeletionDetectionPolicy: { odatatype: '#Microsoft.Azure.Search.SoftDeleteColumnDeletionDetectionPolicy', softDeleteColumnName: 'gone', softDeleteMarkerValue: 'yes' },
  })
  const shown = source.connectionString ?? null
  source = await indexers.createOrUpdateDataSourceConnection({ ...source, description: 'described' })
  say('data source', shown, source.description, (await indexers.getDataSourceConnection('blobs')).container.name, await names(indexers.listDataSourceConnections()))

  let skills = await indexers.createSkillset({
    name: 'chunks',
    skills: [
      { odatatype: '#Microsoft.Skills.Text.SplitSkill', textSplitMode: 'sentences', inputs: [{ name: 'text', source: '/document/content' }],
        outputs: [{ name: 'textItems', targetName: 'parts' }] },
      { odatatype: '#Microsoft.Skills.Text.AzureOpenAIEmbeddingSkill', context: '/document/parts/*', resourceUrl: env.OPENAI, deploymentId: 'embed', deploymentName: 'embed',
        modelName: 'text-embedding-3-small', dimensions: 8, inputs: [{ name: 'text', source: '/document/parts/*' }], outputs: [{ name: 'embedding', targetName: 'vector' }] }],
    indexProjection: {
      selectors: [{ targetIndexName: 'parts', parentKeyFieldName: 'parent', sourceContext: '/document/parts/*', mappings: [
        { name: 'text', source: '/document/parts/*' }, { name: 'vector', source: '/document/parts/*/vector' }] }],
      parameters: { projectionMode: 'includeIndexingParentDocuments' },
    },
  })
  const made = skills.skills.map((one) => one.name)
  skills = await indexers.createOrUpdateSkillset({ ...skills, description: 'described' })
  say('skillset', made, skills.description, (await indexers.getSkillset('chunks')).indexProjection.selectors[0].targetIndexName, await names(indexers.listSkillsets()))

  const definition = {
    name: 'reads', dataSourceName: 'blobs', targetIndexName: 'files', skillsetName: 'chunks', schedule: { interval: 'PT1H' },
    parameters: { batchSize: 5, configuration: { parsingMode: 'default' } },
    fieldMappings: [{ sourceFieldName: 'metadata_storage_path', targetFieldName: 'id', mappingFunction: { name: 'base64Encode' } }],
  }
  say('no role on the storage', await refusal(indexers.createIndexer(definition)))
  await role('blobs', true)
  await indexers.createIndexer(definition)
  const last = await ended('reads')
  say('no role on Azure OpenAI', last.status, last.itemCount, last.failedItemCount, last.errors[0].errorMessage, last.errors[0].name,
    last.errors[0].details.includes("Web Api response status: 'Unauthorized'"))
  await role('openai', true)
  say('both roles', await ran('reads'), await documents('files', 'metadata_storage_name'), await documents('parts', 'text'))
  say('nothing changed', await ran('reads'))

  await put('four.txt', 'Third sentence.')
  await role('blobs', false)
  await indexers.runIndexer('reads')
  say('the role on the storage is taken', (await ended('reads')).errorMessage)
  await role('blobs', true)
  say('and given back', await ran('reads'))
  await put('one.txt', '', { gone: 'yes' })
  say('deleted', await ran('reads'), await documents('parts', 'text'))

  await indexers.resetIndexer('reads')
  const status = await indexers.getIndexerStatus('reads')
  say('reset', status.lastResult.status, status.status, status.executionHistory.length > 5, await ran('reads'))
  const read = await indexers.getIndexer('reads')
  const updated = await indexers.createOrUpdateIndexer({ ...read, isDisabled: true, schedule: undefined })
  say('indexer', updated.isDisabled, await indexers.listIndexersNames(), await names(indexers.listIndexers()))
  await indexers.deleteIndexer('reads')
  await indexers.deleteSkillset('chunks')
  await indexers.deleteDataSourceConnection('blobs')
  say('deleted definitions', await refusal(indexers.getIndexerStatus('reads')), await names(indexers.listSkillsets()), await names(indexers.listDataSourceConnections()))
}

main().catch((e) => {
  console.error(e)
  process.exit(1)
})
