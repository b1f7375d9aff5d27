import { sql } from 'kysely'
import type { CoreContext } from '../context.ts'
import type { Text } from '../points/points.ts'
import { readColumns } from '../profiles/columns.ts'
import type { CarryingChannel } from './template-message.ts'
import type { JourneyTemplate } from './template.ts'

/** Something that a template needs and the shop does not have. */
export interface MissingNeed {
  kind: 'channel' | 'column' | 'event' | 'action'
  id: string
  hint: Text
}

/** What the shop has of all that templates may need. */
export interface Supplies {
  addresses: ReadonlySet<string>
  channels: readonly CarryingChannel[]
  columns: ReadonlySet<string>
  /** Events that were seen at least once. */
  events: ReadonlySet<string>
  actions: ReadonlySet<string>
}

export async function readSupplies(
  { database, points }: Pick<CoreContext, 'database' | 'points'>,
  { templates, channels }: { templates: readonly JourneyTemplate[]; channels: readonly CarryingChannel[] },
): Promise<Supplies> {
  const wanted = [...new Set(templates.flatMap(({ value }) => value.needs?.events ?? []))]
  const seen = await Promise.all(
    wanted.map(async (name) => {
      const { rows } = await sql`select 1 from timeline where name = ${name} limit 1`.execute(
        database.analytics,
      )
      return rows.length > 0 ? [name] : []
    }),
  )
  return {
    channels,
    addresses: new Set(points.channels.list().map(({ value }) => value.address)),
    columns: new Set((await readColumns(database.db)).map(({ name }) => name)),
    events: new Set(seen.flat()),
    actions: new Set(points.actions.list().map(({ id }) => id)),
  }
}

/** What keeps the template from doing anything; each with what to do about it. */
export function missingNeeds({ value }: JourneyTemplate, supplies: Supplies): MissingNeed[] {
  const { channels = [], columns = [], events = [], actions = [] } = value.needs ?? {}
  const missing: MissingNeed[] = []
  const nodes = Object.values((value.definition['nodes'] ?? {}) as Record<string, Record<string, unknown>>)
  if (nodes.some((node) => node['message'] !== undefined) && supplies.channels.length === 0)
    missing.push({ kind: 'channel', id: '*', hint: HINTS.anyChannel })
  for (const id of channels)
    if (!supplies.addresses.has(id)) missing.push({ kind: 'channel', id, hint: HINTS.channel(id) })
  for (const id of columns)
    if (!supplies.columns.has(id)) missing.push({ kind: 'column', id, hint: HINTS.column(id) })
  for (const id of events)
    if (!supplies.events.has(id)) missing.push({ kind: 'event', id, hint: HINTS.event(id) })
  for (const id of actions)
    if (!supplies.actions.has(id)) missing.push({ kind: 'action', id, hint: HINTS.action(id) })
  return missing
}

const HINTS = {
  anyChannel: {
    en: 'No channel is set up yet: switch the sandbox on under Extensions, or set up a channel.',
    'zh-CN': '还没有可用的渠道：请在“扩展”中启用沙箱渠道，或接通一个渠道。',
  },
  channel: (address: string): Text => ({
    en: `No channel reaches customers by ${address}: enable one under Extensions.`,
    'zh-CN': `没有渠道能通过 ${address} 触达客户：请在“扩展”中启用相应渠道。`,
  }),
  column: (column: string): Text =>
    column.startsWith('t_')
      ? {
          en: `No customer has ${column.slice(2)} yet: import it, or send it as a trait.`,
          'zh-CN': `还没有客户填写 ${column.slice(2)}：请导入该资料，或通过接口作为客户属性上报。`,
        }
      : {
          en: `There is no column ${column}: the plugin that fills it is not enabled.`,
          'zh-CN': `没有列 ${column}：请启用提供它的插件。`,
        },
  event: (event: string): Text => ({
    en: `The event ${event} has never arrived: import it, or send it from your shop.`,
    'zh-CN': `从未收到过事件 ${event}：请导入，或由店铺系统上报。`,
  }),
  action: (action: string): Text => ({
    en: `There is no action ${action}: enable the plugin that does it.`,
    'zh-CN': `没有动作 ${action}：请启用提供它的插件。`,
  }),
}
