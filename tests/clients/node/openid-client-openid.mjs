// A sign-in with OpenID Connect, and a device without a browser (RFC 8628), with openid-client.

import assert from 'node:assert/strict'

import * as openid from 'openid-client'

import { done, given, visit } from './person.mjs'

const proof = {
  none: () => openid.None(),
  basic: () => openid.ClientSecretBasic(given.client_secret),
  post: () => openid.ClientSecretPost(given.client_secret),
}[given.proof]()
const options = { execute: [openid.allowInsecureRequests, openid.enableNonRepudiationChecks] }
const metadata = { id_token_signed_response_alg: 'ES256' }
const config = await openid.discovery(new URL(given.issuer), given.client_id, metadata, proof, options)

const verifier = openid.randomPKCECodeVerifier()
const state = openid.randomState()
const nonce = openid.randomNonce()
const url = openid.buildAuthorizationUrl(config, {
  redirect_uri: given.redirect_uri,
  scope: 'openid profile email',
  state,
  nonce,
  max_age: '600',
  code_challenge: await openid.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
})
const bought = await openid.authorizationCodeGrant(config, await visit(url, 'allow'), {
  pkceCodeVerifier: verifier,
  expectedState: state,
  expectedNonce: nonce,
  idTokenExpected: true,
  maxAge: 600,
})
const claims = bought.claims()
assert.equal(claims.sub, given.subject)
assert.equal((await openid.fetchUserInfo(config, bought.access_token, claims.sub)).preferred_username, 'ana')
// Asked for without a resource: good for UserInfo, and for no API
const api = new URL(`${given.issuer}/api/v1/echo/a`)
await assert.rejects(
  openid.fetchProtectedResource(config, bought.access_token, api, 'GET'),
  openid.WWWAuthenticateChallengeError,
)
const renewed = await openid.refreshTokenGrant(config, bought.refresh_token)
assert.equal(renewed.claims().auth_time, claims.auth_time)

const device = await openid.discovery(new URL(given.issuer), given.device_client, metadata, openid.None(), options)
const started = await openid.initiateDeviceAuthorization(device, {
  scope: 'openid tool:read',
  resource: `${given.issuer}/api/v1/echo`,
})
const polling = openid.pollDeviceAuthorizationGrant(device, started)
await visit(new URL(started.verification_uri_complete), 'allow')
const tokens = await polling
assert.equal(tokens.claims().sub, given.subject)
assert.equal((await openid.fetchProtectedResource(device, tokens.access_token, api, 'GET')).status, 200)
done()
