// The story of AI Search with @azure/search-documents, as search.py tells it. Prints what it sees of each step.
const { ClientSecretCredential } = require('@azure/identity')
const { AzureKeyCredential, SearchClient, SearchIndexClient } = require('@azure/search-documents')

const { SERVICE: url, SERVICE_KEY: key, QUERY_KEY: queryKey, HOTELS: path, KINDS: kindsPath, ROLES: roles, AZURE_TENANT_ID: tenant } = process.env
const indexes = new SearchIndexClient(url, new AzureKeyCredential(key))
const hotels = new SearchClient(url, 'hotels', new AzureKeyCredential(key))
const say = (step, ...seen) => console.log(`${step}: ${JSON.stringify(seen).replaceAll('.000Z"', 'Z"')}`) // dates are read as objects

// The class, the status and the code of a refusal. The client itself fails on a look-up's 404,
// which has no body: Azure/azure-sdk-for-js#38842.
async function refusal(act) {
  try {
    await act()
  } catch (e) {
    return [e.constructor.name, e.statusCode ?? null, e.details?.error ? (e.details.error.code ?? '') : null]
  }
  return 'allowed'
}

async function all(list) {
  const found = []
  for await (const one of list) found.push(one)
  return found
}

const hits = async (text, options) => all((await hotels.search(text, options)).results)
const ids = async (text, options) => (await hits(text, options)).map((hit) => hit.document.HotelId)
const every = async (text, options) => (await ids(text, options)).sort() // those whose order is not promised
const filtered = (filter) => every('*', { filter })

