// Asks for a token as each of the identities in SELECTORS, such as system,
// client=ID, object=ID and resource=ID, and prints whose it is, or why there is none.
const { ManagedIdentityCredential } = require('@azure/identity')

async function main() {
  for (const selector of process.env.SELECTORS.split(' ')) {
    const [by, value] = selector.split('=')
    try {
      const credential = new ManagedIdentityCredential(by === 'system' ? {} : { [by + 'Id']: value })
      const { token } = await credential.getToken('https://cognitiveservices.azure.com/.default')
      console.log(JSON.parse(Buffer.from(token.split('.')[1], 'base64url')).oid)
    } catch (e) {
      console.log('refused: ' + e.message.replaceAll('\n', ' '))
    }
  }
}

main().catch((e) => {
  console.error(e)
  process.exit(1)
})
