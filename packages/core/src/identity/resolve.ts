import { sql } from 'kysely'
import type { Tx } from '../db/database.ts'
import { insertRows } from '../db/insert-rows.ts'
import { idRows, rowsOf } from '../db/rows.ts'
import { vaultOf } from '../db/sealing.ts'
import type { StoredEvent } from '../events/read.ts'
import { lookupCells, lookupsOf } from '../people/identifier-lookup.ts'
import { Components, countingLinks, isEarlier, type Link } from './components.ts'
import { readDecisions, type Decision, isCutBy, writeDecisions } from './decisions.ts'
import { type Identifier, identifiersOf, isStrong } from './identifiers.ts'

/** Whose the events of a batch are, and what changed hands because of them. */
export interface Resolution {
  /** Identifier id each event is attributed through, by position; `undefined` when it names nobody. */
  identifierOf: (number | undefined)[]
  /** Customer that an identifier belongs to now. */
  customerOf(identifierId: number): number
  /** Customers that became part of another: absorbed → survivor. */
  merged: Map<number, number>
  /** Customers, old and new, whose events were divided anew; they must be folded again. */
  divided: Set<number>
}

interface Known {
  id: number
  customer_id: number
}

/**
 * Finds or makes the identifiers of a batch, adds what the events say about them, and regroups the customers
 * that this touches. The result is the same whatever order the events arrive in.
 */
export async function resolveIdentities(tx: Tx, events: readonly StoredEvent[]): Promise<Resolution> {
  const named = events.map((event) => identifiersOf(event.type, event.body))
  const decisions = events.filter((event) => event.type === 'identity')
  const known = await findOrCreate(tx, events, [...named, ...decisions.map(namesInDecision)])
  const idOf = (identifier: Identifier) => (known.get(textOf(identifier)) as Known).id
  const customers = new Map([...known.values()].map(({ id, customer_id }) => [id, customer_id]))

  const fresh = await addLinks(tx, linksOf(events, named, idOf))
  const decided = await writeDecisions(
    tx,
    decisions.flatMap((event) => toDecisions(event, idOf)),
  )
  const touched = new Set<number>()
  for (const { a, b } of [...fresh, ...decided]) {
    const first = customers.get(a) as number
    const second = customers.get(b) as number
    if (first !== second || decided.length > 0) touched.add(first).add(second)
  }
  const regrouped = await regroup(tx, touched)
  for (const [id, customer] of regrouped.moved) customers.set(id, customer)
  return {
    identifierOf: named.map((identifiers) => (identifiers[0] ? idOf(identifiers[0]) : undefined)),
    customerOf: (id) => customers.get(id) as number,
    merged: regrouped.merged,
    divided: regrouped.divided,
  }
}

async function findOrCreate(
  tx: Tx,
  events: readonly StoredEvent[],
  named: readonly (readonly Identifier[])[],
): Promise<Map<string, Known>> {
  const wanted = new Map<string, Identifier & { first_seen_at: number }>()
  named.forEach((identifiers, index) => {
    const seen = events[index]?.ts ?? 0
    for (const identifier of identifiers) {
      const text = textOf(identifier)
      if (!wanted.has(text)) wanted.set(text, { ...identifier, first_seen_at: seen })
    }
  })
  if (wanted.size === 0) return new Map()
  const texts = [...wanted.keys()]
  const vault = vaultOf(tx)
  const asked = [...wanted.values()].flatMap(({ kind, value }, position) =>
    lookupsOf(vault, value).map((lookup) => ({ kind, lookup, position })),
  )
  const rows = await tx
    .selectFrom(rowsOf(tx, asked, { kind: 'text', lookup: 'text', position: 'integer' }))
    .innerJoin('identifiers', (join) =>
      join
        .on(sql<boolean>`coalesce(identifiers.lookup, identifiers.value) = r.lookup`)
        .onRef('identifiers.kind', '=', 'r.kind'),
    )
    .select(['identifiers.id', 'identifiers.customer_id', 'r.position'])
    .execute()
  const known = new Map<string, Known>(rows.map((row) => [texts[row.position] as string, row]))
  const missing = [...wanted].filter(([text]) => !known.has(text)).map(([, identifier]) => identifier)
  if (missing.length === 0) return known
  const last = await lastNumber(tx)
  const created = missing.map((identifier, index) => ({
    ...identifier,
    ...lookupCells(vault, identifier.value),
    id: last + index + 1,
    customer_id: last + index + 1,
  }))
  await insertRows(tx, 'identifiers', {
    rows: created,
    columns: {
      id: 'integer',
      kind: 'text',
      value: 'text',
      customer_id: 'integer',
      first_seen_at: 'integer',
      lookup: 'text',
      tail: 'text',
    },
  })
  for (const identifier of created) known.set(textOf(identifier), identifier)
  return known
}

