import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type NodeRole, ThisNode } from '@huitou/core'
import { coreTemplate } from '@huitou/testing/core-template'
import { createPostgresDatabase } from '@huitou/testing/postgres'
import { type RunningServer, startServer } from '../src/http/start-server.ts'
import { type Huitou, openHuitou } from '../src/open-huitou.ts'
import type { Call } from './plugin-calls.ts'

export interface ClusterNode {
  huitou: Huitou
  node: ThisNode
  url: string
  dataDir: string
  /** Calls this node's API as the owner, whose session any node gave. */
  call: Call
}

export interface Cluster extends AsyncDisposable {
  nodes: ClusterNode[]
  add(role: NodeRole): Promise<ClusterNode>
}

const log = { info: () => {}, warn: () => {}, error: () => {} }
const secret = 'a secret that only tests know, long enough'

/** Whole servers on one PostgreSQL, each with a folder of its own; gone when the scope ends. */
export async function startCluster(roles: NodeRole[]): Promise<Cluster> {
  const postgres = await createPostgresDatabase(coreTemplate)
  const ends: (() => Promise<void>)[] = []
  const nodes: ClusterNode[] = []
  let cookie = ''
  async function add(role: NodeRole): Promise<ClusterNode> {
    const dataDir = mkdtempSync(path.join(tmpdir(), 'huitou-cluster-'))
    const config = {
      dataDir,
      databaseUrl: postgres.url,
      analyticsUrl: undefined,
      publicUrl: undefined,
      secret,
      logLevel: 'silent',
    }
    const huitou = await openHuitou({ config, log })
    const { core } = huitou
    const node = await ThisNode.join({ database: core.database, dataDir, role, version: 'test', secret, log })
    const server: RunningServer = await startServer(huitou, {
      port: 0,
      host: '127.0.0.1',
      version: 'test',
      role,
    })
    const following = await huitou.followPlugins(node)
    core.start(node)
    cookie ||= await signIn(huitou, server.url)
    ends.push(async () => {
      following[Symbol.dispose]()
      await server.close()
      await core.stop()
      await node.leave()
      await huitou[Symbol.asyncDispose]()
      rmSync(dataDir, { recursive: true, force: true })
    })
    const call: Call = (route, init = {}) =>
      fetch(`${server.url}${route}`, {
        ...init,
        headers: {
          Cookie: cookie,
          Origin: server.url,
          ...(typeof init.body === 'string' ? { 'Content-Type': 'application/json' } : {}),
          ...init.headers,
        },
      })
    const made = { huitou, node, url: server.url, dataDir, call }
    nodes.push(made)
    return made
  }
  for (const role of roles) await add(role)
  return {
    nodes,
    add,
    async [Symbol.asyncDispose]() {
      for (const end of ends.toReversed()) await end()
      await postgres.drop()
    },
  }
}

async function signIn(huitou: Huitou, url: string): Promise<string> {
  const person = { name: 'Lan', email: 'owner@example.com', password: 'correct horse battery', locale: 'en' }
  await (await huitou.auth()).createUser({ ...person, role: 'owner' })
  const answer = await fetch(`${url}/api/auth/sign-in/email`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Origin: url },
    body: JSON.stringify({ email: person.email, password: person.password }),
  })
  if (!answer.ok) throw new Error(await answer.text())
  return answer.headers
    .getSetCookie()
    .map((line) => line.split(';', 1)[0])
    .join('; ')
}
