import { AppError, permissionError, type SourceEvent, userError } from '@huitou/plugin-api'
import type { CoreContext } from '../context.ts'
import type { EventLog } from '../events/append.ts'
import { BATCH_LIMIT, type NewEvent, normalizeMessage } from '../events/normalize.ts'
import { isGranted, type Reader } from '../points/grants.ts'

type Context = Pick<CoreContext, 'clock' | 'points'> & { events: EventLog }

const APPEND_LIMIT = 1_000

/** Name under which a plugin's events stand in the log. */
export function pluginSource(pluginId: string): string {
  return `plugin:${pluginId}`
}

/**
 * Appends events of a plugin to the log like any other sender's: same checks, same limits, each message id once. All
 * of them or none. An alias needs the grant for the event that it stands for.
 */
export async function appendPluginEvents(
  context: Context,
  reader: Reader,
  events: readonly SourceEvent[],
): Promise<{ accepted: number; duplicates: number }> {
  if (!Array.isArray(events) || events.length > APPEND_LIMIT)
    throw userError('E_BATCH', `A plugin appends at most ${APPEND_LIMIT} events at once`)
  if (JSON.stringify(events).length > BATCH_LIMIT)
    throw userError('E_BODY_TOO_LARGE', `Events appended at once may hold ${BATCH_LIMIT / 1_024} KB`, {
      status: 413,
      hint: 'Append smaller lists.',
    })
  const canonical = canonicalNames(context)
  const rows = events.map((event, index) => {
    for (const name of namesOf(event, canonical))
      if (!isGranted(reader, 'events.append', name)) throw permissionError(reader.id, 'events.append', name)
    return toRow(event, { index, pluginId: reader.id, receivedAt: context.clock.now() })
  })
  return await context.events.append(rows)
}

function toRow(
  event: SourceEvent,
  { index, pluginId, receivedAt }: { index: number; pluginId: string; receivedAt: number },
): NewEvent {
  const { externalIds, version, ...message } = event
  const row = normalizeMessage(
    {
      ...message,
      context: { ...(externalIds ? { externalIds } : {}), ...(version === undefined ? {} : { version }) },
    },
    { source: pluginSource(pluginId), receivedAt },
  )
  if (!(row instanceof AppError)) return row
  throw userError(
    row.code,
    `Event ${index} cannot be appended: ${row.message}`,
    row.hint ? { hint: row.hint } : {},
  )
}

/** The name as given and the canonical one: both have to be granted, or an alias would get around the grant. */
function namesOf({ type, event }: SourceEvent, canonical: ReadonlyMap<string, string>): string[] {
  if (type === 'identify') return ['profile.updated']
  const name = String(event).trim()
  const meant = canonical.get(name)
  return meant === undefined || meant === name ? [name] : [meant, name]
}

function canonicalNames({ points }: Context): Map<string, string> {
  return new Map(
    points.eventTypes
      .list()
      .flatMap(({ value }) => (value.aliases ?? []).map((alias) => [alias, value.name] as const)),
  )
}
