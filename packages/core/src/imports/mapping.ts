import {
  type AppError,
  type Mapping,
  type Recognition,
  type SourceField,
  userError,
} from '@huitou/plugin-api'

type Options = Mapping['options']

/** What a mapping is made for. */
export interface MappingTarget {
  headers: string[]
  fields: readonly SourceField[]
  recognitions: readonly Recognition[]
  /** The mapping in use; edits by heading change it. */
  present?: Mapping
}

/**
 * Reads a mapping in any of the forms that people and programs write:
 * `{ format, fields: { order_id: [0] } }` by column position,
 * `{ columns: { InvoiceNo: 'order_id', Country: null } }` by heading, as edits of the present mapping, or
 * `{ order_id: 'InvoiceNo', …, options: { currency: 'GBP' } }` by field.
 * A heading or field that does not exist is refused by name.
 */
export function readMapping(given: unknown, target: MappingTarget): Mapping {
  if (!isObject(given)) throw userError('E_MAPPING', 'A mapping must be a JSON object')
  const known = target.recognitions[0]?.mapping
  const format =
    typeof given['format'] === 'string' && given['format']
      ? given['format']
      : (target.present?.format ?? known?.format ?? 'custom')
  const present = startOf(format, target)
  const options = { ...present.options, ...readOptions(given['options']) }
  if (isObject(given['columns'])) {
    const start = isObject(given['fields']) ? fieldsByPosition(given['fields'], target) : present.fields
    return {
      format,
      fields: editFields(start, present.fields, { columns: given['columns'], target }),
      options,
    }
  }
  if (isObject(given['fields'])) return { format, fields: fieldsByPosition(given['fields'], target), options }
  const { format: _format, options: _options, ...byField } = given
  return {
    format,
    fields: Object.keys(byField).length > 0 ? fieldsByHeading(byField, target) : present.fields,
    options,
  }
}

/** Options that say something about the shop's files whatever their format. */
const LASTING = ['shop', 'currency', 'timeZone', 'dateOrder']

/**
 * What edits start from: the mapping in use, or, for another format than that, what was recognised of it. Of the
 * options, what somebody chose goes along where it says something about every format.
 */
function startOf(format: string, { present, recognitions }: MappingTarget): Mapping {
  const recognised = (wanted: string | undefined) =>
    recognitions.find((recognition) => recognition.format === wanted)?.mapping
  const own = recognised(format) ?? { format, fields: {}, options: {} }
  if (!present) return own
  if (present.format === format) return { ...present, options: { ...own.options, ...present.options } }
  const before = recognised(present.format)?.options
  const chosen = Object.entries(present.options).filter(
    ([name, value]) => LASTING.includes(name) && value !== before?.[name],
  )
  return { ...own, options: { ...own.options, ...Object.fromEntries(chosen) } }
}

/** Refuses to go on while a field that every row needs has no column. */
export function checkRequired(mapping: Mapping, fields: readonly SourceField[]): void {
  const missing = fields
    .filter(({ id, required }) => required && !(mapping.fields[id]?.length ?? 0))
    .map(({ id }) => id)
  if (missing.length === 0) return
  throw userError(
    'E_MAPPING_REQUIRED',
    `No column is chosen for ${missing.map((id) => `"${id}"`).join(', ')}`,
    {
      hint: 'Say which column holds it; without it no row can be imported.',
      details: { fields: missing },
    },
  )
}

/** Headings that tell apart columns of the same name: `运费`, `运费 (2)`. */
export function distinctHeadings(headers: readonly string[]): string[] {
  const counts = new Map<string, number>()
  return headers.map((header) => {
    const count = (counts.get(header) ?? 0) + 1
    counts.set(header, count)
    return count === 1 ? header : `${header} (${count})`
  })
}

/** Field of each column by its distinct heading; null where a column is left out. */
export function fieldsOfColumns(
  fields: Mapping['fields'],
  headers: readonly string[],
): Record<string, string | null> {
  const fieldOf = new Map<number, string>()
  for (const [field, positions] of Object.entries(fields)) {
    for (const position of positions) if (!fieldOf.has(position)) fieldOf.set(position, field)
  }
  return Object.fromEntries(
    distinctHeadings(headers).map((heading, position) => [heading, fieldOf.get(position) ?? null]),
  )
}

