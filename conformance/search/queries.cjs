// The story of definitions, documents and queries with @azure/search-documents. Prints what it sees of each step.
const { AzureKeyCredential, SearchClient, SearchIndexClient } = require('@azure/search-documents')

const { SERVICE: url, SERVICE_KEY: key, QUERY_KEY: queryKey } = process.env
const indexes = new SearchIndexClient(url, new AzureKeyCredential(key))
const docs = new SearchClient(url, 'inns', new AzureKeyCredential(key))
const say = (step, ...seen) => console.log(`${step}: ${JSON.stringify(seen)}`)

// The status of a refusal, and the code that it has. The client itself fails on a look-up's 404,
// which has no body: Azure/azure-sdk-for-js#38842.
async function refusal(act) {
  try {
    await act()
  } catch (e) {
    return [e.statusCode, e.details?.error?.code ?? e.code ?? '']
  }
  return 'allowed'
}

async function all(list) {
  const found = []
  for await (const one of list) found.push(one)
  return found
}

async function found(text, options) {
  return (await all((await docs.search(text, options)).results)).map((hit) => hit.document.id)
}

async function main() {
  say('synonym map', (await indexes.createSynonymMap({ name: 'words', synonyms: ['pool, swimming bath'] })).name, (await indexes.getSynonymMap('words')).synonyms)
  const index = {
    name: 'inns',
    fields: [
      { name: 'id', type: 'Edm.String', key: true, sortable: true },
      { name: 'name', type: 'Edm.String', searchable: true, sortable: true },
      { name: 'text', type: 'Edm.String', searchable: true, analyzerName: 'en.lucene', synonymMapNames: ['words'] },
      { name: 'tags', type: 'Collection(Edm.String)', searchable: true, filterable: true, facetable: true },
      { name: 'rating', type: 'Edm.Double', filterable: true, sortable: true, facetable: true },
      { name: 'place', type: 'Edm.GeographyPoint', filterable: true, sortable: true },
      { name: 'rooms', type: 'Collection(Edm.ComplexType)', fields: [{ name: 'kind', type: 'Edm.String', filterable: true }, { name: 'rate', type: 'Edm.Double', filterable: true }] },
      { name: 'vector', type: 'Collection(Edm.Single)', searchable: true, vectorSearchDimensions: 2, vectorSearchProfileName: 'near' },
    ],
    suggesters: [{ name: 'sg', searchMode: 'analyzingInfixMatching', sourceFields: ['name'] }],
    vectorSearch: { algorithms: [{ name: 'graph', kind: 'hnsw' }], profiles: [{ name: 'near', algorithmConfigurationName: 'graph' }] },
  }
  const made = await indexes.createIndex(index)
  say('index', made.name, made.fields.length, (await indexes.getIndex('inns')).suggesters[0].name, (await all(await indexes.listIndexes())).map((i) => i.name))
  say('index again', await refusal(() => indexes.createIndex(index)))
  made.fields.push({ name: 'later', type: 'Edm.Int32', filterable: true })
  say('a field more', (await indexes.createOrUpdateIndex(made)).fields.length)
  say('analyze', (await indexes.analyzeText('inns', { text: 'The Hotels', analyzerName: 'en.lucene' })).tokens.map((t) => t.token))
  say('alias', (await indexes.createAlias({ name: 'stay', indexes: ['inns'] })).indexes, (await indexes.getAlias('stay')).name)

  const uploaded = await docs.uploadDocuments([
    { id: '1', name: 'City Hotel', text: 'The lobby has free wifi and a bar.', tags: ['wifi', 'bar'], rating: 3.6, place: { type: 'Point', coordinates: [-73.97, 40.76] }, rooms: [{ kind: 'Single', rate: 96.5 }, { kind: 'Suite', rate: 240 }], vector: [1, 0] },
    { id: '2', name: 'Carrabelle Inn', text: 'Rest by the pool. Fresh fish each night.', tags: ['pool'], rating: 4.2, place: { type: 'Point', coordinates: [-82.45, 27.38] }, rooms: [{ kind: 'Single', rate: 60 }], vector: [0.8, 0.6] },
    { id: '3', name: 'Garden Resort', text: 'Great cooking, and a swimming bath.', tags: [], rating: 4.8, vector: [0, 1] }])
  say('documents', uploaded.results.map((r) => [r.key, r.succeeded, r.statusCode]))
  const some = await docs.mergeDocuments([{ id: '3', later: 7 }, { id: '9', later: 1 }])
  say('some of a batch', some.results.map((r) => [r.key, r.succeeded, r.statusCode]))
  await docs.mergeOrUploadDocuments([{ id: '4', name: 'Gone' }])
  await docs.deleteDocuments('id', ['4'])
  say('lookup', (await docs.getDocument('3', { selectedFields: ['id', 'later'] })).later, await docs.getDocumentsCount(), await refusal(() => docs.getDocument('4')))

  say('simple', await found('wifi'), await found('bar +wifi', { searchMode: 'all' }), (await found('pool')).sort(), await found('gard*'))
  say('full', await found('name:inn', { queryType: 'full' }), await found('carabelle~', { queryType: 'full' }), await refusal(() => found('name:(', { queryType: 'full' })))
  say('filters', await found('*', { filter: "rooms/any(r: r/kind eq 'Single' and r/rate lt 80)" }), await found('*', { filter: "tags/any(t: search.in(t, 'pool,bar', ','))", orderBy: ['id'] }),
    await found('*', { filter: "geo.distance(place, geography'POINT(-73.98 40.75)') le 5" }), await found('*', { filter: 'not tags/any()' }), await refusal(() => found('*', { filter: 'none eq 1' })))
  say('order', await found('*', { orderBy: ['rating desc'] }), await found('*', { orderBy: ['rating'], skip: 1, top: 1 }))
  const seen = await docs.search('wifi pool', { facets: ['tags,sort:value', 'rating,values:4'], includeTotalCount: true, highlightFields: 'text', minimumCoverage: 100, select: ['id'] })
  const hits = await all(seen.results)
  say('facets', seen.facets.tags.map((f) => [f.value, f.count]), seen.facets.rating.map((f) => [f.from ?? null, f.to ?? null, f.count]), seen.count, seen.coverage)
  say('highlights', Object.fromEntries(hits.map((hit) => [hit.document.id, hit.highlights.text])))
  say('suggest', (await docs.suggest('carr', 'sg', { select: ['rating'], highlightPreTag: '[', highlightPostTag: ']' })).results.map((s) => [s.text, s.document.rating]),
    (await docs.suggest('carabelle', 'sg', { useFuzzyMatching: true })).results.map((s) => s.text))
  say('autocomplete', (await docs.autocomplete('ci', 'sg')).results.map((a) => a.text), (await docs.autocomplete('ci', 'sg', { autocompleteMode: 'twoTerms' })).results.map((a) => a.queryPlusText))
  const vector = (values) => ({ vectorSearchOptions: { queries: [{ kind: 'vector', vector: values, kNearestNeighborsCount: 2, fields: ['vector'] }] } })
  say('vectors', await found('*', vector([1, 0])), (await found('resort', vector([1, 0]))).sort(), await found('*', { ...vector([1, 0]), filter: 'rating gt 4' }), await refusal(() => found('*', vector([1, 0, 0]))))
  await docs.uploadDocuments(Array.from({ length: 120 }, (_, i) => ({ id: 'p' + String(i).padStart(3, '0'), name: 'Page' })))
  say('pages', (await found('page', { orderBy: ['id'] })).length)
  say('statistics', (await indexes.getIndexStatistics('inns')).documentCount, (await indexes.getServiceStatistics()).counters.indexCounter.usage)
  const reader = new SearchClient(url, 'inns', new AzureKeyCredential(queryKey))
  say('query key', await reader.getDocumentsCount(), await refusal(() => reader.uploadDocuments([{ id: '5' }])), await refusal(() => new SearchIndexClient(url, new AzureKeyCredential(queryKey)).getIndex('inns')))
  await indexes.deleteAlias('stay')
  await indexes.deleteIndex('inns')
  await indexes.deleteSynonymMap('words')
  say('deleted', await refusal(() => indexes.getIndex('inns')), (await all(await indexes.listIndexes())).length)
}

main().catch((e) => { console.error(e); process.exit(1) })
