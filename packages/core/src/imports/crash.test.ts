import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { engines } from '@huitou/testing'
import { createPostgresDatabase } from '@huitou/testing/postgres'
import { afterAll, expect, test } from 'vitest'
import { importFile } from './import-file.ts'
import { createImportFixture } from '../../test/import-fixture.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'huitou-crash-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const KILLS = 3
const ORDERS = 10_000

async function eventsIn(dataDir: string, url?: string): Promise<string[]> {
  await using fixture = await createImportFixture({ dataDir, ...(url ? { url } : {}) })
  const events = await fixture.database.db
    .selectFrom('events')
    .select(['message_id', 'ts', 'body'])
    .orderBy('message_id')
    .execute()
  return events.map((event) => JSON.stringify(event))
}

/** Lets the child come to its `steps`th sign of progress in `phase` and a little further, then kills it. */
async function killAfter(
  child: ChildProcess,
  { phase, steps, extraMs }: { phase: string; steps: number; extraMs: number },
): Promise<void> {
  let seen = 0
  child.stdout?.on('data', (chunk: Buffer) => {
    seen += chunk
      .toString()
      .split('\n')
      .filter((line) => line.startsWith(phase)).length
    if (seen >= steps) setTimeout(() => child.kill('SIGKILL'), extraMs)
  })
  await once(child, 'exit')
}

test.each(engines)(
  'killed again and again, an import ends with exactly the events of one that was left alone (%s)',
  { timeout: 180_000 },
  async (engine) => {
    const postgres = engine === 'postgres' ? await createPostgresDatabase() : undefined
    const place = path.join(folder, engine)
    mkdirSync(place)
    const file = path.join(place, 'orders.csv')
    const rows = Array.from(
      { length: ORDERS * 2 },
      (_, index) => `${(index * 7_919) % ORDERS},c${index % 300},1,${index % 90}.5,2026-11-01 10:24:00`,
    )
    writeFileSync(file, `order_id,customer_id,quantity,price,time\n${rows.join('\n')}\n`)
    const calm = path.join(place, 'calm')
    const wild = path.join(place, 'wild')
    for (const dir of [calm, wild]) mkdirSync(dir)
    await using fixture = await createImportFixture({ dataDir: calm })
    await importFile(fixture, { path: file, source: 'test.lines' })

    let killed = 0
    for (let attempt = 0; ; attempt++) {
      const program = path.join(import.meta.dirname, 'crash-child.ts')
      const child = spawn(process.execPath, [program, wild, file, ...(postgres ? [postgres.url] : [])], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      // The first two die while the rows are being checked, the others at ever other moments of the import.
      if (attempt < 2) await killAfter(child, { phase: 'check', steps: 1 + attempt * 8, extraMs: attempt })
      else if (attempt < KILLS)
        await killAfter(child, { phase: 'import', steps: 1 + (attempt % 2), extraMs: (attempt * 7) % 40 })
      else {
        child.stdout?.resume()
        await once(child, 'exit')
      }
      if (child.signalCode !== 'SIGKILL') {
        expect(child.exitCode).toBe(0)
        break
      }
      killed++
    }
    expect(killed).toBeGreaterThan(KILLS / 2)
    expect(await eventsIn(wild, postgres?.url)).toEqual(await eventsIn(calm))
    const left = readdirSync(path.join(wild, 'imports'))
    expect(left.filter((name) => !name.endsWith('.problems.csv'))).toEqual([])
    await postgres?.drop()
  },
)