/** The number of an erased customer is nobody's again: somewhere it may still stand for them. */
async function lastNumber(tx: Tx): Promise<number> {
  const numbers = sql<{ last: number | null }>`select max(n) as last from (
    select max(id) as n from identifiers union all select max(last_id) as n from erasures
  ) numbers`
  return Number((await numbers.execute(tx)).rows[0]?.last ?? 0)
}

/** A star around the first strong identifier: the same components as every pair, with fewer rows. */
function linksOf(
  events: readonly StoredEvent[],
  named: readonly (readonly Identifier[])[],
  idOf: (identifier: Identifier) => number,
) {
  const links = new Map<string, Link & { seq: number }>()
  events.forEach((event, index) => {
    const [center, ...others] = named[index] as readonly Identifier[]
    if (!center || !isStrong(center.kind)) return
    for (const other of others) {
      const weak = isStrong(other.kind) ? 0 : 1
      const [x, y] = [idOf(center), idOf(other)]
      const link = {
        a: weak ? y : Math.min(x, y),
        b: weak ? x : Math.max(x, y),
        weak,
        ts: event.ts,
        message_id: event.message_id,
        seq: event.seq,
      }
      const key = `${link.a} ${link.b}`
      const before = links.get(key)
      if (!before || isEarlier(link, before)) links.set(key, link)
    }
  })
  return [...links.values()]
}

/** Stores links and returns those that are new or older than what was known. */
async function addLinks(tx: Tx, links: (Link & { seq: number })[]): Promise<Link[]> {
  if (links.length === 0) return []
  const columns = ['a', 'b', 'weak', 'ts', 'message_id', 'seq'] as const
  return await tx
    .insertInto('identity_links')
    .columns([...columns])
    .expression(
      tx
        .selectFrom(
          rowsOf(tx, links, {
            a: 'integer',
            b: 'integer',
            weak: 'integer',
            ts: 'integer',
            message_id: 'text',
            seq: 'integer',
          }),
        )
        .select(columns.map((column) => `r.${column}` as const))
        .where(sql<boolean>`true`),
    )
    .onConflict((conflict) =>
      conflict
        .columns(['a', 'b'])
        .doUpdateSet({
          ts: (set) => set.ref('excluded.ts'),
          message_id: (set) => set.ref('excluded.message_id'),
          seq: (set) => set.ref('excluded.seq'),
        })
        .where(
          sql<boolean>`excluded.ts < identity_links.ts or (excluded.ts = identity_links.ts and excluded.message_id < identity_links.message_id)`,
        ),
    )
    .returning(['a', 'b', 'weak', 'ts', 'message_id'])
    .execute()
}

interface Node {
  id: number
  customer_id: number
}

/** Works the components of the touched customers out again and moves what belongs elsewhere. */
async function regroup(tx: Tx, touched: Set<number>) {
  const moved = new Map<number, number>()
  const merged = new Map<number, number>()
  const divided = new Set<number>()
  if (touched.size === 0) return { moved, merged, divided }
  const { nodes, links, decisions } = await neighbourhood(tx, touched)
  const components = new Components()
  for (const { id } of nodes) components.add(id)
  for (const { a, b } of countingLinks(links, (link) => isCutBy(decisions, link))) components.union(a, b)
  const destinations = new Map<number, Set<number>>()
  for (const { id, customer_id } of nodes) {
    const now = components.find(id)
    destinations.set(customer_id, (destinations.get(customer_id) ?? new Set()).add(now))
    if (now !== customer_id) moved.set(id, now)
  }
  for (const [before, after] of destinations) {
    const [only] = after
    if (after.size === 1 && only !== undefined) {
      if (only !== before) merged.set(before, only)
    } else for (const customer of after) divided.add(customer).add(before)
  }
  // A part that a divided customer lost may have joined another one: that one is folded again as well.
  for (const [before, after] of merged) if (divided.has(after)) divided.add(before)
  await moveIdentifiers(tx, { moved, merged, divided })
  return { moved, merged, divided }
}