async function main() {
  await indexes.createSynonymMap({ name: 'words', synonyms: ['hound, dog'] })
  const index = {
    name: 'hotels',
    fields: [
      { name: 'HotelId', type: 'Edm.String', key: true, filterable: true, sortable: true },
      { name: 'HotelName', type: 'Edm.String', searchable: true, sortable: true },
      { name: 'Description', type: 'Edm.String', searchable: true, analyzerName: 'en.lucene', synonymMapNames: ['words'] },
      { name: 'Code', type: 'Edm.String', searchable: true, analyzerName: 'codes' },
      { name: 'Category', type: 'Edm.String', searchable: true, filterable: true, facetable: true, sortable: true, normalizerName: 'plain' },
      { name: 'Tags', type: 'Collection(Edm.String)', searchable: true, filterable: true, facetable: true },
      { name: 'ParkingIncluded', type: 'Edm.Boolean', filterable: true, facetable: true },
      { name: 'LastRenovationDate', type: 'Edm.DateTimeOffset', filterable: true, sortable: true, facetable: true },
      { name: 'Rating', type: 'Edm.Double', filterable: true, sortable: true, facetable: true },
      { name: 'Floors', type: 'Edm.Int32', filterable: true, sortable: true, facetable: true },
      { name: 'Visits', type: 'Edm.Int64', filterable: true },
      { name: 'Location', type: 'Edm.GeographyPoint', filterable: true, sortable: true },
      { name: 'Address', type: 'Edm.ComplexType', fields: [{ name: 'City', type: 'Edm.String', searchable: true, filterable: true, facetable: true }] },
      { name: 'Rooms', type: 'Collection(Edm.ComplexType)', fields: [{ name: 'Type', type: 'Edm.String', searchable: true, filterable: true }, { name: 'BaseRate', type: 'Edm.Double', filterable: true }] },
      { name: 'Vector', type: 'Collection(Edm.Single)', searchable: true, vectorSearchDimensions: 2, vectorSearchProfileName: 'hnsw' },
      { name: 'Exact', type: 'Collection(Edm.Single)', searchable: true, hidden: true, vectorSearchDimensions: 2, vectorSearchProfileName: 'knn' },
    ],
    analyzers: [{ odatatype: '#Microsoft.Azure.Search.CustomAnalyzer', name: 'codes', tokenizerName: 'bars', charFilters: ['dashes'], tokenFilters: ['lowercase'] }],
    tokenizers: [{ odatatype: '#Microsoft.Azure.Search.PatternTokenizer', name: 'bars', pattern: '\\|' }],
    charFilters: [{ odatatype: '#Microsoft.Azure.Search.MappingCharFilter', name: 'dashes', mappings: ['-=>|'] }],
    normalizers: [{ odatatype: '#Microsoft.Azure.Search.CustomNormalizer', name: 'plain', tokenFilters: ['lowercase', 'asciifolding'] }],
    suggesters: [{ name: 'sg', searchMode: 'analyzingInfixMatching', sourceFields: ['HotelName', 'Address/City'] }],
    scoringProfiles: [
      { name: 'names', textWeights: { weights: { HotelName: 50, Description: 1 } } },
      { name: 'rated', functions: [{ type: 'magnitude', fieldName: 'Rating', boost: 100, parameters: { boostingRangeStart: 1, boostingRangeEnd: 5 } }] },
      { name: 'near', functions: [{ type: 'distance', fieldName: 'Location', boost: 100, parameters: { referencePointParameter: 'here', boostingDistance: 1000 } }] },
      { name: 'new', functions: [{ type: 'freshness', fieldName: 'LastRenovationDate', boost: 100, parameters: { boostingDuration: 'P36500D' } }] },
      { name: 'tagged', functions: [{ type: 'tag', fieldName: 'Tags', boost: 100, parameters: { tagsParameter: 'likes' } }] },
    ],
    semanticSearch: { configurations: [{ name: 'meaning', prioritizedFields: { titleField: { name: 'HotelName' }, contentFields: [{ name: 'Description' }] } }] },
    vectorSearch: {
      algorithms: [{ name: 'graph', kind: 'hnsw' }, { name: 'scan', kind: 'exhaustiveKnn' }],
      compressions: [{ compressionName: 'small', kind: 'scalarQuantization' }],
      profiles: [{ name: 'hnsw', algorithmConfigurationName: 'graph', compressionName: 'small' }, { name: 'knn', algorithmConfigurationName: 'scan' }],
    },
  }
  let made = await indexes.createIndex(index)
  const fields = (of) => of.fields.map((field) => field.name).join()
  say('index', made.name, fields(made) === fields(index), made.scoringProfiles.map((profile) => profile.name), made.semanticSearch.configurations[0].name,
    (await indexes.getIndex('hotels')).vectorSearch.profiles[0].compressionName, (await all(indexes.listIndexes())).map((one) => one.name))
  say('index again', await refusal(() => indexes.createIndex(index)))
  // The client loses the tokenizer of an analyzer that it has read: dist/commonjs/serviceUtils.js convertAnalyzersToPublic.
  const updated = (of) => indexes.createOrUpdateIndex({ ...of, analyzers: index.analyzers })
  made.fields.push({ name: 'Added', type: 'Edm.String', filterable: true })
  const added = await updated(made)
  made = await indexes.getIndex('hotels')
  made.fields[9].type = 'Edm.String'
  say('update rules', added.fields.at(-1).name, await refusal(() => updated(made)))
  const analyzed = async (text, analyzerName) => (await indexes.analyzeText('hotels', { text, analyzerName })).tokens.map((token) => token.token)
  say('analyze', await analyzed('AB-cd|EF', 'codes'), await analyzed('The dogs were running', 'en.lucene'), await refusal(() => analyzed('x', 'none')))
  const words = await indexes.getSynonymMap('words')
  words.synonyms = ['hound, dog', 'cheap => budget', 'shelter, quiet inn']
  say('synonym map', (await indexes.createOrUpdateSynonymMap(words)).synonyms, (await indexes.listSynonymMaps()).map((map) => map.name), await refusal(() => indexes.getSynonymMap('none')))

  const documents = require(path)
  say('upload', (await hotels.uploadDocuments(documents)).results.map((r) => [r.key, r.succeeded, r.statusCode]), await hotels.getDocumentsCount())
  const merged = (await hotels.mergeDocuments([{ HotelId: '4', Floors: 2 }, { HotelId: 'none', Floors: 1 }])).results
  // The client escapes the $ of $select twice, and so asks for the whole: dist/commonjs/search/api/operations.js.
  const { HotelName, Floors } = await hotels.getDocument('4', { selectedFields: ['HotelName', 'Floors'] })
  say('merge', merged.map((r) => [r.key, r.succeeded, r.statusCode, Boolean(r.errorMessage)]), { HotelName, Floors })
  say('merge or upload', (await hotels.mergeOrUploadDocuments([{ HotelId: '4', Added: 'yes' }, { HotelId: '5', HotelName: 'Short' }])).results.map((r) => r.statusCode), await filtered("Added eq 'yes'"))
  say('delete', (await hotels.deleteDocuments('HotelId', ['5', 'none'])).results.map((r) => r.statusCode), await hotels.getDocumentsCount())
  const found = await hotels.getDocument('1')
  say('lookup', String(found.Visits), found.Rooms, found.Address, found.LastRenovationDate, found.Tags, 'Exact' in found, await refusal(() => hotels.getDocument('none')))

  const whole = { searchMode: 'all' }
  const full = { queryType: 'full' }
  say('simple', await every('pool'), await every('pool -garden', whole), await every('"old trees"'), await every('lan*'), await every('hound'), await every('small trees'), await every('small trees', whole))
  say('search fields', await every('pool', { searchFields: ['HotelName'] }), await every('bc', { searchFields: ['Code'] }), await every('suite', { searchFields: ['Rooms/Type'] }))
  say('full', await every('HotelName:lantern AND NOT yard', full), await every('lanten~1', full), await every('"garden trees"~2', full), await every('/gard.*/', full),
    (await ids('pool^5 OR HotelName:garden^50', full))[0])
  say('comparison', await filtered('Rating ge 3.5'), await filtered('Rating eq null'), await filtered('not (Floors gt 3) and ParkingIncluded'), await filtered("Category eq 'RESORT'"),
    await filtered("LastRenovationDate lt 2015-01-01T00:00:00Z or HotelId eq '4'"), await filtered(`Visits eq ${found.Visits}`))
  say('collections', await filtered("Tags/any(t: t eq 'wifi')"), await filtered("Tags/all(t: t ne 'pool')"), await filtered('not Tags/any()'),
    await filtered("Rooms/any(r: r/Type eq 'Single' and r/BaseRate lt 80.0)"), await filtered("Tags/any(t: search.in(t, 'view,pool'))"), await filtered("search.in(HotelId, '1|4', '|')"))
  say('geography', await filtered("geo.distance(Location, geography'POINT(139.7 35.7)') le 450"), await filtered("geo.intersects(Location, geography'POLYGON((134 34, 140 34, 140 36, 134 36, 134 34))')"))
  say('ismatch', await filtered("search.ismatch('lantern') and Floors le 2"), await filtered("search.ismatchscoring('pool', 'HotelName')"))
  say('order', await ids('*', { orderBy: ['Rating desc'] }), await ids('*', { orderBy: ['Category asc', 'HotelId desc'] }),
    (await ids('*', { orderBy: ["geo.distance(Location, geography'POINT(141 43)') asc"] })).slice(0, 3))
  const pages = async (options) => (await all((await hotels.search('*', options)).results.byPage())).map((page) => page.results.map((hit) => hit.document.HotelId))
  say('select', (await hits('*', { filter: "HotelId eq '2'", select: ['HotelId', 'Address/City'] }))[0].document.Address, await ids('*', { orderBy: ['HotelId'], top: 2, skip: 1 }),
    await pages({ orderBy: ['HotelId'], top: 2 }))
  const answer = await hotels.search('*', {
    includeTotalCount: true, minimumCoverage: 80, top: 0, facets: ['Category,sort:value', 'Rating,interval:2', 'Floors,values:3|6', 'Tags,count:1', 'LastRenovationDate,interval:year'] })
  const facets = Object.entries(answer.facets).map(([field, of]) => [field, of.map(({ additionalProperties, ...facet }) => facet)])
  say('facets', answer.count, answer.coverage, Object.fromEntries(facets))
  const highlights = async (text) => (await hits(text, { highlightFields: 'Description', highlightPreTag: '<b>', highlightPostTag: '</b>' })).map((hit) => hit.highlights)
  say('highlights', await highlights('trees'), await highlights('shelter'))
  const suggested = async (text, options) => (await hotels.suggest(text, 'sg', options)).results
  say('suggest', (await suggested('harb', { highlightPreTag: '[', highlightPostTag: ']' })).map((s) => [s.document.HotelId, s.text]), (await suggested('hagbour', { useFuzzyMatching: true, select: ['HotelId', 'Rating'] })).map((s) => [s.document.HotelId, s.document.Rating]),
    (await suggested('lan', { filter: 'Floors eq 2' })).map((s) => s.document.HotelId), await refusal(() => hotels.suggest('x', 'none')))
  const completed = async (text, autocompleteMode) => (await hotels.autocomplete(text, 'sg', { autocompleteMode })).results
  say('autocomplete', (await completed('gar')).map((a) => a.text), (await completed('harbour lan', 'oneTermWithContext')).map((a) => a.queryPlusText), (await completed('lan', 'twoTerms')).map((a) => a.text).sort())

  const vector = (of = {}) => ({ kind: 'vector', vector: [1, 0], fields: ['Vector'], kNearestNeighborsCount: 2, ...of })
  const vectors = (queries, filterMode) => ({ vectorSearchOptions: { queries, filterMode } })
  say('vector', await ids(undefined, vectors([vector()])), await ids(undefined, vectors([vector({ fields: ['Exact'], kNearestNeighborsCount: 3 })])), await ids(undefined, vectors([vector({ exhaustive: true })])),
    await refusal(() => ids(undefined, vectors([vector({ vector: [1, 0, 0] })]))))
  say('filter modes', await ids(undefined, { ...vectors([vector()], 'preFilter'), filter: 'Floors le 5' }), await ids(undefined, { ...vectors([vector()], 'postFilter'), filter: 'Floors le 5' }))
  const rounded = (score) => Math.round(score * 1e6) / 1e6
  const scores = async (text, queries) => (await hits(text, vectors(queries))).map((hit) => [hit.document.HotelId, hit.score])
  const fused = await scores('corner', [vector()])
  const several = await scores(undefined, [vector(), vector({ vector: [0, 1], weight: 2 })])
  say('fusion', fused.map(([id]) => id).sort(), fused[0][0], several[0][0], rounded(Object.fromEntries(fused)[2] - Object.fromEntries(fused)[1]), Object.fromEntries(several.map(([id, score]) => [id, rounded(score)])))
  const meaning = (configurationName) => ({ queryType: 'semantic', semanticSearchOptions: { configurationName, captions: { captionType: 'extractive' }, answers: { answerType: 'extractive' } } })
  const results = await hotels.search('a garden of trees', meaning('meaning'))
  const [first] = await all(results.results)
  const [caption] = first.captions
  say('semantic', first.document.HotelId, first.rerankerScore > 0 && first.rerankerScore <= 4, caption.text, caption.highlights, results.answers.map((a) => a.key), await refusal(() => ids('trees', meaning('other'))))
  const profiled = async (scoringProfile, scoringParameters, text = '*') => (await ids(text, { scoringProfile, scoringParameters }))[0]
  say('profiles', await profiled('names', undefined, 'pool'), await profiled('rated'), await profiled('near', ['here-135.5,34.7']), await profiled('new'), await profiled('tagged', ['likes-view']), await refusal(() => profiled('near')))
  say('errors', await refusal(() => filtered('Rating gt')), await refusal(() => filtered('None eq 1')), await refusal(() => ids('*', { orderBy: ['Description'] })), await refusal(() => ids('a AND (', full)),
    await refusal(() => ids('*', { top: -1 })), await refusal(() => hotels.uploadDocuments([{ HotelId: '6', Rating: 'high' }])), await refusal(() => hotels.uploadDocuments([{ HotelName: 'no key' }])),
    await refusal(() => indexes.getIndex('none')), await refusal(() => new SearchClient(url, 'none', new AzureKeyCredential(key)).getDocumentsCount()))

  await indexes.createAlias({ name: 'stay', indexes: ['hotels'] })
  say('alias', (await indexes.getAlias('stay')).indexes, await new SearchClient(url, 'stay', new AzureKeyCredential(key)).getDocumentsCount(), (await all(indexes.listAliases())).map((alias) => alias.name),
    (await indexes.createOrUpdateAlias({ name: 'stay', indexes: ['hotels'] })).name, (await indexes.deleteAlias('stay')) ?? null, await refusal(() => indexes.getAlias('stay')))
  say('statistics', (await indexes.getIndexStatistics('hotels')).documentCount, (await indexes.getServiceStatistics()).counters.indexCounter.usage)
  const reader = new SearchClient(url, 'hotels', new AzureKeyCredential(queryKey))
  say('query key', await reader.getDocumentsCount(), await refusal(() => reader.uploadDocuments(documents)), await refusal(() => new SearchIndexClient(url, new AzureKeyCredential(queryKey)).getIndex('hotels')),
    await refusal(() => new SearchClient(url, 'hotels', new AzureKeyCredential('wrong')).getDocumentsCount()))
  for (const { name, app, secret } of JSON.parse(roles)) {
    const who = new ClientSecretCredential(tenant, app, secret)
    const its = new SearchClient(url, 'hotels', who)
    const definitions = new SearchIndexClient(url, who)
    const seen = []
    for (const act of [() => definitions.getIndex('hotels'), () => definitions.createOrUpdateSynonymMap(words), () => its.getDocumentsCount(), () => its.mergeDocuments([{ HotelId: '4', Floors: 2 }])]) {
      const refused = await refusal(act)
      seen.push(refused === 'allowed' ? refused : refused.slice(1))
    }
    say(name, ...seen)
  }
  await hotels.uploadDocuments(Array.from({ length: 120 }, (_, i) => ({ HotelId: 'many' + String(i).padStart(3, '0') })))
  say('paging', (await pages({ orderBy: ['HotelId'] })).map((page) => page.length), new Set(await ids('*', { orderBy: ['HotelId'] })).size)
  await kinds()
  await indexes.deleteIndex('hotels')
  await indexes.deleteSynonymMap('words')
  say('deleted', await refusal(() => indexes.getIndex('hotels')), (await all(indexes.listIndexes())).map((one) => one.name), (await indexes.listSynonymMaps()).map((map) => map.name))
}

