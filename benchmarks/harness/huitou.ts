import { type Huitou, openHuitou } from '@huitou/server'
import { startPostgres } from '@huitou/testing/postgres-server'
import { scratchFolder } from './fixtures.ts'

export { numberArgument } from './arguments.ts'

export type Engine = 'sqlite' | 'postgres'

/** Engine of this run: `--engine postgres`, else SQLite. */
export const engine: Engine = process.argv.includes('postgres') ? 'postgres' : 'sqlite'

/** What every folder of a benchmark is sealed with. */
export const benchSecret = 'benchmarks-sign-nothing-that-matters'

const silent = {
  info: () => {},
  warn: () => {},
  error: (facts: object, message: string) => console.error(message, facts),
}

export interface Bench extends AsyncDisposable {
  readonly huitou: Huitou
  readonly folder: string
  /** Of the PostgreSQL server, when it runs on one. */
  readonly url: string | undefined
}

/** Huitou with its bundled plugins as it ships, on `folder` or a database of its own. Nothing runs in it yet. */
export async function openBench({
  folder,
  clock,
}: { folder?: string; clock?: { now(): number } } = {}): Promise<Bench> {
  const scratch = folder === undefined ? scratchFolder() : undefined
  const dataDir = folder ?? (scratch?.path as string)
  const server = engine === 'postgres' ? await startPostgres() : undefined
  const config = {
    dataDir,
    databaseUrl: server?.url,
    analyticsUrl: undefined,
    publicUrl: undefined,
    secret: benchSecret,
    logLevel: 'silent',
  }
  const huitou = await openHuitou({ config, log: silent, ...(clock ? { clock } : {}) })
  return {
    huitou,
    folder: dataDir,
    url: server?.url,
    async [Symbol.asyncDispose]() {
      await huitou[Symbol.asyncDispose]()
      await server?.stop()
      scratch?.[Symbol.dispose]()
    },
  }
}
