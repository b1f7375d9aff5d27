import type { CoreContext } from '../context.ts'
import type { Tx } from '../db/database.ts'
import { insertRows } from '../db/insert-rows.ts'
import type { Person } from '../journeys/people.ts'
import type { ErasureBox } from './erasure-box.ts'
import { MarkFinder } from './marks.ts'
import { provenConsents, writeProofs } from './proofs.ts'
import { detachRequests } from './requests.ts'
import type { Suppression } from './suppression.ts'
import { expectAnswers, type KnownEraser, whoWas } from './tell-plugins.ts'

interface Tombstone {
  id: string
  reason: string
  /** What the customer is recognised by in texts. */
  marks: string[]
  by: string
  /** When it was asked for. */
  now: number
}

/** What stands in the place of a customer: enough to look for the rest, and to refuse whoever comes under the name. */
export class Tombstones {
  readonly #clock: CoreContext['clock']
  readonly #points: CoreContext['points']
  readonly #suppression: Suppression
  readonly #box: ErasureBox
  /** Plugins that keep data of customers elsewhere, those that do not run included. */
  installed: () => readonly KnownEraser[] = () => []

  constructor(
    { clock, points }: Pick<CoreContext, 'clock' | 'points'>,
    { suppression, box }: { suppression: Suppression; box: ErasureBox },
  ) {
    this.#clock = clock
    this.#points = points
    this.#suppression = suppression
    this.#box = box
  }

  /** Writes down who is to be looked for, and refuses everybody who comes under one of their names from now on. */
  async write(tx: Tx, person: Person, erasure: Tombstone): Promise<void> {
    const { id: customerId, identifiers } = person
    const ids = identifiers.map(({ id }) => id)
    const all = [...new Set([customerId, ...ids])]
    const finder = new MarkFinder(erasure.marks)
    const consents = await provenConsents(tx, all)
    await tx
      .insertInto('erasures')
      .values({
        id: erasure.id,
        state: 'requested',
        customer_id: customerId,
        reason: finder.without(erasure.reason),
        requested_by: erasure.by,
        requested_at: erasure.now,
        finished_at: null,
        ids: JSON.stringify(all),
        own_done_at: null,
        customer: this.#box.seal(JSON.stringify(whoWas(person, all))),
        marks: this.#box.seal(JSON.stringify(erasure.marks)),
        last_id: Math.max(...ids),
        removed: JSON.stringify({ identifiers: ids.length }),
        consents: finder.withoutInJson(JSON.stringify(consents)),
      })
      .execute()
    const { id: erasureId, by, now } = erasure
    await detachRequests(tx, all, { erasureId, by, now })
    await expectAnswers(tx, this.erasers(), { erasureId, now: this.#clock.now() })
    const hashes = identifiers.map((identifier) => ({
      hash: this.#suppression.hash(identifier),
      kind: identifier.kind,
    }))
    await this.suppress(tx, hashes, { erasure_id: erasure.id, at: erasure.now })
  }

  /** Nobody of that name is here; whoever comes under it later is refused all the same. */
  async writeEmpty(tx: Tx, { id, at, by }: { id: string; at: number; by: string }): Promise<void> {
    await tx
      .insertInto('erasures')
      .values({
        id,
        state: 'requested',
        customer_id: 0,
        reason: '',
        requested_by: by,
        requested_at: at,
        finished_at: null,
        ids: '[]',
        marks: null,
        last_id: 0,
        removed: '{}',
        own_done_at: null,
        customer: null,
        consents: '[]',
      })
      .execute()
  }

  async suppress(
    tx: Tx,
    hashes: readonly { hash: string; kind: string }[],
    { erasure_id, at }: { erasure_id: string; at: number },
  ): Promise<void> {
    const { keyId } = this.#suppression
    await insertRows(tx, 'suppressions', {
      rows: hashes.map(({ hash, kind }) => ({ hash, kind, erasure_id, at, key_id: keyId })),
      columns: { hash: 'text', kind: 'text', erasure_id: 'text', at: 'integer', key_id: 'text' },
      conflict: { columns: ['hash'], then: 'keep' },
    })
    await writeProofs(tx, hashes, { erasure_id, key_id: keyId })
  }

  /** Everything that keeps data of customers elsewhere. */
  erasers(): KnownEraser[] {
    const running = this.#points.erasers
      .list()
      .map(({ id, owner, value }) => ({ id, plugin: owner.plugin, title: owner.text(value.title) }))
    return [...new Map([...this.installed(), ...running].map((eraser) => [eraser.id, eraser])).values()]
  }
}