async function kinds() {
  const vector = (name, type, vectorSearchProfileName, more) => ({ name, type: `Collection(Edm.${type})`, searchable: true, vectorSearchDimensions: 2, vectorSearchProfileName, ...more })
  await indexes.createIndex({
    name: 'kinds',
    fields: [
      { name: 'id', type: 'Edm.String', key: true, sortable: true }, { name: 'Text', type: 'Edm.String', searchable: true, indexAnalyzerName: 'whitespace', searchAnalyzerName: 'keyword' },
      ...Object.entries({ Numbers: 'Int32', Big: 'Int64', Rates: 'Double', Flags: 'Boolean', Dates: 'DateTimeOffset', Places: 'GeographyPoint' })
        .map(([name, type]) => ({ name, type: `Collection(Edm.${type})`, filterable: true })),
      vector('Half', 'Half', 'bits', { stored: false, hidden: true }), vector('Short', 'Int16', 'graph'), vector('Tiny', 'SByte', 'graph'),
      vector('Bits', 'Byte', 'packed', { vectorSearchDimensions: 16, vectorEncodingFormat: 'packedBit' })],
    similarity: { odatatype: '#Microsoft.Azure.Search.BM25Similarity', k1: 1.3, b: 0.5 },
    corsOptions: { allowedOrigins: ['https://contoso.com'], maxAgeInSeconds: 60 },
    vectorSearch: {
      algorithms: [{ name: 'g', kind: 'hnsw', parameters: { metric: 'euclidean' } }, { name: 'h', kind: 'hnsw', parameters: { metric: 'hamming' } }],
      compressions: [{ compressionName: 'binary', kind: 'binaryQuantization', rescoringOptions: { enableRescoring: true, defaultOversampling: 2 } }],
      profiles: [{ name: 'bits', algorithmConfigurationName: 'g', compressionName: 'binary' }, { name: 'graph', algorithmConfigurationName: 'g' }, { name: 'packed', algorithmConfigurationName: 'h' }],
    },
  })
  const { fields, similarity, corsOptions, vectorSearch } = await indexes.getIndex('kinds')
  say('kinds', fields.map((field) => field.type), [fields[1].searchAnalyzerName, fields[1].indexAnalyzerName], [similarity.k1, similarity.b], [corsOptions.allowedOrigins, corsOptions.maxAgeInSeconds],
    [fields[8].stored, fields[11].vectorEncodingFormat, vectorSearch.algorithms[1].parameters.metric, vectorSearch.compressions[0].rescoringOptions.defaultOversampling])
  const many = new SearchClient(url, 'kinds', new AzureKeyCredential(key))
  await many.uploadDocuments(require(kindsPath))
  const kind = async (text, options) => (await all((await many.search(text, options)).results)).map((hit) => hit.document.id)
  const seen = [await kind('Wi-Fi')]
  for (const filter of ['Numbers/any(n: n gt 1)', 'Big/any(n: n eq 9007199254740991)', 'Rates/any(n: n lt 1)', 'Flags/any(f: f)', 'Dates/any(d: d lt 2021-01-01T00:00:00Z)',
    "Places/any(p: geo.distance(p, geography'POINT(139.7 35.7)') le 10)"]) {
    seen.push(await kind('*', { filter }))
  }
  for (const [field, values] of Object.entries({ Half: [1, 0], Short: [100, -100], Tiny: [100, -100], Bits: [240, 0] })) {
    seen.push(await kind(undefined, { vectorSearchOptions: { queries: [{ kind: 'vector', vector: values, fields: [field], kNearestNeighborsCount: 2 }] } }))
  }
  say('of each kind', ...seen, [await refusal(() => many.uploadDocuments([{ id: '3', Tiny: [128, 0] }]))])
  await indexes.deleteIndex('kinds')
}

main().catch((e) => { console.error(e); process.exit(1) })
