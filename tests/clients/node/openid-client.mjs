// The whole life of a grant with openid-client, the library most Node programs use.

import assert from 'node:assert/strict'

import * as openid from 'openid-client'

import { done, given, visit } from './person.mjs'

const proof = {
  none: () => openid.None(),
  basic: () => openid.ClientSecretBasic(given.client_secret),
  post: () => openid.ClientSecretPost(given.client_secret),
}[given.proof]()
const options = { algorithm: 'oauth2', execute: [openid.allowInsecureRequests] }
const config = await openid.discovery(new URL(given.issuer), given.client_id, undefined, proof, options)
assert.equal(config.serverMetadata().issuer, given.issuer)
assert.equal(config.serverMetadata().supportsPKCE(), true)

const first = await connected('allow')
assert.equal(first.scope, 'tool:read')
assert.equal((await call(first.access_token)).status, 200)

const second = await openid.refreshTokenGrant(config, first.refresh_token)
assert.equal((await call(second.access_token)).status, 200)
const { client_id, client_secret } = given.resource_server
const basic = openid.ClientSecretBasic(client_secret)
const asking = await openid.discovery(new URL(given.issuer), client_id, undefined, basic, options)
assert.equal((await openid.tokenIntrospection(asking, second.access_token)).active, true)

await openid.tokenRevocation(config, second.refresh_token)
await assert.rejects(call(second.access_token), openid.WWWAuthenticateChallengeError)
await assert.rejects(openid.refreshTokenGrant(config, second.refresh_token), { error: 'invalid_grant', status: 400 })
await assert.rejects(connected('allow', openid.randomPKCECodeVerifier()), { error: 'invalid_grant', status: 400 })
await assert.rejects(connected('deny'), { error: 'access_denied' })

done()

async function connected(decision, presented) {
  const verifier = openid.randomPKCECodeVerifier()
  const state = openid.randomState()
  const url = openid.buildAuthorizationUrl(config, {
    redirect_uri: given.redirect_uri,
    scope: 'tool:read',
    resource: `${given.issuer}/api/v1/echo`,
    state,
    code_challenge: await openid.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  })
  const answer = await visit(url, decision)
  return openid.authorizationCodeGrant(config, answer, {
    pkceCodeVerifier: presented ?? verifier,
    expectedState: state,
  })
}

function call(token) {
  return openid.fetchProtectedResource(config, token, new URL(`${given.issuer}/api/v1/echo/a`), 'GET')
}
