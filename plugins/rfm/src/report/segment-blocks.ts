import type { CustomersBehind, SeriesData, TableData } from '@huitou/plugin-api'
import { groupColors, groupIds, groupOf, segmentIds } from '../segments.ts'
import type { GroupId, SegmentId } from '../segments.ts'
import type { Texts } from '../texts.ts'
import type { Migration } from './migration.ts'
import type { Snapshot } from './snapshot.ts'

/** What a block about segments is made of. */
export interface SegmentFigures {
  snapshot: Snapshot
  migration: Migration
  texts: Texts
  /** Whether the customers of a segment can be found by their columns. */
  linked: boolean
}

/** Eleven rows: people now and before, share of people and of money. */
export function segmentsBlock({ snapshot, migration, texts, linked }: SegmentFigures): TableData {
  const spend = spendBySegment(snapshot)
  const share = toShare(snapshot.ids.length)
  const spendShare = toShare(total(snapshot.spend))
  return {
    kind: 'table',
    columns: [
      {
        id: 'group',
        title: texts.text('table.group'),
        type: 'text',
        colors: titleColors(texts, groupIds, (id) => [`group.${id}`, id]),
      },
      { id: 'segment', title: texts.text('table.segment'), type: 'text', colors: segmentColors(texts) },
      { id: 'now', title: texts.text('table.now'), type: 'integer' },
      { id: 'before', title: texts.text('table.before'), type: 'integer' },
      { id: 'share', title: texts.text('table.share'), type: 'percent' },
      { id: 'spend', title: texts.text('table.spend'), type: 'money' },
      { id: 'spend_share', title: texts.text('table.spend_share'), type: 'percent' },
    ],
    rows: segmentIds.map((id, index) => {
      const { now, before } = migration.segments[index]!
      return row(
        {
          group: texts.text(`group.${groupOf(id)}`),
          segment: texts.text(`segment.${id}`),
          now,
          before,
          share: share(now),
          spend: spend[index]!,
          spend_share: spendShare(spend[index]!),
        },
        linked ? { rfm_segment: id } : undefined,
      )
    }),
  }
}

/** The same as bars: people in each segment before and now. */
export function segmentBarsBlock({ migration, texts, linked }: SegmentFigures): SeriesData {
  return {
    kind: 'bar',
    type: 'integer',
    axis: 'category',
    categories: segmentIds.map((id) => texts.text(`segment.${id}`)),
    series: [
      {
        id: 'now',
        title: texts.text('table.now'),
        color: 'chart-1',
        values: migration.segments.map(({ now }) => now),
      },
      {
        id: 'before',
        title: texts.text('table.before'),
        color: 'chart-6',
        values: migration.segments.map(({ before }) => before),
      },
    ],
    ...(linked ? { behind: segmentIds.map((id) => ({ rfm_segment: id })) } : {}),
  }
}

/** Three rows: people and money of each core group, and how to care for it. */
export function groupsBlock({ snapshot, migration, texts, linked }: SegmentFigures): TableData {
  const spend = spendBySegment(snapshot)
  const share = toShare(snapshot.ids.length)
  const spendShare = toShare(total(snapshot.spend))
  return {
    kind: 'table',
    columns: [
      {
        id: 'group',
        title: texts.text('table.group'),
        type: 'text',
        colors: titleColors(texts, groupIds, (id) => [`group.${id}`, id]),
      },
      { id: 'now', title: texts.text('table.now'), type: 'integer' },
      { id: 'share', title: texts.text('table.share'), type: 'percent' },
      { id: 'spend_share', title: texts.text('table.spend_share'), type: 'percent' },
      { id: 'strategy', title: texts.text('table.strategy'), type: 'text' },
    ],
    rows: groupIds.map((group) => {
      const members = segmentIds.filter((id) => groupOf(id) === group)
      const indexes = members.map((id) => segmentIds.indexOf(id))
      const now = total(indexes.map((index) => migration.segments[index]!.now))
      return row(
        {
          group: texts.text(`group.${group}`),
          now,
          share: share(now),
          spend_share: spendShare(total(indexes.map((index) => spend[index]!))),
          strategy: texts.text(`group.${group}.strategy`),
        },
        linked ? { rfm_segment: members } : undefined,
      )
    }),
  }
}

/** Who went up, who went down and who came, for each segment. */
export function migrationBlock({ migration, texts, linked }: SegmentFigures): TableData {
  return {
    kind: 'table',
    columns: [
      { id: 'segment', title: texts.text('table.segment'), type: 'text', colors: segmentColors(texts) },
      { id: 'before', title: texts.text('table.before'), type: 'integer' },
      { id: 'up', title: texts.text('table.up'), type: 'integer' },
      { id: 'down', title: texts.text('table.down'), type: 'integer' },
      { id: 'came', title: texts.text('table.in'), type: 'integer' },
      { id: 'now', title: texts.text('table.now'), type: 'integer' },
      { id: 'net', title: texts.text('table.net'), type: 'integer' },
    ],
    rows: segmentIds.map((id, index) => {
      const movement = migration.segments[index]!
      return row(
        {
          segment: texts.text(`segment.${id}`),
          ...movement,
          net: movement.now - movement.before,
        },
        linked ? { rfm_segment: id } : undefined,
      )
    }),
  }
}

/** A row with the customers behind it; the cast is for `$behind`, which is not a cell. */
function row(
  cells: Record<string, string | number | null>,
  behind: CustomersBehind | undefined,
): TableData['rows'][number] {
  return (behind ? { ...cells, $behind: behind } : cells) as TableData['rows'][number]
}

function spendBySegment({ spend, segments }: Snapshot): number[] {
  const sums = segmentIds.map(() => 0)
  for (let row = 0; row < segments.length; row++)
    if (segments[row]! >= 0) sums[segments[row]!]! += spend[row]!
  return sums
}

function segmentColors(texts: Texts): Record<string, string> {
  return titleColors(texts, segmentIds, (id) => [`segment.${id}`, groupOf(id)])
}

function titleColors<Id extends SegmentId | GroupId>(
  texts: Texts,
  ids: readonly Id[],
  describe: (id: Id) => [Parameters<Texts['text']>[0], GroupId],
): Record<string, string> {
  return Object.fromEntries(
    ids.map((id) => {
      const [key, group] = describe(id)
      return [texts.text(key), groupColors[group]]
    }),
  )
}

function toShare(whole: number): (part: number) => number | null {
  return (part) => (whole === 0 ? null : part / whole)
}

function total(values: ArrayLike<number>): number {
  let sum = 0
  for (let index = 0; index < values.length; index++) sum += values[index]!
  return sum
}
