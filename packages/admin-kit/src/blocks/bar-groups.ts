import type { CustomersBehind, SeriesData, TableColumn, TableData } from '@huitou/plugin-api'
import { isComparison, seriesColor } from './block-context.ts'
import type { ValueLabel } from './block-context.ts'

/** One lying bar, with a mark where it stood before and figures behind it. */
export interface Bar {
  name: string
  color: string
  value: number | null
  before: number | null
  behind: CustomersBehind | undefined
  /** Further columns, in their order. */
  more: (number | null)[]
}

export interface BarGroups {
  valueTitle: string
  beforeTitle: string | undefined
  type: SeriesData['type']
  /** Heads of the further columns. */
  more: { title: string; type: SeriesData['type'] }[]
  groups: { name: string; color: string; bars: Bar[] }[]
}

type LabelOf = ((column: string, value: string) => ValueLabel | undefined) | undefined

/** Bars of a series of few categories; what is behind a bar tells its label, and with it its colour and group. */
export function seriesBars(data: SeriesData, labelOf: LabelOf, shareTitle: string): BarGroups {
  const main = data.series.find((series) => !isComparison(series)) ?? data.series[0]
  const before = data.series.find((series) => series !== main && isComparison(series))
  const sum = (main?.values ?? []).reduce<number>((all, value) => all + (value ?? 0), 0)
  const hasShare = data.type === 'integer' && sum > 0
  const bars = data.categories.map((category, at) => {
    const behind = data.behind?.[at] ?? undefined
    const label = labelBehind(behind, labelOf)
    const value = main?.values[at] ?? null
    return {
      group: label?.group ?? '',
      bar: {
        name: label?.title ?? category,
        color: seriesColor(label?.color ?? main?.color),
        value,
        behind,
        before: before?.values[at] ?? null,
        more: hasShare ? [(value ?? 0) / sum] : [],
      },
    }
  })
  return {
    valueTitle: main?.title ?? '',
    beforeTitle: before?.title,
    type: data.type,
    more: hasShare ? [{ title: shareTitle, type: 'percent' }] : [],
    groups: gather(bars),
  }
}

/**
 * Reads a table as bars when that is what it is: a few named rows with how many there are `now` and were `before`,
 * and no difference column of its own. Undefined for any other table.
 */
export function tableBars(data: TableData): BarGroups | undefined {
  const find = (id: string) => data.columns.find((column) => column.id === id)
  const [now, before] = [find('now'), find('before')]
  const words = data.columns.filter((column) => column.type === 'text' || column.type === 'label')
  const isList = words.length === 1 || words.length === 2
  if (!now || !before || !isList || data.rows.length > 20 || data.columns.some(isDifference)) return undefined
  const name = words.at(-1)!
  const group = words.length === 2 ? words[0]! : undefined
  const more = data.columns.filter(
    (column) => ![now, before, ...words].includes(column) && column.type === 'percent',
  )
  const bars = data.rows.map((row) => ({
    group: group ? String(row[group.id] ?? '') : '',
    bar: {
      name: String(row[name.id] ?? ''),
      color: seriesColor(name.colors?.[String(row[name.id])]),
      value: figure(row[now.id]),
      before: figure(row[before.id]),
      behind: row.$behind,
      more: more.map((column) => figure(row[column.id])),
    },
  }))
  return {
    valueTitle: now.title,
    beforeTitle: before.title,
    type: now.type,
    more: more.map(({ title, type }) => ({ title, type })),
    groups: gather(bars),
  }
}

/** True for a column of differences, which are drawn to both sides. */
export function isDifference({ id, type }: TableColumn): boolean {
  return (
    /^(net|change|delta|difference)$/.test(id) &&
    (type === 'integer' || type === 'number' || type === 'money')
  )
}

function gather(bars: { group: string; bar: Bar }[]): BarGroups['groups'] {
  const groups: BarGroups['groups'] = []
  for (const { group, bar } of bars) {
    const last = groups.at(-1)
    if (last && last.name === group) last.bars.push(bar)
    else groups.push({ name: group, color: bar.color, bars: [bar] })
  }
  return groups
}

/** The label that what is behind a bar names, when it names exactly one value of a label column. */
function labelBehind(behind: CustomersBehind | undefined, labelOf: LabelOf): ValueLabel | undefined {
  for (const [column, value] of Object.entries(behind ?? {})) {
    const label = typeof value === 'string' ? labelOf?.(column, value) : undefined
    if (label) return label
  }
  return undefined
}

function figure(value: unknown): number | null {
  return typeof value === 'number' ? value : null
}
