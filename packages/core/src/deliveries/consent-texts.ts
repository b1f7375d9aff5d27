import { notFound, userError } from '@huitou/plugin-api'
import { sql } from 'kysely'
import type { CoreContext } from '../context.ts'
import { businessDaysIn } from '../days.ts'
import { type Db, transact } from '../db/database.ts'
import type { ConsentPurpose } from './consents.ts'

/** A consent text by language. */
export type ConsentVariants = Record<string, string>

export interface ConsentTextVersion {
  version: number
  variants: ConsentVariants
  createdAt: number
  publishedAt: number | null
  /** When the first consent under it was heard of. */
  usedAt: number | null
  askAgainFrom: number | null
  /** Whether it may have been shown to somebody, and so stays as it is. */
  fixed: boolean
  /** Customers whose latest word is a yes to this version. */
  granted: number
}

export interface ConsentText {
  id: string
  title: string
  purpose: string
  channel: string
  versions: ConsentTextVersion[]
  /** Customers who are to be asked for it again. */
  toRenew: number
}

type Context = Pick<CoreContext, 'database' | 'clock' | 'brand'>

/** Every text with its versions, the newest first. */
export async function listConsentTexts(db: Db): Promise<ConsentText[]> {
  const texts = await db.selectFrom('consent_texts').selectAll().orderBy('title').orderBy('id').execute()
  const versions = await db
    .selectFrom('consent_text_versions')
    .selectAll()
    .orderBy('version', 'desc')
    .execute()
  const granted = await db
    .selectFrom('consents')
    .where('text_id', 'is not', null)
    .where('state', '=', 'granted')
    .groupBy(['text_id', 'text_version'])
    .select(['text_id', 'text_version', sql<number>`count(*)`.as('n')])
    .execute()
  const waiting = await db
    .selectFrom('profiles')
    .where(sql<boolean>`consent_renew_text is not null`)
    .groupBy(sql`consent_renew_text`)
    .select([sql<string>`consent_renew_text`.as('text_id'), sql<number>`count(*)`.as('n')])
    .execute()
  return texts.map(({ id, title, purpose, channel }) => ({
    id,
    title,
    purpose,
    channel,
    toRenew: Number(waiting.find(({ text_id }) => text_id === id)?.n ?? 0),
    versions: versions
      .filter(({ text_id }) => text_id === id)
      .map((row) => ({
        version: row.version,
        variants: JSON.parse(row.variants) as ConsentVariants,
        createdAt: row.created_at,
        publishedAt: row.published_at,
        usedAt: row.used_at,
        askAgainFrom: row.ask_again_from,
        fixed: row.published_at !== null || row.used_at !== null,
        granted: Number(
          granted.find((each) => each.text_id === id && each.text_version === row.version)?.n ?? 0,
        ),
      })),
  }))
}

/** What is to be shown now to whoever is asked: the newest published version of the text for the channel, or for all. */
export async function findShownText(
  db: Db,
  { purpose, channel }: { purpose: ConsentPurpose; channel: string },
): Promise<{ id: string; version: number; variants: ConsentVariants } | undefined> {
  const rows = await db
    .selectFrom('consent_texts')
    .innerJoin('consent_text_versions', 'text_id', 'id')
    .select(['id', 'channel', 'version', 'variants'])
    .where('purpose', '=', purpose)
    .where('channel', 'in', [channel, '*'])
    .where('published_at', 'is not', null)
    .orderBy('published_at', 'desc')
    .execute()
  const row = rows.find((each) => each.channel === channel) ?? rows[0]
  return row && { id: row.id, version: row.version, variants: JSON.parse(row.variants) as ConsentVariants }
}

/** Whether somebody can have seen that version. */
export async function isShown(db: Db, { id, version }: { id: string; version: number }): Promise<boolean> {
  return (await findPublished(db, id, version)) !== undefined
}

/** Throws unless somebody can have seen that version. */
export async function checkShown(db: Db, { id, version }: { id: string; version: number }): Promise<void> {
  if ((await findPublished(db, id, version)) === undefined) throw await whyNotShown(db, id, version)
}

async function findPublished(db: Db, id: string, version: number) {
  return await db
    .selectFrom('consent_text_versions')
    .select('version')
    .where('text_id', '=', id)
    .where('version', '=', version)
    .where('published_at', 'is not', null)
    .executeTakeFirst()
}

export async function createConsentText(
  { database, clock }: Context,
  text: { id: string; title: string; purpose: ConsentPurpose; channel: string; variants: ConsentVariants },
  by: string,
): Promise<void> {
  const { variants, ...row } = text
  const now = clock.now()
  await transact(database.db, async (tx) => {
    const taken = await tx
      .selectFrom('consent_texts')
      .select('id')
      .where('id', '=', text.id)
      .executeTakeFirst()
    if (taken)
      throw userError('E_CONSENT_TEXT_TAKEN', `There is a consent text "${text.id}" already`, {
        status: 409,
        hint: 'Give it another version, or choose another id.',
      })
    await tx
      .insertInto('consent_texts')
      .values({ ...row, created_at: now })
      .execute()
    await tx
      .insertInto('consent_text_versions')
      .values(draftOf({ textId: text.id, version: 1, variants, now, by }))
      .execute()
  })
}

