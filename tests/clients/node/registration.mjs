// A client that comes by itself: its registration read by oauth4webapi, and by the MCP SDK that the conformance suite
// brings, whose schemas refuse null and the empty text.

import assert from 'node:assert/strict'

import { discoverAuthorizationServerMetadata, registerClient } from '@modelcontextprotocol/sdk/client/auth.js'
import * as oauth from 'oauth4webapi'

import { done, given, visit } from './person.mjs'

const http = { [oauth.allowInsecureRequests]: true }
const issuer = new URL(given.issuer)
const redirect = 'http://localhost:49153/callback'
const method = { none: 'none', basic: 'client_secret_basic', post: 'client_secret_post' }[given.proof]
const asked = {
  client_name: 'Newcomer',
  redirect_uris: [redirect],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: method,
  scope: 'tool:read',
}

const server = await oauth.processDiscoveryResponse(
  issuer,
  await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...http }),
)
const client = await oauth.processDynamicClientRegistrationResponse(
  await oauth.dynamicClientRegistrationRequest(server, asked, http),
)
assert.equal(client.token_endpoint_auth_method, method)
assert.equal(client.scope, 'tool:read')

const proof = {
  none: () => oauth.None(),
  basic: () => oauth.ClientSecretBasic(client.client_secret),
  post: () => oauth.ClientSecretPost(client.client_secret),
}[given.proof]()
const tokens = await connected()
assert.equal(tokens.scope, 'tool:read')
const api = new URL(`${given.issuer}/api/v1/echo/a`)
const call = (token) => oauth.protectedResourceRequest(token, 'GET', api, undefined, undefined, http)
assert.equal((await call(tokens.access_token)).status, 200)
await assert.rejects(call(client.registration_access_token), oauth.WWWAuthenticateChallengeError)

const own = { headers: { authorization: `Bearer ${client.registration_access_token}` } }
const read = await (await fetch(client.registration_client_uri, own)).json()
assert.equal(read.client_id, client.client_id)
assert.equal((await fetch(client.registration_client_uri, { ...own, method: 'DELETE' })).status, 204)
assert.equal((await fetch(client.registration_client_uri, own)).status, 401)
await assert.rejects(call(tokens.access_token), oauth.WWWAuthenticateChallengeError)

const refused = oauth.processDynamicClientRegistrationResponse(
  await oauth.dynamicClientRegistrationRequest(server, { ...asked, redirect_uris: ['javascript:alert(1)'] }, http),
)
await assert.rejects(refused, { status: 400, error: 'invalid_redirect_uri' })

const metadata = await discoverAuthorizationServerMetadata(issuer)
const registered = await registerClient(issuer, { metadata, clientMetadata: asked })
assert.deepEqual(registered.redirect_uris, [redirect])
assert.equal('client_secret' in registered, given.proof !== 'none')

done()

async function connected() {
  const verifier = oauth.generateRandomCodeVerifier()
  const state = oauth.generateRandomState()
  const url = new URL(server.authorization_endpoint)
  url.search = new URLSearchParams({
    response_type: 'code',
    client_id: client.client_id,
    redirect_uri: redirect,
    scope: 'tool:read',
    resource: `${given.issuer}/api/v1/echo`,
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  })
  const parameters = oauth.validateAuthResponse(server, client, await visit(url, 'allow'), state)
  const response = await oauth.authorizationCodeGrantRequest(
    server, client, proof, parameters, redirect, verifier, http,
  )
  return oauth.processAuthorizationCodeResponse(server, client, response)
}
