import { addHttpProvider } from '../../test/http-provider.ts'
import { createCore } from '../core.ts'
import { openDatabase } from '../db/database.ts'

// Sends what is due, in a process that the test may kill at any moment. The provider outlives it.
const [dataDir, provider, now, url] = process.argv.slice(2) as [string, string, string, string | undefined]
const database = openDatabase(url ? { url, poolSize: 4 } : { file: `${dataDir}/huitou.db`, readers: 1 })
const core = await createCore({ database, dataDir, clock: { now: () => Number(now) } })
addHttpProvider(core.points, provider)
process.stdout.write('ready\n')
await core.settle()
await core.deliveries.finish()
process.stdout.write('settled\n')
await core.stop()
await database.close()
