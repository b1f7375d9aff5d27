import { createTestCore, engines, type TestCore } from '@huitou/testing'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { transact } from '../db/database.ts'
import { audit } from './audit.ts'
import { verifyAuditLog } from './audit-chain.ts'
import { listAudit, listAuditActions } from './audit-queries.ts'

describe.each(engines)('the audit log on %s', (engine) => {
  let core: TestCore
  const write = (action: string, userId = 'anna') =>
    audit(core.database.db, core.clock, { userId, action, subject: 'thing', details: { n: 1 } })
  const raw = (statement: string) => sql.raw(statement).execute(core.database.db)

  beforeAll(async () => {
    core = await createTestCore({ engine })
    // Side by side, and one that is taken back: neither may break the chain.
    await Promise.all(Array.from({ length: 20 }, (_, index) => write('plugin.enable', `person ${index % 3}`)))
    await transact(core.database.db, async (tx) => {
      await audit(tx, core.clock, { userId: 'anna', action: 'never', subject: 'thing' })
      throw new Error('taken back')
    }).catch(() => {})
    core.clock.advance(3_600_000)
    await write('plugins.sweep')
    await write('plugin.disable')
  })

  afterAll(async () => {
    await core[Symbol.asyncDispose]()
  })

  test('holds every entry that stands, in one unbroken chain', async () => {
    expect(await verifyAuditLog(core.database.db)).toMatchObject({ ok: true, entries: 22, missing: 0 })
    expect(await listAuditActions(core.database.db)).toEqual([
      'plugin.disable',
      'plugin.enable',
      'plugins.sweep',
    ])
  })

  test('is read by person, action and time, a page at a time', async () => {
    const { db } = core.database
    const page = await listAudit(db, { action: 'plugin', limit: 5 })
    expect(page.entries.map(({ action }) => action)).toEqual([
      'plugin.disable',
      ...Array(4).fill('plugin.enable'),
    ])
    const rest = await listAudit(db, { action: 'plugin', before: page.next, limit: 100 })
    expect(rest.entries).toHaveLength(16)
    expect(rest.next).toBeUndefined()
    expect((await listAudit(db, { user: 'person 1', limit: 100 })).entries).toHaveLength(7)
    expect((await listAudit(db, { from: core.clock.now(), limit: 100 })).entries).toHaveLength(2)
    expect((await listAudit(db, { until: core.clock.now(), limit: 100 })).entries).toHaveLength(20)
  })

  test('refuses to be changed or shortened', async () => {
    const statements = ["update audit_log set subject = 'x'", 'delete from audit_log where id = 1']
    if (engine === 'postgres') statements.push('truncate audit_log')
    for (const statement of statements) await expect(raw(statement)).rejects.toThrow('append only')
  })

  test('tells when somebody changed it past its guards', async () => {
    const triggers =
      engine === 'sqlite'
        ? ['drop trigger audit_log_no_update', 'drop trigger audit_log_no_delete']
        : ['alter table audit_log disable trigger all']
    for (const statement of triggers) await raw(statement)
    const { db } = core.database
    const third = (await db.selectFrom('audit_log').selectAll().orderBy('id').limit(3).execute()).at(-1)!
    await raw(`update audit_log set user_id = 'somebody else' where id = ${third.id}`)
    expect(await verifyAuditLog(db)).toMatchObject({ ok: false, brokenAt: third.id })
    await raw(`update audit_log set user_id = '${third.user_id}' where id = ${third.id}`)
    expect(await verifyAuditLog(db)).toMatchObject({ ok: true })
    await raw('delete from audit_log where id = (select max(id) from audit_log)')
    expect(await verifyAuditLog(db)).toMatchObject({ ok: false, missing: 1, brokenAt: null })
  })
})
