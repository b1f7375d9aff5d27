import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { createTestCore, engines } from '@huitou/testing'
import { gzipSync, strToU8, zipSync } from 'fflate'
import type { Kysely } from 'kysely'
import { describe, expect, test } from 'vitest'
import { complaintId, complaints, declare } from '../collections/collections-fixture.ts'
import { importFiles } from '../imports/import-folder.ts'
import { erasuresFile } from './erase-files.ts'
import { Erasures } from './erasures.ts'

/** Tables without anything about customers, and why; a new table belongs here or into what an erasure takes away. */
const NO_CUSTOMERS: Record<string, string> = {
  watch_hours: 'sums',
  alert_notices: 'people who work here',
  plugin_archives: 'files of plugins',
  alerts: 'what is wrong with the installation',
  sign_in_attempts: 'people who work here',
  api_keys: 'digests of keys',
  audit_head: 'how many entries the log has',
  exports: 'who works here took what; its reason is looked through',
  account: 'people who work here',
  assets: 'pictures for messages',
  audit_log: 'who works here did what; never personal data of customers',
  channel_accounts: 'where messages are sent from; its last error is looked through',
  collections: 'declarations of plugins',
  consent_text_versions: 'texts for everybody',
  consent_texts: 'texts for everybody',
  content_template_versions: 'texts for everybody',
  content_templates: 'texts for everybody',
  cursors: 'positions',
  erasures: 'tombstones: numbers and sums; the reason is looked through',
  erasure_proofs: 'keyed hashes',
  experiments: 'definitions',
  journey_origins: 'parameters of templates',
  journey_stats: 'sums',
  journey_versions: 'definitions',
  journeys: 'definitions',
  nodes: 'processes of this installation',
  personal_keys: 'keys, wrapped',
  plugin_drifts: 'sums',
  plugin_erasures: 'plugins; errors are written without what names the customer',
  plugin_permission_uses: 'plugins',
  plugin_publishers: 'plugins',
  plugin_registries: 'plugins',
  plugin_secrets: 'keys of plugins to other services, sealed',
  plugin_upgrades: 'plugins',
  plugin_versions: 'plugins',
  plugins: 'plugins',
  profile_columns: 'names of columns',
  schedules: 'when what is done',
  score_models: 'sums',
  score_runs: 'sums',
  sealing_progress: 'positions',
  segment_days: 'sums',
  session: 'people who work here',
  settings: 'settings',
  stage_claims: 'processes of this installation',
  suppressions: 'keyed hashes',
  task_queues: 'people who work here',
  user: 'people who work here',
  verification: 'people who work here',
  write_keys: 'digests of keys',
}
/** Tables that hold customers' data under somebody else's key, and where that key is found. */
const HANGS_ON: Record<string, [column: string, parent: string, of: string]> = {
  enrolment_steps: ['enrolment_id', 'enrolments', 'id'],
  delivery_events: ['delivery_id', 'deliveries', 'id'],
  message_links: ['delivery_id', 'deliveries', 'id'],
  held_clicks: ['delivery_id', 'deliveries', 'id'],
  early_receipts: ['provider_id', 'deliveries', 'provider_id'],
  task_events: ['task_id', 'tasks', 'id'],
}
/** Filled by the loop itself. */
const FOLDED = new Set(['events', 'identifiers', 'identity_links', 'identity_decisions', 'timeline'])
/** Tables that are about something else, and the columns in which somebody may be named all the same. */
const MAY_NAME: Record<string, string[]> = {
  collection_history: ['before'],
  collection_outbox: ['change', 'error'],
  imports: ['name', 'facts', 'mapping', 'dry_run', 'result', 'error'],
  jobs: ['title', 'payload', 'result', 'error'],
  plugin_storage: ['key', 'value'],
  // Whoever is erased leaves that they asked, and when.
  privacy_requests: ['asked_by', 'note', 'answer'],
  rejected_events: ['message', 'excerpt'],
  segments: ['rule'],
}

