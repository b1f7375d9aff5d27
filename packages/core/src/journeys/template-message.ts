import type { JsonSchema } from '@huitou/plugin-api'
import type { Db } from '../db/database.ts'
import type { Points, Text } from '../points/points.ts'
import { isText, localizedContent } from './template-texts.ts'

/** What a template says, whatever channel carries it. */
interface Message {
  title?: string | Text
  text: string | Text
  url?: string
  html?: string | Text
}

/** A channel that free text can go out by. */
export interface CarryingChannel {
  id: string
  title: Text
  address: string
  content: JsonSchema
}

/** Fields that take the parts of a message, by the names that channels give them. */
const FIELDS = { title: ['title', 'subject'], text: ['text'], html: ['html'], url: ['url'] } as const

/**
 * Channels that the brand has set up and that can carry a message of a template, oldest account first. While there is
 * none, those that reach nobody stand in.
 */
export async function carryingChannels(
  db: Db,
  { channels }: Pick<Points, 'channels'>,
): Promise<CarryingChannel[]> {
  const accounts = await db
    .selectFrom('channel_accounts')
    .select(['channel', 'active'])
    .orderBy('created_at')
    .orderBy('id')
    .execute()
  const order = [...new Set(accounts.map(({ channel }) => channel))]
  const carrying = channels
    .list()
    .filter(({ value }) => carries(value.content ?? {}))
    .toSorted((a, b) => rank(order, a.id) - rank(order, b.id))
  const isOff = (id: string) => {
    const own = accounts.filter(({ channel }) => channel === id)
    return own.length > 0 && own.every(({ active }) => active === 0)
  }
  const usable = carrying.filter(({ id }) => !isOff(id))
  const setUp = usable.filter(({ id, value }) => value.sandbox !== true && order.includes(id))
  const chosen = setUp.length > 0 ? setUp : usable.filter(({ value }) => value.sandbox === true)
  return chosen.map(({ id, owner, value }) => ({
    id,
    title: owner.text(value.title),
    address: value.address,
    content: value.content ?? {},
  }))
}

function rank(order: readonly string[], id: string): number {
  const at = order.indexOf(id)
  return at < 0 ? order.length : at
}

/** A channel that only sends what somebody approved beforehand carries no free text. */
function carries(content: JsonSchema): boolean {
  const fields = Object.keys((content['properties'] ?? {}) as object)
  const required = (content['required'] as string[] | undefined) ?? []
  const known = new Set<string>([...Object.values(FIELDS).flat(), 'purpose'])
  return fields.includes('text') && required.every((field) => known.has(field))
}

/** `definition` with each `message` of a `send` step turned into routes over `channels`. */
export function withRoutes(
  definition: Readonly<Record<string, unknown>>,
  channels: readonly CarryingChannel[],
  locale: keyof Text,
): Record<string, unknown> {
  const nodes = (definition['nodes'] ?? {}) as Record<string, Record<string, unknown>>
  const routed = Object.entries(nodes).map(([id, node]) => {
    if (node['type'] !== 'send' || node['message'] === undefined) return [id, node]
    const { message, ...rest } = node
    const routes = channels.map((channel) => ({
      channel: channel.id,
      content: localizedContent(
        toContent(message as Message, channel.content, String(rest['purpose'] ?? 'marketing')),
        locale,
      ),
    }))
    const [first, ...alternatives] = routes
    // Named so that whoever publishes it reads what is missing.
    return [
      id,
      { ...rest, ...(first ?? { channel: 'none', content: {} }), alternatives: alternatives.slice(0, 5) },
    ]
  })
  return { ...definition, nodes: Object.fromEntries(routed) }
}

function toContent(message: Message, schema: JsonSchema, purpose: string): Record<string, unknown> {
  const fields = Object.keys((schema['properties'] ?? {}) as object)
  const required = (schema['required'] as string[] | undefined) ?? []
  const content: Record<string, unknown> = {}
  for (const [part, names] of Object.entries(FIELDS)) {
    const value = message[part as keyof Message]
    const field = names.find((name) => fields.includes(name))
    if (field !== undefined && value !== undefined && value !== '') content[field] = value
  }
  // Whoever shows no link of its own says it at the end.
  if (message.url && !fields.includes('url')) content['text'] = each(message.text, withLink(message.url))
  for (const name of FIELDS.title)
    if (required.includes(name) && content[name] === undefined) content[name] = each(message.text, firstLine)
  if (fields.includes('purpose')) content['purpose'] = purpose
  return content
}

function each(text: string | Text, change: (text: string) => string): string | Text {
  return isText(text) ? { en: change(text.en), 'zh-CN': change(text['zh-CN']) } : change(text)
}

function withLink(url: string): (text: string) => string {
  return (text) => `${text}\n${url}`
}

function firstLine(text: string): string {
  return (text.split('\n')[0] ?? '').slice(0, 120)
}
