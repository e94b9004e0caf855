// The server, set up by its environment alone. Where that names this container for the directory of identities, a stand-in
// answers there.
import { PDS, envToCfg, envToSecrets, readEnv } from '@atproto/pds'
import { servePlcStandIn } from './plc-stand-in.mjs'

const env = readEnv()
const directory = new URL(env.didPlcUrl ?? 'https://plc.directory')
if (directory.hostname === '127.0.0.1') {
  await servePlcStandIn(Number(directory.port), `${env.dataDirectory}/plc-stand-in`)
}

const pds = await PDS.create(envToCfg(env), envToSecrets(env))
await pds.start()
process.on('SIGTERM', async () => {
  await pds.destroy()
  process.exit(0)
})