/** Begins the next version. While one is being written there is no other. */
export async function addConsentVersion(
  { database, clock }: Context,
  { id, variants }: { id: string; variants: ConsentVariants },
  by: string,
): Promise<number> {
  return await transact(database.db, async (tx) => {
    const newest = await tx
      .selectFrom('consent_text_versions')
      .select(['version', 'published_at', 'used_at'])
      .where('text_id', '=', id)
      .orderBy('version', 'desc')
      .executeTakeFirst()
    if (!newest) throw notFound('Consent text', id)
    if (newest.published_at === null && newest.used_at === null)
      throw userError('E_CONSENT_TEXT_DRAFT', `Version ${newest.version} of "${id}" is not published yet`, {
        status: 409,
        hint: 'Go on writing that one.',
      })
    const version = newest.version + 1
    await tx
      .insertInto('consent_text_versions')
      .values(draftOf({ textId: id, version, variants, now: clock.now(), by }))
      .execute()
    return version
  })
}

/** Changes a version that nobody can have seen; any other stays as it is for good. */
export async function changeConsentVersion(
  { database }: Context,
  { id, version, variants }: { id: string; version: number; variants: ConsentVariants },
): Promise<void> {
  const changed = await database.db
    .updateTable('consent_text_versions')
    .set({ variants: JSON.stringify(variants) })
    .where('text_id', '=', id)
    .where('version', '=', version)
    .where('published_at', 'is', null)
    .where('used_at', 'is', null)
    .returning('version')
    .executeTakeFirst()
  if (!changed) throw await whyNot(database.db, id, version)
}

/** Throws a draft away, and the text with it when that was all there is. */
export async function deleteConsentVersion(
  { database }: Context,
  { id, version }: { id: string; version: number },
): Promise<void> {
  const gone = await transact(database.db, async (tx) => {
    const deleted = await tx
      .deleteFrom('consent_text_versions')
      .where('text_id', '=', id)
      .where('version', '=', version)
      .where('published_at', 'is', null)
      .where('used_at', 'is', null)
      .returning('version')
      .executeTakeFirst()
    if (!deleted) return false
    const left = await tx
      .selectFrom('consent_text_versions')
      .select('version')
      .where('text_id', '=', id)
      .executeTakeFirst()
    if (!left) await tx.deleteFrom('consent_texts').where('id', '=', id).execute()
    return true
  })
  if (!gone) throw await whyNot(database.db, id, version)
}

/** From now on this is what customers are shown, and it stays as it is. */
export async function publishConsentVersion(
  { database, clock }: Context,
  { id, version }: { id: string; version: number },
): Promise<void> {
  const published = await database.db
    .updateTable('consent_text_versions')
    .set({ published_at: clock.now() })
    .where('text_id', '=', id)
    .where('version', '=', version)
    .where('published_at', 'is', null)
    .returning('version')
    .executeTakeFirst()
  if (!published) throw await whyNot(database.db, id, version)
}

/**
 * Says that consents under older versions are to be asked for again, and from which day of the brand they count no
 * more; null takes it back. Returns that moment.
 */
export async function askForConsentAgain(
  { database, clock, brand }: Context,
  { id, version, from }: { id: string; version: number; from: string | null },
): Promise<number | null> {
  const days = businessDaysIn((await brand()).timeZone)
  const day = from === null ? null : days.parse(from)
  if (day !== null && day < days.dayOf(clock.now()))
    throw userError('E_CONSENT_PAST', `${from} is over already`, {
      status: 422,
      hint: 'Choose today or a later day.',
    })
  const moment = day === null ? null : days.startOf(day)
  const changed = await database.db
    .updateTable('consent_text_versions')
    .set({ ask_again_from: moment })
    .where('text_id', '=', id)
    .where('version', '=', version)
    .where('published_at', 'is not', null)
    .returning('version')
    .executeTakeFirst()
  if (changed) return moment
  throw await whyNotShown(database.db, id, version)
}

async function whyNotShown(db: Db, id: string, version: number) {
  const row = await db
    .selectFrom('consent_text_versions')
    .select('version')
    .where('text_id', '=', id)
    .where('version', '=', version)
    .executeTakeFirst()
  if (!row) return notFound('Consent text', `${id}/${version}`)
  return userError('E_CONSENT_TEXT_DRAFT', `Version ${version} of "${id}" is not published yet`, {
    status: 409,
    hint: 'Publish it first: nobody can agree to what they cannot read.',
  })
}

function draftOf({
  textId,
  version,
  variants,
  now,
  by,
}: {
  textId: string
  version: number
  variants: ConsentVariants
  now: number
  by: string
}) {
  return {
    text_id: textId,
    version,
    variants: JSON.stringify(variants),
    created_at: now,
    created_by: by,
    published_at: null,
    used_at: null,
    ask_again_from: null,
  }
}

/** Why nothing could be done to a version. */
async function whyNot(db: Db, id: string, version: number) {
  const row = await db
    .selectFrom('consent_text_versions')
    .select('version')
    .where('text_id', '=', id)
    .where('version', '=', version)
    .executeTakeFirst()
  if (!row) return notFound('Consent text', `${id}/${version}`)
  return userError('E_CONSENT_TEXT_FIXED', `Version ${version} of "${id}" was published or used, and stays`, {
    status: 409,
    hint: 'Write a new version.',
  })
}
