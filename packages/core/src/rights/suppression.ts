import { createHmac, hkdfSync } from 'node:crypto'
import type { Db, Tx } from '../db/database.ts'
import { rowsOf } from '../db/rows.ts'
import type { EventGate, NamedEvent } from '../events/gate.ts'
import type { EventCall } from '../events/normalize.ts'
import { type Identifier, identifiersOf, isStrong, normalizeIdentifier } from '../identity/identifiers.ts'

/** What stays of an identifier. */
export interface Suppressed {
  hash: string
  kind: string
}

/** Knows by keyed hashes whom nobody may hear of again. */
export class Suppression implements EventGate {
  #key: Buffer

  /** The key follows from the secret, until one is given that was kept. */
  constructor(secret: string) {
    this.#key = Buffer.from(hkdfSync('sha256', secret, 'huitou', 'suppression list', 32))
  }

  /** Tells one key from another, and gives neither away. */
  get keyId(): string {
    return this.#digest('key').slice(0, 8)
  }

  /** The key as text, to be kept sealed: hashes outlive the secret they were first made with. */
  get key(): string {
    return this.#key.toString('base64url')
  }

  set key(text: string) {
    this.#key = Buffer.from(text, 'base64url')
  }

  /** A phone number has too few digits for a plain hash: without the secret nobody can try them all. */
  hash({ kind, value }: Identifier): string {
    return this.#digest(`${kind}\u0000${value}`)
  }

  /** Under the same key, and no identifier: an address looks like nobody's name. */
  fingerprint(text: string): string {
    return this.#digest(`fingerprint\u0000${text}`).slice(0, 22)
  }

  /** Of these identifiers the positions of those that are suppressed. */
  async among(db: Db | Tx, identifiers: readonly Identifier[]): Promise<Set<number>> {
    if (identifiers.length === 0 || !(await isInUse(db))) return new Set()
    const hashes = identifiers.map((identifier) => this.hash(identifier))
    const known = await findHashes(db, new Set(hashes))
    return new Set(hashes.flatMap((hash, position) => (known.has(hash) ? [position] : [])))
  }

  /** When the person of that name was erased; undefined when nobody of that name was. */
  async find(db: Db, kind: string, value: string): Promise<{ erasureId: string; at: number } | undefined> {
    const normal = normalizeIdentifier(kind, value)
    if (normal === undefined) return undefined
    const row = await db
      .selectFrom('suppressions')
      .select(['erasure_id', 'at'])
      .where('hash', '=', this.hash({ kind, value: normal }))
      .executeTakeFirst()
    return row && { erasureId: row.erasure_id, at: row.at }
  }

  async refused(tx: Tx, count: number, at: (position: number) => NamedEvent): Promise<ReadonlySet<number>> {
    if (!(await isInUse(tx))) return new Set()
    const named = Array.from({ length: count }, (_, position) =>
      namesIn(at(position)).map((identifier) => ({ ...identifier, hash: this.hash(identifier) })),
    )
    const known = await findHashes(tx, new Set(named.flatMap((names) => names.map(({ hash }) => hash))))
    const refused = new Set<number>()
    for (const [position, names] of named.entries()) {
      const suppressed = names.filter(({ hash }) => known.has(hash))
      if (suppressed.length === 0) continue
      // A device that an erased person shared with others is theirs from now on.
      if (suppressed.some(({ kind }) => isStrong(kind)) || suppressed.length === names.length)
        refused.add(position)
    }
    return refused
  }

  #digest(text: string): string {
    return createHmac('sha256', this.#key).update(text).digest('base64url')
  }
}

/** Everybody whom an event names: whom it is about, or whom somebody made a decision about. */
function namesIn({ type, body }: NamedEvent): readonly Identifier[] {
  if (type !== 'identity') return identifiersOf(type as EventCall, body)
  const { left = [], right = [] } = (body.properties ?? {}) as { left?: Identifier[]; right?: Identifier[] }
  return [...left, ...right]
}

async function isInUse(db: Db | Tx): Promise<boolean> {
  return (await db.selectFrom('suppressions').select('kind').limit(1).executeTakeFirst()) !== undefined
}

async function findHashes(db: Db | Tx, hashes: ReadonlySet<string>): Promise<Set<string>> {
  if (hashes.size === 0) return new Set()
  const wanted = Array.from(hashes, (hash) => ({ hash }))
  const rows = await db
    .selectFrom(rowsOf(db, wanted, { hash: 'text' }))
    .innerJoin('suppressions', 'suppressions.hash', 'r.hash')
    .select('suppressions.hash')
    .execute()
  return new Set(rows.map(({ hash }) => hash))
}
