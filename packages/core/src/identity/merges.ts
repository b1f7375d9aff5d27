import { randomUUID } from 'node:crypto'
import { notFound, userError } from '@huitou/plugin-api'
import type { Clock } from '../clock.ts'
import type { Db } from '../db/database.ts'
import type { EventLog } from '../events/append.ts'
import { maskIdentifier } from '../people/masking.ts'
import { Components } from './components.ts'

/** Evidence that made two known people one, and what undoing it would part. */
export interface Merge {
  /** `a-b`, the two identifiers that one event carried. */
  id: string
  at: number
  /** Identifiers on the side that would leave. */
  absorbed: { id: number; kind: string; value: string }[]
  evidence: { kind: string; value: string }[]
  undoable: boolean
}

interface Known {
  id: number
  kind: string
  value: string
  first_seen_at: number
}

/**
 * Merges of a customer, read from its links: those whose two ends were both known before the event that joined
 * them. Nothing is stored for this; the links are the record.
 */
export async function readMerges(db: Db, customer: number): Promise<Merge[]> {
  const identifiers = await db
    .selectFrom('identifiers')
    .select(['id', 'kind', 'value', 'first_seen_at'])
    .where('customer_id', '=', customer)
    .limit(500)
    .execute()
  const byId = new Map<number, Known>(identifiers.map((identifier) => [identifier.id, identifier]))
  const ids = [...byId.keys()]
  if (ids.length < 2) return []
  const links = await db
    .selectFrom('identity_links')
    .select(['a', 'b', 'ts', 'weak'])
    .where('a', 'in', ids)
    .where('b', 'in', ids)
    .execute()
  const cuts = await db
    .selectFrom('identity_decisions')
    .select(['a', 'b'])
    .where('cut', '=', 1)
    .where('a', 'in', ids)
    .execute()
  const cut = new Set(cuts.map(({ a, b }) => `${a}-${b}`))
  const counting = links.filter(({ a, b, weak }) => !weak && !cut.has(`${Math.min(a, b)}-${Math.max(a, b)}`))
  return counting
    .filter(
      ({ a, b, ts }) =>
        (byId.get(a) as Known).first_seen_at < ts && (byId.get(b) as Known).first_seen_at < ts,
    )
    .map(({ a, b, ts }) => {
      const side = sideWithout(
        ids,
        links.filter((link) => link.a !== a || link.b !== b),
        { from: Math.max(a, b), other: Math.min(a, b) },
      )
      return {
        id: `${a}-${b}`,
        at: ts,
        absorbed: (side ?? []).map((id) => shown(byId.get(id) as Known)),
        evidence: [a, b].map((id) => shown(byId.get(id) as Known)),
        undoable: side !== undefined,
      }
    })
    .toSorted((x, y) => y.at - x.at)
}

/** Parts what a merge joined, by an event in the log, so that a replay parts it as well. */
export async function undoMerge(
  { db, events, clock }: { db: Db; events: EventLog; clock: Clock },
  id: string,
): Promise<void> {
  const [a, b] = id.split('-').map(Number)
  const ends = await db
    .selectFrom('identifiers')
    .select(['id', 'customer_id'])
    .where('id', 'in', [a ?? 0, b ?? 0])
    .execute()
  const customer = ends[0]?.customer_id
  if (ends.length !== 2 || customer === undefined || ends[1]?.customer_id !== customer)
    throw notFound('Merge', id)
  const merge = (await readMerges(db, customer)).find((known) => known.id === id)
  if (!merge) throw notFound('Merge', id)
  if (!merge.undoable) {
    throw userError('E_MERGE_NOT_UNDOABLE', 'Other events also say that these are one person', {
      status: 409,
      hint: 'Separate single identifiers on the customer page instead.',
    })
  }
  await separate({ db, events, clock }, customer, new Set(merge.absorbed.map((identifier) => identifier.id)))
}

/** Takes some identifiers away from a customer, whatever events say they belong together. */
export async function separate(
  { db, events, clock }: { db: Db; events: EventLog; clock: Clock },
  customer: number,
  leaving: Set<number>,
): Promise<void> {
  const all = await db
    .selectFrom('identifiers')
    .select(['id', 'kind', 'value'])
    .where('customer_id', '=', customer)
    .execute()
  const pick = (wanted: boolean) =>
    all.filter(({ id }) => leaving.has(id) === wanted).map(({ kind, value }) => ({ kind, value }))
  const [left, right] = [pick(true), pick(false)]
  if (left.length === 0 || right.length === 0)
    throw userError('E_NOTHING_TO_SEPARATE', 'Both parts need at least one identifier')
  const now = clock.now()
  await events.append([
    {
      message_id: randomUUID(),
      source: 'core',
      type: 'identity',
      name: 'identity.split',
      ts: now,
      version: now,
      body: JSON.stringify({ properties: { left, right } }),
    },
  ])
}

/** Identifiers that hang on `from` once the link to `other` is gone; `undefined` when they still hang together. */
function sideWithout(
  ids: number[],
  links: { a: number; b: number }[],
  { from, other }: { from: number; other: number },
): number[] | undefined {
  const components = new Components()
  for (const id of ids) components.add(id)
  for (const { a, b } of links) components.union(a, b)
  if (components.find(from) === components.find(other)) return undefined
  return ids.filter((id) => components.find(id) === components.find(from))
}

function shown({ id, kind, value }: Known): { id: number; kind: string; value: string } {
  return { id, kind, value: maskIdentifier({ kind, value }) }
}
