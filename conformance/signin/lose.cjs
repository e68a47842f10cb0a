// An application that signs its user in with MSAL for Node, keeps the tokens, and
// loses them. Prints each step that it has taken.
const fs = require('node:fs')
const assert = require('node:assert')
const readline = require('node:readline')
const { PublicClientApplication } = require('@azure/msal-node')

const scopes = ['https://management.azure.com/user_impersonation']
const app = new PublicClientApplication({
  auth: { clientId: process.env.AZURE_CLIENT_ID, authority: 'https://login.microsoftonline.com/' + process.env.AZURE_TENANT_ID },
})
const answers = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]()

// say has somebody attend to a line, and waits until they have.
async function say(line) {
  fs.writeFileSync(process.env.SIGNIN, line + '\n')
  await answers.next()
}

async function silent(forceRefresh) {
  const [account] = await app.getTokenCache().getAllAccounts()
  return app.acquireTokenSilent({ scopes, account, forceRefresh })
}

function refreshToken() {
  const [kept] = Object.values(JSON.parse(app.getTokenCache().serialize()).RefreshToken)
  return kept.secret
}

function signIn() {
  return app.acquireTokenInteractive({ scopes, prompt: 'select_account', openBrowser: say })
}

async function lost(deed) {
  await say(deed)
  const e = await silent(true).then(() => assert.fail('a token after ' + deed), (e) => e)
  const [, number] = /AADSTS(\d+)/.exec(e.errorMessage)
  console.log(deed, e.errorCode, number, ...(e.subError ? [e.subError] : []), e.name)
}

async function main() {
  const first = await signIn()
  console.log('obtained')
  const again = await silent()
  assert(again.fromCache && again.accessToken === first.accessToken)
  console.log('cached')
  const before = refreshToken()
  const fresh = await silent(true)
  assert(!fresh.fromCache && fresh.accessToken !== first.accessToken)
  console.log('refreshed')
  assert.notEqual(refreshToken(), before)
  console.log('rotated')

  await app.getTokenCache().removeAccount(fresh.account)
  await app.acquireTokenByDeviceCode({ scopes, deviceCodeCallback: ({ userCode }) => say('code ' + userCode) })
  console.log('by code')

  await lost('revoked')
  await signIn()
  console.log('obtained')
  await lost('disabled')
  await say('enabled')
  await signIn()
  console.log('obtained')
  await lost('deleted')
  process.exit(); // the line reader goes on
}

main().catch((e) => {
  console.error(e)
  process.exit(1)
})
