// A stand-in for the public directory of identities (PLC), which cannot be reached where the tests run: it keeps every
// operation on an identity and makes the document of the last one. It checks no signature.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'

export async function servePlcStandIn(port, folder) {
  await mkdir(folder, { recursive: true })
  const server = createServer(async (request, response) => {
    const [status, body] = await answer(request, folder).catch((error) => [500, { message: String(error) }])
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  await new Promise((listening) => server.listen(port, '127.0.0.1', listening))
  server.unref()
}

async function answer(request, folder) {
  const [, did, what] = decodeURIComponent(request.url).match(/^\/(did:plc:[a-z2-7]{24})(\/.*)?$/) ?? []
  if (!did) return [404, { message: 'no such path' }]
  const file = `${folder}/${did.slice('did:plc:'.length)}.json`
  const operations = JSON.parse(await readFile(file, 'utf8').catch(() => '[]'))
  if (request.method === 'POST') {
    operations.push(JSON.parse(Buffer.concat(await request.toArray()).toString()))
    await writeFile(file, JSON.stringify(operations))
    return [200, {}]
  }
  const last = operations.at(-1)
  if (!last) return [404, { message: `DID not registered: ${did}` }]
  const { rotationKeys, verificationMethods, alsoKnownAs, services } = last
  if (what === '/data') return [200, { did, rotationKeys, verificationMethods, alsoKnownAs, services }]
  if (what === '/log/last') return [200, last]
  return [200, documentOf(did, last)]
}

function documentOf(did, { alsoKnownAs, services, verificationMethods }) {
  return {
    '@context': ['https://www.w3.org/ns/did/v1', 'https://w3id.org/security/multikey/v1'],
    id: did,
    alsoKnownAs,
    verificationMethod: Object.entries(verificationMethods).map(([name, key]) => ({
      id: `${did}#${name}`,
      type: 'Multikey',
      controller: did,
      publicKeyMultibase: key.replace('did:key:', ''),
    })),
    service: Object.entries(services).map(([name, { type, endpoint }]) => ({
      id: `#${name}`,
      type,
      serviceEndpoint: endpoint,
    })),
  }
}
