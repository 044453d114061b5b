// A program that is given the URL of an MCP server and does the rest itself, with either SDK of the MCP project.

import assert from 'node:assert/strict'

import { done, endEverything, given, visit } from './person.mjs'

const { Client, StreamableHTTPClientTransport, UnauthorizedError } = await {
  v1: async () => ({
    ...(await import('@modelcontextprotocol/sdk/client/index.js')),
    ...(await import('@modelcontextprotocol/sdk/client/streamableHttp.js')),
    ...(await import('@modelcontextprotocol/sdk/client/auth.js')),
  }),
  v2: () => import('@modelcontextprotocol/client'),
}[given.sdk]()

const server = new URL(given.url)
const kept = {}
let asked
const provider = {
  redirectUrl: 'http://localhost:3040/callback',
  clientMetadata: {
    client_name: `Host ${given.sdk}`,
    redirect_uris: ['http://localhost:3040/callback'],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  },
  clientInformation: () => kept.client,
  saveClientInformation: (client) => void (kept.client = client),
  tokens: () => kept.tokens,
  saveTokens: (tokens) => void (kept.tokens = tokens),
  redirectToAuthorization: (url) => void (asked = url),
  saveCodeVerifier: (verifier) => void (kept.verifier = verifier),
  codeVerifier: () => kept.verifier,
  invalidateCredentials: (what) => {
    if (what === 'all' || what === 'tokens') kept.tokens = undefined
    if (what === 'all' || what === 'client') kept.client = undefined
  },
}

const first = transport()
await assert.rejects(new Client({ name: 'host', version: '1' }).connect(first), UnauthorizedError)
await allowed(first)
assert.match(kept.client.client_id, /^[A-Za-z0-9]+$/)

const client = new Client({ name: 'host', version: '1' })
const line = transport()
await client.connect(line)
const { tools } = await client.listTools()
assert.ok(tools.some(({ name }) => name === 'searchJobs'))
const found = await client.callTool({ name: 'searchJobs', arguments: { keywords: 'python' } })
assert.equal(found.structuredContent.total, 4)
const wrong = await client.callTool({ name: 'searchJobs', arguments: { keywords: 3 } })
assert.equal(wrong.isError, true)

// An access token that opens nothing any more is renewed without the person
kept.tokens = { ...kept.tokens, access_token: 'gh_at_gone' }
asked = undefined
assert.ok((await client.listTools()).tools.length > 0)
assert.equal(asked, undefined)
assert.notEqual(kept.tokens.access_token, 'gh_at_gone')

// What the person ended asks again
await endEverything()
asked = undefined
const write = { name: 'writeEcho', arguments: { method: 'POST', body: { a: 1 } } }
await assert.rejects(client.callTool(write), UnauthorizedError)
await allowed(line, ['tool:read'])
assert.deepEqual((await client.listTools()).tools.map(({ name }) => name), ['readEcho'])

// A call that needs more asks for more. v1 asks its refresh token first, which cannot give more, and leaves it at that:
// the program must forget its tokens itself
asked = undefined
if (given.sdk === 'v1') {
  await assert.rejects(client.callTool(write), /403 after trying upscoping/)
  kept.tokens = undefined
}
await assert.rejects(client.callTool(write), UnauthorizedError)
assert.ok(asked.searchParams.get('scope').split(' ').includes('tool:write'))
await allowed(line)
assert.ok(!(await client.callTool(write)).isError)

await client.close()
done()

function transport() {
  return new StreamableHTTPClientTransport(server, { authProvider: provider })
}

async function allowed(waiting, scopes) {
  const { searchParams } = await visit(asked, 'allow', scopes)
  await (given.sdk === 'v1' ? waiting.finishAuth(searchParams.get('code')) : waiting.finishAuth(searchParams))
}
