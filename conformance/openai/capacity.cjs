// An application that exhausts a deployment of capacity 1: first with the
// package's patience off, then as the package comes. Prints what it saw.
const { AzureOpenAI } = require('openai')

const client = new AzureOpenAI({ endpoint: 'https://aoai-sample.openai.azure.com', apiVersion: '2024-10-21' })
const ask = async (options) => {
  const reply = await client.chat.completions.create({ model: 'gpt-35-turbo', messages: [{ role: 'user', content: 'Who are you?' }] }, options)
  return reply.choices[0].message.content
}

async function main() {
  await ask({ maxRetries: 0 })
  const began = performance.now()
  const e = await ask({ maxRetries: 0 }).then(() => { throw new Error('answered') }, (e) => e)
  const seen = { status: e.status, code: e.code, message: e.error?.message, headers: Object.fromEntries(e.headers ?? []) }
  seen.text = await ask()
  seen.waited = (performance.now() - began) / 1000
  console.log(JSON.stringify(seen))
}
main().catch((e) => { console.error(e); process.exitCode = 1 })
