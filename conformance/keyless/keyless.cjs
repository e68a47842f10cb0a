// The keyless story with the management SDKs and the openai package.
// Prints each step that it has taken. DOOR_URL is an own name, or empty.
const assert = require('node:assert/strict')
const { randomUUID } = require('node:crypto')
const { AuthorizationManagementClient } = require('@azure/arm-authorization')
const { CognitiveServicesManagementClient } = require('@azure/arm-cognitiveservices')
const { ResourceManagementClient } = require('@azure/arm-resources')
const { ClientSecretCredential, getBearerTokenProvider } = require('@azure/identity')
const { AzureOpenAI } = require('openai')

const { ACCOUNT, SUBSCRIPTION, PRINCIPAL, DOOR_URL, AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET } = process.env
const GROUP = 'rg-keyless'
const authority = DOOR_URL ? { authorityHost: DOOR_URL, disableInstanceDiscovery: AZURE_TENANT_ID !== 'adfs' } : {}
const cloud = DOOR_URL ? { endpoint: DOOR_URL, $host: DOOR_URL, credentialScopes: ['https://management.azure.com/.default'] } : {}

async function chat(account, by, model = 'chat') {
  const client = new AzureOpenAI({ endpoint: account.properties.endpoint, apiVersion: '2024-10-21', maxRetries: 0, ...by })
  const reply = await client.chat.completions.create({
    model,
    messages: [
      { role: 'system', content: 'Answer from the text: Mount Fuji is 3776 m high. Lake Biwa is 104 m deep.' },
      { role: 'user', content: 'How high is Mount Fuji?' },
    ],
  })
  assert.match(reply.choices[0].message.content, /3776/)
}

// Both packages' errors have a code; openai has the status in status, Azure in statusCode.
const refused = (status, code, call) =>
  assert.rejects(call, (e) => {
    assert.deepEqual([e.status ?? e.statusCode, e.code], [status, code], e)
    return true
  })

async function main() {
  const credential = new ClientSecretCredential(AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET, authority)
  const { accounts, deployments } = new CognitiveServicesManagementClient(credential, SUBSCRIPTION, cloud)
  const { roleDefinitions, roleAssignments } = new AuthorizationManagementClient(credential, SUBSCRIPTION, cloud)

  await new ResourceManagementClient(credential, SUBSCRIPTION, cloud).resourceGroups.createOrUpdate(GROUP, { location: 'japaneast' })
  const account = await accounts.beginCreateAndWait(GROUP, ACCOUNT, {
    kind: 'OpenAI', location: 'japaneast', sku: { name: 'S0' }, properties: { customSubDomainName: ACCOUNT },
  })
  for (const [deployment, name, version] of [['chat', 'gpt-4o-mini', '2024-07-18'], ['busy', 'gpt-4o', '2024-11-20']]) {
    await deployments.beginCreateOrUpdateAndWait(GROUP, ACCOUNT, deployment, {
      sku: { name: 'Standard', capacity: 10 }, properties: { model: { format: 'OpenAI', name, version } },
    })
  }
  const names = []
  for await (const deployment of deployments.list(GROUP, ACCOUNT)) names.push(deployment.name)
  assert.deepEqual(names.sort(), ['busy', 'chat'])
  console.log('built')

  const keys = await accounts.listKeys(GROUP, ACCOUNT)
  await chat(account, { apiKey: keys.key1 })
  console.log('key answered')

  const rotated = await accounts.regenerateKey(GROUP, ACCOUNT, 'Key1')
  assert.notEqual(rotated.key1, keys.key1)
  assert.equal(rotated.key2, keys.key2)
  await refused(401, '401', chat(account, { apiKey: keys.key1 }))
  await chat(account, { apiKey: rotated.key1 })
  console.log('key rotated')

  const token = { azureADTokenProvider: getBearerTokenProvider(credential, 'https://cognitiveservices.azure.com/.default') }
  await refused(401, 'PermissionDenied', chat(account, token))
  console.log('token denied')

  const roles = []
  for await (const role of roleDefinitions.list(account.id, { filter: "roleName eq 'Cognitive Services OpenAI User'" })) roles.push(role)
  assert.equal(roles.length, 1)
  await roleAssignments.create(account.id, randomUUID(), {
    roleDefinitionId: roles[0].id, principalId: PRINCIPAL, principalType: 'ServicePrincipal',
  })
  await chat(account, token)
  console.log('token answered')

  await accounts.beginUpdateAndWait(GROUP, ACCOUNT, { properties: { disableLocalAuth: true } })
  await refused(403, 'AuthenticationTypeDisabled', chat(account, { apiKey: rotated.key1 }))
  await refused(400, 'BadRequest', accounts.listKeys(GROUP, ACCOUNT))
  console.log('keys disabled')

  await chat(account, token)
  console.log('keyless')

  await chat(account, { ...token, maxRetries: undefined }, 'busy') // the package's own default
  console.log('429 obeyed')
}

main().catch((error) => {
  console.error(error)
  process.exitCode = 1
})
