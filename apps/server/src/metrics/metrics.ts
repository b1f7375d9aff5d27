import { DeliveryTally, type EventsTaken, type Figures, readFigures } from '@huitou/core'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Answered } from '../http/front-door.ts'
import type { Huitou } from '../open-huitou.ts'

/** Of values that others name, so many are told apart; what comes later is `other`. */
const NAMES = 100

const STATES = ['disabled', 'enabled', 'activating', 'active', 'failed', 'quarantined'] as const

/**
 * Figures of this process and of the database for Prometheus. Labels are names of routes, stages, states, channels and
 * plugins, never of anybody, and each takes a limited number of values.
 */
export class Metrics {
  readonly #registry = new Registry()
  readonly #huitou: Huitou
  readonly #tally: DeliveryTally
  readonly #names = new Map<string, Set<string>>()
  readonly #http: { total: Counter; seconds: Histogram }
  readonly #events: Counter
  readonly #deliveries: Counter
  readonly #refusals: Counter

  constructor(huitou: Huitou, version: string) {
    this.#huitou = huitou
    this.#tally = new DeliveryTally(huitou.core.database)
    const registers = [this.#registry]
    collectDefaultMetrics({ register: this.#registry, prefix: 'huitou_' })
    const info = new Gauge({
      name: 'huitou_info',
      help: 'Version of this process',
      labelNames: ['version', 'engine'],
      registers,
    })
    info.set({ version, engine: huitou.core.database.engine }, 1)
    this.#http = {
      total: new Counter({
        name: 'huitou_http_requests_total',
        help: 'Requests answered by this process',
        labelNames: ['method', 'route', 'status'],
        registers,
      }),
      seconds: new Histogram({
        name: 'huitou_http_request_seconds',
        help: 'Time until an answer was complete',
        labelNames: ['method', 'route'],
        buckets: [0.005, 0.02, 0.05, 0.1, 0.3, 1, 3, 10, 30],
        registers,
      }),
    }
    this.#events = new Counter({
      name: 'huitou_ingest_events_total',
      help: 'Events that came to this process',
      labelNames: ['outcome'],
      registers,
    })
    this.#deliveries = new Counter({
      name: 'huitou_delivery_steps_total',
      help: 'What happened to messages and actions, on all nodes, since this process started',
      labelNames: ['kind'],
      registers,
    })
    this.#refusals = new Counter({
      name: 'huitou_guard_refusals_total',
      help: 'Messages that a guard refused, by reason, on all nodes, since this process started',
      labelNames: ['reason'],
      registers,
    })
    this.#defineGauges()
  }

  answered({ method, route, status, ms }: Answered): void {
    const labels = { method: this.#bounded('method', method), route: this.#bounded('route', route, 500) }
    this.#http.total.inc({ ...labels, status: String(status) })
    // A stream lasts as long as its page is open; that is no time anybody waited.
    if (route !== '/api/live') this.#http.seconds.observe(labels, ms / 1_000)
  }

  taken({ accepted, duplicates, rejected }: EventsTaken): void {
    this.#events.inc({ outcome: 'accepted' }, accepted)
    this.#events.inc({ outcome: 'duplicate' }, duplicates)
    this.#events.inc({ outcome: 'rejected' }, rejected)
  }

  /** The page that Prometheus reads. */
  async render(): Promise<{ type: string; text: string }> {
    for (const { kind, reason, count } of await this.#tally.next()) {
      this.#deliveries.inc({ kind: this.#bounded('kind', kind) }, count)
      if (kind === 'refused') this.#refusals.inc({ reason: this.#bounded('reason', reason ?? 'none') }, count)
    }
    return { type: this.#registry.contentType, text: await this.#registry.metrics() }
  }

  #bounded(label: string, value: string, limit = NAMES): string {
    const known = this.#names.get(label) ?? new Set<string>()
    this.#names.set(label, known)
    if (known.has(value)) return value
    if (known.size >= limit) return 'other'
    known.add(value)
    return value
  }

  #defineGauges(): void {
    const { core, host } = this.#huitou
    let figures: Promise<Figures> | undefined
    // All gauges of one page show the same moment.
    const read = () =>
      (figures ??= readFigures(core).finally(() => setImmediate(() => (figures = undefined))))
    const define = (name: string, help: string, labelNames: string[], fill: (gauge: Gauge) => unknown) => {
      new Gauge({
        name: `huitou_${name}`,
        help,
        labelNames,
        registers: [this.#registry],
        async collect() {
          this.reset()
          await fill(this)
        },
      })
    }
    define('stage_lag', 'What waits for a stage', ['stage'], async (gauge) => {
      for (const { stage, waiting } of (await read()).stages) gauge.set({ stage }, waiting)
    })
    define('stage_lag_seconds', 'How long the first of it waits', ['stage'], async (gauge) => {
      for (const { stage, seconds } of (await read()).stages)
        if (seconds !== null) gauge.set({ stage }, seconds)
    })
    define('jobs', 'Jobs by state; failed ones of the last day', ['state'], async (gauge) => {
      for (const [state, count] of Object.entries((await read()).jobs)) gauge.set({ state }, count)
    })
    define(
      'channel_open',
      '1 while a channel account is kept from sending',
      ['channel', 'account'],
      async (gauge) => {
        for (const { channel, account, openUntil } of (await read()).channels.slice(0, NAMES))
          gauge.set({ channel, account }, openUntil !== null && openUntil > core.clock.now() ? 1 : 0)
      },
    )
    define('database_bytes', 'Size of the database', [], async (gauge) =>
      gauge.set((await read()).databaseBytes),
    )
    define('plugin_state', '1 for the state a plugin is in', ['plugin', 'state'], (gauge) => {
      for (const { id, state } of host.list())
        for (const each of STATES) gauge.set({ plugin: id, state: each }, each === state ? 1 : 0)
    })
    define('plugin_calls', 'Calls of a plugin since it is loaded', ['plugin', 'outcome'], (gauge) => {
      for (const { id, running } of host.list()) {
        gauge.set({ plugin: id, outcome: 'done' }, running.calls - running.errors)
        gauge.set({ plugin: id, outcome: 'failed' }, running.errors)
      }
    })
    define('plugin_call_p95_seconds', 'Of the last calls of a plugin', ['plugin'], (gauge) => {
      for (const { id, running } of host.list())
        if (running.p95 !== undefined) gauge.set({ plugin: id }, running.p95 / 1_000)
    })
    define('plugin_memory_bytes', 'Memory of a plugin’s own process', ['plugin'], (gauge) => {
      for (const { id, running } of host.list())
        if (running.memoryBytes !== undefined) gauge.set({ plugin: id }, running.memoryBytes)
    })
  }
}
