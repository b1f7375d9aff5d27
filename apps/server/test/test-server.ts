import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createWriteKey, type NewUser } from '@huitou/core'
import type { TestEngine } from '@huitou/testing'
import { createPostgresDatabase } from '@huitou/testing/postgres'
import { startServer } from '../src/http/start-server.ts'
import { type Huitou, openHuitou } from '../src/open-huitou.ts'

export interface TestServer extends AsyncDisposable {
  readonly huitou: Huitou
  readonly url: string
  readonly writeKey: string
  /** Calls the API with the session of `user`, made at first use. */
  as(user?: Partial<NewUser>): Promise<(path: string, init?: RequestInit) => Promise<Response>>
  /** Folds and scores everything that waits. */
  settle(): Promise<void>
}

const silent = { info: () => {}, warn: () => {}, error: () => {} }

/** A whole Huitou with its plugins behind a real port, on a database of its own. */
export async function startTestServer(
  engine: TestEngine = 'sqlite',
  plugins: string[] = [],
): Promise<TestServer> {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'huitou-server-'))
  const postgres = engine === 'postgres' ? await createPostgresDatabase() : undefined
  const config = {
    dataDir,
    databaseUrl: postgres?.url,
    analyticsUrl: undefined,
    publicUrl: undefined,
    secret: 'a secret that only tests know, long enough',
    logLevel: 'silent',
  }
  const huitou = await openHuitou({ config, log: silent, plugins })
  const server = await startServer(huitou, { port: 0, host: '127.0.0.1', version: 'test' })
  const { key } = await createWriteKey(huitou.core.database.db, huitou.core.clock, 'tests')
  const sessions = new Map<string, string>()
  return {
    huitou,
    url: server.url,
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
    async [Symbol.asyncDispose]() {
      await server.close()
      await huitou[Symbol.asyncDispose]()
      await postgres?.drop()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}