const MARKS = [
  '+8613900007731',
  '13900007731',
  'canary7731@example.cn',
  'anon-7731-canary',
  'u-canary-7731',
  '文三路7731号',
]
const person = {
  userId: 'u-canary-7731',
  traits: { phone: '13900007731', email: 'Canary7731@example.cn', name: '金丝雀', address: '文三路7731号' },
}

describe.each(engines)('erasing a customer on %s', (engine) => {
  test('leaves nothing of them in any table or file, and everybody else as they were', async () => {
    await using shop = await openShop(engine)
    const { core, db } = shop
    const id = await shop.idOf('u-canary-7731')
    const theirs = await shop.idsOf(id)
    await plantEverywhere(db, { id, ids: theirs, mark: 'canary7731@example.cn' })
    await plantEverywhere(db, { id: await shop.idOf('u2'), ids: [], mark: 'other@example.cn' })
    const files = await plantFiles(core.dataDir)
    const before = await dump(db)
    expect(rowsWith(before, MARKS).length).toBeGreaterThan(30)

    const { job } = await core.erasures.request(id, { reason: 'asked by 13900007731', by: 'p1' })
    await shop.finish(job.id)

    const after = await dump(db)
    expect(rowsWith(after, MARKS)).toEqual([])
    expect(rowsOfCustomer(after, await shop.numbers(job.payload['erasure'] as string))).toEqual([])
    expect(othersLost(before, after, { marks: MARKS, ids: [id, ...theirs] })).toEqual([])
    for (const file of files) if (existsSync(file)) expect(holdsAny(readFileSync(file, 'utf8'))).toBe(false)
    for (const file of files) expect(readFileSync(file, 'utf8')).toContain('13811112222')
    expect(readdirSync(path.join(core.dataDir, 'record-imports'))).toEqual(['other'])
    const [erasure] = await core.erasures.list(10)
    expect(erasure).toMatchObject({ state: 'done', reason: 'asked by ' })
    expect(erasure?.removed).toMatchObject({ identifiers: 6, events: 4, records: 3, messages: 7, tasks: 2 })
  })

  test('nobody hears of them again, whichever way they come in', async () => {
    await using shop = await openShop(engine)
    const { core } = shop
    const { job } = await core.erasures.request(await shop.idOf('u-canary-7731'), { reason: 'r', by: 'p1' })
    await shop.finish(job.id)
    const others = await shop.profiles()
    // A sender learns nothing: it looks as if the events had been known.
    expect(
      await core.send(
        { type: 'track', event: 'order.paid', userId: 'u-canary-7731', properties: { total: 5 } },
        { type: 'identify', userId: 'new-name', traits: { email: 'canary7731@EXAMPLE.cn' } },
        { type: 'track', event: 'page.viewed', anonymousId: 'anon-7731-canary' },
      ),
    ).toEqual({ accepted: 0, duplicates: 3 })
    // A device that somebody else uses by name is theirs.
    await core.send({ type: 'track', event: 'page.viewed', anonymousId: 'anon-7731-canary', userId: 'u2' })
    await core.settle()
    expect(
      rowsWith(
        await dump(shop.db),
        MARKS.filter((mark) => !mark.startsWith('anon')),
      ),
    ).toEqual([])
    expect((await shop.profiles()).length).toBe(others.length)

    // At their own wish they may come back.
    await core.erasures.lift('email', 'canary7731@example.cn')
    await core.send({ type: 'identify', ...person })
    await core.settle()
    expect((await shop.profiles()).length).toBe(others.length + 1)
    expect(await shop.idOf('u-canary-7731')).toBeGreaterThan(
      Math.max(...others.map(({ customer_id }) => customer_id)),
    )
  })

  test('what was appended but not folded yet goes as well', async () => {
    await using shop = await openShop(engine)
    const { core } = shop
    await core.send({ type: 'track', event: 'order.paid', userId: 'u-canary-7731', properties: { total: 7 } })
    const { job } = await core.erasures.request(await shop.idOf('u-canary-7731'), { reason: 'r', by: 'p1' })
    await core.settle()
    await shop.finish(job.id)
    expect(rowsWith(await dump(shop.db), MARKS)).toEqual([])
  })

  test('a database from before the erasure is erased again before it runs', async () => {
    await using shop = await openShop(engine)
    await using restored = await openShop(engine)
    const { job } = await shop.core.erasures.request(await shop.idOf('u-canary-7731'), {
      reason: 'r',
      by: 'p1',
    })
    await shop.finish(job.id)
    expect(holdsAny(readFileSync(erasuresFile(shop.core.dataDir), 'utf8'))).toBe(false)
    await writeFile(erasuresFile(restored.core.dataDir), readFileSync(erasuresFile(shop.core.dataDir)))
    expect(await restored.core.erasures.applyNoted()).toBe(1)
    expect(await restored.core.erasures.applyNoted()).toBe(0)
    expect(await restored.idOf('u-canary-7731')).toBe(-1)
    // The plugin may not have been reached before the restore, and opens after the list is applied.
    const title = { en: 'Cards', 'zh-CN': '卡' }
    await restored.core.erasures.surround(() => [{ plugin: 'acme.cards', id: 'acme.cards/cards', title }])
    expect(await restored.core.erasures.list(1)).toMatchObject([
      { state: 'requested', plugins: [{ plugin: 'acme.cards', state: 'waiting' }] },
    ])
    const told: string[] = []
    restored.core.points.erasers.add(
      { plugin: 'acme.cards', prefix: 'x', text: () => title },
      'acme.cards/cards',
      {
        id: 'cards',
        title: 'Cards',
        run({ erasure, key }) {
          told.push(`${erasure} ${key}`)
          return { removed: 1 }
        },
      },
    )
    await restored.core.erasures.resume()
    await restored.finishAll()
    const [first] = await shop.core.erasures.list(1)
    expect(told).toEqual([`${first?.id} u-canary-7731`])
    expect(await restored.core.erasures.list(1)).toMatchObject([{ state: 'done' }])
    expect(rowsWith(await dump(restored.db), MARKS)).toEqual([])
    expect(await restored.core.send({ type: 'identify', ...person })).toMatchObject({ accepted: 0 })
  })
})

