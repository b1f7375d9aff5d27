import type { EventTypeContribution, ProblemChoice, RowProblem, SourceEvent, Texts } from '@huitou/plugin-api'
import type { EventBody, NewEvent } from '../events/normalize.ts'
import { type Identifier, identifiersOf } from '../identity/identifiers.ts'
import { toTexts } from './row-problems.ts'

/** What an import would do, found by converting every row and writing nothing. */
export interface DryRun {
  /** Rows below the headings. */
  rows: number
  /** Rows that belong together count once: orders. Those of which no row is imported do not count. */
  groups: number
  /** Number of events by name. */
  events: Record<string, number>
  /** Events that the log has already; importing them again changes nothing. */
  known: number
  /** Different people that the events name. */
  customers: number
  /** Those of them that no customer is known by yet. */
  newCustomers: number
  /** Sums of the events' values by event name and currency, decimal. */
  values: Record<string, Record<string, string>>
  firstAt: number | null
  lastAt: number | null
  problemRows: number
  problems: ProblemSummary[]
  /** What the first rows turn into. */
  preview: Record<string, unknown>[]
}

export interface ProblemSummary {
  code: string
  message: Texts
  count: number
  outcome: RowProblem['outcome']
  /** What may be done about it, the default first: each sets options of the mapping. */
  choices: (ProblemChoice & { title: Texts })[]
  example: { row: number; value: string | null; column: string | null }
  examples: { row: number; value: string | null; column: string | null }[]
}

const EXAMPLES = 5
/** Fixed point of sums: six decimals hold every currency and every price list. */
const SCALE = 6

/** Adds up a dry run chunk by chunk. */
export class DryRunTally {
  rows = 0
  groups = 0
  known = 0
  readonly #events: Record<string, number> = {}
  readonly #problems = new Map<string, ProblemSummary>()
  readonly #sums = new Map<string, Map<string, bigint>>()
  readonly #valueOf: (name: string) => string | undefined
  #problemRows = 0
  #firstAt: number | null = null
  #lastAt: number | null = null

  constructor(eventTypes: readonly EventTypeContribution[]) {
    const values = new Map<string, string>()
    for (const { name, aliases = [], value } of eventTypes) {
      if (value) for (const spelling of [name, ...aliases]) values.set(spelling, value)
    }
    this.#valueOf = (name) => values.get(name)
  }

  /**
   * Counts events, each with what it was made of, and returns what each person among them goes by, under the name
   * that the file gives them.
   */
  addEvents(events: readonly NewEvent[], sources: readonly SourceEvent[]): Map<string, Identifier[]> {
    const people = new Map<string, Identifier[]>()
    const seen = new Set<string>()
    for (const [index, { name, type, ts }] of events.entries()) {
      const label = name ?? type
      this.#events[label] = (this.#events[label] ?? 0) + 1
      if (this.#firstAt === null || ts < this.#firstAt) this.#firstAt = ts
      if (this.#lastAt === null || ts > this.#lastAt) this.#lastAt = ts
      const event = sources[index]!
      this.#addValue(label, event)
      const { userId, anonymousId, externalIds, traits } = event
      const id = userId ?? externalIds?.[0]?.id ?? anonymousId
      // The events of an order name the same person; only traits say more.
      const names = traits ? undefined : JSON.stringify([userId, anonymousId, externalIds])
      if (id === undefined || (names !== undefined && seen.has(names))) continue
      if (names !== undefined) seen.add(names)
      people.set(id, [...(people.get(id) ?? []), ...identifiersOf(type, event)])
    }
    return people
  }

  addProblems(problems: readonly RowProblem[]): void {
    const skipped = new Set<number>()
    for (const { row, code, message, outcome, choices, value = null, column = null } of problems) {
      if (outcome === 'skipped') skipped.add(row)
      const example = { row, value, column }
      const key = `${code} ${outcome}`
      const summary = this.#problems.get(key)
      if (!summary)
        this.#problems.set(key, {
          code,
          message: toTexts(message),
          count: 1,
          outcome,
          choices: (choices ?? []).map(({ title, options }) => ({ title: toTexts(title), options })),
          example,
          examples: [example],
        })
      else {
        summary.count++
        if (summary.examples.length < EXAMPLES) summary.examples.push(example)
      }
    }
    this.#problemRows += skipped.size
  }

  /** A problem that `count` rows share. */
  addProblem(problem: RowProblem, count: number): void {
    this.addProblems([problem])
    const summary = this.#problems.get(`${problem.code} ${problem.outcome}`)
    if (summary) summary.count += count - 1
    if (problem.outcome === 'skipped') this.#problemRows += count - 1
  }

  finish(rest: { customers: number; newCustomers: number; preview: Record<string, unknown>[] }): DryRun {
    return {
      rows: this.rows,
      groups: this.groups,
      events: this.#events,
      known: this.known,
      values: Object.fromEntries(
        [...this.#sums].map(([name, sums]) => [
          name,
          Object.fromEntries([...sums].map(([currency, sum]) => [currency, toDecimal(sum)])),
        ]),
      ),
      firstAt: this.#firstAt,
      lastAt: this.#lastAt,
      problemRows: this.#problemRows,
      problems: [...this.#problems.values()].toSorted((a, b) => b.count - a.count),
      ...rest,
    }
  }

  #addValue(name: string, { properties }: SourceEvent): void {
    const property = this.#valueOf(name)
    const scaled = property === undefined ? undefined : toScaled(properties?.[property])
    if (scaled === undefined) return
    const currency = typeof properties?.['currency'] === 'string' ? properties['currency'] : ''
    const sums = this.#sums.get(name) ?? new Map<string, bigint>()
    sums.set(currency, (sums.get(currency) ?? 0n) + scaled)
    this.#sums.set(name, sums)
  }
}

/** One line about an event for the preview: what happened, when, to whom, and its plain properties. */
export function previewOf(row: number, { name, type, ts, body: json }: NewEvent): Record<string, unknown> {
  const body = JSON.parse(json) as EventBody
  const plain = Object.entries({ ...body.traits, ...body.properties }).filter(([, value]) =>
    ['string', 'number', 'boolean'].includes(typeof value),
  )
  return {
    row,
    event: name ?? type,
    timestamp: ts,
    user: body.userId ?? body.externalIds?.[0]?.id ?? body.anonymousId ?? null,
    ...Object.fromEntries(plain.slice(0, 20)),
  }
}

function toScaled(value: unknown): bigint | undefined {
  const text = typeof value === 'number' ? value.toFixed(SCALE) : value
  if (typeof text !== 'string') return undefined
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text)
  if (!match) return undefined
  const digits = BigInt(`${match[2]}${(match[3] ?? '').slice(0, SCALE).padEnd(SCALE, '0')}`)
  return match[1] === '-' ? -digits : digits
}

function toDecimal(scaled: bigint): string {
  const digits = (scaled < 0n ? -scaled : scaled).toString().padStart(SCALE + 1, '0')
  const fraction = digits.slice(-SCALE).replace(/0+$/, '')
  return `${scaled < 0n ? '-' : ''}${digits.slice(0, -SCALE)}.${fraction.padEnd(2, '0')}`
}
