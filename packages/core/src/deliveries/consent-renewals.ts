import { sql } from 'kysely'
import type { CoreContext } from '../context.ts'
import { type Db, transact, type Tx } from '../db/database.ts'
import { updateRows } from '../db/insert-rows.ts'
import { idRows } from '../db/rows.ts'
import type { Job, JobContext } from '../jobs/jobs.ts'
import type { Schedules } from '../nodes/schedules.ts'
import { announce } from '../profiles/store.ts'
import type { ConsentTables } from './consent-tables.ts'

const KIND = 'consents.renew'
/** Customers looked at in one transaction. */
const STEP = 1_000
/** Columns of the wide row that say who is to be asked again, by when, and by which text. */
const COLUMNS = ['consent_renew_by', 'consent_renew_text'] as const

/** A new version of a text after which older consents are to be asked for again. */
export interface Renewal {
  textId: string
  version: number
  purpose: string
  channel: string
  publishedAt: number
  /** From then on consents under older versions count no more. */
  from: number
}

type Consent = Pick<
  ConsentTables['consents'],
  'channel' | 'purpose' | 'state' | 'at' | 'text_id' | 'text_version'
>

export async function readRenewals(db: Db | Tx): Promise<Renewal[]> {
  const rows = await db
    .selectFrom('consent_text_versions as v')
    .innerJoin('consent_texts as t', 't.id', 'v.text_id')
    .select(['v.text_id', 'v.version', 't.purpose', 't.channel', 'v.published_at', 'v.ask_again_from'])
    .where('v.ask_again_from', 'is not', null)
    .execute()
  return rows.map(({ text_id, version, purpose, channel, published_at, ask_again_from }) => ({
    textId: text_id,
    version,
    purpose,
    channel,
    publishedAt: published_at ?? 0,
    from: ask_again_from!,
  }))
}

/** The renewal that ends a consent first; undefined when it goes on counting. */
export function renewalOf(consent: Consent, renewals: readonly Renewal[]): Renewal | undefined {
  let first: Renewal | undefined
  for (const renewal of renewals)
    if (isUnderOlder(consent, renewal) && (!first || renewal.from < first.from)) first = renewal
  return first
}

/** A consent that names no text was given under whatever was asked then, if that was before the new version. */
function isUnderOlder(consent: Consent, renewal: Renewal): boolean {
  if (consent.state !== 'granted' || consent.purpose !== renewal.purpose) return false
  if (consent.text_id === renewal.textId) return (consent.text_version ?? 0) < renewal.version
  return (
    consent.text_id === null &&
    (renewal.channel === '*' || renewal.channel === consent.channel) &&
    consent.at < renewal.publishedAt
  )
}

/** The later of two comes first; of two at one moment the no. */
export function byLatest(a: Consent, b: Consent): number {
  return b.at - a.at || (a.state === 'withdrawn' ? -1 : 1)
}

/** What of a customer's consents is to be asked for first; nothing that a later word has replaced. */
export function dueOf(consents: readonly Consent[], renewals: readonly Renewal[]): Renewal | undefined {
  let due: Renewal | undefined
  const newest = consents.toSorted(byLatest)
  for (const [at, consent] of newest.entries()) {
    const isReplaced = newest
      .slice(0, at)
      .some(
        ({ purpose, channel }) =>
          purpose === consent.purpose && (channel === consent.channel || channel === '*'),
      )
    const renewal = isReplaced ? undefined : renewalOf(consent, renewals)
    if (renewal && (!due || renewal.from < due.from)) due = renewal
  }
  return due
}

/** Says in the wide row which of these customers are to be asked again. */
export async function followRenewals(
  tx: Tx,
  customers: readonly number[],
  given?: readonly Renewal[],
): Promise<void> {
  if (customers.length === 0) return
  const renewals = given ?? (await readRenewals(tx))
  const distinct = [...new Set(customers)]
  const rows = await tx
    .selectFrom(idRows(tx, distinct))
    .innerJoin('profiles', 'profiles.customer_id', 'r.id')
    .select([
      'profiles.customer_id',
      ...COLUMNS.map((name) => sql.ref<string | number | null>(name).as(name)),
    ])
    .execute()
  if (renewals.length === 0 && rows.every((row) => row.consent_renew_by === null)) return
  const consents = await tx
    .selectFrom(idRows(tx, distinct))
    .innerJoin('identifiers', 'identifiers.customer_id', 'r.id')
    .innerJoin('consents', 'consents.customer_id', 'identifiers.id')
    .select(['r.id', 'channel', 'purpose', 'state', 'at', 'text_id', 'text_version'])
    .execute()
  const of = Map.groupBy(consents, ({ id }) => id)
  const changed = rows.flatMap(({ customer_id, consent_renew_by, consent_renew_text }) => {
    const due = dueOf(of.get(customer_id) ?? [], renewals)
    const by = due?.from ?? null
    const text = due?.textId ?? null
    return by === consent_renew_by && text === consent_renew_text
      ? []
      : [{ customer_id, consent_renew_by: by, consent_renew_text: text }]
  })
  if (changed.length === 0) return
  await updateRows(tx, 'profiles', {
    rows: changed,
    columns: { customer_id: 'integer', consent_renew_by: 'integer', consent_renew_text: 'text' },
    key: 'customer_id',
  })
  await announce(
    tx,
    changed.map(({ customer_id }) => ({ customer_id, columns: JSON.stringify(COLUMNS) })),
  )
}

/** Finds out who is to be asked again once a text says so, and at night for whoever became one customer since. */
export class ConsentRenewals {
  readonly #context: Pick<CoreContext, 'database' | 'jobs'>

  constructor(context: CoreContext & { schedules: Schedules }) {
    this.#context = context
    context.jobs.define(KIND, (job) => this.#run(job))
    context.schedules.define({
      name: KIND,
      cron: '20 3 * * *',
      run: async () => {
        if ((await readRenewals(context.database.db)).length > 0) await this.start()
      },
    })
  }

  /** One that is under way may have begun before the text changed, so this is always another. */
  start(): Promise<Job> {
    const title = JSON.stringify({
      en: 'Finding whom to ask for consent again',
      'zh-CN': '查找需重新征求授权的客户',
    })
    return this.#context.jobs.enqueue({ kind: KIND, title })
  }

  async #run({ signal, progress }: JobContext): Promise<Record<string, number>> {
    const { db } = this.#context.database
    const renewals = await readRenewals(db)
    let seen = 0
    for (let after = 0; ;) {
      const ids = await pageAfter(db, after)
      const last = ids.at(-1)
      if (last === undefined || signal.aborted) return { customers: seen }
      await transact(db, (tx) => followRenewals(tx, ids, renewals))
      seen += ids.length
      after = last
      progress({ done: seen, total: null, unit: 'customers' })
    }
  }
}

/** Customers who allowed something once, by number. */
async function pageAfter(db: Db, after: number): Promise<number[]> {
  const rows = await db
    .selectFrom('consents')
    .innerJoin('identifiers', 'identifiers.id', 'consents.customer_id')
    .select('identifiers.customer_id')
    .distinct()
    .where('identifiers.customer_id', '>', after)
    .orderBy('identifiers.customer_id')
    .limit(STEP)
    .execute()
  return rows.map(({ customer_id }) => customer_id)
}