test('another secret does not make anybody known again', async () => {
  const boxOf = (secret: string) => ({
    seal: (text: string) => `${secret}:${text}`,
    open(sealed: string) {
      if (!sealed.startsWith(`${secret}:`)) throw new Error('another secret')
      return sealed.slice(secret.length + 1)
    },
  })
  await using shop = await openShop('sqlite')
  const { database, dataDir } = shop.core
  const open = async (secret: string, old?: string) => {
    const erasures = new Erasures(
      { ...shop.core, dataDir },
      {
        secret,
        box: boxOf(secret),
        oldBox: old === undefined ? undefined : boxOf(old),
      },
    )
    await erasures.applyNoted()
    return erasures
  }
  const first = await open('one')
  const { job } = await first.request(await shop.idOf('u-canary-7731'), { reason: 'r', by: 'p1' })
  await shop.finish(job.id)
  await expect(open('two')).rejects.toThrow('another secret')
  await open('two', 'one')
  const later = await open('two')
  expect(await later.suppression.find(database.db, 'phone', '13900007731')).toBeDefined()
  expect(await shop.core.send({ type: 'identify', ...person })).toMatchObject({ accepted: 0 })
})

async function openShop(engine: 'sqlite' | 'postgres') {
  const core = await createTestCore({ engine })
  const db = core.database.db as unknown as Kysely<any>
  const undo = await declare(core, [complaints])
  await core.send(
    { type: 'identify', userId: 'u2', traits: { phone: '13811112222', name: '李四' } },
    { type: 'identify', userId: 'u3', traits: { email: 'three@example.cn' } },
    { type: 'track', event: 'order.paid', userId: 'u2', properties: { total: 3 } },
    { type: 'track', event: 'page.viewed', anonymousId: 'anon-7731-canary' },
    { type: 'identify', anonymousId: 'anon-7731-canary', ...person },
    {
      type: 'track',
      event: 'order.paid',
      userId: 'u-canary-7731',
      properties: { total: 9, receiver: person.traits },
    },
    { type: 'alias', userId: 'u-canary-7731', previousId: 'u-canary-old-7731' },
  )
  await core.settle()
  const idOf = async (value: string) => {
    const row = await core.database.db
      .selectFrom('identifiers')
      .select(['customer_id', 'value'])
      .execute()
      .then((rows) => rows.find((each) => each.value === value))
    return row?.customer_id ?? -1
  }
  const canary = await idOf('u-canary-7731')
  const by = 'person:p1' as const
  const about = await core.collections.insert(
    complaintId,
    { subject: 'Late', customer: canary, note: 'x' },
    { by },
  )
  await core.collections.update(complaintId, about.id, { data: { note: 'call 13900007731' }, by })
  // Deleted long before: what it was is still there to be brought back.
  const former = await core.collections.insert(
    complaintId,
    { subject: 'Lost', customer: canary, note: 'call 13900007731' },
    { by },
  )
  await core.collections.delete(complaintId, [former.id], { by })
  await core.collections.insert(
    complaintId,
    { subject: 'Friend of 13900007731', customer: await idOf('u2') },
    { by },
  )
  const stop = new AbortController()
  const running = core.jobs.run(stop.signal)
  const finish = async (id: string) => {
    const job = await core.jobs.finished(id)
    expect(job).toMatchObject({ state: 'done', error: null })
  }
  return {
    core,
    db,
    idOf,
    finish,
    async finishAll() {
      for (const job of await core.jobs.list(50)) if (job.kind === 'customers.erase') await finish(job.id)
    },
    idsOf: async (id: number): Promise<number[]> =>
      (await db.selectFrom('identifiers').select('id').where('customer_id', '=', id).execute()).map(
        (row) => row.id,
      ),
    numbers: async (id: string): Promise<number[]> =>
      JSON.parse(
        (await db.selectFrom('erasures').select('ids').where('id', '=', id).executeTakeFirstOrThrow()).ids,
      ),
    profiles: () => core.database.db.selectFrom('profiles').selectAll().orderBy('customer_id').execute(),
    async [Symbol.asyncDispose]() {
      stop.abort()
      await running
      undo()
      await core[Symbol.asyncDispose]()
    },
  }
}

