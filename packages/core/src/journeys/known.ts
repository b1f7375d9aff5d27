import { businessDaysIn } from '../days.ts'
import type { Db, Tx } from '../db/database.ts'
import { readScope, type RuleScope } from '../segments/compile.ts'
import type { Brand } from '../settings/brand.ts'
import { parseDefinition } from './parse-definition.ts'
import type { JourneyDefinition } from './definition.ts'
import type { HumanTasks } from './human-steps.ts'

/** A journey as it runs. */
export interface KnownJourney {
  id: string
  name: string
  state: 'draft' | 'live' | 'paused' | 'ended'
  /** Version that customers enter now; undefined for one that lets nobody in. */
  entry: { version: number; definition: JourneyDefinition } | undefined
  versions: Map<number, JourneyDefinition>
  /** Everybody who came in up to this enrolment was taken out. */
  stoppedUpTo: number
}

/** All journeys that were ever published, and what they listen to. */
export class KnownJourneys {
  readonly journeys: ReadonlyMap<string, KnownJourney>
  readonly events = new Set<string>()
  readonly segments = new Set<string>()
  /** Branches at which plugins are asked. */
  readonly asking: { journey_id: string; version: number; node: string }[] = []

  constructor(journeys: ReadonlyMap<string, KnownJourney>) {
    this.journeys = journeys
    for (const { id, entry, versions } of journeys.values()) {
      for (const [version, definition] of versions) {
        this.#listen(definition)
        for (const [node, each] of Object.entries(definition.nodes))
          if (each.type === 'branch' && each.cases.some(({ condition }) => condition))
            this.asking.push({ journey_id: id, version, node })
      }
      if (entry?.definition.trigger.type === 'event') this.events.add(entry.definition.trigger.event)
      if (entry?.definition.trigger.type === 'segment') this.segments.add(entry.definition.trigger.segment)
    }
  }

  #listen({ goal, exits, nodes }: JourneyDefinition): void {
    if (goal) this.events.add(goal.event)
    for (const exit of exits) {
      if ('event' in exit) this.events.add(exit.event)
      else this.segments.add(exit.segment)
    }
    for (const node of Object.values(nodes)) if (node.type === 'wait_event') this.events.add(node.event)
  }

  definition(journeyId: string, version: number): JourneyDefinition | undefined {
    return this.journeys.get(journeyId)?.versions.get(version)
  }
}

/** Versions never change, so each is read once. */
export class JourneyReader {
  readonly #definitions = new Map<string, JourneyDefinition>()
  #last: { basis: string; known: KnownJourneys } | undefined

  async read(db: Db | Tx): Promise<KnownJourneys> {
    const rows = await db
      .selectFrom('journeys')
      .select(['id', 'name', 'state', 'published_version', 'stopped_enrolment'])
      .select((row) =>
        row
          .selectFrom('journey_versions')
          .whereRef('journey_id', '=', 'journeys.id')
          .select((version) => version.fn.countAll<number>().as('count'))
          .as('versions'),
      )
      .orderBy('id')
      .execute()
    const basis = JSON.stringify(rows)
    if (this.#last?.basis === basis) return this.#last.known
    const versions = await db.selectFrom('journey_versions').select(['journey_id', 'version']).execute()
    const missing = versions.filter(
      ({ journey_id, version }) => !this.#definitions.has(`${journey_id} ${version}`),
    )
    for (const { journey_id, version } of missing) {
      const { definition } = await db
        .selectFrom('journey_versions')
        .select('definition')
        .where('journey_id', '=', journey_id)
        .where('version', '=', version)
        .executeTakeFirstOrThrow()
      this.#definitions.set(`${journey_id} ${version}`, parseDefinition(JSON.parse(definition)))
    }
    const journeys = new Map<string, KnownJourney>()
    for (const { id, name, state, published_version, stopped_enrolment } of rows) {
      const own = new Map(
        versions
          .filter(({ journey_id }) => journey_id === id)
          .map(({ version }) => [version, this.#definitions.get(`${id} ${version}`) as JourneyDefinition]),
      )
      if (own.size === 0) continue
      const definition = own.get(published_version as number)
      const entry =
        state === 'live' && definition ? { version: published_version as number, definition } : undefined
      journeys.set(id, { id, name, state, entry, versions: own, stoppedUpTo: stopped_enrolment ?? 0 })
    }
    const known = new KnownJourneys(journeys)
    this.#last = { basis, known }
    return known
  }
}

/** The moment a piece of work is done in. */
export interface Moment {
  now: number
  timeZone: string
  known: KnownJourneys
  /** Rows of one piece of work, where it is not as many as usual. */
  batch?: number | undefined
  /** Takes the work that journeys hand to people. */
  tasks?: HumanTasks | undefined
  /** Whether an action answers something that later steps may use, as far as is known. */
  answers(action: string): boolean
  /** What plugins say of those who stand at a branch; `undefined` for somebody who was not asked about yet. */
  holds(enrolmentId: number, visit: number): readonly boolean[] | undefined
  /** Read when a rule needs it. */
  scope(): Promise<RuleScope>
}

export function momentOf(
  db: Db | Tx,
  {
    brand,
    ...given
  }: { brand: Brand } & Pick<Moment, 'now' | 'known' | 'batch' | 'tasks' | 'answers' | 'holds'>,
): Moment {
  let scope: Promise<RuleScope> | undefined
  return {
    ...given,
    timeZone: brand.timeZone,
    scope: () => (scope ??= readScope(db, brand, { now: given.now })),
  }
}

/** First moment of a business day, in words that tell one run from another. */
export function dayText(timeZone: string, at: number): string {
  const days = businessDaysIn(timeZone)
  return days.textOf(days.dayOf(at))
}
