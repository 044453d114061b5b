// MCPJam's judge of the sign-in: the whole flow and its negative checks, for one revision of the protocol.

import assert from 'node:assert/strict'

import { OAuthConformanceTest } from '@mcpjam/sdk'

import { done, given, visit } from './person.mjs'

// Apart: one of the checks presents a code twice, which ends what it bought, as it should (RFC 6749 section 4.1.2)
await judged({ oauthConformanceChecks: true })
const { verification } = await judged({
  verification: { listTools: true, callTool: { name: 'searchJobs', params: { keywords: 'python' } } },
})
assert.ok(verification.listTools.passed && verification.callTool.passed)

done()

async function judged(wanted) {
  const result = await new OAuthConformanceTest({
    serverUrl: given.url,
    protocolVersion: given.revision,
    registrationStrategy: 'dcr',
    // It listens itself; the person's browser is sent there
    auth: { mode: 'interactive', openUrl: async (url) => void fetch(await visit(new URL(url), 'allow')) },
    ...wanted,
  }).run()
  const failed = result.steps.filter(({ status }) => status === 'failed')
  assert.deepEqual(failed.map(({ step, error }) => [step, error?.message]), [])
  assert.ok(result.passed, result.summary)
  return result
}