const GENERATED = /^(sqlite_|huitou_migrations_|c_.*_search)/

interface Column {
  name: string
  type: string
  generated: boolean
}

/** Every table with its columns, as the database itself tells them. */
async function readSchema(db: Kysely<any>): Promise<Map<string, Column[]>> {
  const tables = await db.introspection.getTables()
  return new Map(
    tables
      .filter(({ name }) => !GENERATED.test(name))
      .map(({ name, columns }) => [
        name,
        columns.map((column) => ({
          name: column.name,
          type: column.dataType.toLowerCase(),
          generated: column.isAutoIncrementing,
        })),
      ]),
  )
}

let serial = 900_000

/** A row about the customer in every table that may hold one; a table that nobody has thought of fails the test. */
async function plantEverywhere(
  db: Kysely<any>,
  { id, ids, mark }: { id: number; ids: number[]; mark: string },
): Promise<void> {
  const schema = await readSchema(db)
  const parents = new Map<string, Record<string, unknown>>()
  const later = [...schema].toSorted(([a], [b]) => Number(a in HANGS_ON) - Number(b in HANGS_ON))
  const unknown: string[] = []
  for (const [table, columns] of later) {
    if (FOLDED.has(table) || table in NO_CUSTOMERS || /^c_/.test(table)) continue
    const hangs = HANGS_ON[table]
    const owned = columns.some(({ name }) => name === 'customer_id')
    if (!hangs && !owned && !(table in MAY_NAME)) {
      unknown.push(table)
      continue
    }
    if (table.startsWith('profile') && table !== 'profile_changes') continue
    const row: Record<string, unknown> = Object.fromEntries(
      columns
        .filter(({ generated }) => !generated)
        .map(({ name, type, generated }) => [
          name,
          valueFor({
            name,
            type,
            generated,
            table,
            mark: MAY_NAME[table]?.includes(name) === false ? 'x' : mark,
          }),
        ]),
    )
    if (owned) row['customer_id'] = ids.at(-1) ?? id
    if (hangs) row[hangs[0]] = parents.get(hangs[1])?.[hangs[2]]
    parents.set(table, (await db.insertInto(table).values(row).returningAll().executeTakeFirst()) ?? row)
  }
  expect(unknown, 'tables that an erasure neither reaches nor may leave alone: see rights/').toEqual([])
}

