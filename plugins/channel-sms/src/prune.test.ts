import { createTestCore, engines } from '@huitou/testing'
import { coreCollection } from '@huitou/testing/core-collection'
import { memoryCollection } from '@huitou/testing/memory-collection'
import { describe, expect, test } from 'vitest'
import manifest from '../package.json' with { type: 'json' }
import type { LoggedSms } from './message-log.ts'
import { createPruning } from './prune.ts'
import type { PruneSettings } from './prune.ts'

const day = 86_400_000
const noon = Date.UTC(2026, 2, 1, 4)
const silent = { info() {}, warn() {}, error() {} }
const [declaration] = manifest.contributes.collections

describe.each(engines)('the log on %s', (engine) => {
  test('keeps what is neither too old nor too much, and looks once an hour', async () => {
    await using core = await createTestCore({ engine })
    const log = await coreCollection<LoggedSms>(core, 'huitou.channel-sms', declaration as never)
    const warnings: string[] = []
    const settings: PruneSettings = {}
    const prune = createPruning({
      log,
      huitou: { settings, log: { ...silent, warn: (text) => warnings.push(text) } },
    })
    const send = async (key: string, daysAgo = 0) => {
      const at = new Date(core.clock.now() - daysAgo * day).toISOString()
      await log.insert({ provider: 'aliyun', key, phone: '+8613800000001', at, outcome: 'sent' })
    }
    const left = async () => {
      await prune(core.clock.now())
      return (await log.find()).records.map(({ data }) => data.key).toSorted()
    }
    // Not in the order of their age: what was asked for later may be noted first.
    for (const [key, daysAgo] of [
      ['b', 200],
      ['a', 367],
      ['d', 0],
      ['c', 30],
    ] as const)
      await send(key, daysAgo)
    expect(await left()).toEqual(['b', 'c', 'd'])
    core.clock.advance(166 * day)
    expect(await left()).toEqual(['b', 'c', 'd'])
    core.clock.advance(day)
    expect(await left()).toEqual(['c', 'd'])

    settings.keepDays = 183
    expect(await left()).toEqual(['c', 'd'])
    core.clock.advance(3_600_000)
    expect(await left()).toEqual(['d'])
    expect(warnings).toEqual([])

    settings.keepAtMost = 2
    for (const key of ['e', 'f', 'g']) await send(key)
    core.clock.advance(3_600_000)
    expect(await left()).toEqual(['f', 'g'])
    expect(warnings).toHaveLength(1)
  })
})

test('a long backlog goes bit by bit, a minute after the other', async () => {
  let now = noon
  const log = memoryCollection<LoggedSms>({ now: () => now })
  const prune = createPruning({ log, huitou: { settings: {}, log: silent } })
  const at = new Date(now - 400 * day).toISOString()
  for (let n = 0; n < 205; n++) await log.insert({ provider: 'aliyun', key: `${n}`, phone: '+86', at })
  await Promise.all([prune(now), prune(now)])
  expect(await log.count()).toBe(5)
  now += 60_000
  await prune(now)
  expect(await log.count()).toBe(0)
})

test('a log that cannot be read is told of, and fails nothing', async () => {
  const warnings: string[] = []
  const log = {
    ...memoryCollection<LoggedSms>({ now: () => noon }),
    count: () => Promise.reject(new Error('away')),
  }
  const prune = createPruning({
    log,
    huitou: { settings: {}, log: { ...silent, warn: (text) => warnings.push(text) } },
  })
  await prune(noon)
  expect(warnings).toHaveLength(1)
})
