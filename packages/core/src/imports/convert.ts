import {
  AppError,
  type Conversion,
  type Mapping,
  type RowGroup,
  type RowProblem,
  type Source,
  type SourceEvent,
} from '@huitou/plugin-api'
import { type NewEvent, normalizeMessage } from '../events/normalize.ts'

/** Source under which imported events stand in the log; message ids are unique within it. */
export const IMPORT_SOURCE = 'import'

/** Everything that decides what rows turn into: the same converter gives the same events for the same rows. */
export interface Converter {
  convert: NonNullable<Source['convert']>
  mapping: Mapping
  headers: string[]
  /** Stands for "now" where an event's own time cannot be right. */
  receivedAt: number
}

export interface Converted {
  events: NewEvent[]
  /** What each event was made of. */
  sources: SourceEvent[]
  problems: RowProblem[]
}

/**
 * Events of whole groups, ready for the log, and the rows that could not become any. A group on which the source
 * fails costs that group only; when it fails on every group, the failure is thrown.
 */
export async function convertGroups(groups: RowGroup[], converter: Converter): Promise<Converted> {
  if (groups.length === 0) return { events: [], sources: [], problems: [] }
  const { events, problems } = await convertSafely(groups, converter)
  const converted: Converted = { events: [], sources: [], problems: [...problems] }
  const refused: { event: SourceEvent; error: AppError }[] = []
  for (const event of events) {
    const row = toNewEvent(event, IMPORT_SOURCE, converter.receivedAt)
    if (row instanceof AppError) refused.push({ event, error: row })
    else {
      converted.events.push(row)
      converted.sources.push(event)
    }
  }
  if (refused.length > 0) converted.problems.push(...(await locate(refused, groups, converter)))
  return converted
}

/** The event as a row for the log, or what is wrong with it. */
export function toNewEvent(event: SourceEvent, source: string, receivedAt: number): NewEvent | AppError {
  if (typeof event.messageId !== 'string' || event.messageId === '') {
    return new AppError('bug', 'E_EVENT_MESSAGE_ID', 'An imported event needs a message id of its own')
  }
  const { externalIds, version } = event
  return normalizeMessage({ ...event, context: { externalIds, version } }, { source, receivedAt })
}

async function convertSafely(
  groups: RowGroup[],
  { convert, mapping, headers }: Converter,
): Promise<Conversion> {
  try {
    return await convert(groups, mapping, headers)
  } catch (error) {
    if (groups.length === 1) throw error
    const conversion: Conversion = { events: [], problems: [] }
    let failed = 0
    for (const group of groups) {
      try {
        const { events, problems } = await convert([group], mapping, headers)
        conversion.events.push(...events)
        conversion.problems.push(...problems)
      } catch (cause) {
        failed++
        const message = cause instanceof Error ? cause.message : String(cause)
        for (const { row } of group.rows)
          conversion.problems.push({ row, code: 'E_ROW_CONVERT', message, outcome: 'skipped' })
      }
    }
    if (failed === groups.length) throw error
    return conversion
  }
}

/** Finds the rows of events that the log does not take, by converting their groups one at a time. */
async function locate(
  refused: { event: SourceEvent; error: AppError }[],
  groups: RowGroup[],
  { convert, mapping, headers }: Converter,
): Promise<RowProblem[]> {
  const rowOf = new Map<string, number>()
  for (const group of groups) {
    const { events } = await convert([group], mapping, headers)
    for (const { messageId } of events) rowOf.set(messageId, group.rows[0]?.row ?? 0)
  }
  return refused.map(({ event, error }) => ({
    row: rowOf.get(event.messageId) ?? 0,
    code: error.code,
    message: error.message,
    value: event.messageId,
    outcome: 'skipped',
  }))
}
