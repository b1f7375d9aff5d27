import { useColumns, useFormat, useLocalized } from '@huitou/admin-kit'
import type { TimelineEntry } from '@huitou/admin-kit'
import { useI18n } from 'vue-i18n'
import { stateLooks } from '../messages/delivery-states.ts'
import { useChannels } from '../messages/use-channels.ts'
import { useDeliveryWords } from '../messages/use-delivery-words.ts'
import { itemsOf, orderIdOf } from './orders.ts'

/** An event of a customer with what it was about, in the reader's language, and how it looks on the timeline. */
export function useEventWords(customerId: () => string) {
  const { t, te } = useI18n()
  const format = useFormat()
  const localized = useLocalized()
  const { findEvent, propertyTitle } = useColumns()
  const { channelName } = useChannels()
  const { why } = useDeliveryWords()

  function titleOf(item: TimelineEntry): string {
    return localized(findEvent(item.name)?.title) || item.name
  }

  /** State of a message that an event tells of. */
  function lookOf({ name }: TimelineEntry) {
    return name.startsWith('message.')
      ? (stateLooks as Partial<Record<string, (typeof stateLooks)['sent']>>)[name.slice(8)]
      : undefined
  }

  function iconOf(item: TimelineEntry): string {
    const { name } = item
    const own = findEvent(name)?.icon || lookOf(item)?.icon
    if (own) return own
    if (name.startsWith('journey.')) return 'route'
    return name.startsWith('task.') ? 'headset' : 'activity'
  }

  function toneOf(item: TimelineEntry): string {
    const tone = lookOf(item)?.tone
    if (tone) return tone === 'danger' ? 'warn' : tone === 'success' ? 'ok' : tone === 'warning' ? 'warn' : ''
    if (item.name === 'order.refunded' || /failed|cancel|closed|overdue|escalated/.test(item.name))
      return 'warn'
    return item.name.startsWith('order.') ? 'ok' : ''
  }

  /** What the event is about, in a line: products, shop, order number, or its plain properties. */
  function detailOf(item: TimelineEntry): string {
    const { channel, reason, detail } = item.properties
    if (item.name.startsWith('message.') || item.name.startsWith('consent.')) {
      return [
        typeof channel === 'string' && channelName(channel),
        typeof reason === 'string' && (item.name.startsWith('message.') ? why(reason, null) : reason),
        typeof detail === 'string' && detail,
      ]
        .filter(Boolean)
        .join(' · ')
    }
    if (item.name.startsWith('journey.')) return journeyDetail(item)
    // Which task it was says the link; where it lies, the workbench.
    if (item.name.startsWith('task.')) return ''
    const items = itemsOf(item)
    const product =
      items[0] &&
      (items.length > 1
        ? t('customers.items', {
            title: items[0].title,
            n: items.reduce((sum, one) => sum + one.quantity, 0),
          })
        : items[0].title)
    const order = orderIdOf(item)
    const known = [product, item.properties['shop'], order && t('customers.order', { id: order })].filter(
      (part): part is string => typeof part === 'string' && part !== '',
    )
    if (known.length > 0) return known.join(' · ')
    // What was said says more than the numbers of the talk.
    const said = item.properties['text']
    if (typeof said === 'string' && said !== '') return said
    return Object.entries(item.properties)
      .filter(([key, value]) => key !== 'journey_id' && ['string', 'number'].includes(typeof value))
      .filter(([, value]) => value !== '')
      .slice(0, 4)
      .map(([key, value]) =>
        ['title', 'name', 'category'].includes(key)
          ? String(value)
          : `${localized(propertyTitle(item.name, key))} ${plainText(value)}`,
      )
      .join(' · ')
  }

  /** Its name as it was then, and why the customer left. */
  function journeyDetail({ properties: { journey, reason } }: TimelineEntry): string {
    const why = `customers.journeys.ends.${String(reason)}`
    return [journey, te(why) && t(why)].filter((part) => typeof part === 'string').join(' · ')
  }

  function plainText(value: unknown): string {
    const isMoment = typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value)
    return isMoment ? format.dateTime(Date.parse(value)) : String(value)
  }

  /** Where the whole story of a message or a task is. */
  function storyOf(item: TimelineEntry) {
    const task = item.properties['task_id']
    if (item.name.startsWith('task.') && typeof task === 'number') return { path: `/workbench/${task}` }
    const journey = item.properties['journey_id']
    if (item.name.startsWith('journey.') && typeof journey === 'string')
      return { path: `/journeys/${journey}` }
    const id = item.properties['delivery_id']
    return typeof id === 'number'
      ? { path: '/messages', query: { customerId: customerId(), period: 'all', delivery: String(id) } }
      : undefined
  }

  function valueOf(item: TimelineEntry): string {
    if (item.value == null) return ''
    return findEvent(item.name)?.money ? format.money(item.value) : format.number(item.value, { decimals: 2 })
  }

  return (item: TimelineEntry) => ({
    ...item,
    title: titleOf(item),
    icon: iconOf(item),
    tone: toneOf(item),
    detail: detailOf(item),
    story: storyOf(item),
    amount: valueOf(item),
  })
}
