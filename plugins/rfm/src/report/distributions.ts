import type { SeriesData } from '@huitou/plugin-api'
import type { Texts } from '../texts.ts'
import type { Snapshot } from './snapshot.ts'

const dayEdges = [8, 31, 61, 91, 181, 366]
const orderEdges = [2, 3, 4, 5, 6, 11]

/** How many customers bought how long ago. */
export function recencyBlock({ recencyDays }: Snapshot, texts: Texts): SeriesData {
  return histogram(recencyDays, dayEdges, texts, wholeRange('days', texts))
}

/** How many customers have how many orders. */
export function frequencyBlock({ orders }: Snapshot, texts: Texts): SeriesData {
  return histogram(orders, orderEdges, texts, wholeRange('orders', texts))
}

/** How many customers spent how much, in round amounts around the median. */
export function monetaryBlock({ spend }: Snapshot, texts: Texts, minorPerMajor: number): SeriesData {
  const sorted = spend.toSorted()
  const median = Math.max(1, (sorted[sorted.length >> 1] ?? 0) / minorPerMajor)
  const edges = roundAmounts(median / 8, median * 8).map((amount) => amount * minorPerMajor)
  return histogram(spend, edges, texts, (from, to) => {
    const range = { from: texts.money(from ?? 0), to: texts.money(to ?? 0) }
    return texts.text(
      from === undefined
        ? 'range.money.least'
        : to === undefined
          ? 'range.money.most'
          : 'range.money.between',
      range,
    )
  })
}

/** Counts values between edges; each edge belongs to the bar on its right. */
function histogram(
  values: Float64Array,
  edges: number[],
  texts: Texts,
  label: (from: number | undefined, to: number | undefined) => string,
): SeriesData {
  const counts = new Array<number>(edges.length + 1).fill(0)
  for (const value of values) {
    let bar = 0
    while (bar < edges.length && value >= edges[bar]!) bar++
    counts[bar]!++
  }
  return {
    kind: 'bar',
    type: 'integer',
    axis: 'category',
    categories: counts.map((_, bar) => label(edges[bar - 1], edges[bar])),
    series: [{ id: 'people', title: texts.text('measure.people'), color: 'chart-1', values: counts }],
  }
}

function wholeRange(
  unit: 'days' | 'orders',
  texts: Texts,
): (from: number | undefined, to: number | undefined) => string {
  return (from, edge) => {
    const to = edge === undefined ? undefined : edge - 1
    const range = { from: texts.number(from ?? 0), to: texts.number(to ?? 0) }
    if (to === undefined) return texts.text(`range.${unit}.most`, range)
    if (unit === 'orders' && to === 1) return texts.text('range.order')
    if (from === undefined) return texts.text(`range.${unit}.least`, range)
    return texts.text(from === to ? `range.${unit}.one` : `range.${unit}.between`, range)
  }
}

/** 1, 2 and 5 times powers of ten between two amounts. */
function roundAmounts(low: number, high: number): number[] {
  const amounts: number[] = []
  for (let power = 10 ** Math.floor(Math.log10(low)); power <= high; power *= 10) {
    for (const step of [1, 2, 5]) if (power * step >= low && power * step <= high) amounts.push(power * step)
  }
  return amounts.filter((amount) => amount >= 1)
}
