import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { createTestCore, engines, TEST_SECRET, type TestCore } from '@huitou/testing'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { addRecordingChannel } from '../test/recording-channel.ts'
import { complaintId, complaints, declare, insertAll } from './collections/collections-fixture.ts'
import { createCore } from './core.ts'
import { transact } from './db/database.ts'
import { linesSource } from '../test/import-fixture.ts'
import { importFile } from './imports/import-file.ts'
import { planDeliveries } from './journeys/outbox.ts'
import { store } from './plugin-data/storage.ts'
import { getCustomer, readTimeline } from './profiles/queries.ts'
import { sealEverything } from './sealing-job.ts'
import { searchCustomers } from './segments/search.ts'

const PHONE = '13812345678'
const OTHER_PHONE = '15987654321'
const EMAIL = 'canary@nightingale.example'
const ADDRESS = '梧桐路 77 号 canary'
const CANARIES = [PHONE, OTHER_PHONE, EMAIL, ADDRESS, '梧桐路', 'nightingale']

/** Everything that stands in the database, as somebody sees it who has a copy of it. */
async function dump({ database, dataDir }: TestCore): Promise<string> {
  if (database.engine === 'sqlite') {
    await sql`pragma wal_checkpoint(truncate)`.execute(database.db)
    const file = path.join(dataDir, 'huitou.db')
    return ['', '-wal']
      .map((end) => (existsSync(file + end) ? readFileSync(file + end, 'utf8') : ''))
      .join('\n')
  }
  const raw = database.db.withoutPlugins()
  const tables = await sql<{
    name: string
  }>`select table_name as name from information_schema.tables where table_schema = current_schema()`.execute(
    raw,
  )
  const texts: string[] = []
  for (const { name } of tables.rows) {
    const { rows } = await sql<{ text: string }>`select t::text as text from ${sql.table(name)} t`.execute(
      raw,
    )
    texts.push(...rows.map(({ text }) => text))
  }
  return texts.join('\n')
}

/** Where a canary stands, and what around it. */
function leaks(text: string): string[] {
  return CANARIES.filter((canary) => text.includes(canary)).map((canary) => {
    const at = text.indexOf(canary)
    return `${canary}: ${text.slice(Math.max(0, at - 150), at + 80)}`
  })
}

/** Plants personal data through every entrance there is. */
async function plant(core: TestCore): Promise<void> {
  addRecordingChannel(core.points)
  await core.send(
    {
      type: 'identify',
      userId: 'u1',
      traits: {
        name: 'Li',
        phone: PHONE,
        email: EMAIL,
        address: { street: ADDRESS, city: '上海' },
        birthday: '1990-05-01',
      },
    },
    { type: 'identify', userId: EMAIL, traits: { home_address: ADDRESS } },
    {
      type: 'track',
      userId: 'u1',
      event: 'order.paid',
      properties: { receiver_phone: OTHER_PHONE, shipping_address: { street: ADDRESS }, total: 5 },
    },
    {
      type: 'track',
      anonymousId: 'a1',
      event: 'form.sent',
      properties: { answer: `call me: ${PHONE}, or ${EMAIL}` },
    },
    {
      type: 'track',
      userId: OTHER_PHONE,
      event: 'visit',
      context: { page: { url: `https://shop.example/?mail=${EMAIL}` } },
    },
    {
      type: 'track',
      externalIds: [],
      context: { externalIds: [{ type: 'email', id: EMAIL }] },
      event: 'visit',
    },
  )
  await core.settle()
  await declare(core, [
    {
      ...complaints,
      searchable: ['subject', 'note', 'phone'],
      schema: {
        ...complaints.schema,
        properties: {
          ...(complaints.schema['properties'] as object),
          phone: { type: 'string' },
          address: { type: 'string' },
        },
      },
    },
  ])
  const [id] = await insertAll(core.collections, [
    {
      subject: `Called from ${PHONE}`,
      state: 'open',
      note: 'late',
      phone: PHONE,
      address: ADDRESS,
      topics: [EMAIL],
    },
  ])
  await core.collections.update(complaintId, id as string, { data: { phone: OTHER_PHONE }, by: 'person:p1' })
  await core.access.appendEvents(
    { id: 'test.shop', permissions: { 'events.append': ['*'] } } as never,
    [
      {
        type: 'track',
        userId: 'u1',
        event: 'hooked',
        properties: { buyer: { phone: PHONE } },
        messageId: 'h1',
      },
    ] as never,
  )
  await store(core, 'test.shop', { key: 'last', value: { buyer: EMAIL } })
  await core.tasks.create({
    kind: 'call',
    title: `Call ${PHONE}`,
    customerId: 1,
    script: `Ask for ${EMAIL}`,
    data: { address: ADDRESS },
    createdBy: 'user:p1',
    due: { minutes: 5 },
  })
  await transact(core.database.db, (tx) =>
    planDeliveries(
      tx,
      [
        {
          key: 'd1',
          kind: 'message',
          channel: 'test.channel/sms',
          account: '',
          customerId: 1,
          content: { text: `We ring ${PHONE}` },
          context: { event: { shipping_address: ADDRESS, email: EMAIL } },
          dueAt: core.clock.now(),
        },
      ],
      core.clock.now(),
    ),
  )
  core.points.sources.add(
    { plugin: 'test', prefix: 'test', text: (text) => ({ en: String(text), 'zh-CN': String(text) }) },
    'test.lines',
    {
      id: 'lines',
      title: 'Lines',
      fields: ['order_id', 'customer_id', 'quantity', 'price', 'time'].map((id) => ({
        id,
        title: id,
        type: 'text' as const,
      })),
      run: linesSource,
    },
  )
  const file = path.join(core.dataDir, 'lines.csv')
  writeFileSync(
    file,
    `order_id,customer_id,quantity,price,time,address\n1,${PHONE},1,2.5,2026-02-01 10:24:00,${ADDRESS}\n2,${EMAIL},x,2.5,bad,${ADDRESS}\n`,
  )
  await importFile(core, { path: file, source: 'test.lines' })
  rmSync(file)
  await core.settle()
}