function valueFor({ name, type, table, mark }: Column & { table: string; mark: string }): unknown {
  const number = ++serial
  if (/int|double|real|numeric/.test(type)) return number
  if (/bytea|blob/.test(type)) return Buffer.from('x')
  if (table === 'segments' && name === 'rule')
    return JSON.stringify({ all: [{ column: 't_email', op: 'is', value: mark }] })
  const isJson =
    type === 'json' ||
    /^(facts|mapping|dry_run|result|error|payload|progress|value|before|change|data|rule|display|outcomes|details|context|alternatives|content|receipt|shown_content|choice|columns|state)$/.test(
      name,
    )
  if (name === 'state' && !['profile_states'].includes(table)) return `planted-${number}`
  if (isJson)
    return JSON.stringify({ sample: [[`${mark}`, '金丝雀', number]], said: `by ${mark}, ${number}` })
  return `${mark} ${number}`
}

type Dump = { table: string; row: Record<string, unknown>; text: string }[]

async function dump(db: Kysely<any>): Promise<Dump> {
  const rows: Dump = []
  for (const table of (await readSchema(db)).keys())
    for (const row of (await db.selectFrom(table).selectAll().execute()) as Record<string, unknown>[]) {
      // Counted, and counted again without the customer.
      const { member_count: _, ...rest } = row
      rows.push({ table, row, text: `${table} ${JSON.stringify(rest)}` })
    }
  return rows
}

function rowsWith(rows: Dump, marks: readonly string[]): string[] {
  return rows.filter(({ text }) => marks.some((mark) => text.includes(mark))).map(({ text }) => text)
}

function rowsOfCustomer(rows: Dump, ids: number[]): string[] {
  return rows
    .filter(({ table, row }) => table !== 'erasures' && ids.includes(Number(row['customer_id'])))
    .map(({ text }) => text)
}

/** Rows about others that are not what they were. */
function othersLost(
  before: Dump,
  after: Dump,
  { marks, ids }: { marks: readonly string[]; ids: readonly number[] },
): string[] {
  const kept = new Set(after.map(({ text }) => text))
  const changing = new Set(['cursors', 'jobs'])
  const theirs = ({ table, row, text }: Dump[number]) =>
    marks.some((mark) => text.includes(mark)) ||
    [row['customer_id'], row['a'], row['b']].some((number) => ids.includes(Number(number))) ||
    (table === 'collection_history' && text.includes(`p_customer\\":${ids[0]},`))
  return before
    .filter((each) => !theirs(each) && !changing.has(each.table) && !kept.has(each.text))
    .map(({ text }) => text)
}

function holdsAny(text: string): boolean {
  return MARKS.some((mark) => text.includes(mark))
}

async function plantFiles(dataDir: string): Promise<string[]> {
  await mkdir(path.join(dataDir, 'imports'), { recursive: true })
  await mkdir(path.join(dataDir, 'record-imports'), { recursive: true })
  const { problems } = importFiles(dataDir, 'planted')
  await writeFile(problems, '\uFEFFrow,phone\n1,13811112222\n2,"+8613900007731"\n3,"a, 13900007731"\n')
  const record = (name: string) => path.join(dataDir, 'record-imports', name)
  const sheet = strToU8('<c><v>13900007731</v></c>'.padStart(100_000))
  await writeFile(record('workbook'), zipSync({ 'xl/worksheets/sheet1.xml': sheet }))
  await writeFile(record('packed'), gzipSync(strToU8('phone\n13900007731\n')))
  await writeFile(record('utf16'), Buffer.from('\uFEFFphone\n13900007731\n', 'utf16le'))
  await writeFile(record('broken'), Buffer.from('PK\u0003\u0004 nobody can read this'))
  await writeFile(record('other'), 'phone\n13811112222\n')
  return [problems, record('other')]
}
