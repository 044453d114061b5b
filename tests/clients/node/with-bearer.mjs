// Hands requests on to the gateway with an access token, for judges that cannot be given one.

import http from 'node:http'

const { origin, token, port } = JSON.parse(process.env.GIVEN)
const gateway = new URL(origin)
const own = `localhost:${port}`

http.createServer((asked, answer) => {
  const headers = { ...asked.headers, authorization: `Bearer ${token}` }
  // Its own name is the gateway's; any other, which a judge may try, is handed on
  if (headers.host === own) headers.host = gateway.host
  if (headers.origin === `http://${own}`) headers.origin = origin
  const options = { host: gateway.hostname, port: gateway.port, path: asked.url, method: asked.method, headers }
  const onward = http.request(options, (said) => {
    answer.writeHead(said.statusCode, said.headers)
    said.pipe(answer)
  })
  onward.on('error', () => answer.destroy())
  asked.pipe(onward)
}).listen(port, 'localhost', () => console.log('listening'))
