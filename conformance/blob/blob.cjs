// The story of Blob storage with @azure/storage-blob. Prints what it sees of each step.
const { createHash, randomBytes } = require('node:crypto')
const { ClientSecretCredential } = require('@azure/identity')
const {
  AccountSASPermissions, AnonymousCredential, BlobClient, BlobSASPermissions, BlobServiceClient, ContainerClient, ContainerSASPermissions,
  generateAccountSASQueryParameters, generateBlobSASQueryParameters, StorageSharedKeyCredential,
} = require('@azure/storage-blob')

const { ACCOUNT_URL: url, ACCOUNT: account, ACCOUNT_KEY: key, DOOR_URL: door, ...env } = process.env
const soon = new Date(Date.now() + 3600e3)
const shared = new StorageSharedKeyCredential(account, key)
const own = door ? { authorityHost: door, disableInstanceDiscovery: true } : {}
const token = (who) => new ClientSecretCredential(env.AZURE_TENANT_ID, env[who + '_ID'], env[who + '_SECRET'], own)
const say = (step, ...seen) => console.log(`${step}: ${JSON.stringify(seen)}`)

// The service's code for a refusal.
async function code(act) {
  try {
    await act
  } catch (e) {
    return e.code ?? e.details?.errorCode ?? e.statusCode
  }
  return 'allowed'
}

async function text(client, offset, length, options) {
  return (await client.downloadToBuffer(offset, length, options)).toString()
}

async function all(list, pick = (one) => one.name) {
  const found = []
  for await (const one of list) found.push(pick(one))
  return found
}

const put = (container, name, body, options) => container.getBlockBlobClient(name).upload(body, Buffer.byteLength(body), options)

async function containers(service) {
  const one = service.getContainerClient('one')
  await one.create({ metadata: { color: 'blue' } })
  for (const name of ['three', 'two']) await service.createContainer(name)
  say('container', await code(service.createContainer('one')), (await one.getProperties()).metadata)
  await one.setMetadata({ color: 'red' })
  const pages = await all(service.listContainers().byPage({ maxPageSize: 2 }), (page) => page.containerItems.map((c) => c.name))
  say('containers', pages, await all(service.listContainers({ prefix: 'one', includeMetadata: true }), (c) => c.metadata))
  await one.setAccessPolicy(undefined, [{ id: 'readers', accessPolicy: { permissions: 'rl', expiresOn: soon, startsOn: new Date(Date.now() - 60e3) } }])
  const acl = await one.getAccessPolicy()
  say('acl', acl.blobPublicAccess ?? null, acl.signedIdentifiers.map((p) => [p.id, p.accessPolicy.permissions]))
  const lease = service.getContainerClient('two').getBlobLeaseClient()
  await lease.acquireLease(15)
  say('container lease', await code(service.deleteContainer('two')), await code(lease.renewLease()), await code(lease.changeLease('00000000-0000-0000-0000-000000000001')))
  await lease.breakLease(0)
  const another = service.getContainerClient('two').getBlobLeaseClient()
  await another.acquireLease(-1)
  await another.releaseLease()
  return one
}

async function blobs(one) {
  const round = one.getBlockBlobClient('put')
  await put(one, 'put', '0123456789', { metadata: { shape: 'round' }, tags: { kind: 'digit' }, blobHTTPHeaders: { blobContentType: 'text/plain' } })
  let seen = await round.getProperties()
  say('put', await text(round), seen.contentLength, seen.contentType, seen.metadata, Buffer.from(seen.contentMD5).equals(createHash('md5').update('0123456789').digest()))
  say('put again', await code(put(one, 'put', 'x', { conditions: { ifNoneMatch: '*' } })))
  const blocks = one.getBlockBlobClient('blocks')
  say('content', await code(blocks.stageBlock('MQ==', 'x', 1, { transactionalContentMD5: new Uint8Array(16) })),
    await code(blocks.stageBlock('MQ==', 'x', 1, { transactionalContentCrc64: new Uint8Array(8) })))
  await blocks.stageBlock('MQ==', 'one ', 4)
  await blocks.stageBlock('Mg==', 'two', 3)
  const count = (list) => [(list.committedBlocks ?? []).length, (list.uncommittedBlocks ?? []).length]
  const before = count(await blocks.getBlockList('all'))
  await blocks.commitBlockList(['Mg==', 'MQ=='])
  say('blocks', before, count(await blocks.getBlockList('all')), await text(blocks), await code(blocks.commitBlockList(['Mw=='])))
  const append = one.getAppendBlobClient('append')
  await append.create()
  await append.appendBlock('first ', 6)
  await append.appendBlock('second', 6)
  say('append', await text(append), await code(append.appendBlock('x', 1, { conditions: { appendPosition: 3 } })))
  await append.seal()
  say('sealed', await code(append.appendBlock('x', 1)))
  say('range', await text(round, 3, 4), await code(round.download(100, 1)))
  const { etag } = await round.getProperties()
  say('conditions', await code(round.download(0, undefined, { conditions: { ifNoneMatch: etag } })), await code(put(one, 'put', 'x', { conditions: { ifMatch: '"wrong"' } })),
    await code(round.getProperties({ conditions: { ifUnmodifiedSince: new Date(2020, 1, 1) } })))
  const held = round.getBlobLeaseClient()
  await held.acquireLease(15)
  say('lease', await code(round.setMetadata({ a: 'b' })), await code(round.setMetadata({ shape: 'square' }, { conditions: { leaseId: held.leaseId } })), (await round.getProperties()).leaseState)
  await held.renewLease()
  await held.changeLease('00000000-0000-0000-0000-000000000002')
  await held.releaseLease()
  await held.acquireLease(-1)
  await held.breakLease(0)
  const { snapshot } = await round.createSnapshot()
  await put(one, 'put', 'new')
  say('snapshot', await text(round.withSnapshot(snapshot)), await text(round), await code(round.delete()))
  await round.setMetadata({ shape: 'flat' })
  await round.setHTTPHeaders({ blobContentType: 'text/html', blobCacheControl: 'no-store' })
  await round.setAccessTier('Cool')
  seen = await round.getProperties()
  say('properties', seen.metadata, seen.contentType, seen.cacheControl, seen.accessTier)
  return { round, blocks }
}