/** Applies to `start` what `columns` says otherwise than `present`: what it only repeats is no edit. */
function editFields(
  start: Mapping['fields'],
  present: Mapping['fields'],
  { columns, target }: { columns: Record<string, unknown>; target: MappingTarget },
): Mapping['fields'] {
  const before = fieldsOfColumns(present, target.headers)
  const fields: Mapping['fields'] = Object.fromEntries(
    Object.entries(start).map(([field, positions]) => [field, [...positions]]),
  )
  const headings = distinctHeadings(target.headers)
  for (const [heading, wanted] of Object.entries(columns)) {
    const field = wanted === null || wanted === '' ? null : String(wanted)
    const exact = headings.indexOf(heading)
    const position = exact >= 0 ? exact : (positionsOf(heading, target.headers)[0] as number)
    if (field !== null) checkField(field, target.fields)
    if (before[headings[position]!] === field) continue
    for (const [other, positions] of Object.entries(fields))
      fields[other] = positions.filter((taken) => taken !== position)
    if (field !== null) fields[field] = [...(fields[field] ?? []), position]
  }
  return Object.fromEntries(Object.entries(fields).filter(([, positions]) => positions.length > 0))
}

function fieldsByPosition(given: Record<string, unknown>, target: MappingTarget): Mapping['fields'] {
  const fields: Mapping['fields'] = {}
  for (const [field, value] of Object.entries(given)) {
    checkField(field, target.fields)
    const positions = (Array.isArray(value) ? value : [value]).map(Number)
    const wrong = positions.find(
      (position) => !Number.isInteger(position) || position < 0 || position >= target.headers.length,
    )
    if (wrong !== undefined) {
      throw userError(
        'E_MAPPING_COLUMN',
        `Column ${wrong} of "${field}" is not one of the ${target.headers.length} columns`,
        { hint: 'Columns are counted from 0.' },
      )
    }
    if (positions.length > 0) fields[field] = positions
  }
  return fields
}

function fieldsByHeading(given: Record<string, unknown>, target: MappingTarget): Mapping['fields'] {
  const fields: Mapping['fields'] = {}
  for (const [field, value] of Object.entries(given)) {
    if (value === null || value === '') continue
    checkField(field, target.fields)
    fields[field] = (Array.isArray(value) ? value : [value]).flatMap((heading: unknown) =>
      typeof heading === 'number'
        ? fieldsByPosition({ [field]: heading }, target)[field]!
        : positionsOf(String(heading), target.headers),
    )
  }
  return fields
}

function positionsOf(heading: string, headers: string[]): number[] {
  const distinct = distinctHeadings(headers).indexOf(heading)
  const same = positionsWhere(headers, (header) => header === heading)
  if (same.length > 0) return same
  if (distinct >= 0) return [distinct]
  const alike = positionsWhere(headers, (header) => plain(header) === plain(heading))
  if (alike.length > 0) return alike
  throw unknownName('E_MAPPING_HEADING', `The file has no column "${heading}"`, {
    name: heading,
    known: headers,
  })
}

function positionsWhere(headers: string[], fits: (header: string) => boolean): number[] {
  return headers.flatMap((header, position) => (fits(header) ? [position] : []))
}

function checkField(field: string, fields: readonly SourceField[]): void {
  if (fields.some(({ id }) => id === field)) return
  throw unknownName('E_MAPPING_FIELD', `There is no field "${field}"`, {
    name: field,
    known: fields.map(({ id }) => id),
  })
}

function readOptions(given: unknown): Options {
  if (!isObject(given)) return {}
  return Object.fromEntries(
    Object.entries(given).filter((entry): entry is [string, Options[string]] =>
      ['string', 'number', 'boolean'].includes(typeof entry[1]),
    ),
  )
}

/** An error that names what comes closest, so that a slip of the pen is mended at a glance. */
export function unknownName(
  code: string,
  message: string,
  { name, known }: { name: string; known: readonly string[] },
): AppError {
  const near = known
    .map((candidate) => ({ candidate, distance: distance(plain(candidate), plain(name)) }))
    .filter(
      ({ candidate, distance }) =>
        distance <= Math.max(2, candidate.length / 3) || plain(candidate).includes(plain(name)),
    )
    .toSorted((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ candidate }) => candidate)
  const all = known.slice(0, 30).map((candidate) => `"${candidate}"`)
  return userError(code, message, {
    hint:
      near.length > 0
        ? `Did you mean ${near.map((candidate) => `"${candidate}"`).join(' or ')}?`
        : `There are ${all.join(', ')}${known.length > 30 ? ' …' : ''}.`,
    details: { name, near },
  })
}

function plain(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[\s_\-"'=]/g, '')
}

/** Insertions, deletions and replacements that turn `a` into `b`. */
function distance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const current = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      current.push(Math.min(replaced, previous[j]! + 1, current[j - 1]! + 1))
    }
    previous = current
  }
  return previous[b.length]!
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