/** The touched customers' identifiers and links, and those of every customer a weak identifier may fall to. */
async function neighbourhood(tx: Tx, touched: Set<number>) {
  const nodes = new Map<number, Node>()
  const links: Link[] = []
  let decisions: Map<string, Decision> = new Map()
  for (let customers = [...touched]; customers.length > 0;) {
    const found = await tx
      .selectFrom(idRows(tx, customers))
      .innerJoin('identifiers', 'identifiers.customer_id', 'r.id')
      .select(['identifiers.id', 'identifiers.customer_id'])
      .execute()
    for (const node of found) nodes.set(node.id, node)
    const fromHere = await tx
      .selectFrom(
        idRows(
          tx,
          found.map(({ id }) => id),
        ),
      )
      .innerJoin('identity_links', 'identity_links.a', 'r.id')
      .select(['a', 'b', 'weak', 'ts', 'message_id'])
      .execute()
    links.push(...fromHere)
    decisions = await readDecisions(tx, links)
    const outside = countingLinks(links, (link) => isCutBy(decisions, link))
      .flatMap(({ a, b }) => [a, b])
      .filter((id) => !nodes.has(id))
    if (outside.length === 0) break
    const further = await tx
      .selectFrom(idRows(tx, outside))
      .innerJoin('identifiers', 'identifiers.id', 'r.id')
      .select('identifiers.customer_id')
      .distinct()
      .execute()
    customers = further.map(({ customer_id }) => customer_id)
  }
  return { nodes: [...nodes.values()], links, decisions }
}

async function moveIdentifiers(
  tx: Tx,
  {
    moved,
    merged,
    divided,
  }: { moved: Map<number, number>; merged: Map<number, number>; divided: Set<number> },
): Promise<void> {
  if (moved.size === 0) return
  const changes = rowsOf(
    tx,
    [...moved].map(([id, customer]) => ({ id, customer })),
    { id: 'integer', customer: 'integer' },
  )
  await tx
    .updateTable('identifiers')
    .from(changes)
    .set({ customer_id: (set) => set.ref('r.customer') })
    .whereRef('identifiers.id', '=', 'r.id')
    .execute()
  const whole = [...merged].filter(([before]) => !divided.has(before))
  if (whole.length > 0) {
    await tx
      .updateTable('timeline')
      .from(
        rowsOf(
          tx,
          whole.map(([before, after]) => ({ before, after })),
          { before: 'integer', after: 'integer' },
        ),
      )
      .set({ customer_id: (set) => set.ref('r.after') })
      .whereRef('timeline.customer_id', '=', 'r.before')
      .execute()
  }
  if (divided.size > 0) {
    await tx
      .updateTable('timeline')
      .set({
        customer_id: (set) =>
          set
            .selectFrom('identifiers')
            .select('identifiers.customer_id')
            .whereRef('identifiers.id', '=', 'timeline.identifier_id')
            .$asScalar()
            .$notNull(),
      })
      .where('customer_id', 'in', (where) => where.selectFrom(idRows(tx, divided)).select('r.id'))
      .execute()
  }
}

function namesInDecision({ body }: StoredEvent): Identifier[] {
  const properties = body.properties as { left?: Identifier[]; right?: Identifier[] } | undefined
  return [...(properties?.left ?? []), ...(properties?.right ?? [])]
}

function toDecisions(event: StoredEvent, idOf: (identifier: Identifier) => number): Decision[] {
  const properties = event.body.properties as { left: Identifier[]; right: Identifier[] }
  const cut = event.name === 'identity.split' ? 1 : 0
  return properties.left.flatMap((left) =>
    properties.right.map((right) => {
      const [x, y] = [idOf(left), idOf(right)]
      return { a: Math.min(x, y), b: Math.max(x, y), cut, ts: event.ts, message_id: event.message_id }
    }),
  )
}

function textOf({ kind, value }: Identifier): string {
  return `${kind}\u0000${value}`
}
