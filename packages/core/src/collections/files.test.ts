import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { createTestCore, engines, type TestCore } from '@huitou/testing'
import { describe, expect, test } from 'vitest'
import { toSpreadsheet } from '../spreadsheet.ts'
import { startBulkDelete } from './bulk-delete.ts'
import { complaintId, complaints, declare, insertAll } from './collections-fixture.ts'
import { exportJson, exportTable } from './export-records.ts'
import { type ImportResult, receiveRecordFile, startRecordImport } from './import-records.ts'
import type { ImportFormat } from './import-rows.ts'

const by = 'person:p1' as const

async function text(stream: ReadableStream<Uint8Array>): Promise<string> {
  return await new Response(stream).text()
}

/** Runs an import to its end, dry or not. */
async function runImport(
  core: TestCore,
  content: string | Buffer,
  options: { format?: ImportFormat; dryRun?: boolean } = {},
) {
  const { format = 'csv', dryRun = false } = options
  const body = new Response(content).body as ReadableStream<Uint8Array>
  const upload = await receiveRecordFile(core.dataDir, body)
  const definition = await core.collections.definition(complaintId)
  const order = { collection: complaintId, upload, format, dryRun, by, locale: 'zh-CN' }
  const job = await startRecordImport(core, definition, order)
  return { upload, ...(await finish(core, job.id)) }
}

/** Runs jobs until this one has ended. */
async function finish(core: TestCore, id: string) {
  const stop = new AbortController()
  const running = core.jobs.run(stop.signal)
  const { state, result, error } = await core.jobs.finished(id)
  stop.abort()
  await running
  return { state, error, result: result as unknown as ImportResult }
}

