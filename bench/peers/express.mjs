// Express with jose and http-proxy-middleware: the shape of GatewayStack. One line of audit per call, not awaited.

import { createWriteStream } from 'node:fs'

import express from 'express'
import { createProxyMiddleware } from 'http-proxy-middleware'
import { importJWK, jwtVerify } from 'jose'

const { upstream, port, jwk, issuer, audience, log } = JSON.parse(process.env.GIVEN)
const key = await importJWK(jwk, 'RS256')
const audit = createWriteStream(log, { flags: 'a' })
const app = express()

app.use(async (request, response, next) => {
  const [, token] = (request.headers.authorization ?? '').split(' ')
  try {
    const { payload } = await jwtVerify(token, key, { issuer, audience })
    if (!payload.scope.split(' ').includes('tool:read')) return response.status(403).end()
    request.subject = payload.sub
    next()
  } catch {
    response.status(401).end()
  }
})
app.use((request, response, next) => {
  const started = performance.now()
  response.on('finish', () => {
    const event = { user: request.subject, path: request.path, status: response.statusCode, ms: performance.now() - started }
    audit.write(`${JSON.stringify(event)}\n`)
  })
  next()
})
app.use(
  createProxyMiddleware({
    target: upstream,
    agent: new (await import('node:http')).Agent({ keepAlive: true }),
    on: {
      proxyReq: (onward, request) => {
        onward.removeHeader('authorization')
        onward.setHeader('x-user-id', request.subject)
      },
    },
  }),
)
app.listen(port, '127.0.0.1')