async function found(service, one, round) {
  await round.setTags({ kind: 'word', size: '3' })
  say('tags', (await round.getTags()).tags, await all(service.findBlobsByTags(`"kind" = 'word' AND "size" >= '2'`)), await all(one.findBlobsByTags(`"kind" = 'word'`)),
    await code(round.download(0, undefined, { conditions: { tagConditions: `"kind" = 'digit'` } })))
}

const signed = (values) => generateBlobSASQueryParameters({ containerName: 'one', expiresOn: soon, ...values }, shared).toString()

async function copies(service) {
  const source = `${url}/one/blocks?${signed({ blobName: "blocks", permissions: BlobSASPermissions.parse("r") })}`
  const into = service.getContainerClient('three')
  const [now, later, begun, staged, grown] = ['now', 'later', 'begun', 'staged', 'grown'].map((name) => into.getBlockBlobClient(name))
  await now.syncUploadFromURL(source)
  await later.syncCopyFromURL(source)
  const copied = await (await begun.beginCopyFromURL(source)).pollUntilDone()
  await staged.stageBlockFromURL('MQ==', source, 0, 3)
  await staged.commitBlockList(['MQ=='])
  await grown.getAppendBlobClient().create()
  await grown.getAppendBlobClient().appendBlockFromURL(source, 0, 7)
  const seen = []
  for (const b of [now, later, begun, staged, grown]) seen.push(await text(b))
  say('copy', ...seen, (await begun.getProperties()).copyStatus, await code(begun.abortCopyFromURL(copied.copyId)), await code(now.syncUploadFromURL(url + '/one/none')))
}

async function lists(one) {
  for (const name of ['a/1', 'a/2', 'b/c/1']) await put(one, name, 'x')
  const pages = await all(one.listBlobsFlat().byPage({ maxPageSize: 3 }), (page) => page.segment.blobItems.map((b) => b.name))
  say('flat', pages, await all(one.listBlobsFlat({ prefix: 'a/' })))
  const level = await all(one.listBlobsByHierarchy('/'))
  say('hierarchy', level, await all(one.listBlobsByHierarchy('/', { prefix: 'b/' })))
  say('included', await all(one.listBlobsFlat({ prefix: 'put', includeMetadata: true, includeSnapshots: true, includeTags: true }),
    (b) => [b.name, b.metadata, b.properties.tagCount, Boolean(b.snapshot)]))
}

