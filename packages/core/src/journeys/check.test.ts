import { describe, expect, test } from 'vitest'
import { createPoints } from '../points/points.ts'
import { addRecordingChannel } from '../../test/recording-channel.ts'
import { businessDaysIn } from '../days.ts'
import { Vault } from '../people/vault.ts'
import type { RuleScope } from '../segments/compile.ts'
import { isWorkingDay, lunarBirthdays, nextFestival, nextTimeOfDay, solarBirthdays } from './calendar.ts'
import { checkDefinition } from './check.ts'
import { parseDefinition } from './parse-definition.ts'

const points = createPoints()
addRecordingChannel(points)
const scope: RuleScope = {
  engine: 'sqlite',
  vault: new Vault(),
  columns: new Map(),
  segments: new Map(),
  days: businessDaysIn('Asia/Shanghai'),
  today: 0,
}
const base = { trigger: { type: 'event', event: 'visit' }, start: 'a' }
const mistakes = (definition: object) =>
  checkDefinition(parseDefinition({ ...base, ...definition }), { scope, points }).map(
    ({ code, path }) => `${code} ${path}`,
  )
const wait = (next?: string) => ({ type: 'wait', for: { hours: 1 }, ...(next ? { next } : {}) })
const tag = (next?: string) => ({ type: 'tag', tag: 't', ...(next ? { next } : {}) })

describe('a journey that cannot be published says why', () => {
  test.each([
    ['a step that is not there', { nodes: { a: wait('b') } }, ['unknown_node nodes.a']],
    [
      'a beginning that is not there',
      { start: 'x', nodes: { a: wait() } },
      ['unknown_node start', 'unreachable nodes.a'],
    ],
    ['a step that nothing leads to', { nodes: { a: wait(), b: wait() } }, ['unreachable nodes.b']],
    ['a loop without a wait', { nodes: { a: tag('b'), b: tag('a') } }, ['loop_without_wait nodes.a']],
    ['a loop that waits is none', { nodes: { a: tag('b'), b: wait('a') } }, []],
    [
      'a variable that can have no value',
      {
        trigger: { type: 'schedule', cron: '0 9 * * *' },
        nodes: {
          a: {
            type: 'send',
            channel: 'test.channel/sms',
            content: { t: '{{event.id}} {{customer.t_x}} {{event.y | default: "-"}}' },
          },
        },
      },
      ['missing_variable nodes.a.content.t', 'missing_variable nodes.a.content.t'],
    ],
    [
      'a channel that is not there',
      { nodes: { a: { type: 'send', channel: 'no/channel', content: {} } } },
      ['unknown_channel nodes.a.channel'],
    ],
    [
      'a column that is not there',
      { nodes: { a: { type: 'branch', cases: [{ rule: { all: [{ column: 'x', op: 'is', value: 1 }] } }] } } },
      ['bad_rule nodes.a.cases.0.rule'],
    ],
    [
      'a schedule that is none',
      { trigger: { type: 'schedule', cron: '99 9 * * *' }, nodes: { a: wait() } },
      ['bad_schedule trigger'],
    ],
    [
      'a segment that is not there',
      { trigger: { type: 'segment', segment: 's' }, nodes: { a: wait() } },
      ['unknown_segment trigger.segment'],
    ],
  ] as const)('%s', (_, definition, expected) => {
    expect(mistakes(definition)).toEqual(expected)
  })

  test('what is no journey at all is refused with the place', () => {
    expect(() => parseDefinition({ ...base, nodes: { a: { type: 'dance' } } })).toThrow(/nodes\.a/)
    expect(() => parseDefinition({ ...base, nodes: { a: { type: 'wait', for: {} } } })).toThrow(
      /nodes\.a\.for/,
    )
  })

  test('a long way without a loop is found to have none, and quickly', () => {
    const nodes = Object.fromEntries(
      Array.from({ length: 2_000 }, (_, index) => [
        `n${index}`,
        tag(index < 1_999 ? `n${index + 1}` : undefined),
      ]),
    )
    expect(mistakes({ start: 'n0', nodes })).toEqual([])
  })
})

describe('the calendar', () => {
  const date = (text: string) => Temporal.PlainDate.from(text)
  test.each([
    ['2026-10-01', false],
    ['2026-10-10', true],
    ['2026-11-21', false],
    ['2026-11-23', true],
  ])('%s is a working day: %s', (day, expected) => expect(isWorkingDay(date(day))).toBe(expected))

  test('the next ten o’clock of a working day after the holidays', () => {
    const from = Date.parse('2026-09-30T18:00:00+08:00')
    const next = nextTimeOfDay({ time: '10:00', workingDays: true }, 'Asia/Shanghai', from)
    expect(new Date(next).toISOString()).toBe('2026-10-08T02:00:00.000Z')
  })

  test('the wall’s time counts when a zone changes its offset', () => {
    const from = Date.parse('2026-03-28T12:00:00Z')
    const next = nextTimeOfDay({ time: '09:00' }, 'Europe/Berlin', from)
    expect(new Date(next).toISOString()).toBe('2026-03-29T07:00:00.000Z')
  })

  test('festivals move with the moon', () => {
    const next = (name: string) => nextFestival(name, date('2026-11-21')).toString()
    expect([next('spring_festival'), next('mid_autumn'), next('mothers_day'), next('double_twelve')]).toEqual(
      ['2027-02-06', '2027-09-15', '2027-05-09', '2026-12-12'],
    )
  })

  test('a leap day’s birthday is the last of February; a lunar one is met on its own day only', () => {
    expect(solarBirthdays(date('2027-02-28'))).toEqual(['02-28', '02-29'])
    expect(solarBirthdays(date('2028-02-28'))).toEqual(['02-28'])
    // Mid-autumn 2026; in 1990 it was 3 October.
    expect(lunarBirthdays(date('2026-09-25'))).toContain('1990-10-03')
    expect(lunarBirthdays(date('2026-09-26'))).not.toContain('1990-10-03')
  })
})