describe.each(engines)('files of records on %s', (engine) => {
  test('a table for people comes back as the records that it shows', async () => {
    await using core = await createTestCore({ engine })
    await core.send({ type: 'identify', userId: 'u1', messageId: 'm1', traits: { phone: '13800138000' } })
    await core.settle()
    const [customer] = await core.database.db.selectFrom('profiles').select('customer_id').execute()
    await declare(core, [complaints])
    const data = {
      subject: '=1+1 杯子，"碎了"',
      state: 'waiting',
      due: '2026-03-02',
      heardAt: '2026-03-01T04:00:00.000Z',
      cost: 1_990,
      mood: -0.5,
      urgent: true,
      topics: ['物流', '包装'],
      place: { city: '上海' },
      customer: customer?.customer_id,
    }
    const [id = ''] = await insertAll(core.collections, [data])
    const definition = await core.collections.definition(complaintId)
    const csv = await text(toSpreadsheet(await exportTable(core, definition, { locale: 'zh-CN' }), 'csv'))
    expect(csv.split('\r\n')[1]).toContain("'=1+1")
    expect(csv).toContain('2026-03-01 12:00:00')
    const lines = await text(exportJson(core, definition, { lines: true }))
    expect(JSON.parse(await text(exportJson(core, definition, { lines: false })))).toHaveLength(1)

    await core.collections.update(complaintId, id, {
      data: { subject: 'changed', cost: 1, customer: null },
      by,
    })
    expect((await runImport(core, csv)).result).toMatchObject({ updated: 1, inserted: 0, refused: 0 })
    expect((await core.collections.get(complaintId, id)).data).toEqual(data)
    await core.collections.delete(complaintId, [id], { by })
    expect((await runImport(core, lines, { format: 'jsonl' })).result).toMatchObject({
      inserted: 1,
      refused: 0,
    })
    expect((await core.collections.get(complaintId, id)).data).toEqual(data)
  })

  test('a dry run counts and names what does not fit, and writes nothing', async () => {
    await using core = await createTestCore({ engine })
    await core.send({ type: 'identify', userId: 'u1', messageId: 'm1', traits: { phone: '13800138000' } })
    await core.settle()
    await declare(core, [complaints])
    const csv = [
      'Subject,STATE,cost,due,customer,Weather',
      'good,Open,"1,234.50",2026/3/2,13800138000,sun',
      ',open,,,,',
      'odd,lost,-5,never,13900139000,',
    ].join('\n')
    const dry = await runImport(core, csv, { dryRun: true })
    expect(dry.result).toMatchObject({
      rows: 3,
      inserted: 1,
      updated: 0,
      refused: 2,
      ignoredColumns: ['Weather'],
      dryRun: true,
    })
    expect(
      dry.result.problems.map(({ row, problems }) => [row, problems.map(({ field }) => field).toSorted()]),
    ).toEqual([
      [3, ['subject']],
      [4, ['cost', 'customer', 'due', 'state']],
    ])
    expect(await core.collections.count(complaintId, {})).toBe(0)
    const definition = await core.collections.definition(complaintId)
    const order = {
      collection: complaintId,
      upload: dry.upload,
      format: 'csv' as const,
      dryRun: false,
      by,
      locale: 'en',
    }
    const job = await startRecordImport(core, definition, order)
    expect((await finish(core, job.id)).result).toMatchObject({ inserted: 1, refused: 2 })
    const { records } = await core.collections.find(complaintId, { limit: 5 })
    expect(records).toMatchObject([
      { data: { subject: 'good', cost: 123_450, due: '2026-03-02' }, createdBy: by },
    ])
    expect(records[0]?.data['customer']).toEqual(expect.any(Number))
  })

  test('an import that was interrupted goes on without writing anything twice', async () => {
    await using core = await createTestCore({ engine })
    await declare(core, [complaints])
    const rows = Array.from({ length: 1_200 }, (_, at) => `{"subject":"s${at}"}`)
    const first = await runImport(core, rows.slice(0, 700).join('\n'), { format: 'jsonl' })
    expect(first.result.inserted).toBe(700)
    // The same upload once more, as after a crash: the file is still there, some of it is written.
    writeFileSync(path.join(core.dataDir, 'record-imports', first.upload), rows.join('\n'))
    const definition = await core.collections.definition(complaintId)
    const order = {
      collection: complaintId,
      upload: first.upload,
      format: 'jsonl' as const,
      dryRun: false,
      by,
      locale: 'en',
    }
    const job = await startRecordImport(core, definition, order)
    expect((await finish(core, job.id)).result).toMatchObject({ rows: 1_200, inserted: 1_200 })
    expect(await core.collections.count(complaintId, {})).toBe(1_200)
    expect(await core.collections.count(complaintId, { search: 's1199' })).toBe(1)
  })

  test('files as Chinese spreadsheets save them are read, and files of something else refused', async () => {
    await using core = await createTestCore({ engine })
    await declare(core, [complaints])
    const gb18030 = Buffer.from([0x73, 0x75, 0x62, 0x6a, 0x65, 0x63, 0x74, 0x0a, 0xcd, 0xcb, 0xbf, 0xee])
    expect((await runImport(core, gb18030)).result.inserted).toBe(1)
    expect((await core.collections.find(complaintId, { search: '退款', limit: 2 })).records).toHaveLength(1)
    expect((await runImport(core, 'a,b\n1,2')).error).toMatchObject({ code: 'E_IMPORT_COLUMNS' })
    expect(
      (await runImport(core, '[1]\nno json\n{"subject":"x"}', { format: 'jsonl' })).result,
    ).toMatchObject({ refused: 2, inserted: 1 })
  })

  test('all that a filter finds is deleted, as many as were confirmed', async () => {
    await using core = await createTestCore({ engine })
    await declare(core, [complaints])
    await runImport(
      core,
      `subject,state\n${Array.from({ length: 900 }, (_, at) => `s${at},${at % 3 ? 'open' : 'closed'}`).join('\n')}`,
    )
    const definition = await core.collections.definition(complaintId)
    const filter = { field: 'state', op: 'is' as const, value: 'open' }
    await expect(startBulkDelete(core, definition, { filter, expected: 5, by })).rejects.toMatchObject({
      code: 'E_COUNT_CHANGED',
    })
    const job = await startBulkDelete(core, definition, { filter, expected: 600, by })
    expect((await finish(core, job.id)).result).toEqual({ deleted: 600 })
    expect(await core.collections.count(complaintId, {})).toBe(300)
    expect(await core.collections.count(complaintId, { search: 's1' })).toBeGreaterThan(0)
  })
})