async function wholes(service, one, round, blocks) {
  await service.setProperties({ deleteRetentionPolicy: { enabled: true, days: 7 },
    cors: [{ allowedOrigins: 'https://contoso.com', allowedMethods: 'GET', allowedHeaders: '', exposedHeaders: '', maxAgeInSeconds: 0 }] })
  const seen = await service.getProperties()
  say('service', seen.deleteRetentionPolicy.days, seen.cors.map((c) => c.allowedOrigins), [await service.getAccountInfo(), await one.getAccountInfo(), await round.getAccountInfo()].map((i) => i.accountKind))
  // Where the account is a path, the SDK takes it for a container.
  const batch = door ? one.getBlobBatchClient() : service.getBlobBatchClient()
  const some = (...names) => names.map((name) => one.getBlobClient(name))
  say('batch', (await batch.deleteBlobs(some('a/1', 'a/2', 'none'))).subResponses.map((r) => r.errorCode ?? 'allowed'), (await one.getBlobBatchClient().setBlobsAccessTier(some('b/c/1'), 'Cool')).subResponses.map((r) => r.errorCode ?? 'allowed'))
  await blocks.delete()
  say('deleted', await code(blocks.getProperties()), await all(one.listBlobsFlat({ prefix: 'blocks', includeDeleted: true }), (b) => [b.name, b.deleted]))
  await blocks.undelete()
  await round.delete({ deleteSnapshots: 'only' })
  say('undeleted', await text(blocks), await code(round.delete()))

  const big = randomBytes(100 << 20)
  const large = one.getBlockBlobClient('large')
  await large.uploadData(big, { blockSize: 8 << 20, maxSingleShotSize: 8 << 20, concurrency: 4 })
  const back = await large.downloadToBuffer(0, undefined, { blockSize: 8 << 20, concurrency: 4 })
  say('large', back.equals(big), (await large.getBlockList('committed')).committedBlocks.length)
  await large.delete()
}

async function signatures(one) {
  const bySAS = generateAccountSASQueryParameters({ services: 'b', resourceTypes: 'sco', permissions: AccountSASPermissions.parse('rl'), expiresOn: soon }, shared).toString()
  const service = new BlobServiceClient(`${url}?${bySAS}`)
  const inOne = service.getContainerClient('one')
  say('account SAS', await all(service.listContainers()), await text(inOne.getBlobClient('blocks')), await code(put(inOne, 'x', 'x')))
  const blob = (name, query) => new BlobClient(`${url}/one/${name}?${query}`).getBlockBlobClient()
  const reading = { blobName: 'blocks', permissions: BlobSASPermissions.parse('r') }
  let by = blob('blocks', signed(reading))
  say('service SAS', await text(by), await code(by.upload('x', 1)))
  const readers = new ContainerClient(`${url}/one?${signed({ expiresOn: undefined, identifier: "readers" })}`)
  const listed = [await all(readers.listBlobsFlat({ prefix: 'bl' })), await code(readers.deleteBlob('blocks'))]
  await one.setAccessPolicy()
  say('stored policy', ...listed, await code(readers.getBlobClient('blocks').download()))
  const writer = new BlobServiceClient(url, token('WRITER'))
  const delegated = await writer.getUserDelegationKey(new Date(Date.now() - 60e3), soon)
  by = blob('blocks', generateBlobSASQueryParameters({ containerName: 'one', expiresOn: soon, ...reading }, delegated, account).toString())
  say('user delegation SAS', await text(by), await code(by.delete()))
  say('altered SAS', await code(blob('append', signed(reading)).download()))
}

async function others(service, one) {
  const anybody = new BlobServiceClient(url, new AnonymousCredential()).getContainerClient('one')
  const seen = [await code(anybody.getBlobClient('blocks').download())]
  await one.setAccessPolicy('blob')
  seen.push(await text(anybody.getBlobClient('blocks')), await code(anybody.getProperties()))
  await one.setAccessPolicy('container')
  say('anonymous', ...seen, await all(anybody.listBlobsFlat({ prefix: 'bl' })), await code(anybody.getBlobClient('blocks').delete()))
  await one.setAccessPolicy()

  const holder = (who) => new BlobServiceClient(url, token(who)).getContainerClient('one')
  say('no data role', await code(holder('OWNER').getBlobClient('blocks').download()), await code(holder('OWNER').getProperties()))
  say('reader', await text(holder('READER').getBlobClient('blocks')), await code(put(holder('READER'), 'x', 'x')))
  say('contributor', await code(put(holder('WRITER'), 'x', 'x')), await code(holder('WRITER').deleteBlob('x')), await code(holder('WRITER').setAccessPolicy()))
  const closed = new BlobServiceClient(env.CLOSED_URL, new StorageSharedKeyCredential(env.CLOSED_ACCOUNT, env.CLOSED_ACCOUNT_KEY))
  say('key disabled', await code(closed.createContainer('one')))
}

async function main() {
  const service = new BlobServiceClient(url, shared)
  const one = await containers(service)
  const { round, blocks } = await blobs(one)
  await found(service, one, round)
  await copies(service)
  await lists(one)
  await wholes(service, one, round, blocks)
  await signatures(one)
  await others(service, one)
  await service.deleteContainer('three')
  const [gone] = (await all(service.listContainers({ prefix: 'three', includeDeleted: true }), (c) => c)).filter((c) => c.deleted)
  const refused = await code(service.getContainerClient('three').getProperties())
  say('container deleted', refused, await code(service.undeleteContainer('three', gone.version)), await text(service.getContainerClient('three').getBlobClient('now')))
}

main().catch((e) => {
  console.error(e)
  process.exitCode = 1
})
