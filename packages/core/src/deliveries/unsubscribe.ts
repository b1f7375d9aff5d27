import type { Selectable } from 'kysely'
import { readerLocale } from '../content/here.ts'
import type { CoreContext } from '../context.ts'
import { transact } from '../db/database.ts'
import { findAddress, type Person, readPeople } from '../journeys/people.ts'
import type { Text } from '../points/points.ts'
import { type Sender, withSender } from '../events/consent-events.ts'
import { findShownText } from './consent-texts.ts'
import { readConsentsOf, textProperties } from './customer-consents.ts'
import { appendMessageEvents } from './message-events.ts'
import type { DeliveryRow } from './tables.ts'

type Context = Pick<CoreContext, 'database' | 'clock' | 'points' | 'brand'>

/** Source of what customers said on the page that a message led them to. */
const ON_THE_PAGE = 'huitou:unsubscribe'

/** What somebody agrees to who subscribes again. */
export interface ShownText {
  id: string
  version: number
  variants: Record<string, string>
}

/** Who holds the link, and what they may choose. */
export interface LeavePage {
  delivery: Selectable<DeliveryRow>
  person: Person | undefined
  brandName: string
  locale: string | undefined
  channels: { id: string; title: Text; allowed: boolean; isThis: boolean; text: ShownText | undefined }[]
}

export async function findLeavePage(context: Context, token: string): Promise<LeavePage | undefined> {
  const { database, clock, points } = context
  const delivery = await database.db
    .selectFrom('message_links')
    .innerJoin('deliveries', 'deliveries.id', 'message_links.delivery_id')
    .selectAll('deliveries')
    .where('message_links.token', '=', token)
    .where('message_links.kind', '=', 'unsubscribe')
    .where('message_links.expires_at', '>=', clock.now())
    .executeTakeFirst()
  if (!delivery) return undefined
  const person = (await readPeople(database.db, [delivery.customer_id])).get(delivery.customer_id)
  const { consents } = person ? await readConsentsOf(database.db, person.id) : { consents: [] }
  const latest = (channel: string) =>
    consents
      .filter((one) => one.purpose === 'marketing' && (one.channel === channel || one.channel === '*'))
      .toSorted((a, b) => b.at - a.at || (a.state === 'withdrawn' ? -1 : 1))[0]?.state
  const reaching = points.channels
    .list()
    .filter(
      ({ id, value }) =>
        id === delivery.channel ||
        (value.sandbox !== true && person !== undefined && findAddress(person, value.address) !== undefined),
    )
  const texts = new Map(
    await Promise.all(
      reaching.map(
        async ({ id }) =>
          [id, await findShownText(database.db, { purpose: 'marketing', channel: id })] as const,
      ),
    ),
  )
  const { brandName } = await context.brand()
  const locale = readerLocale(person?.profile, '')
  return {
    delivery,
    person,
    brandName,
    locale: locale === '' ? undefined : locale,
    channels: reaching
      .map(({ id, owner, value }) => ({
        id,
        title: owner.text(value.title),
        allowed: latest(id) !== 'withdrawn',
        isThis: id === delivery.channel,
        text: texts.get(id),
      }))
      .toSorted((a, b) => Number(b.isThis) - Number(a.isThis)),
  }
}

/** What somebody decided, on the page or by the button of a mail program. */
export interface Decision {
  allow: boolean
  /** Full id of a channel, or `*` for all. */
  channel: string
  by: 'one-click' | 'page'
  sender: Sender
  /** What the page showed beside the button. */
  text?: { id: string; version: number; locale: string } | undefined
}

/** Writes the decision into the log, with what it rests on; consents follow it. */
export async function decideOnPage(
  { database, clock }: Context,
  { delivery, person }: LeavePage,
  { allow, channel, by, sender, text }: Decision,
): Promise<void> {
  if (!person) return
  const now = clock.now()
  const kind = allow ? 'resubscribed' : 'unsubscribed'
  await transact(database.db, async (tx) => {
    await tx
      .insertInto('delivery_events')
      .values({
        delivery_id: delivery.id,
        at: now,
        kind,
        reason: by,
        details: JSON.stringify({ channel }),
        receipt_key: `${delivery.id} ${kind} ${channel} ${now}`,
      })
      .onConflict((conflict) => conflict.column('receipt_key').doNothing())
      .execute()
    await appendMessageEvents(
      tx,
      [
        {
          id: `${delivery.key}:${kind}:${channel}:${now}`,
          name: allow ? 'consent.granted' : 'message.unsubscribed',
          at: now,
          person,
          delivery,
          source: ON_THE_PAGE,
          more: { channel, purpose: 'marketing', reason: by, ...textProperties(text) },
          context: withSender({}, {}, sender).context ?? {},
        },
      ],
      now,
    )
  })
}
