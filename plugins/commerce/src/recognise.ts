import type { FileSample, Mapping, Recognition } from '@huitou/plugin-api'
import { cleanCell, headingKey } from './cells.ts'
import { CUSTOMER_FIELDS, FIELD_IDS, TIME_FIELDS, type FieldId } from './fields.ts'
import type { OrderFormat } from './formats/format.ts'
import { generic } from './formats/generic.ts'
import { knownFormats } from './formats/known.ts'
import { guessFields, type Guess } from './guess.ts'
import { DOUBT_TEXTS } from './texts.ts'
import { dateOrderOf, isYearLast } from './times.ts'

export interface BrandDefaults {
  currency: string
  timeZone: string
}

/**
 * Formats that could have written the sample, best first: those whose fingerprint fits, then a guess by headings and
 * values. Empty when the file does not even show a time and something to count.
 */
export function recogniseOrders(sample: FileSample, brand: BrandDefaults): Recognition[] {
  const keys = sample.headers.map(headingKey)
  const found: Recognition[] = []
  for (const format of knownFormats) {
    const fits = format.fingerprints.some((headings) =>
      headings.every((heading) => keys.includes(headingKey(heading))),
    )
    if (!fits) continue
    const fields = fieldsOf(format, keys)
    const used = new Set(Object.values(fields).flat()).size
    found.push(
      settle(
        format,
        { fields, doubts: [] },
        { sample, brand, confidence: 0.9 + 0.1 * (used / Math.max(keys.length, 1)) },
      ),
    )
  }
  found.sort((a, b) => mappedColumns(b.mapping) - mappedColumns(a.mapping))
  for (const [place, recognition] of found.entries()) recognition.confidence -= place * 0.05
  const guess = guessFields(sample)
  const confidence = confidenceOf(guess)
  if (confidence > 0) {
    found.push(
      settle(generic, guess, {
        sample,
        brand,
        confidence: found.length > 0 ? Math.min(confidence, 0.3) : confidence,
      }),
    )
  }
  return found
}

/** Columns of a format's fields in this file; of equal headings the first. */
function fieldsOf(format: OrderFormat, keys: string[]): Mapping['fields'] {
  const fields: Mapping['fields'] = {}
  for (const field of FIELD_IDS) {
    const positions = (format.fields[field] ?? [])
      .map((heading) => keys.indexOf(headingKey(heading)))
      .filter((position) => position >= 0)
    if (positions.length > 0) fields[field] = [...new Set(positions)]
  }
  return fields
}

function settle(
  format: OrderFormat,
  guess: Guess,
  facts: { sample: FileSample; brand: BrandDefaults; confidence: number },
): Recognition {
  const { sample, brand } = facts
  const options: Mapping['options'] = {
    shop: format.platform === 'file' ? '' : format.platform,
    currency: format.currency ?? brand.currency,
    timeZone: format.timeZone ?? brand.timeZone,
    receiverIdentifies: true,
    withoutCustomer: namesCustomer(guess.fields) ? 'skip' : (format.withoutCustomer ?? 'skip'),
  }
  const doubts = [...guess.doubts]
  for (const field of TIME_FIELDS) {
    for (const column of guess.fields[field] ?? []) {
      const cells = sample.rows.map((row) => cleanCell(row.cells[column]))
      if (!cells.some(isYearLast)) continue
      const order = dateOrderOf(cells)
      if (order === undefined || order === 'conflict') {
        doubts.push({ column, reason: DOUBT_TEXTS[order === 'conflict' ? 'dateConflict' : 'dateOrder'] })
      }
      if (order === 'dmy' || order === 'mdy') options.dateOrder ??= order
    }
  }
  if (doubts.length > 0 && options.dateOrder === undefined && guess.fields.created_at)
    options.dateOrder = 'mdy'
  return {
    format: format.id,
    title: format.title,
    confidence: Math.round(facts.confidence * 100) / 100,
    mapping: { format: format.id, fields: guess.fields, options },
    doubts,
  }
}

function namesCustomer(fields: Mapping['fields']): boolean {
  return CUSTOMER_FIELDS.some((field) => field !== 'address' && fields[field])
}

function mappedColumns({ fields }: Mapping): number {
  return new Set(Object.values(fields).flat()).size
}

function confidenceOf({ fields, doubts }: Guess): number {
  const has = (...ids: FieldId[]) => ids.some((id) => fields[id])
  if (!has('created_at', 'paid_at') || !has('total', 'payable', 'unit_price', 'line_total', 'order_id'))
    return 0
  let confidence = 0.3
  if (has('order_id')) confidence += 0.2
  if (namesCustomer(fields)) confidence += 0.2
  if (has('total', 'payable', 'unit_price', 'line_total')) confidence += 0.1
  return Math.max(0.2, confidence - doubts.length * 0.05)
}
