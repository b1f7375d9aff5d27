import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createTestCore } from '@huitou/testing'
import { coreTemplate } from '@huitou/testing/core-template'
import { createPostgresDatabase } from '@huitou/testing/postgres'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Database, openDatabase, transact } from '../db/database.ts'
import { listNodes, listStageClaims } from './queries.ts'
import { CLAIMED_STAGES } from './stage-claims.ts'
import type { NodeRole } from './tables.ts'
import { ThisNode } from './this-node.ts'

const log = { info: () => {}, warn: () => {}, error: () => {} }
const folder = mkdtempSync(path.join(tmpdir(), 'huitou-nodes-'))
let postgres: Awaited<ReturnType<typeof createPostgresDatabase>>

beforeAll(async () => {
  postgres = await createPostgresDatabase(coreTemplate)
})
afterAll(async () => {
  await postgres.drop()
  rmSync(folder, { recursive: true, force: true })
})

interface TestNode extends AsyncDisposable {
  node: ThisNode
  database: Database
  /** Stages that it has, by name. */
  stages(): string[]
}

async function join(role: NodeRole, secret = 'a secret'): Promise<TestNode> {
  const database = openDatabase({ url: postgres.url, poolSize: 2 })
  try {
    const node = await ThisNode.join({ database, dataDir: folder, role, version: '1', secret, log })
    if (role !== 'web') await node.claims.begin()
    return {
      node,
      database,
      stages: () => node.claims.list().toSorted(),
      async [Symbol.asyncDispose]() {
        await node.leave()
        await database.close()
      },
    }
  } catch (error) {
    await database.close()
    throw error
  }
}

async function until(isSo: () => boolean): Promise<void> {
  for (let tries = 0; !isSo(); tries++) {
    if (tries === 400) throw new Error('It never came to be')
    await sleep(25)
  }
}

const all = [...CLAIMED_STAGES].toSorted()

test('nodes divide the stages evenly; one that leaves gives its own back at once', async () => {
  await using a = await join('worker')
  expect(a.stages()).toEqual(all)
  await using web = await join('web')
  {
    await using b = await join('all')
    await until(() => b.stages().length === 2 && a.stages().length === 3)
    expect([...a.stages(), ...b.stages()].toSorted()).toEqual(all)
    const nodes = await listNodes(a.database.db)
    expect(nodes.map(({ id, role, alive, stages }) => ({ id, role, alive, stages }))).toEqual([
      { id: a.node.id, role: 'worker', alive: true, stages: a.stages() },
      { id: web.node.id, role: 'web', alive: true, stages: [] },
      { id: b.node.id, role: 'all', alive: true, stages: b.stages() },
    ])
  }
  const begun = performance.now()
  await until(() => a.stages().length === all.length)
  // Somebody said so: nobody waited for a silence.
  expect(performance.now() - begun).toBeLessThan(a.database.silenceMs)
  expect((await listStageClaims(a.database.db)).every(({ nodeId }) => nodeId === a.node.id)).toBe(true)
})

test('whoever lost a stage meanwhile writes nothing, not even in the turn it is at', async () => {
  await using a = await join('worker')
  const { db } = a.database
  const write = (position: number) =>
    transact(db, (tx) =>
      tx
        .insertInto('cursors')
        .values({ name: 'fenced', position, details: null })
        .onConflict((conflict) => conflict.column('name').doUpdateSet({ position }))
        .execute(),
    )
  const positions = async () =>
    (await db.selectFrom('cursors').select('position').where('name', '=', 'fenced').execute()).map(
      ({ position }) => position,
    )
  let between = async () => {}
  const stage = a.node.claims.guard({
    name: 'segments',
    async advance() {
      await write(1)
      await between()
      await write(2)
      return true
    },
  })
  expect(await stage.advance()).toBe(true)
  expect(await positions()).toEqual([2])
  // As if another node had taken it over while this one was paused.
  between = async () => {
    await db
      .updateTable('stage_claims')
      .set({ token: (set) => set('token', '+', 1), node_id: 'somebody' })
      .where('stage', '=', 'segments')
      .execute()
  }
  expect(await stage.advance()).toBe(false)
  expect(await positions()).toEqual([1])
  expect(a.stages()).not.toContain('segments')
  // It belongs to nobody who lives: the next look takes it back, under a new number.
  await a.node.claims.refresh()
  expect(a.stages()).toEqual(all)
})

test('nodes with another secret are refused, and so is a second server on a SQLite folder', async () => {
  await using _a = await join('worker')
  await expect(join('web', 'another secret')).rejects.toMatchObject({ code: 'E_NODE_SECRET' })
  await using core = await createTestCore()
  const options = {
    database: core.database,
    dataDir: core.dataDir,
    role: 'all',
    version: '1',
    secret: 's',
    log,
  } as const
  const first = await ThisNode.join(options)
  await expect(ThisNode.join(options)).rejects.toMatchObject({ code: 'E_SECOND_NODE' })
  await first.leave()
  await (await ThisNode.join(options)).leave()
})