/** What people see of it. */
async function view(core: TestCore) {
  const rows = await core.database.db.selectFrom('profiles').selectAll().orderBy('customer_id').execute()
  const identifiers = await core.database.db
    .selectFrom('identifiers')
    .select(['id', 'kind', 'value', 'customer_id'])
    .orderBy('id')
    .execute()
  const events = await core.database.db.selectFrom('events').select(['seq', 'body']).orderBy('seq').execute()
  const records = await core.collections.find(complaintId, { limit: 10 })
  const found = async (search: string) =>
    (await searchCustomers(core, { search, limit: 10 })).rows.map(({ id }) => id)
  return {
    rows,
    identifiers,
    events: events.map(({ body }) => JSON.parse(body) as unknown),
    records: records.records,
    searches: {
      phone: await found(PHONE),
      spelled: await found(`+86 ${PHONE.slice(0, 3)}-${PHONE.slice(3)}`),
      email: await found(EMAIL.toUpperCase()),
      tail: await found(PHONE.slice(-4)),
      nobody: await found('0000'),
    },
    customer: await getCustomer(core.database.db, 1),
  }
}

/** Runs the jobs that are due until none is left. */
async function work(core: Pick<TestCore, 'jobs'>): Promise<void> {
  const stop = new AbortController()
  const due = (await core.jobs.list(50)).filter(
    ({ kind, state }) => kind === 'personal.seal' && state === 'queued',
  )
  const running = core.jobs.run(stop.signal)
  for (const { id } of due) expect(await core.jobs.finished(id)).toMatchObject({ state: 'done' })
  stop.abort()
  await running
}

