import type { CustomersBehind, HeatmapData } from '@huitou/plugin-api'
import { scoreCount } from '../bins.ts'
import { segmentIds } from '../segments.ts'
import type { Texts } from '../texts.ts'
import type { Snapshot } from './snapshot.ts'

const scores = Array.from({ length: scoreCount }, (_, index) => index + 1)

/** The heat map of R by F, F5 on top; `linked` when a field's customers can be found by their columns. */
export function gridBlock(snapshot: Snapshot, texts: Texts, linked: boolean): HeatmapData {
  const fields = countFields(snapshot)
  const rows = scores.toReversed()
  const each = <T>(make: (field: Field, r: number, f: number) => T): T[][] =>
    rows.map((f) => scores.map((r) => make(fields[(r - 1) * scoreCount + f - 1]!, r, f)))
  return {
    kind: 'heatmap',
    x: scores.map((r) => ({
      id: String(r),
      title: `R${r}`,
      note: rangeNote(rangeOf(snapshot.recencyDays, snapshot.r, r), r, 'days', texts),
    })),
    y: rows.map((f) => ({
      id: String(f),
      title: `F${f}`,
      note: rangeNote(rangeOf(snapshot.orders, snapshot.f, f), f, 'orders', texts),
    })),
    measures: [
      {
        id: 'people',
        title: texts.text('measure.people'),
        type: 'integer',
        values: each(({ people }) => people),
      },
      {
        id: 'mean_spend',
        title: texts.text('measure.mean_spend'),
        type: 'money',
        values: each(({ people, spend }) => (people === 0 ? null : Math.round(spend / people))),
      },
      {
        id: 'repurchase',
        title: texts.text('measure.repurchase'),
        type: 'percent',
        values: each(({ people, repeaters }) => (people === 0 ? null : repeaters / people)),
      },
    ],
    labels: each(({ segments }) => dominantTitle(segments, texts)),
    ...(linked ? { behind: each<CustomersBehind | null>((_, r, f) => ({ rfm_r: r, rfm_f: f })) } : {}),
  }
}

interface Field {
  people: number
  spend: number
  repeaters: number
  /** People by segment index. */
  segments: number[]
}

function countFields({ r, f, orders, spend, segments }: Snapshot): Field[] {
  const fields = Array.from({ length: scoreCount ** 2 }, (): Field => ({
    people: 0,
    spend: 0,
    repeaters: 0,
    segments: segmentIds.map(() => 0),
  }))
  for (let row = 0; row < r.length; row++) {
    const field = fields[(r[row]! - 1) * scoreCount + f[row]! - 1]!
    field.people++
    field.spend += spend[row]!
    if (orders[row]! > 1) field.repeaters++
    if (segments[row]! >= 0) field.segments[segments[row]!]!++
  }
  return fields
}

function dominantTitle(segments: number[], texts: Texts): string | null {
  const most = Math.max(...segments)
  return most === 0 ? null : texts.text(`segment.${segmentIds[segments.indexOf(most)]!}`)
}

interface Range {
  from: number
  to: number
}

/** Smallest and largest value among those with a score; `undefined` when nobody has it. */
function rangeOf(values: Float64Array, scores: Uint8Array, score: number): Range | undefined {
  let from = Number.POSITIVE_INFINITY
  let to = Number.NEGATIVE_INFINITY
  for (let row = 0; row < values.length; row++) {
    if (scores[row] !== score) continue
    from = Math.min(from, values[row]!)
    to = Math.max(to, values[row]!)
  }
  return from > to ? undefined : { from, to }
}

/** What a score stands for, such as "19–47 days". R runs the other way: few days score high. */
function rangeNote(range: Range | undefined, score: number, unit: 'days' | 'orders', texts: Texts): string {
  if (!range) return ''
  const values = { from: texts.number(range.from), to: texts.number(range.to) }
  const [leastScore, mostScore] = unit === 'days' ? [scoreCount, 1] : [1, scoreCount]
  if (score === mostScore) return texts.text(`range.${unit}.most`, values)
  if (score === leastScore && unit === 'days') return texts.text('range.days.least', values)
  if (range.from < range.to) {
    return texts.text(score === leastScore ? `range.${unit}.least` : `range.${unit}.between`, values)
  }
  return unit === 'orders' && range.from === 1
    ? texts.text('range.order')
    : texts.text(`range.${unit}.one`, values)
}
