import type { CollectionField, RecordFilter } from '@huitou/admin-kit'

/** One chosen filter of a list: a field and what it should be. */
export interface ChosenFilter {
  field: string
  op: string
  value?: string | number | boolean | (string | number)[]
}

/** Ready answers for a kind of field, by name of their words below `pluginViews.filters`. */
export function presetsOf(
  { kind }: Pick<CollectionField, 'kind'>,
  today: string,
): { key: string; filter: Omit<ChosenFilter, 'field'> }[] {
  const blank = [
    { key: 'blank', filter: { op: 'is_not_set' } },
    { key: 'filled', filter: { op: 'is_set' } },
  ]
  if (kind === 'boolean') {
    return [
      { key: 'yes', filter: { op: 'is', value: true } },
      { key: 'no', filter: { op: 'is', value: false } },
    ]
  }
  if (kind !== 'date' && kind !== 'datetime') return blank
  const day = (offset: number) => addDays(today, offset)
  return [
    { key: 'past', filter: { op: 'lt', value: today } },
    { key: 'today', filter: { op: 'between', value: [today, kind === 'date' ? today : day(1)] } },
    { key: 'next7', filter: { op: 'between', value: [today, day(7)] } },
    { key: 'last30', filter: { op: 'between', value: [day(-30), kind === 'date' ? today : day(1)] } },
    ...blank,
  ]
}

/** What somebody typed as a filter: `>5`, `5-9`, a number, or words to look for; whole ones where they are encrypted. */
export function typedFilter(
  { kind, sealed }: Pick<CollectionField, 'kind'> & { sealed?: boolean },
  text: string,
  digits = 0,
): Omit<ChosenFilter, 'field'> | undefined {
  const typed = text.trim()
  if (typed === '') return undefined
  if (kind === 'text' || kind === 'choice') return { op: sealed ? 'is' : 'contains', value: typed }
  if (kind === 'date') return /^\d{4}-\d\d-\d\d$/.test(typed) ? { op: 'is', value: typed } : undefined
  if (!['integer', 'number', 'money'].includes(kind)) return undefined
  const scale = kind === 'money' ? 10 ** digits : 1
  const [, sign, first = '', second] =
    /^(>=|<=|>|<)?\s*(-?\d+(?:\.\d+)?)(?:\s*(?:-|–|~|至)\s*(\d+(?:\.\d+)?))?$/.exec(typed) ?? []
  if (first === '') return undefined
  const from = Number(first) * scale
  if (second !== undefined) return { op: 'between', value: [from, Number(second) * scale] }
  const signs: Record<string, string> = { '>=': 'gte', '<=': 'lte', '>': 'gt', '<': 'lt' }
  return { op: (sign && signs[sign]) || 'is', value: from }
}

/** Chosen filters as the server takes them. */
export function toRecordFilter(chosen: readonly ChosenFilter[]): RecordFilter | undefined {
  if (chosen.length === 0) return undefined
  return {
    all: chosen.map(({ field, op, value }) => ({ field, op, ...(value === undefined ? {} : { value }) })),
  }
}

/** Chosen filters out of an address; what is none is left out. */
export function readChosen(text: unknown, fields: readonly CollectionField[]): ChosenFilter[] {
  if (typeof text !== 'string') return []
  try {
    const parsed: unknown = JSON.parse(text)
    if (!Array.isArray(parsed)) return []
    return (parsed as ChosenFilter[]).filter(
      (each) => typeof each?.op === 'string' && fields.some(({ name }) => name === each.field),
    )
  } catch {
    return []
  }
}

/** `YYYY-MM-DD` some days later. */
export function addDays(date: string, days: number): string {
  const time = new Date(`${date}T00:00:00Z`)
  time.setUTCDate(time.getUTCDate() + days)
  return time.toISOString().slice(0, 10)
}
