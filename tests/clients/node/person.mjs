// A person's part, played by the test: it reads the address a client opens and writes where the browser ended up.

import { createInterface } from 'node:readline'

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()

/** Have the person answer `url` with `decision` (allow or deny), with only `scopes` ticked; where they are sent back to. */
export async function visit(url, decision, scopes) {
  console.log(JSON.stringify({ url: url.href, decision, scopes }))
  const { value } = await lines.next()
  return new URL(value)
}

/** Have the person end what they allowed. */
export async function endEverything() {
  console.log(JSON.stringify({ end: true }))
  await lines.next()
}

/** The test's word for what this run is about. */
export const given = JSON.parse(process.env.GIVEN)

/** End: the test has nothing more to say. */
export function done() {
  console.log(JSON.stringify({ done: true }))
  process.exit(0)
}
