// The whole life of a grant as oauth4webapi checks it, the strictest reader of our answers.

import assert from 'node:assert/strict'

import * as oauth from 'oauth4webapi'

import { done, given, visit } from './person.mjs'

const http = { [oauth.allowInsecureRequests]: true }
const issuer = new URL(given.issuer)
const api = new URL(`${given.issuer}/api/v1/echo/a`)
const client = { client_id: given.client_id }
const signingKey =
  given.private_jwk &&
  (await crypto.subtle.importKey('jwk', given.private_jwk, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']))
const proof = {
  none: () => oauth.None(),
  basic: () => oauth.ClientSecretBasic(given.client_secret),
  post: () => oauth.ClientSecretPost(given.client_secret),
  private_key_jwt: () => oauth.PrivateKeyJwt({ key: signingKey, kid: given.private_jwk.kid }),
}[given.proof]()

const server = await oauth.processDiscoveryResponse(
  issuer,
  await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...http }),
)
assert.deepEqual(server.code_challenge_methods_supported, ['S256'])
assert.equal(server.authorization_response_iss_parameter_supported, true)
assert.equal(server.client_id_metadata_document_supported, true)
assert.ok(server.token_endpoint_auth_methods_supported.includes('private_key_jwt'))
assert.ok(server.token_endpoint_auth_signing_alg_values_supported.includes('ES256'))

const resource = new URL(`${given.issuer}/api/v1/echo`)
const described = await oauth.processResourceDiscoveryResponse(
  resource,
  await oauth.resourceDiscoveryRequest(resource, http),
)
assert.deepEqual(described.authorization_servers, [given.issuer])

const first = await redeemed(await asked('allow'))
assert.equal(first.scope, 'tool:read')
assert.equal((await call(first.access_token)).status, 200)

const second = await oauth.processRefreshTokenResponse(
  server,
  client,
  await oauth.refreshTokenGrantRequest(server, client, proof, first.refresh_token, http),
)
assert.equal((await call(second.access_token)).status, 200)

const told = await introspected(second.access_token)
assert.equal(told.active, true)
assert.equal(told.client_id, given.client_id)
assert.equal(told.scope, 'tool:read')

await oauth.processRevocationResponse(
  await oauth.revocationRequest(server, client, proof, second.refresh_token, http),
)
const challenged = await failure(call(second.access_token))
assert.ok(challenged instanceof oauth.WWWAuthenticateChallengeError, String(challenged))
assert.equal(challenged.cause[0].parameters.error, 'invalid_token')
assert.ok(challenged.cause[0].parameters.resource_metadata)
assert.deepEqual(await introspected(second.access_token), { active: false })

await refused(refresh(second.refresh_token), 400, 'invalid_grant')
const stolen = await asked('allow')
stolen.verifier = oauth.generateRandomCodeVerifier()
await refused(redeemed(stolen), 400, 'invalid_grant')

if (given.proof !== 'none') {
  const wrong = given.proof === 'basic' ? oauth.ClientSecretBasic('wrong') : oauth.ClientSecretPost('wrong')
  const unproven = await failure(
    oauth.processRefreshTokenResponse(
      server,
      client,
      await oauth.refreshTokenGrantRequest(server, client, wrong, 'x', http),
    ),
  )
  // RFC 6749 section 5.2 wants a challenge with this 401, and the library reports the challenge
  assert.ok(unproven instanceof oauth.WWWAuthenticateChallengeError, String(unproven))
  assert.deepEqual([unproven.status, unproven.cause[0].scheme], [401, 'basic'])
}

const denied = await failure(asked('deny'))
assert.ok(denied instanceof oauth.AuthorizationResponseError, String(denied))
assert.equal(denied.error, 'access_denied')

done()

async function asked(decision) {
  const verifier = oauth.generateRandomCodeVerifier()
  const state = oauth.generateRandomState()
  const url = new URL(server.authorization_endpoint)
  url.search = new URLSearchParams({
    response_type: 'code',
    client_id: given.client_id,
    redirect_uri: given.redirect_uri,
    scope: 'tool:read',
    resource: `${given.issuer}/api/v1/echo`,
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  })
  const answer = await visit(url, decision)
  return { verifier, parameters: oauth.validateAuthResponse(server, client, answer, state) }
}

async function redeemed({ verifier, parameters }) {
  const response = await oauth.authorizationCodeGrantRequest(
    server, client, proof, parameters, given.redirect_uri, verifier, http,
  )
  return oauth.processAuthorizationCodeResponse(server, client, response)
}

async function refresh(token) {
  const response = await oauth.refreshTokenGrantRequest(server, client, proof, token, http)
  return oauth.processRefreshTokenResponse(server, client, response)
}

async function introspected(token) {
  const { client_id, client_secret } = given.resource_server
  const asking = { client_id }
  const secret = oauth.ClientSecretBasic(client_secret)
  const response = await oauth.introspectionRequest(server, asking, secret, token, http)
  return oauth.processIntrospectionResponse(server, asking, response)
}

function call(token) {
  return oauth.protectedResourceRequest(token, 'GET', api, undefined, undefined, http)
}

async function refused(promise, status, error) {
  const thrown = await failure(promise)
  assert.ok(thrown instanceof oauth.ResponseBodyError, String(thrown))
  assert.deepEqual([thrown.status, thrown.error], [status, error])
}

async function failure(promise) {
  try {
    await promise
  } catch (thrown) {
    return thrown
  }
  assert.fail('nothing was refused')
}
