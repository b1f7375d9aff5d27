import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { createTestCore, engines } from '@huitou/testing'
import { describe, expect, test } from 'vitest'
import { acknowledge, listAlerts } from './alerts.ts'
import { StageHealth } from './stage-health.ts'
import { AlertSettings, writeAlertSettings } from './thresholds.ts'
import { Watch } from './watch.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

describe.each(engines)('on %s', (engine) => {
  test('an alert is raised once, acknowledged by somebody, over by itself, and raised anew', async () => {
    await using core = await createTestCore({ engine })
    const { db } = core.database
    const watch = core.watch
    let changes = 0
    watch.onChange(() => changes++)
    expect((await watch.look()).raised).toEqual([])

    await core.send({ type: 'track', event: 'Tea Poured', userId: 'a' })
    core.clock.advance(10 * MINUTE)
    const { raised } = await watch.look()
    expect(raised).toMatchObject([
      { kind: 'stage_lag', subject: 'profiles', severity: 'warning', resolvedAt: null },
    ])
    expect(raised[0]?.title).toEqual({
      en: 'Events are 10 min behind (1 waiting)',
      'zh-CN': '事件处理落后 10 分钟（1 条等待）',
    })
    core.clock.advance(MINUTE)
    expect((await watch.look()).raised).toEqual([])
    expect(await listAlerts(db, { state: 'open', limit: 10 })).toMatchObject([
      { title: { en: 'Events are 11 min behind (1 waiting)' }, acknowledgedAt: null },
    ])

    const id = raised[0]?.id ?? 0
    const seen = await acknowledge(db, id, { by: 'Lan', note: 'on it', now: core.clock.now() })
    expect(seen).toMatchObject({ acknowledgedBy: 'Lan', note: 'on it', resolvedAt: null })
    const again = await acknowledge(db, id, { by: 'Mei', note: null, now: core.clock.now() })
    expect(again.acknowledgedBy).toBe('Lan')

    await core.settle()
    expect((await watch.look()).resolved).toMatchObject([{ kind: 'stage_lag' }])
    expect(await listAlerts(db, { state: 'open', limit: 10 })).toEqual([])
    expect(await listAlerts(db, { state: 'resolved', limit: 10 })).toMatchObject([{ id }])
    expect(changes).toBe(2)

    await core.send({ type: 'track', event: 'Tea Poured', userId: 'b' })
    core.clock.advance(10 * MINUTE)
    expect((await watch.look()).raised).toMatchObject([
      { kind: 'stage_lag', subject: 'profiles', acknowledgedAt: null },
      { kind: 'stage_lag', subject: 'consents' },
    ])
  })

  test('events that stay away are missed where they are usual, and where they are not nobody is called', async () => {
    await using core = await createTestCore({ engine, now: '2026-03-01T12:05:00+08:00' })
    const send = (hour: number) =>
      core.send(
        ...Array.from({ length: 30 }, (_, index) => ({
          type: 'track',
          event: 'Tea Poured',
          userId: 'a',
          messageId: `${hour}-${index}`,
        })),
      )
    // A day on which events come from 12 to 17 o'clock, and none at night.
    await core.watch.look()
    for (let hour = 0; hour < 24; hour++) {
      if (hour < 6) await send(hour)
      await core.settle()
      expect((await core.watch.look()).raised).toEqual([])
      core.clock.advance(HOUR)
    }
    // The next noon they come, and then no more.
    await send(24)
    await core.settle()
    expect((await core.watch.look()).raised).toEqual([])
    core.clock.advance(HOUR)
    expect((await core.watch.look()).raised).toEqual([])
    core.clock.advance(HOUR)
    expect((await core.watch.look()).raised).toMatchObject([{ kind: 'ingest_silent', severity: 'critical' }])
    await send(26)
    await core.settle()
    expect((await core.watch.look()).resolved).toMatchObject([{ kind: 'ingest_silent' }])
  })

  test('what fails, waits or is spent is found in the database', async () => {
    await using core = await createTestCore({ engine })
    const { db } = core.database
    const now = core.clock.now()
    await db
      .insertInto('channel_accounts')
      .values({
        id: 'a',
        channel: 'huitou.channel-sms/message',
        name: 'Main',
        settings: '{}',
        active: 1,
        failures: 5,
        open_until: now + HOUR,
        created_at: now,
        updated_at: now,
      })
      .execute()
    await db
      .insertInto('sign_in_attempts')
      .values({ key: 'account:x', failures: 60, since: now - MINUTE, blocked_until: now })
      .execute()
    const job = await core.jobs.enqueue({ kind: 'backup', title: 'Backup' })
    await db
      .updateTable('jobs')
      .set({ state: 'failed', finished_at: now, error: '{"code":"E_DISK_FULL","message":"full"}' })
      .where('id', '=', job.id)
      .execute()
    core.watch.surround(async () => ({
      backupsPlanned: true,
      plugins: [{ id: 'acme.tea', state: 'quarantined' }],
    }))
    const found = (await core.watch.look()).raised.map(({ kind, subject }) => `${kind} ${subject}`.trim())
    expect(found.toSorted()).toEqual([
      'backup_failed',
      'channel_open a',
      'plugin_down acme.tea',
      'sign_ins_failing',
    ])
    // A later one that worked is the end of it, and a long time without any is another.
    await db.updateTable('jobs').set({ state: 'done', error: null }).where('id', '=', job.id).execute()
    core.clock.advance(40 * HOUR)
    const next = await core.watch.look()
    expect(next.raised.map(({ kind }) => kind)).toEqual(['backup_missing'])
    expect(next.resolved.map(({ kind }) => kind).toSorted()).toEqual([
      'backup_failed',
      'channel_open',
      'sign_ins_failing',
    ])
  })
})

