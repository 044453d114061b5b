// A sign-in with OpenID Connect, and a device without a browser (RFC 8628), as oauth4webapi checks them.

import assert from 'node:assert/strict'

import * as oauth from 'oauth4webapi'

import { done, given, visit } from './person.mjs'

const http = { [oauth.allowInsecureRequests]: true }
const issuer = new URL(given.issuer)
const client = { client_id: given.client_id }
const proof = {
  none: () => oauth.None(),
  basic: () => oauth.ClientSecretBasic(given.client_secret),
  post: () => oauth.ClientSecretPost(given.client_secret),
}[given.proof]()

const server = await oauth.processDiscoveryResponse(
  issuer,
  await oauth.discoveryRequest(issuer, { algorithm: 'oidc', ...http }),
)
assert.deepEqual(server.id_token_signing_alg_values_supported, ['ES256'])
assert.deepEqual(server.subject_types_supported, ['public'])

// The library checks iss, aud, exp, iat, nonce, auth_time and, against the published keys, the signature
const nonce = oauth.generateRandomNonce()
const verifier = oauth.generateRandomCodeVerifier()
const state = oauth.generateRandomState()
const url = new URL(server.authorization_endpoint)
url.search = new URLSearchParams({
  response_type: 'code',
  client_id: given.client_id,
  redirect_uri: given.redirect_uri,
  scope: 'openid profile email offline_access tool:read',
  resource: `${given.issuer}/api/v1/echo`,
  state,
  nonce,
  max_age: '600',
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
})
const parameters = oauth.validateAuthResponse(server, client, await visit(url, 'allow'), state)
const response = await oauth.authorizationCodeGrantRequest(
  server, client, proof, parameters, given.redirect_uri, verifier, http,
)
const first = await oauth.processAuthorizationCodeResponse(server, client, response, {
  expectedNonce: nonce,
  maxAge: 600,
  requireIdToken: true,
})
await oauth.validateApplicationLevelSignature(server, response, http)
const claims = oauth.getValidatedIdTokenClaims(first)
assert.equal(claims.sub, given.subject)

const told = await oauth.processUserInfoResponse(
  server, client, claims.sub, await oauth.userInfoRequest(server, client, first.access_token, http),
)
assert.equal(told.preferred_username, 'ana')

const refreshing = await oauth.refreshTokenGrantRequest(server, client, proof, first.refresh_token, http)
const second = await oauth.processRefreshTokenResponse(server, client, refreshing)
await oauth.validateApplicationLevelSignature(server, refreshing, http)
const renewed = oauth.getValidatedIdTokenClaims(second)
assert.deepEqual([renewed.sub, renewed.auth_time, renewed.nonce], [claims.sub, claims.auth_time, undefined])

await assert.rejects(
  oauth.userInfoRequest(server, client, first.id_token, http).then((answer) =>
    oauth.processUserInfoResponse(server, client, claims.sub, answer),
  ),
  oauth.WWWAuthenticateChallengeError,
)

await connectDevice('allow')
await connectDevice('deny')
done()

async function connectDevice(decision) {
  const device = { client_id: given.device_client }
  const started = await oauth.processDeviceAuthorizationResponse(
    server,
    device,
    await oauth.deviceAuthorizationRequest(
      server, device, oauth.None(), { scope: 'openid tool:read', resource: `${given.issuer}/api/v1/echo` }, http,
    ),
  )
  assert.equal((await refusal(poll())).error, 'authorization_pending')
  assert.equal((await refusal(poll())).error, 'slow_down')
  const page = await visit(new URL(started.verification_uri_complete), decision)
  if (decision === 'deny') {
    assert.equal(page.pathname, '/device/denied')
    assert.equal((await refusal(poll())).error, 'access_denied')
    return
  }
  assert.equal(page.pathname, '/device/connected')
  const bought = await poll()
  assert.equal(oauth.getValidatedIdTokenClaims(bought).sub, given.subject)
  const api = new URL(`${given.issuer}/api/v1/echo/a`)
  const answer = await oauth.protectedResourceRequest(bought.access_token, 'GET', api, undefined, undefined, http)
  assert.equal(answer.status, 200)

  async function poll() {
    return oauth.processDeviceCodeResponse(
      server,
      device,
      await oauth.deviceCodeGrantRequest(server, device, oauth.None(), started.device_code, http),
    )
  }
}

async function refusal(promise) {
  try {
    await promise
  } catch (thrown) {
    return thrown
  }
  assert.fail('nothing was refused')
}