describe.each(engines)('personal data in the database on %s', (engine) => {
  let core: TestCore
  beforeAll(async () => {
    core = await createTestCore({ engine })
    await plant(core)
  })
  afterAll(() => core[Symbol.asyncDispose]())

  test('nothing that came in through any entrance stands readable in it', async () => {
    const text = await dump(core)
    expect(leaks(text)).toEqual([])
    expect(text).toContain('order.paid')
  })

  test('people see and find it as ever', async () => {
    const { rows, searches, customer, records } = await view(core)
    expect(rows[0]).toMatchObject({ t_phone: PHONE, t_email: EMAIL, t_address: ADDRESS, t_city: '上海' })
    expect(customer.identifiers.map(({ kind, value }) => `${kind} ${value}`)).toContain('phone 138****5678')
    const { entries } = await readTimeline(core.database.db, 1, { limit: 20 })
    expect(entries.find(({ name }) => name === 'order.paid')?.properties).toEqual({
      receiver_phone: '159****4321',
      shipping_address: { street: '***ry' },
      total: 5,
    })
    expect(records[0]?.data).toMatchObject({ phone: OTHER_PHONE, address: ADDRESS, topics: [EMAIL] })
    // Some are another customer's id in a shop of its own.
    for (const found of [searches.phone, searches.spelled, searches.email, searches.tail])
      expect(found).toContain(1)
    expect(searches.nobody).toEqual([])
  })

  test('rules and filters compare whole values, and say when the database cannot know', async () => {
    const count = async (op: string, value?: unknown) =>
      (
        await searchCustomers(core, {
          rule: { all: [{ column: 't_phone', op, value }] } as never,
          limit: 10,
        })
      ).total
    expect(await count('is', `+86${PHONE}`)).toBe(1)
    expect(await count('in', [PHONE, '13000000000'])).toBe(1)
    expect(await count('is_not', '13000000000')).toBeGreaterThan(0)
    await expect(count('contains', '1234')).rejects.toMatchObject({ code: 'E_SEALED' })
    const bought = {
      event: 'order.paid',
      count: { op: '>=', value: 1 },
      where: [{ property: 'receiver_phone', op: 'is', value: OTHER_PHONE }],
    }
    expect((await searchCustomers(core, { rule: { all: [bought] } as never, limit: 1 })).total).toBe(1)
    const find = (search: object) => core.collections.find(complaintId, { limit: 5, ...search } as never)
    expect((await find({ filter: { field: 'phone', op: 'is', value: OTHER_PHONE } })).records).toHaveLength(1)
    expect((await find({ search: OTHER_PHONE })).records).toHaveLength(1)
    expect((await find({ search: OTHER_PHONE.slice(-4) })).records).toHaveLength(1)
    expect((await find({ search: '1380000' })).records).toHaveLength(0)
    await expect(find({ filter: { field: 'phone', op: 'starts_with', value: '159' } })).rejects.toMatchObject(
      { code: 'E_SEALED' },
    )
    await expect(find({ sort: { field: 'phone', dir: 'asc' } })).rejects.toMatchObject({ code: 'E_SEALED' })
  })

  test('a change of keys changes nothing that readers see, and drops the old key', async () => {
    const before = await view(core)
    const keys = core.keys!
    const [old] = await keys.list()
    const id = await keys.rotate()
    expect((await keys.list()).map((key) => key.id)).toEqual([old?.id, id])
    const begun = await keys.look()
    expect(begun.keys).toMatchObject([{ isSealing: false }, { isSealing: true }])
    expect(begun.keys[0]?.values).toBeGreaterThan(10)
    expect(begun).toMatchObject({ open: 0, isEstimate: false, work: { pass: 1, tables: { done: 0 } } })
    expect(await view(core)).toEqual(before)
    await work(core)
    const waiting = await keys.look()
    expect(waiting.keys[1]?.values).toBeGreaterThanOrEqual(begun.keys[0]?.values ?? 0)
    expect(waiting).toMatchObject({ keys: [{ values: 0 }, {}], work: { pass: 2 } })
    expect(waiting.work?.startsAt).toBeGreaterThan(core.clock.now())
    expect(await view(core)).toEqual(before)
    core.clock.advance(120_000)
    await work(core)
    expect(await keys.look()).toMatchObject({ keys: [{ id }], open: 0, work: null })
    expect((await keys.list()).map((key) => key.id)).toEqual([id])
    const text = await dump(core)
    expect(text).not.toMatch(new RegExp(`~e1(?:[pmt]\\.[\\w-]{28}|d)\\.${old?.id}\\.`))
    expect(await view(core)).toEqual(before)
  })

  test('under another secret it does not start, and nothing is changed', async () => {
    const open = (secret: string | undefined) =>
      createCore({ database: core.database, dataDir: core.dataDir, clock: core.clock, secret })
    await expect(open('another secret')).rejects.toMatchObject({ code: 'E_PERSONAL_KEYS' })
    await expect(open(undefined)).rejects.toMatchObject({ code: 'E_PERSONAL_KEYS' })
    await expect(open(TEST_SECRET)).resolves.toBeDefined()
  })

  test('the secret itself can be changed', async () => {
    const before = await view(core)
    const options = { database: core.database, dataDir: core.dataDir, clock: core.clock }
    const again = await createCore({ ...options, secret: 'another secret', oldSecret: TEST_SECRET })
    await again.database.vault.reload()
    expect(await view(core)).toEqual(before)
    await expect(createCore({ ...options, secret: TEST_SECRET })).rejects.toMatchObject({
      code: 'E_PERSONAL_KEYS',
    })
  })
})

describe.each(engines)('a database from before on %s', (engine) => {
  test('is sealed behind the scenes, read in between, and goes on where it was interrupted', async () => {
    await using core = await createTestCore({ engine, secret: undefined })
    await plant(core)
    expect(await dump(core)).toContain(PHONE)
    const before = await view(core)
    const later = await createCore({
      database: core.database,
      dataDir: core.dataDir,
      clock: core.clock,
      secret: TEST_SECRET,
    })
    expect((await later.jobs.list(5)).map(({ kind }) => kind)).toContain('personal.seal')
    // Whoever does it is stopped after the first piece; it goes on from there.
    const stop = new AbortController()
    const key = (await later.keys?.list())?.[0]?.id ?? ''
    const half = sealEverything(core.database, key, { signal: stop.signal, onStep: () => stop.abort() })
    expect(await half).toBeUndefined()
    // Half of it is sealed, and somebody comes back under a number that is not sealed yet.
    await core.send({ type: 'track', userId: 'u1', event: 'visit', context: { traits: { phone: PHONE } } })
    await core.settle()
    await work(later)
    await core.database.db.deleteFrom('jobs').where('kind', '=', 'personal.seal').execute()
    const text = await dump(core)
    expect(leaks(text)).toEqual([])
    const after = await view(core)
    expect(after.identifiers).toEqual(before.identifiers)
    expect(after.records).toEqual(before.records)
    expect(after.rows.map((row) => ({ ...row, last_seen_at: 0, event_count: 0 }))).toEqual(
      before.rows.map((row) => ({ ...row, last_seen_at: 0, event_count: 0 })),
    )
    expect(after.searches).toMatchObject({ phone: before.searches.phone, email: before.searches.email })
    expect(after.searches.tail).toContain(1)
  })
})
