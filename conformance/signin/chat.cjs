// An application whose user signs in with @azure/identity and chats. Prints each step
// that it has taken.
const assert = require('node:assert/strict')
const fs = require('node:fs')
const readline = require('node:readline')
const { ResourceManagementClient } = require('@azure/arm-resources')
const { AzureCliCredential, DeviceCodeCredential, InteractiveBrowserCredential, getBearerTokenProvider } = require('@azure/identity')
const { AzureOpenAI } = require('openai')

const answers = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]()

// say has somebody attend to a line, and waits until they have.
async function say(line) {
  fs.writeFileSync(process.env.SIGNIN, line + '\n')
  await answers.next()
}

async function chat(credential) {
  const client = new AzureOpenAI({
    endpoint: 'https://aoai-sample.openai.azure.com', apiVersion: '2024-10-21', maxRetries: 0,
    azureADTokenProvider: getBearerTokenProvider(credential, 'https://cognitiveservices.azure.com/.default'),
  })
  const reply = await client.chat.completions.create({
    model: 'gpt-35-turbo',
    messages: [
      { role: 'system', content: 'Answer from the text: Mount Fuji is 3776 m high. Lake Biwa is 104 m deep.' },
      { role: 'user', content: 'How high is Mount Fuji?' },
    ],
  })
  assert.match(reply.choices[0].message.content, /3776/)
}

async function groups(resources) {
  const names = []
  for await (const group of resources.resourceGroups.list()) names.push(group.name)
  return names
}

async function main() {
  const credential = new InteractiveBrowserCredential({})
  const record = await credential.authenticate('https://management.azure.com/.default')
  assert.deepEqual([record.username, record.tenantId], [process.env.USERNAME, process.env.AZURE_TENANT_ID])
  console.log('signed in')
  const resources = new ResourceManagementClient(credential, process.env.SUBSCRIPTION)
  console.log('groups:', ...(await groups(resources)))
  await chat(credential).then(() => assert.fail('answered'), (e) => console.log('denied', e.status, e.code))
  await say('assign')
  await chat(credential)
  console.log('answered')

  await chat(new DeviceCodeCredential({ userPromptCallback: ({ userCode }) => say('code ' + userCode) }))
  console.log('by code')
  await chat(new AzureCliCredential())
  console.log('by az')

  // The next call is challenged, and signs the user in again.
  await say('revoke')
  assert.deepEqual(await groups(resources), ['rg-sample'])
  console.log('revoked challenged')
  process.exit() // the line reader goes on
}

main().catch((e) => {
  console.error(e)
  process.exit(1)
})
