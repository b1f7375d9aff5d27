import { existsSync, utimesSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { createTestCore, engines } from '@huitou/testing'
import { describe, expect, test } from 'vitest'
import { complaintId, complaints, declare } from '../collections/collections-fixture.ts'
import { insertImportRecord } from '../imports/records.ts'
import type { RetentionRules } from './retention.ts'

const NOW = '2026-11-21T10:00:00+08:00'
const forGood: RetentionRules = {
  events: null,
  content: null,
  records: null,
  logs: null,
  exports: null,
  inactive: null,
}

describe.each(engines)('what was kept long enough goes, on %s', (engine) => {
  test('as much as the preview said, in pieces, and nothing else', { timeout: 60_000 }, async () => {
    await using core = await createTestCore({ engine, now: NOW })
    const { db } = core.database
    const now = core.clock.now()
    const daysAgo = (days: number) => now - days * 86_400_000
    const at = (days: number) => new Date(daysAgo(days)).toISOString()
    await core.send(
      ...Array.from({ length: 603 }, (_, index) => ({
        type: 'track',
        event: index % 2 ? 'order.paid' : 'visit',
        userId: 'old',
        timestamp: at(800),
        properties: { index },
      })),
      { type: 'track', event: 'visit', userId: 'old', timestamp: at(700) },
      { type: 'track', event: 'visit', userId: 'new', timestamp: at(3) },
    )
    await core.settle()
    const before = await db.selectFrom('profiles').selectAll().orderBy('customer_id').execute()
    const run = async (rules: RetentionRules) => {
      await core.retention.write(rules)
      const { id } = await core.retention.start()
      return (await core.jobs.finished(id)).result
    }
    const stop = new AbortController()
    const running = core.jobs.run(stop.signal)
    try {
      expect(await core.retention.rules()).toEqual({ ...forGood, records: 12, logs: 12 })
      expect(await core.retention.preview(forGood)).toEqual({
        events: 0,
        content: 0,
        records: 0,
        logs: 0,
        exports: 0,
        inactive: 0,
      })
      expect(await run(forGood)).toEqual({ files: 0 })

      const years: RetentionRules = { ...forGood, events: 24 }
      expect((await core.retention.preview(years)).events).toBe(603)
      expect(await run(years)).toEqual({ files: 0, events: 603 })
      const left = await db
        .selectFrom('timeline')
        .innerJoin('events', 'events.seq', 'timeline.seq')
        .select('timeline.ts')
        .execute()
      expect(left.map(({ ts }) => ts).toSorted()).toEqual([daysAgo(700), daysAgo(3)].toSorted())
      // What was worked out of them stays.
      expect(await db.selectFrom('profiles').selectAll().orderBy('customer_id').execute()).toEqual(before)

      // What a deleted record was can be brought back for as long, and no longer.
      await declare(core, [complaints])
      const by = 'person:p1'
      const { id } = await core.collections.insert(complaintId, { subject: 'Late' }, { by })
      await core.collections.delete(complaintId, [id], { by })
      await db
        .updateTable('collection_history')
        .set({ at: daysAgo(200) })
        .execute()
      expect(await core.collections.undelete(complaintId, [id], { by })).toBe(1)
      await core.collections.delete(complaintId, [id], { by })
      await db
        .updateTable('collection_history')
        .set({ at: daysAgo(400) })
        .execute()
      expect((await core.retention.preview({ ...forGood, records: 12 })).records).toBe(2)
      expect(await run({ ...forGood, records: 12 })).toEqual({ files: 0, records: 2 })
      expect(await core.collections.undelete(complaintId, [id], { by })).toBe(0)

      const gone: RetentionRules = { ...forGood, inactive: 12 }
      expect((await core.retention.preview(gone)).inactive).toBe(1)
      expect(await run(gone)).toEqual({ files: 0, inactive: 1 })
      expect((await db.selectFrom('profiles').select('key').execute()).map(({ key }) => key)).toEqual(['new'])
      await expect.poll(async () => (await core.erasures.list(5))[0]?.state, { timeout: 20_000 }).toBe('done')
      expect(await core.erasures.list(5)).toMatchObject([{ reason: 'retention', requestedBy: 'retention' }])
    } finally {
      stop.abort()
      await running
    }
  })
})

test('files that nobody fetched, and uploads that nobody goes on with, go whatever is kept', async () => {
  await using core = await createTestCore({ now: NOW })
  const files = {
    'plugin-exports/old.jsonl.gz': 31,
    'plugin-exports/new.jsonl.gz': 3,
    'record-imports/tried': 4,
    'record-imports/new': 2,
    'imports/a.problems.csv': 31,
    'imports/a': 2,
  }
  for (const [name, days] of Object.entries(files)) {
    const file = path.join(core.dataDir, name)
    await mkdir(path.dirname(file), { recursive: true })
    await writeFile(file, '')
    const time = core.clock.now() / 1_000 - days * 86_400
    utimesSync(file, time, time)
  }
  const waiting = { id: 'a', name: 'orders.xlsx', source: 's', size: 1, facts: {} as never, mapping: null }
  await insertImportRecord(core.database.db, waiting, core.clock.now())
  await core.retention.write(forGood)
  const stop = new AbortController()
  const running = core.jobs.run(stop.signal)
  const left = async () => {
    const { result } = await core.jobs.finished((await core.retention.start()).id)
    return [result, ...Object.keys(files).filter((name) => existsSync(path.join(core.dataDir, name)))]
  }
  expect(await left()).toEqual([
    { files: 3 },
    'plugin-exports/new.jsonl.gz',
    'record-imports/new',
    'imports/a',
  ])
  core.clock.advance(4 * 86_400_000)
  expect(await left()).toEqual([{ files: 1 }, 'plugin-exports/new.jsonl.gz'])
  stop.abort()
  await running
})
