// A company's OpenID provider, played by oidc-provider: whoever types a name at its sign-in form is that person.

import { createServer } from 'node:http'

import Provider from 'oidc-provider'

const given = JSON.parse(process.env.GIVEN)

const provider = new Provider(given.issuer, {
  clients: [
    {
      client_id: given.client_id,
      client_secret: given.client_secret,
      redirect_uris: [given.redirect_uri],
      post_logout_redirect_uris: [given.signed_out_uri],
    },
  ],
  claims: { openid: ['sub', 'employee'], email: ['email', 'email_verified'], profile: ['name', 'preferred_username'] },
  cookies: { keys: [given.client_secret] },
  findAccount: (_context, subject) => ({ accountId: subject, claims: () => ({ sub: subject, ...given.people[subject] }) }),
})

createServer(provider.callback()).listen(new URL(given.issuer).port, '127.0.0.1')
