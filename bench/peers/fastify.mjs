// Fastify with @fastify/http-proxy and a cache of verified tokens. One line of audit per call, not awaited.

import { createWriteStream } from 'node:fs'

import proxy from '@fastify/http-proxy'
import { createVerifier } from 'fast-jwt'
import Fastify from 'fastify'

const { upstream, port, pem, issuer, audience, log } = JSON.parse(process.env.GIVEN)
const verify = createVerifier({ key: pem, algorithms: ['RS256'], allowedIss: issuer, allowedAud: audience, cache: 1000 })
const audit = createWriteStream(log, { flags: 'a' })
const app = Fastify()

app.register(proxy, {
  upstream,
  preHandler: async (request, reply) => {
    try {
      const payload = verify((request.headers.authorization ?? '').split(' ')[1])
      if (!payload.scope.split(' ').includes('tool:read')) return reply.code(403).send()
      request.subject = payload.sub
    } catch {
      return reply.code(401).send()
    }
  },
  replyOptions: {
    rewriteRequestHeaders: ({ subject }, { authorization, ...headers }) => ({ ...headers, 'x-user-id': subject }),
  },
})
app.addHook('onResponse', async (request, reply) => {
  const event = { user: request.subject, path: request.url, status: reply.statusCode, ms: reply.elapsedTime }
  audit.write(`${JSON.stringify(event)}\n`)
})
await app.listen({ port, host: '127.0.0.1' })