test('a stage that fails is named, a clock that was set is noticed, and an address of the owner is told', async () => {
  await using core = await createTestCore()
  const told: unknown[] = []
  const server = createServer((request, answer) => {
    void json(request).then((body) => told.push(body))
    answer.end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const webhook = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  await writeAlertSettings(
    core.database.db,
    AlertSettings.parse({ thresholds: {}, webhook, muted: ['disk_full'] }),
  )

  let wall = 0
  let steady = 0
  const health = new StageHealth(() => steady)
  const [broken] = health.watch([
    {
      name: 'segments',
      advance: async () => {
        throw new Error('no')
      },
    },
  ])
  await expect(broken?.advance()).rejects.toThrow('no')
  const watch = new Watch({ ...core, health }, { wall: () => wall, steady: () => steady })
  // The demo shop's time is no time that a stage took.
  core.clock.advance(2 * MINUTE)
  expect((await watch.look()).raised).toEqual([])
  wall = steady = 2 * MINUTE
  const first = await watch.look()
  expect(first.raised).toMatchObject([{ kind: 'stage_failing', subject: 'segments', severity: 'critical' }])
  wall += MINUTE - 2 * HOUR
  steady += MINUTE
  expect((await watch.look()).raised).toMatchObject([
    { kind: 'clock_jumped', title: { en: 'The server’s clock was set back by 7200 s' } },
  ])
  await watch.tell()
  // It stays for an hour, so that somebody can read of it.
  core.clock.advance(MINUTE)
  wall += MINUTE
  steady += MINUTE
  expect((await watch.look()).resolved).toEqual([])
  core.clock.advance(2 * HOUR)
  wall += 2 * HOUR
  steady += 2 * HOUR
  expect((await watch.look()).resolved).toMatchObject([{ kind: 'clock_jumped' }])
  await watch.tell()
  expect(told).toHaveLength(3)
  expect(told[0]).toMatchObject({
    state: 'raised',
    kind: 'stage_failing',
    text: expect.stringContaining('人群') as string,
  })
  server.close()
})
