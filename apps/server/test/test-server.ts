import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type AppDeps, type Clock, createWriteKey, type Logger, type NewUser } from '@huitou/core'
import type { TestEngine } from '@huitou/testing'
import { coreTemplate } from '@huitou/testing/core-template'
import { createPostgresDatabase } from '@huitou/testing/postgres'
import { copySqliteDatabase } from '@huitou/testing/sqlite'
import { startServer } from '../src/http/start-server.ts'
import type { Config } from '../src/config.ts'
import { type Huitou, openHuitou } from '../src/open-huitou.ts'

export interface TestServer extends AsyncDisposable {
  readonly huitou: Huitou
  readonly url: string
  readonly config: Config
  readonly writeKey: string
  /** Calls the API with the session of `user`, made at first use. */
  as(user?: Partial<NewUser>): Promise<(path: string, init?: RequestInit) => Promise<Response>>
  /** Folds and scores everything that waits. */
  settle(): Promise<void>
  /** Ends the process's part and starts it again on the same data; `between` runs while nothing does. */
  restart(between?: () => void | Promise<void>): Promise<void>
}

export interface TestServerOptions {
  clock?: Clock
  config?: Partial<Config>
  /** Takes what would go to the log. */
  log?: Logger
  metricsToken?: string
  rateLimits?: AppDeps['rateLimits']
}

const silent = { info: () => {}, warn: () => {}, error: () => {} }

/** A whole Huitou with its plugins behind a real port, on a database of its own. */
export async function startTestServer(
  engine: TestEngine = 'sqlite',
  plugins: string[] = [],
  options: TestServerOptions = {},
): Promise<TestServer> {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'huitou-server-'))
  const postgres = engine === 'postgres' ? await createPostgresDatabase(coreTemplate) : undefined
  if (!postgres) await copySqliteDatabase(coreTemplate, path.join(dataDir, 'huitou.db'))
  const config = {
    dataDir,
    databaseUrl: postgres?.url,
    analyticsUrl: undefined,
    publicUrl: undefined,
    secret: 'a secret that only tests know, long enough',
    logLevel: 'silent',
    ...options.config,
  }
  const open = async () => {
    const { log = silent, clock } = options
    const opened = await openHuitou({ config, log, plugins, ...(clock ? { clock } : {}) })
    const { metricsToken, rateLimits } = options
    const where = { port: 0, host: '127.0.0.1', version: 'test' }
    return { huitou: opened, server: await startServer(opened, { ...where, metricsToken, rateLimits }) }
  }
  let { huitou, server } = await open()
  const close = async () => {
    await server.close()
    await huitou[Symbol.asyncDispose]()
  }
  const { key } = await createWriteKey(huitou.core.database.db, huitou.core.clock, 'tests')
  const sessions = new Map<string, string>()
  return {
    get huitou() {
      return huitou
    },
    get url() {
      return server.url
    },
    config,
    writeKey: key,
    async as(user = {}) {
      const role = user.role ?? 'owner'
      let cookie = sessions.get(role)
      if (!cookie) {
        const person = {
          name: 'Lan',
          email: `${role}@example.com`,
          password: 'correct horse battery',
          locale: 'en',
          role,
          ...user,
        }
        await (await huitou.auth()).createUser(person)
        const answer = await fetch(`${server.url}/api/auth/sign-in/email`, {
          method: 'POST',
          headers: { 'Content-Type': 'application/json', Origin: server.url },
          body: JSON.stringify({ email: person.email, password: person.password }),
        })
        if (!answer.ok) throw new Error(await answer.text())
        cookie = answer.headers
          .getSetCookie()
          .map((line) => line.split(';', 1)[0])
          .join('; ')
        sessions.set(role, cookie)
      }
      return (route, init = {}) =>
        fetch(`${server.url}${route}`, {
          ...init,
          headers: {
            Cookie: cookie,
            Origin: server.url,
            ...(typeof init.body === 'string' ? { 'Content-Type': 'application/json' } : {}),
            ...init.headers,
          },
        })
    },
    async settle() {
      await huitou.core.settle()
      await huitou.core.scores.runAll()
      await huitou.core.settle()
    },
    async restart(between) {
      await close()
      await between?.()
      ;({ huitou, server } = await open())
    },
    async [Symbol.asyncDispose]() {
      await close()
      await postgres?.drop()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}
