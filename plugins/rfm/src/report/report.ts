import { userError } from '@huitou/plugin-api'
import type { NumberData, Report } from '@huitou/plugin-api'
import { parseDay, toPlainDate } from '../business-days.ts'
import { segmentIds } from '../segments.ts'
import { minorPerMajor, readSettings } from '../settings.ts'
import type { RfmSettings } from '../settings.ts'
import { createTexts } from '../texts.ts'
import type { Texts } from '../texts.ts'
import { frequencyBlock, monetaryBlock, recencyBlock } from './distributions.ts'
import { gridBlock } from './grid.ts'
import { compareSnapshots } from './migration.ts'
import { groupsBlock, migrationBlock, segmentBarsBlock, segmentsBlock } from './segment-blocks.ts'
import { isFiltered, loadSnapshot } from './snapshot.ts'
import type { ReportHost, Snapshot, SnapshotQuery } from './snapshot.ts'

/** The RFM report: who is where now, what they are worth, and how that changed since a day before. */
export function createReport(huitou: ReportHost): Report {
  return {
    async run(parameters, { now, locale }) {
      const settings = readSettings(huitou.settings)
      const unit = minorPerMajor(huitou.brand.currency)
      const texts = createTexts(locale ?? huitou.brand.locale, huitou.brand.currency, unit)
      const query: SnapshotQuery = {
        asOf: findDay(parameters, 'asOf') ?? settledDay(settings),
        shop: findText(parameters, 'shop'),
        category: findText(parameters, 'category'),
        segmentId: findText(parameters, 'segmentId'),
        now,
      }
      const current = await loadSnapshot(huitou, settings, query)
      const earlier = findDay(parameters, 'compareTo') ?? aMonthBefore(current.reference.day)
      const previous = await loadSnapshot(huitou, settings, { ...query, asOf: earlier })
      const migration = compareSnapshots(previous, current, segmentIds.length)
      // Rules look at columns, which hold the scores of now over all orders.
      const linked = query.asOf === undefined && !isFiltered(query) && query.segmentId === undefined
      const figures = { snapshot: current, migration, texts, linked }
      return {
        blocks: {
          notice: {
            kind: 'text',
            tone: 'notice',
            text: notice(settings, query, { current, earlier }, texts),
          },
          buyers: {
            kind: 'number',
            type: 'integer',
            value: current.ids.length,
            previous: previous.ids.length,
          },
          top_share: topShareBlock(current, previous, texts),
          first_buyers: { kind: 'number', type: 'integer', value: migration.firstBuyers },
          grid: gridBlock(current, texts, linked),
          segments: segmentsBlock(figures),
          segment_bars: segmentBarsBlock(figures),
          migration: migrationBlock(figures),
          groups: groupsBlock(figures),
          recency_distribution: recencyBlock(current, texts),
          frequency_distribution: frequencyBlock(current, texts),
          monetary_distribution: monetaryBlock(current, texts, unit),
        },
      }
    },
  }
}

function topShareBlock(current: Snapshot, previous: Snapshot, texts: Texts): NumberData {
  const note = texts.text('table.top_note', { count: texts.number(topCount(current)) })
  return { kind: 'number', type: 'percent', value: topShare(current), previous: topShare(previous), note }
}

/** Share of all spend that the biggest fifth of the customers brought; `null` when nobody spent anything. */
export function topShare(snapshot: Pick<Snapshot, 'spend'>): number | null {
  const sorted = snapshot.spend.toSorted()
  const sum = sorted.reduce((whole, spend) => whole + spend, 0)
  const top = sorted.slice(sorted.length - topCount(snapshot)).reduce((part, spend) => part + spend, 0)
  return sum > 0 ? top / sum : null
}

function topCount({ spend }: Pick<Snapshot, 'spend'>): number {
  return Math.round(spend.length / 5)
}

/** How it was worked out, in sentences, and why another method would say something else. */
function notice(
  settings: RfmSettings,
  query: SnapshotQuery,
  { current, earlier }: { current: Snapshot; earlier: number },
  texts: Texts,
): string {
  const { reference, segments } = current
  const unnamed = segments.reduce((count, segment) => count + (segment < 0 ? 1 : 0), 0)
  return [
    texts.text(`notice.method.${settings.method}`),
    texts.text(`notice.reference.${reference.reason}`, { date: texts.date(toPlainDate(reference.day)) }),
    texts.text('notice.compare', { date: texts.date(toPlainDate(earlier)) }),
    ...(settings.monetary === 'net_spend' && query.category === undefined ? [texts.text('notice.net')] : []),
    ...(isFiltered(query) ? [texts.text('notice.filtered')] : []),
    ...(unnamed > 0 ? [texts.text('notice.unnamed', { count: texts.number(unnamed) })] : []),
  ].join('\n')
}

/** The day set as reference once and for all, if it is one. */
function settledDay({ reference }: RfmSettings): number | undefined {
  return reference === 'auto' || reference === 'today' ? undefined : parseDay(reference)
}

function aMonthBefore(day: number): number {
  return parseDay(toPlainDate(day).subtract({ months: 1 }).toString())
}

function findText(parameters: Record<string, unknown>, name: string): string | undefined {
  const value = parameters[name]
  return typeof value === 'string' && value !== '' ? value : undefined
}

function findDay(parameters: Record<string, unknown>, name: string): number | undefined {
  const text = findText(parameters, name)
  if (text === undefined) return undefined
  try {
    return parseDay(text)
  } catch {
    throw userError('E_DATE', `"${text}" is not a date`, { hint: `Write ${name} as 2026-03-01.` })
  }
}
